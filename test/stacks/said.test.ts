/** An `up` that waits for people and for checks: from the config to the refusal, with the rule written only when all is said (C1, C3, E5). */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Approval } from "../../core/gate/evidence.ts";
import { planPresets } from "../../core/plans.ts";
import type { FreezeConfig, ServiceConfig } from "../../stacks/config.ts";
import { readResult } from "../../stacks/decide/checks.ts";
import { decideEnvironment } from "../../stacks/decide.ts";
import { v1, v2, v3, World } from "../helpers/world.ts";

const plan = {
  ...planPresets.steady,
  waves: planPresets.steady.waves.map((wave) => (wave.exposurePercent === 10 ? { ...wave, approvals: ["sre"] } : wave)),
};
const asked = { canary: v2, wavePercent: 10, plan };

function signed(world: World, change: Partial<Approval> = {}): Approval {
  const at = world.cloud.nowMs;
  return { wavePercent: 10, role: "sre", by: "Ann", at, version: "2.0.0", attempt: 1, ...change };
}

/** Before the first wave nothing is measured yet, so that what is said is all that stands against it. */
async function staged() {
  const world = new World();
  await world.must(world.up({ canary: v2 }));
  await world.reconcile();
  return world;
}

describe("an up whose plan asks for sign-offs", () => {
  it("is refused until somebody of the role has signed, and opens the wave then [C3]", async () => {
    const world = await staged();
    const waiting =
      "checkout.wave: 0 to 10 refused, monitor: wave 10 waits for sre to sign for release 2.0.0, attempt 1; got nobody";
    expect(await world.up(asked)).toEqual({
      kind: "refused",
      reasons: [`${waiting}. Add the signature to the service's approvals`],
    });
    expect(await world.up({ ...asked, overrideReason: "no time for that" })).toMatchObject({ kind: "refused" });
    expect(await world.up({ ...asked, approvals: [signed(world, { version: "1.0.0" })] })).toMatchObject({
      reasons: [expect.stringContaining("Ann for sre (signed for release 1.0.0)")],
    });
    expect(world.live(v2)).toBe(0);
    expect((await world.up({ ...asked, approvals: [signed(world)] })).kind).toBe("applied");
    expect(world.live(v2)).toBe(10);
  });

  it("keeps asking for the roles that the rollout began with [C3]", async () => {
    const later = {
      ...plan,
      waves: planPresets.steady.waves.map((wave) =>
        wave.exposurePercent === 25 ? { ...wave, approvals: ["qa"] } : wave,
      ),
    };
    const world = new World({ ...new World().service, plan: later });
    await world.rolledOutTo(10);
    expect(await world.up({ ...asked, wavePercent: 25, plan: planPresets.steady })).toMatchObject({
      kind: "refused",
      reasons: expect.arrayContaining([expect.stringContaining("wave 25 waits for qa to sign for release 2.0.0")]),
    });
  });
});

