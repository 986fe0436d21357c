/** `tidegate report`: the same report that the deployed function sends, on standard output (D6). Reads only. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { BadInputError } from "../core/bad-input.ts";
import { oneLine } from "../core/error-message.ts";
import type { Instant } from "../core/record.ts";
import { type ReportFacts, type SloReport, sloReport } from "../core/slo-report.ts";
import { latestDue, periodNamed, type ReportPeriod } from "../core/slo-report-periods.ts";
import { rolloutsIn } from "../core/slo-report-rollouts.ts";
import { collectFacts, wholeIntervals } from "../reports/collect.ts";
import { htmlReport } from "../reports/html.ts";
import { svgsOf } from "../reports/illustrate.ts";
import { markdownReport } from "../reports/markdown.ts";
import { prometheusSource } from "../reports/sources/prometheus.ts";
import type { ReportSource } from "../reports/sources/source.ts";
import type { Surroundings } from "./command.ts";
import { RefusedError } from "./failures.ts";
import { begin, type OperatorFlags } from "./operation.ts";
import { readServiceName } from "./place.ts";

/** As typed. */
export interface SloReportFlags extends OperatorFlags {
  readonly week?: string;
  readonly quarter?: string;
  readonly rollout?: boolean;
  readonly source?: string;
  readonly csv?: string;
  readonly history?: string;
  readonly objectives?: string;
  readonly prometheus?: string;
  readonly html?: boolean;
  readonly markdown?: boolean;
}

/** What of the flags says what is reported, checked. */
export interface Asked {
  readonly source: "cloudwatch" | "prometheus" | "csv";
  readonly format: "json" | "html" | "markdown";
  readonly period?: ReportPeriod;
  readonly ofRollout: boolean;
  readonly service?: string;
}

export async function sloReportCommand(flags: SloReportFlags, surroundings: Surroundings): Promise<void> {
  const problems: string[] = [];
  const asked = readAsked(flags, problems);
  if (asked.source === "csv") {
    const { csvFacts } = await import("./slo-report-csv.ts");
    const facts = csvFacts(flags, asked, surroundings.directory, problems);
    return print(sloReport(facts), asked.format, surroundings);
  }
  const facts = await deployedFacts(flags, asked, problems, surroundings);
  return print(sloReport(facts), asked.format, surroundings);
}

function readAsked(flags: SloReportFlags, problems: string[]): Asked {
  const sources = ["cloudwatch", "prometheus", "csv"] as const;
  const source = sources.find((known) => known === flags.source) ?? (flags.csv === undefined ? "cloudwatch" : "csv");
  if (flags.source !== undefined && flags.source !== source)
    problems.push(`--source: unknown source, got "${flags.source}"; expected ${sources.join(", ")}`);
  const only = (flag: keyof SloReportFlags & string, wanted: Asked["source"]) => {
    if (flags[flag] !== undefined && source !== wanted)
      problems.push(`--${flag}: says nothing with --source ${source}; expected --source ${wanted}. Leave it out`);
  };
  only("csv", "csv");
  only("history", "csv");
  only("objectives", "csv");
  only("prometheus", "prometheus");
  if (source === "csv" && flags.csv === undefined) problems.push("--csv: missing; expected a file");
  if (source === "prometheus" && !isUrl(flags.prometheus))
    problems.push(
      `--prometheus: ${flags.prometheus === undefined ? "missing" : "not a URL (not shown)"}; expected http(s)://… of a Prometheus or of Grafana's data source proxy`,
    );
  const formats = (["json", "html", "markdown"] as const).filter((format) => flags[format]);
  if (formats.length > 1)
    problems.push(`--${formats[0]}: another format than --${formats.slice(1).join(", --")}; expected one of them`);
  const periods = (["week", "quarter", "rollout"] as const).filter((kind) => flags[kind] !== undefined);
  if (periods.length > 1)
    problems.push(`--${periods[0]}: another period than --${periods.slice(1).join(", --")}; expected one of them`);
  if (flags.rollout && flags.service === undefined)
    problems.push("--service: missing beside --rollout; expected whose rollout. Add --service");
  const service = flags.service === undefined ? undefined : readServiceName(flags.service, problems);
  const period = readPeriod("week", flags.week, problems) ?? readPeriod("quarter", flags.quarter, problems);
  return {
    source,
    format: formats[0] ?? "markdown",
    ...(period ? { period } : {}),
    ofRollout: flags.rollout ?? false,
    ...(service === undefined ? {} : { service }),
  };
}

