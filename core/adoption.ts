/**
 * Standing in front of what somebody has in production: what a survey of their load balancer says against it, and what they should know
 * first. Pure: survey, config and record in, everything that is wrong out, all at once.
 *
 * What is wrong refuses the `up` that would bring it about: the first one of a service, one that adds or changes a route or adds a group, and
 * every raise.
 * A service that runs already is warned and goes on otherwise, because an `up` that lowers it must not hang on what others did to their
 * rules meanwhile.
 */

import { changeFindings, keptConditions } from "./adoption-changes.ts";
import { groupFindings } from "./adoption-groups.ts";
import { leaveProblems, shrinkProblems } from "./adoption-leave.ts";
import {
  type AdoptingService,
  type AdoptionVerdict,
  type Finding,
  isOurs,
  type SurveyedRoute,
} from "./adoption-model.ts";
import { pairFindings, routeFindings } from "./adoption-routes.ts";
import { groupName } from "./adoption-words.ts";
import type { Notice } from "./declaration.ts";
import { loadBalancerName } from "./naming.ts";
import { note, warning } from "./outcome.ts";
import { conditionsCover, conditionsOf, sameConditions } from "./rule-conditions.ts";
import type { Survey, SurveyedCondition, SurveyedRule } from "./survey.ts";

export type * from "./adoption-model.ts";

/** Judges every service of a config against the survey; one verdict for each service, by name. */
export function judgeAdoption(
  services: readonly AdoptingService[],
  survey: Survey,
): Readonly<Record<string, AdoptionVerdict>> {
  const routes = services.flatMap((service) => surveyedRoutes(service, survey));
  return Object.fromEntries(
    services.map((service) => {
      const own = routes.filter((route) => route.service === service);
      const findings = [
        ...routeFindings(service, own, routes, survey),
        ...changeFindings(service, own, routes),
        ...pairFindings(own, routes),
        ...groupFindings(service, own, survey),
        ...observeFirst(service),
      ];
      return [service.name, verdictOf(service, findings)];
    }),
  );
}

/** Every reason why the rules of a service, which has a record, may not go; see `adoption-leave.ts`. */
export function judgeLeaving(service: AdoptingService, services: readonly AdoptingService[], survey: Survey): string[] {
  if (!service.record) return [];
  const routes = services.flatMap((each) => surveyedRoutes(each, survey));
  // On a load balancer that Tidegate made nobody was before, and nobody is left behind.
  const ownName = loadBalancerName(service.environment);
  const own = routes.filter(
    (route) => route.service === service && route.listener.loadBalancerArn.split("/")[2] !== ownName,
  );
  return leaveProblems(service, service.record, own);
}

/** Every reason why live rules of a service that no route has any more may not go; see `adoption-leave.ts`. */
export function judgeShrinking(
  service: AdoptingService,
  services: readonly AdoptingService[],
  survey: Survey,
): string[] {
  if (!service.record) return [];
  const own = services.flatMap((each) => surveyedRoutes(each, survey)).filter((route) => route.service === service);
  const ownName = loadBalancerName(service.environment);
  const listeners = survey.listeners.filter(({ loadBalancerArn }) => loadBalancerArn.split("/")[2] !== ownName);
  return shrinkProblems(service, service.record, own, listeners);
}

/**
 * What is said of a service that adopts something where nothing could be read.
 * @param untold its adopted groups of which the record does not tell either what is behind them
 */
export function unsurveyed(service: AdoptingService, reason: string, untold: readonly string[]): AdoptionVerdict {
  const text = `${service.name}: what it adopts could not be read (${reason})`;
  if (service.isFirst || service.raises) {
    const what = service.isFirst ? "nothing is adopted unseen" : "nothing is raised unseen";
    return { refusals: [`${text}; ${what}. Restore access to ELBv2 and run again`], notices: [] };
  }
  if (service.routes.some(({ match }) => match.ruleArn !== undefined)) {
    return {
      refusals: [
        `${text}, the conditions of its adopted rule neither; without them its own rule cannot be declared. Restore access to ELBv2 and run again`,
      ],
      notices: [],
    };
  }
  if (untold.length > 0) {
    return {
      refusals: [
        `${text}, and its recorded alarms do not tell whether functions are behind ${untold.map(groupName).join(", ")}; alarms are not declared on a guess. ` +
          "Restore access to ELBv2 and run again; tidegate kill lowers meanwhile",
      ],
      notices: [],
    };
  }
  return { refusals: [], notices: [warning("unreadable", `${text}; no raise`)] };
}

