/**
 * The hook is wired to everything that wakes it, that it wakes, and that tells of its death. Where the stack has the foundation, all of
 * it is looked at; a stack of services alone has only its openings to show, and the guard asks for the hook's heartbeat at each.
 */
import type { PolicyResource, StackValidationPolicy } from "@pulumi/policy";
import { acknowledgeAliasName, alarmPrefix, hookAliasName } from "../../core/naming.ts";
import { serviceType } from "./facts.ts";
import { invocationType, openingType } from "./opening-calls-the-hook.ts";
import { childrenOf, comesFrom, isGiven, textOf } from "./wiring.ts";

const hookType = "tidegate:foundation:RollbackHook";
const watchmanType = "tidegate:foundation:Watchman";
const tableType = "tidegate:foundation:RolloutTable";
const functionType = "aws:lambda/function:Function";
const aliasType = "aws:lambda/alias:Alias";
const ruleType = "aws:cloudwatch/eventRule:EventRule";
const targetType = "aws:cloudwatch/eventTarget:EventTarget";
const permissionType = "aws:lambda/permission:Permission";
const alarmType = "aws:cloudwatch/metricAlarm:MetricAlarm";

/** Metrics of which the hook's own alarms tell, with what nobody would hear of otherwise. */
const watchedMetrics: Readonly<Record<string, string>> = {
  Errors: "that it fails",
  Throttles: "that it is not let run",
  ApproximateNumberOfMessagesVisible: "of its dead letters",
  ReconcileFinished: "that its heartbeat stopped",
  PagesUndelivered: "of pages that reach nobody",
};

type Report = (what: string, missing: string) => void;

export const hookIsWired: StackValidationPolicy = {
  name: "rollout-hook-is-wired",
  displayName: "The hook is wired",
  description:
    "The hook has its aliases, event rule, clock, drill, dead letters, alarms and watchman, and every service's opening calls it.",
  enforcementLevel: "mandatory",
  severity: "critical",
  tags: ["rollout", "tidegate"],
  url: "docs/policies.md#rollout-hook-is-wired",
  remediationSteps:
    "Put back what is missing: RollbackHook and Watchman make all of it. This is a stack policy: it ends `pulumi up` at its preview phase, so do not run `up --skip-preview`.",
  validateStack: ({ resources }, report) => {
    const ofType = (type: string): PolicyResource[] => resources.filter((resource) => resource.type === type);
    const about =
      (component: PolicyResource): Report =>
      (what, missing) =>
        report(`${component.name}: ${what}, got none; expected ${missing}. Put it back`, component.urn);
    const hooks = ofType(hookType);
    for (const hook of hooks) judgeHook(hook, resources, about(hook));
    const [foundation] = [...hooks, ...ofType(tableType)];
    if (foundation && hooks.length === 0) {
      about(foundation)("a record and no hook that writes it", "a RollbackHook beside the RolloutTable");
    }
    const watchmen = ofType(watchmanType);
    if (foundation && watchmen.length === 0) {
      about(foundation)("nobody looks whether the hook acts", "a Watchman beside the RollbackHook");
    }
    for (const watchman of watchmen) judgeWatchman(watchman, resources, about(watchman));
    for (const service of ofType(serviceType)) judgeService(service, resources, about(service));
  },
};

