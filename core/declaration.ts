/**
 * The words between config, record and program: what the config asks for (intent), what the program then declares, and what
 * it tells the hook. Types and what reads them alone; `declare.ts` decides.
 */

import type { Capacity, WorkloadFacts } from "./capacity.ts";
import type { MeasuredFinish } from "./finished-releases.ts";
import type { FlagPercents } from "./flag-document.ts";
import type { FreezeWindow } from "./freeze-calendar.ts";
import type { AskedVerdict } from "./gate/verdict.ts";
import type { Plan } from "./plans.ts";
import type { ControlGroup, Instant, RecordedRelease, RolloutRecord, ServiceFacts, WatchedAlarm } from "./record.ts";
import type { Release } from "./releases.ts";
import type { FlagPlace, Split } from "./split.ts";
import type { FrozenFigure, RuleContext } from "./watch-rules.ts";

/** What the stack config asks for one service. */
export interface Intent {
  readonly environment: string;
  readonly service: string;
  readonly mode: "act" | "observe";
  readonly plan: Plan;
  readonly baseline: Release;
  readonly canary?: Release;
  /** Compares the canary with a fresh copy of the baseline; adopted where it names a group. @default none */
  readonly control?: { readonly targetGroupArn?: string };
  /** What splits the traffic. @default weights, without a flag */
  readonly split?: Split;
  /** Exposure the config asks for. Unit: percent; 0: staged or abandoned. */
  readonly wavePercent: number;
  /** Which try this is; counts from 1 per release. */
  readonly attempt: number;
  /** Replaces a baseline outside a finished rollout. */
  readonly replaceBaselineReason?: string;
  /** In which no baseline is replaced; what a wave waits for, the gate is told. @default no calendar is kept */
  readonly freezes?: readonly FreezeWindow[];
  /** Lets a wave open against the gate's soak, request and budget rules; recorded. */
  readonly overrideReason?: string;
  /** What runs behind releases that are images. @default the program declares target groups alone */
  readonly workload?: WorkloadFacts;
  /** The service is to go: its record becomes a tombstone, after which the config may drop it. */
  readonly retire: boolean;
}

/** What the listener says now, by release. */
export interface LiveTraffic {
  /** Share by digest, percent; only groups with weight. They sum to 100. */
  readonly shares: Readonly<Record<string, number>>;
  /** Target groups with weight that belong to no release we know. */
  readonly unknownTargetGroupArns: readonly string[];
  /** What of the baseline's share the control has. Unit: percent of all. Absent: nothing. */
  readonly controlPercent?: number;
}

/** What is real, as far as it could be read at program time. */
export type Reality =
  | {
      readonly kind: "record";
      readonly record: RolloutRecord;
      readonly live: LiveTraffic | undefined;
      /** Healthy hosts of baseline and canary by digest, where the program declares them; one that cannot be read is absent. @default none */
      readonly hosts?: Readonly<Record<string, number>>;
    }
  /** No item, and none of our rules is live: a first release. */
  | { readonly kind: "first" }
  /** Unreadable, or absent while our rule is live. `live` undefined: that could not be read either. */
  | {
      readonly kind: "unknown";
      readonly reason: string;
      readonly live: LiveTraffic | undefined;
      /** There is none, where others cannot be read. @default there may be one */
      readonly isLost?: true;
    };

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
    | "gate"
    | "override"
    | "note";
  readonly severity: "info" | "warning";
  readonly text: string;
}

/**
 * The control as an `up` declares it: beside a canary, or while it is still leaving. Bounds relative to the baseline are measured against
 * its `releaseKey` (and its group's dimensions) as long as it has a share and hosts: the baseline's own group may have no traffic at all then.
 */
export interface DeclaredControl {
  /** The baseline's digest. */
  readonly digest: string;
  /** The baseline's release key and `-control`. */
  readonly releaseKey: string;
  /** Absent: the program makes the group. */
  readonly targetGroupArn?: string;
  /** Its share of all traffic, part of the baseline's. Unit: percent; 0 while nothing is exposed, at 100, and after it lost its hosts. */
  readonly sharePercent: number;
  /** Since when it has been without a healthy host: nothing is compared with it then. Absent where it has some, or an opening asks for them. */
  readonly lostAt?: Instant;
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
  /** @default none */
  readonly control?: DeclaredControl;
  /** Percent by digest, only those above 0; they sum to 100. */
  readonly shares: Readonly<Record<string, number>>;
  readonly exposurePercent: number;
  /** Absent: weights split, and there is no flag. */
  readonly split?: Split;
  /** Every flag of the service as this `up` declares it. Absent: there is none. */
  readonly flags?: FlagPercents;
  readonly fromPercent: number;
  /**
   * Fewest processes by digest, whatever the config asks for: what the baseline had before a canary took traffic from it, until the rollback
   * window after the finish is over, and of that each other release's share (B12); see `capacity.ts`. @default as the config says
   */
  readonly capacity?: Capacity;
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
  /** What the canary's bounds are measured against: read when a wave opens, the record's until then. @default none */
  readonly figures?: readonly FrozenFigure[];
  /** What the baseline came to at 100 % when it finished: read at the finish, the record's from then on. @default nothing was measured */
  readonly finish?: MeasuredFinish;
  /** Where this `up` opens the first wave above another environment: whether the release finished there (A8). @default not asked */
  readonly ladder?: { readonly below: string; readonly isClimbed: boolean };
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
  /** The gate's word on the opening or finish that was asked for, let through or not. Absent: nothing asked it. */
  readonly verdict?: AskedVerdict;
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
  readonly control?: ControlGroup & { readonly sharePercent: number };
  readonly exposurePercent: number;
  /** See `Declaration.figures`; absent: none. */
  readonly figures?: readonly FrozenFigure[];
  /** See `Declaration.finish`; absent: nothing was measured. */
  readonly finish?: MeasuredFinish;
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
  /** `flag`: no rule, but the deployment of a flag document. */
  readonly role: "main" | "tester" | "flag";
  /** Exactly of the role `flag`: where the document is, and what it says. */
  readonly flag?: { readonly place: FlagPlace; readonly percents: FlagPercents };
  /** ARN of the rule; absent on create. */
  readonly ruleArn?: string;
  /** Weight by target group ARN as declared. */
  readonly weights: Readonly<Record<string, number>>;
  readonly stickinessSeconds?: number;
  /** Every group of the service by digest. */
  readonly targetGroupArns: Readonly<Record<string, string>>;
  /** The baseline's second group. @default none */
  readonly control?: ControlGroup;
  /** Every alarm of the service; those of canary and baseline must exist and be quiet before a share may rise. */
  readonly alarms: readonly WatchedAlarm[];
  /** Every release of the service, so that the record can watch a new one from the first request on. */
  readonly releases: readonly Omit<RecordedRelease, "knownGood">[];
}

/**
 * What watch rules have to know of the canary: its plan, what this `up` declares, and the figures that bounds are measured against.
 * `undefined`: the release is not the canary, and is watched for its own bounds alone.
 */
export function canaryContext(
  { canary, exposurePercent, figures = [] }: Pick<Declaration, "canary" | "exposurePercent" | "figures">,
  plan: Plan,
  digest: string,
): NonNullable<RuleContext["canary"]> | undefined {
  return canary?.digest === digest ? { plan, exposurePercent, figures } : undefined;
}
