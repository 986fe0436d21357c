/** Every belief's procedure, in a world where it holds, in one where it does not, and where nothing can be told. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Finding } from "../../../scripts/probe/belief.ts";
import { beliefs } from "../../../scripts/probe/beliefs/index.ts";
import { unprovenText } from "../../../scripts/probe/unproven.ts";
import { fakeCloud, type Quirks } from "./fake-cloud.ts";

async function look(id: string, quirks: Partial<Quirks>): Promise<Finding> {
  const procedure = beliefs.find((belief) => belief.id === id)?.procedure;
  if (!procedure || !("run" in procedure)) throw new Error(`${id}: no procedure`);
  return procedure.run(fakeCloud(quirks));
}

type Row = readonly [string, Partial<Quirks>, Finding["verdict"], string];

const rows: readonly Row[] = [
  ["alb-write-replaces-whole", {}, "seen", "read back: a 100, stickiness off"],
  ["alb-write-replaces-whole", { mergesWrites: true }, "not seen", "read back: a 100, b 50, stickiness 3600 s"],
  ["alb-last-writer-wins", {}, "seen", "ten rounds, each time one of the two, whole"],
  [
    "alb-last-writer-wins",
    { mixesConcurrentWrites: true },
    "not seen",
    "round 1: read back a 30, b 40, stickiness off",
  ],
  [
    "alb-last-writer-wins",
    { refusesConcurrentWrites: true },
    "not seen",
    "round 1: one was refused, CallRefusedError: Conflict: another write",
  ],
  ["alb-last-writer-wins", { writesBeforeThrottle: 5 }, "could not tell", "throttled in round 3"],
  ["alb-tags-at-once", {}, "seen", "ten rules, all tags each time"],
  ["alb-tags-at-once", { losesTags: true }, "not seen", "rule 1 had no tidegate:service, tidegate:role"],
  ["alb-thirty-writes", {}, "seen", "30 calls in 0.6 s"],
  ["alb-thirty-writes", { writesBeforeThrottle: 12 }, "not seen", "throttled after 12 calls in 0.2 s"],
  ["alb-weights-take-effect", {}, "seen", "last request to the old group 4.0 s after the write; watched for 60 s"],
  [
    "alb-weights-take-effect",
    { propagationMilliseconds: 0 },
    "seen",
    "no request went to the old group after the write; watched for 60 s",
  ],
  [
    "alb-weights-take-effect",
    { propagationMilliseconds: 25_000 },
    "not seen",
    "last request to the old group 24.9 s after the write; watched for 60 s",
  ],
  [
    "alb-weights-take-effect",
    { newRuleMilliseconds: 130_000 },
    "could not tell",
    "a new rule did not answer within two minutes",
  ],
  ["alb-old-weights-gone", {}, "seen", "last request to the old group 4.0 s after the write; watched for 240 s"],
  [
    "alb-old-weights-gone",
    { propagationMilliseconds: 150_000 },
    "not seen",
    "last request to the old group 149.8 s after the write; watched for 240 s",
  ],
  ["alb-removal-evicts-sticky", {}, "seen", "of 50 requests with the cookie: a 50"],
  ["alb-removal-evicts-sticky", { cookieOutlivesGroup: true }, "not seen", "of 50 requests with the cookie: b 50"],
  ["alb-removal-evicts-sticky", { givesCookies: false }, "could not tell", "no group cookie in a hundred answers"],
  ["alb-weight-0-keeps-sticky", {}, "seen", "of 50 requests with the cookie: b 50"],
  ["alb-weight-0-keeps-sticky", { weightZeroEvicts: true }, "not seen", "of 50 requests with the cookie: a 50"],
  ["alb-stickiness-off-releases", {}, "seen", "of 50 requests with the cookie: a 49, b 1"],
  [
    "alb-stickiness-off-releases",
    { cookieOutlivesStickiness: true },
    "not seen",
    "of 50 requests with the cookie: b 50",
  ],
  ["alb-weight-0-kept", {}, "seen", "read back as 0; of 300 requests: a 300"],
  ["alb-weight-0-kept", { servesWeightZero: true }, "not seen", "read back as 0; of 300 requests: a 297, b 3"],
  ["alb-weight-0-kept", { keepsZeroAsOne: true }, "not seen", "read back as 1; of 300 requests: a 300"],
  ["alb-all-weights-0", {}, "seen", "ModifyRule took it; of 20 requests: status 503 20"],
  ["alb-all-weights-0", { allZero: "refused" }, "seen", "ModifyRule refused it: ValidationError: weights"],
  ["alb-all-weights-0", { allZero: "served" }, "not seen", "ModifyRule took it; of 20 requests: a 10, b 10"],
  ["alb-empty-keeps-share", {}, "seen", "of 200 requests: a 100, status 503 100"],
  ["alb-empty-keeps-share", { failsOver: true }, "not seen", "of 200 requests: a 200"],
  ["alb-anchor-keeps-checks", {}, "seen", "on no rule: unused; on the anchor rule: healthy"],
  ["alb-anchor-keeps-checks", { anchorState: "unused" }, "not seen", "on no rule: unused; on the anchor rule: unused"],
  [
    "alb-anchor-keeps-checks",
    { unattachedState: "healthy" },
    "not seen",
    "on no rule: healthy; on the anchor rule: healthy",
  ],
  [
    "alb-anchor-keeps-checks",
    { anchorState: "initial" },
    "could not tell",
    "on no rule: unused; on the anchor rule: initial",
  ],
  ["alb-unhealthy-keeps-share", {}, "seen", "of 200 requests: a 100, sick 100"],
  ["alb-unhealthy-keeps-share", { failsOver: true }, "not seen", "of 200 requests: a 200"],
  ["alb-unhealthy-keeps-share", { sickLooksHealthy: true }, "could not tell", "its target is healthy"],
  ["alb-metric-delay", {}, "seen", "there 100 s after the minute's end, with 116 of 116 requests"],
  [
    "alb-metric-delay",
    { metricDelayMilliseconds: 300_000 },
    "not seen",
    "there 300 s after the minute's end, with 116 of 116 requests",
  ],
  ["alb-metric-delay", { metricDelayMilliseconds: 3_600_000 }, "could not tell", "no point within ten minutes"],
];

describe("beliefs about the load balancer", () => {
  it.each(rows)("%s with %j: %s", async (id, quirks, verdict, measured) => {
    expect(await look(id, quirks)).toEqual({ verdict, measured });
  });

  it("have each been tried where they hold and where they do not", () => {
    const probed = beliefs.filter(({ procedure }) => "run" in procedure).map(({ id }) => id);
    const triedAs = (verdict: string) => new Set(rows.filter((row) => row[2] === verdict).map(([id]) => id));
    expect([...triedAs("seen")].sort()).toEqual([...probed].sort());
    expect([...triedAs("not seen")].sort()).toEqual([...probed].sort());
  });

  it("have ids of their own, whole sentences, a source, and something that depends on them", () => {
    expect(new Set(beliefs.map(({ id }) => id)).size).toBe(beliefs.length);
    for (const belief of beliefs) {
      expect(belief.id).toMatch(/^alb-[a-z0-9-]+$/);
      expect(belief.text).toMatch(/^[A-Z].*[.]$/);
      expect(belief.source).toMatch(/[.]$/);
      expect(belief.dependsOnIt.length).toBeGreaterThan(0);
    }
  });

  it("are what docs/unproven.md says", () => {
    const written = readFileSync(new URL("../../../docs/unproven.md", import.meta.url), "utf8");
    expect(written, "run npm run --silent probe:aws -- --docs > docs/unproven.md").toBe(unprovenText(beliefs));
  });
});
