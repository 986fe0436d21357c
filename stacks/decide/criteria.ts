/**
 * Reads what the criteria of the wave that is being left came to (`core/gate/criteria.ts`): errors and latencies out of the soak's windows,
 * which were read already, all else out of sums over the same time. What the source does not measure at all is told as such, and waits for
 * somebody: `gate.byHand` names what people look at themselves.
 */
import type { ServiceSurvey } from "../../components/settings.ts";
import { targetKindOf } from "../../components/target-kind.ts";
import { messageOf } from "../../core/error-message.ts";
import { type AskedCriterion, askedCriteria } from "../../core/gate/criteria.ts";
import {
  isInWindows,
  type MeasuredValue,
  newestQuarter,
  type SignalTotals,
  valueOfTotals,
  valueOfWindows,
} from "../../core/gate/criterion-values.ts";
import type { CriterionValue, SoakEvidence, SoakWindow } from "../../core/gate/evidence.ts";
import { type Measure, measureOf } from "../../core/measures.ts";
import { isMeasurable, type Objective } from "../../core/objectives.ts";
import type { Instant, RolloutRecord } from "../../core/record.ts";
import { type ReportedSignal, reportedSignals, type Signal } from "../../core/signals.ts";
import { portOf } from "../../hooks/alarm-states.ts";
import { statisticQuery } from "../../hooks/soak/cloudwatch.ts";
import { besideCanary, type MeasuredRelease, measuredRelease } from "../../hooks/soak/places.ts";
import { type SoakRange, soakRange } from "../../hooks/soak-windows.ts";
import type { ServiceConfig } from "../config.ts";
import type { DecidePorts } from "./reality.ts";

type CriteriaPorts = Pick<DecidePorts, "metrics" | "elsewhere" | "clock">;

/** Nobody's traffic waits for this answer. Unit: milliseconds. */
const patienceMilliseconds = 20_000;
/** Standard errors beyond which a difference is no chance. */
const standardErrors = 3;

/** Objectives that may stop something: of those that only observe none does (B13). */
export function actingObjectives({ objectives, mode }: Pick<ServiceConfig, "objectives" | "mode">): Objective[] {
  return objectives.filter((objective) => (objective.mode ?? mode) === "act");
}

/** One release over the soak, and what of it was read. */
interface Measured {
  readonly release: MeasuredRelease;
  readonly windows: readonly SoakWindow[];
}

interface Soak {
  readonly record: RolloutRecord;
  readonly range: SoakRange;
  readonly found: ServiceSurvey;
  readonly ports: CriteriaPorts;
}

/**
 * The criteria of the wave that the record's canary is in, over the newest look at its soak.
 * @param soak that look, as `readSoak` gave it
 * @returns nothing where there is nothing to ask: no criterion, nothing exposed, or no look that has ended
 */
export async function readCriteria(
  service: ServiceConfig,
  record: RolloutRecord,
  soak: SoakEvidence["soak"],
  found: ServiceSurvey,
  ports: CriteriaPorts,
): Promise<Pick<SoakEvidence, "criteria">> {
  const range = soakRange(record, ports.clock.now());
  const asked = askedCriteria(record.plan, record.canary?.exposurePercent ?? 0, actingObjectives(service), {
    source: record.source,
    byHand: service.gate?.byHand,
  });
  if (!range || asked.length === 0 || soak === undefined) return {};
  if ("unreadable" in soak) return { criteria: soak };
  const canary = measuredRelease(record, record.canary?.digest);
  if (!canary) return {};
  const beside = besideCanary(record);
  const own: Measured = { release: canary, windows: soak.canary };
  const other: Measured | undefined = beside && { release: beside.release, windows: soak.beside?.windows ?? [] };
  try {
    const criteria: CriterionValue[] = [];
    for (const criterion of asked)
      criteria.push(await measuredCriterion(criterion, { record, range, found, ports }, own, other));
    return { criteria };
  } catch (error) {
    return { criteria: { unreadable: messageOf(error) } };
  }
}

async function measuredCriterion(
  criterion: AskedCriterion,
  soak: Soak,
  own: Measured,
  other: Measured | undefined,
): Promise<CriterionValue> {
  const { text, indicator, bound, requestFloor, errorFloor } = criterion;
  const { source } = soak.record;
  const said = { text, indicator, bound, whole: undefined, newest: undefined };
  if (!isMeasurable(indicator, source)) {
    return {
      ...said,
      unmeasured: `since source ${source} does not carry ${indicator}; expected a source that does. Report it, or say gate.byHand: [${indicator}] where somebody looks at it`,
    };
  }
  const unmeasured = unreadOn(criterion, soak.record);
  if (unmeasured !== undefined) return { ...said, unmeasured };
  const { range } = soak;
  const newestFrom = newestQuarter(range);
  const whole = await measure(criterion, own, range.from, soak);
  const newest = await measure(criterion, own, newestFrom, soak);
  const beside = await referenceOf(criterion, soak, other);
  if (indicator === "dual-run-failures" && whole !== undefined && !(await ranTwice(soak, own))) {
    return { ...said, unmeasured: "since no run of both implementations was reported; expected some over the soak" };
  }
  const errorOf = (value: MeasuredValue | undefined): number | undefined =>
    value?.standardError === undefined ? undefined : standardErrors * value.standardError;
  const [wholeChance, newestChance] = [together(errorOf(whole), errorOf(beside)), errorOf(newest)];
  return {
    ...said,
    whole: whole?.value,
    newest: newest?.value,
    ...(beside === undefined ? {} : { reference: beside.value }),
    ...(whole?.errors === undefined
      ? {}
      : { errors: { whole: whole.errors, newest: newest?.errors ?? 0, floor: errorFloor } }),
    ...(isInWindows(indicator) || bound.reference
      ? {
          chance: {
            ...(wholeChance === undefined ? {} : { whole: wholeChance }),
            ...(newestChance === undefined ? {} : { newest: newestChance }),
          },
        }
      : {}),
    ...(whole === undefined && requestsIn(own.windows, range.from) >= requestFloor
      ? { unmeasured: `${indicator} did not arrive of all requests of the soak; expected the release to report it` }
      : {}),
  };
}