function verdictOf({ name, isFirst, raises }: AdoptingService, findings: readonly Finding[]): AdoptionVerdict {
  const refuses = ({ kind, isNew }: Finding) => kind === "problem" && (isFirst || raises || isNew);
  return {
    refusals: findings.filter(refuses).map(({ text }) => text),
    notices: findings.flatMap((finding): Notice[] => {
      if (refuses(finding)) return [];
      if (finding.kind === "note") return [note("note", `${name}: ${finding.text}`)];
      if (finding.kind === "warning") return [warning("note", `${name}: ${finding.text}`)];
      return [warning("note", `${finding.text} (the next raise will be refused)`)];
    }),
  };
}

/** The routes whose listener is there, each with what it matches. */
function surveyedRoutes(service: AdoptingService, survey: Survey): SurveyedRoute[] {
  return service.routes.flatMap((route): SurveyedRoute[] => {
    const listener = survey.listeners.find(({ arn }) => arn === route.listenerArn);
    if (!listener) return [];
    const mains = listener.rules.filter((rule) => isOurs(rule, service) && rule.ours?.role === "main");
    const live = mains.find(({ priority }) => priority === route.priority + 1);
    const adopted = listener.rules.find(({ arn }) => arn === route.match.ruleArn);
    // Where the adopted rule is gone, ours still says what it matched.
    const found =
      route.match.ruleArn === undefined
        ? conditionsOf(route.match)
        : (keptConditions(service, adopted, live) ?? (adopted ?? live)?.conditions);
    const conditions = found ?? [];
    const holds = (rule: SurveyedRule) =>
      sameConditions(rule.conditions, conditions) || conditionsCover(rule.conditions, conditions);
    const heldFrom = Math.min(
      ...mains.flatMap((rule) => (typeof rule.priority === "number" && holds(rule) ? [rule.priority] : [])),
    );
    return [
      {
        ...route,
        service,
        listener,
        conditions,
        ...(adopted ? { adopted } : {}),
        ...(live ? { live } : {}),
        ...(Number.isFinite(heldFrom) ? { heldFrom } : {}),
        isNew: live === undefined || !holds(live),
      },
    ];
  });
}

/**
 * Conditions of adopted rules by ARN, for the rules that stand in front of them; our own live rule's where theirs is gone, and where ours
 * keeps what it has.
 */
export function adoptedConditions(
  services: readonly Pick<AdoptingService, "name" | "environment" | "routes" | "keepsConditions">[],
  survey: Survey,
): Record<string, readonly SurveyedCondition[]> {
  const found: Record<string, readonly SurveyedCondition[]> = {};
  for (const service of services) {
    for (const { listenerArn, match, priority } of service.routes) {
      if (match.ruleArn === undefined) continue;
      const rules = survey.listeners.find(({ arn }) => arn === listenerArn)?.rules ?? [];
      const adopted = rules.find(({ arn }) => arn === match.ruleArn);
      const live = rules.find(
        (ours) => isOurs(ours, service) && ours.ours?.role === "main" && ours.priority === priority + 1,
      );
      const conditions = keptConditions(service, adopted, live) ?? (adopted ?? live)?.conditions;
      if (conditions) found[match.ruleArn] = conditions;
    }
  }
  return found;
}

/** Seeing what it would do costs nothing, and the first days show whether the bounds fit. */
function observeFirst(service: AdoptingService): Finding[] {
  const adopts = service.baseline.targetGroupArn !== undefined || service.routes.some(({ match }) => match.ruleArn);
  if (!service.isFirst || service.mode !== "act" || !adopts) return [];
  const text =
    "this service is live already, and it is adopted in mode act; mode: observe records what would be done and touches no weight. " +
    "Start with it, and change to act once its history shows only what you agree with";
  return [{ kind: "warning", text, isNew: true }];
}
