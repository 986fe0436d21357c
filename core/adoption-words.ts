/** How rules, groups and load balancers that are not ours are called in messages. */
import { describeConditions } from "./rule-conditions.ts";
import type { SurveyedAction, SurveyedRule } from "./survey.ts";

/** Name of a target group, out of its ARN. */
export function groupName(arn: string): string {
  return arn.split("/")[1] ?? arn;
}

/** `the rule at 50 (host shop.example.com)`, or `the default rule`. */
export function ruleWords({ priority, conditions }: Pick<SurveyedRule, "priority" | "conditions">): string {
  return priority === "default" ? "the default rule" : `the rule at ${priority} (${describeConditions(conditions)})`;
}

/** Groups that a rule sends requests to, those of weight 0 left out. */
export function weightedGroups({ actions }: Pick<SurveyedRule, "actions">): readonly { arn: string; weight: number }[] {
  return actions.flatMap(({ targetGroups = [] }) => targetGroups.filter(({ weight }) => weight > 0));
}

const answering: ReadonlySet<string> = new Set(["forward", "redirect", "fixed-response"]);

/** What a rule asks of a request before it is answered: logins, tokens, and whatever AWS adds; empty: nothing. */
export function checksOf({ actions }: Pick<SurveyedRule, "actions">): string[] {
  return actions.map(({ type }) => type).filter((type) => !answering.has(type));
}

/** Whether a rule sends everything to one group and does nothing else with it. */
export function forwardsOnlyTo(
  rule: Pick<SurveyedRule, "actions" | "transforms">,
  groupArn: string | undefined,
): boolean {
  const groups = weightedGroups(rule);
  return (
    rule.actions.length === 1 &&
    rule.actions[0]?.type === "forward" &&
    (rule.transforms ?? []).length === 0 &&
    groups.length === 1 &&
    groups[0]?.arn === groupArn
  );
}

/** What becomes of a request that a rule gets: `forwards to blue`, `answers 404`, `asks for a login (authenticate-oidc) and forwards to blue`. */
export function destinationWords(rule: Pick<SurveyedRule, "actions" | "transforms">): string {
  const checks = checksOf(rule);
  const transforms = rule.transforms ?? [];
  return [
    ...(checks.length > 0 ? [`asks for a login (${checks.join(", ")})`] : []),
    ...(transforms.length > 0 ? [`rewrites (${transforms.join(", ")})`] : []),
    ...rule.actions.filter(({ type }) => answering.has(type)).map(actionWords),
  ].join(" and ");
}

function actionWords({ type, targetGroups = [], statusCode }: SurveyedAction): string {
  if (type === "redirect") return `redirects${statusCode === undefined ? "" : ` (${statusCode})`}`;
  if (type !== "forward") return `answers ${statusCode ?? "by itself"}`;
  const weighted = targetGroups.filter(({ weight }) => weight > 0);
  const [only, ...more] = weighted;
  if (!only) return "forwards to nobody";
  if (more.length === 0) return `forwards to ${groupName(only.arn)}`;
  return `forwards to ${weighted.map(({ arn, weight }) => `${groupName(arn)} (weight ${weight})`).join(" and ")}`;
}
