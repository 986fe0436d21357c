/** What a checked stack config is: plain data with every default filled in, which later code trusts without looking again. */
import type { MetricSource, Objective } from "../../core/objectives.ts";
import type { Plan } from "../../core/plans.ts";
import type { Release } from "../../core/releases.ts";

/** Where the traffic comes in: a listener of one's own (adopted by ARN), or a load balancer that the program makes. */
export interface NetworkConfig {
  readonly vpcId: string;
  /** At least two where the program makes the load balancer; empty where a listener is adopted and none is named. */
  readonly subnetIds: readonly string[];
  /** The adopted listener; absent: the program makes load balancer and listener. */
  readonly listenerArn?: string;
  /** Certificate of the listener the program makes: HTTPS on 443. Absent: HTTP on 80. */
  readonly certificateArn?: string;
  /** Whether the load balancer that the program makes has private addresses only. */
  readonly internal: boolean;
  /** Who may reach the load balancer that the program makes; empty: nobody yet. */
  readonly allowedCidrs: readonly string[];
}

export interface AlertingConfig {
  readonly email: readonly string[];
}

/** Requests that reach the canary on purpose while it is open (A7). */
export type TestersConfig =
  | { readonly header: { readonly name: string; readonly value: string } }
  | { readonly cookie: { readonly name: string; readonly value: string } };

/** The requests of a service; an empty list means any. At least one of the two has entries. */
export interface MatchConfig {
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
}

/** How the target groups that the program makes look; adopted ones keep their own settings. */
export interface TargetGroupConfig {
  readonly port: number;
  readonly protocol: "HTTP" | "HTTPS";
  readonly targetType: "ip" | "instance";
  readonly healthCheckPath: string;
  readonly healthCheckIntervalSeconds: number;
  readonly healthCheckTimeoutSeconds: number;
  readonly healthyThresholdCount: number;
  readonly unhealthyThresholdCount: number;
  /** 0: off. */
  readonly slowStartSeconds: number;
  readonly deregistrationDelaySeconds: number;
}

export interface ServiceConfig {
  readonly name: string;
  readonly mode: "act" | "observe";
  readonly match: MatchConfig;
  /** Of the tester rule; the main rule has the next one, the anchor rule the one after. */
  readonly priority: number;
  readonly testers?: TestersConfig;
  readonly baseline: Release;
  readonly canary?: Release;
  /** Exposure asked for: 0 or one of the plan's. Unit: percent. */
  readonly wavePercent: number;
  readonly attempt: number;
  readonly plan: Plan;
  readonly objectives: readonly Objective[];
  readonly source: MetricSource;
  readonly stickinessSeconds?: number;
  readonly readyTimeoutSeconds: number;
  readonly blindMinutes: number;
  readonly rollbackWindowMinutes: number;
  readonly targetGroup: TargetGroupConfig;
  readonly replaceBaselineReason?: string;
  readonly overrideReason?: string;
  readonly retire: boolean;
}

export interface EnvironmentConfig {
  readonly environment: string;
  readonly region: string;
  readonly network: NetworkConfig;
  readonly alerting: AlertingConfig;
  /** Ascending by name. */
  readonly services: readonly ServiceConfig[];
}
