/**
 * A service that runs already and whose routes change: what may not change while the canary has traffic, what cannot be written without
 * colliding with our own rules, and which conditions a rule keeps while a lowering is pending.
 */
import {
  type AdoptingService,
  type Finding,
  isOurs,
  prioritiesOf,
  problemOf,
  type SurveyedRoute,
} from "./adoption-model.ts";
import { freePriority } from "./adoption-priorities.ts";
import { describeConditions, sameConditions } from "./rule-conditions.ts";
import type { SurveyedCondition, SurveyedRule } from "./survey.ts";

/** Everything about the changes of one service's routes; `all` are those of the whole config. */
export function changeFindings(
  service: AdoptingService,
  own: readonly SurveyedRoute[],
  all: readonly SurveyedRoute[],
): Finding[] {
  return own.flatMap((route) => [
    ...exposureFindings(service, route),
    ...collisionFindings(service, route, all),
    ...keptFindings(service, route),
  ]);
}

/** The conditions that our rule keeps although the adopted one has others; `undefined`: it follows, or there is nothing to follow. */
export function keptConditions(
  { keepsConditions = false }: Pick<AdoptingService, "keepsConditions">,
  adopted: SurveyedRule | undefined,
  live: SurveyedRule | undefined,
): readonly SurveyedCondition[] | undefined {
  const differs = adopted && live && !sameConditions(adopted.conditions, live.conditions);
  return keepsConditions && differs ? live.conditions : undefined;
}

/** Requests that come to a service while its canary has traffic would go to the canary at once, and nobody would have checked that. */
function exposureFindings({ exposure, lowers = false }: AdoptingService, route: SurveyedRoute): Finding[] {
  const { beforePercent, afterPercent } = exposure ?? { beforePercent: 0, afterPercent: 0 };
  if (afterPercent === 0 && (beforePercent === 0 || lowers)) return [];
  const { live, place, conditions } = route;
  const share = Math.max(beforePercent, afterPercent);
  if (!live) {
    const text =
      `${place}: no rule of ours stands at ${route.priority + 1} yet, and the canary has traffic, got ${share} %; expected a route that comes ` +
      "while no canary has any. Finish or take the canary to 0 first";
    // Somebody may have deleted the rule: lowering the others must go on.
    return [problemOf(text, { isNew: !lowers })];
  }
  if (sameConditions(live.conditions, conditions)) return [];
  const isAdopted = route.adopted !== undefined && route.match.ruleArn !== undefined;
  const wayOut = isAdopted
    ? "Write hosts and paths as ours has them for now, or take the canary to 0 first"
    : "Leave it as it was for now, or take the canary to 0 first";
  const text =
    `${place}.match: changes while the canary has traffic (${share} %), from ${describeConditions(live.conditions)}, ` +
    `got ${describeConditions(conditions)}; expected a change while no canary has any. ${wayOut}`;
  return [problemOf(text, { isNew: true })];
}

type Role = "tester" | "main" | "anchor";

/** What the three priorities of a route are for; the anchor hangs beside the first route alone. */
function rolesOf({ place, service, priority }: SurveyedRoute): Map<number, Role> {
  const [tester, main, anchor] = prioritiesOf({ priority });
  const roles = new Map<number, Role>();
  if (tester !== undefined && service.testers) roles.set(tester, "tester");
  if (main !== undefined) roles.set(main, "main");
  if (anchor !== undefined && service.routes[0]?.place === place) roles.set(anchor, "anchor");
  return roles;
}

/**
 * The first route's rules change their priority in place, further ones are named by it: a new one comes before the old one goes. So a
 * priority is free only where nobody's rule stands, ours of another route or role included.
 */
function collisionFindings(service: AdoptingService, route: SurveyedRoute, all: readonly SurveyedRoute[]): Finding[] {
  const wanted = rolesOf(route);
  const services = [...new Set(all.map((each) => each.service))];
  const isFirst = service.routes[0]?.place === route.place;
  const anchor = route.listener.rules.find((rule) => isOurs(rule, service) && rule.ours?.role === "anchor")?.priority;
  // Without an anchor on this listener nothing tells which rules are the first route's; then they are what the config says.
  const [first] = service.routes;
  const written = first?.listenerArn === route.listener.arn ? first.priority : undefined;
  const firstPriority = typeof anchor === "number" ? anchor - 2 : written;
  const isLiveFirst = (priority: number) =>
    firstPriority !== undefined && prioritiesOf({ priority: firstPriority }).includes(priority);
  const inTheWay = route.listener.rules.filter(({ priority, ours }) => {
    if (typeof priority !== "number" || !ours || !wanted.has(priority)) return false;
    if (!services.some((each) => isOurs({ ours } as SurveyedRule, each))) return false;
    const isSame =
      ours.service === service.name && ours.role === wanted.get(priority) && isLiveFirst(priority) === isFirst;
    return !isSame;
  });
  if (inTheWay.length === 0) return [];
  const free = freePriority(route, all);
  const words = inTheWay.map(({ priority, ours }) => `the ${ours?.role} rule of ${ours?.service} at ${priority}`);
  const wayOut =
    free === undefined
      ? "There are no three free priorities in a row: make room with aws elbv2 set-rule-priorities"
      : `Write priority: ${free}, or free this one in an up before`;
  const text =
    `${route.place}.priority: rules of ours stand there that move or go in this very up, got ${words.join(", ")}; ` +
    `expected priorities that nobody has, for the new rules come first. ${wayOut}`;
  return [problemOf(text, { isNew: true })];
}

function keptFindings(service: AdoptingService, { place, adopted, live, match }: SurveyedRoute): Finding[] {
  if (match.ruleArn === undefined || !adopted || !keptConditions(service, adopted, live)) return [];
  const text =
    `${place}.match.ruleArn: the adopted rule matches ${describeConditions(adopted.conditions)}; ours keeps ` +
    `${describeConditions(live?.conditions ?? [])} while a lowering or a hold is pending`;
  return [{ kind: "warning", isNew: false, text }];
}
