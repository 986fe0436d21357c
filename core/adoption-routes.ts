/**
 * Our rules among somebody else's on their listener: who writes them, whether priorities are free, who comes first and who loses
 * requests. Whether an adopted rule can be stood in front of at all is `adoption-rule.ts`.
 */
import {
  type AdoptingService,
  type Finding,
  isOurs,
  othersOf,
  prioritiesOf,
  problemOf as problem,
  type SurveyedRoute,
  takesFrom,
} from "./adoption-model.ts";
import { inFrontOf, writePriority } from "./adoption-priorities.ts";
import { adoptedRuleFindings, quotaFindings } from "./adoption-rule.ts";
import { checksOf, destinationWords, forwardsOnlyTo, ruleWords } from "./adoption-words.ts";
import { conditionsCover, conditionsOverlap, describeConditions } from "./rule-conditions.ts";
import type { Survey, SurveyedRule } from "./survey.ts";

/** Everything about the routes of one service; `all` are those of the whole config. */
export function routeFindings(
  service: AdoptingService,
  own: readonly SurveyedRoute[],
  all: readonly SurveyedRoute[],
  survey: Survey,
): Finding[] {
  const surveyed = new Set(own.map(({ place }) => place));
  return [
    ...service.routes.filter(({ place }) => !surveyed.has(place)).flatMap((route) => missingListener(service, route)),
    ...own.flatMap((route) => [
      ...ingressFindings(route, survey),
      ...adoptedRuleFindings(route, all),
      ...quotaFindings(route),
      ...priorityFindings(route, all),
      ...earlierFindings(route, all),
      ...laterFindings(route, all),
    ]),
  ];
}

function missingListener(service: AdoptingService, route: AdoptingService["routes"][number]): Finding[] {
  const { listenerArn, namesListener, match, place } = route;
  const isNew = service.isFirst;
  if (listenerArn !== undefined) {
    const text =
      `${namesListener ? `${place}.listenerArn` : "network.listenerArn"}: no such listener, got ${listenerArn}; ` +
      "expected one that exists. Find it with aws elbv2 describe-listeners";
    return [{ kind: "problem", text, isNew }];
  }
  if (match.ruleArn === undefined) return [];
  const text =
    `${place}.match.ruleArn: a rule on somebody's listener, and the program makes a listener of its own, got ${match.ruleArn}; ` +
    "expected network.listenerArn, or listenerArn beside match. Name the listener that the rule hangs on";
  return [{ kind: "problem", text, isNew: true }];
}

/** A controller writes its rules back from its own objects, weights included, whenever it likes. */
function ingressFindings(route: SurveyedRoute, survey: Survey): Finding[] {
  const { listener, place } = route;
  const balancer = survey.loadBalancers.find(({ arn }) => arn === listener.loadBalancerArn);
  const by =
    balancer?.managedBy ?? listener.managedBy ?? listener.rules.find((rule) => rule.managedBy !== undefined)?.managedBy;
  if (by === undefined) return [];
  return [
    problem(
      `${place}: load balancer ${balancer?.name ?? listener.loadBalancerArn} is written by a controller, which would undo every weight, got ${by}; ` +
        "expected a load balancer that no Ingress manages. Register the pods in a target group of your own with a TargetGroupBinding, " +
        "behind another load balancer",
      route,
    ),
  ];
}

function priorityFindings(route: SurveyedRoute, all: readonly SurveyedRoute[]): Finding[] {
  const wanted = prioritiesOf(route);
  const inTheWay = route.listener.rules.filter(
    (rule) =>
      typeof rule.priority === "number" &&
      wanted.includes(rule.priority) &&
      !all.some(({ service }) => isOurs(rule, service)),
  );
  if (inTheWay.length === 0) return [];
  return [
    problem(
      `${route.place}.priority: ${route.priority} to ${route.priority + 2} are not free, got ${inTheWay.map(ruleWords).join(", ")}; ` +
        `expected three free priorities in a row. ${writePriority(route, all)}`,
      route,
    ),
  ];
}

