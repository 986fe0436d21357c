import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseAlarmName } from "../../../core/naming.ts";
import * as commands from "../../../hooks/commands.ts";
import type { Capture } from "../../../rehearsal/engine/capture.ts";
import { hashOfRollback, Scene } from "./scene.ts";

const dev = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/tidegate-dev";

describe("an up on the local cloud", () => {
  it("makes the stack whole from nothing: the baseline has everything, and a record [E3]", async () => {
    const scene = new Scene("dev");
    const result = await scene.up({ wavePercent: 0 });
    expect(result.kind).toBe("applied");
    expect(new Set(result.changes.map((change) => change.op))).toEqual(new Set(["create"]));
    expect(result.changes).toHaveLength(76);
    expect(scene.cloud.shares("checkout")).toEqual({ [scene.service.baseline.digest]: 100 });
    expect(scene.cloud.record("checkout")).toMatchObject({ baseline: scene.service.baseline.digest, revision: 1 });
  });

  it("plans exactly the main rule and the opening for a wave change [A3]", async () => {
    const scene = new Scene("dev");
    await scene.stage();
    const result = await scene.up({ wavePercent: 5 });
    expect(result).toMatchObject({ kind: "applied", reasons: [] });
    expect(result.changes).toEqual([
      { op: "update", type: "aws:lb/listenerRule:ListenerRule", name: "checkout-main" },
      { op: "update", type: "aws:lambda/invocation:Invocation", name: "checkout-opening" },
    ]);
    expect(scene.exposurePercent).toBe(5);
  });

  it("plans nothing when nothing changed, for the made and for the adopted stack [A3]", async () => {
    for (const stack of ["dev", "prod"] as const) {
      const scene = new Scene(stack);
      await scene.stage();
      expect(await scene.up({ wavePercent: 0 })).toMatchObject({ kind: "applied", changes: [] });
    }
  });

  it("refuses a skipped wave before anything changes [A4]", async () => {
    const scene = new Scene("dev");
    await scene.stage();
    const before = scene.events.length;
    const result = await scene.up({ wavePercent: 25 });
    expect(result).toMatchObject({ kind: "refused", changes: [] });
    expect(result.reasons).toHaveLength(1);
    expect(scene.events.slice(before).map((event) => event.kind)).toEqual(["up"]);
    expect(scene.exposurePercent).toBe(0);
  });

  it("waits for hosts, and a guard that refuses leaves the rule alone and deletes nothing [C1]", async () => {
    const scene = new Scene("dev");
    await scene.stage();
    scene.cloud.breakHosts(scene.canary, 4);
    const startedAt = scene.cloud.now();
    const [dropped] = scene.service.objectives;
    const result = await scene.up({ wavePercent: 5, objectives: scene.service.objectives.slice(1) });
    expect(result.kind).toBe("failed");
    expect(result.reasons.join("\n")).toBe(
      [
        'before hook "hold check for checkout" failed: checkout: the rule was not written (other resources of this up may have changed):',
        "  the canary has 0 healthy hosts of 4; expected at least 1 for 5 %",
      ].join("\n"),
    );
    expect(result.changes.map((change) => change.op)).not.toContain("delete");
    expect(result.changes.map((change) => change.name)).not.toContain("checkout-main");
    expect((scene.cloud.now() - startedAt) / 1_000).toBe(scene.service.readyTimeoutSeconds);
    expect(scene.exposurePercent).toBe(0);
    const names = scene.cloud.record("checkout")?.alarms.map((alarm) => alarm.alarmName) ?? [];
    expect(names.some((name) => name.includes(`/${dropped?.name}/`))).toBe(true);
    expect(await scene.cloud.ports.alarms.describe(names)).toHaveLength(names.length);
  });

  it("goes on where a failed up stopped [A3]", async () => {
    const scene = new Scene("dev");
    await scene.stage();
    scene.cloud.breakHosts(scene.canary, 4);
    expect((await scene.up({ wavePercent: 5 })).kind).toBe("failed");
    scene.cloud.breakHosts(scene.canary, 0);
    const result = await scene.up({ wavePercent: 5 });
    expect(result.changes.map((change) => change.name)).toEqual(["checkout-main", "checkout-opening"]);
  });

  it("lets users' requests follow the weights some seconds later, and only where the rules lead [E3]", async () => {
    const scene = new Scene("dev");
    await scene.stage();
    expect(scene.cloud.counts("checkout")[scene.canary]).toBeUndefined();
    await scene.up({ wavePercent: 5 });
    await scene.wait(10);
    const counts = scene.cloud.counts("checkout");
    const canary = counts[scene.canary]?.requests ?? 0;
    const total = canary + (counts[scene.service.baseline.digest]?.requests ?? 0);
    // 10 of 16 minutes at 5 %, at the same rate within a percent.
    expect(canary / total).toBeGreaterThan(0.029);
    expect(canary / total).toBeLessThan(0.034);
  });

  it("serves two services apart: a wave of one touches nothing of the other [A3]", async () => {
    const scene = new Scene("dev");
    const { canary: _none, testers: _noTesters, ...other } = scene.service;
    const search = {
      ...other,
      name: "search",
      routes: [{ match: { hosts: [], paths: ["/search/*"] }, priority: 110 }],
      baseline: { ...other.baseline, digest: "sha256:5ea4c4", version: "1.0.0" },
      wavePercent: 0,
    };
    const both = (wavePercent: number) =>
      scene.cloud.up({ ...scene.config, services: [{ ...scene.service, wavePercent }, search] }, "a test");
    expect((await both(0)).kind).toBe("applied");
    await scene.wait(4);
    const opened = await both(5);
    expect(opened.changes.map((change) => change.name)).toEqual(["checkout-main", "checkout-opening"]);
    await scene.wait(5);
    expect(scene.cloud.shares("search")).toEqual({ "sha256:5ea4c4": 100 });
    expect(scene.cloud.counts("search")["sha256:5ea4c4"]?.requests).toBeGreaterThan(10_000);
    expect(scene.exposurePercent).toBe(5);
  });

  it("pins what a hook lowered, and undoes nothing of it [A4]", async () => {
    const scene = new Scene("dev");
    await scene.stage();
    await scene.openUpTo(25);
    await commands.kill(scene.cloud.ports, "checkout", { by: "an operator", reason: "looks wrong" });
    expect(scene.exposurePercent).toBe(0);
    const result = await scene.up({ wavePercent: 25 });
    expect(result.kind).toBe("applied");
    expect(result.notices.map((notice) => notice.kind)).toContain("pinned");
    expect(result.changes.map((change) => change.type)).not.toContain("aws:lb/listenerRule:ListenerRule");
    expect(scene.exposurePercent).toBe(0);
  });
});

