/**
 * Groups that are adopted and that other rules forward to as well. A canary of which others already live would be released to them
 * whatever the wave; a control would be busier than the canary that it is compared with. A baseline of which others live is fine, and should be known.
 */
import { type AdoptingService, type Finding, isOurs, type SurveyedRoute } from "./adoption-model.ts";
import { losersTo } from "./adoption-routes.ts";
import { destinationWords, groupName, ruleWords, weightedGroups } from "./adoption-words.ts";
import { conditionsCover, matchesNothing } from "./rule-conditions.ts";
import type { Survey, SurveyedListener, SurveyedRule } from "./survey.ts";

/** An adopted group in its place of the config. */
interface AdoptedRole {
  readonly role: "baseline" | "canary" | "control";
  readonly arn: string;
  /** The record does not have this release yet. */
  readonly isNew: boolean;
}

/** Every rule on a surveyed listener that gives requests of its own to this group. */
export function sharedFindings(
  service: AdoptingService,
  { role, arn, isNew }: AdoptedRole,
  routes: readonly SurveyedRoute[],
  survey: Survey,
): Finding[] {
  const sharing = survey.listeners.flatMap((listener) => {
    const own = routes.filter((route) => route.listener.arn === listener.arn);
    return listener.rules.filter(
      (rule) =>
        weightedGroups(rule).some((group) => group.arn === arn) &&
        !isOurs(rule, service) &&
        !matchesNothing(rule.conditions) &&
        !own.some((route) => isInTheRoute(route, rule, role, listener)),
    );
  });
  if (role !== "baseline") {
    const [first, ...more] = sharing;
    if (!first) return [];
    const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
    return [
      {
        kind: "problem",
        isNew,
        text:
          `services.${service.name}.${role}.targetGroupArn: ${groupName(arn)} serves other requests already, got ${sharerWords(first)}, which ${destinationWords(first)}${others}; ` +
          (role === "canary"
            ? "expected a group that no other rule forwards to: these requests would get the release whatever its wave. Make a group of its own for the release"
            : "expected a group that no other rule forwards to: it would be busier than the canary that it is compared with. Make a group of its own for the control"),
      },
    ];
  }
  if (!isNew && !service.raises) return [];
  return sharing.map((rule) => ({
    kind: "warning",
    isNew,
    text: `${sharerWords(rule)} forwards to ${groupName(arn)} too: its requests do not move with the waves, and the load balancer counts them with the baseline's`,
  }));
}

/**
 * Whether a rule is one that the route stands in front of. A baseline's requests may be taken from a wider rule, whose others stay where
 * they are; a canary's group may be named only by a rule that gets nothing any more.
 */
function isInTheRoute(
  route: SurveyedRoute,
  rule: SurveyedRule,
  role: AdoptedRole["role"],
  { rules }: SurveyedListener,
): boolean {
  if (rule.arn === route.match.ruleArn) return true;
  if (role !== "baseline") return isBehind(route, rule) && takesAllOf(route, rule);
  return losersTo(
    route,
    rules.filter((other) => !isOurs(other, route.service)),
  ).includes(rule);
}

function isBehind({ priority }: SurveyedRoute, rule: SurveyedRule): boolean {
  return rule.priority === "default" || rule.priority > priority + 1;
}

/** A path pattern of every path is no condition: it covers a rule without one too. */
function takesAllOf({ conditions }: SurveyedRoute, rule: SurveyedRule): boolean {
  const narrowing = conditions.filter(
    ({ field, values }) => field !== "path-pattern" || !values.some((value) => value === "/*" || value === "*"),
  );
  return conditions.length > 0 && conditionsCover(narrowing, rule.conditions);
}

function sharerWords(rule: SurveyedRule): string {
  return rule.ours
    ? `${ruleWords(rule)} of Tidegate's service ${rule.ours.service} in ${rule.ours.environment}`
    : ruleWords(rule);
}
