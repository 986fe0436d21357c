/** A valid snapshot, every optional field set; one field overridden at a time. */
import { type Snapshot, snapshotSchemaVersion } from "../../core/snapshot.ts";
import { aFullRecord } from "./a-record.ts";

const at = Date.UTC(2026, 0, 5, 10, 0, 0);

/** The snapshot of hold `hold-1` of service checkout. */
export function aSnapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  const record = aFullRecord();
  const hold = record.holds["hold-1"];
  if (!hold) throw new Error("the full record has no hold-1");
  return {
    schemaVersion: snapshotSchemaVersion,
    id: "hold-1",
    service: "checkout",
    environment: "production",
    takenAt: at,
    hold,
    alarms: [{ alarmName: "tidegate/production/checkout/2-4-0/error-rate", state: "ALARM", updatedAt: at }],
    values: [
      {
        alarmName: "tidegate/production/checkout/2-4-0/error-rate",
        threshold: 2,
        badWhen: "above",
        points: [
          { at: at - 120_000, value: 0.5 },
          { at: at - 60_000, value: 4.2 },
        ],
      },
    ],
    live: { "arn:rule/main": { "arn:group/a": 100, "arn:group/b": 0 } },
    health: { "sha256:aaaa": { healthyCount: 3, totalCount: 4 } },
    record,
    gaps: [],
    ...overrides,
  };
}
