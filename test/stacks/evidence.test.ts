/** What the gate is told of a soak, where another system than CloudWatch measures it (B9, D2, D3). */
import { describe, expect, it } from "vitest";
import { nothingAdopted } from "../../components/settings.ts";
import type { WatchElsewhere } from "../../hooks/ports.ts";
import { readEvidence } from "../../stacks/decide/evidence.ts";
import { aService, v2, World } from "../helpers/world.ts";

const answering: WatchElsewhere = {
  describe: async () => [],
  reported: async () => ({ requests: 1_000, errors: 0 }),
  windows: async () => [],
  counted: async () => ({}),
};

describe("the share of a soak in which an alarm could have spoken", () => {
  it.each(["alb", "prometheus", "datadog"] as const)(
    "is by the floors of the rules, whichever system watches them: source %s [B9]",
    async (source) => {
      const world = await new World().rolledOutTo(10);
      const record = { ...world.record, source };
      const service = { ...aService({ source }), canary: v2 };
      const watched = async (perMinute: number) => {
        world.cloud.requestsPerMinute.canary = perMinute;
        const ports = { ...world.cloud.ports("up"), elsewhere: { prometheus: answering, datadog: answering } };
        return (await readEvidence("dev", service, record, "opening", nothingAdopted, ports)).watchedFraction;
      };
      // Floors are of 100 requests; windows of five minutes.
      expect([await watched(19), await watched(20)]).toEqual([0, 1]);
    },
  );
});
