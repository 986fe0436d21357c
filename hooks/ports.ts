/**
 * What hook and guard need from the outside, as ports. The AWS adapters are in `hooks/aws/`, the rehearsal has its own, and
 * one contract suite (`test/contract`) runs against both. What a read answers is the reader's own or cannot be changed; every failure is thrown, never
 * turned into an empty answer.
 */
import type { FlagPercents } from "../core/flag-document.ts";
import type { SoakWindow } from "../core/gate/evidence.ts";
import type { LiveFlags } from "../core/observation.ts";
import type { PageMessage, PagePlace } from "../core/page-message.ts";
import type { HistoryEntry, Instant, RolloutRecord, WatchedAlarm } from "../core/record.ts";
import type { ReportedSignal } from "../core/signals.ts";
import type { AlarmValues, Snapshot } from "../core/snapshot.ts";
import type { FlagPlace } from "../core/split.ts";

/** The record changed since it was read. */
export class RevisionConflictError extends Error {
  override readonly name = "RevisionConflictError";
}

/** A record that this version must not touch: a newer schema, or garbage. */
export class RecordUnreadableError extends Error {
  override readonly name = "RecordUnreadableError";
}

/** Records and their history: conditional writes on `revision`. */
export interface RecordStore {
  /**
   * A strongly consistent read. `undefined`: the table is there and has no item, or there is no table yet.
   * @throws RecordUnreadableError on a newer schema version or an item that is no record
   */
  read(service: string): Promise<RolloutRecord | undefined>;
  /**
   * Writes the record if the stored revision still is `expectedRevision` (`undefined`: there must be no item).
   * The record's own `revision` is the new one.
   * @throws RevisionConflictError
   */
  write(record: RolloutRecord, expectedRevision: number | undefined): Promise<void>;
  /** Names of all services with a record, ascending. */
  list(): Promise<string[]>;
  appendHistory(service: string, entries: readonly HistoryEntry[]): Promise<void>;
  /** Oldest first. */
  history(service: string): Promise<HistoryEntry[]>;
  /** When reconcile last finished for the service; an item of its own, so that it bumps no revision. */
  readHeartbeat(service: string): Promise<Instant | undefined>;
  writeHeartbeat(service: string, at: Instant): Promise<void>;
  /** Keeps a snapshot under its id; a second one of the same id replaces the first. */
  writeSnapshot(snapshot: Snapshot): Promise<void>;
  readSnapshot(service: string, id: string): Promise<Snapshot | undefined>;
  /** The environment's drill: when it was last asked for and last came through; `undefined`: never armed. */
  readDrill(): Promise<DrillState | undefined>;
  writeDrill(state: DrillState): Promise<void>;
}

/** The alarm-to-page path, tried out (`tidegate drill`, and every week). */
export interface DrillState {
  /** When the environment began to count; the first drill is due a week after. */
  readonly armedAt: Instant;
  /** The newest drill that was asked for. */
  readonly startedAt?: Instant;
  /** When its alarm came back through EventBridge and its page was sent. */
  readonly arrivedAt?: Instant;
}

/** The weights of one rule's forward action. */
export interface ForwardAction {
  /** Weight by target group ARN, 0 to 999; as declared, groups of weight 0 included if they are there. */
  readonly weights: Readonly<Record<string, number>>;
  /** Group stickiness; absent: off. Unit: seconds. */
  readonly stickinessSeconds?: number;
}

export interface TargetHealth {
  readonly healthyCount: number;
  readonly totalCount: number;
}

/** Listener rules and target health. */
export interface Traffic {
  /** The forward action of each rule that exists; a rule that is gone is absent from the answer. */
  readRules(ruleArns: readonly string[]): Promise<Readonly<Record<string, ForwardAction>>>;
  /** Replaces the whole forward action of one rule. */
  writeRule(ruleArn: string, action: ForwardAction): Promise<void>;
  targetHealth(targetGroupArn: string): Promise<TargetHealth>;
  /**
   * Main rules of the service on a listener, found by the tags `tidegate:environment`, `tidegate:service` and
   * `tidegate:role=main`. Empty: none live. A listener or load balancer that does not exist has none.
   */
  findMainRules(query: {
    readonly listener: ListenerRef;
    readonly environment: string;
    readonly service: string;
  }): Promise<string[]>;
}

