/** What a decision sees and what comes of it. */
import type { LiveTraffic } from "./declaration.ts";
import type { FlagPercents } from "./flag-document.ts";
import type { HistoryEntry, RolloutRecord } from "./record.ts";
import type { AlarmValues } from "./snapshot.ts";

/** What the flag document says that is live. */
export interface LiveFlags {
  /** Of the version that is live, or about to be. */
  readonly percents: FlagPercents;
  /** While one version takes the place of another: the higher of both, for nobody knows who has which. */
  readonly mostPercents: FlagPercents;
}

/** What the hook saw just now. Absent: it could not be read. */
export interface Observation {
  /** What releases are exposed to: weights and, where there is one, the flag together. */
  readonly live: LiveTraffic | undefined;
  readonly alarms:
    | readonly { readonly alarmName: string; readonly state: "OK" | "ALARM" | "INSUFFICIENT_DATA" }[]
    | undefined;
  /** Alarms whose system did not answer while another one did: they stay as they were. @default none */
  readonly unreadAlarms?: readonly string[];
  /** What the alarms came to lately, read only while one of them speaks; absent: not read, and then nothing is shared (B10). */
  readonly values?: readonly AlarmValues[];
  readonly health: Readonly<Record<string, { readonly healthyCount: number; readonly totalCount: number }>>;
  /** Absent: the service has no flag, or it could not be read. */
  readonly flags?: LiveFlags;
  /** Hosts of the control, read while it may have a share; absent: not read, and then nothing is known against it. */
  readonly controlHealth?: { readonly healthyCount: number; readonly totalCount: number };
  /** Whether the canary's requests were measured where there must have been some (B8). */
  readonly visibility: "seen" | "canary-missing" | "all-missing" | "not-looked";
}

export interface Decision {
  /** The very same object as before when nothing changed. */
  readonly record: RolloutRecord;
  readonly history: readonly HistoryEntry[];
  /** Live traffic has more than the record grants: the main rules must be written from the record. */
  readonly lowersLive: boolean;
}
