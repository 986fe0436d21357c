/**
 * The rollout record: what is real, one item per service, written by guard, hook and commands, never by Pulumi.
 * Only types and small readers live here; each way of changing it is a file of its own in this folder.
 */

import type { BudgetPeriodDays } from "./burn-rate.ts";
import type { Capacity, WorkloadFacts } from "./capacity.ts";
import type { FormerRelease } from "./former-releases.ts";
import type { FinishedRelease } from "./gate/evidence.ts";
import { type Indicator, type MetricSource, type Response, type Severity, severities } from "./objectives.ts";
import { type Plan, waveAt } from "./plans.ts";
import type { Release } from "./releases.ts";
import { sameHold } from "./releases.ts";
import type { Runbook } from "./runbooks.ts";
import type { RecordedSplit } from "./split.ts";
import type { FrozenFigure } from "./watch-rules.ts";

/** Instants are milliseconds since the epoch, UTC. */
export type Instant = number;

export const recordSchemaVersion = 1;

/** A listener rule that Tidegate writes for a service. */
export interface RuleRef {
  readonly arn: string;
  readonly role: "main" | "tester" | "anchor";
}

/** What the hook needs to know of one alarm: which promise it watches and what to do. */
export interface WatchedAlarm {
  readonly alarmName: string;
  readonly digest: string;
  readonly objective: string;
  readonly indicator: Indicator;
  readonly severity: Severity;
  readonly response: Response;
  readonly mode: "act" | "observe";
  readonly disableAnyway: boolean;
  /** After a lowering, this long until only newer points count. */
  readonly settleSeconds: number;
  /** Exposures at which it counts; at others it is as if it were quiet. Unit: percent. @default every one */
  readonly atPercents?: readonly number[];
  /** The system that watches it. @default CloudWatch */
  readonly watchedIn?: "prometheus" | "datadog";
  /** PromQL that has a result exactly while it is bad; of `prometheus` alone. */
  readonly query?: string;
}

/**
 * A second target group of the baseline with a fresh copy of it, at the canary's own weight, so that both are equally new and equally busy.
 * Its traffic is the baseline's everywhere; `control.ts` says what it may have.
 */
export interface ControlGroup {
  readonly targetGroupArn: string;
  /** ARN suffix `targetgroup/<name>/<id>`, the CloudWatch dimension. */
  readonly targetGroupArnSuffix: string;
  /** What it calls itself in metrics: the baseline's release key and `-control`. */
  readonly releaseKey: string;
  /** The baseline's digest: it is the same release, and its traffic is the baseline's. */
  readonly digest: string;
  readonly adopted: boolean;
}

/** The control as the record keeps it. */
export interface RecordedControl extends ControlGroup {
  /** Committed share of all traffic, part of the baseline's; only an opening raises it. Unit: percent, at most `controlPercentAt` of the exposure. */
  readonly sharePercent: number;
  /** When the last weight left it; absent while it has some or never had any. */
  readonly weightsLeftAt?: Instant;
  /** Since when it has been without a healthy host; absent while it has some. */
  readonly lostAt?: Instant;
}

/** A release as the record keeps it: all that is needed to declare it again. */
export interface RecordedRelease extends Release {
  readonly targetGroupArn: string;
  /** ARN suffix `targetgroup/<name>/<id>`, the CloudWatch dimension. */
  readonly targetGroupArnSuffix: string;
  /** True where the group is the user's own, false where the program made it. */
  readonly adopted: boolean;
  /** Finished a rollout, or was the first baseline. */
  readonly knownGood: boolean;
}

export interface CanaryState {
  readonly digest: string;
  readonly attempt: number;
  /** Committed exposure. Unit: percent, 0 to 100. */
  readonly exposurePercent: number;
  /** Start of the soak clock at this exposure. */
  readonly waveOpenedAt: Instant;
  /** Since when it has had traffic without a break; absent at exposure 0. */
  readonly exposedSince?: Instant;
  /** What it had before the latest opening; absent at exposure 0. Unit: percent. */
  readonly openedFromPercent?: number;
  /** What it and its baseline came to when its latest wave opened; bounds are measured against it. @default none */
  readonly figures?: readonly FrozenFigure[];
  /** Exposures whose soak this attempt has served healthy; a breach voids them. */
  readonly servedPercents: readonly number[];
  /** When the last traffic left it; absent while it has some or never had any. */
  readonly weightsLeftAt?: Instant;
}

/** A short right to change live weights, taken by the guard before Pulumi writes the rule. */
export interface Lease {
  readonly id: string;
  readonly kind: "opening" | "lowering" | "finish";
  readonly digest: string;
  readonly attempt: number;
  readonly fromPercent: number;
  readonly toPercent: number;
  /** The stack (and in it nothing finer): the same stack may renew, another waits. */
  readonly takenBy: string;
  readonly expiresAt: Instant;
}