/** A listener by ARN, or the one on the load balancer that the program itself makes under a fixed name. */
export type ListenerRef = { readonly arn: string } | { readonly loadBalancerName: string };

export interface AlarmState {
  readonly alarmName: string;
  readonly state: "OK" | "ALARM" | "INSUFFICIENT_DATA";
  readonly updatedAt: Instant;
  readonly actionsEnabled: boolean;
}

/** Alarm states as they are now. */
export interface Alarms {
  /** One entry for each alarm that exists; a missing alarm is absent from the answer. */
  describe(alarmNames: readonly string[]): Promise<AlarmState[]>;
  /**
   * What the alarms' own expressions came to, one entry for each metric alarm that exists; composites are left out.
   * `from` and `to` are aligned down to each alarm's period.
   */
  values(
    alarmNames: readonly string[],
    range: { readonly from: Instant; readonly to: Instant },
  ): Promise<readonly AlarmValues[]>;
  /** Puts an alarm into a state by hand, actions included; CloudWatch takes it back at its next evaluation. Only for drills. */
  setState(alarmName: string, state: "OK" | "ALARM", reason: string): Promise<void>;
}

/** A request count series of one release or of the load balancer. */
export interface RequestQuery {
  readonly id: string;
  readonly namespace: "AWS/ApplicationELB" | "Tidegate";
  readonly metricName:
    | "RequestCount"
    | "Requests"
    | "HTTPCode_Target_5XX_Count"
    | "TargetConnectionErrorCount"
    | "LambdaUserError"
    | "LambdaInternalError"
    | "Errors";
  /** CloudWatch dimensions, exact. */
  readonly dimensions: Readonly<Record<string, string>>;
}

/** One statistic of one metric, whatever it measures. */
export interface StatisticQuery {
  readonly id: string;
  readonly namespace: "AWS/ApplicationELB" | "Tidegate";
  readonly metricName: string;
  /** CloudWatch dimensions, exact. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** As CloudWatch names it: `Sum`, `Average`, `Maximum`, `p95`. */
  readonly statistic: string;
}

/** Metric reads. */
export interface Metrics {
  /**
   * Sums per period, oldest first, one entry a period that has a point; a period without one is left out.
   * `from` and `to` are aligned down to the period.
   */
  requestSums(
    queries: readonly RequestQuery[],
    range: { readonly from: Instant; readonly to: Instant; readonly periodSeconds: number },
  ): Promise<Readonly<Record<string, readonly { readonly at: Instant; readonly sum: number }[]>>>;
  /** The same of any statistic. */
  statistics(
    queries: readonly StatisticQuery[],
    range: { readonly from: Instant; readonly to: Instant; readonly periodSeconds: number },
  ): Promise<Readonly<Record<string, readonly { readonly at: Instant; readonly value: number }[]>>>;
}

/** How far one page got. */
export interface Delivery {
  /** Channels that have it now, those that had it before included. */
  readonly deliveredTo: readonly string[];
  /** Channels that did not take it, and why. A required one is tried until it does; another is given up on after an hour. */
  readonly failed: readonly { readonly channel: string; readonly isRequired: boolean; readonly error: unknown }[];
}

/**
 * The record tables of the same environment in other regions, in the same account. Every call is bounded to about two seconds,
 * tries included: a region that is gone must not keep a lowering here waiting.
 */
export interface Peers {
  /**
   * As `RecordStore.read`; but no table there is a failure, or a mistyped region would look like one that holds nothing.
   * @throws RecordUnreadableError as there
   */
  read(region: string, service: string): Promise<RolloutRecord | undefined>;
  /** As `RecordStore.write` of a record that exists. @throws RevisionConflictError */
  write(region: string, record: RolloutRecord, expectedRevision: number): Promise<void>;
  appendHistory(region: string, service: string, entries: readonly HistoryEntry[]): Promise<void>;
}

/** Where people are told. At least once; the dedup key folds repeats. */
export interface Pager {
  /** Sends to every channel that `deliveredTo` does not name; one that fails does not keep the others from being tried. */
  send(message: PageMessage, deliveredTo: readonly string[]): Promise<Delivery>;
}

/** What the hook says of itself (D7): structured logs, metrics, spans. Never throws. */
export interface Telemetry {
  log(level: "info" | "warn" | "error", message: string, fields?: Readonly<Record<string, unknown>>): void;
  metric(name: HookMetric, value: number, service?: string): void;
  /** Runs a step under its name, so that a trace shows how long it took. */
  span<Result>(name: string, step: () => Promise<Result>): Promise<Result>;
}

