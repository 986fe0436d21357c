/** When the gate looks, and what it may spend on each look (C1). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newestLook } from "../../../core/gate/looks.ts";

const opened = Date.UTC(2026, 0, 5, 10);
const minute = 60_000;

describe("looks at a soak", () => {
  it("begin when the minimum soak is served, and not a millisecond before [C1]", () => {
    expect(newestLook(opened, 10, opened + 10 * minute - 1)).toBeUndefined();
    expect(newestLook(opened, 10, opened + 10 * minute)).toEqual({
      index: 0,
      endsAt: opened + 10 * minute,
      errorShare: 6 / Math.PI ** 2,
    });
  });

  it("come after 1.25, 1.5625 and 1.953125 times the soak, and use a quarter, a ninth and a sixteenth of the first's share [C1]", () => {
    const at = (minutes: number) => newestLook(opened, 1_440, opened + minutes * minute);
    expect(at(1_799)?.index).toBe(0);
    expect(at(1_800)).toEqual({ index: 1, endsAt: opened + 1_800 * minute, errorShare: 6 / Math.PI ** 2 / 4 });
    expect(at(2_250)).toEqual({ index: 2, endsAt: opened + 2_250 * minute, errorShare: 6 / Math.PI ** 2 / 9 });
    expect(at(2_813)?.errorShare).toBe(6 / Math.PI ** 2 / 16);
  });

  it("give the same data to everybody who asks before the next one, and never data from the future [C1]", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_160 }), fc.integer({ min: 0, max: 40_000_000_000 }), (soak, later) => {
        const now = opened + soak * minute + later;
        const look = newestLook(opened, soak, now);
        expect(look).toBeDefined();
        if (!look) return;
        expect(look.endsAt).toBeLessThanOrEqual(now);
        expect(newestLook(opened, soak, look.endsAt)).toEqual(look);
      }),
    );
  });

  it("never use more than the whole, however often somebody looks [C1]", () => {
    const shares = Array.from({ length: 60 }, (_none, index) => newestLook(0, 1, Math.ceil(minute * 1.25 ** index)));
    expect(new Set(shares.map((look) => look?.index)).size).toBe(60);
    const total = shares.reduce((sum, look) => sum + (look?.errorShare ?? 0), 0);
    expect(total).toBeGreaterThan(0.98);
    expect(total).toBeLessThan(1);
  });
});
