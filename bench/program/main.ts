/**
 * Prints `## Program` of docs/benchmarks.md: `npm run bench -- program`, or with sizes of one's own, `npm run bench -- program 1 10`, and fewer
 * pairs where one takes minutes, `npm run bench -- program 300 pairs=1`.
 */
import { machine, median } from "../machine.ts";
import { type Figure, measureProgram, type ProgramCost, ratiosOf } from "./measure.ts";
import { boundAt, sizes } from "./sizes.ts";

const usualPairs = 5;
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
 * @param asked sizes, and `pairs=N`. @default all of `sizes`, five pairs
 * @throws TypeError for anything else
 */
export async function printProgram(asked: readonly string[]): Promise<void> {
  const strangers = asked.filter((word) => !/^(?:pairs=)?[1-9]\d{0,3}$/.test(word));
  if (strangers.length > 0) {
    throw new TypeError(`program: got ${strangers.join(", ")}; expected numbers of services, and pairs=N at most once`);
  }
  const pairs = Number(asked.find((word) => word.startsWith("pairs="))?.slice(6) ?? usualPairs);
  const own = asked.filter((word) => !word.startsWith("pairs=")).map(Number);
  console.log(`${machine()}; median of ${pairs} pairs of processes`);
  console.log("");
  console.log(
    "| services | resources | what | ours | bare | ratio | lowest to highest | bound | ratio with stacks spared |",
  );
  console.log("|---|---|---|---|---|---|---|---|---|");
  for (const services of own.length > 0 ? own : sizes) {
    const cost = await measureProgram(services, pairs);
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
