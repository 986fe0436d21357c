/**
 * Every `npx tidegate` line of every runbook is run, in the situation that its page is for: the real commands, the real hook's core,
 * an environment in memory. A page's lines run one after another, as somebody would who follows it to its end.
 */
import { describe, expect, it } from "vitest";
import { type Runbook, runbooks } from "../../core/runbooks.ts";
import { missingHook, Operator } from "../cli/operator.ts";
import { aService, groupArn, mainRule, sharingHolds, v1, v2, v3, World } from "../helpers/world.ts";
import { callsOf } from "./dry-shell.ts";
import { readPages } from "./runbook-pages.ts";

const errorRate = "error-rate/critical";

/** A canary at 50 percent, one thing changed, and the hook has looked. */
async function after(change: (world: World) => unknown, world = new World(), percent = 50): Promise<World> {
  await world.rolledOutTo(percent);
  await change(world);
  await world.reconcile();
  return world;
}

interface Situation {
  readonly world: () => Promise<World>;
  /** The situation is told in a page that names this runbook. @default true */
  readonly isPaged?: boolean;
  /** What happens in the world before a line is run. */
  readonly before?: (operator: Operator, command: string) => Promise<void> | void;
  /** Exit codes in order where not all are 0. */
  readonly codes?: readonly number[];
}

const breached = (key: string, service = aService()) => ({
  world: () => after((world) => world.alarm(v2, key, "ALARM"), new World(service)),
});

/** Somebody wrote these weights. */
const writes = (world: World, weights: Record<string, number>) =>
  world.cloud.writeRule("somebody", mainRule, { weights });

const situations: Readonly<Record<Runbook, Situation>> = {
  "high-error-rate": breached(errorRate),
  "high-latency": breached("latency-p99/warning"),
  "invariant-violation": breached("invariant-violations/critical", aService({ source: "emf" })),
  // No source that is there yet measures a breaker: the same rollback under another objective's name.
  "breaker-open": { ...breached(errorRate), isPaged: false },
  "no-healthy-hosts": breached("healthy-hosts/critical"),
  "no-data": {
    world: () =>
      after((world) => {
        world.cloud.requestsPerMinute = { baseline: 3_000 };
      }),
  },
  "dependency-outage": {
    world: () =>
      after((world) => {
        world.alarm(v2, errorRate, "ALARM");
        for (const { alarmName } of world.record.alarms) {
          const points = [{ at: world.cloud.nowMs - 60_000, value: 20 }];
          world.cloud.alarmValues.set(alarmName, { alarmName, threshold: 5, badWhen: "above", points });
        }
      }),
  },
  "receiver-lost": {
    world: () =>
      after((world) => {
        world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
        world.alarm(v2, errorRate, "ALARM");
      }),
  },
  "no-other-release": { world: () => after((world) => world.alarm(v1, errorRate, "ALARM")) },
  killed: { world: () => after((world) => world.kill()) },
  "peer-hold": {
    world: async () => {
      const [here, there] = [new World(), new World(aService(), undefined, "us-east-1")];
      sharingHolds(here, there);
      await there.rolledOutTo(50);
      return after(() => there.kill(), here);
    },
  },
  "unexplained-lowering": {
    world: () => after((world) => writes(world, { [groupArn(v1)]: 100 })),
  },
  "live-above-record": {
    world: () => after((world) => writes(world, { [groupArn(v1)]: 20, [groupArn(v2)]: 80 })),
  },
  "foreign-target-group": {
    world: () => after((world) => writes(world, { [groupArn(v1)]: 50, [groupArn(v2)]: 50, "arn:group/foreign": 10 })),
  },
  "edge-errors": { world: () => after(() => {}), isPaged: false },
  "hook-failing": {
    world: () => after(() => {}),
    isPaged: false,
    before: (operator) => {
      operator.hook = missingHook;
    },
  },
  "record-unreadable": {
    world: () => after(() => {}),
    isPaged: false,
    before: async (operator, command) => {
      const { cloud } = operator.world;
      cloud.recordFailure = new Error("schema 9");
      if (command !== "acknowledge") return;
      cloud.recordFailure = undefined;
      await operator.world.reconcile();
    },
    // kill without a receiver only lists, and changes nothing.
    codes: [0, 3, 0, 0],
  },
  "drill-missing": {
    world: () => after(() => {}),
    isPaged: false,
    before: (operator) => {
      operator.whileAsleep = () => operator.drillComesBack();
    },
  },
  "report-failing": { world: () => after(() => {}), isPaged: false },
  "page-storm": { ...breached(errorRate), isPaged: false },
  "full-rollback": { world: () => after(() => {}), isPaged: false },
};

