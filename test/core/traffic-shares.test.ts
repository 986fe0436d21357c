import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { controlPercentAt, grantedControlPercent, settledControl } from "../../core/control.ts";
import { sharesOf, weightsFor } from "../../core/traffic-shares.ts";
import { lowerRules } from "../../hooks/lower-rules.ts";
import { MemoryCloud } from "../helpers/memory-ports.ts";
import { mainRule, v1, v2, World } from "../helpers/world.ts";

const groups = { old: "arn:old", new: "arn:new" };
const control = { targetGroupArn: "arn:control", digest: "old" };
const percent = fc.integer({ min: 0, max: 100 });
const sumOf = (weights: Readonly<Record<string, number>>) =>
  Object.values(weights).reduce((sum, weight) => sum + weight, 0);
const shares = (exposure: number): Record<string, number> => ({
  ...(exposure < 100 ? { old: 100 - exposure } : {}),
  ...(exposure > 0 ? { new: exposure } : {}),
});

describe("shares of traffic with a control", () => {
  it("counts the control's traffic as its baseline's, and tells it beside [C1]", () => {
    expect(sharesOf({ "arn:old": 80, "arn:new": 10, "arn:control": 10 }, groups, control)).toEqual({
      shares: { old: 90, new: 10 },
      unknownTargetGroupArns: [],
      controlPercent: 10,
    });
    expect(sharesOf({ "arn:control": 1, "arn:new": 1 }, groups, control)).toEqual({
      shares: { old: 50, new: 50 },
      unknownTargetGroupArns: [],
      controlPercent: 50,
    });
  });

  it("takes the group for a stranger's where no control is known [B2]", () => {
    expect(sharesOf({ "arn:old": 90, "arn:control": 10 }, groups)).toEqual({
      shares: { old: 90 },
      unknownTargetGroupArns: ["arn:control"],
    });
  });

  it("takes a release's own group for the release's, whatever the control says [B2]", () => {
    const claimed = { targetGroupArn: "arn:new", digest: "old" };
    expect(sharesOf({ "arn:old": 90, "arn:new": 10 }, groups, claimed)).toEqual({
      shares: { old: 90, new: 10 },
      unknownTargetGroupArns: [],
    });
  });

  it("gives the control the canary's own share, or the whole rest where that is less [C1]", () => {
    const weightsAt = (exposure: number) =>
      weightsFor(shares(exposure), groups, { ...control, sharePercent: controlPercentAt(exposure) });
    expect([0, 10, 25, 50, 75, 100].map(weightsAt)).toEqual([
      { "arn:old": 100 },
      { "arn:old": 80, "arn:control": 10, "arn:new": 10 },
      { "arn:old": 50, "arn:control": 25, "arn:new": 25 },
      { "arn:control": 50, "arn:new": 50 },
      { "arn:control": 25, "arn:new": 75 },
      { "arn:new": 100 },
    ]);
  });

  it("writes weights that sum to 100, the canary's exactly, the control's never above its due [A3]", () => {
    fc.assert(
      fc.property(percent, percent, (exposure, asked) => {
        const weights = weightsFor(shares(exposure), groups, { ...control, sharePercent: asked });
        expect(sumOf(weights)).toBe(100);
        expect(weights["arn:new"] ?? 0).toBe(exposure);
        expect(weights["arn:control"] ?? 0).toBe(Math.min(asked, exposure, 100 - exposure));
        expect(Object.values(weights)).not.toContain(0);
        const read = sharesOf(weights, groups, control);
        expect(read.shares).toEqual(shares(exposure));
        expect(read.controlPercent ?? 0).toBe(weights["arn:control"] ?? 0);
      }),
    );
  });

  it("never leaves the control above its due, in whatever order exposures fall [B2]", async () => {
    const base = new World();
    await base.must(base.up({ canary: v2, control: {} }));
    const { record } = base;
    const falls = fc.array(percent, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(percent, falls, async (start, steps) => {
        const cloud = new MemoryCloud(0);
        const at = (exposurePercent: number, sharePercent: number) => ({
          ...record,
          control: record.control && { ...record.control, sharePercent },
          canary: { digest: v2.digest, attempt: 1, exposurePercent, waveOpenedAt: 0, servedPercents: [] },
        });
        let has = at(start, controlPercentAt(start));
        let exposure = start;
        await cloud.ports("up").traffic.writeRule(mainRule, { weights: {} });
        await lowerRules(cloud.ports("hook"), has, true, undefined);
        for (const step of steps) {
          exposure = Math.min(exposure, step);
          const before = has.control?.sharePercent ?? 0;
          const lowered = { ...has, canary: { ...has.canary, exposurePercent: exposure } };
          const settled = settledControl(has, lowered, 1_000);
          has = at(exposure, settled?.sharePercent ?? 0);
          const rules = await cloud.ports("hook").traffic.readRules([mainRule]);
          await lowerRules(cloud.ports("hook"), has, true, rules);
          const weights = cloud.rules.get(mainRule)?.weights ?? {};
          const live = sharesOf(weights, { [v1.digest]: own(v1.digest), [v2.digest]: own(v2.digest) }, has.control);
          expect(sumOf(weights)).toBe(100);
          expect(live.shares[v2.digest] ?? 0).toBe(exposure);
          expect(live.controlPercent ?? 0).toBeLessThanOrEqual(Math.min(before, controlPercentAt(exposure)));
          expect(live.controlPercent ?? 0).toBe(grantedControlPercent(has, 1_000));
        }
      }),
      { numRuns: 100 },
    );
    function own(digest: string): string {
      return record.releases[digest]?.targetGroupArn ?? "";
    }
  });
});
