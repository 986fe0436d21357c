/** The hook and the guard with a flag, on ports in memory: no flag above the record, and no flag error that leaves weights up. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Declaration, GuardedWrite } from "../../core/declaration.ts";
import type { FlagPercents } from "../../core/flag-document.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { RecordedSplit, Splitter } from "../../core/split.ts";
import { judgeRecord } from "../../hooks/aws/record-schema.ts";
import { kill } from "../../hooks/commands.ts";
import { makeGuard } from "../../hooks/guard.ts";
import { reconcileService } from "../../hooks/reconcile.ts";
import { aFullRecord, aWatchedAlarm } from "../contract/a-record.ts";
import { MemoryCloud } from "../helpers/memory-ports.ts";

const flag = "batch-patches-v1";
const now = Date.UTC(2026, 0, 5, 10);
const alarmName = "tidegate/dev/checkout/2-4-0/error-rate/critical/60s";
const mainRule = "arn:rule/main";
const [stable, next] = ["sha256:aaaa", "sha256:bbbb"];
const place = { flag, applicationId: "app1", environmentId: "env1", profileId: "pro1", strategyId: "str1" };
const releases = [stable, next].map((digest) => ({
  digest,
  version: digest === stable ? "2.3.1" : "2.4.0",
  targetGroupArn: `arn:group/${digest}`,
  targetGroupArnSuffix: `targetgroup/${digest.slice(-4)}/1`,
  adopted: false,
}));

function recordOf(by: Splitter, exposurePercent: number, change: Partial<RolloutRecord> = {}): RolloutRecord {
  const { control: _c, lease: _l, previous: _p, paused: _q, blindSince: _b, peers: _e, ...full } = aFullRecord();
  const { retiredAt: _r, stickinessSeconds: _s, lastIntent: _i, leavingRules: _g, ...record } = full;
  const split: RecordedSplit = { by, ...place };
  return {
    ...record,
    environment: "dev",
    revision: 1,
    source: "emf",
    rules: [{ arn: mainRule, role: "main" }],
    alarms: [stable, next].map((digest) =>
      aWatchedAlarm(digest === next ? alarmName : `${alarmName}-stable`, { digest, response: "disable" }),
    ),
    releases: Object.fromEntries(releases.map((release) => [release.digest, { ...release, knownGood: true }])),
    baseline: stable,
    canary: { digest: next, attempt: 1, exposurePercent, waveOpenedAt: now, exposedSince: now, servedPercents: [] },
    leaving: {},
    ceilings: { [stable]: 100, [next]: exposurePercent },
    attempts: { [next]: 1 },
    breaches: {},
    holds: {},
    outbox: [],
    openIncidents: [],
    snapshotsDue: [],
    broadcastsDue: [],
    split,
    ...change,
  };
}

describe("a flag in memory", () => {
  let cloud: MemoryCloud;
  const weights = () => cloud.rules.get(mainRule)?.weights;
  const flags = () => cloud.flags.get("app1");
  const reconcile = () => reconcileService(cloud.ports("hook"), "checkout");

  function start(record: RolloutRecord, live: FlagPercents, canaryWeight: number): void {
    cloud.records.set("checkout", JSON.stringify(record));
    cloud.flags.set("app1", live);
    cloud.writeRule("test", mainRule, {
      weights: { [`arn:group/${stable}`]: 100 - canaryWeight, [`arn:group/${next}`]: canaryWeight },
    });
    for (const alarm of record.alarms) speak(alarm.alarmName, "OK");
  }
  const speak = (name: string, state: "OK" | "ALARM") =>
    cloud.alarms.set(name, { alarmName: name, state, updatedAt: now, actionsEnabled: true });

  beforeEach(() => {
    cloud = new MemoryCloud(now);
    for (const { targetGroupArn } of releases) cloud.health.set(targetGroupArn, { healthyCount: 4, totalCount: 4 });
  });

  it("is lowered with the record where it is above it by itself, and the weights stay where they belong [A6]", async () => {
    start(recordOf("flag", 10), { [flag]: 25 }, 100);
    await reconcile();
    expect(flags()).toEqual({ [flag]: 10 });
    expect(weights()).toEqual({ [`arn:group/${next}`]: 100 });
    expect(cloud.history.map(({ kind }) => kind)).toContain("above-committed");
  });

  it("is turned off where the record has nothing on the canary, and so is a flag that the record does not know [A6]", async () => {
    start(recordOf("weights", 0), { [flag]: 100, stranger: 50 }, 0);
    await reconcile();
    expect(flags()).toEqual({ [flag]: 0, stranger: 0 });
    cloud.flags.set("app1", { [flag]: 0, stranger: 50 });
    await reconcile();
    expect(flags()).toEqual({ [flag]: 0, stranger: 0 });
  });

  it("stays on for a finished release while another one is turned off [A6]", async () => {
    start(recordOf("flag", 0, { flagsOn: { "old-flag": stable } }), { [flag]: 30, "old-flag": 100 }, 0);
    await reconcile();
    expect(flags()).toEqual({ [flag]: 0, "old-flag": 100 });
  });

  it("is kept in the record with all that belongs to it, and nothing else [A6]", () => {
    const record = recordOf("flag", 10, { flagsOn: { "old-flag": stable }, flagDueSince: now });
    expect(judgeRecord(JSON.parse(JSON.stringify(record)))).toEqual({ record });
    const split = { ...record.split, percent: 5 };
    expect(judgeRecord({ ...record, split })).toEqual({
      reason: 'it is no record: split: Unrecognized key: "percent"',
    });
  });

  it("holds where it is live below the record, and nothing raises it [A6]", async () => {
    start(recordOf("weights", 25), { [flag]: 0 }, 25);
    await reconcile();
    const record = cloud.read("checkout");
    expect(Object.values(record?.holds ?? {}).map(({ cause }) => cause)).toEqual(["unexplained-lowering"]);
    expect(weights()).toEqual({ [`arn:group/${stable}`]: 100 });
    expect(flags()).toEqual({ [flag]: 0 });
  });

  it.each(["flag", "weights"] as const)("takes weights where it cannot be turned off, by %s [A6]", async (by) => {
    start(recordOf(by, 25), { [flag]: by === "flag" ? 25 : 100 }, by === "flag" ? 100 : 25);
    speak(alarmName, "ALARM");
    cloud.flagFailure = new Error("no answer");
    await expect(reconcile()).rejects.toThrow("no answer");
    expect(weights()).toEqual({ [`arn:group/${stable}`]: 100 });
    expect(cloud.pages.map(({ summary }) => summary)).toContain(
      `checkout: COULD NOT TURN OFF flag ${flag}; the weights do not depend on it`,
    );
  });

  it("takes the weights in the very run in which a partial lowering of the flag fails, and whatever becomes of the record [A6, B2]", async () => {
    for (const recordFails of [false, true]) {
      const record = recordOf("flag", 50);
      const alarms = record.alarms.map((alarm) => ({ ...alarm, response: "halve" as const }));
      start({ ...record, alarms }, { [flag]: 50 }, 100);
      speak(alarmName, "ALARM");
      cloud.flagFailure = new Error("no answer");
      let writes = 0;
      const ports = cloud.ports("hook", async (call) => {
        if (call === "write record before") writes += 1;
        if (recordFails && call === "write record before" && writes > 1) throw new Error("no table");
      });
      await expect(reconcileService(ports, "checkout")).rejects.toThrow("no answer");
      expect(weights()).toEqual({ [`arn:group/${stable}`]: 100 });
      const holds = Object.values(cloud.read("checkout")?.holds ?? {});
      expect(holds.map(({ cause, targetPercent }) => `${cause} to ${targetPercent}`)).toEqual(
        recordFails ? ["breach to 25"] : ["breach to 25", "flag-failed to 0"],
      );
      speak(alarmName, "OK");
    }
  });

  it("goes with a kill, and a flag that fails does not keep the weights [A6, B4]", async () => {
    start(recordOf("flag", 25), { [flag]: 25 }, 100);
    cloud.flagFailure = new Error("no answer");
    const said = { by: "an operator", reason: "errors" };
    await expect(kill(cloud.ports("person"), "checkout", said)).rejects.toThrow("no answer");
    expect(weights()).toEqual({ [`arn:group/${stable}`]: 100 });
    cloud.flagFailure = undefined;
    await reconcile();
    expect(flags()).toEqual({ [flag]: 0 });
  });

  describe("and the guard", () => {
    const guarded = (percents: FlagPercents, declaration: Partial<Declaration>) => {
      cloud.heartbeats.set("checkout", now);
      const declared: Declaration = {
        service: "checkout",
        step: "none",
        liveSet: releases,
        baseline: stable,
        canary: { digest: next, attempt: 1 },
        shares: {},
        exposurePercent: 25,
        fromPercent: 10,
        split: { by: "flag", flag },
        flags: percents,
        stickinessAllowed: false,
        testersReach: next,
        realityGeneration: 0,
        revision: 1,
        retire: false,
        notices: [],
        refusals: [],
        ...declaration,
      };
      const write: GuardedWrite = {
        operation: "create",
        role: "flag",
        flag: { place, percents },
        weights: {},
        targetGroupArns: Object.fromEntries(releases.map((release) => [release.digest, release.targetGroupArn])),
        alarms: cloud.read("checkout")?.alarms ?? [],
        releases,
      };
      const options = {
        declaration: declared,
        plan: recordOf("flag", 10).plan,
        takenBy: "a stack",
        readyTimeoutSeconds: 0,
        hookChanges: () => false,
      };
      return makeGuard(cloud.ports("up"), options)(write);
    };

    it("lets a decided opening pass under a lease, though no rule changes [A6, A4]", async () => {
      start(recordOf("flag", 10), { [flag]: 10 }, 100);
      await guarded({ [flag]: 25 }, { step: "opening" });
      expect(cloud.read("checkout")?.lease).toMatchObject({ kind: "opening", digest: next, toPercent: 25 });
    });

    it("refuses a rise that was not decided, and one that would bring back what was taken away [A6]", async () => {
      start(recordOf("flag", 10), { [flag]: 10 }, 100);
      await expect(guarded({ [flag]: 25 }, {})).rejects.toThrow("would rise to 25 %, which this up did not decide");
      start(recordOf("flag", 25), { [flag]: 10 }, 100);
      await expect(guarded({ [flag]: 25 }, {})).rejects.toThrow(
        `flag ${flag} is live at 10 %, and the record says 25 %: something took it away, and this up would bring it back`,
      );
    });

    it("asks for hosts for every request, where the flag splits [A6]", async () => {
      start(recordOf("flag", 10), { [flag]: 10 }, 100);
      cloud.health.set(`arn:group/${next}`, { healthyCount: 2, totalCount: 4 });
      await expect(guarded({ [flag]: 25 }, { step: "opening" })).rejects.toThrow(
        "the canary has 2 healthy hosts of 4; expected at least 4 for 100 %",
      );
    });

    it("lets nothing on without a record, or with one that cannot be read [A6]", async () => {
      start(recordOf("flag", 10), { [flag]: 10 }, 100);
      cloud.recordFailure = new Error("no table");
      await expect(guarded({ [flag]: 25 }, { step: "opening" })).rejects.toThrow(`and ${flag} would rise`);
      await guarded({ [flag]: 10 }, {});
      cloud.recordFailure = undefined;
      cloud.records.clear();
      await expect(guarded({ [flag]: 10 }, {})).rejects.toThrow("there is no record");
      await guarded({ [flag]: 0 }, {});
    });

    it("takes a lowering lease for a step down, and none for what the record lowered already [A6]", async () => {
      start(recordOf("flag", 25), { [flag]: 25 }, 100);
      await guarded({ [flag]: 10 }, { step: "lowering", exposurePercent: 10 });
      expect(cloud.read("checkout")?.lease).toMatchObject({ kind: "lowering", fromPercent: 25, toPercent: 10 });
      start(recordOf("flag", 10), { [flag]: 25 }, 100);
      await guarded({ [flag]: 10 }, { exposurePercent: 10 });
      expect(cloud.read("checkout")?.lease).toBeUndefined();
    });
  });
});
