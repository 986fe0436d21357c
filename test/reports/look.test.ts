/** One look of the deployed function, in virtual time: what is due goes out once, to everybody, or it fails loudly (D6). */
import { describe, expect, it } from "vitest";
import type { SloReport } from "../../core/slo-report.ts";
import { Redaction } from "../../hooks/aws/redaction.ts";
import { makeReporter } from "../../reports/handler.ts";
import { type LookPorts, look } from "../../reports/look.ts";
import type { ReportMarks } from "../../reports/marks.ts";
import type { ReportSource } from "../../reports/sources/source.ts";
import { v2, World } from "../helpers/world.ts";

const minute = 60_000;
const hour = 60 * minute;

/** Marks in memory, with the claims of the real ones. */
function memoryMarks() {
  let armed: number | undefined;
  const sent = new Map<string, Set<string>>();
  const claims = new Map<string, number>();
  const marks: ReportMarks = {
    armedAt: async (now) => (armed ??= now),
    deliveredTo: async (id) => sent.get(id) ?? new Set(),
    async claim(id, now) {
      if ((claims.get(id) ?? 0) >= now) return false;
      claims.set(id, now + 10 * minute);
      return true;
    },
    release: async (id) => void claims.delete(id),
    markDelivered: async (id, channel) => void sent.set(id, (sent.get(id) ?? new Set()).add(channel)),
  };
  return { marks, claims };
}

const figures: ReportSource = {
  counts: async ({ from, to }) =>
    Array.from({ length: Math.floor((to - from) / hour) }, (_, index) => ({
      at: from + index * hour,
      seconds: 3_600,
      requests: 1_000,
      errors: 1,
    })),
  days: async () => ({ values: {}, gaps: [] }),
};

function deployed(world: World, source: () => ReportSource = () => figures) {
  const got: string[] = [];
  const reports: SloReport[] = [];
  const broken = new Set<string>();
  const channel = (name: string) => ({
    name,
    async send(report: SloReport) {
      if (broken.has(name)) throw new Error(`${name} is down`);
      got.push(`${report.kind} ${report.label} by ${name}`);
      reports.push(report);
    },
  });
  const { marks, claims } = memoryMarks();
  const ports: LookPorts = {
    environment: "dev",
    records: world.cloud.ports("report").records,
    marks,
    channels: [channel("e-mail"), channel("slack")],
    sourceOf: source,
    now: () => world.cloud.nowMs,
  };
  return { ports, got, reports, broken, claims };
}

/** On a Wednesday, 2026-01-07, with a service. */
async function aWorld() {
  const world = new World();
  await world.must(world.up());
  const promises = {
    objectives: [
      { name: "availability", indicator: "availability", target: 99.9 },
      { name: "p95", indicator: "latency-p95", target: 300 },
    ],
    budgetPeriodDays: 28,
  };
  world.cloud.records.set("checkout", JSON.stringify({ ...world.record, promises }));
  world.cloud.nowMs = Date.UTC(2026, 0, 7, 12);
  return world;
}

