/** Rollouts with a flag on the local cloud, through the real program, guard and hook (A6). */
import { describe, expect, it } from "vitest";
import type { ServiceConfig } from "../../../stacks/config.ts";
import { Scene } from "./scene.ts";

const flag = "batch-patches-v1";
/** What takes a release to 0 takes half of it. */
const halving = ({ objectives }: ServiceConfig): ServiceConfig["objectives"] =>
  objectives.map(({ critical, ...objective }) => ({
    ...objective,
    ...(critical ? { critical: { ...critical, response: "halve" as const } } : {}),
  }));

class FlagScene extends Scene {
  constructor(
    split: NonNullable<ServiceConfig["split"]>,
    change: (service: ServiceConfig) => Partial<ServiceConfig> = () => ({}),
  ) {
    super("dev");
    Object.assign(this.service, { split, ...change(this.service) });
  }

  get flagPercent(): number | undefined {
    return this.of("flags").at(-1)?.percents[flag];
  }

  get state() {
    return { weights: this.exposurePercent, flag: this.flagPercent };
  }

  get holds(): string[] {
    const holds = Object.values(this.cloud.record("checkout")?.holds ?? {});
    return holds.map(({ cause, targetPercent }) => `${cause} to ${targetPercent}`);
  }
}

describe("split by a flag", { timeout: 60_000 }, () => {
  it("opens with every request on the canary's processes and the flag at the wave, changes the flag alone from wave to wave, and a fault turns both off [A6, B2]", async () => {
    const scene = new FlagScene({ by: "flag", flag });
    await scene.stage();
    expect(scene.state).toEqual({ weights: 0, flag: 0 });
    await scene.openUpTo(5);
    expect(scene.state).toEqual({ weights: 100, flag: 5 });
    const soak = scene.service.plan.waves[0]?.minimumSoakMinutes ?? 0;
    await scene.wait(soak);
    expect(scene.holds).toEqual([]);
    const writes = scene.of("weights").length;
    const second = await scene.up({ wavePercent: 25, overrideReason: "a test" });
    expect(second.reasons).toEqual([]);
    expect(scene.of("weights")).toHaveLength(writes);
    expect(scene.state).toEqual({ weights: 100, flag: 25 });
    expect(scene.cloud.record("checkout")?.canary?.exposurePercent).toBe(25);
    await scene.wait(5);
    expect(scene.holds).toEqual([]);
    expect((await scene.up({ wavePercent: 25, overrideReason: "a test" })).changes).toEqual([]);

    const counted = scene.cloud.counts("checkout");
    expect(counted[scene.canary]?.requests).toBeGreaterThan(0);
    scene.cloud.inject({ kind: "error-spike", digest: scene.canary, magnitude: 0.2 });
    await scene.wait(10);
    expect(scene.state).toEqual({ weights: 0, flag: 0 });
    expect(scene.holds[0]).toBe("breach to 0");

    // The same config again: pinned, and what it declares is off.
    const pinned = await scene.up({ wavePercent: 25 });
    expect(pinned.reasons).toEqual([]);
    expect(scene.state).toEqual({ weights: 0, flag: 0 });
    await scene.wait(2);
    expect((await scene.up({ wavePercent: 25 })).changes).toEqual([]);
  });

  it("lowers the flag alone where half is asked for, and takes the weights once the flag fails [A6, B2]", async () => {
    const scene = new FlagScene({ by: "flag", flag }, (service) => ({ objectives: halving(service) }));
    await scene.stage();
    await scene.openUpTo(25);
    await scene.wait(3);
    scene.cloud.inject({ kind: "error-spike", digest: scene.canary, magnitude: 0.2 });
    for (let minutes = 0; minutes < 10 && scene.flagPercent === 25; minutes += 1) await scene.wait(1);
    expect(scene.exposurePercent).toBe(100);
    expect(scene.flagPercent).toBe(12);

    const failing = new FlagScene({ by: "flag", flag }, (service) => ({ objectives: halving(service) }));
    await failing.stage();
    await failing.openUpTo(25);
    await failing.wait(3);
    failing.cloud.breakFlags(new Error("AppConfig does not answer"));
    failing.cloud.inject({ kind: "error-spike", digest: failing.canary, magnitude: 0.2 });
    await failing.wait(10);
    expect(failing.exposurePercent).toBe(0);
    expect(failing.holds).toContain("flag-failed to 0");
    expect(failing.of("page").map(({ page }) => page.summary)).toContainEqual(
      expect.stringMatching(
        /^checkout: ROLLED BACK from 12 % to 0 %, flag batch-patches-v1 of 2\.4\.0 could not be brought to 12 %: AppConfig does not answer$/,
      ),
    );
    // Said every minute, until it works again.
    failing.cloud.breakFlags();
    await failing.wait(2);
    expect(failing.state).toEqual({ weights: 0, flag: 0 });
  });

  it("keeps the flag on for everybody after the finish, and turns it off with a return to the previous release [A6, B12]", async () => {
    const scene = new FlagScene({ by: "flag", flag });
    await scene.stage();
    await scene.openUpTo(100);
    const last = scene.service.plan.waves.at(-1)?.minimumSoakMinutes ?? 10;
    await scene.wait(Math.max(10, last));
    const { canary, ...rest } = scene.service;
    if (!canary) throw new Error("no canary");
    const finish = { ...rest, baseline: canary, wavePercent: 0, overrideReason: "a test" };
    const finished = await scene.cloud.up({ ...scene.config, services: [finish] }, "a test");
    expect(finished.reasons).toEqual([]);
    expect(scene.cloud.record("checkout")?.flagsOn).toEqual({ [flag]: canary.digest });
    expect(scene.flagPercent).toBe(100);
    await scene.wait(3);
    scene.cloud.inject({ kind: "error-spike", digest: canary.digest, magnitude: 0.2 });
    await scene.wait(10);
    expect(scene.cloud.record("checkout")?.baseline).toBe(scene.service.baseline.digest);
    expect(scene.flagPercent).toBe(0);
  });
});

describe("split by weights, with a flag", { timeout: 60_000 }, () => {
  it("has the flag on for everybody on the canary while it is exposed at all, and off with the weights [A6]", async () => {
    const scene = new FlagScene({ by: "weights", flag });
    await scene.stage();
    await scene.openUpTo(25);
    expect(scene.state).toEqual({ weights: 25, flag: 100 });
    await scene.wait(3);
    scene.cloud.inject({ kind: "error-spike", digest: scene.canary, magnitude: 0.2 });
    await scene.wait(10);
    expect(scene.state).toEqual({ weights: 0, flag: 0 });
  });

  it("refuses to change the splitter, or the flag, of an exposed canary [A6]", async () => {
    const scene = new FlagScene({ by: "weights", flag });
    await scene.stage();
    await scene.openUpTo(5);
    const changed = await scene.up({ wavePercent: 5, split: { by: "flag", flag } });
    expect(changed).toMatchObject({
      kind: "refused",
      reasons: [
        `checkout.split: changed while a canary has 5 %, got flag with ${flag} after weights with ${flag}; expected the same until it has finished or is at 0`,
      ],
    });
  });
});
