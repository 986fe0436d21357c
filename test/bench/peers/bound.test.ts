/** What the page of benchmarks claims, on fewer draws: at the same share of healthy days ended no peer lets fewer bad requests through. */
import { describe, expect, it } from "vitest";
import { curvesOf } from "../../../bench/peers/curve.ts";
import { compare, readingsOf } from "../../../bench/peers/main.ts";
import { peerRules, tidegate } from "../../../bench/peers/rules.ts";

describe("bad requests at the same share of healthy days ended", { timeout: 240_000 }, () => {
  it.each([5, 25])("are not more than the best peer's, a canary of %d requests/s [B3, B9]", (canaryRatePerSecond) => {
    const tools = (["alb", "emf"] as const).flatMap((points) =>
      [tidegate, ...peerRules].map((rule) => ({ rule, points })),
    );
    const curves = curvesOf(tools, {
      canaryRatePerSecond,
      healthyCount: 150,
      incidentCount: 60,
      addedFractions: [0.02, 0.05, 0.2, 0.5],
    });
    for (const points of ["alb", "emf"] as const) {
      const [, ended] = readingsOf(curves, points);
      expect(ended?.words).toBe("no healthy day ended by either");
      if (!ended) continue;
      const { ratios } = compare(curves, points, points, ended);
      expect(ratios).toHaveLength(4);
      expect(Math.max(...ratios)).toBeLessThanOrEqual(points === "alb" ? 1.01 : 0.85);
    }
  });
});