describe("a look", () => {
  it("sends the week once on Monday from 09:00 on, and nothing of the time before it was deployed [D6]", async () => {
    const world = await aWorld();
    const { ports, got } = deployed(world);
    for (; world.cloud.nowMs < Date.UTC(2026, 0, 12, 9); world.cloud.nowMs += 15 * minute)
      expect(await look(ports)).toEqual([]);
    expect(await look(ports)).toEqual(["week/2026-W02 to e-mail", "week/2026-W02 to slack"]);
    expect(await look(ports)).toEqual([]);
    for (; world.cloud.nowMs < Date.UTC(2026, 0, 19, 10); world.cloud.nowMs += 15 * minute) await look(ports);
    expect(got).toEqual([
      "week 2026-W02 by e-mail",
      "week 2026-W02 by slack",
      "week 2026-W03 by e-mail",
      "week 2026-W03 by slack",
    ]);
  });

  it("sends the quarter on the first day of the next [D6]", async () => {
    const world = await aWorld();
    const { ports, got } = deployed(world);
    await look(ports);
    world.cloud.nowMs = Date.UTC(2026, 3, 1, 9);
    expect(await look(ports)).toEqual(["quarter/2026-Q1 to e-mail", "quarter/2026-Q1 to slack"]);
    expect(got).toEqual(["quarter 2026-Q1 by e-mail", "quarter 2026-Q1 by slack"]);
  });

  it("sends a rollout's report once its last minutes are in [D6]", async () => {
    const world = await aWorld();
    const { ports, got, reports } = deployed(world);
    await look(ports);
    await world.rolledOutTo(10);
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    expect(world.live(v2)).toBe(0);
    expect(await look(ports)).toEqual([]);
    world.cloud.nowMs += 15 * minute;
    expect(await look(ports)).toHaveLength(2);
    expect(got).toEqual(["rollout checkout 2.0.0 by e-mail", "rollout checkout 2.0.0 by slack"]);
    expect(reports[0]?.services.map(({ service, figures: { rolledBack } }) => [service, rolledBack])).toEqual([
      ["checkout", 1],
    ]);
    world.cloud.nowMs += hour;
    expect(await look(ports)).toEqual([]);
  });

  it("sends the e-mail though Slack is down, fails, and tries Slack alone again [D6]", async () => {
    const world = await aWorld();
    const { ports, got, broken } = deployed(world);
    await look(ports);
    world.cloud.nowMs = Date.UTC(2026, 0, 12, 9);
    broken.add("slack");
    await expect(look(ports)).rejects.toThrow(
      "reports: 1 failed, tried again at the next look:\n  report week/2026-W02 to slack: slack is down",
    );
    expect(got).toEqual(["week 2026-W02 by e-mail"]);
    broken.clear();
    world.cloud.nowMs += 15 * minute;
    expect(await look(ports)).toEqual(["week/2026-W02 to slack"]);
  });

  it("gives up on a report after 24 hours [D6]", async () => {
    const world = await aWorld();
    const { ports, broken } = deployed(world);
    await look(ports);
    broken.add("slack").add("e-mail");
    world.cloud.nowMs = Date.UTC(2026, 0, 13, 8, 59);
    await expect(look(ports)).rejects.toThrow("week/2026-W02");
    world.cloud.nowMs = Date.UTC(2026, 0, 13, 9);
    expect(await look(ports)).toEqual([]);
  });

  it("leaves a report to a run that is at it, and takes it over from one that died [D6]", async () => {
    const world = await aWorld();
    const { ports, claims } = deployed(world);
    await look(ports);
    world.cloud.nowMs = Date.UTC(2026, 0, 12, 9);
    claims.set("week/2026-W02", world.cloud.nowMs + 10 * minute);
    expect(await look(ports)).toEqual([]);
    world.cloud.nowMs += 15 * minute;
    expect(await look(ports)).toHaveLength(2);
  });

  it("two runs at once send once [D6]", async () => {
    const world = await aWorld();
    const { ports, got } = deployed(world);
    await look(ports);
    world.cloud.nowMs = Date.UTC(2026, 0, 12, 9);
    await Promise.all([look(ports), look(ports)]);
    expect(got).toEqual(["week 2026-W02 by e-mail", "week 2026-W02 by slack"]);
  });

  it("sends with what could not be read named, and not at all where nothing could [D6]", async () => {
    const world = await aWorld();
    const down = () => {
      throw new Error("CloudWatch is down");
    };
    const { ports, reports } = deployed(world, down);
    await look(ports);
    world.cloud.nowMs = Date.UTC(2026, 0, 12, 9);
    await look(ports);
    expect(reports[0]?.services[0]?.gaps.slice(0, 2)).toEqual([
      "requests and errors: CloudWatch is down",
      "values by the day: CloudWatch is down",
    ]);
    world.cloud.nowMs = Date.UTC(2026, 0, 19, 9);
    world.cloud.recordFailure = new Error("denied");
    await expect(look(ports)).rejects.toThrow("report week/2026-W03: nothing could be read: checkout: denied");
  });
});

describe("the handler", () => {
  it("logs each report, and throws without secrets what failed [D6]", async () => {
    const world = await aWorld();
    const { ports, broken } = deployed(world);
    const redaction = new Redaction(["s3cret-webhook"]);
    const lines: string[] = [];
    const run = makeReporter(
      () => ports,
      redaction,
      (line) => lines.push(line),
    );
    await run();
    world.cloud.nowMs = Date.UTC(2026, 0, 12, 9);
    await run();
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      ["e-mail", "slack"].map((name) => ({
        level: "INFO",
        message: "report sent",
        report: `week/2026-W02 to ${name}`,
      })),
    );
    broken.add("e-mail");
    world.cloud.recordFailure = new Error("s3cret-webhook");
    world.cloud.nowMs = Date.UTC(2026, 0, 19, 9);
    await expect(run()).rejects.toThrow("nothing could be read: checkout: [redacted]");
  });
});
