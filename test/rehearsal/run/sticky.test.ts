/** Clients that a cookie keeps where they are. */
import { describe, expect, it } from "vitest";
import { makeLocalCloud } from "../../../rehearsal/cloud/local-cloud.ts";
import type { CloudEvent } from "../../../rehearsal/cloud/types.ts";
import { builtInScenarios, type RehearsalOptions, rehearse, rehearseInFull } from "../../../rehearsal/index.ts";
import { rehearsalConfig } from "../../../rehearsal/run/table-config.ts";

const patience = { timeout: 60_000 };
const seeds = [1, 2, 3, 4];
const options = (seed: number): RehearsalOptions => ({
  config: rehearsalConfig,
  stack: "dev",
  scenario: builtInScenarios["sticky-clients"],
  seed,
  aftermath: false,
  compareWithoutHook: false,
});

describe("sticky clients", patience, () => {
  it.each(seeds)(
    "keep the new release under its weight, and lose it within seconds of the rollback (seed %i) [B4, A3]",
    async (seed) => {
      const weights: Extract<CloudEvent, { kind: "weights" }>[] = [];
      const { report } = await rehearseInFull(options(seed), (given) => {
        const cloud = makeLocalCloud(given);
        cloud.onEvent((event) => void (event.kind === "weights" && weights.push(event)));
        return cloud;
      });
      expect(report).toMatchObject({ outcome: "rolled-back", hold: { cause: "breach", targetPercent: 0 } });
      // While both carry traffic, and not with any write that lowers.
      expect(weights.map(({ by, action }) => [by, action.stickinessSeconds])).toEqual([
        ["up", undefined],
        ["up", 3_600],
        ["up", 3_600],
        ["hook", undefined],
      ]);
      const notes = report.timeline.filter(({ kind }) => kind === "note").map(({ message }) => message);
      const share = /the rule gives the new release 25 %, it is served ([\d.]+) %/.exec(notes.join("\n"));
      // Six in ten requests carry a cookie of when it had 5 %, a few of which ran out: 0.4 × 25 + 0.6 × 5.5.
      expect(Number(share?.[1])).toBeGreaterThan(12);
      expect(Number(share?.[1])).toBeLessThan(15);
      const tail = /^at most (\d+) requests reached the new release after .*; stickiness is off with that write/.exec(
        notes.find((note) => note.startsWith("at most ")) ?? "",
      );
      // At most ten seconds until the load balancer follows, and one step of ten seconds that is counted whole.
      expect(Number(tail?.[1])).toBeGreaterThan(0);
      expect(Number(tail?.[1])).toBeLessThan(20 * 50 * 0.15);
      const [last] = weights.slice(-1);
      expect(Date.parse(report.exposureZeroAt ?? "") - (last?.at ?? 0)).toBeLessThanOrEqual(10_000);
    },
  );

  it("are not noticed to fail once the alarms of the fault are taken away [E3]", async () => {
    const report = await rehearse({
      ...options(1),
      withoutAlarms: (name) => /\/(error-rate|availability)\//.test(name),
    });
    expect(report).toMatchObject({ detectedAt: null, exposureZeroAt: null });
  });
});
