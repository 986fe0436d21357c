/** Incidents as people live them: opened by a page, resolved under the same dedup key once nothing stands, and never before. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveIncidents } from "../../core/incidents.ts";
import { healthyHosts, type Objective } from "../../core/objectives.ts";
import type { Page, RolloutRecord } from "../../core/record.ts";
import { RecordDraft } from "../../core/record-draft.ts";
import type { runbooks } from "../../core/runbooks.ts";
import { aService, groupArn, mainRule, v1, v2, World } from "../helpers/world.ts";

const errorRate = "error-rate/critical";
const dedupKey = `tidegate/dev/checkout/${v2.digest}/1`;

async function rolledBack(): Promise<World> {
  const world = await new World().rolledOutTo(25);
  world.alarm(v2, errorRate, "ALARM");
  await world.reconcile();
  return world;
}

/** Both releases are as bad. */
async function failingDependency(): Promise<World> {
  const world = await new World().rolledOutTo(25);
  world.alarm(v2, errorRate, "ALARM");
  for (const { alarmName } of world.record.alarms) {
    const points = [{ at: world.cloud.nowMs - 60_000, value: 20 }];
    world.cloud.alarmValues.set(alarmName, { alarmName, threshold: 5, badWhen: "above", points });
  }
  return world;
}

function change(world: World, changed: Partial<RolloutRecord>): void {
  world.cloud.records.set("checkout", JSON.stringify({ ...world.record, ...changed }));
}

