/**
 * Our program beside a bare one with the same resources, in pairs of processes that take turns: a machine that does other things slows both.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type { ProgramRun } from "./mocks.ts";

/** What programs of one size took, run by run; runs of one place were a pair. */
export interface ProgramCost {
  readonly services: number;
  readonly resources: number;
  readonly ours: readonly ProgramRun[];
  readonly bare: readonly ProgramRun[];
  /** The bare program with as few stack frames as ours keeps: what our own code costs beside Pulumi's. */
  readonly spared: readonly ProgramRun[];
}

export type Figure = "wallSeconds" | "cpuSeconds" | "peakMegabytes";

/**
 * @param services how many a stack has
 * @param repetitions pairs
 * @throws Error when a program fails, or when both do not register the same
 */
export async function measureProgram(services: number, repetitions: number): Promise<ProgramCost> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-bench-"));
  try {
    const list = join(folder, "resources.json");
    await node("list.ts", [String(services), list]);
    const ours: ProgramRun[] = [];
    const bare: ProgramRun[] = [];
    const spared: ProgramRun[] = [];
    const runs: readonly (readonly [ProgramRun[], readonly string[]])[] = [
      [ours, ["ours", String(services)]],
      [bare, ["bare", list]],
      [spared, ["spared", list]],
    ];
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      // Whoever comes second may find a warmer or a busier machine, so they take turns.
      const inTurn = repetition % 2 === 0 ? runs : [...runs].reverse();
      for (const [into, args] of inTurn) into.push(JSON.parse(await node("run.ts", args)));
    }
    const registered = [...ours, ...bare, ...spared].map(({ resources }) => resources);
    const [first = {}] = registered;
    const strange = registered.find((resources) => !isDeepStrictEqual(resources, first));
    if (strange) throw new Error(`not the same resources: ${JSON.stringify(first)}, ${JSON.stringify(strange)}`);
    const resources = Object.values(first).reduce((sum, count) => sum + count, 0);
    return { services, resources, ours, bare, spared };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Ours against the other of each pair. */
export function ratiosOf(cost: ProgramCost, to: "bare" | "spared", figure: Figure): number[] {
  return cost.ours.map((run, pair) => run[figure] / (cost[to][pair]?.[figure] ?? Number.NaN));
}

/** What a file of this folder prints. */
function node(file: string, args: readonly string[]): Promise<string> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const root = fileURLToPath(new URL("../..", import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx/esm", path, ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      printed += text;
    });
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(printed) : reject(new Error(`${file} ${args.join(" ")} ended with ${code}`)),
    );
  });
}
