/**
 * The last-moment check of a rule write: Pulumi calls it between plan and provider, with the inputs it is about to send.
 * Here is only how the check is tied to a rule; what it checks is the guard itself, a function given from outside.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { Declaration, GuardedWrite } from "../core/declaration.ts";
import type { Plan } from "../core/plans.ts";
import { readForward } from "./rule-shapes.ts";

/** Throws to refuse a write; the text reaches the person who runs `up`. */
export type Guard = (write: GuardedWrite) => Promise<void>;

/** What a guard is made for: one service in one `up`. */
export interface GuardContext {
  readonly environment: string;
  readonly declaration: Declaration;
  /** The plan that this `up` declares; see `GuardOptions`. */
  readonly plan: Plan;
  /** Who takes leases: the stack. */
  readonly takenBy: string;
  /** How long to wait for healthy canary hosts. Unit: seconds. */
  readonly readyTimeoutSeconds: number;
  /** Asked at the last moment: does the hook's function change in this same `up`? */
  readonly hookChanges: () => boolean;
}

/** A resource hook's body. */
export type HookCallback = (args: pulumi.ResourceHookArgs) => Promise<void>;

/**
 * Where guards come from and how they are tied to a rule. The AWS one makes Pulumi resource hooks; a rehearsal keeps the
 * callbacks and calls them itself, answering `undefined`.
 */
export interface GuardBinding {
  guardFor(context: GuardContext): Guard;
  /** `hookName` is unique in the stack and reads well in the engine's error: `hold check for checkout`. */
  bind(hookName: string, callback: HookCallback): pulumi.ResourceHookBinding | undefined;
}

/**
 * Name of the hook on a rule; the engine prints `before hook "hold check for checkout" failed: …`.
 * @param routeSuffix end of the names of a further route's rules
 */
export function guardHookName(service: string, role: GuardedWrite["role"], routeSuffix = ""): string {
  const route = routeSuffix === "" ? "" : ` route ${routeSuffix.replace(/^-/, "")}`;
  return `hold check for ${service}${route}${{ main: "", tester: " testers", flag: " flag" }[role]}`;
}

/** What the guard sees of a write that Pulumi is about to make. */
export type RuleWriteArgs = Pick<pulumi.ResourceHookArgs, "id" | "newInputs" | "oldInputs" | "oldOutputs">;

/** What a write of one rule means for the guard beyond its own inputs. */
export type GuardedRule = Pick<GuardedWrite, "role" | "alarms" | "releases" | "control" | "flag">;

/**
 * Turns a resource hook's arguments into what the guard judges. Without old inputs it is a create.
 * @throws RuleShapeError when the new inputs are not one forward action with known groups and weights
 */
export function guardedWriteFrom(args: RuleWriteArgs, rule: GuardedRule): GuardedWrite {
  const operation = args.oldInputs === undefined ? "create" : "update";
  // A listener rule's id is its ARN.
  const ruleArn = args.oldOutputs?.arn ?? (args.id || undefined);
  return {
    operation,
    role: rule.role,
    ...(operation === "update" && typeof ruleArn === "string" ? { ruleArn } : {}),
    // A flag's deployment names a version; what that says, the program knows.
    ...(rule.role === "flag" ? { weights: {} } : readForward(args.newInputs)),
    ...(rule.flag ? { flag: rule.flag } : {}),
    targetGroupArns: Object.fromEntries(rule.releases.map((release) => [release.digest, release.targetGroupArn])),
    ...(rule.control ? { control: rule.control } : {}),
    alarms: rule.alarms,
    releases: rule.releases,
  };
}