describe("a finished release on the local cloud", () => {
  it("leaves the old one attached for its window, and then deletes it last, rules before groups [A3]", {
    timeout: 90_000,
  }, async () => {
    const scene = new Scene("dev");
    await scene.stage();
    await scene.openUpTo(100);
    // What was measured of a soak arrives a little after its end, and the finish asks for it.
    await scene.wait(33);
    const { canary, ...rest } = scene.service;
    if (!canary) throw new Error("the stack has no canary");
    const finished = { ...scene.config, services: [{ ...rest, baseline: canary, wavePercent: 0 }] };
    const finish = await scene.cloud.up(finished, "a test");
    expect(finish).toMatchObject({ kind: "applied", reasons: [] });
    expect(finish.changes.filter((change) => change.op === "delete")).toEqual([]);
    await scene.wait(scene.service.rollbackWindowMinutes - 5);
    expect((await scene.cloud.up(finished, "a test")).changes).toEqual([]);
    await scene.wait(10);
    const gone = await scene.cloud.up(finished, "a test");
    expect(gone).toMatchObject({ kind: "applied", reasons: [] });
    const firstDeletion = gone.changes.findIndex((change) => change.op === "delete");
    expect(gone.changes.slice(firstDeletion).every((change) => change.op === "delete")).toBe(true);
    const deleted = gone.changes.slice(firstDeletion).map((change) => change.type);
    expect(new Set(deleted)).toEqual(
      new Set(["aws:cloudwatch/metricAlarm:MetricAlarm", "aws:lb/targetGroup:TargetGroup"]),
    );
    // AWS deletes no alarm that a composite names: the composite that names releases' alarms is rid of these before.
    const rewritten = gone.changes.flatMap((change, index) =>
      change.type === "aws:cloudwatch/compositeAlarm:CompositeAlarm" ? [{ index, op: change.op }] : [],
    );
    expect(rewritten.map(({ op }) => op)).toEqual(["update"]);
    for (const { index } of rewritten) expect(index).toBeLessThan(firstDeletion);
    expect(await scene.cloud.up(finished, "a test")).toMatchObject({ kind: "applied", changes: [] });
  });
});

