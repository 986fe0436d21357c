/**
 * What a rollback itself leaves to the next `up`, and so is no drift: weights and stickiness of a service's own rules, and the record of
 * them, while its latch is closed. A rollback takes groups out of a rule and turns testers round, so the groups of a rule may change; but
 * only among those that the service's anchor rule names. Anything else that changes in the same rule is somebody's doing.
 */
import { z } from "zod";
import { stableJson } from "../../core/stable-json.ts";
import type { Fields, Preview, PreviewStep } from "../preview-json.ts";
import { isUnder, type PreviewedService } from "./services.ts";

const ruleType = "aws:lb/listenerRule:ListenerRule";
/** The first route's rules bear the bare role; those of further routes end in a hash of the route. */
const weightedRule = /-(?:main|tester)(?:-[0-9a-f]{8})?$/;

const forward = z.looseObject({
  targetGroups: z.array(z.looseObject({ arn: z.string() })).nullish(),
  stickiness: z.unknown().optional(),
});
/** One forward action, as our rules have it; any other form is not ours. */
const forwarding = z.looseObject({
  actions: z.tuple([
    z.looseObject({ type: z.literal("forward"), targetGroupArn: z.string().nullish(), forward: forward.nullish() }),
  ]),
});

/** @param change a planned one is told by the inputs, one that a refresh found by the outputs */
export type IsRollbackNews = (step: PreviewStep, change: "planned" | "found") => boolean;

export function rollbackNewsIn(preview: Preview, services: readonly PreviewedService[]): IsRollbackNews {
  const pinned = services.filter(({ notices }) => notices.latch.length > 0);
  return (step, change) =>
    pinned.some(({ urn }) => {
      if (!isUnder(step, urn, preview) || (change === "planned" && step.op !== "update")) return false;
      if (step.type === "aws:lambda/invocation:Invocation") return step.name.endsWith("-opening");
      if (step.type !== ruleType || !weightedRule.test(step.name)) return false;
      const [before, after] =
        change === "planned" ? [step.oldInputs, step.newInputs] : [step.oldOutputs, step.newOutputs];
      return differsInWeightsAlone(before, after, groupsDeclaredFor(urn, preview));
    });
}

function differsInWeightsAlone(before: Fields, after: Fields, own: ReadonlySet<string>): boolean {
  const left = withoutWeights(before);
  const right = withoutWeights(after);
  if (!left || !right || left.rest !== right.rest) return false;
  const groups = [...left.groups, ...right.groups];
  return left.groups.length > 0 && right.groups.length > 0 && groups.every((arn) => own.has(arn));
}

/** A rule's groups, and all else of it in one text; `undefined` where it is not one of our forms. */
function withoutWeights(rule: Fields): { readonly groups: readonly string[]; readonly rest: string } | undefined {
  const read = forwarding.safeParse(rule);
  if (!read.success) return undefined;
  const { actions, ...others } = read.data;
  const [{ targetGroupArn, forward: forwards, ...action }] = actions;
  const { targetGroups, stickiness: _stickiness, ...more } = forwards ?? {};
  const listed = (targetGroups ?? []).map(({ arn }) => arn);
  // With one group alone the load balancer tells it in the short form, too.
  const groups = targetGroupArn ? [targetGroupArn, ...listed] : listed;
  return { groups, rest: stableJson(unordered({ ...others, action, more })) };
}

/** Conditions and their values are sets to the load balancer; `__defaults` is the provider's bookkeeping of its own inputs. */
function unordered(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(unordered).sort((left, right) => (stableJson(left) < stableJson(right) ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "__defaults")
      .map(([key, each]) => [key, unordered(each)]),
  );
}

/** As the program declares them, not as a refresh found them: a group that somebody hung into every rule is not among them. */
function groupsDeclaredFor(urn: string, preview: Preview): ReadonlySet<string> {
  const anchor = preview.steps.find(
    (step) => step.type === ruleType && step.name.endsWith("-anchor") && isUnder(step, urn, preview),
  );
  const groups = withoutWeights(anchor?.newInputs ?? {})?.groups ?? [];
  // A value that only the up will know is no group yet.
  return new Set(groups.filter((arn) => arn.startsWith("arn:")));
}
