/** The command `cost` and its options. */
import type { Command } from "commander";
import type { Surroundings } from "./command.ts";
import type { CostFlags } from "./cost.ts";

const help = `
Prices what the stack's config declares, both releases of a rollout included, without any account. List prices of us-east-1.
Exit codes: 0 it was priced, 2 bad input.`;

export function addCostCommand(program: Command, surroundings: Surroundings): void {
  program
    .command("cost")
    .description("what a stack costs a month: alarms, metrics, functions, by service")
    .option("--stack <stack>", "the stack whose config is priced (default: the only one here, else dev)")
    .option("--json", "prints one JSON object instead of text")
    .addHelpText("after", help)
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (flags: CostFlags) => (await import("./cost.ts")).costCommand(flags, surroundings));
}
