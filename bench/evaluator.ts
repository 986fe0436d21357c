/**
 * What one sample costs our alarm evaluator and `promtool test rules`: one rule on the same two series, minute by minute, that fires in the
 * last minutes of each. Both are asked whether it fired, in every run. What promtool takes to start is measured with ten samples and taken off.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatch } from "../rehearsal/cloudwatch/cloudwatch.ts";
import { machine, median } from "./machine.ts";

/** A week of minutes. */
const minutes = 10_080;
const fewMinutes = 10;
const repetitions = 5;
const badMinutes = 5;
const requests = 600;
const errors = { healthy: 3, bad: 60 } as const;
const series = 2;
const startAt = Date.UTC(2026, 0, 5);

const alarm = {
  name: "error-rate",
  comparisonOperator: "GreaterThanThreshold",
  threshold: 5,
  evaluationPeriods: 3,
  datapointsToAlarm: 3,
  treatMissingData: "notBreaching",
  metricQueries: [
    { id: "rate", expression: "100 * errors / requests", label: "errors", returnData: true },
    ...["errors", "requests"].map((id) => ({
      id,
      returnData: false,
      metric: { namespace: "Bench", metricName: id, dimensions: { service: "checkout" }, period: 60, stat: "Sum" },
    })),
  ],
};

/** Microseconds of CPU a sample. */
function ours(count: number): number {
  const before = process.cpuUsage();
  const cloudWatch = new CloudWatch();
  const dimensions = { service: "checkout" };
  const [failed, all] = ["errors", "requests"].map((name) => cloudWatch.metrics.series("Bench", name, dimensions));
  cloudWatch.putMetricAlarm(alarm, startAt);
  let state = "INSUFFICIENT_DATA";
  for (let minute = 0; minute < count; minute += 1) {
    const at = startAt + minute * 60_000;
    failed?.put(at, minute < count - badMinutes ? errors.healthy : errors.bad, at);
    all?.put(at, requests, at);
    for (const change of cloudWatch.evaluateAt(at + 60_000)) state = change.state;
  }
  if (state !== "ALARM") throw new Error(`our evaluator ended in ${state}; expected ALARM`);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (count * series);
}

/** Microseconds of CPU that promtool takes for a test of so many minutes, whole process. */
function promtool(folder: string, count: number): number {
  const labels = { service: "checkout" };
  const rules = {
    groups: [
      { name: "bench", rules: [{ alert: "ErrorRate", expr: "100 * errors / requests > 5", for: "2m", labels: {} }] },
    ],
  };
  const healthy = `${errors.healthy}+0x${count - badMinutes - 1} ${errors.bad}+0x${badMinutes - 1}`;
  const test = {
    rule_files: ["rules.yml"],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: [
          { series: 'errors{service="checkout"}', values: healthy },
          { series: 'requests{service="checkout"}', values: `${requests}+0x${count - 1}` },
        ],
        alert_rule_test: [
          { eval_time: `${count - 1}m`, alertname: "ErrorRate", exp_alerts: [{ exp_labels: labels }] },
          { eval_time: `${count - badMinutes - 1}m`, alertname: "ErrorRate", exp_alerts: [] },
        ],
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(join(folder, "rules.yml"), JSON.stringify(rules));
  writeFileSync(join(folder, "test.yml"), JSON.stringify(test));
  // The shell tells what its children took; Node does not.
  const run = spawnSync("bash", ["-c", "promtool test rules test.yml >&2; code=$?; times; exit $code"], {
    cwd: folder,
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(`promtool ended with ${run.status}: ${run.stderr}`);
  const children = run.stdout.trim().split("\n").at(-1) ?? "";
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(([, mins, secs]) => Number(mins) * 60 + Number(secs));
  return seconds.reduce((sum, each) => sum + each, 0) * 1e6;
}

/** CPU time a sample, pair by pair. Unit: microseconds. */
export interface EvaluatorCost {
  readonly ours: readonly number[];
  readonly promtool: readonly number[];
}

/** @returns undefined where promtool is not on PATH */
export function measureEvaluator(): EvaluatorCost | undefined {
  if (spawnSync("promtool", ["--version"]).error) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "tidegate-bench-"));
  try {
    ours(minutes); // warm, as in a backtest
    const own: number[] = [];
    const theirs: number[] = [];
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      own.push(ours(minutes));
      const started = promtool(folder, fewMinutes);
      theirs.push((promtool(folder, minutes) - started) / ((minutes - fewMinutes) * series));
    }
    return { ours: own, promtool: theirs };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Prints `## Evaluator` of docs/benchmarks.md: `npm run bench -- evaluator`. */
export function printEvaluator(): void {
  const cost = measureEvaluator();
  if (!cost) {
    console.log("promtool is not on PATH; nothing was measured");
    return;
  }
  const version = spawnSync("promtool", ["--version"], { encoding: "utf8" });
  const [told = ""] = /promtool, version \S+/.exec(`${version.stdout}${version.stderr}`) ?? [];
  const shown = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(", ");
  const ratios = cost.ours.map((value, pair) => value / (cost.promtool[pair] ?? Number.NaN));
  console.log(`${machine()}; ${told}; ${minutes} minutes of ${series} series, ${repetitions} pairs, CPU time a sample`);
  console.log("");
  console.log("| what | median | all |");
  console.log("|---|---|---|");
  console.log(`| our evaluator | ${median(cost.ours).toFixed(2)} µs | ${shown(cost.ours)} |`);
  console.log(`| \`promtool test rules\` | ${median(cost.promtool).toFixed(2)} µs | ${shown(cost.promtool)} |`);
  console.log(`| ours against promtool | ${median(ratios).toFixed(3)} × | ${shown(ratios)} |`);
}
