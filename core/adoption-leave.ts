/**
 * Leaving: who gets a service's requests once its rules are gone, or have a narrower match. What was adopted stands as it was on the first
 * day, and after a finished rollout that is the release before: taking our rules away would be a rollback that nobody asked for.
 */
import { type AdoptingService, isOurs, othersThan, type SurveyedRoute } from "./adoption-model.ts";
import { losersTo } from "./adoption-routes.ts";
import { destinationWords, forwardsOnlyTo, groupName, ruleWords } from "./adoption-words.ts";
import { versionOf } from "./outcome.ts";
import type { RolloutRecord } from "./record.ts";
import { conditionsCover, conditionsOverlap, describeConditions, sameConditions } from "./rule-conditions.ts";
import type { SurveyedListener, SurveyedRule } from "./survey.ts";

/** Every reason why the rules of a service may not go. Rules of Tidegate's other services are others here: they stay. */
export function leaveProblems(
  service: AdoptingService,
  record: RolloutRecord,
  own: readonly SurveyedRoute[],
): string[] {
  const { name } = service;
  const baseline = record.releases[record.baseline];
  const version = versionOf(record, record.baseline);
  const at = `services.${name}.retire`;
  if (own.length === 0) return [];
  if (!baseline?.adopted) {
    return [
      `${at}: the program makes the target group of baseline ${version} and takes it away with the service, so nobody can take over, ` +
        `got ${baseline ? groupName(baseline.targetGroupArn) : record.baseline}; expected a baseline on a group of your own. ` +
        "Make one such a group first (baseline.targetGroupArn, replaceBaselineReason), or say overrideReason",
    ];
  }
  const told = new Set<string>();
  return own.flatMap((route) =>
    losersTo(route, othersThan([service], route.listener)).flatMap((rule) => {
      if (forwardsOnlyTo(rule, baseline.targetGroupArn) || told.has(rule.arn)) return [];
      told.add(rule.arn);
      return [
        `${at}: once our rules are gone, ${ruleWords(rule)} gets requests of this service and ${destinationWords(rule)}, ` +
          `got baseline ${version} on ${groupName(baseline.targetGroupArn)}; expected a rule that forwards to ${groupName(baseline.targetGroupArn)} alone. ` +
          "Change that rule first, or say overrideReason",
      ];
    }),
  );
}

/**
 * Every reason why requests of live main rules may not go back to whoever is behind them: those that no route of the config has any more.
 * @param own the routes of the config
 * @param listeners those on which the service has rules or routes
 */
export function shrinkProblems(
  service: AdoptingService,
  record: RolloutRecord,
  own: readonly SurveyedRoute[],
  listeners: readonly SurveyedListener[],
): string[] {
  const baselineArn = record.releases[record.baseline]?.targetGroupArn;
  const group = baselineArn === undefined ? record.baseline : groupName(baselineArn);
  return listeners.flatMap((listener) =>
    listener.rules
      .filter((rule) => isOurs(rule, service) && rule.ours?.role === "main")
      .flatMap((live) =>
        takersOf(live, service, own, listener)
          .filter((rule) => !forwardsOnlyTo(rule, baselineArn))
          .map(
            (rule) =>
              `services.${service.name}: not every request with ${describeConditions(live.conditions)} has a route any more, then ${ruleWords(rule)} gets some and ` +
              `${destinationWords(rule)}, got baseline ${versionOf(record, record.baseline)} on ${group}; expected a rule that forwards to ${group} alone. ` +
              "Keep the route, change that rule first, or say overrideReason",
          ),
      ),
  );
}

/** Rules of others that get requests of one of ours once only the routes of the config are there. */
function takersOf(
  live: SurveyedRule,
  service: AdoptingService,
  own: readonly SurveyedRoute[],
  listener: SurveyedListener,
): SurveyedRule[] {
  const order = (rule: { readonly priority: number | "default" }) =>
    rule.priority === "default" ? Number.POSITIVE_INFINITY : rule.priority;
  const behind = othersThan([service], listener).filter((rule) => order(rule) > order(live));
  const routes = own
    .filter((route) => route.listener === listener)
    .map(({ priority, conditions }) => ({ priority: priority + 1, conditions, rule: undefined }));
  const tried = [...routes, ...behind.map((rule) => ({ priority: rule.priority, conditions: rule.conditions, rule }))]
    .filter(({ conditions }) => conditionsOverlap(conditions, live.conditions))
    .toSorted((left, right) => order(left) - order(right));
  const last = tried.findIndex(
    ({ conditions }) => sameConditions(conditions, live.conditions) || conditionsCover(conditions, live.conditions),
  );
  return tried.slice(0, last === -1 ? tried.length : last + 1).flatMap(({ rule }) => (rule ? [rule] : []));
}
