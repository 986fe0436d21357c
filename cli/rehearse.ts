/** `tidegate rehearse`: flags to a checked rehearsal, its report to JSON or a timeline. */
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { parseDocument } from "yaml";
import { BadInputError } from "../core/bad-input.ts";
import { type MetricSource, metricSources } from "../core/objectives.ts";
import {
  loadScenario,
  parseRecordedTraffic,
  type RecordedTraffic,
  type RehearsalOptions,
  rehearse,
  type Scenario,
} from "../rehearsal/index.ts";
import { type EnvironmentConfig, readStackFile } from "../stacks/config.ts";
import { rehearseAlarmFile } from "./alarm-file.ts";
import type { RehearseFlags, Surroundings } from "./command.ts";
import { renderReport } from "./render.ts";
import { stackFile, stackNames, stackProblem, usualStack } from "./stack-file.ts";

/** Runs the command. @throws BadInputError with every problem */
export async function rehearseCommand(flags: RehearseFlags, surroundings: Surroundings): Promise<void> {
  refuseMixtures(flags);
  if (flags.alarm !== undefined) {
    const { lines } = rehearseAlarmFile(readText(flags.alarm, "--alarm", surroundings.directory), {
      place: flags.alarm,
      replay: flags.replay ?? false,
    });
    for (const line of lines) surroundings.out(line);
    return;
  }
  if (flags.table) {
    const { computeTable } = await import("../rehearsal/run/table.ts");
    const { contradictionsOf, renderTable } = await import("../rehearsal/run/table-render.ts");
    const seeds = flags.seeds === undefined ? undefined : wholeNumber(flags.seeds, "--seeds", 1);
    const rows = await computeTable(seeds === undefined ? {} : { mostSeeds: seeds });
    surroundings.out(renderTable(rows));
    const contradictions = contradictionsOf(rows);
    if (contradictions.length > 0)
      throw new Error(["the simulation contradicts the arithmetic:", ...contradictions].join("\n  "));
    return;
  }
  const report = await rehearse(readFlags(flags, surroundings.directory));
  if (flags.json) surroundings.out(JSON.stringify(report, null, 2));
  else for (const line of renderReport(report, surroundings)) surroundings.out(line);
}

/** As in scenarios: beyond this the model's counts say nothing any more. */
const mostRatePerSecond = 100_000;

const plainFlags = ["stack", "service", "scenario", "traffic", "scale", "source", "seed", "json"] as const;

/** Flags that say different things about what to do. */
function refuseMixtures(flags: RehearseFlags): void {
  const problems: string[] = [];
  const also = (names: readonly (keyof RehearseFlags)[]) =>
    names.filter((name) => flags[name] !== undefined).map((name) => `--${name}`);
  if (flags.alarm !== undefined) {
    const strangers = also([...plainFlags, "table", "seeds"]);
    if (strangers.length > 0)
      problems.push(`--alarm: goes with --replay alone, got ${strangers.join(", ")} too. Leave them out`);
  } else if (flags.replay) problems.push("--replay: nothing to replay; expected --alarm FILE with it. Add it");
  if (flags.table && flags.alarm === undefined) {
    const strangers = also(plainFlags);
    if (strangers.length > 0)
      problems.push(`--table: goes with --seeds alone, got ${strangers.join(", ")} too. Leave them out`);
  } else if (!flags.table && flags.seeds !== undefined && flags.alarm === undefined) {
    problems.push(
      "--seeds: says how many seeds the table takes; expected --table with it. For one rehearsal use --seed",
    );
  }
  if (problems.length > 0) throw badInput(problems);
}

function badInput(problems: readonly string[]): BadInputError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new BadInputError(`tidegate rehearse: ${count}, nothing was run:`, problems);
}

function wholeNumber(text: string, flag: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && Number.isSafeInteger(value)) return value;
  throw badInput([`${flag}: not a whole number, got "${text}"; expected ${least} or more`]);
}

