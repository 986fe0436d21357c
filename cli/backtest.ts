/** `tidegate backtest`: reads objectives, series and labels, replays, prints (E4). Reads and writes files only. */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { backtest } from "../backtest/backtest.ts";
import { htmlBacktest } from "../backtest/html.ts";
import { mappedSeries } from "../backtest/mapping.ts";
import { csvSeries } from "../backtest/read/csv.ts";
import { jsonSeries } from "../backtest/read/json.ts";
import { readLabels } from "../backtest/read/labels.ts";
import { readZone, type Zone } from "../backtest/read/times.ts";
import type { ReplaySource } from "../backtest/replay.ts";
import { jsonBacktest, textBacktest } from "../backtest/text.ts";
import type { RawSeries } from "../core/backtest/recorded.ts";
import { BadInputError } from "../core/bad-input.ts";
import { messageOf } from "../core/error-message.ts";
import { type Objective, objectivePresetNames, objectivePresets } from "../core/objectives.ts";
import { readObjectives } from "../stacks/config/objectives.ts";
import { isMap, Problems } from "../stacks/config/problems.ts";
import { parseYaml } from "../stacks/config/yaml-file.ts";
import type { Surroundings } from "./command.ts";
import { CommandFailedError } from "./failures.ts";

/** As typed. */
export interface BacktestFlags {
  readonly objectives?: string;
  readonly series?: readonly string[];
  readonly map?: readonly string[];
  readonly labels?: string;
  readonly source?: string;
  readonly zone?: string;
  readonly period?: string;
  readonly falseAlarms?: string;
  readonly json?: boolean;
  readonly html?: string;
}

/** A year by the second; more cannot be held in memory at once. Unit: bytes. */
const mostBytes = 500_000_000;

/** @throws BadInputError with every problem of flags and files */
export async function backtestCommand(flags: BacktestFlags, surroundings: Surroundings): Promise<void> {
  const { directory } = surroundings;
  const problems: string[] = [];
  const zone = zoneOf(flags, problems);
  const source = sourceOf(flags, problems);
  const periodSeconds = numberOf(flags.period, "--period", 1, 86_400, problems);
  const falseAlarmsAWeek = numberOf(flags.falseAlarms, "--false-alarms", 0, 1_000, problems) ?? 0;
  const objectives = objectivesOf(flags, source ?? "alb", directory, problems);
  const files = flags.series ?? [];
  if (files.length === 0) problems.push("--series: missing; expected a file of recorded metrics");
  const raws = files.flatMap((file) => seriesOf(file, zone, directory, problems));
  const series = mappedSeries(flags.map ?? [], raws, periodSeconds, problems);
  const windows =
    flags.labels === undefined
      ? []
      : labelsOf(
          flags.labels,
          files.map((file) => basename(file)),
          zone,
          directory,
          problems,
        );
  if (problems.length > 0 || objectives === undefined || source === undefined) throw refusal(problems);
  const report = backtest({ objectives, source, series, windows, falseAlarmsAWeek });
  if (flags.html !== undefined) write(resolve(directory, flags.html), await htmlBacktest(report));
  surroundings.out(flags.json ? JSON.stringify(jsonBacktest(report), null, 2) : textBacktest(report));
}

function refusal(problems: readonly string[]): BadInputError {
  return new BadInputError(
    `tidegate backtest: ${problems.length} problem${problems.length === 1 ? "" : "s"}, nothing was replayed:`,
    problems,
  );
}

function zoneOf({ zone }: BacktestFlags, problems: string[]): Zone {
  if (zone === undefined) return undefined;
  const read = readZone(zone);
  if (read === undefined) {
    problems.push(`--zone: not a zone without two meanings, got "${zone}"; expected utc, or an offset such as +01:00`);
    // Said once is enough; the times themselves are not refused for it, too.
    return "Z";
  }
  return read;
}

function sourceOf({ source = "alb" }: BacktestFlags, problems: string[]): ReplaySource | undefined {
  if (source === "alb" || source === "emf") return source;
  const why =
    source === "prometheus" || source === "datadog"
      ? `, whose rules ${source === "datadog" ? "Datadog" : "Grafana"} evaluates,`
      : "";
  problems.push(
    `--source: not watched by CloudWatch alarms${why} got "${source}"; expected alb or emf. Series out of Prometheus can be replayed with either`,
  );
  return undefined;
}

function numberOf(
  text: string | undefined,
  flag: string,
  least: number,
  most: number,
  problems: string[],
): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= least && value <= most) return value;
  problems.push(`${flag}: out of range, got "${text}"; expected ${least} to ${most}`);
  return undefined;
}

function readText(file: string, flag: string, directory: string, problems: string[]): string | undefined {
  try {
    const bytes = readFileSync(resolve(directory, file));
    if (bytes.length <= mostBytes) return bytes.toString("utf8");
    problems.push(
      `${flag}: ${file}: too large, got ${bytes.length} bytes; expected at most ${mostBytes}. Record fewer series a file`,
    );
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    problems.push(
      `${flag}: ${file}: ${isAbsent ? "no such file" : `cannot be read (${messageOf(error)})`}; expected a file`,
    );
  }
  return undefined;
}

function seriesOf(file: string, zone: Zone, directory: string, problems: string[]): RawSeries[] {
  const text = readText(file, "--series", directory, problems);
  if (text === undefined) return [];
  const isJson = /^\uFEFF?\s*[{[]/.test(text.slice(0, 1_000));
  const read = isJson ? jsonSeries : csvSeries;
  return read(basename(file), isJson ? text.replace(/^\uFEFF/, "") : text, zone, problems);
}

function labelsOf(file: string, files: readonly string[], zone: Zone, directory: string, problems: string[]) {
  const text = readText(file, "--labels", directory, problems);
  return text === undefined ? [] : readLabels(`--labels: ${basename(file)}`, text, files, zone, problems);
}

function objectivesOf(
  { objectives: wanted }: BacktestFlags,
  source: ReplaySource,
  directory: string,
  problems: string[],
): readonly Objective[] | undefined {
  if (wanted === undefined) {
    problems.push(`--objectives: missing; expected ${objectivePresetNames.join(", ")}, or a YAML file of objectives`);
    return undefined;
  }
  const preset = objectivePresetNames.find((name) => name === wanted);
  if (preset) return objectivePresets[preset];
  const text = readText(wanted, "--objectives", directory, problems);
  if (text === undefined) {
    problems.push(
      `--objectives: no preset of that name either, got "${wanted}"; expected ${objectivePresetNames.join(", ")}`,
    );
    return undefined;
  }
  const found = new Problems();
  const raw = parseYaml(text, basename(wanted), found);
  const stated = isMap(raw) && "objectives" in raw ? raw.objectives : raw;
  const folder = dirname(resolve(directory, wanted));
  const read =
    found.texts.length > 0
      ? undefined
      : readObjectives(stated, ["objectives"], { service: "recorded", source, folder, problems: found });
  problems.push(...found.texts.map((problem) => `--objectives: ${basename(wanted)}: ${problem}`));
  return read?.objectives;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CommandFailedError(`tidegate backtest: the page could not be written: ${messageOf(error)}`);
  }
}
