/**
 * Leaving: who gets a service's requests once its rules are gone. What was adopted stands as it was on the first day, and after a
 * finished rollout that is the release before: taking our rules away would be a rollback that nobody asked for.
 */
import type { AdoptingService, SurveyedRoute } from "./adoption-model.ts";
import { losersTo } from "./adoption-routes.ts";
import { destinationWords, forwardsOnlyTo, groupName, ruleWords } from "./adoption-words.ts";
import { versionOf } from "./outcome.ts";
import type { RolloutRecord } from "./record.ts";

/** Every reason why the rules of a service may not go. */
export function leaveProblems(
  { name }: Pick<AdoptingService, "name">,
  record: RolloutRecord,
  own: readonly SurveyedRoute[],
  all: readonly SurveyedRoute[],
): string[] {
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
    losersTo(route, all).flatMap((rule) => {
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