/** Of the difference of two measurements; without a second one, of the first. */
function together(own: number | undefined, other: number | undefined): number | undefined {
  return own === undefined || other === undefined ? own : Math.hypot(own, other);
}

/** Why nobody can read a criterion here, though its source carries it. */
function unreadOn({ indicator, bound }: AskedCriterion, { source, canary }: RolloutRecord): string | undefined {
  if (indicator === "healthy-hosts")
    return "since hosts are counted by alarms and by the hook; expected no criterion of them";
  if (bound.reference?.kind === "growth") return "since growth is no value of a whole soak; expected a rollback bound";
  const isLevel = measureOf(indicator, source).kind === "gauge";
  if (isLevel && (source === "prometheus" || source === "datadog")) {
    return `since levels are not read from ${source}; expected an error rate, a latency or a count. Say gate.byHand: [${indicator}] where somebody looks at it`;
  }
  const isFrozen = bound.reference?.kind === "previous-wave";
  if (isFrozen && !canary?.figures?.some((figure) => figure.of === "previous-wave" && figure.indicator === indicator)) {
    return "since what the wave before came to was not read when this one opened";
  }
  return undefined;
}

/** What a bound is measured against: who stands beside, or the figure that was frozen when the wave opened. */
async function referenceOf(
  criterion: AskedCriterion,
  soak: Soak,
  other: Measured | undefined,
): Promise<MeasuredValue | undefined> {
  const { indicator, bound } = criterion;
  const kind = bound.reference?.kind;
  if (kind === undefined || kind === "growth") return undefined;
  if (kind === "baseline" && other) return measure(criterion, other, soak.range.from, soak);
  const figure = soak.record.canary?.figures?.findLast((each) => each.of === kind && each.indicator === indicator);
  return figure && { value: figure.value };
}

function since(windows: readonly SoakWindow[], from: Instant): readonly SoakWindow[] {
  return windows.filter(({ at }) => at >= from);
}

function requestsIn(windows: readonly SoakWindow[], from: Instant): number {
  return since(windows, from).reduce((sum, { requests }) => sum + requests, 0);
}

/** One criterion of one release from an instant to the end of the look. */
async function measure(
  { indicator, requestFloor }: AskedCriterion,
  { release, windows }: Measured,
  from: Instant,
  soak: Soak,
): Promise<MeasuredValue | undefined> {
  if (isInWindows(indicator)) return valueOfWindows(indicator, since(windows, from), requestFloor);
  const { record, range, found } = soak;
  const how = measureOf(indicator, record.source, targetKindOf(release.targetGroupArn, found));
  const aligned = Math.floor(from / (range.windowSeconds * 1_000)) * range.windowSeconds * 1_000;
  const totals = await totalsOf(how, release, { ...range, from: aligned }, soak);
  const seconds = (range.to - aligned) / 1_000;
  const value = valueOfTotals(how, totals, { seconds, requests: requestsIn(windows, aligned), requestFloor });
  return value === undefined ? undefined : { value };
}

/** A failure that was looked for: without a run there is none to fail. */
async function ranTwice(soak: Soak, { release }: Measured): Promise<boolean> {
  const totals = await totalsOf({ kind: "sum", signals: ["dual-runs"] }, release, soak.range, soak);
  return (totals["dual-runs"] ?? 0) > 0;
}

const statistics = { mean: "Average", maximum: "Maximum", minimum: "Minimum" } as const;

/** What the signals of a measure came to over a time. */
async function totalsOf(
  how: Measure,
  release: MeasuredRelease,
  range: Pick<SoakRange, "from" | "to" | "windowSeconds">,
  { record, ports }: Soak,
): Promise<SignalTotals> {
  if (range.from >= range.to) return {};
  const signals = signalsOf(how);
  const { source, environment, service } = record;
  if (source === "prometheus" || source === "datadog") {
    const { from, to } = range;
    const reported = signals.filter((signal): signal is ReportedSignal => signal in reportedSignals);
    const port = portOf(ports, source, "what the wave's criteria came to");
    return port.counted({
      environment,
      service,
      releaseKey: release.releaseKey,
      signals: reported,
      from,
      to,
      patienceMilliseconds,
    });
  }
  const statistic = how.kind === "gauge" ? statistics[how.statistic] : "Sum";
  const queries = signals.map((signal) => statisticQuery(signal, signal, record, release, statistic));
  const answered = await ports.metrics.statistics(queries, { ...range, periodSeconds: range.windowSeconds });
  return Object.fromEntries(
    signals.flatMap((signal) => {
      const values = (answered[signal] ?? []).map(({ value }) => value);
      return values.length === 0 ? [] : [[signal, composed(how, values)] as const];
    }),
  );
}

function composed(how: Measure, values: readonly number[]): number {
  const total = values.reduce((sum, value) => sum + value, 0);
  if (how.kind !== "gauge") return total;
  switch (how.statistic) {
    case "mean":
      return total / values.length;
    case "maximum":
      return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    case "minimum":
      return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  }
}

function signalsOf(how: Measure): Signal[] {
  switch (how.kind) {
    case "ratio":
      return [...new Set([...how.whole, ...how.part])];
    case "quotient":
      return [how.whole, how.part];
    case "sum":
      return [...how.signals];
    case "gauge":
    case "percentile":
      return [how.signal];
  }
}
