/**
 * What the components ask about a service, in the product's words. The checked stack config (`stacks/`) fits these as it is; a
 * program of one's own may write them by hand. None of it is an `Input`: it decides which resources exist.
 */
import type { BurnSettings } from "../core/burn-rate.ts";
import type { Approval } from "../core/gate/evidence.ts";
import type { MetricSource, Objective } from "../core/objectives.ts";
import type { Plan } from "../core/plans.ts";
import type { Split } from "../core/split.ts";
import type { SurveyedCondition, SurveyedTargetGroup } from "../core/survey.ts";
import type { Workload } from "../core/workloads.ts";

/** Requests that belong to a service; an empty list means any. At least one of the two has entries, or `ruleArn` is given. */
export interface RouteMatch {
  /** Host header patterns, `*` and `?` allowed. */
  readonly hosts: readonly string[];
  /** Path patterns, `*` and `?` allowed. */
  readonly paths: readonly string[];
  /** A listener rule that is not ours: the requests that it matches, all its conditions included; then hosts and paths are empty. */
  readonly ruleArn?: string;
}

/** One listener rule's worth of a service's requests. */
export interface Route {
  /** @default the environment's listener */
  readonly listenerArn?: string;
  readonly match: RouteMatch;
  /** Priority of the tester rule; the main rule has the next number, the anchor rule the one after. Range: 1 to 49998. */
  readonly priority: number;
}

/** The mark of requests that are to reach the canary whatever its exposure. */
export type Testers =
  | { readonly header: { readonly name: string; readonly value: string } }
  | { readonly cookie: { readonly name: string; readonly value: string } };

/** How the target groups look that the program makes; adopted groups keep their own settings. */
export interface TargetGroupSettings {
  readonly port: number;
  readonly protocol: "HTTP" | "HTTPS";
  readonly targetType: "ip" | "instance";
  readonly healthCheckPath: string;
  /** Unit: seconds. Range: 5 to 300. */
  readonly healthCheckIntervalSeconds: number;
  /** Unit: seconds. Range: 2 to 120, below the interval. */
  readonly healthCheckTimeoutSeconds: number;
  readonly healthyThresholdCount: number;
  readonly unhealthyThresholdCount: number;
  /** Ramp of a new target's share. Unit: seconds. Range: 30 to 900, or 0 for off. */
  readonly slowStartSeconds: number;
  /** How long a target that leaves may finish its requests. Unit: seconds. Range: 0 to 3600. */
  readonly deregistrationDelaySeconds: number;
}

/** One service as its owners describe it. */
export interface ServiceSettings {
  readonly name: string;
  /** `observe`: record and report what would be done, do nothing. */
  readonly mode: "act" | "observe";
  /** Every route of the service, at least one, all on listeners of one load balancer; their weights move together. */
  readonly routes: readonly Route[];
  readonly testers?: Testers;
  readonly plan: Plan;
  readonly objectives: readonly Objective[];
  readonly source: MetricSource;
  /** How the error budget is watched. @default it is not */
  readonly burnRate?: BurnSettings;
  /** A fresh copy of the baseline at the canary's own weight. @default none */
  readonly control?: { readonly targetGroupArn?: string };
  /** Keeps a client on the release it met while both carry traffic. Unit: seconds. Range: 1 to 604800. @default off */
  readonly stickinessSeconds?: number;
  /** How long the guard waits for healthy canary hosts. Unit: seconds. */
  readonly readyTimeoutSeconds: number;
  readonly blindMinutes: number;
  readonly rollbackWindowMinutes: number;
  /** Who is paged when both releases fail alike, because something they share does (B10). @default whoever is on call */
  readonly dependencyOwner?: string;
  /** Services that fail together; at most one of them has a canary with traffic. @default none */
  readonly dependencyGroup?: string;
  /** Signatures for waves whose plan asks for roles (C3). @default none */
  readonly approvals?: readonly Approval[];
  readonly targetGroup: TargetGroupSettings;
  /** What runs behind releases that are images (E6). @default the program declares target groups alone */
  readonly workload?: Workload;
  /** What splits the traffic (A6). @default weights, without a flag */
  readonly split?: Split;
}

/**
 * What was found of what services adopt when the program ran: plain data, because it decides which conditions rules have and which
 * alarms exist. One may serve every service of a program: everything is by ARN.
 */
export interface ServiceSurvey {
  /** Conditions of adopted rules by rule ARN. A rule that is gone, or could not be read, is absent. */
  readonly conditions: Readonly<Record<string, readonly SurveyedCondition[]>>;
  /** Adopted target groups by ARN. A group that is gone, or could not be read, is absent. */
  readonly targetGroups: Readonly<Record<string, Pick<SurveyedTargetGroup, "targetType" | "healthChecksEnabled">>>;
}

/** For programs that adopt neither rules nor target groups. */
export const nothingAdopted: ServiceSurvey = { conditions: {}, targetGroups: {} };
