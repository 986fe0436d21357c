/**
 * Criteria of the wave that is being left (C1): what its plan says must hold before it goes on, and what the service's objectives aim for.
 *
 * "Met for the whole soak" is two questions: over all of it together, and over its newest quarter, so that a late turn does not drown in a
 * quiet day. The documents write their waves' success criteria in the very numbers of their objectives' targets (seed 000: error rate under
 * 1 %, p95 under 150 ms, no invariant violated; seed 003: "all SLOs met"), so the targets of errors, latencies and of what must not happen
 * at all are criteria of every wave; targets of other indicators are for reports.
 *
 * An unmet criterion keeps the release where it is. Only a plan's own, missed by more than twice its bound, says that the release is worse: an
 * aim that the service misses anyway is no word about the new release.
 */
import { instantText } from "../instant-text.ts";
import { percentileSampleFloor } from "../measures.ts";
import {
  type Bound,
  defaultErrorFloor,
  defaultRequestFloor,
  type Indicator,
  indicators,
  isMeasurable,
  type MetricSource,
  type Objective,
} from "../objectives.ts";
import { type Plan, waveAt } from "../plans.ts";
import type { CriterionValue, SoakEvidence } from "./evidence.ts";
import { cannotTell, type Finding, met } from "./verdict.ts";

/** One criterion, before it is measured. */
export interface AskedCriterion {
  readonly text: string;
  readonly indicator: Indicator;
  readonly bound: Bound;
  /** Fewest requests for it to be measured at all. */
  readonly requestFloor: number;
  /** Fewest errors for a ratio of them to count against a release. */
  readonly errorFloor: number;
}

/** Aims that are criteria: see above. */
const aimed: ReadonlySet<Indicator> = new Set([
  "error-rate",
  "success-rate",
  "availability",
  "latency-p50",
  "latency-p95",
  "latency-p99",
  "invariant-violations",
  "dual-run-failures",
]);

/** So few errors are no sign of anything, whatever a bound allows. */
const mostStrayErrors = 2;

/** Beyond so many times its bound a plan's criterion says that the release is worse. */
const farBeyond = 2;

const units: Partial<Record<(typeof indicators)[Indicator]["unit"], string>> = {
  percent: " %",
  milliseconds: " ms",
  megabytes: " MB",
  seconds: " s",
  "per second": " a second",
  "per minute": " a minute",
  "per hour": " an hour",
};

/** `0.02 %`, `110 ms`, `3`. */
function valueText(value: number, indicator: Indicator): string {
  return `${Number(value.toPrecision(4))}${units[indicators[indicator].unit] ?? ""}`;
}

/**
 * What must hold before a release leaves an exposure, in the plan's order and then the objectives'. A plan's criterion that is words alone is
 * not among them: nobody can measure it, and the preview says so. Nor is an aim that the source does not carry, which every preview names as not
 * watched; a plan's own is, and keeps the release until somebody says who looks at it.
 * @param objectives those that act; one that only observes stops nothing (B13)
 */
export function askedCriteria(
  plan: Plan,
  exposurePercent: number,
  objectives: readonly Objective[],
  { source, byHand = [] }: { readonly source: MetricSource; readonly byHand?: readonly Indicator[] | undefined },
): AskedCriterion[] {
  const ofPlan = (waveAt(plan, exposurePercent)?.criteria ?? []).flatMap(({ kind, text, watch }): AskedCriterion[] =>
    kind === "advance" && watch
      ? [{ text, indicator: watch.indicator, bound: watch.bound, ...floorsOf(watch.indicator, watch) }]
      : [],
  );
  const ofAims = objectives.flatMap((objective): AskedCriterion[] => {
    const { name, indicator, target } = objective;
    if (target === undefined || !aimed.has(indicator) || !isMeasurable(indicator, source)) return [];
    const side = indicators[indicator].badSide === "above" ? "at most" : "at least";
    // Nothing is done about an aim: see `isFar`.
    const bound: Bound = { value: target, response: "notify" };
    const text = `target of ${name}: ${side} ${valueText(target, indicator)}`;
    return [{ text, indicator, bound, ...floorsOf(indicator, objective) }];
  });
  return [...ofPlan, ...ofAims].filter(({ indicator }) => !byHand.includes(indicator));
}

function floorsOf(
  indicator: Indicator,
  { minimumRequests, minimumErrors }: { readonly minimumRequests?: number; readonly minimumErrors?: number },
): Pick<AskedCriterion, "requestFloor" | "errorFloor"> {
  const percentile = /^latency-p(\d+)$/.exec(indicator)?.[1];
  const samples = percentile === undefined ? 0 : percentileSampleFloor(Number(percentile));
  return {
    requestFloor: Math.max(minimumRequests ?? defaultRequestFloor, samples),
    errorFloor: minimumErrors ?? defaultErrorFloor,
  };
}

