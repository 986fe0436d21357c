/** Prints `## Program` of docs/benchmarks.md: `npm run bench -- program`, or with sizes of one's own, `npm run bench -- program 1 10`. */
import { machine, median } from "../machine.ts";
import { type Figure, measureProgram, type ProgramCost, ratiosOf } from "./measure.ts";
import { boundAt, sizes } from "./sizes.ts";

const repetitions = 5;
const figures: readonly (readonly [Figure, string, string])[] = [
  ["wallSeconds", "time", "s"],
  ["cpuSeconds", "CPU time", "s"],
  ["peakMegabytes", "peak memory", "MB"],
];

function isKept(cost: ProgramCost, figure: Figure): boolean {
  return cost.services !== boundAt.services || median(ratiosOf(cost, "bare", figure)) <= boundAt.ratio;
}

/**
 * Measures and prints; the exit code of the process becomes 1 when a bound is missed.
 * @param asked sizes. @default all of `sizes`
 */
export async function printProgram(asked: readonly string[]): Promise<void> {
  console.log(`${machine()}; median of ${repetitions} pairs of processes`);
  console.log("");
  console.log(
    "| services | resources | what | ours | bare | ratio | lowest to highest | bound | ratio with stacks spared |",
  );
  console.log("|---|---|---|---|---|---|---|---|---|");
  for (const services of asked.length > 0 ? asked.map(Number) : sizes) {
    const cost = await measureProgram(services, repetitions);
    for (const row of rowsOf(cost)) console.log(row);
    if (!figures.every(([figure]) => isKept(cost, figure))) process.exitCode = 1;
  }
}

function rowsOf(cost: ProgramCost): string[] {
  return figures.map(([figure, what, unit]) => {
    const ratios = ratiosOf(cost, "bare", figure);
    const shown = (value: number) => `${value.toFixed(unit === "MB" ? 0 : 2)} ${unit}`;
    const times = (value: number) => `${value.toFixed(2)} ×`;
    const [ours = "", bare = ""] = [cost.ours, cost.bare].map((runs) => shown(median(runs.map((run) => run[figure]))));
    const verdict = isKept(cost, figure) ? "ok" : "MISSED";
    const bound = cost.services === boundAt.services ? `${times(boundAt.ratio)} ${verdict}` : "–";
    const range = `${times(Math.min(...ratios))} to ${times(Math.max(...ratios))}`;
    const spared = times(median(ratiosOf(cost, "spared", figure)));
    const cells = [cost.services, cost.resources, what, ours, bare, times(median(ratios)), range, bound, spared];
    return `| ${cells.join(" | ")} |`;
  });
}