/** Metrics of the hook in the namespace `Tidegate/Hook`, with their units. */
export const hookMetrics = {
  ReconcileFinished: "Count",
  ReconcileFailed: "Count",
  ReconcileMilliseconds: "Milliseconds",
  Decisions: "Count",
  ExposurePercent: "Percent",
  CanaryErrorRatePercent: "Percent",
  RollbackMilliseconds: "Milliseconds",
  PagesSent: "Count",
  PagesUndelivered: "Count",
  DrillArrived: "Count",
  WatchmanFindings: "Count",
} as const;
export type HookMetric = keyof typeof hookMetrics;

export interface Clock {
  now(): Instant;
  /** For waiting on healthy hosts in the guard; the hook never sleeps. */
  sleep(milliseconds: number): Promise<void>;
}

/**
 * Rules that another system than CloudWatch watches (Prometheus through Grafana, Datadog), and what releases report there. The hook asks for
 * their state every minute, as it does of CloudWatch; that they also wake it makes it faster, not surer.
 */
export interface WatchElsewhere {
  /** State of each; one that does not exist there is absent. Every failure is thrown. */
  describe(alarms: readonly WatchedAlarm[]): Promise<readonly AlarmState[]>;
  /** Requests and errors that a release reported of itself between two instants; `undefined`: no point at all. */
  reported(query: {
    readonly environment: string;
    readonly service: string;
    /** Absent: all releases of the service together, those that left included. */
    readonly releaseKey?: string;
    readonly from: Instant;
    readonly to: Instant;
    /** How long one answer may take. @default what the hook, which must lower meanwhile, waits at most */
    readonly patienceMilliseconds?: number;
  }): Promise<{ readonly requests: number | undefined; readonly errors: number | undefined }>;
  /**
   * What one release reported, window by window, oldest first; windows without a request are left out.
   * `from` and `to` are multiples of the window.
   */
  windows(query: {
    readonly environment: string;
    readonly service: string;
    readonly releaseKey: string;
    readonly from: Instant;
    readonly to: Instant;
    /** 60 or 300. */
    readonly windowSeconds: number;
    /** @default as of `reported` */
    readonly patienceMilliseconds?: number;
  }): Promise<readonly SoakWindow[]>;
  /** How much counters of one release grew between two instants; `undefined`: no point at all. */
  counted(query: {
    readonly environment: string;
    readonly service: string;
    readonly releaseKey: string;
    readonly signals: readonly ReportedSignal[];
    readonly from: Instant;
    readonly to: Instant;
    /** @default as of `reported` */
    readonly patienceMilliseconds?: number;
  }): Promise<Readonly<Partial<Record<ReportedSignal, number>>>>;
}

/** The document of feature flags that a service's processes read (A6). */
export interface Flags {
  /**
   * What is live. Nothing was ever deployed: no flags.
   * @throws where it cannot be read, or is no flag document of ours: nothing is guessed
   */
  read(place: FlagPlace): Promise<LiveFlags>;
  /**
   * Makes these the live flags, all at once, whatever is being deployed or watched meanwhile. Resolves once everybody has them.
   * @throws FlagNotConfirmedError where that was not seen within the adapter's bound, and whatever a call failed with
   */
  write(place: FlagPlace, percents: FlagPercents): Promise<void>;
}

/** The flag document was sent, and is not seen to be live for everybody. */
export class FlagNotConfirmedError extends Error {
  override readonly name = "FlagNotConfirmedError";
}

/** All ports together, as hook and guard take them. */
export interface Ports {
  readonly records: RecordStore;
  readonly traffic: Traffic;
  readonly alarms: Alarms;
  readonly metrics: Metrics;
  readonly peers: Peers;
  /** By the system that watches; one that the environment does not have is absent, and reading from it fails by name. */
  readonly elsewhere: Readonly<Partial<Record<"prometheus" | "datadog", WatchElsewhere>>>;
  readonly flags: Flags;
  readonly pager: Pager;
  readonly telemetry: Telemetry;
  /** Where pages say that they come from. */
  readonly place: PagePlace;
  readonly clock: Clock;
  /** Fresh unique ids; seeded in the rehearsal. */
  readonly newId: () => string;
}