describe("an incident", () => {
  it("stays open while its alarm stands, though acknowledged, and while its hold stands, though recovered [D4]", async () => {
    const alarmed = await rolledBack();
    expect(alarmed.record.openIncidents).toEqual([dedupKey]);
    await alarmed.acknowledge();
    await alarmed.reconcile();
    expect([alarmed.cloud.resolved, alarmed.record.openIncidents]).toEqual([[], [dedupKey]]);
    const recovered = await rolledBack();
    recovered.alarm(v2, errorRate, "OK");
    await recovered.reconcile();
    expect([recovered.cloud.resolved, recovered.record.openIncidents]).toEqual([[], [dedupKey]]);
  });

  it.each(["recovered first", "acknowledged first"])(
    "is resolved under the same dedup key once it is both, %s [D4]",
    async (order) => {
      const world = await rolledBack();
      if (order === "acknowledged first") await world.acknowledge();
      world.alarm(v2, errorRate, "OK");
      await world.reconcile();
      if (order === "recovered first") await world.acknowledge();
      await world.reconcile();
      const at = world.cloud.nowMs;
      expect(world.cloud.resolved).toEqual([
        {
          id: `resolved-${at}-${dedupKey}`,
          dedupKey,
          severity: "warning",
          summary: "checkout: over, no hold and no breach stands",
          detail: "nothing is left to do",
          at,
          action: "resolve",
        },
      ]);
      expect(new Set(world.cloud.pages.map((page) => page.dedupKey))).toEqual(new Set([dedupKey]));
      expect([world.record.openIncidents, world.record.outbox]).toEqual([[], []]);
      await world.reconcile();
      expect(world.cloud.resolved).toHaveLength(1);
    },
  );

  it("is not resolved while a page still waits: that page would open it again behind our back [D4]", async () => {
    const world = await rolledBack();
    const waiting: Page = { id: "w", dedupKey, severity: "critical", summary: "s", detail: "d", at: world.cloud.nowMs };
    const settled: RolloutRecord = { ...world.record, holds: {}, breaches: {} };
    const waits = new RecordDraft({ ...settled, outbox: [waiting] }, world.cloud.nowMs);
    resolveIncidents(waits);
    expect(waits.finish()).toBe(waits.before);
    const told = new RecordDraft(settled, world.cloud.nowMs);
    resolveIncidents(told);
    expect([told.record.openIncidents, told.record.outbox.map((page) => page.action)]).toEqual([[], ["resolve"]]);
  });

  it("is not kept open by a breach that is only recorded, and no incident resolves nothing [B13, D4]", async () => {
    const world = await rolledBack();
    const breaches = Object.fromEntries(
      Object.entries(world.record.breaches).map(([key, breach]) => [key, { ...breach, observed: true }]),
    );
    const draft = new RecordDraft({ ...world.record, holds: {}, breaches }, world.cloud.nowMs);
    resolveIncidents(draft);
    expect(draft.record.openIncidents).toEqual([]);
    const quiet = new RecordDraft({ ...world.record, holds: {}, breaches: {}, openIncidents: [] }, world.cloud.nowMs);
    resolveIncidents(quiet);
    expect(quiet.finish()).toBe(quiet.before);
  });

  it("resolves every attempt's own incident, each once [D4]", async () => {
    const world = await rolledBack();
    const others = ["tidegate/dev/checkout/other/1", dedupKey];
    const draft = new RecordDraft(
      { ...world.record, holds: {}, breaches: {}, openIncidents: others },
      world.cloud.nowMs,
    );
    resolveIncidents(draft);
    expect(draft.record.outbox.map((page) => [page.action, page.dedupKey])).toEqual([
      ["resolve", others[0]],
      ["resolve", others[1]],
    ]);
  });

  it("of what both depend on is the owner's own, and is resolved where it was told; after it the service has its own [D4]", async () => {
    const world = await failingDependency();
    const owner = "payments on call";
    change(world, { dependencyOwner: owner });
    await world.reconcile();
    for (const { alarmName, digest } of world.record.alarms) {
      const values = world.cloud.alarmValues.get(alarmName);
      if (!values || digest !== v1.digest) continue;
      world.cloud.alarmValues.set(alarmName, { ...values, points: values.points.map(({ at }) => ({ at, value: 1 })) });
    }
    world.cloud.nowMs += 60_000;
    await world.reconcile();
    expect(world.cloud.pages.map((page) => [page.dedupKey, page.owner])).toEqual([
      [`${dedupKey}/dependency`, owner],
      [dedupKey, undefined],
    ]);
    world.alarm(v2, errorRate, "OK");
    await world.acknowledge();
    await world.reconcile();
    expect(world.cloud.resolved.map((page) => [page.dedupKey, page.owner])).toEqual([
      [`${dedupKey}/dependency`, owner],
      [dedupKey, undefined],
    ]);
  });

  it("is opened before it is resolved, resolved at most once for each opening, and over whenever nothing stands [D4]", async () => {
    const action = fc.constantFrom("bad", "good", "acknowledge", "look", "pager down", "pager up", "kill");
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 14 }), async (actions) => {
        const world = await new World().rolledOutTo(25);
        const log: { readonly key: string; readonly isResolve: boolean }[] = [];
        let isDown = false;
        const look = async () => {
          world.cloud.nowMs += 60_000;
          await world
            .reconcileWith(async (call) => {
              if (call === "page before" && isDown) throw new Error("pager down");
            })
            .catch(() => {});
        };
        for (const each of [...actions, "pager up", "good", "look", "acknowledge", "look", "look"]) {
          if (each === "bad") world.alarm(v2, errorRate, "ALARM");
          if (each === "good") world.alarm(v2, errorRate, "OK");
          if (each === "acknowledge") await world.acknowledge().catch(() => {});
          if (each === "kill") await world.kill().catch(() => {});
          if (each === "pager down") isDown = true;
          if (each === "pager up") isDown = false;
          await look();
        }
        for (const { page } of world.cloud.messages) {
          log.push({ key: page.dedupKey, isResolve: page.action === "resolve" });
        }
        const isOpen = new Map<string, boolean>();
        for (const { key, isResolve } of log) {
          if (isResolve) expect(isOpen.get(key)).toBe(true);
          isOpen.set(key, !isResolve);
        }
        expect([...isOpen.values()].filter(Boolean)).toEqual([]);
      }),
      { numRuns: 25, seed: 4 },
    );
  }, 20_000);
});

const only = (objective: Objective) => aService({ objectives: [objective, healthyHosts] });
const errorRateThat = (response: "freeze") =>
  only({ name: "error-rate", indicator: "error-rate", critical: { value: 5, response } });
/** What only notifies is the hook's business where no composite can know of it: relative to the baseline. */
const reference = { kind: "baseline", form: "factor" } as const;
const errorRateThatNotifies = only({
  name: "error-rate",
  indicator: "error-rate",
  critical: { value: 2, reference, response: "notify" },
});