function readPeriod(kind: "week" | "quarter", label: string | undefined, problems: string[]): ReportPeriod | undefined {
  if (label === undefined) return undefined;
  const period = periodNamed(label);
  if (period?.kind === kind) return period;
  const example = kind === "week" ? "an ISO week such as 2026-W47" : "a quarter such as 2026-Q4";
  problems.push(`--${kind}: no such ${kind}, got "${label}"; expected ${example}`);
  return undefined;
}

function isUrl(text: string | undefined): boolean {
  return text !== undefined && /^https?:\/\/[^\s/@]+(\/\S*)?$/.test(text);
}

async function deployedFacts(
  flags: SloReportFlags,
  asked: Asked,
  found: readonly string[],
  surroundings: Surroundings,
): Promise<ReportFacts> {
  const operation = await begin("report", flags, surroundings, (problems) => {
    problems.push(...found);
  });
  const { place, outside, connection } = operation;
  const now = outside.timers.now();
  const { records } = await connection.ports();
  const figures = await figuresOf(flags, asked, operation);
  const wanted = await periodOf(asked, now, (service) => records.history(service)).catch((error) => {
    throw error instanceof RefusedError ? error : new RefusedError(`report: history cannot be read: ${oneLine(error)}`);
  });
  return collectFacts(
    {
      records,
      sourceOf: (record) => {
        if (asked.source === "cloudwatch" && (record.source === "prometheus" || record.source === "datadog"))
          throw new Error(`its figures are in ${record.source}; expected --source prometheus, or a CSV of them`);
        return figures;
      },
    },
    {
      ...wanted,
      environment: place.environment,
      now,
      ...(asked.service === undefined ? {} : { service: asked.service }),
    },
  );
}

async function figuresOf(
  flags: SloReportFlags,
  asked: Asked,
  { connection, outside }: Pick<Awaited<ReturnType<typeof begin<void>>>, "connection" | "outside">,
): Promise<ReportSource> {
  if (asked.source === "prometheus" && flags.prometheus !== undefined) {
    const token = outside.variables.TIDEGATE_PROMETHEUS_TOKEN;
    return prometheusSource({
      url: flags.prometheus,
      redact: (text) => (token ? text.replaceAll(token, "[redacted]") : text),
      ...(token ? { token: async () => token } : {}),
    });
  }
  if (!connection.figures) throw new RefusedError("report: figures of CloudWatch cannot be read from here");
  return connection.figures();
}

type Period = Pick<ReportFacts, "kind" | "label" | "from" | "to">;

/** What is reported on: what was named, the newest ended rollout, or the last whole week. */
export async function periodOf(
  { period, ofRollout, service }: Asked,
  now: Instant,
  historyOf: (service: string) => Promise<Parameters<typeof rolloutsIn>[0]>,
): Promise<Period> {
  if (!ofRollout || service === undefined) {
    const { kind, label, from, to } = period ?? latestDue("week", now);
    return { kind, label, from, to };
  }
  const rollout = rolloutsIn(await historyOf(service)).findLast(
    ({ endedAt, outcome }) => endedAt !== undefined && outcome !== "replaced",
  );
  if (rollout?.endedAt === undefined)
    throw new RefusedError(`${service}: report: no rollout has ended; npx tidegate status shows one that runs`);
  const { version, startedAt, endedAt } = rollout;
  return { kind: "rollout", label: `${service} ${version}`, ...wholeIntervals(startedAt, endedAt) };
}

async function print(report: SloReport, format: Asked["format"], { out }: Surroundings): Promise<void> {
  if (format === "json") return out(JSON.stringify(report, null, 2));
  if (format === "markdown") return out(markdownReport(report).trimEnd());
  const svgs = Object.entries(await svgsOf(report)).map(([service, svg]) => [service, { svg }] as const);
  return out(htmlReport(report, Object.fromEntries(svgs)).trimEnd());
}

/** A file's text. */
export function readText(file: string, flag: string, directory: string, problems: string[]): string {
  try {
    return readFileSync(resolve(directory, file), "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    problems.push(`${flag}: cannot be read (${code}), got "${file}"; expected a file`);
    return "";
  }
}

/** Every problem at once. */
export function refuseAll(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  throw new BadInputError(`tidegate report: ${count}, nothing was done:`, problems);
}
