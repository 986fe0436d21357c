/**
 * The docs table: what comes of every scenario under every preset, source and wave, over many seeds. Computed by running the
 * rehearsals; "cannot be seen here" is said by arithmetic (`sight.ts`), and a run that contradicts it is an error.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { type MetricSource, type ObjectivePresetName, objectivePresets } from "../../core/objectives.ts";
import { exposuresOf, type PlanPresetName, planPresets } from "../../core/plans.ts";
import {
  type BuiltInScenarioName,
  builtInScenarioNames,
  builtInScenarios,
  type Fault,
  type FaultKind,
  isRequestFault,
  requestFaultKinds,
} from "../scenarios.ts";
import { traffic } from "../traffic/constants.ts";
import { sizeFault } from "./fault-size.ts";
import { decisive, rehearseInFull } from "./rehearse.ts";
import { objectivesFor, type Sight, sightOf } from "./sight.ts";
import { rehearsalConfig } from "./table-config.ts";

export const tablePlans = ["rapid", "steady"] as const satisfies readonly PlanPresetName[];
export type TablePlan = (typeof tablePlans)[number];

/** Presets of the table: those that bound what a load balancer sees, by which its faults are sized. */
export const tablePresets = ["batch", "web"] as const satisfies readonly ObjectivePresetName[];

/** Presets that are not in the table, each with the reason. */
export const presetsNotInTable: Readonly<Record<Exclude<ObjectivePresetName, (typeof tablePresets)[number]>, string>> =
  {
    "canary-relative": "latency is bounded by the baseline's, so what is seen of a fault hangs on two releases",
    migration: "latency and memory are bounded by the baseline's, and much is judged by the hour",
    production: "the indicators of the others at other numbers; its rows were not computed",
  };

/** Sources of the table: the others are rehearsed on `emf`, and would say the same. */
export const tableSources = ["alb", "emf"] as const satisfies readonly MetricSource[];

/**
 * Scenarios that are not in the table, each with the reason. What comes of them hangs on things around the release, not on preset, source
 * and wave alone; they are in tests, and the fault matrix has their kind in full.
 */
export const notInTable: Readonly<Partial<Record<BuiltInScenarioName, string>>> = {
  "hook-failure": "what comes of it hangs on how fast a person kills, which no preset says",
  "racing-up": "the race is set up to be lost, so it says nothing about how often one is",
  "baseline-sick": "the fault is on the old release, so the canary's share in a wave changes nothing",
  "baseline-scaled-in": "how long the old release is away is the scenario's own number",
  "control-lost": "nothing is wrong with the releases, and nothing is lowered",
  "dependency-outage": "how long the dependency is away is the scenario's own number",
  "slow-burn": "no bound is passed for sure, so what is seen of it is chance",
  flapping: "when errors come and go is the scenario's own rhythm",
  "sticky-clients": "how long clients are kept is the scenario's own number",
  "region-failover": "another region goes away, which says nothing about the release",
  "peer-hold": "another region found it, and how fast is not modelled",
  "memory-leak": "it is judged by the hour, which no wave of plan rapid lasts",
  "breaker-open": "preset web alone bounds it, and no exposure changes what is seen of it",
  "dual-run-mismatch": "preset migration alone bounds it, by the hour",
  "crash-loop": "preset migration alone bounds it, and no exposure changes what is seen of it",
  "slightly-worse": "no bound is passed, so the gate sees it and no alarm does",
};
const tableScenarios = builtInScenarioNames.filter((name) => !(name in notInTable));

/** The fault of a scenario of the table: one at most, on the canary's requests. */
function requestFaultOf(scenario: BuiltInScenarioName): Fault<FaultKind> | undefined {
  const [fault] = builtInScenarios[scenario].faults;
  if (fault && !isRequestFault(fault))
    throw new Error(
      `scenario ${scenario}: not for the table, got ${fault.kind}; expected ${requestFaultKinds.join(", ")}`,
    );
  return fault;
}

/** What comes of these is what the gate makes of them: it cannot tell. Elsewhere the table asks for no longer soak than the plan's. */
const asksTheGate: ReadonlySet<BuiltInScenarioName> = new Set(["metrics-outage", "low-traffic"]);

/** Seeds of a row, from 1 on. */
export const tableSeeds: Readonly<Record<TablePlan, number>> = { rapid: 200, steady: 20 };

/** On `steady` the next wave is a day away: the first attempt is looked at this long after the fault. Unit: minutes. */
export const steadyEndAfterFaultMinutes = 90;

/** One row: what is rehearsed, without the seed. */
export interface TableCase {
  readonly plan: TablePlan;
  readonly scenario: BuiltInScenarioName;
  readonly preset: ObjectivePresetName;
  readonly source: MetricSource;
  /** The wave that the fault is in; absent where there is none. */
  readonly wavePercent?: number;
}

/** What one seed of a row came to. */
export interface TableRun {
  readonly exposurePercent: number;
  /** What closed the latch: a hold's cause or response; null without a hold. */
  readonly hold: string | null;
  /** Pages that wake somebody. */
  readonly pageCount: number;
  /** From the first bad request to the decision on the fault's own objective; null: never. */
  readonly detectionSeconds: number | null;
  /** Exposure at that decision. */
  readonly detectedAtPercent: number | null;
  readonly isFalseRollback: boolean;
}

export interface TableRow {
  readonly of: TableCase;
  /** Whether the fault can be seen in its wave, by arithmetic; absent without a fault. */
  readonly sight?: Sight;
  readonly runs: readonly TableRun[];
}

