/**
 * Three hundred services in one run, through ports held to AWS's rates in virtual time: 16 alarms each, 60 with a canary at 25 %. ELBv2
 * publishes no rates; those for it are assumptions (10 describe calls and 5 rule writes a second).
 */
import pLimit from "p-limit";
import { describe, expect, it } from "vitest";
import { type Ports, RecordUnreadableError } from "../../hooks/ports.ts";
import { reconcileAll, reconcileService } from "../../hooks/reconcile.ts";
import { type ManyServices, manyServices } from "../helpers/many-services.ts";
import { apiLimits, rateLimitedPorts } from "../helpers/rate-limited-ports.ts";
import { VirtualTime } from "../helpers/virtual-time.ts";

/** The hook's Lambda is ended after this long. Unit: milliseconds. */
const lambdaTimeout = 60_000;

/**
 * Every canary breaching at once is the extreme: 60 services ask for hosts, values and, right before the write, their rules once more, all
 * through ten describe calls a second. That second read costs a second (30.3 s in all) and keeps the hook from raising what a person
 * took away meanwhile. Unit: milliseconds.
 */
const allBreachingMilliseconds = 35_000;

const anEstate = () => manyServices({ services: 300, exposed: 60, alarmsEach: 16 });
/** First, last and three between. */
const five = [0, 14, 29, 44, 59];

interface Run {
  /** Unit: milliseconds, as are the others. */
  readonly took: number;
  /** When each service's main rule was written. */
  readonly loweredAt: ReadonlyMap<string, number>;
  /** When each service got its heartbeat. */
  readonly beatAt: ReadonlyMap<string, number>;
  readonly calls: Readonly<Record<string, number>>;
  readonly failure: unknown;
}

/** @param change what is wrong with the cloud, its own slowness included */
async function runOf(
  many: ManyServices,
  change: (ports: Ports, time: VirtualTime) => Ports = (ports) => ports,
  work: (ports: Ports) => Promise<unknown> = reconcileAll,
): Promise<Run> {
  const time = new VirtualTime(many.cloud.nowMs);
  const start = time.now();
  const loweredAt = new Map<string, number>();
  const beatAt = new Map<string, number>();
  const plain = many.cloud.ports("hook");
  const noting: Ports = {
    ...plain,
    traffic: {
      ...plain.traffic,
      async writeRule(arn, action) {
        await plain.traffic.writeRule(arn, action);
        const service = many.services.find((name) => many.mainRule(name) === arn);
        if (service !== undefined) loweredAt.set(service, time.now() - start);
      },
    },
    records: {
      ...plain.records,
      async writeHeartbeat(service, at) {
        await plain.records.writeHeartbeat(service, at);
        beatAt.set(service, time.now() - start);
      },
    },
  };
  const { ports, calls } = rateLimitedPorts(change(noting, time), time, {
    limits: { ...apiLimits, ModifyRule: { perSecond: 5, source: "assumed: ELBv2 publishes no rates" } },
  });
  let failure: unknown;
  await time.run(() =>
    work(ports).catch((error: unknown) => {
      failure = error;
    }),
  );
  return { took: time.now() - start, loweredAt, beatAt, calls: calls(), failure };
}

async function withFiveBreaching() {
  const many = await anEstate();
  const bad = five.map((index) => many.exposed[index] ?? "");
  for (const service of bad) many.breach(service);
  return { many, bad };
}

const latest = (times: ReadonlyMap<string, number>) => Math.max(...times.values());