describe("a breach on the local cloud", () => {
  async function spiked(scene: Scene): Promise<number> {
    await scene.stage();
    await scene.openUpTo(25);
    await scene.wait(3);
    scene.cloud.inject({ kind: "error-spike", digest: scene.canary, magnitude: 0.1 });
    const at = scene.cloud.now();
    await scene.wait(15);
    return at;
  }

  it("is seen and rolled back by the hook, in seconds after the alarm [D1]", async () => {
    const scene = new Scene("dev");
    const faultAt = await spiked(scene);
    const alarmAt = scene
      .of("alarm")
      .find(
        ({ at, state, alarmName }) => at > faultAt && state === "ALARM" && alarmName.includes("/error-rate/critical/"),
      )?.at;
    expect(alarmAt).toBeDefined();
    expect(scene.zeroAt).toBe((alarmAt ?? 0) + 1_000);
    expect(((scene.zeroAt ?? 0) - faultAt) / 1_000).toBeLessThan(90);
    expect(scene.of("first-bad-request")).toHaveLength(1);
    expect(scene.of("page").map(({ page }) => page.severity)).toContain("critical");
    expect(scene.of("hook-error")).toEqual([]);
  });

  it("stops being seen once the alarms on it are taken away [E3]", async () => {
    const isOnErrors = (name: string) => /^(?:error-rate|availability)\//.test(parseAlarmName(name)?.alarmKey ?? "");
    const scene = new Scene("dev", { withoutAlarms: isOnErrors });
    await spiked(scene);
    expect(scene.zeroAt).toBeUndefined();
    expect(scene.exposurePercent).toBe(25);
  });

  it.each([
    ["the event target", (type: string, name: string) => type.endsWith(":EventTarget") && name === "dev-alarms-target"],
    [
      "the permission to invoke",
      (type: string, name: string) => type.endsWith(":Permission") && name === "dev-alarms-permission",
    ],
    ["the event rule with all that hangs on it", (_type: string, name: string) => name.startsWith("dev-alarms")],
  ])("is found by the next reconcile without %s [D1]", async (_what, isGone) => {
    const alterCapture = (capture: Capture): Capture => ({
      ...capture,
      resources: capture.resources.filter(({ type, name }) => !isGone(type, name)),
    });
    // With this seed the schedule speaks at second 46; alarms change at whole tens, and their events come a second later.
    const scene = new Scene("dev", { seed: 3 }, { alterCapture });
    const faultAt = await spiked(scene);
    const zeroAt = scene.zeroAt ?? 0;
    expect((zeroAt / 1_000) % 60).toBe(46);
    expect((zeroAt - faultAt) / 1_000).toBeLessThan(150);
  });

  it("finds no hook without the schedule: nothing opens at all [C1]", async () => {
    const alterCapture = (capture: Capture): Capture => ({
      ...capture,
      resources: capture.resources.filter(({ name }) => !name.startsWith("dev-clock")),
    });
    const scene = new Scene("dev", {}, { alterCapture });
    await scene.stage();
    // New alarms wake the hook once, when they say OK for the first time; after that nobody does.
    await scene.wait(10);
    const result = await scene.up({ wavePercent: 5 });
    expect(result.kind).toBe("failed");
    expect(result.reasons.join()).toMatch(/the hook last reconciled \d+ s ago; expected at most 180 s/);
  });

  it("goes unanswered with the hook off, while openings still work [E3]", async () => {
    const scene = new Scene("dev", { hook: "off" });
    await spiked(scene);
    expect(scene.exposurePercent).toBe(25);
    expect(scene.of("page")).toEqual([]);
    expect(scene.of("alarm").some(({ state }) => state === "ALARM")).toBe(true);
  });

  it("is told to people by the composites' topics, and to nobody once a topic is gone [D1]", async () => {
    const scene = new Scene("dev");
    await spiked(scene);
    // The hook's own alarms ring once at the first up, before it has been heard of.
    const told = scene
      .of("notification")
      .filter(({ state, alarmName }) => state === "ALARM" && alarmName.startsWith("tidegate-slo/"));
    expect(told.length).toBeGreaterThan(0);
    for (const { alarmName, recipients } of told) {
      expect(alarmName).toMatch(/^tidegate-slo\/dev\/checkout\/(?:critical|warning)$/);
      expect(recipients).toEqual(["checkout-team@example.com"]);
    }
  });

  it("shows on the edge alone while a release has no host [B12]", async () => {
    const scene = new Scene("dev");
    await scene.stage();
    await scene.openUpTo(25);
    await scene.wait(3);
    scene.cloud.breakHosts(scene.canary, 4);
    const before = scene.cloud.counts("checkout")[scene.canary];
    await scene.wait(2);
    const after = scene.cloud.counts("checkout")[scene.canary];
    const requests = (after?.requests ?? 0) - (before?.requests ?? 0);
    expect(requests).toBeGreaterThan(0);
    expect((after?.badRequests ?? 0) - (before?.badRequests ?? 0)).toBeGreaterThan(requests * 0.9);
    await scene.wait(6);
    const names = scene.of("alarm").flatMap(({ state, alarmName }) => (state === "ALARM" ? [alarmName] : []));
    expect(names.some((name) => name.includes("/healthy-hosts/"))).toBe(true);
    expect(names).toContain("tidegate-dev-edge-5xx");
    expect(names.some((name) => name.includes("/error-rate/"))).toBe(false);
    expect(scene.exposurePercent).toBe(0);
  });

  it("of the metrics alone stops them where the service is watched, and the requests go on [B8]", async () => {
    const scene = new Scene("dev");
    await scene.stage();
    await scene.openUpTo(25);
    await scene.wait(3);
    scene.cloud.inject({ kind: "metrics-outage", digest: scene.canary, magnitude: 1 });
    const before = scene.cloud.counts("checkout")[scene.canary]?.requests ?? 0;
    await scene.wait(20);
    expect(scene.cloud.counts("checkout")[scene.canary]?.requests ?? 0).toBeGreaterThan(before);
    expect(scene.of("history").map(({ entry }) => entry.kind)).toContain("hold");
  });
});