/** Every situation that tells people, with the runbook and the hold its page must carry. */
const situations: readonly [
  string,
  (typeof runbooks)[number],
  "with a hold" | "without a hold",
  () => Promise<World>,
][] = [
  [
    "a rollback",
    "high-error-rate",
    "with a hold",
    async () => {
      const world = await new World().rolledOutTo(25);
      world.alarm(v2, errorRate, "ALARM");
      return world;
    },
  ],
  [
    "a freeze",
    "high-error-rate",
    "with a hold",
    async () => {
      const world = await new World(errorRateThat("freeze")).rolledOutTo(25);
      world.alarm(v2, errorRate, "ALARM");
      return world;
    },
  ],
  [
    "a notice",
    "high-error-rate",
    "without a hold",
    async () => {
      const world = await new World(errorRateThatNotifies).rolledOutTo(25);
      world.alarm(v2, errorRate, "ALARM");
      return world;
    },
  ],
  [
    "a slow release",
    "high-latency",
    "with a hold",
    async () => {
      const world = await new World().rolledOutTo(25);
      world.alarm(v2, "latency-p99/warning", "ALARM");
      return world;
    },
  ],
  [
    "a sick baseline with nowhere to go",
    "no-other-release",
    "with a hold",
    async () => {
      const world = await new World().rolledOutTo(25);
      world.alarm(v1, errorRate, "ALARM");
      return world;
    },
  ],
  [
    "a lost receiver",
    "receiver-lost",
    "with a hold",
    async () => {
      const world = await new World().rolledOutTo(25);
      world.cloud.health.set(groupArn(v1), { healthyCount: 0, totalCount: 4 });
      world.alarm(v2, errorRate, "ALARM");
      return world;
    },
  ],
  ["a failing dependency", "dependency-outage", "with a hold", failingDependency],
  [
    "a canary that went silent",
    "no-data",
    "with a hold",
    async () => {
      const world = await new World().rolledOutTo(25);
      world.cloud.requestsPerMinute = { baseline: 3_000 };
      return world;
    },
  ],
  [
    "nothing measured at all",
    "no-data",
    "with a hold",
    async () => {
      const world = await new World().rolledOutTo(25);
      world.cloud.requestsPerMinute = {};
      await world.reconcile();
      world.cloud.nowMs += 15 * 60_000;
      return world;
    },
  ],
  [
    "an uncommitted opening",
    "live-above-record",
    "without a hold",
    async () => {
      const world = await new World().rolledOutTo(10);
      world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 50, [groupArn(v2)]: 50 } });
      return world;
    },
  ],
  [
    "somebody else's target group",
    "foreign-target-group",
    "with a hold",
    async () => {
      const world = await new World().rolledOutTo(10);
      world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 80, [groupArn(v2)]: 10, "arn:x": 10 } });
      return world;
    },
  ],
  [
    "a lowering that nobody explained",
    "unexplained-lowering",
    "with a hold",
    async () => {
      const world = await new World().rolledOutTo(25);
      world.cloud.rules.set(mainRule, { weights: { [groupArn(v1)]: 95, [groupArn(v2)]: 5 } });
      return world;
    },
  ],
  [
    "a kill",
    "killed",
    "with a hold",
    async () => {
      const world = await new World().rolledOutTo(25);
      await world.kill();
      return world;
    },
  ],
  [
    "a rollback after the finish",
    "high-error-rate",
    "with a hold",
    async () => {
      const world = await new World().rolledOutTo(100);
      await world.wait(7 * 24 * 60);
      await world.must(world.up({ baseline: v2 }));
      world.alarm(v2, errorRate, "ALARM");
      return world;
    },
  ],
];

describe("a page", () => {
  it.each(situations)("of %s links the runbook %s, %s [D4, D8]", async (_title, runbook, hold, arrange) => {
    const world = await arrange();
    await world.reconcile();
    const [page, ...others] = world.cloud.pages;
    expect([page?.runbook, others.length]).toEqual([runbook, 0]);
    expect(page?.holdId).toBe(hold === "with a hold" ? Object.keys(world.record.holds)[0] : undefined);
    if (page?.holdId !== undefined) expect(world.cloud.snapshots.has(`checkout/${page.holdId}`)).toBe(true);
  });
});
