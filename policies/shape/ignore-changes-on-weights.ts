/**
 * No `ignoreChanges` that reaches weights. With it a new target group is born with weight 1 instead of 0, and an added group resets the
 * weights that something else set, in the same update. Source: pulumi-aws issues 5772 and 5798, open, read 2026-11.
 */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { actionsProperty } from "../props-alb.ts";
import { message, referenceUrl } from "../props-message.ts";

/** A property path's steps: `actions[0].forward` and `actions["0"]["forward"]` are the same. */
function stepsOf(path: string): string[] {
  return [...path.matchAll(/\[\s*"((?:[^"\\]|\\.)*)"\s*\]|\[\s*([^\]"]*)\s*\]|([^.[\]]+)/g)].map(
    ([, quoted, index, name]) => (quoted ?? index ?? name ?? "").trim(),
  );
}

/** Whether steps lead along these names, or stop on the way. Numbers and `*` may stand for elements, `*` for a name as well. */
function leadsAlong([step, ...rest]: readonly string[], names: readonly string[]): boolean {
  if (step === undefined) return true;
  if (names.length === 0) return false;
  if (/^\d+$/.test(step)) return leadsAlong(rest, names);
  if (step === "*") return leadsAlong(rest, names) || leadsAlong(rest, names.slice(1));
  return step === names[0] && leadsAlong(rest, names.slice(1));
}

/** Whether ignoring a path ignores weights: it is their path or one above it. */
function reachesWeights(path: string, property: string): boolean {
  return leadsAlong(stepsOf(path), [property, "forward", "targetGroups", "weight"]);
}

export const ignoreChangesOnWeights: ResourceValidationPolicy = {
  name: "ignore-changes-on-weights",
  description: "No rule or listener ignores changes of its weights.",
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["alb", "weights", "drift"],
  remediationSteps:
    "Take the path out of `ignoreChanges` and let the program say the weights that are meant: read what is live before declaring it, as Tidegate does with its record.",
  url: referenceUrl("ignore-changes-on-weights"),
  validateResource: (args, report) => {
    const property = actionsProperty(args.type);
    if (property === undefined) return;
    for (const path of args.opts.ignoreChanges) {
      if (!reachesWeights(path, property)) continue;
      report(
        message({
          name: args.name,
          wrong: "ignoreChanges reaches the weights, so a new target group may get traffic that nobody gave it",
          got: JSON.stringify(path),
          expected: `no path at or above ${property}[*].forward.targetGroups[*].weight`,
          wayOut: "Take it out, and declare the weights that are meant",
        }),
      );
    }
  },
};