describe("one run over 300 services", () => {
  it("ends within 30 s, and has every breaching canary at 0 within 15 s [B2]", async () => {
    const { many, bad } = await withFiveBreaching();
    const run = await runOf(many);
    expect(run.failure).toBeUndefined();
    expect(run.took).toBeLessThan(30_000);
    expect(latest(run.loweredAt)).toBeLessThan(15_000);
    expect([...run.loweredAt.keys()].sort()).toEqual(bad);
    expect(many.exposed.filter((service) => many.live(service) !== 25)).toEqual(bad);
    expect(run.beatAt.size).toBe(300);
    // 4,800 alarms by the hundred, then two calls of comparison and two of the snapshot for each breach.
    expect(run.calls.DescribeAlarms).toBeLessThanOrEqual(48 + 4 * bad.length);
  });

  it("would do neither if every service read for itself: the rates bite [B2]", async () => {
    const { many } = await withFiveBreaching();
    const limit = pLimit(10);
    const run = await runOf(many, undefined, (ports) =>
      Promise.all(many.services.map((service) => limit(() => reconcileService(ports, service)))),
    );
    expect(run.took).toBeGreaterThan(30_000);
    expect(latest(run.loweredAt)).toBeGreaterThan(15_000);
  });

  it("keeps that though one service's rule is not ours: only its neighbours read for themselves [B2]", async () => {
    const { many, bad } = await withFiveBreaching();
    const foreign = many.mainRule("s150");
    const run = await runOf(many, (ports) => ({
      ...ports,
      traffic: {
        ...ports.traffic,
        async readRules(arns) {
          if (arns.includes(foreign)) throw new Error(`rule ${foreign}: its action is not ours`);
          return ports.traffic.readRules(arns);
        },
      },
    }));
    expect((run.failure as Error).message).toBe(`s150: rule ${foreign}: its action is not ours`);
    expect(run.took).toBeLessThan(30_000);
    expect(latest(run.loweredAt)).toBeLessThan(15_000);
    expect(many.exposed.filter((service) => many.live(service) === 0)).toEqual(bad);
    expect([run.beatAt.size, run.beatAt.has("s150")]).toEqual([299, false]);
  });

  it("keeps that though one service's record is garbage [B11]", async () => {
    const { many, bad } = await withFiveBreaching();
    const run = await runOf(many, (ports) => ({
      ...ports,
      records: {
        ...ports.records,
        async read(service) {
          if (service === "s150") throw new RecordUnreadableError("record of s150: no record");
          return ports.records.read(service);
        },
      },
    }));
    // Said twice: for the look, and for the pages that may wait in it.
    expect((run.failure as Error).message).toBe("s150: record of s150: no record");
    expect(run.took).toBeLessThan(30_000);
    expect(latest(run.loweredAt)).toBeLessThan(15_000);
    expect(many.exposed.filter((service) => many.live(service) === 0)).toEqual(bad);
    expect([run.beatAt.size, run.beatAt.has("s150")]).toEqual([299, false]);
  });

  it("lowers all 60 within 35 s when all breach at once, and ends before Lambda ends it [B2]", async () => {
    const many = await anEstate();
    for (const service of many.exposed) many.breach(service);
    const run = await runOf(many);
    expect(many.exposed.filter((service) => many.live(service) > 0)).toEqual([]);
    expect(latest(run.loweredAt)).toBeLessThan(allBreachingMilliseconds);
    expect(run.took).toBeLessThan(lambdaTimeout);
  });

  it("does so though every page hangs for 10 s and is refused; the quiet ones' heartbeats do not wait for that [B2, B8, D4]", async () => {
    const many = await anEstate();
    for (const service of many.exposed) many.breach(service);
    const run = await runOf(many, (ports, time) => ({
      ...ports,
      pager: {
        async send() {
          await time.sleep(10_000);
          const error = new Error("no answer in 10 s");
          return { deliveredTo: [], failed: [{ channel: "pagerduty", isRequired: true, error }] };
        },
      },
    }));
    expect(many.exposed.filter((service) => many.live(service) > 0)).toEqual([]);
    expect(latest(run.loweredAt)).toBeLessThan(allBreachingMilliseconds);
    const quiet = many.services.filter((service) => !many.exposed.includes(service));
    expect([...run.beatAt.keys()].sort()).toEqual(quiet);
    expect(latest(run.beatAt)).toBeLessThan(lambdaTimeout);
    expect(run.took).toBeLessThan(lambdaTimeout);
  });
});
