/**
 * `npm run bench`: the three times that are promised, each the median of five, on the machine it names. Exit code 1 when one is
 * missed. The ten days and the decision run here; the first minute is a process of its own, as a newcomer starts it.
 */
import "../core/stack-traces.ts";
import { spawn } from "node:child_process";
import { cpus, hostname, totalmem } from "node:os";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { decide } from "../core/decide.ts";
import type { Observation } from "../core/observation.ts";
import { planPresets } from "../core/plans.ts";
import type { RolloutRecord } from "../core/record.ts";
import { observe } from "../hooks/observe.ts";
import { makeLocalCloud } from "../rehearsal/cloud/local-cloud.ts";
import { builtInScenarios, rehearse, startAt } from "../rehearsal/index.ts";
import { rehearsalConfig } from "../rehearsal/run/table-config.ts";
import { rateAt } from "../rehearsal/traffic/traffic.ts";

const repetitions = 5;
const decisionsPerRepetition = 2_000;

interface Measured {
  readonly what: string;
  readonly unit: "s" | "µs";
  readonly bound: number;
  readonly values: readonly number[];
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
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

/** A record and an observation as the hook meets them, with every alarm of the canary speaking: the longest decision there is. */
async function busyMoment(): Promise<{ record: RolloutRecord; seen: Observation; now: number }> {
  const [service] = rehearsalConfig.services;
  if (!service) throw new Error("the bench has no service");
  const cloud = makeLocalCloud({
    seed: 1,
    startAt,
    ratePerSecondAt: (at) => rateAt(at),
    hook: "on",
    hostsPerGroup: 4,
    hostsReadyAfterSeconds: 0,
  });
  for (const wavePercent of [0, 5]) {
    await cloud.advanceTo(cloud.now() + 180_000);
    await cloud.up({ ...rehearsalConfig, services: [{ ...service, wavePercent }] }, "bench");
  }
  await cloud.advanceTo(cloud.now() + 660_000);
  const record = cloud.record(service.name);
  if (record?.canary?.exposurePercent !== 5) throw new Error("the canary of the bench did not open");
  const { digest } = record.canary;
  const { observation } = await observe(cloud.ports, record);
  const alarms = record.alarms.map((alarm) => ({
    alarmName: alarm.alarmName,
    state: alarm.digest === digest ? ("ALARM" as const) : ("OK" as const),
  }));
  return { record, seen: { ...observation, alarms }, now: cloud.now() };
}

/** Unit: microseconds a decision. */
async function oneDecision(moment: Awaited<ReturnType<typeof busyMoment>>): Promise<number> {
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

function printTable(measured: readonly Measured[]): void {
  const [cpu] = cpus();
  console.log(
    `${hostname()}: ${cpus().length} × ${cpu?.model.trim() ?? "unknown CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform}`,
  );
  console.log("");
  console.log(`| what | median of ${repetitions} | bound | all | |`);
  console.log("|---|---|---|---|---|");
  for (const { what, unit, bound, values } of measured) {
    const shown = (value: number) => `${value.toFixed(unit === "s" ? 2 : 1)} ${unit}`;
    const verdict = median(values) < bound ? "ok" : "MISSED";
    console.log(
      `| ${what} | ${shown(median(values))} | ${bound} ${unit} | ${values.map(shown).join(", ")} | ${verdict} |`,
    );
  }
}

const moment = await busyMoment();
await oneDecision(moment); // warm: the hook's process decides every minute, too
const measured: readonly Measured[] = [
  { what: "one decision", unit: "µs", bound: 100, values: await repeated(() => oneDecision(moment)) },
  { what: "ten days of `steady`, 50 requests/s", unit: "s", bound: 5, values: await repeated(tenDays) },
  { what: "the first minute (`npm start`)", unit: "s", bound: 15, values: await repeated(firstMinute) },
];
printTable(measured);
process.exitCode = measured.every(({ values, bound }) => median(values) < bound) ? 0 : 1;
