/** Whether a rule of somebody else's can be stood in front of: what it matches, what it does with its requests, and where it stands. */
import {
  type AdoptingService,
  type Finding,
  othersOf,
  problemOf as problem,
  type SurveyedRoute,
  takesFrom,
} from "./adoption-model.ts";
import { inFrontOf, writePriority } from "./adoption-priorities.ts";
import { checksOf, destinationWords, forwardsOnlyTo, groupName, ruleWords, weightedGroups } from "./adoption-words.ts";
import { conditionsOverlap, conditionUse, unmodelled } from "./rule-conditions.ts";
import type { SurveyedRule } from "./survey.ts";

/** Not adjustable. Source: "Quotas for your Application Load Balancers", ALB user guide, read 2026-11. */
const mostConditionValues = 5;
const mostWildcards = 5;

/** Everything about the adopted rule of one route; nothing where none is adopted. */
export function adoptedRuleFindings(route: SurveyedRoute, all: readonly SurveyedRoute[]): Finding[] {
  const { match, place, listener, adopted, service } = route;
  if (match.ruleArn === undefined) return [];
  const at = `${place}.match.ruleArn`;
  if (!adopted) {
    return [
      problem(
        `${at}: no such rule on listener ${listener.arn}, got ${match.ruleArn}; expected one that exists. ` +
          `Find it with aws elbv2 describe-rules${route.isNew ? "" : ", or write hosts and paths: its requests are still ours"}`,
        route,
      ),
    ];
  }
  const got = `got ${ruleWords(adopted)}`;
  const taking = { isNew: takesFrom(route, adopted) };
  if (adopted.ours) {
    const { role, service: owner, environment } = adopted.ours;
    const whose = `the ${role} rule of ${owner} in ${environment}`;
    return [
      problem(`${at}: Tidegate's own rule, got ${whose}; expected somebody else's. Write hosts and paths`, taking),
    ];
  }
  if (adopted.priority === "default") {
    const expected = "expected a rule with conditions";
    return [
      problem(`${at}: the default rule has no conditions to repeat, ${got}; ${expected}. Write paths: ["/*"]`, taking),
    ];
  }
  const strange = unmodelled(adopted.conditions);
  const checks = checksOf(adopted);
  const findings: Finding[] = [];
  if (strange.length > 0) {
    findings.push(
      problem(
        `${at}: ${strange.join(" and ")} is not supported, ${got}; expected hosts, paths, headers, methods, queries and sources by wildcards. ` +
          "Write hosts and paths that match the same requests",
        taking,
      ),
    );
  }
  if ((adopted.transforms ?? []).length > 0) {
    findings.push(
      problem(
        `${at}: rewrites requests (${(adopted.transforms ?? []).join(", ")}), which ours would not, ${got}; expected a rule without transforms. ` +
          "Rewrite in the application",
        taking,
      ),
    );
  }
  if (checks.length > 0) {
    findings.push(
      problem(
        `${at}: asks for a login first (${checks.join(", ")}), ${got}; expected a rule that only forwards. ` +
          "Ours would let requests past the login; log in behind the load balancer, or leave this service as it is",
        taking,
      ),
    );
  }
  return [...findings, ...destinationFindings(route, adopted, at), ...orderFindings(route, adopted, all, service)];
}

/** The first `up` must not move a single request: theirs has to send where the baseline is. */
function destinationFindings(route: SurveyedRoute, adopted: SurveyedRule, at: string): Finding[] {
  const groups = weightedGroups(adopted);
  if (!adopted.actions.some(({ type }) => type === "forward")) {
    return [
      problem(
        `${at}: does not forward, got ${ruleWords(adopted)}, which ${destinationWords(adopted)}; expected a rule that forwards. ` +
          "Adopt the rule that serves the service",
        { isNew: takesFrom(route, adopted) },
      ),
    ];
  }
  // A service that runs has moved on, and theirs stays as it was on the first day.
  if (!takesFrom(route, adopted)) return [];
  const [only, ...more] = groups;
  if (!only || more.length > 0) {
    return [
      problem(
        `${at}: ${only ? "splits its requests itself" : "forwards to nobody, every group has weight 0"}, got ${ruleWords(adopted)}, which ${destinationWords(adopted)}; expected one group with weight. ` +
          "Give one group everything first: this up itself would move traffic",
        { isNew: true },
      ),
    ];
  }
  const { targetGroupArn } = route.service.baseline;
  if (only.arn === targetGroupArn) return [];
  const has = targetGroupArn === undefined ? "a group that the program makes" : groupName(targetGroupArn);
  return [
    problem(
      `services.${route.service.name}.baseline: on another group than ${ruleWords(adopted)}, which ${destinationWords(adopted)}, got ${has}; ` +
        `expected targetGroupArn: ${only.arn}. This up itself would move traffic`,
      { isNew: true },
    ),
  ];
}

function orderFindings(
  route: SurveyedRoute,
  adopted: SurveyedRule,
  all: readonly SurveyedRoute[],
  service: AdoptingService,
): Finding[] {
  if (adopted.priority === "default") return [];
  if (route.priority + 1 >= adopted.priority) {
    return [
      problem(
        `${route.place}.priority: not in front of the adopted rule at ${adopted.priority}, got ${route.priority}; ` +
          `expected ${inFrontOf(adopted.priority)}. ${writePriority(route, all)}`,
        route,
      ),
    ];
  }
  const between = othersOf(route, all).filter(
    (rule) =>
      typeof rule.priority === "number" &&
      typeof adopted.priority === "number" &&
      rule.priority > route.priority + 1 &&
      rule.priority < adopted.priority &&
      conditionsOverlap(rule.conditions, route.conditions) &&
      takesFrom(route, rule) &&
      !forwardsOnlyTo(rule, service.baseline.targetGroupArn),
  );
  return between.map((rule) =>
    problem(
      `${route.place}.priority: would take requests from ${ruleWords(rule)}, which comes before the adopted rule at ${adopted.priority} and ${destinationWords(rule)}, ` +
        `got ${route.priority}; expected ours behind it. ${writePriority(route, all)}`,
      { isNew: true },
    ),
  );
}

/** What the adopted rule leaves for the testers' mark. */
export function quotaFindings(route: SurveyedRoute): Finding[] {
  if (route.match.ruleArn === undefined) return [];
  const { testers } = route.service;
  const used = conditionUse(route.conditions);
  const values = used.values + (testers ? 1 : 0);
  const wildcards = used.wildcards + (testers === "cookie" ? 2 : 0);
  const marked = testers ? ", the testers' mark included" : "";
  const wayOut = testers ? "Leave testers out, or narrow the rule" : "Narrow the rule";
  const at = `${route.place}.match.ruleArn`;
  return [
    ...(values > mostConditionValues
      ? [
          `${at}: too many condition values for one rule, got ${values}${marked}; expected at most ${mostConditionValues}. ${wayOut}`,
        ]
      : []),
    ...(wildcards > mostWildcards
      ? [
          `${at}: too many wildcards for one rule, got ${wildcards}${marked}; expected at most ${mostWildcards}. ${wayOut}`,
        ]
      : []),
  ].map((text) => problem(text, route));
}
