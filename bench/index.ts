/**
 * `npm run bench`: what is promised, each a median on the machine it names. Exit code 1 when a bound is missed. The ten days and the
 * decision run here; the first minute, cold rollbacks, kills and servers with request metrics are processes of their own, as they are for a
 * newcomer, for Lambda, for an operator and for an application.
 */
import "../core/stack-traces.ts";
import { spawn } from "node:child_process";
import { cpus, hostname, totalmem } from "node:os";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { decide } from "../core/decide.ts";
import { planPresets } from "../core/plans.ts";
import { maximumBundleBytes } from "../hooks/bundle.ts";
import { builtInScenarios, rehearse } from "../rehearsal/index.ts";
import { rehearsalConfig } from "../rehearsal/run/table-config.ts";
import { type BusyMoment, busyMoment } from "./busy-moment.ts";
import { type FrameworkCost, measureClient, ownMicroseconds } from "./client.ts";
import { type ColdPath, type ColdRun, measureColdPath } from "./cold-path.ts";
import { measureEvaluator, printEvaluator } from "./evaluator.ts";
import { type KillTimes, measureKill } from "./kill.ts";
import { median } from "./machine.ts";
import { type Figure, measureProgram, ratiosOf } from "./program/measure.ts";
import { boundAt } from "./program/sizes.ts";

const repetitions = 5;
const decisionsPerRepetition = 2_000;

type Unit = "s" | "ms" | "µs" | "×" | "kB";

interface Measured {
  readonly what: string;
  readonly unit: Unit;
  /** Most the median may be. @default none: it is told, not judged */
  readonly bound?: number;
  readonly values: readonly number[];
}

async function repeated(run: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition += 1) values.push(await run());
  return values;
}

/** A healthy release through all of `steady`: three days, then a week at 100 %. Unit: seconds. */
async function tenDays(): Promise<number> {
  const startedAt = performance.now();
  const report = await rehearse({
    config: rehearsalConfig,
    stack: "bench",
    scenario: builtInScenarios.healthy,
    plan: planPresets.steady,
    aftermath: false,
  });
  if (report.outcome !== "completed" || report.virtualSeconds < 10 * 86_400) {
    throw new Error(`the ten days came to ${report.outcome} after ${report.virtualSeconds} s; nothing was measured`);
  }
  return (performance.now() - startedAt) / 1_000;
}

/** Unit: microseconds a decision. */
async function oneDecision(moment: BusyMoment): Promise<number> {
  const startedAt = performance.now();
  let revisions = 0;
  for (let index = 0; index < decisionsPerRepetition; index += 1) {
    revisions += decide(moment.record, moment.seen, moment.now).record.revision;
  }
  const microseconds = ((performance.now() - startedAt) * 1_000) / decisionsPerRepetition;
  if (revisions !== decisionsPerRepetition * (moment.record.revision + 1))
    throw new Error("the decision changed nothing");
  return microseconds;
}

/** `npm start` without npm. Unit: seconds. */
function firstMinute(): Promise<number> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["cli/tidegate.mjs", "story"], { cwd: root, stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0
        ? resolve((performance.now() - startedAt) / 1_000)
        : reject(new Error(`the first minute ended with ${code}`)),
    );
  });
}

const decimals: Readonly<Record<Unit, number>> = { s: 2, ms: 0, µs: 1, "×": 2, kB: 0 };

function printTable(measured: readonly Measured[]): void {
  const [cpu] = cpus();
  console.log(
    `${hostname()}: ${cpus().length} × ${cpu?.model.trim() ?? "unknown CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform}`,
  );
  console.log("");
  console.log("| what | median | bound | all | |");
  console.log("|---|---|---|---|---|");
  for (const each of measured) {
    const { what, unit, bound, values } = each;
    const shown = (value: number) => `${value.toFixed(decimals[unit])} ${unit}`;
    const verdict = bound === undefined ? "" : isKept(each) ? "ok" : "MISSED";
    const told = bound === undefined ? "–" : shown(bound);
    console.log(`| ${what} | ${shown(median(values))} | ${told} | ${values.map(shown).join(", ")} | ${verdict} |`);
  }
}

function isKept({ bound, values }: Measured): boolean {
  return bound === undefined || median(values) <= bound;
}