const pages = readPages();

/** What a page's lines say, without `npx tidegate`, for our environment and with our names. */
function linesOf(name: Runbook, world: World): string[][] {
  const page = pages.find((candidate) => candidate.name === name);
  const script = page?.blocks
    .map(({ text }) => text)
    .join("\n")
    .replace(/^export ENVIRONMENT=production/m, `export ENVIRONMENT=${world.environment}`)
    .replace(/^TO=\S+ # a target group that kill listed/m, `TO=${groupArn(v1)}`)
    // Only the newest hold of the situation can be meant; a hold that a line itself puts is put in when that line has run.
    .replace(/^HOLD=\S+ # .*$/gm, "HOLD=@hold");
  return callsOf(script ?? "")
    .filter(([program]) => program === "npx")
    .map((words) => words.slice(2));
}

/** The hold that status names: the one of a kill where a line has just killed, else the situation's. */
function holdOf(world: World, name: Runbook): string {
  const holds = Object.values(world.record.holds).sort((left, right) => left.at - right.at);
  const wanted = name === "full-rollback" ? holds.at(-1) : holds.find((hold) => hold.cause !== "kill");
  return wanted?.id ?? "none";
}

describe("tidegate lines of the runbooks", () => {
  it.each(runbooks)("%s: every line does what the page says, in its situation [D8]", async (name) => {
    const { world: make, isPaged = true, before, codes } = situations[name];
    const world = await make();
    if (isPaged) expect(world.cloud.pages.map((page) => page.runbook)).toContain(name);
    const operator = new Operator(world);
    operator.isInteractive = true;
    const lines = linesOf(name, world);
    const answers: { line: string; code: number; said: string }[] = [];
    for (const words of lines) {
      await before?.(operator, words[0] ?? "");
      const line = words.map((word) => (word === "@hold" ? holdOf(world, name) : word));
      const { code, out, errors } = await operator.run(...line);
      answers.push({ line: line.join(" "), code, said: [out, errors].join("\n") });
    }
    expect(
      answers.map(({ code }) => code),
      JSON.stringify(answers, null, 2),
    ).toEqual(codes ?? lines.map(() => 0));
    const commands = lines.map(([command]) => command);
    if (commands.includes("kill")) expect(world.live(v2)).toBe(0);
    if (commands.includes("resume")) expect(world.record.paused).toBeUndefined();
    const changing = operator.questions.map((question) => question.split(":")[0]);
    expect(changing).toEqual(commands.filter((command) => !["status", "history", "drill"].includes(command ?? "")));
  });

  it("kill on the page of a failing hook takes the traffic off without the hook [D8, B4]", async () => {
    const operator = new Operator(await after(() => {}));
    operator.hook = missingHook;
    const kill = linesOf("hook-failing", operator.world).find(([command]) => command === "kill") ?? [];
    const { code, errors } = await operator.run(...kill, "--yes");
    expect([code, operator.world.live(v2)]).toEqual([0, 0]);
    expect(errors).toContain("Doing it from here with your own credentials");
  });

  it("the retry of a rolled back release opens its first wave once the page was followed [D8, B5]", async () => {
    const world = await situations["high-error-rate"].world();
    const operator = new Operator(world);
    expect(await world.up({ canary: v2, wavePercent: 10, attempt: 2 })).toMatchObject({ kind: "refused" });
    const acknowledge = linesOf("high-error-rate", world).find(([command]) => command === "acknowledge") ?? [];
    await operator.run(
      ...acknowledge.map((word) => (word === "@hold" ? holdOf(world, "high-error-rate") : word)),
      "--yes",
    );
    world.alarm(v2, errorRate, "OK");
    await world.wait(30);
    await world.must(world.up({ canary: v2, wavePercent: 10, attempt: 2 }));
    expect(world.live(v2)).toBe(10);
  });

  it("no other release opens while the baseline breaches, as no-other-release says [D8]", async () => {
    const world = await new World().rolledOutTo(0);
    world.alarm(v1, errorRate, "ALARM");
    await world.reconcile();
    await world.acknowledge();
    expect(await world.up({ canary: v3, wavePercent: 10 })).toMatchObject({ kind: "refused" });
    expect(await world.up({ baseline: v3, replaceBaselineReason: "outage" })).toMatchObject({ kind: "failed" });
    world.alarm(v1, errorRate, "OK");
    await world.wait(3);
    await world.must(world.up({ baseline: v3, replaceBaselineReason: "outage" }));
    expect(world.live(v3)).toBe(100);
  });
});