export interface Breach {
  readonly id: string;
  readonly digest: string;
  readonly objective: string;
  readonly severity: Severity;
  readonly response: Response;
  readonly startedAt: Instant;
  readonly exposureAtStartPercent: number;
  /** Computed once from the exposure at the start, re-applied as it stands. */
  readonly targetPercent: number;
  readonly lastStepAt: Instant;
  readonly settleSeconds: number;
  readonly disableAnyway: boolean;
  /** Recorded only: the service or the objective is in observe mode. */
  readonly observed: boolean;
}

export type HoldCause =
  | "breach"
  | "kill"
  | "unexplained-lowering"
  | "flag-failed"
  | "receiver-lost"
  | "blind"
  | "no-other-release"
  | "dependency"
  | "unknown-target-group"
  | "peer";

export interface Hold {
  readonly id: string;
  readonly scope: "digest" | "service";
  readonly digest: string;
  readonly at: Instant;
  readonly cause: HoldCause;
  /** Human words: which objective, which values. */
  readonly detail: string;
  readonly response: Response;
  readonly targetPercent: number;
  /** The attempt that the hold ended or lowered. */
  readonly attempt: number;
  readonly acknowledged?: { readonly by: string; readonly reason: string; readonly at: Instant };
}

export const pageSeverities = [...severities, "info"] as const;
export type PageSeverity = (typeof pageSeverities)[number];

/** A message waiting to be sent: written with the decision, so that a crash cannot lose it. */
export interface Page {
  /** Unique; an at-least-once sender may send it twice. */
  readonly id: string;
  /** One incident per rollout. */
  readonly dedupKey: string;
  /** `info` tells and wakes nobody: it opens no incident. */
  readonly severity: PageSeverity;
  readonly summary: string;
  readonly detail: string;
  readonly at: Instant;
  /** Closes the incident of this dedup key. Absent: opens it, or adds to it. */
  readonly action?: "resolve";
  /** What to do about it. */
  readonly runbook?: Runbook;
  /** The hold that was put with it; its snapshot has the same id. */
  readonly holdId?: string;
  /** Whom to escalate to instead of the service's own people (B10). */
  readonly owner?: string;
  /** Channels that have it already; the others are tried again. */
  readonly deliveredTo?: readonly string[];
}

export interface RolloutRecord {
  readonly schemaVersion: number;
  readonly revision: number;
  /** Bumped by lowerings, holds and acknowledgements alone: a program that sees another number re-commits. */
  readonly realityGeneration: number;
  readonly environment: string;
  readonly service: string;
  readonly mode: "act" | "observe";
  readonly source: MetricSource;
  readonly plan: Plan;
  readonly rules: readonly RuleRef[];
  /**
   * ARNs among `rules` that the last description does not have any more: Pulumi deletes them after the commit, and until they are seen to be
   * gone they serve, and are lowered like the others. Absent: none.
   */
  readonly leavingRules?: readonly string[];
  readonly alarms: readonly WatchedAlarm[];
  /** The load balancer's CloudWatch dimension `app/<name>/<id>`. */
  readonly loadBalancerArnSuffix: string;
  /** Group stickiness while both releases carry traffic and nothing is lowered. Unit: seconds; absent: off. */
  readonly stickinessSeconds?: number;
  /** The flag that goes with the rollout, and which of the two splits. @default weights alone */
  readonly split?: RecordedSplit;
  /** Flags of finished releases, on for everybody, with the release that each came with. @default none */
  readonly flagsOn?: Readonly<Record<string, string>>;
  /** Since when a flag that splits was to be lowered and has not been seen lower. Absent: it is where it should be. */
  readonly flagDueSince?: Instant;
  readonly blindMinutes: number;
  /** Who owns what both releases depend on; told where both fail alike (B10). */
  readonly dependencyOwner?: string;
  /** Services that fail together; at most one of them has a canary with traffic. */
  readonly dependencyGroup?: string;
  /** Regions with an environment of the same name that share this one's holds. */
  readonly peers?: readonly string[];
  /** How the target groups that the program makes look; a change during a rollout is a second experiment. */
  readonly targetGroup?: Readonly<Record<string, string | number>>;
  /** What runs behind the releases' target groups, as the last `up` said it; see `capacity.ts`. Absent: the program declares groups alone. */
  readonly workload?: WorkloadFacts;
  /** Fewest processes by digest that the last `up` declared, or an opening under way does; see `capacity.ts`. Absent: as the config says. */
  readonly capacity?: Capacity;
  /** How long the old release stays attached and armed after a finish. */
  readonly rollbackWindowMinutes: number;
  readonly releases: Readonly<Record<string, RecordedRelease>>;
  readonly baseline: string;
  /** A second target group of the baseline; what it has counts as the baseline's. Absent: none. */
  readonly control?: RecordedControl;
  readonly canary?: CanaryState;
  readonly previous?: { readonly digest: string; readonly until: Instant };
  /** Releases no longer wanted, kept until ALB has surely forgotten their weights. */
  readonly leaving: Readonly<Record<string, Instant>>;
  /** Most each release may have. Unit: percent. Not listed: 0. */
  readonly ceilings: Readonly<Record<string, number>>;
  /** Highest attempt of each release (by hold key); survives the release. */
  readonly attempts: Readonly<Record<string, number>>;
  readonly lastIntent?: { readonly digest: string; readonly attempt: number; readonly wave: number };
  readonly lease?: Lease;
  readonly breaches: Readonly<Record<string, Breach>>;
  readonly holds: Readonly<Record<string, Hold>>;
  readonly paused?: { readonly by: string; readonly reason: string; readonly at: Instant };
  /** Everything measured has been missing since; for the blind clock. */
  readonly blindSince?: Instant;
  readonly outbox: readonly Page[];
  /** Dedup keys of the incidents that people were told of and that are not resolved. */
  readonly openIncidents?: readonly string[];
  /** Holds whose snapshot is still to be taken (B6); written with the hold, so that a crash cannot lose it. */
  readonly snapshotsDue?: readonly string[];
  /**
   * What peer regions have still to be told, as `<region>/<holdId>`, with `/late` once people were told; written with the hold, so that a
   * crash cannot lose it.
   */
  readonly broadcastsDue?: readonly string[];
  /** The stack that declares the service: another one may not. Absent in records of older versions. */
  readonly declaredBy?: string;
  /** The service was retired; its holds and attempts remain. */
  readonly retiredAt?: Instant;
  /** What the service promises its users; budgets and reports use it, nothing is decided on it here. */
  readonly promises?: Promises;
  /** Releases that finished a rollout here, by digest: what the environment above asks for (A8), and which of them may come back at once; see `finished-releases.ts`. @default none */
  readonly finished?: Readonly<Record<string, FinishedRelease>>;
  /** Releases of the last quarter that are no longer declared: what they spent of the error budget was spent. Oldest first. */
  readonly former?: readonly FormerRelease[];
}

