/** The words of adoption: what the config wants on somebody's load balancer, what is found there, and what is said about it. */
import type { Notice } from "./declaration.ts";
import type { RolloutRecord } from "./record.ts";
import type { Release } from "./releases.ts";
import { matchesNothing } from "./rule-conditions.ts";
import type { SurveyedCondition, SurveyedListener, SurveyedRule } from "./survey.ts";

/** One route of a service, as the config has it. */
export interface AdoptingRoute {
  /** Where its keys stand: `services.checkout`, or `services.checkout.moreRoutes[0]`. */
  readonly place: string;
  /** Whether `listenerArn` stands beside the match; else it is the environment's. */
  readonly namesListener: boolean;
  /** Absent: a listener that the program makes. */
  readonly listenerArn?: string;
  readonly match: { readonly hosts: readonly string[]; readonly paths: readonly string[]; readonly ruleArn?: string };
  /** Of the tester rule; the main rule has the next one, the anchor rule of the first route the one after. */
  readonly priority: number;
}

/** One service of the config, with what is known of it. */
export interface AdoptingService {
  readonly name: string;
  readonly environment: string;
  readonly mode: "act" | "observe";
  readonly routes: readonly AdoptingRoute[];
  /** Who reaches the canary on purpose; the mark takes a condition value of the tester rule, and a cookie two wildcards. */
  readonly testers?: "header" | "cookie";
  readonly baseline: Release;
  readonly canary?: Release;
  /** The baseline's second group, declared beside a canary; adopted where it names one. @default none */
  readonly control?: { readonly targetGroupArn?: string };
  /** Of the groups that the program makes. */
  readonly ownTargetType: "ip" | "instance";
  /** Nothing of it is live yet. */
  readonly isFirst: boolean;
  /** This `up` gives a release more traffic than it has. */
  readonly raises: boolean;
  /** This `up` takes traffic from the canary. @default false */
  readonly lowers?: boolean;
  /** What the canary has by the record, and what this `up` declares. Unit: percent. @default none */
  readonly exposure?: { readonly beforePercent: number; readonly afterPercent: number };
  /**
   * Rules that stand in front of an adopted one keep the conditions that they have: a lowering or a hold is pending, and must not hang on
   * what others did to their rules. @default false: they follow theirs
   */
  readonly keepsConditions?: boolean;
  /** Absent: there is none, it is a tombstone, or it cannot be read. */
  readonly record?: RolloutRecord;
}

/** Something about one service. */
export interface Finding {
  readonly kind: "problem" | "warning" | "note";
  readonly text: string;
  /** The route or group that it is about comes with this very `up`. */
  readonly isNew: boolean;
}

/** What is said of one service. */
export interface AdoptionVerdict {
  readonly refusals: readonly string[];
  readonly notices: readonly Notice[];
}

/** A route on a listener that was surveyed, and what its rules match. */
export interface SurveyedRoute extends AdoptingRoute {
  readonly service: AdoptingService;
  readonly listener: SurveyedListener;
  /** Conditions of the main rule. */
  readonly conditions: readonly SurveyedCondition[];
  /** The rule that it stands in front of; absent: none is adopted, or it is gone. */
  readonly adopted?: SurveyedRule;
  /** Our main rule at this very priority, as it is live; absent: there is none. */
  readonly live?: SurveyedRule;
  /** From this priority on, every request of the route is ours already; absent: some are not. */
  readonly heldFrom?: number;
  /** No main rule of ours at this very priority has all of its requests. */
  readonly isNew: boolean;
}

/** Whether a rule is this very service's. */
export function isOurs({ ours }: SurveyedRule, service: Pick<AdoptingService, "name" | "environment">): boolean {
  return ours?.service === service.name && ours.environment === service.environment;
}

/** Rules of others than these services on a listener, in the order in which they are tried; what matches nothing left out. */
export function othersThan(services: readonly AdoptingService[], { rules }: SurveyedListener): SurveyedRule[] {
  return rules.filter((rule) => !matchesNothing(rule.conditions) && !services.some((service) => isOurs(rule, service)));
}

/** Rules on the route's listener that no service of the config has. */
export function othersOf(route: SurveyedRoute, all: readonly SurveyedRoute[]): SurveyedRule[] {
  return othersThan(
    all.map(({ service }) => service),
    route.listener,
  );
}

/** Whether the route takes requests from a rule behind it that this rule still gets today. */
export function takesFrom({ heldFrom }: SurveyedRoute, { priority }: Pick<SurveyedRule, "priority">): boolean {
  return heldFrom === undefined || (priority !== "default" && priority < heldFrom);
}

/** The priorities that a route takes: its tester's, its main rule's, and for the anchor or a later one the third. */
export function prioritiesOf({ priority }: Pick<SurveyedRoute, "priority">): number[] {
  return [priority, priority + 1, priority + 2];
}

/** A finding that refuses; see `adoption.ts` for when. */
export const problemOf = (text: string, { isNew }: Pick<SurveyedRoute, "isNew">): Finding => ({
  kind: "problem",
  text,
  isNew,
});
