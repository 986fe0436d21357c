/** What one `up` declares of floors where little is known. */
import { describe, expect, it } from "vitest";
import { capacityOf, workloadFacts } from "../../core/capacity.ts";
import type { Intent, LiveTraffic, Reality } from "../../core/declaration.ts";
import { declare } from "../../core/declare.ts";
import { planPresets } from "../../core/plans.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { aWorkload } from "../helpers/scaling-world.ts";
import { v1, v2 } from "../helpers/world.ts";

const now = Date.UTC(2026, 5, 1);
const asked: Intent = {
  environment: "dev",
  service: "checkout",
  mode: "act",
  plan: planPresets.rapid,
  baseline: v1,
  canary: v2,
  wavePercent: 25,
  attempt: 1,
  workload: workloadFacts(aWorkload()),
  retire: false,
};

function unknown(canaryPercent: number, rest: Pick<Extract<Reality, { kind: "unknown" }>, "isLost">) {
  const shares = { [v1.digest]: 100 - canaryPercent, ...(canaryPercent > 0 ? { [v2.digest]: canaryPercent } : {}) };
  const live: LiveTraffic = { shares, unknownTargetGroupArns: [] };
  return declare(asked, { kind: "unknown", reason: "the record says nothing", live, ...rest }, now).refusals;
}

describe("without a record", () => {
  it("changes nothing while it cannot be read: it may ask for more than the config [B12]", () => {
    const refusal =
      "checkout.workload: the record says nothing, so nobody knows how many processes a rollback needs; expected a readable record. Run up again once it can be read";
    expect([unknown(0, {}), unknown(25, {})]).toEqual([[refusal], [refusal]]);
  });

  it("goes on where it is lost and the baseline has everything, and not where a canary has traffic [B12]", () => {
    expect(unknown(0, { isLost: true })).toEqual([]);
    expect(unknown(25, { isLost: true })).toEqual([
      "checkout.workload: the record says nothing, so nobody knows how many processes a rollback needs; expected no canary with traffic, live has 25 %. Take it to 0 (tidegate kill), then run up again",
    ]);
  });

  it("declares a first release with the config's own counts [E6]", () => {
    const declaration = declare(asked, { kind: "first" }, now);
    expect([declaration.step, declaration.capacity, declaration.refusals]).toEqual(["first", undefined, []]);
  });
});

describe("where a flag splits", () => {
  it("asks for a canary at full size from the first wave on: it gets every request [A6, B12]", () => {
    const releases = [v1, v2].map(({ digest, version, image }) => ({ digest, version, image, adopted: false }));
    const record = {
      baseline: v1.digest,
      releases: Object.fromEntries(releases.map((release) => [release.digest, release])),
      canary: { digest: v2.digest, exposurePercent: 0, waveOpenedAt: 0 },
      leaving: {},
      holds: {},
      capacity: {},
    } as unknown as RolloutRecord;
    const declared = {
      step: "opening" as const,
      baseline: v1.digest,
      canary: v2,
      exposurePercent: 5,
      liveSet: [v1, v2],
    };
    const known = { record, live: undefined, hosts: { [v1.digest]: 12 }, now };
    const floors = (by: "weights" | "flag") => capacityOf({ ...asked, split: { by, flag: "batch" } }, declared, known);
    expect([floors("weights"), floors("flag")]).toEqual([
      { [v1.digest]: 12, [v2.digest]: 1 },
      { [v1.digest]: 12, [v2.digest]: 12 },
    ]);
  });
});
