/** The facts of a report out of files: figures from a CSV, objectives from a stack's config or a preset, rollouts from a printed history. */
import { z } from "zod";
import { BadInputError } from "../core/bad-input.ts";
import { defaultBudgetPeriodDays, errorBudgetOf } from "../core/burn-rate.ts";
import { type Objective, objectivePresetNames, objectivePresets } from "../core/objectives.ts";
import { promisedObjectives } from "../core/promises.ts";
import type { HistoryEntry, Promises } from "../core/record.ts";
import type { ReportFacts } from "../core/slo-report.ts";
import { weekOf } from "../core/slo-report-periods.ts";
import { rolloutsIn } from "../core/slo-report-rollouts.ts";
import { wholeIntervals } from "../reports/collect.ts";
import { type CsvService, csvDays, readCsv } from "../reports/sources/csv.ts";
import { readStackFile } from "../stacks/config.ts";
import { type Asked, readText, refuseAll, type SloReportFlags } from "./slo-report.ts";
import { stackFile, stackProblem } from "./stack-file.ts";

/** @throws BadInputError with every problem of flags and files */
export function csvFacts(flags: SloReportFlags, asked: Asked, directory: string, problems: string[]): ReportFacts {
  const collected = <Value>(read: () => Value): Value | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const file = flags.csv ?? "";
  const before = problems.length;
  const text = file === "" ? "" : readText(file, "--csv", directory, problems);
  const services = problems.length > before || file === "" ? [] : (collected(() => readCsv(file, text)) ?? []);
  const promises = collected(() => promisesOf(flags, directory, problems));
  const history = flags.history === undefined ? undefined : readHistory(flags.history, directory, problems);
  const wanted = services.filter(({ service }) => asked.service === undefined || service === asked.service);
  if (services.length > 0 && wanted.length === 0)
    problems.push(
      `--service: not in ${file}, got "${asked.service}"; expected ${services.map(({ service }) => service).join(", ")}`,
    );
  if (asked.ofRollout && !history)
    problems.push("--history: missing beside --rollout; expected the file of its history. Add it");
  for (const { service } of wanted) {
    if (promises && !promises(service))
      problems.push(
        `${file}: service ${service} is not in the stack's config; expected its services alone, or --service, or --objectives`,
      );
  }
  refuseAll(problems);
  const newest = Math.max(...wanted.flatMap(({ counts }) => counts.map(({ at, seconds }) => at + seconds * 1_000)));
  const period = csvPeriod(asked, newest, history?.entries ?? []);
  refuseAll(period === undefined ? ["--history: no rollout has ended in it; expected one"] : []);
  return {
    ...(period ?? { kind: "week" as const, label: "", from: 0, to: 0 }),
    environment: environmentOf(flags, directory),
    // What a file holds does not age.
    now: newest,
    gaps: [],
    services: wanted.map((service) => factsOf(service, promises?.(service.service), history)),
  };
}

type Period = Pick<ReportFacts, "kind" | "label" | "from" | "to">;

function csvPeriod({ period, ofRollout }: Asked, newest: number, history: readonly HistoryEntry[]): Period | undefined {
  if (ofRollout) {
    const rollout = rolloutsIn(history).findLast(
      ({ endedAt, outcome }) => endedAt !== undefined && outcome !== "replaced",
    );
    if (rollout?.endedAt === undefined) return undefined;
    return { kind: "rollout", label: rollout.version, ...wholeIntervals(rollout.startedAt, rollout.endedAt) };
  }
  const { kind, label, from, to } = period ?? weekOf(newest - 1);
  return { kind, label, from, to };
}

/** Promises by service; with a preset every service has the same. */
function promisesOf(
  flags: SloReportFlags,
  directory: string,
  problems: string[],
): ((service: string) => Promises | undefined) | undefined {
  if (flags.objectives !== undefined && flags.stack !== undefined) {
    problems.push("--objectives: says them a second time beside --stack; expected one of the two. Leave one out");
    return undefined;
  }
  if (flags.stack !== undefined) {
    const problem = stackProblem(flags.stack, directory);
    if (problem !== undefined) {
      problems.push(problem);
      return undefined;
    }
    const { config } = readStackFile(stackFile(flags.stack, directory));
    const byName = new Map(config.services.map((service) => [service.name, service]));
    return (service) => {
      const known = byName.get(service);
      return known && promised(known.objectives, known.burnRate?.periodDays);
    };
  }
  const preset = objectivePresetNames.find((name) => name === flags.objectives);
  if (!preset) {
    const got = flags.objectives === undefined ? "missing" : `unknown preset, got "${flags.objectives}"`;
    problems.push(
      `--objectives: ${got}; expected ${objectivePresetNames.join(", ")}, or --stack for those of its config`,
    );
    return undefined;
  }
  return () => promised(objectivePresets[preset], defaultBudgetPeriodDays);
}

function promised(objectives: readonly Objective[], periodDays: Promises["budgetPeriodDays"]): Promises {
  const hasBudget = periodDays !== undefined && errorBudgetOf(objectives) !== undefined;
  return { objectives: promisedObjectives(objectives), ...(hasBudget ? { budgetPeriodDays: periodDays } : {}) };
}

const historySchema = z.object({
  service: z.string(),
  total: z.number(),
  entries: z.array(
    z.object({ at: z.iso.datetime(), kind: z.string(), message: z.string(), exposurePercent: z.number() }),
  ),
});

interface History {
  readonly service: string;
  readonly entries: readonly HistoryEntry[];
  readonly isWhole: boolean;
}

function readHistory(file: string, directory: string, problems: string[]): History | undefined {
  const before = problems.length;
  const text = readText(file, "--history", directory, problems);
  if (problems.length > before) return undefined;
  const parsed = historySchema.safeParse(jsonOf(text));
  if (!parsed.success) {
    problems.push(`--history: not a history, got "${file}"; expected what npx tidegate history --json prints`);
    return undefined;
  }
  const { service, entries, total } = parsed.data;
  return {
    service,
    entries: entries.map((entry) => ({ ...entry, at: Date.parse(entry.at) })),
    isWhole: entries.length === total,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function factsOf(service: CsvService, promises: Promises | undefined, history: History | undefined) {
  const own = history?.service === service.service ? history : undefined;
  return {
    service: service.service,
    counts: service.counts,
    ...(promises ? { promises, days: csvDays(service, promises.objectives) } : {}),
    history: own?.entries ?? [],
    holds: [],
    gaps: [
      ...(own ? [] : ["its history was not given, so rollouts and incidents are not known"]),
      ...(own && !own.isWhole ? ["its history is cut: older entries were not printed"] : []),
    ],
  };
}

function environmentOf(flags: SloReportFlags, directory: string): string {
  if (flags.stack === undefined) return flags.environment ?? "from a CSV";
  return readStackFile(stackFile(flags.stack, directory)).config.environment;
}
