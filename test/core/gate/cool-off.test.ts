/** How long a release waits after its rollback, and from when (B5). */
import { describe, expect, it } from "vitest";
import { coolOffFindings } from "../../../core/gate/cool-off.ts";
import { planPresets } from "../../../core/plans.ts";
import type { Hold, RolloutRecord } from "../../../core/record.ts";
import { aFullRecord } from "../../contract/a-record.ts";

const at = Date.UTC(2026, 0, 5, 10);
const minute = 60_000;
const digest = "sha256:new";
const rollback: Hold = {
  id: "hold-1",
  scope: "digest",
  digest,
  at,
  cause: "breach",
  detail: "error-rate",
  response: "disable",
  targetPercent: 0,
  attempt: 1,
  acknowledged: { by: "an SRE", reason: "mended", at },
};

const recordOf = (change: Partial<RolloutRecord> = {}): RolloutRecord => ({
  ...aFullRecord(),
  plan: { ...planPresets.steady, coolOffMinutes: 60 },
  canary: { digest, attempt: 2, exposurePercent: 0, waveOpenedAt: at, servedPercents: [] },
  releases: {},
  leaving: {},
  holds: { "hold-1": rollback },
  attempts: { [digest]: 1 },
  ...change,
});
const say = (change: Partial<RolloutRecord>, now: number) =>
  coolOffFindings(recordOf(change), digest, now).map(({ verdict, text }) => `${verdict}: ${text}`);

const waits = (left: string, until: string) =>
  `monitor: sha256:new was rolled back, its last traffic left at 2026-01-05T${left}:00.000Z; it cools off for 60 min, until 2026-01-05T${until}:00.000Z. Wait, or say overrideReason`;

describe("a cool-off", () => {
  it("waits its minutes from the rollback, and is over to the millisecond [B5]", () => {
    expect(say({}, at + 60 * minute - 1)).toEqual([waits("10:00", "11:00")]);
    expect(say({}, at + 60 * minute)).toEqual([
      "promote: sha256:new was rolled back, its last traffic left at 2026-01-05T10:00:00.000Z; its cool-off of 60 min is over since 2026-01-05T11:00:00.000Z",
    ]);
  });

  it("counts from when the last traffic left, where that was after the hold [B5]", () => {
    const left = { digest, attempt: 2, exposurePercent: 0, waveOpenedAt: at, servedPercents: [] };
    expect(say({ canary: { ...left, weightsLeftAt: at + 5 * minute } }, at)).toEqual([waits("10:05", "11:05")]);
    expect(say({ leaving: { [digest]: at + 7 * minute } }, at)).toEqual([waits("10:07", "11:07")]);
    const again: Hold = { ...rollback, id: "hold-2", at: at + 9 * minute };
    expect(say({ holds: { "hold-1": rollback, "hold-2": again } }, at)).toEqual([waits("10:09", "11:09")]);
  });

  it("is none for a plan without, another release, a lowering, a freeze, or an attempt that has had traffic [B5]", () => {
    expect(say({ plan: planPresets.steady }, at)).toEqual([]);
    expect(say({ holds: {} }, at)).toEqual([]);
    expect(say({ attempts: { [digest]: 2 } }, at)).toEqual([]);
    for (const change of [
      { digest: "sha256:other" },
      { response: "halve", targetPercent: 10 },
      { response: "freeze" },
    ] as const) {
      expect(say({ holds: { "hold-1": { ...rollback, ...change } } }, at)).toEqual([]);
    }
  });

  it("is not the next version's in an adopted target group [B5]", () => {
    const group = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/blue/1";
    const holds = { "hold-1": { ...rollback, digest: `${group}#1.0.0` } };
    const record = recordOf({ holds, attempts: { [group]: 1 } });
    expect(coolOffFindings(record, `${group}#2.0.0`, at)).toEqual([]);
    expect(coolOffFindings(record, `${group}#1.0.0`, at)).toHaveLength(1);
  });
});
