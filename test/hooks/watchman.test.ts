/** The watchman: what the hook should have done and has not, told in words while it is fresh, and silence while all is well (D4). */
import { describe, expect, it } from "vitest";
import { drillService } from "../../core/naming.ts";
import { RecordUnreadableError } from "../../hooks/ports.ts";
import { watch } from "../../hooks/watchman.ts";
import { change, exposed, lookedAfter, minute } from "../helpers/watched-world.ts";
import { World } from "../helpers/world.ts";

/** As the hook's self-test leaves an environment; a drill is due in a week. */
function armed(world: World): World {
  world.cloud.drill = { armedAt: world.cloud.nowMs };
  return world;
}

describe("a hook that does not look", () => {
  it("is found after five minutes without a heartbeat [D4]", async () => {
    const world = await armed(new World()).rolledOutTo(10);
    expect(await lookedAfter(world, 5, { isHookAlive: false })).toEqual([]);
    expect(await lookedAfter(world, 1, { isHookAlive: false })).toEqual([
      "checkout: nobody has looked at it for 6 min",
    ]);
  });

  it("is found where it never looked at all, and not where there is nothing to look at [D4]", async () => {
    const world = await armed(new World()).rolledOutTo(10);
    world.cloud.heartbeats.clear();
    expect(await lookedAfter(world, 6, { isHookAlive: false })).toHaveLength(1);
    const young = armed(new World());
    await young.must(young.up());
    expect(await lookedAfter(young, 6, { isHookAlive: false })).toEqual([]);
    await young.must(young.up({ retire: true }));
    expect(await lookedAfter(young, 60, { isHookAlive: false })).toEqual([]);
  });
});

describe("a record that cannot be read", () => {
  const halfHour = 30 * minute;
  const unreadable = (detail: string, since: number) => ({
    service: "checkout",
    summary: "checkout: its record cannot be read, so nothing would lower it",
    detail,
    runbook: "record-unreadable",
    since,
  });

  it("is found by name, for nothing would lower it [B11, D4]", async () => {
    const world = await armed(new World()).rolledOutTo(10);
    world.cloud.nowMs = Math.ceil(world.cloud.nowMs / halfHour) * halfHour;
    const since = world.cloud.nowMs;
    world.cloud.recordFailure = new RecordUnreadableError("record of checkout: schema 2; expected 1");
    world.cloud.nowMs += 1_000;
    const findings = await watch(world.cloud.ports("watchman"));
    expect(findings).toEqual([unreadable("record of checkout: schema 2; expected 1", since)]);
    expect(world.cloud.pages.map((page) => [page.dedupKey, page.runbook])).toEqual([
      ["tidegate/dev/checkout/watchman/record-unreadable", "record-unreadable"],
    ]);
  });

  it("is found where the service is listed and has no record at all [B11, D4]", async () => {
    const world = await armed(new World()).rolledOutTo(10);
    const ports = world.cloud.ports("watchman");
    const records = { ...ports.records, read: async () => undefined };
    const since = Math.floor(world.cloud.nowMs / halfHour) * halfHour;
    expect(await watch({ ...ports, records })).toEqual([
      unreadable("it is listed, and its record is gone; restore the table", since),
    ]);
  });

  it("counts every minute, and says its words only as each half hour begins [B11, D4, D7]", async () => {
    const world = await armed(new World()).rolledOutTo(10);
    world.cloud.nowMs = Math.ceil(world.cloud.nowMs / halfHour) * halfHour + 7 * minute;
    world.cloud.recordFailure = new Error("AccessDenied");
    const told: number[] = [];
    let counted = 0;
    for (let passed = 7; passed < 67; passed += 1) {
      const before = world.cloud.messages.length;
      counted += (await watch(world.cloud.ports("watchman"))).length;
      if (world.cloud.messages.length > before) told.push(passed);
      world.cloud.nowMs += minute;
    }
    expect([counted, told]).toEqual([60, [30, 31, 60, 61]]);
  });

  it("hides no other service's finding [B11, D4]", async () => {
    const world = await exposed();
    world.cloud.records.set("basket", "{");
    expect(await lookedAfter(world, 6)).toEqual([
      "basket: its record cannot be read, so nothing would lower it",
      expect.stringMatching(/^checkout: STILL EXPOSED at 25 %/),
    ]);
  });
});

