/**
 * The commands and their options. Thin: reads what a person typed, calls the part that does it, prints what that says.
 *
 * Exit codes: 0 it ran, whatever came out; 1 we crashed, or it failed half-way and the message says what to do; 2 bad input, every problem
 * listed and nothing done; 3 refused, nothing was changed.
 */
import { Command, CommanderError } from "commander";
import { BadInputError } from "../core/bad-input.ts";
import { addBacktestCommand } from "./backtest-command.ts";
import { addCostCommand } from "./cost-command.ts";
import { CommandFailedError, RefusedError } from "./failures.ts";
import { addInitCommand } from "./init-command.ts";
import { addOpenSloCommand } from "./open-slo-command.ts";
import { addOperatorCommands } from "./operator-commands.ts";
import type { Outside } from "./outside.ts";
import { addPullRequestCommands } from "./pull-request-commands.ts";
import { addReportCommand } from "./report-command.ts";

/** Where a command writes and what it is run in. */
export interface Surroundings {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Stack files and relative paths are looked for here. */
  readonly directory: string;
  readonly colours: boolean;
  /** How the operator's commands reach a person and AWS. @default the terminal and the AWS that the machine is set up for */
  readonly outside?: Outside;
}

export const exitCodes = { ran: 0, crashed: 1, badInput: 2, refused: 3 } as const;

/** What `rehearse` was given, as typed. */
export interface RehearseFlags {
  readonly stack?: string;
  readonly service?: string;
  readonly scenario?: string;
  readonly traffic?: string;
  readonly scale?: string;
  readonly source?: string;
  readonly seed?: string;
  readonly json?: boolean;
  readonly alarm?: string;
  readonly replay?: boolean;
  readonly table?: boolean;
  readonly seeds?: string;
}

/** All commands with their options, bound to where they run. */
export function commands(surroundings: Surroundings): Command {
  const program = new Command("tidegate")
    .description("Lets a release in wave by wave, and shuts by itself.")
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => surroundings.out(text.trimEnd()),
      writeErr: (text) => surroundings.error(text.trimEnd()),
    });
  program
    .command("rehearse")
    .description("plays a whole rollout in virtual time on this machine, no cloud needed")
    .option("--stack <stack>", "the stack whose config is rehearsed (default: the only one here, else dev)")
    .option("--service <name>", "the service (default: the first by name)")
    .option("--scenario <name|file>", "what goes wrong: a name, or a YAML file (default: error-spike)")
    .option("--traffic <csv>", "recorded traffic, timestamp,value")
    .option("--scale <factor>", "multiplies the recorded counts; only with --traffic")
    .option("--source <source>", "alb, emf, prometheus or datadog (default: the service's own)")
    .option("--seed <number>", "same seed, same bytes (default: 1)")
    .option("--json", "prints one JSON object instead of a timeline")
    .option("--alarm <file>", "evaluates one alarm over the points in a JSON file instead")
    .option("--replay", "with --alarm: feeds the points one by one")
    .option("--table", "prints the table of the docs instead: every scenario, preset, source and wave")
    .option("--seeds <number>", "with --table: at most so many seeds a row")
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (flags: RehearseFlags) => {
      const { rehearseCommand } = await import("./rehearse.ts");
      await rehearseCommand(flags, surroundings);
    });
  program
    .command("story")
    .description("the first minute: a healthy release, then a bad one, told as they happen")
    .exitOverride()
    .allowExcessArguments(false)
    .action(async () => {
      const { storyCommand } = await import("./story.ts");
      await storyCommand(surroundings);
    });
  addInitCommand(program, surroundings);
  addOperatorCommands(program, surroundings);
  addPullRequestCommands(program, surroundings);
  addReportCommand(program, surroundings);
  addOpenSloCommand(program, surroundings);
  addCostCommand(program, surroundings);
  addBacktestCommand(program, surroundings);
  return program;
}

/** Runs one command line (without `node` and the script). @returns the exit code */
export async function runCommand(words: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    await commands(surroundings).parseAsync([...words], { from: "user" });
    return exitCodes.ran;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ran : exitCodes.badInput;
    if (error instanceof BadInputError) {
      surroundings.error(error.message);
      return exitCodes.badInput;
    }
    if (error instanceof RefusedError) {
      surroundings.error(error.message);
      return exitCodes.refused;
    }
    if (error instanceof CommandFailedError) {
      surroundings.error(error.message);
      return exitCodes.crashed;
    }
    surroundings.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return exitCodes.crashed;
  }
}