describe("an up in a change freeze", () => {
  const decided = async (world: World, freezes: readonly FreezeConfig[], change: Partial<ServiceConfig>) => {
    const config = { ...world.configOf(change), freezes };
    const [declaration] = await decideEnvironment(config, world.cloud.ports("preview"));
    return declaration;
  };
  const weekly = (name: string, from: string, to: string) => ({ name, timeZone: "UTC", from, to });

  it("opens no wave by a calendar that cannot be read [B8, B11]", async () => {
    const broken = [{ ...weekly("all week", "Mon 00:00", "Sun 23:59"), timeZone: "Mars/Olympus" }];
    expect((await decided(await staged(), broken, { canary: v2, wavePercent: 10 }))?.refusals).toEqual([
      'checkout.wave: 0 to 10 refused, cannot tell (nothing measured): the calendar of change freezes cannot be read (freezes[0].timeZone: no such zone, got "Mars/Olympus"; expected an IANA name such as Europe/Berlin. Name one)',
    ]);
  });

  it("opens no wave, and lowers one all the same [C1]", async () => {
    const world = await staged();
    // The world begins on a Monday.
    const all = [weekly("all week", "Mon 00:00", "Sun 23:59")];
    const rising = { canary: v2, wavePercent: 10 };
    expect((await decided(world, all, rising))?.refusals).toEqual([
      expect.stringMatching(
        /^checkout\.wave: 0 to 10 refused, monitor: change freeze all week is in force until \S+ 23:59 UTC; no wave opens before$/,
      ),
    ]);
    expect((await decided(world, all, { ...rising, overrideReason: "an emergency" }))?.refusals).toHaveLength(1);
    const open = await new World().rolledOutTo(10);
    expect(await decided(open, all, { canary: v2, wavePercent: 0 })).toMatchObject({ step: "lowering", refusals: [] });
    expect(await decided(world, [weekly("sunday", "Sun 00:00", "Sun 01:00")], rising)).toMatchObject({
      step: "opening",
    });
  });

  it("replaces no baseline, whatever the reason, and says nothing of one that is replaced [C1]", async () => {
    const world = await staged();
    const all = [weekly("all week", "Mon 00:00", "Sun 23:59")];
    const replacing = { baseline: v3, replaceBaselineReason: "a security fix" };
    const refused = {
      step: "none",
      baseline: v1.digest,
      shares: { [v1.digest]: 100 },
      refusals: [
        "checkout.replaceBaseline: change freeze all week is in force until 2026-01-11 23:59 UTC; no baseline is replaced before",
      ],
    };
    expect(await decided(world, all, replacing)).toMatchObject(refused);
    expect(await decided(world, all, { ...replacing, overrideReason: "an emergency" })).toMatchObject(refused);
    const unreadable = [{ ...weekly("somewhere", "Mon 00:00", "Sun 23:59"), timeZone: "Mars/Olympus" }];
    expect(await decided(world, unreadable, replacing)).toMatchObject({
      step: "none",
      refusals: [
        'checkout.replaceBaseline: freezes[0].timeZone: no such zone, got "Mars/Olympus"; expected an IANA name such as Europe/Berlin. Name one',
      ],
    });
    expect(await decided(world, [weekly("sunday", "Sun 00:00", "Sun 01:00")], replacing)).toMatchObject({
      step: "replace-baseline",
      refusals: [],
    });
    await world.must(world.up(replacing));
    expect(await decided(world, all, replacing)).toMatchObject({ step: "none", baseline: v3.digest, refusals: [] });
  });
});

describe("an up that waits for a check", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-checks-"));
  const check = (file: string) => ({
    name: "smoke",
    file,
    path: join(folder, file),
    wavePercents: [10],
    maximumAgeMinutes: 60,
  });
  const write = (file: string, text: string) => {
    writeFileSync(join(folder, file), text);
    return check(file);
  };

  it("is refused while its file is missing, and goes on with a pass of this release [E5, B8]", async () => {
    const world = await staged();
    const rising = { canary: v2, wavePercent: 10 };
    expect(await world.up({ ...rising, checks: [check("missing.json")] })).toEqual({
      kind: "refused",
      reasons: [
        "checkout.wave: 0 to 10 refused, cannot tell (nothing measured): the result of check smoke cannot be used (missing.json: there is no such file). Run it again",
      ],
    });
    const endedAt = new Date(world.cloud.nowMs).toISOString();
    const failed = write(
      "failed.json",
      JSON.stringify({ tidegate: { release: "2.0.0", endedAt }, passed: false, failed: ["cart"] }),
    );
    expect(await world.up({ ...rising, checks: [failed] })).toMatchObject({
      kind: "refused",
      reasons: [expect.stringContaining("refused, roll-back: check smoke did not pass")],
    });
    const passed = write("passed.json", JSON.stringify({ tidegate: { release: "2.0.0", endedAt }, passed: true }));
    expect((await world.up({ ...rising, checks: [passed] })).kind).toBe("applied");
  });

  it("lifts a check that a reason overrides [C1, E5]", async () => {
    const world = await staged();
    const change = {
      canary: v2,
      wavePercent: 10,
      checks: [check("missing.json")],
      overrideReason: "the runner is down",
    };
    expect(await world.up(change)).toMatchObject({ kind: "applied" });
  });

  it("asks for it before its own wave alone [E5]", async () => {
    const world = await staged();
    const change = { canary: v2, wavePercent: 10, checks: [{ ...check("missing.json"), wavePercents: [25] }] };
    expect((await world.up(change)).kind).toBe("applied");
  });

  it("says what of a file is no result, and reads no file without end [E5]", async () => {
    expect(await readResult(write("garbage.json", "{"))).toEqual({
      name: "smoke",
      unreadable: "garbage.json: no JSON",
    });
    expect(await readResult(write("empty.json", "{}"))).toEqual({
      name: "smoke",
      unreadable:
        "empty.json: tidegate: missing, got nothing; expected { release, endedAt } beside what k6's handleSummary was given",
    });
    expect(await readResult(check("."))).toEqual({ name: "smoke", unreadable: ".: no file" });
    expect(await readResult(write("long.json", " ".repeat(5_000_001)))).toEqual({
      name: "smoke",
      unreadable: "long.json: more than 5000000 bytes; expected a check's summary",
    });
  });
});
