/** Rules of a listener as a person reads them: which requests, and where they go. */
import { describeConditions } from "../../core/rule-conditions.ts";
import type { SurveyedAction, SurveyedRule } from "../../core/survey.ts";

/** Name of a target group, from its ARN. */
export function groupName(arn: string): string {
  return /:targetgroup\/([^/]+)\//.exec(arn)?.[1] ?? arn;
}

/** `checkout-blue`, `blue 90 : green 10`, `authenticate-oidc, then web`, `redirect`. */
export function actionsText(actions: readonly SurveyedAction[]): string {
  return actions.map(actionText).join(", then ") || "nothing";
}

function actionText({ type, targetGroups = [] }: SurveyedAction): string {
  if (type !== "forward") return type;
  const [only, ...more] = targetGroups;
  if (only && more.length === 0) return groupName(only.arn);
  return targetGroups.map(({ arn, weight }) => `${groupName(arn)} ${weight}`).join(" : ");
}

/** `40: host shop.example.com → checkout-blue`. */
export function ruleText(rule: SurveyedRule): string {
  const requests = rule.priority === "default" ? "everything else" : describeConditions(rule.conditions);
  return `${rule.priority}: ${requests} → ${actionsText(rule.actions)}`;
}

/** The group that gets most of what the rule forwards; `undefined`: it forwards nothing. Whether it gets all is for the checks to say. */
export function mainGroup(rule: SurveyedRule): string | undefined {
  const groups = rule.actions.flatMap(({ targetGroups = [] }) => targetGroups);
  return [...groups].sort((left, right) => right.weight - left.weight)[0]?.arn;
}