function judgeHook(hook: PolicyResource, resources: readonly PolicyResource[], missing: Report): void {
  const children = (type: string): PolicyResource[] => childrenOf(hook, resources, type);
  const [code] = children(functionType);
  if (!code) {
    missing("has no function", "a Lambda function");
    return;
  }
  if (!isGiven(code, "deadLetterConfig", "targetArn")) {
    missing("what it gives up on is lost", "deadLetterConfig on its function");
  }
  const aliases = children(aliasType);
  const live = aliases.find((alias) => textOf(alias, "name") === hookAliasName);
  for (const name of [hookAliasName, acknowledgeAliasName]) {
    const alias = aliases.find((candidate) => textOf(candidate, "name") === name);
    if (!alias) missing(`has no alias ${name}`, `an alias ${name} on a published version`);
    else if (textOf(alias, "functionVersion") === "$LATEST") {
      missing(`the alias ${name} leads to untested code ($LATEST)`, "a published version");
    }
  }
  const wakers = children(ruleType).map((rule) => ({ rule, kind: kindOf(rule) }));
  const kinds = { alarms: "state changes of its alarms", clock: "a clock of one minute", drill: "the weekly drill" };
  for (const [kind, what] of Object.entries(kinds)) {
    const rules = wakers.filter((waker) => waker.kind === kind);
    if (rules.length === 0) missing(`is not woken by ${what}`, "an EventBridge rule for it");
    for (const { rule } of rules) {
      const target = children(targetType).find(
        (candidate) => comesFrom(candidate, "rule", rule) && live !== undefined && comesFrom(candidate, "arn", live),
      );
      if (!target) missing(`is not woken by ${what}`, `a target from ${rule.name} to the alias ${hookAliasName}`);
      else if (!isGiven(target, "deadLetterConfig", "arn")) {
        missing(`loses ${what} that could not be handed on`, `deadLetterConfig on ${target.name}`);
      }
      if (!children(permissionType).some((permission) => comesFrom(permission, "sourceArn", rule))) {
        missing(`may not be woken by ${what}`, `a permission for ${rule.name}`);
      }
    }
  }
  const alarms = children(alarmType);
  for (const [metric, what] of Object.entries(watchedMetrics)) {
    const told = alarms.some((alarm) => textOf(alarm, "metricName") === metric && isGiven(alarm, "alarmActions"));
    if (!told) missing(`nobody is told ${what}`, `an alarm with actions on ${metric}`);
  }
}

/** What a rule wakes the hook for; `undefined` for anything else. */
function kindOf(rule: PolicyResource): "alarms" | "clock" | "drill" | undefined {
  const schedule = textOf(rule, "scheduleExpression");
  if (schedule !== undefined) return schedule === "rate(1 minute)" ? "clock" : "drill";
  const environment = textOf(rule, "tags", "tidegate:environment");
  const pattern = textOf(rule, "eventPattern") ?? "";
  return environment !== undefined && pattern.includes(alarmPrefix(environment)) ? "alarms" : undefined;
}

function judgeWatchman(watchman: PolicyResource, resources: readonly PolicyResource[], missing: Report): void {
  const [code] = childrenOf(watchman, resources, functionType);
  const clocks = childrenOf(watchman, resources, ruleType).filter(
    (rule) => textOf(rule, "scheduleExpression") === "rate(1 minute)",
  );
  const woken = childrenOf(watchman, resources, targetType).some(
    (target) =>
      code !== undefined && comesFrom(target, "arn", code) && clocks.some((clock) => comesFrom(target, "rule", clock)),
  );
  if (!woken) missing("does not look every minute", "a clock of one minute with a target to its function");
}

function judgeService(service: PolicyResource, resources: readonly PolicyResource[], missing: Report): void {
  const openings = childrenOf(service, resources, openingType);
  const calls = openings.flatMap((opening) => childrenOf(opening, resources, invocationType));
  if (calls.length === 0) {
    missing("commits no opening", "a WaveOpening that invokes the hook");
    return;
  }
  for (const call of calls) {
    // Known values are rollout-opening-calls-the-hook's, which is asked before the call is made.
    if (textOf(call, "qualifier") !== undefined) continue;
    const aliases = resources.filter(({ type }) => type === aliasType);
    const live = aliases.some(
      (alias) => textOf(alias, "name") === hookAliasName && comesFrom(call, "qualifier", alias),
    );
    if (!live)
      missing(`${call.name} calls something else than the hook`, `the alias ${hookAliasName} as its qualifier`);
  }
}
