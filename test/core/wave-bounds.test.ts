/** Bounds that single waves have of their own, and figures that bounds are measured against, through real ups and reconciles (A2, B1, B8). */
import { describe, expect, it } from "vitest";
import { commit } from "../../core/commit.ts";
import type { ServiceDescription } from "../../core/declaration.ts";
import { defaultGateSettings } from "../../core/gate/evidence.ts";
import { type BoundReference, type MetricSource, objectivePresets, type Response } from "../../core/objectives.ts";
import { completeWave, planPresets, type WaveCriterion } from "../../core/plans.ts";
import { watchRules } from "../../core/watch-rules.ts";
import type { StatisticQuery } from "../../hooks/ports.ts";
import { aService, v1, v2, World } from "../helpers/world.ts";

const atFive = "wave-error-rate/critical/60s/at-5";
const atTwentyFive = "wave-error-rate/critical/300s/at-25";
/** The load balancer carries neither, so people look. */
const gate = { ...defaultGateSettings, byHand: ["flag-coverage", "dual-run-failures"] } as const;
const migrating = () => new World(aService({ plan: planPresets.migration, gate }));
const keyOf = (alarmName: string) => alarmName.split("/").slice(4).join("/");

describe("a wave's own alarm", () => {
  it("lowers on its wave, and is as if it were quiet on any other [A2, B2]", async () => {
    const world = await migrating().rolledOutTo(5);
    world.alarm(v2, atTwentyFive, "ALARM");
    await world.reconcile();
    expect([world.live(v2), world.record.breaches]).toEqual([5, {}]);
    world.alarm(v2, atFive, "ALARM");
    await world.reconcile();
    expect([world.live(v2), Object.values(world.record.holds).map(({ detail }) => detail)]).toEqual([
      0,
      ["wave-error-rate (critical) of 2.0.0 at 5 %"],
    ]);
  });

  it("goes back one wave from its own, and then holds the wave below to that one's bound [A2, B2]", async () => {
    const world = await migrating().rolledOutTo(25);
    world.alarm(v2, atFive, "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(25);
    world.alarm(v2, atFive, "OK");
    world.alarm(v2, atTwentyFive, "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(5);
    await world.reconcile();
    expect(world.record.breaches).toEqual({});
    world.alarm(v2, atFive, "ALARM");
    await world.wait(30);
    expect(world.live(v2)).toBe(0);
  });

  it("keeps its wave from being opened: by the gate, and by the guard where it spoke since [A2, C1]", async () => {
    const world = await migrating().rolledOutTo(5);
    await world.wait(60);
    world.alarm(v2, atTwentyFive, "ALARM");
    const name = world.record.alarms.find(({ alarmName }) => keyOf(alarmName) === atTwentyFive)?.alarmName;
    expect(await world.up({ canary: v2, wavePercent: 25 })).toEqual({
      kind: "refused",
      reasons: [`checkout.wave: 5 to 25 refused, roll-back: alarm ${name} is in ALARM`],
    });
    world.alarm(v2, atTwentyFive, "OK");
    const guard = await world.up(
      { canary: v2, wavePercent: 25 },
      { onCall: async (call) => void (call.startsWith("health") && world.alarm(v2, atTwentyFive, "ALARM")) },
    );
    expect(guard).toMatchObject({ kind: "failed" });
    expect("message" in guard && guard.message).toContain(`alarm ${name} is in ALARM; wait until it is OK`);
    world.alarm(v2, atTwentyFive, "OK");
    world.alarm(v2, "wave-error-rate/critical/300s/at-50", "ALARM");
    expect(await world.up({ canary: v2, wavePercent: 25 })).toMatchObject({ kind: "applied" });
  });

  it("is the canary's alone: no other release is watched for it [B1]", async () => {
    const world = await migrating().rolledOutTo(5);
    const ofWaves = world.record.alarms.filter(({ atPercents }) => atPercents);
    expect(ofWaves.map(({ digest, alarmName, atPercents }) => [digest, keyOf(alarmName), atPercents])).toEqual([
      [v2.digest, atFive, [5]],
      [v2.digest, atTwentyFive, [25]],
      [v2.digest, "wave-error-rate/critical/300s/at-50", [50]],
    ]);
  });
});

describe("several bounds of one wave on one indicator", () => {
  const watched = (response: Response, reference?: BoundReference): WaveCriterion => ({
    kind: "rollback",
    text: response,
    watch: { indicator: "error-rate", bound: { value: 2, response, ...(reference ? { reference } : {}) } },
  });
  const planOf = (criteria: readonly WaveCriterion[]) => ({
    name: "two",
    watchAfterMinutes: 0,
    waves: [
      completeWave({ exposurePercent: 10, minimumSoakMinutes: 60, criteria }),
      completeWave({ exposurePercent: 100, minimumSoakMinutes: 60 }),
    ],
  });
  const overBaseline = { kind: "baseline", form: "factor" } as const;

  it("are breaches of their own: one that freezes does not hide one that disables [A2, B2]", async () => {
    const plan = planOf([watched("disable"), watched("freeze", overBaseline)]);
    const world = await new World(aService({ plan })).rolledOutTo(10);
    world.alarm(v2, "wave-error-rate-of-baseline/critical/300s/at-10/of-baseline", "ALARM");
    await world.reconcile();
    expect([world.live(v2), Object.keys(world.record.breaches)]).toEqual([
      10,
      [`wave-error-rate-of-baseline/critical/${v2.digest}`],
    ]);
    world.alarm(v2, "wave-error-rate/critical/60s/at-10", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
  });

  it("act by the strongest that speaks, under one key too, and once each [B2]", async () => {
    const world = await new World(aService({ plan: planOf([watched("freeze"), watched("disable")]) })).rolledOutTo(10);
    const byResponse = (response: Response) =>
      world.record.alarms.filter((alarm) => alarm.objective === "wave-error-rate" && alarm.response === response);
    for (const { alarmName } of byResponse("freeze")) world.setAlarm(alarmName, "ALARM");
    await world.wait(5);
    expect([world.live(v2), Object.values(world.record.holds).map(({ response }) => response)]).toEqual([
      10,
      ["freeze"],
    ]);
    for (const { alarmName } of byResponse("disable")) world.setAlarm(alarmName, "ALARM");
    await world.wait(5);
    expect([world.live(v2), Object.values(world.record.holds).map(({ response }) => response)]).toEqual([
      0,
      ["freeze", "disable"],
    ]);
  });
});

/** Every window of a release of 1,000 requests: 1 error, 40 ms, 120 ms, 300 ms; all that `batch` aims for. */
function measures({ metricName, statistic }: StatisticQuery): number | undefined {
  switch (`${metricName} ${statistic}`) {
    case "Requests Sum":
      return 1_000;
    case "Errors Sum":
      return 1;
    case "Latency p50":
      return 40;
    case "Latency p95":
      return 120;
    case "Latency p99":
      return 300;
    default:
      return undefined;
  }
}

describe("figures", () => {
  const cautious = (statistics: World["cloud"]["statistics"]) => {
    const world = new World(aService({ plan: planPresets.cautious, source: "emf" }));
    world.cloud.statistics = statistics;
    return world;
  };
  const ofWaveTen = [
    { of: "previous-wave", percent: 10, indicator: "error-rate", value: 0.1 },
    { of: "previous-wave", percent: 10, indicator: "latency-p95", value: 120 },
  ];
  const relativeOf = (world: World) =>
    world.record.alarms.map(({ alarmName }) => keyOf(alarmName)).filter((key) => key.includes("/of-"));
  const beside = [
    "wave-memory-of-baseline/critical/300s/at-50/of-baseline",
    "wave-cpu-of-baseline/critical/300s/at-50/of-baseline",
  ];

  it("are what the canary came to in the wave before, read when the next one opens and kept until it is over [A2, B8]", async () => {
    const world = await cautious(measures).rolledOutTo(25);
    expect(world.record.canary?.figures).toEqual(ofWaveTen);
    const latency = "wave-latency-p95-of-previous-wave/critical/300s/at-25/of-wave-10";
    expect(relativeOf(world)).toEqual([latency, ...beside]);
    const revision = world.record.realityGeneration;
    world.cloud.statistics = () => undefined;
    const idle = await world.up({ canary: v2, wavePercent: 25 });
    expect(idle.kind === "applied" && idle.declaration.figures).toEqual(ofWaveTen);
    expect([world.record.canary?.figures, world.record.realityGeneration]).toEqual([ofWaveTen, revision]);
    world.alarm(v2, latency, "ALARM");
    await world.reconcile();
    expect([world.live(v2), world.record.canary?.figures]).toEqual([0, undefined]);
    const pinned = await world.up({ canary: v2, wavePercent: 25 });
    expect(pinned.kind === "applied" && pinned.declaration.figures).toBeUndefined();
    expect(relativeOf(world)).toEqual(beside);
  });

  it.each<[string, World["cloud"]["statistics"]]>([
    ["nothing is measured", () => undefined],
    [
      "too few requests are",
      (query, seconds) => (query.metricName === "Requests" ? 1 : measures(query) && seconds && measures(query)),
    ],
  ])("are none where %s, and the bounds that need them are named [A2, B9]", async (_title, statistics) => {
    const world = await cautious(statistics).rolledOutTo(10);
    await world.wait(24 * 60);
    expect(await world.up({ canary: v2, wavePercent: 25 })).toMatchObject({ kind: "refused" });
    const opened = await world.up({ canary: v2, wavePercent: 25, overrideReason: "the metrics are late" });
    expect(world.record.canary?.figures).toBeUndefined();
    expect(relativeOf(world)).toEqual(beside);
    const said = opened.kind === "applied" ? opened.declaration.notices.map(({ text }) => text) : [];
    expect(said.filter((text) => text.includes("not watched on 2.0.0"))).toEqual([
      "checkout: not watched on 2.0.0 at 25 %: wave-error-rate-of-previous-wave (critical at 25 %), what the wave before came to is not known; " +
        "wave-latency-p95-of-previous-wave (critical at 25 %), what the wave before came to is not known",
    ]);
  });

  it("keep their wave shut while they cannot be read: nobody knows what it would go unwatched for [B8, B9]", async () => {
    const world = await cautious(measures).rolledOutTo(10);
    await world.wait(24 * 60);
    world.cloud.statistics = () => {
      throw new Error("throttled");
    };
    expect(await world.up({ canary: v2, wavePercent: 25 })).toEqual({
      kind: "refused",
      reasons: [
        "the wave's criteria could not be read (throttled)",
        "errors cannot be compared: canary and baseline could not be read (throttled)",
        "latencies cannot be compared: canary and baseline could not be read (throttled)",
        "the health score cannot be compared: canary and baseline could not be read (throttled)",
        "what bounds of the next wave are measured against could not be read (throttled)",
      ].map((reason) => `checkout.wave: 10 to 25 refused, cannot tell (nothing measured): ${reason}`),
    });
    const forced = await world.up({ canary: v2, wavePercent: 25, overrideReason: "CloudWatch is down" });
    expect([forced.kind, world.record.canary?.exposurePercent, world.record.canary?.figures]).toEqual([
      "applied",
      25,
      undefined,
    ]);
  });

  it("outlive an up that could not read the record, for as long as their wave lasts [B8]", async () => {
    const world = await cautious(measures).rolledOutTo(25);
    const { record } = world;
    const described = (change: Partial<ServiceDescription>): ServiceDescription => {
      const { environment, service, mode, source, plan, rules, alarms, loadBalancerArnSuffix, blindMinutes } = record;
      const facts = { environment, service, mode, source, plan, rules, alarms, loadBalancerArnSuffix, blindMinutes };
      return {
        ...facts,
        kind: "tidegate:opening",
        schemaVersion: 1,
        rollbackWindowMinutes: record.rollbackWindowMinutes,
        releases: Object.values(record.releases),
        baseline: v1.digest,
        canary: { digest: v2.digest, attempt: 1 },
        exposurePercent: 25,
        realityGeneration: record.realityGeneration,
        takenBy: record.declaredBy ?? "",
        retire: false,
        ...change,
      };
    };
    const figuresAfter = (change: Partial<ServiceDescription>, percent: number) => {
      const shares = { [v1.digest]: 100 - percent, [v2.digest]: percent };
      const lease = {
        id: "l",
        kind: "lowering",
        digest: v2.digest,
        attempt: 1,
        fromPercent: 25,
        toPercent: 10,
      } as const;
      const expiresAt = world.cloud.nowMs + 60_000;
      const leased =
        percent < 25 ? { ...record, lease: { ...lease, takenBy: record.declaredBy ?? "", expiresAt } } : record;
      const done = commit(leased, described(change), { shares, unknownTargetGroupArns: [] }, world.cloud.nowMs);
      if (done.kind === "refused") throw new Error(done.reason);
      return done.record.canary?.figures;
    };
    expect([figuresAfter({}, 25), figuresAfter({ exposurePercent: 10 }, 10)]).toEqual([ofWaveTen, undefined]);
  });

  it("are read from CloudWatch only, and with another source the bounds that need them say so [B9, D2, D3]", () => {
    const figureless = (source: MetricSource, exposurePercent: number) =>
      watchRules(objectivePresets["canary-relative"], source, {
        canary: { plan: planPresets.cautious, exposurePercent, figures: [] },
      })
        .unwatched.filter(({ why }) => why.startsWith("figures"))
        .map(({ objective, why }) => [objective, why]);
    for (const source of ["prometheus", "datadog"] as const) {
      const why = `figures are read from CloudWatch only; source ${source} has none`;
      expect(figureless(source, 25)).toEqual([
        ["wave-error-rate-of-previous-wave", why],
        ["wave-latency-p95-of-previous-wave", why],
      ]);
      expect(figureless(source, 100)).toContainEqual(["latency-p99", why]);
    }
    expect([figureless("emf", 25), figureless("alb", 100)]).toEqual([[], []]);
  });

  it("end with the finish, and the up that finishes names what is measured no more [B1, B9]", async () => {
    const world = new World(aService({ objectives: objectivePresets["canary-relative"], source: "emf" }));
    world.cloud.statistics = measures;
    await world.rolledOutTo(100);
    await world.wait(7 * 24 * 60);
    const finish = await world.up({ baseline: v2 });
    const said = finish.kind === "applied" ? finish.declaration.notices.map(({ text }) => text) : [finish];
    expect(said.filter((text) => String(text).includes("any more"))).toEqual([
      "checkout: not watched on 2.0.0 any more once it is the baseline, since only a canary is watched for what is relative or its wave's own: latency-p99 (critical)",
    ]);
    const idle = await world.up({ baseline: v2 });
    expect(idle.kind === "applied" && idle.declaration.notices.filter(({ text }) => text.includes("any more"))).toEqual(
      [],
    );
  });

  it("stand for the baseline at 100 %, where it has no traffic left [B8]", async () => {
    const world = new World(aService({ objectives: objectivePresets["canary-relative"], source: "emf" }));
    const asked: string[] = [];
    world.cloud.statistics = (query) => {
      // Named by its signal: the windows of a soak are named by canary and beside, and are read of both.
      if (query.id === "requests" || query.id === "latency") asked.push(query.dimensions.Release ?? "");
      return measures(query);
    };
    await world.rolledOutTo(100);
    expect(world.record.canary?.figures).toEqual([
      { of: "baseline", percent: 50, indicator: "latency-p99", value: 300 },
    ]);
    expect(relativeOf(world)).toEqual(["latency-p99/critical/300s/of-baseline-at-50"]);
    expect(new Set(asked.map((release) => release.slice(0, 5)))).toEqual(
      new Set([`${v1.version.replaceAll(".", "-")}`]),
    );
  });
});
