/** What a rollback looked like at the moment it happened (B6): kept beside the record, under the id of its hold. */
import type { Hold, Instant, RolloutRecord } from "./record.ts";

export const snapshotSchemaVersion = 1;

/** The newest points of one alarm's own expression. */
export interface AlarmValues {
  readonly alarmName: string;
  /** In the objective's unit, as the alarm has it. */
  readonly threshold: number;
  /** `above`: higher than the threshold is bad; `below`: lower is. `atLeast` and `atMost` count the threshold itself as bad. */
  readonly badWhen: "above" | "atLeast" | "below" | "atMost";
  /** Oldest first; a period without a point is left out. */
  readonly points: readonly { readonly at: Instant; readonly value: number }[];
}

export interface Snapshot {
  readonly schemaVersion: number;
  /** The hold's id. */
  readonly id: string;
  readonly service: string;
  readonly environment: string;
  readonly takenAt: Instant;
  readonly hold: Hold;
  /** Alarm states as they were read; absent: they could not be read, and `gaps` says why. */
  readonly alarms?: readonly { readonly alarmName: string; readonly state: string; readonly updatedAt: Instant }[];
  /** Every watched alarm's values of both releases over the quarter of an hour before. */
  readonly values?: readonly AlarmValues[];
  /** Weights by rule ARN. */
  readonly live?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Hosts by digest. */
  readonly health?: Readonly<Record<string, { readonly healthyCount: number; readonly totalCount: number }>>;
  /** The record as it was written with the hold, configuration included. */
  readonly record: RolloutRecord;
  /** What could not be read, and why. */
  readonly gaps: readonly string[];
}
