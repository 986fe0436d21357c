/**
 * An opening is committed by published, tested code: by the hook's alias `live`, which moves only after a version tested itself. Another
 * function with such an alias would answer, too, and commit nothing.
 */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { hookAliasName, hookFunctionName } from "../../core/naming.ts";
import { type Known, known, shown, textAt, unknown } from "../known.ts";

/** Type of the component that commits an opening. */
export const openingType = "tidegate:rollout:WaveOpening";
export const invocationType = "aws:lambda/invocation:Invocation";

export const openingCallsTheHook: ResourceValidationPolicy = {
  name: "rollout-opening-calls-the-hook",
  displayName: "Openings call the live hook",
  description: `An opening invokes its environment's hook by the alias ${hookAliasName}, at every change and at the removal of the service.`,
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-opening-calls-the-hook",
  remediationSteps: `Give WaveOpening RollbackHook's functionName and, as its qualifier, its aliasName, ${hookAliasName}; leave lifecycleScope alone.`,
  validateResource: (args, report) => {
    if (args.type !== invocationType || !args.opts.parent?.includes(openingType)) return;
    const props = known(args.props);
    const called = textAt(props, "functionName");
    const environment = environmentOf(textAt(props, "input"));
    const hook = hookFunctionName(environment ?? "<environment>");
    if (called !== unknown && !isHook(called, environment)) {
      report(
        `${args.name}: calls another function than the hook, got functionName ${shown(called)}; expected ${hook}. Give it RollbackHook's ` +
          "functionName",
      );
    }
    // Not known in the first preview, where the alias is only being made: rollout-hook-is-wired follows it there.
    const qualifier = textAt(props, "qualifier");
    if (qualifier !== unknown && qualifier !== hookAliasName) {
      report(
        `${args.name}: does not call the hook that tested itself, got qualifier ${shown(qualifier)}; expected ${hookAliasName}. Give it ` +
          "the alias's name",
      );
    }
    const scope = textAt(props, "lifecycleScope");
    if (scope !== unknown && scope !== "CRUD") {
      report(
        `${args.name}: tells the hook of the first opening alone, got lifecycleScope ${shown(scope)}; expected CRUD. Leave it as ` +
          "WaveOpening sets it",
      );
    }
  },
};

/** The environment in what an opening tells the hook; `undefined` where that is not known yet or says none. */
function environmentOf(input: Known): string | undefined {
  if (typeof input !== "string") return undefined;
  try {
    const environment = textAt(JSON.parse(input) as Known, "environment");
    return typeof environment === "string" ? environment : undefined;
  } catch {
    return undefined;
  }
}

/** Whether that is the environment's hook, by name or by ARN; any environment's where it is not known which. */
function isHook(called: string | undefined, environment: string | undefined): boolean {
  const name = called?.replace(/^arn:[^:]*:lambda:[^:]*:[^:]*:function:/, "") ?? "";
  if (environment !== undefined) return name === hookFunctionName(environment);
  const [front = "", back = ""] = hookFunctionName("*").split("*");
  return name.startsWith(front) && name.endsWith(back) && name.length > front.length + back.length;
}
