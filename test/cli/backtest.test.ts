/** `tidegate backtest` end to end: formats in, exact firings out, everything wrong named at once (E4). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { csvOf, folderWith, runBacktest } from "../backtest/recordings.ts";

/** Ten quiet hours by the minute; from 05:00 on every tenth request fails for ten minutes. */
const rows = Array.from({ length: 600 }, (_, at) => [1_000, at >= 300 && at < 310 ? 100 : 1, 0.2]);
const columns = ["requests:count", "errors:count", "latency-p95:seconds"];
const web = ["--objectives", "web", "--series", "day.csv"];

interface Firing {
  readonly from: string;
  readonly to?: string;
}

function firingsOf(out: string): Record<string, readonly Firing[]> {
  const { alarms } = JSON.parse(out) as { alarms: { key: string; firings: readonly Firing[] }[] };
  return Object.fromEntries(alarms.map(({ key, firings }) => [key, firings]));
}

const errorRate = {
  // Two bad minutes, 05:01 and 05:02, seen two minutes later.
  "error-rate/critical/60s": [{ from: "2026-01-05T05:03:00.000Z", to: "2026-01-05T05:13:00.000Z" }],
};

describe("tidegate backtest", () => {
  it("says when each alarm rang, for how long, and what could not be replayed [E4]", async () => {
    const folder = folderWith({ "day.csv": csvOf(columns, rows) });
    const ran = await runBacktest(folder, ...web, "--json");
    expect(ran).toMatchObject({ exitCode: 0, error: "" });
    expect(firingsOf(ran.out)).toMatchObject({ ...errorRate, "latency-p95/critical/60s": [] });
    const report = JSON.parse(ran.out);
    expect(report.notes).toEqual([
      "connection-errors: no series, so taken as none",
      "no labelled windows: every alarm counts as a false one",
      "less than a week: what is said of a week is drawn out of it",
    ]);
    expect(report.notReplayed[1]).toEqual({
      key: "latency-p95/warning/300s",
      why: "it looks at windows of 300 s, and day.csv/latency-p95:seconds has percentiles of 60 s, which cannot be put together. Record every 300 s",
    });
    expect(report.alarms[0].suggestion.why).toMatch(/^too short, got 0\.417 days; expected at least 10\.5/);
  });

  it("reads the same out of CloudWatch's answer, newest first and errors only where there were any [E4]", async () => {
    const at = (minute: number) => new Date(Date.parse("2026-01-05T00:00:00Z") + minute * 60_000).toISOString();
    const all = rows.map((_, minute) => minute).reverse();
    const bad = all.filter((minute) => (rows[minute]?.[1] ?? 0) > 1);
    const metricData = {
      MetricDataResults: [
        {
          Id: "m1",
          Label: "RequestCount",
          StatusCode: "Complete",
          Timestamps: all.map(at),
          Values: all.map(() => 1_000),
        },
        { Id: "m2", Label: "5XX", StatusCode: "Complete", Timestamps: bad.map(at), Values: bad.map(() => 100) },
      ],
    };
    const folder = folderWith({ "day.json": JSON.stringify(metricData) });
    const ran = await runBacktest(
      folder,
      "--objectives",
      "web",
      "--series",
      "day.json",
      "--json",
      "--map",
      "requests:count=RequestCount",
      "errors:count=day.json/5XX",
    );
    expect(ran.error).toBe("");
    expect(firingsOf(ran.out)).toMatchObject(errorRate);
    expect(JSON.parse(ran.out).notes).toContain(
      "day.json/5XX: from 2026-01-05T05:00:00.000Z to 2026-01-05T05:10:00.000Z only: outside of that it is read as none",
    );
  });

  it("reads the same out of a Prometheus range of counters, starts anew included [E4]", async () => {
    const begin = Date.parse("2026-01-05T00:00:00Z") / 1_000;
    const counted = (column: number) => {
      let total = 500;
      const values = [[begin, String(total)]];
      rows.forEach((row, minute) => {
        total = minute === 100 ? (row[column] ?? 0) : total + (row[column] ?? 0);
        values.push([begin + (minute + 1) * 60, String(total)]);
      });
      return values;
    };
    const answer = {
      status: "success",
      data: {
        resultType: "matrix",
        result: [
          { metric: { __name__: "requests_total", job: "shop" }, values: counted(0) },
          { metric: { __name__: "errors_total", job: "shop" }, values: counted(1) },
        ],
      },
    };
    const folder = folderWith({ "range.json": JSON.stringify(answer) });
    const ran = await runBacktest(
      folder,
      "--objectives",
      "web",
      "--series",
      "range.json",
      "--json",
      "--map",
      'requests:counter=requests_total{job="shop"}',
      'errors:counter=errors_total{job="shop"}',
    );
    expect(ran.error).toBe("");
    expect(firingsOf(ran.out)).toMatchObject(errorRate);
    expect(JSON.parse(ran.out).series[0].notes).toEqual(["its counter started anew once"]);
  });

  it("writes a page with a picture of each alarm, that loads nothing and has no script [E4]", async () => {
    const folder = folderWith({
      "day.csv": csvOf(columns, rows),
      "labels.json": '[["2026-01-05T04:55Z", "2026-01-05T05:20Z"]]',
    });
    const ran = await runBacktest(folder, ...web, "--html", "page.html", "--labels", "labels.json");
    expect(ran.exitCode).toBe(0);
    expect(ran.out).toContain(
      "  rang 2026-01-05 05:03Z for 10 min, window 1\n  window 1, 2026-01-05 04:55Z to 2026-01-05 05:20Z: seen after 8 min",
    );
    const page = readFileSync(join(folder, "page.html"), "utf8");
    expect(page.match(/<svg/g)).toHaveLength(4);
    expect(page).not.toMatch(/<script|<link|src=|href="http/);
  });

  it("names everything that is wrong at once, prints nothing and ends with 2 [E4, B11]", async () => {
    const folder = folderWith({
      "local.csv": "timestamp,value\n2026-01-05 00:00:00,1\n",
      "bad.json": "{}",
      "labels.json": "[[1, 2]]",
    });
    const ran = await runBacktest(
      folder,
      "--objectives",
      "wbe",
      "--series",
      "local.csv",
      "bad.json",
      "none.csv",
      "--source",
      "prometheus",
      "--labels",
      "labels.json",
      "--period",
      "x",
    );
    expect(ran).toEqual({
      exitCode: 2,
      out: "",
      error:
        [
          "tidegate backtest: 8 problems, nothing was replayed:",
          '  --source: not watched by CloudWatch alarms, whose rules Grafana evaluates, got "prometheus"; expected alb or emf. Series out of Prometheus can be replayed with either',
          '  --period: out of range, got "x"; expected 1 to 86400',
          "  --objectives: wbe: no such file; expected a file",
          '  --objectives: no preset of that name either, got "wbe"; expected batch, web, canary-relative, migration, production',
        ].join("\n") + ran.error.slice(ran.error.indexOf("\n  local.csv")),
    });
    expect(ran.error.split("\n").slice(5)).toEqual([
      '  local.csv: 1 times without a zone, the first row 2: "2026-01-05 00:00:00"; expected one. State --zone utc, or an offset such as --zone +01:00',
      "  bad.json: neither of the two known forms, got the keys (none); expected what aws cloudwatch get-metric-data prints, or what Prometheus answers to query_range",
      "  --series: none.csv: no such file; expected a file",
      '  --labels: labels.json: not labelled windows; expected [["2026-01-05T10:00Z", "2026-01-05T11:00Z"], …], or such lists by the name of a series\' file',
    ]);
  });

  it("refuses errors without requests, and a series that nothing watches, by name [E4]", async () => {
    const folder = folderWith({
      "day.csv": csvOf(
        ["errors:count"],
        rows.map(([, errors = 0]) => [errors]),
      ),
      "cpu.csv": csvOf(
        ["cpu:percent"],
        rows.map(() => [40]),
      ),
    });
    const alone = await runBacktest(folder, ...web);
    expect(alone).toMatchObject({ exitCode: 2, out: "" });
    expect(alone.error).toContain("error-rate/critical/60s: no series for requests. Map one");
    const unwatched = await runBacktest(folder, "--objectives", "web", "--series", "cpu.csv");
    expect(unwatched.error).toContain(
      "cpu.csv/cpu:percent: nothing watches cpu-percent, got objectives that read requests, errors, ",
    );
  });

  it("never crashes on gaps, NaN, doubles and times in disorder: it answers or refuses [E4]", async () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let round = 0; round < 15; round += 1) {
      const lines = rows.flatMap(([requests = 0, errors = 0], at) => {
        if (random() < 0.02 * round) return [];
        const time =
          Date.parse("2026-01-05T00:00:00Z") + (at + (random() < 0.02 * round ? random() * 3 - 1 : 0)) * 60_000;
        const broken = ["NaN", "+Inf", "", "0"][Math.floor(random() * 4)] ?? "";
        return [`${new Date(time).toISOString()},${random() < 0.01 * round ? broken : requests},${errors}`];
      });
      const folder = folderWith({ "day.csv": ["timestamp,requests:count,errors:count", ...lines].join("\n") });
      const ran = await runBacktest(folder, ...web);
      expect([0, 2]).toContain(ran.exitCode);
      expect(ran.exitCode === 0 ? ran.error : ran.out).toBe("");
    }
  });
});
