/** Reads what an application says of its flags, all that is wrong with it at once, variables that force flags too. */
import { bucket, type CohortOptions } from "../cohorts.ts";
import type { FlagsOptions } from "../flags.ts";
import type { RequestMetrics } from "../metrics.ts";
import { shown } from "./document.ts";
import { readKeys } from "./overrides.ts";
import { type FlagRuntime, nodeFlagRuntime } from "./runtime.ts";
import type { FlagSource } from "./sources.ts";

export interface ReadFlagsOptions {
  readonly runtime: FlagRuntime;
  readonly source: FlagSource;
  readonly metrics: RequestMetrics | undefined;
  /** Absent: the default. */
  readonly cohort: CohortOptions | undefined;
  readonly forced: ReadonlyMap<string, boolean | undefined>;
  readonly everyMilliseconds: number;
  readonly maximumAgeMilliseconds: number | undefined;
}

const defaultRefreshSeconds = 10;
const refreshRange = { least: 1, most: 3_600 } as const;
/** So many reads may fail before a document is too old: one that failed is no reason to take everybody out of the canary. */
const refreshesInAge = 3;
const longestAgeSeconds = 604_800;

/** It becomes part of a URL or a path. */
const environmentPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** @throws TypeError with every problem, one a line */
export function readFlagsOptions(options: FlagsOptions): ReadFlagsOptions {
  const runtime = options.runtime ?? nodeFlagRuntime;
  const { refreshSeconds = defaultRefreshSeconds, maximumAgeSeconds } = options;
  const { forced, problems: keyProblems } = readKeys(options.keys, runtime.variables);
  const source = readSource(options.source);
  const problems = [
    ...environmentProblems(options.environment),
    ...(source ? [] : [sourceProblem(options.source)]),
    ...keyProblems,
    ...cohortProblems(options),
    ...refreshProblems(refreshSeconds),
    ...ageProblems(
      maximumAgeSeconds,
      refreshProblems(refreshSeconds).length > 0 ? defaultRefreshSeconds : refreshSeconds,
    ),
  ];
  if (!source || problems.length > 0) throw new TypeError(problems.join("\n"));
  const { algorithm, salt } = options;
  const isDefault = algorithm === undefined && salt === undefined;
  return {
    runtime,
    source,
    metrics: options.metrics,
    cohort: isDefault ? undefined : cohortOf(options),
    forced,
    everyMilliseconds: refreshSeconds * 1_000,
    maximumAgeMilliseconds: maximumAgeSeconds === undefined ? undefined : maximumAgeSeconds * 1_000,
  };
}

function cohortOf({ algorithm, salt }: CohortOptions): CohortOptions {
  return { ...(algorithm === undefined ? {} : { algorithm }), ...(salt === undefined ? {} : { salt }) };
}

function readSource(source: FlagsOptions["source"]): FlagSource | undefined {
  if (typeof source === "function") return { name: "the function given as source", read: source };
  const isSource = typeof source === "object" && source !== null && typeof source.read === "function";
  return isSource ? source : undefined;
}

function sourceProblem(source: unknown): string {
  return `flags: source: not one, got ${shown(source)}; expected appConfigAgent({ application, configuration }), flagFile(path) or a function that returns the document`;
}

function environmentProblems(environment: unknown): string[] {
  if (typeof environment === "string" && environmentPattern.test(environment)) return [];
  return [
    `flags: environment: no such name, got ${shown(environment)}; expected letters, digits, dots, hyphens and underscores, at most 64 characters. Say what the stack config says`,
  ];
}

/** One question in advance, so that none fails later: MD5 is absent in FIPS mode. */
function cohortProblems(options: FlagsOptions): string[] {
  try {
    bucket("id", cohortOf(options));
    return [];
  } catch (error) {
    return [`flags: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function refreshProblems(seconds: unknown): string[] {
  const { least, most } = refreshRange;
  if (typeof seconds === "number" && seconds >= least && seconds <= most) return [];
  return [`flags: refreshSeconds: out of range, got ${shown(seconds)}; expected ${least} to ${most}`];
}

function ageProblems(seconds: unknown, refreshSeconds: number): string[] {
  const least = refreshesInAge * refreshSeconds;
  if (seconds === undefined || (typeof seconds === "number" && seconds >= least && seconds <= longestAgeSeconds))
    return [];
  return [
    `flags: maximumAgeSeconds: out of range, got ${shown(seconds)}; expected ${least} (${refreshesInAge} refreshes) to ${longestAgeSeconds}. Leave it out for no end`,
  ];
}
