/**
 * Where our three rules can stand: tester, main and anchor next to each other, before the rule whose requests they take and after
 * every rule that gets some of these requests today. As far back as possible, so that least of the listener is behind us.
 */
import { conditionsOverlap } from "../../core/rule-conditions.ts";
import type { SurveyedListener, SurveyedRule } from "../../core/survey.ts";
import { ruleText } from "./rule-text.ts";

/** Priorities that a service takes. */
export const rulesPerService = 3;
/** Source: ELBv2 CreateRule API reference, read 2026-11. */
export const lastPriority = 50_000;

/** A place, or why there is none and what to renumber. */
export type Place = { readonly priority: number } | { readonly problem: string };

/** The place for a service that takes the requests of `adopted`, one of the listener's rules. */
export function placeFor(listener: SurveyedListener, adopted: SurveyedRule): Place {
  const numbered = listener.rules.flatMap((rule) =>
    rule.priority === "default" ? [] : [{ rule, priority: rule.priority }],
  );
  const taken = new Set(numbered.map(({ priority }) => priority));
  // The default rule comes after all others: as soon as they end, a few numbers on, so that theirs can still grow.
  const end = adopted.priority === "default" ? lastPriority + 1 : adopted.priority;
  const before = numbered.filter(
    ({ rule, priority }) => priority < end && conditionsOverlap(rule.conditions, adopted.conditions),
  );
  const floor = Math.max(0, ...before.map(({ priority }) => priority));
  if (adopted.priority === "default") {
    const start = Math.ceil((Math.max(0, ...taken) + 1) / 10) * 10;
    return start + rulesPerService - 1 <= lastPriority
      ? { priority: start }
      : { problem: noRoom(adopted, before.at(-1)?.rule, undefined) };
  }
  for (let start = end - rulesPerService; start > floor; start--) {
    if ([0, 1, 2].every((step) => !taken.has(start + step))) return { priority: start };
  }
  return {
    problem: noRoom(
      adopted,
      before.find(({ priority }) => priority === floor)?.rule,
      roomBehind(numbered, adopted, taken),
    ),
  };
}

/** A free number behind the adopted rule to which it can move without passing any rule that it shares requests with, and with room before it. */
function roomBehind(
  numbered: readonly { readonly rule: SurveyedRule; readonly priority: number }[],
  adopted: SurveyedRule,
  taken: ReadonlySet<number>,
): number | undefined {
  if (adopted.priority === "default") return undefined;
  const stop = Math.min(
    lastPriority + 1,
    ...numbered
      .filter(
        ({ rule, priority }) =>
          priority > Number(adopted.priority) && conditionsOverlap(rule.conditions, adopted.conditions),
      )
      .map(({ priority }) => priority),
  );
  for (let at = adopted.priority + 1; at < stop; at++) {
    const free = [at - 3, at - 2, at - 1, at].every(
      (number) => number > 0 && (!taken.has(number) || number === adopted.priority),
    );
    if (free) return at;
  }
  return undefined;
}

function noRoom(adopted: SurveyedRule, before: SurveyedRule | undefined, target: number | undefined): string {
  const after = before === undefined ? "the first priority" : `rule ${ruleText(before)}, which shares requests with it`;
  const wayOut =
    target === undefined
      ? "Renumber the rules from it on with aws elbv2 set-rule-priorities so that three numbers are free, and run this again"
      : `It can move without changing who gets what: aws elbv2 set-rule-priorities --rule-priorities RuleArn=${adopted.arn},Priority=${target}`;
  return (
    `--rule: no room for Tidegate's ${rulesPerService} rules, got fewer than ${rulesPerService} free in a row between ${after}, and rule ${ruleText(adopted)}; ` +
    `expected ${rulesPerService} free priorities in a row right before it. ${wayOut}`
  );
}