/** Objectives that have a target, as reports and budgets need them. */
export interface Promises {
  readonly objectives: readonly {
    readonly name: string;
    readonly indicator: Indicator;
    /** In the indicator's unit. */
    readonly target: number;
    readonly minimumRequests?: number;
    readonly minimumErrors?: number;
  }[];
  /** Over how long the error budget is kept. Unit: days. Absent: none is kept. */
  readonly budgetPeriodDays?: BudgetPeriodDays;
}

/** What the program alone knows of a service, and every commit brings anew. */
export type ServiceFacts = Pick<
  RolloutRecord,
  | "environment"
  | "service"
  | "mode"
  | "source"
  | "plan"
  | "rules"
  | "alarms"
  | "loadBalancerArnSuffix"
  | "stickinessSeconds"
  | "split"
  | "blindMinutes"
  | "dependencyOwner"
  | "dependencyGroup"
  | "peers"
  | "targetGroup"
  | "workload"
  | "capacity"
  | "rollbackWindowMinutes"
  | "promises"
>;

/** An event of the append-only history beside the record. */
export interface HistoryEntry {
  readonly at: Instant;
  readonly kind: string;
  readonly message: string;
  readonly exposurePercent: number;
}

/** Holds that still close the latch for a release: its own, and the service's. */
export function holdsOn(record: RolloutRecord, digest: string): Hold[] {
  return Object.values(record.holds).filter(
    (hold) => !hold.acknowledged && (hold.scope === "service" || sameHold(hold.digest, digest)),
  );
}

/**
 * Whether an alarm counts at one of these exposures: a wave's own does on its wave alone, any other always.
 * @param percents committed, or about to be
 */
export function countsAt(
  { atPercents }: Pick<WatchedAlarm, "atPercents">,
  plan: Plan,
  percents: readonly number[],
): boolean {
  if (!atPercents) return true;
  return percents.some((percent) => {
    const wave = waveAt(plan, percent);
    return wave !== undefined && atPercents.includes(wave.exposurePercent);
  });
}

/** Whether an alarm counts now: at the committed exposure, and at the one that an opening is about to commit. */
export function countsNow(record: RolloutRecord, alarm: WatchedAlarm, now: Instant): boolean {
  const { lease, plan } = record;
  const opens = lease?.kind === "opening" && lease.expiresAt > now && lease.digest === alarm.digest;
  const committed = record.canary?.digest === alarm.digest ? committedPercent(record) : 0;
  return countsAt(alarm, plan, [committed, ...(opens ? [lease.toPercent] : [])]);
}

/** Committed exposure of the canary; 0 without one. */
export function committedPercent(record: RolloutRecord): number {
  return record.canary?.exposurePercent ?? 0;
}

/**
 * Traffic shares by digest as the record has them; they sum to 100.
 * The receiver of whatever the canary does not have is the baseline.
 */
export function committedShares(record: RolloutRecord): Record<string, number> {
  const exposure = committedPercent(record);
  const shares: Record<string, number> = {};
  if (exposure < 100) shares[record.baseline] = 100 - exposure;
  if (record.canary && exposure > 0) shares[record.canary.digest] = exposure;
  return shares;
}

/** One incident per rollout (D4). May be longer than a channel takes; the channel shortens it without making two the same. */
export function dedupKeyOf(record: RolloutRecord): string {
  const release = record.canary?.digest ?? record.baseline;
  const attempt = record.canary?.attempt ?? 0;
  return `tidegate/${record.environment}/${record.service}/${release}/${attempt}`;
}
