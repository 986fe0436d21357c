/** The texts that a preview carries, read back: each is declared by the real decision, so that a changed wording is found here. */
import { describe, expect, it } from "vitest";
import { type Judgement, judgementOf, readNotices } from "../../../cli/comment/notices.ts";
import type { PreviewMessage } from "../../../cli/preview-json.ts";
import type { Declaration } from "../../../core/declaration.ts";
import type { ServiceConfig } from "../../../stacks/config.ts";
import { decideEnvironment } from "../../../stacks/decide.ts";
import { v2, World } from "../../helpers/world.ts";

/** As `stacks/program.ts` tells a declaration in a preview. */
const told = ({ notices, refusals }: Declaration): PreviewMessage[] => [
  ...notices.map(({ severity, text }) => ({ severity, text })),
  ...refusals.map((text) => ({ severity: "warning" as const, text: `this up would be refused: ${text}` })),
];

async function previewed(world: World, change: Partial<ServiceConfig>) {
  const [declaration] = await decideEnvironment(world.configOf(change), world.cloud.ports("preview"));
  if (!declaration) throw new Error("no declaration");
  const notices = readNotices(told(declaration));
  return { declaration, notices, judgement: judgementOf(notices) };
}

const unmet = ({ findings }: Judgement) => findings.filter(({ word }) => word !== "met");

describe("what a preview says of a service", () => {
  it("is promote where a wave opens, with the bounds and their times [B8, B9]", async () => {
    const world = await new World().rolledOutTo(10);
    await world.wait(24 * 60);
    const { notices, judgement } = await previewed(world, { canary: v2, wavePercent: 25 });
    expect(judgement).toMatchObject({ verdict: "promote", reasons: [] });
    expect(new Set(judgement.findings.map(({ word }) => word))).toEqual(new Set(["met"]));
    expect(notices.raises).toEqual(["checkout: opens wave 25 for 2.0.0 (from 10 %)"]);
    expect(notices.detection?.exposurePercent).toBe(25);
    expect(notices.detection?.bounds[0]).toEqual({
      objective: "error-rate (critical)",
      response: "disable",
      windows: [
        { worstSeconds: 370, fromRatePerSecond: "9.8", atFactor: 2 },
        { worstSeconds: 850, fromRatePerSecond: "2.7" },
      ],
    });
    expect(notices.detection?.bounds.at(-1)?.windows).toEqual([{ worstSeconds: 430, fromRatePerSecond: undefined }]);
  });

  it("is monitor while the soak is served [B8, C1]", async () => {
    const world = await new World().rolledOutTo(10);
    const { judgement } = await previewed(world, { canary: v2, wavePercent: 25 });
    expect(judgement.verdict).toBe("monitor");
    expect(unmet(judgement)).toContainEqual({
      word: "waits",
      rule: "soak",
      text: "soak at 10 % served 30 of 1440 min; served at 2026-01-06T10:00:00.000Z",
    });
  });

  it("is cannot tell where nothing was measured [B8]", async () => {
    const world = await new World().rolledOutTo(10);
    await world.wait(24 * 60);
    world.cloud.requestsPerMinute = {};
    const { judgement } = await previewed(world, { canary: v2, wavePercent: 25 });
    expect(judgement.verdict).toBe("cannot-tell");
    expect(unmet(judgement).map(({ text }) => text)).toContain("no request of the canary was measured in this soak");
  });

  it("is roll back while an alarm of the canary rings [B8]", async () => {
    const world = await new World().rolledOutTo(10);
    await world.wait(24 * 60);
    world.alarm(v2, "error-rate/critical", "ALARM");
    const { judgement } = await previewed(world, { canary: v2, wavePercent: 25 });
    expect(judgement.verdict).toBe("roll-back");
  });

  it("is that the gate was not asked where a wave is skipped [C1]", async () => {
    const world = await new World().rolledOutTo(10);
    const { notices, judgement } = await previewed(world, { canary: v2, wavePercent: 50 });
    expect(judgement).toEqual({
      verdict: "not-asked",
      reasons: ["it was refused before the gate was asked"],
      findings: [],
    });
    expect(notices.refusals).toEqual([
      "checkout.wave: skips a wave, got 50 after 10; expected 25. Open one wave an up",
    ]);
  });

  it("is a closed latch after a rollback, and nothing asked [A4, B4]", async () => {
    const world = await new World().rolledOutTo(10);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    const { notices, judgement } = await previewed(world, { canary: v2, wavePercent: 10 });
    expect(judgement).toEqual({ verdict: "not-asked", reasons: ["nothing is raised"], findings: [] });
    expect(notices.latch).toHaveLength(2);
    expect(notices.latch.join("\n")).toContain("checkout: pinned at 0 %");
    expect(notices.latch.join("\n")).toContain("stands (error-rate (critical)");
  });

  it("is a closed latch where the record cannot be read [B4]", async () => {
    const world = await new World().rolledOutTo(10);
    world.cloud.recordFailure = new Error("throttled");
    const { notices } = await previewed(world, { canary: v2, wavePercent: 25 });
    expect(notices.latch.join("\n")).toMatch(/the record cannot be read \(throttled\); exposure stays at the live/);
  });

  it("is a lowering, and an abandoned canary, as such [B7]", async () => {
    const world = await new World().rolledOutTo(25);
    expect((await previewed(world, { canary: v2, wavePercent: 10 })).notices.lowers).toHaveLength(1);
    expect((await previewed(world, {})).notices.lowers.join()).toContain("ABANDONS 2.0.0 at 25 %");
  });

  it("is a finish, refused while the last wave soaks [A5]", async () => {
    const world = await new World().rolledOutTo(100);
    const early = await previewed(world, { baseline: v2 });
    expect(early.judgement.verdict).toBe("monitor");
    expect(unmet(early.judgement).map(({ text }) => text)).toContainEqual(
      expect.stringContaining("soak at 100 % served 30 of"),
    );
    await world.wait(7 * 24 * 60);
    expect((await previewed(world, { baseline: v2 })).judgement.verdict).toBe("promote");
  });

  it("claims no verdict for an opening that is told without one [B8]", () => {
    const notices = readNotices([{ severity: "info", text: "checkout: opens wave 25 for 2.0.0 (from 10 %)" }]);
    expect(judgementOf(notices)).toEqual({
      verdict: "not-asked",
      reasons: ["this preview does not tell its verdict"],
      findings: [],
    });
  });

  it("keeps a line of another form instead of half a table", () => {
    const text = "checkout: worst case from breach to less traffic at 5 %: soon";
    const notices = readNotices([{ severity: "info", text }]);
    expect(notices.detection).toBeUndefined();
    expect(notices.otherNotes).toEqual([text]);
  });
});
