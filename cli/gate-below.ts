/**
 * The environment below, as `tidegate gate` reads it: no engine runs then, so its outputs are asked of `pulumi stack output`, which reads the
 * state and changes nothing. Without `pulumi`, or without the right to read that stack, nobody can tell, and nothing is taken for finished.
 *
 * Source: Pulumi CLI, `pulumi stack output --json --stack`, which masks secrets unless asked otherwise, read 2026-11.
 */
import { execFile } from "node:child_process";
import { type BelowReader, type OutputsReader, readerOf } from "../stacks/ladder.ts";

/** For one answer of the state's backend. Unit: milliseconds. */
const patienceMilliseconds = 30_000;
/** Longest answer. Unit: bytes. A service is some 10 kB. */
const longestAnswer = 10_000_000;

/** What `pulumi` printed. Whatever it failed with is thrown. */
export type PulumiRunner = (args: readonly string[], directory: string) => Promise<string>;

const runPulumi: PulumiRunner = (args, cwd) =>
  new Promise((resolve, reject) => {
    const options = { cwd, timeout: patienceMilliseconds, maxBuffer: longestAnswer };
    execFile("pulumi", [...args], options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (error.code === "ENOENT") return reject(new Error("no pulumi on the PATH; install it, or ask pulumi preview"));
      if (error.killed) return reject(new Error(`no answer within ${patienceMilliseconds / 1_000} s`));
      reject(new Error(stderr.trim().replace(/^error:\s*/, "") || `pulumi ended with ${error.code}`, { cause: error }));
    });
  });

/**
 * Reads the stack below through `pulumi`.
 * @param below as the config names it; a stack without its organisation is one of the project in `directory`
 * @param own the stack that asks, and its environment
 */
export function belowByPulumi(
  below: string,
  own: { readonly stack: string; readonly environment: string },
  directory: string,
  run: PulumiRunner = runPulumi,
): BelowReader {
  const outputsOf: OutputsReader = async () => ({
    outputs: JSON.parse(await run(["stack", "output", "--json", "--stack", below, "--non-interactive"], directory)),
  });
  // Organisation and project are known to `pulumi` by the folder. That both stand on each other shows in `up` alone.
  return readerOf(below, { stackId: own.stack, environment: own.environment }, outputsOf);
}
