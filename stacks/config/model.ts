/** What a checked stack config is: plain data with every default filled in, which later code trusts without looking again. */
import type { BurnSettings } from "../../core/burn-rate.ts";
import type { Approval, AskedCheck, GateSettings } from "../../core/gate/evidence.ts";
import type { MetricSource, Objective } from "../../core/objectives.ts";
import type { Plan } from "../../core/plans.ts";
import type { Release } from "../../core/releases.ts";
import type { SignIn } from "../../core/sign-in.ts";
import type { Split } from "../../core/split.ts";
import type { Workload } from "../../core/workloads.ts";

/** Where the traffic comes in: a listener of one's own (adopted by ARN), or a load balancer that the program makes. */
export interface NetworkConfig {
  readonly vpcId: string;
  /** At least two where the program makes the load balancer; empty where a listener is adopted and none is named. */
  readonly subnetIds: readonly string[];
  /** The adopted listener; absent: the program makes load balancer and listener. */
  readonly listenerArn?: string;
  /** Further listeners on which services have rules, of stacks of their own too; the hook may lower rules there. @default none */
  readonly moreListenerArns?: readonly string[];
  /** Certificate of the listener the program makes: HTTPS on 443. Absent: HTTP on 80. */
  readonly certificateArn?: string;
  /** Whether the load balancer that the program makes has private addresses only. */
  readonly internal: boolean;
  /** Who may reach the load balancer that the program makes; empty: nobody yet. */
  readonly allowedCidrs: readonly string[];
}

/** PagerDuty: what the program makes there, or a key of a service that exists already. */
export type PagerDutyConfig =
  | {
      readonly kind: "made";
      readonly escalationPolicyId: string;
      /** Service ids of those who own what services depend on. */
      readonly owners: Readonly<Record<string, string>>;
      /** Whether alerts of one rollout become one incident; not on every PagerDuty plan. */
      readonly groupAlerts: boolean;
    }
  | {
      readonly kind: "own-key";
      /** Secret of which the whole string is the routing key. With a KMS key of its own, that key must let the hook's role decrypt. */
      readonly routingKeySecretArn: string;
    };

/** Slack: the hook posts to a webhook, AWS Chatbot shows the alarms, or both. */
export interface SlackConfig {
  /** Secret of which the whole string is the webhook's URL. As for PagerDuty's. */
  readonly webhookSecretArn?: string;
  readonly chatbot?: {
    readonly workspaceId: string;
    readonly criticalChannelId: string;
    readonly warningsChannelId: string;
  };
}

/** Grafana: dashboards once for the environment, rules for each service. The provider's own sign-in is `grafana:url` and `grafana:auth`. */
export interface GrafanaConfig {
  /** Where people and the hook reach it. */
  readonly url: string;
  /** Data source of what services with source `prometheus` report: adopted by uid, or made from a URL. */
  readonly prometheus?: { readonly uid: string } | { readonly url: string };
  /** Data source of CloudWatch: adopted by uid, or made with the sign-in that Grafana itself runs under. */
  readonly cloudWatch: { readonly uid: string } | "make";
  /** Secret whose whole string is a service account token with which the hook asks for the rules' state. Needed with source `prometheus`. */
  readonly tokenSecretArn?: string;
  /** Who is told by Grafana itself; the hook's topic always is. */
  readonly contactPoints: { readonly slack: boolean; readonly pagerDuty: boolean };
}

/** Datadog: monitors and SLOs for each service. The provider's own sign-in is `datadog:apiKey` and `datadog:appKey`. */
export interface DatadogConfig {
  /** `datadoghq.eu`, `us5.datadoghq.com` and so on. */
  readonly site: string;
  /** Secret with JSON `{"apiKey": …, "appKey": …}` with which the hook asks for the monitors' state. Needed with source `datadog`. */
  readonly keysSecretArn?: string;
  /** Handles that monitors name, such as `@slack-alerts-warnings`. */
  readonly notify: { readonly critical: readonly string[]; readonly warning: readonly string[] };
}

/** The SLO report (D6). */
export interface ReportConfig {
  /** Verified SES identity that the e-mail comes from; absent: no e-mail. */
  readonly sender?: string;
  readonly recipients: readonly string[];
  /** Secret whose whole string is a Slack webhook's URL; absent: no Slack. */
  readonly webhookSecretArn?: string;
}

export interface AlertingConfig {
  readonly email: readonly string[];
  /** URL or folder that alarms and pages link to. */
  readonly runbooks: string;
  /** URL of a dashboard that pages link to. */
  readonly dashboard?: string;
  readonly pagerduty?: PagerDutyConfig;
  readonly slack?: SlackConfig;
  readonly grafana?: GrafanaConfig;
  readonly datadog?: DatadogConfig;
  readonly report?: ReportConfig;
}