/** Whoever comes before ours keeps what matches both. */
function earlierFindings(route: SurveyedRoute, all: readonly SurveyedRoute[]): Finding[] {
  const earlier = othersOf(route, all).filter(
    (rule) => typeof rule.priority === "number" && rule.priority <= route.priority && rule.arn !== route.match.ruleArn,
  );
  const covering = earlier.find((rule) => conditionsCover(rule.conditions, route.conditions));
  if (covering) {
    return [
      problem(
        `${route.place}.priority: never reached: ${ruleWords(covering)} comes first, takes everything and ${destinationWords(covering)}, got ${route.priority}; ` +
          `expected ${inFrontOf(Number(covering.priority))}. ${writePriority(route, all)}`,
        route,
      ),
    ];
  }
  // What comes before the adopted rule kept its requests before, too.
  if (!route.isNew || route.adopted) return [];
  return earlier
    .filter((rule) => conditionsOverlap(rule.conditions, route.conditions))
    .map((rule) => ({
      kind: "warning",
      isNew: true,
      text: `${ruleWords(rule)} comes before ours at ${route.priority + 1} and keeps the requests that match both; it ${destinationWords(rule)}`,
    }));
}

/**
 * Those of the given rules that would lose requests to ours, in order. It ends with one that matches all of ours: whatever comes after had
 * none of these requests.
 */
export function losersTo(
  route: Pick<SurveyedRoute, "priority" | "conditions">,
  others: readonly SurveyedRule[],
): SurveyedRule[] {
  const later = others.filter(({ priority }) => priority === "default" || priority > route.priority + 1);
  const losers: SurveyedRule[] = [];
  for (const rule of later) {
    if (!conditionsOverlap(rule.conditions, route.conditions)) continue;
    losers.push(rule);
    if (conditionsCover(rule.conditions, route.conditions)) break;
  }
  return losers;
}

function laterFindings(route: SurveyedRoute, all: readonly SurveyedRoute[]): Finding[] {
  return losersTo(route, othersOf(route, all))
    .filter((rule) => rule.arn !== route.match.ruleArn)
    .flatMap((rule): Finding[] => {
      const taking = { isNew: takesFrom(route, rule) };
      const checks = checksOf(rule);
      if (checks.length > 0) {
        return [
          problem(
            `${route.place}.match: would let requests past a login: ${ruleWords(rule)} asks for one (${checks.join(", ")}) and would lose requests to ours, ` +
              `got ${describeConditions(route.conditions)}; expected only requests that need no login there. Narrow the match, or put a rule of your own in front`,
            taking,
          ),
        ];
      }
      if (rule.ours) {
        return [
          problem(
            `${route.place}.match: takes requests of ${rule.ours.service} in ${rule.ours.environment}, which another stack declares, ` +
              `got ${describeConditions(route.conditions)}; expected requests that no other service matches. Narrow one of the two`,
            taking,
          ),
        ];
      }
      if (!taking.isNew || forwardsOnlyTo(rule, route.service.baseline.targetGroupArn)) return [];
      const isForward = rule.actions.some(({ type }) => type === "forward");
      return [
        {
          kind: isForward || rule.priority !== "default" ? "warning" : "note",
          isNew: true,
          text: `requests with ${describeConditions(route.conditions)} now come to this service and not to ${ruleWords(rule)}, which ${destinationWords(rule)}`,
        },
      ];
    });
}

/** Routes of different services on one listener that match the same requests, as soon as one of them is known from an adopted rule. */
export function pairFindings(own: readonly SurveyedRoute[], all: readonly SurveyedRoute[]): Finding[] {
  return own.flatMap((route) =>
    all.flatMap((other) => {
      // Each pair is told once, at the later of the two.
      if (other.service === route.service || other.listener !== route.listener || other.priority > route.priority)
        return [];
      if (route.match.ruleArn === undefined && other.match.ruleArn === undefined) return [];
      if (!conditionsOverlap(other.conditions, route.conditions) || isOrderKept(other, route)) return [];
      return [
        problem(
          `${route.place}.match: overlaps ${other.place}.match, which comes first with ${describeConditions(other.conditions)}, got ${describeConditions(route.conditions)}; ` +
            "expected the order of the adopted rules, or requests that no other service matches. Exchange the priorities, or narrow one of the two",
          { isNew: route.isNew || other.isNew },
        ),
      ];
    }),
  );
}

/** The first of two adopted rules stays first; a narrow match may stand before a wide adopted rule. */
function isOrderKept(first: SurveyedRoute, second: SurveyedRoute): boolean {
  const before = first.adopted?.priority;
  const after = second.adopted?.priority;
  if (typeof before === "number" && typeof after === "number") return before < after;
  return first.match.ruleArn === undefined && conditionsCover(second.conditions, first.conditions);
}