describe("the local cloud's time", () => {
  it("goes forward only, and no further than asked", async () => {
    const scene = new Scene("dev");
    await scene.stage();
    const at = scene.cloud.now() + 12_345;
    await scene.cloud.advanceTo(at);
    expect(scene.cloud.now()).toBe(at);
    await expect(scene.cloud.advanceTo(at - 1)).rejects.toThrow(/back in time/);
  });

  it("says a failing hook, retries its event twice and gives it up [D1]", async () => {
    let isAway = false;
    const read = async () => Promise.reject(new Error("the table is away"));
    const scene = new Scene(
      "dev",
      {},
      { portsOf: (ports) => (isAway ? { ...ports, records: { ...ports.records, read } } : ports) },
    );
    await scene.stage();
    await scene.openUpTo(25);
    await scene.wait(3);
    isAway = true;
    scene.cloud.inject({ kind: "error-spike", digest: scene.canary, magnitude: 0.1 });
    await scene.wait(15);
    expect(scene.of("hook-error").map(({ message }) => message)).toContain("the table is away");
    expect(scene.of("dead-letter").length).toBeGreaterThan(0);
    expect(scene.of("notification").map(({ alarmName }) => alarmName)).toContain("tidegate-dev-hook-errors");
  });

  it("gives the same events from the same seed, in any time zone and locale [E3]", { timeout: 60_000 }, async () => {
    const script = fileURLToPath(new URL("./print-event-hash.ts", import.meta.url));
    const elsewhere = execFileSync(process.execPath, ["--import", "tsx/esm", script, "7"], {
      env: { ...process.env, TZ: "Asia/Kathmandu", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" },
      encoding: "utf8",
    });
    const here = await hashOfRollback(7);
    expect(elsewhere.trim()).toBe(here);
    expect(await hashOfRollback(7)).toBe(here);
    expect(await hashOfRollback(8)).not.toBe(here);
  });
});

describe("an adopted stack", () => {
  it("hangs its rules on the adopted listener and makes no group [A3]", async () => {
    const scene = new Scene("prod");
    const result = await scene.up({ wavePercent: 0 });
    const types = new Set(result.changes.map((change) => change.type));
    expect(types).not.toContain("aws:lb/targetGroup:TargetGroup");
    expect(types).not.toContain("aws:lb/listener:Listener");
    const arns = scene.cloud.record("checkout")?.rules.map((rule) => rule.arn) ?? [];
    expect(arns).toHaveLength(2);
    for (const arn of arns) expect(arn.startsWith(dev)).toBe(false);
    expect(arns[0]).toMatch(/:listener-rule\/app\/shop\/50dc6c495c0c9188\/f2f7dc8efc522ab2\/[0-9a-f]{16}$/);
  });
});
