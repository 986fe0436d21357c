/**
 * `tidegate openslo`: objectives from OpenSLO v1 documents, and back. `import` prints what a stack config would have under `services`; `export`
 * prints documents that `import` reads as the same objectives. Both only read and print.
 */
import { resolve } from "node:path";
import { stringify } from "yaml";
import { BadInputError } from "../core/bad-input.ts";
import { writtenObjective } from "../stacks/config/objective-list.ts";
import { Problems } from "../stacks/config/problems.ts";
import { readStackFile } from "../stacks/config.ts";
import { openSloText } from "../stacks/open-slo/export.ts";
import { type ImportedService, readOpenSlo } from "../stacks/open-slo/import.ts";
import type { Surroundings } from "./command.ts";
import { stackFile, stackProblem } from "./stack-file.ts";

export interface ExportFlags {
  readonly stack?: string;
  readonly service?: string;
}

function burnRateOf({ burnRate }: ImportedService): unknown {
  if (burnRate === undefined || burnRate === "off") return burnRate;
  return { period: `${burnRate.periodDays}d`, windows: burnRate.windows };
}

function configOf(service: ImportedService): Record<string, unknown> {
  const { source, objectives } = service;
  const burnRate = burnRateOf(service);
  return { source, objectives: objectives.map(writtenObjective), ...(burnRate === undefined ? {} : { burnRate }) };
}

/** Prints the services of a file as stack config. @throws BadInputError with every problem */
export function importCommand(file: string, surroundings: Surroundings): void {
  const problems = new Problems();
  const services = readOpenSlo(resolve(surroundings.directory, file), problems);
  problems.throwIfAny((count) => `tidegate openslo import: ${count}, nothing was printed:`);
  const shown = Object.fromEntries(services.map((service) => [service.service, configOf(service)]));
  const boundless = services.filter(({ objectives }) =>
    objectives.every(({ warning, critical }) => !(warning ?? critical)),
  );
  const advice = boundless.map(
    ({ service }) => `# ${service} has targets alone, so nothing would ever shut it. Add warning or critical bounds.`,
  );
  const text = stringify({ services: shown }, { lineWidth: 0, compat: "yaml-1.1" }).trimEnd();
  surroundings.out([...advice, text].join("\n"));
}

/** Prints the objectives of a stack's services as OpenSLO. @throws BadInputError with every problem */
export function exportCommand(flags: ExportFlags, surroundings: Surroundings): void {
  const refuse = (problem: string) =>
    new BadInputError("tidegate openslo export: 1 problem, nothing was printed:", [problem]);
  if (flags.stack === undefined) throw refuse("--stack: missing; expected the stack whose objectives are exported");
  const problem = stackProblem(flags.stack, surroundings.directory);
  if (problem !== undefined) throw refuse(problem);
  const { environment, services } = readStackFile(stackFile(flags.stack, surroundings.directory)).config;
  const chosen = services.filter(({ name }) => flags.service === undefined || name === flags.service);
  if (chosen.length === 0) {
    const names = services.map(({ name }) => name).join(", ");
    throw refuse(
      flags.service === undefined
        ? `--stack: a stack without services, got "${flags.stack}"; expected one that has some`
        : `--service: unknown service, got "${flags.service}"; expected ${names || "a service"} (stack ${flags.stack})`,
    );
  }
  surroundings.out(openSloText(environment, chosen).trimEnd());
}