/** Every flag read on its own, so that all problems are told at once. */
export function readFlags(flags: RehearseFlags, directory: string): RehearsalOptions {
  const problems: string[] = [];
  const read = <T>(reader: () => T): T | undefined => {
    try {
      return reader();
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const stack = flags.stack ?? usualStack(directory);
  const config = read(() => readStack(stack, directory));
  const scenario = read((): Scenario => loadScenario(scenarioPath(flags.scenario ?? "error-spike", directory)));
  const source = read(() => readSource(flags.source));
  const seed = read(() => wholeNumber(flags.seed ?? "1", "--seed", 0));
  const recorded = read(() => readTraffic(flags, directory));
  if (config && flags.service !== undefined && !config.services.some((service) => service.name === flags.service)) {
    const names = config.services.map((service) => service.name).join(", ");
    problems.push(`--service: unknown service, got "${flags.service}"; expected ${names} (stack ${stack})`);
  }
  if (problems.length > 0 || !config || !scenario || seed === undefined) throw badInput(problems);
  return {
    config,
    stack,
    scenario,
    seed,
    ...(flags.service === undefined ? {} : { service: flags.service }),
    ...(source === undefined ? {} : { source }),
    ...(recorded === undefined ? {} : { recorded }),
  };
}

function scenarioPath(nameOrPath: string, directory: string): string {
  return nameOrPath.includes("/") || /\.ya?ml$/.test(nameOrPath) ? resolve(directory, nameOrPath) : nameOrPath;
}

/** The checked config of `Pulumi.<stack>.yaml`. @throws BadInputError naming the stacks that exist */
export function readStack(stack: string, directory: string): EnvironmentConfig {
  const problem = stackProblem(stack, directory);
  if (problem !== undefined) throw badInput([problem]);
  const path = stackFile(stack, directory);
  const absent = absentFoundation(path, directory);
  if (absent !== undefined) throw badInput([absent]);
  return readStackFile(path).config;
}

/** A service stack whose foundation has no file here: that is one problem, and not each value that it would have said. */
function absentFoundation(path: string, directory: string): string | undefined {
  const file = parseDocument(readFileSync(path, "utf8"), { logLevel: "silent" });
  const foundation: unknown = file.errors.length > 0 ? undefined : file.getIn(["config", "tidegate:foundation"]);
  if (typeof foundation !== "string" || foundation === "here") return undefined;
  const name = foundation.split("/").at(-1) ?? foundation;
  if (stackNames(directory).includes(name)) return undefined;
  return `${basename(path)}: tidegate:foundation: its stack has no file here, got ${foundation}; expected Pulumi.${name}.yaml beside it, which says region and network. Copy it here`;
}

function readSource(text: string | undefined): MetricSource | undefined {
  if (text === undefined) return undefined;
  const source = metricSources.find((candidate) => candidate === text);
  if (!source) throw badInput([`--source: unknown source, got "${text}"; expected ${metricSources.join(" or ")}`]);
  return source;
}

function readTraffic(flags: RehearseFlags, directory: string): RecordedTraffic | undefined {
  if (flags.traffic === undefined) {
    if (flags.scale === undefined) return undefined;
    throw badInput(["--scale: nothing to scale; expected --traffic CSV with it. Add it, or leave --scale out"]);
  }
  const problems: string[] = [];
  const scale = Number(flags.scale ?? "1");
  if (flags.scale?.trim() === "" || !Number.isFinite(scale) || scale <= 0) {
    problems.push(`--scale: not a factor, got "${flags.scale}"; expected a number above 0`);
  }
  try {
    const text = readText(flags.traffic, "--traffic", directory);
    const recorded = parseRecordedTraffic(text, { place: flags.traffic, scale: problems.length > 0 ? 1 : scale });
    if (recorded.meanRatePerSecond > mostRatePerSecond) {
      problems.push(
        `--scale: too much traffic, got ${flags.scale} times the recording, ${Math.round(recorded.meanRatePerSecond / scale)}/s on average; expected at most ${mostRatePerSecond} requests/s in all. Scale it less`,
      );
    }
    if (problems.length === 0) return recorded;
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    problems.push(...error.problems);
  }
  throw badInput(problems);
}

function readText(path: string, flag: string, directory: string): string {
  try {
    return readFileSync(resolve(directory, path), "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const why =
      code === "ENOENT" ? "no such file" : code === "EISDIR" ? "a folder, no file" : `cannot be read (${code})`;
    throw badInput([`${flag}: ${why}, got "${path}"; expected a readable file`]);
  }
}