/** A rollback by a container that has just started; times are of this machine against answers that come at once. */
function coldRows({ hook, bare, hookBytes, watchmanBytes, bareBytes }: ColdPath): Measured[] {
  const ratios = (figure: keyof ColdRun) =>
    hook.map((run, index) => run[figure] / (bare[index]?.[figure] ?? Number.NaN));
  const times = (runs: readonly ColdRun[], figure: keyof ColdRun) => runs.map((run) => run[figure]);
  const kilobytes = (bytes: number) => [bytes / 1_000];
  return [
    {
      what: "a cold rollback, hook against bare SDK clients",
      unit: "×",
      bound: 1.1,
      values: ratios("wallMilliseconds"),
    },
    { what: "the same in CPU time", unit: "×", values: ratios("cpuMilliseconds") },
    { what: "the same, loading alone", unit: "×", values: ratios("loadMilliseconds") },
    { what: "a cold rollback, hook", unit: "ms", values: times(hook, "wallMilliseconds") },
    { what: "a cold rollback, bare SDK clients", unit: "ms", values: times(bare, "wallMilliseconds") },
    { what: "from process start to lowered rules, hook", unit: "ms", values: times(hook, "loweredMilliseconds") },
    { what: "bundle of the hook", unit: "kB", bound: maximumBundleBytes / 1_000, values: kilobytes(hookBytes) },
    { what: "bundle of the watchman", unit: "kB", bound: maximumBundleBytes / 1_000, values: kilobytes(watchmanBytes) },
    { what: "bundle of the bare SDK clients", unit: "kB", values: kilobytes(bareBytes) },
  ];
}

function killRows({ throughHook, withoutHook }: KillTimes): Measured[] {
  return [
    { what: "`tidegate kill` through the hook, whole process", unit: "ms", bound: 1_000, values: throughHook },
    { what: "`tidegate kill` without a hook, whole process", unit: "ms", bound: 1_000, values: withoutHook },
  ];
}

/** Request metrics of an application; times are of this machine, ratios of pairs in one run. */
function clientRows(costs: readonly FrameworkCost[]): Measured[] {
  const own = Array.from({ length: repetitions }, () => ownMicroseconds(100_000));
  return [
    { what: "request metrics, our own code a request", unit: "µs", bound: 2, values: own },
    ...costs.flatMap(({ framework, ratios, bareMicroseconds, measuredMicroseconds }): Measured[] => [
      { what: `a request to ${framework} with metrics, against bare, CPU time`, unit: "×", values: ratios },
      { what: `a request to ${framework} with metrics, CPU time`, unit: "µs", values: measuredMicroseconds },
      { what: `a request to bare ${framework}, CPU time`, unit: "µs", values: bareMicroseconds },
    ]),
  ];
}

/** `npm run bench -- calibration`: simulations with pages of their own, instead of the table. */
const simulations: Readonly<Record<string, () => Promise<void>>> = {
  calibration: async () => (await import("./calibration/main.ts")).printCalibration(parts),
  peers: async () => (await import("./peers/main.ts")).printPeers(),
  program: async () => (await import("./program/main.ts")).printProgram(parts),
  evaluator: async () => printEvaluator(),
  cohorts: async () => (await import("./cohorts.ts")).printCohorts(),
};
const [asked, ...parts] = process.argv.slice(2);
if (asked !== undefined) {
  const simulation = simulations[asked];
  if (!simulation) {
    throw new Error(
      `bench: no such simulation, got ${asked}; expected ${Object.keys(simulations).join(" or ")}, or nothing`,
    );
  }
  await simulation();
  process.exit();
}

/** The size that has a bound; `bench/program/main.ts` measures the others, too. */
async function programRows(): Promise<Measured[]> {
  const cost = await measureProgram(boundAt.services, repetitions);
  const row = (what: string, figure: Figure): Measured => ({
    what: `the program at ${cost.services} services, against a bare one, ${what}`,
    unit: "×",
    bound: boundAt.ratio,
    values: ratiosOf(cost, "bare", figure),
  });
  return [row("time", "wallSeconds"), row("CPU time", "cpuSeconds"), row("peak memory", "peakMegabytes")];
}

/** Without promtool there is nothing to compare with, and no row. */
function evaluatorRows(): Measured[] {
  const cost = measureEvaluator();
  if (!cost) return [];
  return [
    { what: "our alarm evaluator, CPU time a sample", unit: "µs", values: cost.ours },
    { what: "`promtool test rules`, the same", unit: "µs", values: cost.promtool },
  ];
}

const moment = await busyMoment();
await oneDecision(moment); // warm: the hook's process decides every minute, too
const measured: readonly Measured[] = [
  { what: "one decision", unit: "µs", bound: 100, values: await repeated(() => oneDecision(moment)) },
  { what: "ten days of `steady`, 50 requests/s", unit: "s", bound: 5, values: await repeated(tenDays) },
  { what: "the first minute (`npm start`)", unit: "s", bound: 15, values: await repeated(firstMinute) },
  ...coldRows(await measureColdPath()),
  ...killRows(await measureKill(repetitions)),
  ...clientRows(await measureClient(repetitions)),
  ...(await programRows()),
  ...evaluatorRows(),
];
printTable(measured);
process.exitCode = measured.every(isKept) ? 0 : 1;
