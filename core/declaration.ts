/**
 * The words between config, record and program: what the config asks for (intent), what the program then declares, and what
 * it tells the hook. Types only; `declare.ts` decides.
 */
import type { Plan } from "./plans.ts";
import type { RecordedRelease, RolloutRecord, ServiceFacts, WatchedAlarm } from "./record.ts";
import type { Release } from "./releases.ts";

/** What the stack config asks for one service. */
export interface Intent {
  readonly environment: string;
  readonly service: string;
  readonly mode: "act" | "observe";
  readonly plan: Plan;
  readonly baseline: Release;
  readonly canary?: Release;
  /** Exposure the config asks for. Unit: percent; 0: staged or abandoned. */
  readonly wavePercent: number;
  /** Which try this is; counts from 1 per release. */
  readonly attempt: number;
  /** Replaces a baseline outside a finished rollout. */
  readonly replaceBaselineReason?: string;
  /** Lets a wave open against the gate's soak and request rules; recorded. */
  readonly overrideReason?: string;
  /** The service is to go: its record becomes a tombstone, after which the config may drop it. */
  readonly retire: boolean;
}

/** What the listener says now, by release. */
export interface LiveTraffic {
  /** Share by digest, percent; only groups with weight. They sum to 100. */
  readonly shares: Readonly<Record<string, number>>;
  /** Target groups with weight that belong to no release we know. */
  readonly unknownTargetGroupArns: readonly string[];
}

/** What is real, as far as it could be read at program time. */
export type Reality =
  | { readonly kind: "record"; readonly record: RolloutRecord; readonly live: LiveTraffic | undefined }
  /** No item, and none of our rules is live: a first release. */
  | { readonly kind: "first" }
  /** Unreadable, or absent while our rule is live. `live` undefined: that could not be read either. */
  | { readonly kind: "unknown"; readonly reason: string; readonly live: LiveTraffic | undefined };

/** Something a person reads in preview and up. */
export interface Notice {
  readonly kind:
    | "pinned"
    | "lowering"
    | "staged"
    | "opening"
    | "finish"
    | "unreadable"
    | "hold"
    | "unwatched"
    | "detection"
    | "note";
  readonly severity: "info" | "warning";
  readonly text: string;
}

/** What one `up` does to the traffic of a service. */
export type Step = "first" | "none" | "opening" | "lowering" | "finish" | "replace-baseline";

/** What the program declares for one service; plain data, so the same declaration gives the same resources. */
export interface Declaration {
  readonly service: string;
  readonly step: Step;
  /** Every release to keep attached and at full size: config and record together, baseline first, then canary. */
  readonly liveSet: readonly Release[];
  readonly baseline: string;
  readonly canary?: { readonly digest: string; readonly attempt: number };
  readonly previous?: string;
  /** Percent by digest, only those above 0; they sum to 100. */
  readonly shares: Readonly<Record<string, number>>;
  readonly exposurePercent: number;
  readonly fromPercent: number;
  /** Both releases carry traffic and nothing is being lowered. */
  readonly stickinessAllowed: boolean;
  /** Where the tester rule leads: the canary while it is open, else the baseline. */
  readonly testersReach: string;
  /** The intent to record; absent when the config is pinned. */
  readonly intent?: { readonly digest: string; readonly attempt: number; readonly wave: number };
  readonly realityGeneration: number;
  /** The record's revision that this was decided on; absent without a record. */
  readonly revision?: number;
  readonly retire: boolean;
  readonly overrideReason?: string;
  readonly replaceBaselineReason?: string;
  /** What the record had when this was decided, for policies; absent without a record. */
  readonly recorded?: {
    readonly mode: "act" | "observe";
    readonly plan: Plan;
    readonly targetGroup?: Readonly<Record<string, string | number>>;
    /** What the canary had before its latest opening, this one included. Unit: percent. */
    readonly openedFromPercent: number;
  };
  /** Other services of the dependency group whose canary has traffic, or gets some in this `up`. @default none */
  readonly otherCanaries?: readonly string[];
  readonly notices: readonly Notice[];
  /** Reasons why the `up` must fail before anything changes; empty when it may go on. */
  readonly refusals: readonly string[];
}

/**
 * What `WaveOpening` sends the hook: the service as deployed and the exposure as declared. No clock and no step in it, so
 * that an idle `up` sends nothing.
 */
export interface ServiceDescription extends ServiceFacts {
  readonly kind: "tidegate:opening";
  readonly schemaVersion: number;
  readonly releases: readonly Omit<RecordedRelease, "knownGood">[];
  readonly baseline: string;
  readonly canary?: { readonly digest: string; readonly attempt: number };
  readonly exposurePercent: number;
  readonly intent?: { readonly digest: string; readonly attempt: number; readonly wave: number };
  readonly realityGeneration: number;
  readonly takenBy: string;
  /** Full name of the stack that the service is taken over from. @default none: only the stack that declares it may commit */
  readonly takenOverFrom?: string;
  readonly retire: boolean;
  readonly overrideReason?: string;
  readonly replaceBaselineReason?: string;
}

/** A write that Pulumi is about to make to a rule of a service, as the guard sees it. */
export interface GuardedWrite {
  readonly operation: "create" | "update";
  readonly role: "main" | "tester";
  /** ARN of the rule; absent on create. */
  readonly ruleArn?: string;
  /** Weight by target group ARN as declared. */
  readonly weights: Readonly<Record<string, number>>;
  readonly stickinessSeconds?: number;
  /** Every group of the service by digest. */
  readonly targetGroupArns: Readonly<Record<string, string>>;
  /** Every alarm of the service; those of canary and baseline must exist and be quiet before a share may rise. */
  readonly alarms: readonly WatchedAlarm[];
  /** Every release of the service, so that the record can watch a new one from the first request on. */
  readonly releases: readonly Omit<RecordedRelease, "knownGood">[];
}
