/** The options of `tidegate openslo`; what it does is loaded when it runs. */
import type { Command } from "commander";
import type { Surroundings } from "./command.ts";
import type { ExportFlags } from "./open-slo.ts";

const help = `
What cannot be honoured is refused by name, all at once: calendar windows, time slices, weights, metrics that are not Tidegate's own.
Exit codes: 0 printed, 1 crashed, 2 bad input; nothing is printed but with 0.`;

export function addOpenSloCommand(program: Command, surroundings: Surroundings): void {
  const openSlo = program
    .command("openslo")
    .description("objectives from OpenSLO v1 documents, and back")
    .exitOverride()
    .allowExcessArguments(false);
  openSlo
    .command("import")
    .description("prints the services of an OpenSLO file as stack config")
    .argument("<file>", "a YAML file of OpenSLO v1 documents")
    .addHelpText("after", help)
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (file: string) => (await import("./open-slo.ts")).importCommand(file, surroundings));
  openSlo
    .command("export")
    .description("prints the objectives of a stack's services as OpenSLO v1 documents")
    .option("--stack <stack>", "the stack whose objectives are exported")
    .option("--service <name>", "one service (default: all)")
    .exitOverride()
    .allowExcessArguments(false)
    .action(async (flags: ExportFlags) => (await import("./open-slo.ts")).exportCommand(flags, surroundings));
}