/** A soak that is served is not measured yet: its newest windows are still on their way. */
export function arrivalFindings(soakArrivesAt: SoakEvidence["soakArrivesAt"]): Finding[] {
  if (soakArrivesAt === undefined) return [];
  const text = `what was measured of this soak has not arrived; it will have by ${instantText(soakArrivesAt)}`;
  return [{ rule: "criteria", verdict: "monitor", text }];
}

/** One finding for each criterion. */
export function criteriaFindings(criteria: SoakEvidence["criteria"]): Finding[] {
  if (criteria === undefined) return [];
  if ("unreadable" in criteria) {
    return [cannotTell("criteria", "nothing", `the wave's criteria could not be read (${criteria.unreadable})`)];
  }
  return criteria.map(findingOf);
}

function findingOf(criterion: CriterionValue): Finding {
  const { text, indicator, bound, whole, newest, reference, unmeasured } = criterion;
  if (unmeasured !== undefined) return cannotTell("criteria", "nothing", `${text}: not measured, ${unmeasured}`);
  if (whole === undefined) {
    return cannotTell("criteria", "too-little", `${text}: too few requests over the soak so far to tell`);
  }
  const limit = limitOf(bound, reference);
  if (limit === undefined) {
    return cannotTell("criteria", "nothing", `${text}: what it is measured against was not measured over this soak`);
  }
  const side = indicators[indicator].badSide === "above" ? "at most" : "at least";
  const quarter = newest === undefined ? "" : ` and ${valueText(newest, indicator)} over its newest quarter`;
  const of = reference === undefined ? "" : ` (beside ${valueText(reference, indicator)})`;
  const found = `${text}: came to ${valueText(whole, indicator)} over the soak${quarter}`;
  const expected = `expected ${side} ${valueText(limit, indicator)}${of}`;
  switch (stateOf(criterion, whole, limit)) {
    case "met":
      return met("criteria", `${found}; ${expected}`);
    case "few":
      return met("criteria", `${found}; ${expected}, of which ${criterion.errors?.whole ?? 0} errors are no sign`);
    case "chance":
      return cannotTell(
        "criteria",
        "too-little",
        `${found}; ${expected}, and the difference may be chance, so the soak goes on`,
      );
    case "unmet":
      return { rule: "criteria", verdict: "monitor", text: `${found}; ${expected}, so it stays where it is` };
    case "far":
      return { rule: "criteria", verdict: "roll-back", text: `${found}; ${expected}, and it is far beyond that` };
  }
}

/** `undefined`: what it is measured against is not known, or grows with time, which no soak says. */
function limitOf({ value, reference }: Bound, measured: number | undefined): number | undefined {
  if (reference === undefined) return value;
  if (measured === undefined || reference.kind === "growth") return undefined;
  return reference.form === "factor" ? measured * value : measured + value;
}

function stateOf(criterion: CriterionValue, whole: number, limit: number): "met" | "few" | "chance" | "unmet" | "far" {
  const { indicator, bound, newest, reference, errors, chance } = criterion;
  const isHighBad = indicators[indicator].badSide === "above";
  const excess = (value: number, of: number): number => (isHighBad ? value - of : of - value);
  const counts = (of: "whole" | "newest"): boolean => errors === undefined || errors[of] >= errors.floor;
  if (excess(whole, limit) > 0 && errors !== undefined && !counts("whole")) {
    const rate = isHighBad ? whole : 100 - whole;
    const allowed = (errors.whole * (isHighBad ? limit : 100 - limit)) / rate;
    // Three deviations of what the bound itself allows, as counts of rare events vary.
    return errors.whole <= Math.max(mostStrayErrors, allowed + 3 * Math.sqrt(allowed)) ? "few" : "chance";
  }
  if (excess(whole, limit) > 0) {
    // Beside another release both are measured, and a difference that includes none is none.
    if (reference !== undefined && !(excess(whole, reference) > (chance?.whole ?? Number.POSITIVE_INFINITY))) {
      return "chance";
    }
    return isFar(indicator, bound, whole, limit) ? "far" : "unmet";
  }
  // A quarter has a quarter of the requests: only what is no chance is a turn.
  const isTurn =
    newest !== undefined &&
    counts("newest") &&
    excess(newest, limit) > (chance === undefined ? 0 : (chance.newest ?? Number.POSITIVE_INFINITY));
  return isTurn ? "unmet" : "met";
}

/** Errors and latencies alone can be a multiple of a bound. */
function isFar(indicator: Indicator, { response }: Bound, whole: number, limit: number): boolean {
  const { badSide, unit } = indicators[indicator];
  if (response === "notify" || badSide === "below" || limit <= 0) return false;
  return (unit === "percent" || unit === "milliseconds") && whole > farBeyond * limit;
}