/** All rows, in the order of the table. */
export function tableCases(): TableCase[] {
  const cases: TableCase[] = [];
  for (const plan of tablePlans) {
    for (const scenario of tableScenarios) {
      const hasFault = builtInScenarios[scenario].faults.length > 0;
      const waves = hasFault ? exposuresOf(planPresets[plan]) : [undefined];
      for (const preset of tablePresets) {
        for (const source of tableSources) {
          for (const wavePercent of waves)
            cases.push({ plan, scenario, preset, source, ...(wavePercent === undefined ? {} : { wavePercent }) });
        }
      }
    }
  }
  return cases;
}

/** Whether the row's fault can be seen in its wave; `undefined` without a fault. */
export function sightOfCase(of: TableCase): Sight | undefined {
  const fault = requestFaultOf(of.scenario);
  if (!fault || of.wavePercent === undefined) return undefined;
  const objectives = objectivePresets[of.preset];
  const sized = sizeFault(fault, { name: "checkout", objectives, source: of.source }, "canary");
  return sightOf({
    kind: fault.kind,
    magnitude: sized.magnitude,
    objectives,
    source: of.source,
    exposurePercent: of.wavePercent,
    ratePerSecond: traffic.meanRatePerSecond,
  });
}

/** One rehearsal of a row. */
export async function runCase(of: TableCase, seed: number): Promise<TableRun> {
  const scenario = builtInScenarios[of.scenario];
  const { report, finalExposurePercent, detections, pagesOfFirstAttempt, exposureAt } = await rehearseInFull({
    config: rehearsalConfig,
    stack: "table",
    scenario,
    seed,
    plan: planPresets[of.plan],
    objectives: objectivePresets[of.preset],
    source: of.source,
    ...(of.wavePercent === undefined ? {} : { faultWavePercent: of.wavePercent }),
    ...(of.plan === "steady" && of.wavePercent !== undefined
      ? { endAfterFaultMinutes: steadyEndAfterFaultMinutes }
      : {}),
    compareWithoutHook: false,
    aftermath: false,
    ...(asksTheGate.has(of.scenario) ? {} : { overrideReason: "the table asks what comes of a fault" }),
  });
  const fault = requestFaultOf(of.scenario);
  const own = fault ? objectivesFor(fault.kind, objectivePresets[of.preset]) : [];
  const seen = decisive(detections.filter(({ breach }) => breach === undefined || own.includes(breach.objective)));
  const faultAt = report.faultAt === null ? undefined : Date.parse(report.faultAt);
  return {
    exposurePercent: finalExposurePercent,
    hold: report.hold === null ? null : report.hold.cause === "breach" ? report.hold.response : report.hold.cause,
    pageCount: pagesOfFirstAttempt.filter((page) => page.severity === "critical").length,
    detectionSeconds: seen && faultAt !== undefined ? Math.round((seen.at - faultAt) / 1_000) : null,
    detectedAtPercent: seen && fault ? exposureAt(seen.at) : null,
    isFalseRollback: report.falseRollback,
  };
}

export interface TableOptions {
  /** @default as `tableSeeds` says */
  readonly mostSeeds?: number;
  /** @default every row */
  readonly cases?: readonly TableCase[];
  /** Processes beside this one. 0: here, one after another. @default one a core, at most 2 */
  readonly processCount?: number;
}

/** Runs every row with all its seeds. The same whatever number of processes shares the work. */
export async function computeTable(options: TableOptions = {}): Promise<TableRow[]> {
  const cases = options.cases ?? tableCases();
  const seedsOf = (of: TableCase) => Math.min(tableSeeds[of.plan], options.mostSeeds ?? Number.POSITIVE_INFINITY);
  const processCount = options.processCount ?? Math.min(2, availableParallelism());
  const runs: TableRun[][] = cases.map(() => []);
  if (processCount === 0) {
    for (const [index, of] of cases.entries()) runs[index] = await runSeeds(of, seedsOf(of));
  } else {
    const waiting = cases.map((of, index) => ({ of, index, seedCount: seedsOf(of) }));
    await Promise.all(Array.from({ length: processCount }, () => shareWork(waiting, runs)));
  }
  return cases.map((of, index) => {
    const sight = sightOfCase(of);
    return { of, ...(sight ? { sight } : {}), runs: runs[index] ?? [] };
  });
}

/** Seeds 1 to `seedCount` of a row. */
export async function runSeeds(of: TableCase, seedCount: number): Promise<TableRun[]> {
  const runs: TableRun[] = [];
  for (let seed = 1; seed <= seedCount; seed += 1) runs.push(await runCase(of, seed));
  return runs;
}

/** A row given to another process. */
export interface TableTask {
  readonly of: TableCase;
  readonly index: number;
  readonly seedCount: number;
}

export type TableAnswer = { readonly index: number; readonly runs: TableRun[] } | { readonly error: string };

/** One process takes a row at a time until none waits. */
async function shareWork(waiting: TableTask[], runs: TableRun[][]): Promise<void> {
  const worker = fork(fileURLToPath(new URL("./table-worker.ts", import.meta.url)), [], {
    execArgv: ["--import", "tsx/esm"],
    serialization: "advanced",
  });
  try {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      const answer = await new Promise<TableAnswer>((resolve, reject) => {
        worker.removeAllListeners();
        worker.once("message", (message) => resolve(message as TableAnswer));
        worker.once("error", reject);
        worker.once("exit", (code) => reject(new Error(`a process of the table ended with ${code}`)));
        worker.send(task as TableTask);
      });
      if ("error" in answer) throw new Error(answer.error);
      runs[answer.index] = answer.runs;
    }
  } finally {
    worker.removeAllListeners();
    worker.kill();
  }
}