describe("a drill", () => {
  const day = 24 * 60 * minute;

  it("is overdue eight days after the last one came through, or after the clock was armed [D4]", async () => {
    const { cloud } = new World();
    const start = cloud.nowMs;
    const found = async (now: number) => {
      cloud.nowMs = now;
      return watch(cloud.ports("watchman"));
    };
    cloud.drill = { armedAt: start };
    expect(await found(start + 8 * day)).toEqual([]);
    expect(await found(start + 8 * day + 1)).toEqual([
      {
        service: drillService,
        summary: "Tidegate dev: no drill has come through for 8 days",
        detail: "the way from alarm to page is unproven",
        runbook: "drill-missing",
        since: start + 8 * day,
      },
    ]);
    cloud.drill = { armedAt: start, startedAt: start + 7 * day, arrivedAt: start + 7 * day };
    expect(await found(start + 15 * day)).toEqual([]);
    expect(await found(start + 15 * day + 1)).toHaveLength(1);
    cloud.drill = undefined;
    const emptied = start + 365 * day;
    expect(await found(emptied)).toEqual([
      {
        service: drillService,
        summary: "Tidegate dev: the record table has not what the hook's self-test wrote; it may have been emptied",
        detail: "no service of an empty table is looked at, so nothing would lower one",
        runbook: "record-unreadable",
        since: emptied - (emptied % (30 * minute)),
      },
    ]);
  });
});

describe("telling", () => {
  it("says nothing and counts zero while all is well [D4, D7]", async () => {
    const world = await armed(new World()).rolledOutTo(25);
    const metrics: unknown[] = [];
    const ports = world.cloud.ports("watchman");
    const telemetry = { ...ports.telemetry, metric: (...said: unknown[]) => void metrics.push(said) };
    expect(await watch({ ...ports, telemetry })).toEqual([]);
    expect([metrics, world.cloud.messages]).toEqual([[["WatchmanFindings", 0]], []]);
  });

  it("tells words once while it is fresh, and counts for as long as it stands [D4, D7]", async () => {
    const world = await exposed();
    const counted: number[] = [];
    const told: number[] = [];
    for (let passed = 1; passed <= 12; passed += 1) {
      world.cloud.nowMs += minute;
      world.cloud.heartbeats.set("checkout", world.cloud.nowMs);
      const ports = world.cloud.ports("watchman");
      const metric = (name: string, value: number) => {
        if (name === "WatchmanFindings" && value > 0) counted.push(passed);
      };
      const before = world.cloud.messages.length;
      await watch({ ...ports, telemetry: { ...ports.telemetry, metric } });
      if (world.cloud.messages.length > before) told.push(passed);
    }
    expect(counted).toEqual([6, 7, 8, 9, 10, 11, 12]);
    expect(told).toEqual([6]);
  });

  it("tries every finding, counts first, and fails when one could not be told [D4]", async () => {
    const world = await exposed();
    world.cloud.nowMs += 6 * minute;
    world.cloud.heartbeats.set("checkout", world.cloud.nowMs - 6 * minute);
    const ports = world.cloud.ports("watchman");
    const said: string[] = [];
    const failing = {
      ...ports,
      telemetry: { ...ports.telemetry, metric: (name: string, value: number) => void said.push(`${name} ${value}`) },
      pager: {
        send: async ({ page }: { page: { summary: string } }) => {
          said.push(page.summary);
          return { deliveredTo: [], failed: [{ channel: "sns", isRequired: true, error: new Error("topic gone") }] };
        },
      },
    };
    await expect(watch(failing)).rejects.toThrow(/^topic gone$/);
    expect(said).toEqual([
      "WatchmanFindings 2",
      "checkout: nobody has looked at it for 6 min",
      expect.stringMatching(/^checkout: STILL EXPOSED/),
    ]);
  });

  it("looks at the others though one service cannot be looked at, and fails in the end [D4]", async () => {
    for (const fails of ["rules", "alarms", "read heartbeat"]) {
      const world = await exposed();
      change(world, {});
      world.cloud.records.set("basket", JSON.stringify({ ...world.record, service: "basket" }));
      world.cloud.nowMs += 6 * minute;
      for (const service of ["basket", "checkout"]) world.cloud.heartbeats.set(service, world.cloud.nowMs);
      let calls = 0;
      const counted: number[] = [];
      const ports = world.cloud.ports("watchman", async (call) => {
        if (call === `${fails} before` && ++calls === 1) throw new Error(`${fails}: denied`);
      });
      const metric = (_name: string, value: number) => void counted.push(value);
      await expect(watch({ ...ports, telemetry: { ...ports.telemetry, metric } }), fails).rejects.toThrow(
        `basket: ${fails}: denied`,
      );
      const others = fails === "read heartbeat" ? ["basket", "checkout"] : ["checkout"];
      expect(
        world.cloud.pages.map((page) => page.summary.replace(/ at .*/, "")),
        fails,
      ).toEqual(others.map((service) => `${service}: STILL EXPOSED`));
      expect(counted, fails).toEqual([others.length]);
    }
  });

  it("writes nothing: no record, no rule, no heartbeat [D4]", async () => {
    const world = await exposed();
    const calls = new Set<string>();
    world.cloud.nowMs += 6 * minute;
    await watch(world.cloud.ports("watchman", async (call) => void calls.add(call.replace(/ (before|after)$/, ""))));
    expect([...calls].sort()).toEqual([
      "alarms",
      "list",
      "page",
      "read drill",
      "read heartbeat",
      "read record",
      "rules",
    ]);
  });
});