/** Requests that reach the canary on purpose while it is open (A7). */
export type TestersConfig =
  | { readonly header: { readonly name: string; readonly value: string } }
  | { readonly cookie: { readonly name: string; readonly value: string } };

/** The requests of a service; an empty list means any. At least one of the two has entries. */
export interface MatchConfig {
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
  /** A rule that is not ours, adopted: the requests that it matches; then hosts and paths are empty. */
  readonly ruleArn?: string;
}

/** One listener rule's worth of a service's requests. */
export interface RouteConfig {
  /** Absent: the environment's listener. */
  readonly listenerArn?: string;
  readonly match: MatchConfig;
  /** Of the tester rule; the main rule has the next one, the anchor rule the one after. */
  readonly priority: number;
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

/** The control's target group: adopted by ARN, or one that the program makes. */
export interface ControlConfig {
  /** Absent: the program makes it. */
  readonly targetGroupArn?: string;
}

/** A check whose result a wave waits for (E5). */
export interface CheckConfig extends AskedCheck {
  /** JSON of k6's `handleSummary`, with `tidegate: { release, endedAt }` beside it; as written, relative to the project's folder. */
  readonly file: string;
  /** Where that is on this machine. */
  readonly path: string;
  /** Waves that ask for it. Unit: percent. @default the first */
  readonly wavePercents: readonly number[];
}

/** A calendar window in which nothing rises. */
export interface FreezeConfig {
  readonly name: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Local time, once (`2026-12-18T16:00`) or every week (`Fri 16:00`); frozen from here. */
  readonly from: string;
  /** As `from`; frozen no longer. */
  readonly to: string;
}

export interface ServiceConfig {
  readonly name: string;
  readonly mode: "act" | "observe";
  /** `listenerArn`, `match` and `priority` of the service itself, then those of `moreRoutes`. */
  readonly routes: readonly RouteConfig[];
  readonly testers?: TestersConfig;
  readonly baseline: Release;
  readonly canary?: Release;
  /** Exposure asked for: 0 or one of the plan's. Unit: percent. */
  readonly wavePercent: number;
  readonly attempt: number;
  readonly plan: Plan;
  readonly objectives: readonly Objective[];
  readonly source: MetricSource;
  /** Absent: no error budget is watched. */
  readonly burnRate?: BurnSettings;
  /** A fresh copy of the baseline that the canary is compared with. */
  readonly control?: ControlConfig;
  /** How much worse than its baseline a canary may be. @default `defaultGateSettings` */
  readonly gate?: GateSettings;
  /** Signatures for waves whose plan asks for roles. @default none */
  readonly approvals?: readonly Approval[];
  /** @default none */
  readonly checks?: readonly CheckConfig[];
  readonly stickinessSeconds?: number;
  readonly readyTimeoutSeconds: number;
  readonly blindMinutes: number;
  readonly rollbackWindowMinutes: number;
  /** Who is paged when what both releases depend on fails. */
  readonly dependencyOwner?: string;
  /** Services that fail together; at most one of them has a canary with traffic. */
  readonly dependencyGroup?: string;
  readonly targetGroup: TargetGroupConfig;
  /** What runs behind releases that are images (E6). @default the program declares target groups alone */
  readonly workload?: Workload;
  /** What splits the traffic (A6). @default weights, without a flag */
  readonly split?: Split;
  readonly replaceBaselineReason?: string;
  readonly overrideReason?: string;
  readonly retire: boolean;
}

export interface EnvironmentConfig {
  readonly environment: string;
  readonly region: string;
  /** How the program gets into the account, as `aws:` settings say it; Pulumi's provider and the SDK both follow it. */
  readonly access: SignIn;
  /** `here`, or the stack that has record table, hook, topics and listener, as it is written. */
  readonly foundation: string;
  /** Services that come over from another stack, by name: that stack's full name. @default none */
  readonly takeOver?: Readonly<Record<string, string>>;
  /** Regions with an environment of the same name that share this one's holds. A service stack has its foundation's. */
  readonly peers: readonly string[];
  /** A service stack has its foundation's, the listener as adopted. */
  readonly network: NetworkConfig;
  /** A service stack has the links of its foundation's, and no channels. */
  readonly alerting: AlertingConfig;
  /** The stack of the environment below, from which releases come (A8). @default none: this is the lowest */
  readonly ladderBelow?: string;
  /** @default none */
  readonly freezes?: readonly FreezeConfig[];
  /** Ascending by name. */
  readonly services: readonly ServiceConfig[];
}
