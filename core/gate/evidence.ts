/** What the gate is told: everything it judges by, gathered before it is asked. What could not be read is told apart from what was not asked. */
import type { BudgetState } from "../error-budget.ts";
import type { Bound, Indicator } from "../objectives.ts";
import type { Instant } from "../record.ts";

/** Asked for, and not to be had. */
export interface Unreadable {
  readonly unreadable: string;
}

/** One window of a release's soak. */
export interface SoakWindow {
  /** Its start. */
  readonly at: Instant;
  /** Requests counted in it. A window in which nothing was measured is left out of the list; it is not a window of 0. */
  readonly requests: number;
  readonly errors: number;
  /** Percentiles of the window's latencies, where the source has them. Unit: milliseconds. */
  readonly latencyMilliseconds?: Readonly<Partial<Record<"p50" | "p95" | "p99", number>>>;
  /** Samples by value, ascending, where the source keeps them: `[milliseconds, count]`; of a histogram, each bucket's upper bound. */
  readonly latencyCounts?: readonly (readonly [milliseconds: number, count: number])[];
}

/** What canary and baseline were doing side by side; windows of the same start belong together. */
export interface SoakMeasurement {
  /** Length of every window. Unit: seconds. */
  readonly windowSeconds: number;
  /** Start of the soak, and the end of its newest look (`looks.ts`): what came later is the next look's. */
  readonly from: Instant;
  readonly to: Instant;
  /** Which look this is, from 0; every one has its own share of the error that the rollout may make. */
  readonly lookIndex: number;
  readonly canary: readonly SoakWindow[];
  /** What it is compared with. Absent: nobody else has traffic (100 %), and comparisons are left out by name. */
  readonly beside?: { readonly is: "baseline" | "control"; readonly windows: readonly SoakWindow[] };
}

/** How much worse than its baseline a canary may be (C1). */
export interface GateSettings {
  /** p95 above the baseline's. Unit: percent. Range: above 0, to 1,000. @default 10 (C1) */
  readonly latencyAllowancePercent: number;
  /** Error rate above the baseline's. Unit: percent of it. Range: above 0, to 10,000. @default 100 (C1: twice as many) */
  readonly errorAllowancePercent: number;
  /** Error rate whatever the baseline's. Unit: percent. Range: above 0, to 100. @default 1 (C1) */
  readonly errorCeilingPercent: number;
  /** Indicators of criteria that people look at themselves; named in every preview, and not asked of the metrics. @default none */
  readonly byHand?: readonly Indicator[];
}

export const defaultGateSettings: GateSettings = {
  latencyAllowancePercent: 10,
  errorAllowancePercent: 100,
  errorCeilingPercent: 1,
};

/** What one criterion of the wave that is being left came to over its soak. */
export interface CriterionValue {
  /** As the plan says it. */
  readonly text: string;
  readonly indicator: Indicator;
  readonly bound: Bound;
  /** Over the whole soak, and over its newest quarter, so that a late turn does not drown. `undefined`: not measured, or by too few requests. */
  readonly whole: number | undefined;
  readonly newest: number | undefined;
  /** What a bound with a reference is measured against, over the same time. Absent: the bound stands for itself, or it was not measured. */
  readonly reference?: number;
  /** Of a ratio of errors: how many there were. Fewer than the floor say nothing against a release (B9). */
  readonly errors?: { readonly whole: number; readonly newest: number; readonly floor: number };
  /**
   * Three standard errors, as the soak's windows differ among themselves; what is beyond them is no chance. With a reference `whole` is of the
   * difference. Unit: the indicator's. Absent, or not measured: nobody knows how much is chance.
   */
  readonly chance?: { readonly whole?: number; readonly newest?: number };
  /** Why nothing was measured. @default it was, or by too few requests */
  readonly unmeasured?: string;
}

/** A sign-off, as the config has it (C3). */
export interface Approval {
  /** The wave that may open. Unit: percent of the plan. */
  readonly wavePercent: number;
  /** One of the roles that the wave asks for. */
  readonly role: string;
  /** Who signs. */
  readonly by: string;
  /** When. A signature is good for the release and attempt that it names, and for nothing else. */
  readonly at: Instant;
  readonly version: string;
  /** Which bytes, where a version is not enough. @default whatever calls itself that version */
  readonly digest?: string;
  readonly attempt: number;
}

/** A smoke or load check's result (E5), read from its file. */
export type CheckResult =
  | {
      readonly name: string;
      /** What the file says it was run against, and when it ended. */
      readonly version: string;
      readonly endedAt: Instant;
      readonly isPassed: boolean;
      /** What failed: names of thresholds and checks. Empty where it passed. */
      readonly failed: readonly string[];
    }
  | ({ readonly name: string } & Unreadable);

/** A check that a wave waits for. */
export interface AskedCheck {
  readonly name: string;
  /** Older results do not count. Unit: minutes. */
  readonly maximumAgeMinutes: number;
}

/** What the environment below says of a release (A8). */
export interface LadderEvidence {
  /** Its stack. */
  readonly below: string;
  /** Who wants to open its first wave here. */
  readonly release: Pick<FinishedRelease, "digest" | "version">;
  /** How the release did there. `undefined`: it has not finished there. */
  readonly finished?: FinishedRelease;
  /** What the baseline here came to in the newest 15 minutes (C1), by indicator; for wave 1 alone. */
  readonly baseline?: Readonly<Partial<Record<"error-rate" | "latency-p95", number>>> | Unreadable;
}

/** A release that went through a whole rollout. */
export interface FinishedRelease {
  readonly version: string;
  readonly digest: string;
  /** When it became the baseline. */
  readonly at: Instant;
  /** What it came to at 100 %, where it was measured. Units: percent, milliseconds. */
  readonly figures: Readonly<Partial<Record<"error-rate" | "latency-p95", number>>>;
  /** Out of how many requests. @default not known, and then a rate says nothing about how many errors there were */
  readonly requests?: number;
}

/** What was measured of a soak, and what people and other systems said. */
export interface SoakEvidence {
  /** Requests the canary answered since its wave opened. `undefined`: the metrics could not be read. */
  readonly canaryRequests: number | undefined;
  /** Share of the soak's five-minute windows in which an alarm could have spoken at all. Range: 0 to 1. */
  readonly watchedFraction: number | undefined;
  /**
   * Nothing was measured of the canary in the newest minutes, although its soak so far says that there must have been some.
   * `undefined`: the metrics could not be read.
   */
  readonly fellSilent: boolean | undefined;
  /** Names of the canary's alarms in ALARM. `undefined`: the states could not be read. */
  readonly alarmsInAlarm: readonly string[] | undefined;
  /** The service's error budget, or why it could not be read. @default not asked: none is kept, or no share is raised */
  readonly errorBudget?: BudgetState | Unreadable;
  /** Why the figures that the next wave's bounds are measured against could not be read. @default they were, or none are needed */
  readonly figuresUnreadable?: string;
  /** Canary beside baseline over the soak so far. @default not asked: nothing is exposed, or no look has ended */
  readonly soak?: SoakMeasurement | Unreadable;
  /** When what was measured of the soak's first look will have arrived: until then there is nothing to judge by. @default it has, or no look is awaited */
  readonly soakArrivesAt?: Instant;
  /** @default as `defaultGateSettings` */
  readonly settings?: GateSettings;
  /** Criteria of the wave that is being left. @default it has none, or nothing is exposed */
  readonly criteria?: readonly CriterionValue[] | Unreadable;
  /** Roles that the wave about to open asks for, for which release, and every signature that the config has. @default none is asked for */
  readonly approvals?: {
    readonly wavePercent: number;
    readonly version: string;
    readonly attempt: number;
    readonly roles: readonly string[];
    readonly given: readonly Approval[];
  };
  /** Checks that the wave about to open asks for, of which release, and what their files say. @default no check is asked for */
  readonly checks?: {
    readonly version: string;
    readonly asked: readonly AskedCheck[];
    readonly results: readonly CheckResult[];
  };
  /** @default this environment stands on none */
  readonly ladder?: LadderEvidence | Unreadable;
  /** Change freezes in force. @default none */
  readonly freezes?: readonly { readonly name: string; readonly endsAt: string }[] | Unreadable;
}
