/** What it means that a service's objectives are looser than the presets'. Texts are without the service's name. */
import {
  type Bound,
  defaultErrorFloor,
  defaultRequestFloor,
  indicators,
  isMeasurable,
  loweringResponses,
  type MetricSource,
  type Objective,
  type Response,
  type Severity,
  severities,
} from "../../core/objectives.ts";
import type { Plan } from "../../core/plans.ts";

type Presets = readonly (readonly Objective[])[];

export interface LooseningLimits {
  readonly mode: "act" | "observe";
  readonly source: MetricSource;
  readonly maximumFactor: number;
}

/** Where a preset states no window its alarms watch five minutes beside the finest one. Unit: seconds. */
const presetWindowSeconds = 300;

/** How much a response does; a weaker one than the preset's lets a breach go on. */
const strengths: Readonly<Record<Response, number>> = {
  notify: 0,
  freeze: 1,
  floor: 2,
  "previous-wave": 2,
  halve: 2,
  disable: 3,
};

/** Objectives with a critical bound in every one of the presets, which a service leaves out. */
export function missingObjectives(objectives: readonly Objective[], presets: Presets, source: MetricSource): string[] {
  const [first = [], ...others] = presets;
  return first
    .filter(({ indicator, critical }) => critical && !critical.reference && isMeasurable(indicator, source))
    .filter(({ indicator }) => others.every((preset) => preset.some(boundsCritically(indicator))))
    .filter(({ indicator }) => !objectives.some(boundsCritically(indicator)))
    .map(({ indicator, critical }) => {
      const bound = critical ? `${critical.value} ${indicators[indicator].unit}, ${critical.response}` : "";
      return `no critical bound on ${indicator}, got none; expected one such as ${bound}. Take it from the preset`;
    });
}

/** What an objective of errors may be written as, turned round; an availability is watched as the error rate that it leaves room for. */
const errorsTurnedRound: ReadonlySet<Objective["indicator"]> = new Set(["availability", "success-rate"]);

/**
 * The presets' bounds that one of ours is held to. Where no preset bounds an availability so severely, it is held to the bounds on errors:
 * it may stand for an error rate, so it has to be as strict as one.
 */
function modelsOf(indicator: Objective["indicator"], severity: Severity, presets: Presets): readonly Bound[] {
  const boundsOn = (name: Objective["indicator"]): Bound[] =>
    presets.flat().flatMap((model) => (model.indicator === name ? (model[severity] ?? []) : []));
  const own = boundsOn(indicator);
  if (own.length > 0 || !errorsTurnedRound.has(indicator)) return own;
  return boundsOn("error-rate").map((bound) => ({ ...bound, value: rounded(100 - bound.value) }));
}

/**
 * An availability counts as a bound on errors: `loosenedBounds` holds it to what the presets say of those. A bound that is relative does not:
 * two releases may be bad alike.
 */
function boundsCritically(indicator: Objective["indicator"]) {
  return (objective: Objective): boolean =>
    objective.critical !== undefined &&
    objective.critical.reference === undefined &&
    (objective.indicator === indicator || (indicator === "error-rate" && objective.indicator === "availability"));
}

/** What of one objective is looser than every preset that has it allows. */
export function loosenedBounds(objective: Objective, presets: Presets, limits: LooseningLimits): string[] {
  const { name, indicator } = objective;
  const isKnown = presets.some((preset) => preset.some((model) => model.indicator === indicator));
  if (!isKnown || !isMeasurable(indicator, limits.source)) return [];
  const found = severities.flatMap((severity) => {
    const bounds = modelsOf(indicator, severity, presets);
    const ours = objective[severity];
    if (bounds.length === 0 || ours === undefined) return [];
    return boundProblems({ place: `objective ${name}, ${severity}`, indicator, severity }, ours, bounds, limits);
  });
  const acts = modelsOf(indicator, "critical", presets).some(({ response }) => loweringResponses.has(response));
  if (objective.mode === "observe" && limits.mode === "act" && objective.critical && acts) {
    found.push(
      `objective ${name} only observes, got mode observe; expected act, as the service has. Leave its mode out`,
    );
  }
  return [...found, ...floorProblems(objective, limits.maximumFactor)];
}

function boundProblems(
  where: { place: string; indicator: Objective["indicator"]; severity: Severity },
  ours: Bound,
  allModels: readonly Bound[],
  { maximumFactor }: LooseningLimits,
): string[] {
  const { place, indicator } = where;
  const unit = unitOf(indicator, ours);
  const found: string[] = [];
  // A multiple and a fixed value do not compare; where no preset bounds it this way, its width is not judged.
  const alike = allModels.filter((model) => sameReference(model, ours));
  const models = alike.length > 0 ? alike : allModels;
  if (alike.length > 0) {
    const widest = alike.map((model) => loosest(indicator, model, maximumFactor)).reduce(looser(indicator));
    if (isLooser(indicator, ours.value, widest)) {
      const side = lowIsBad(indicator) ? "at least" : "at most";
      found.push(
        `${place} is loosened, got ${ours.value} ${unit}; expected ${side} ${widest} ${unit} (factor ${maximumFactor} of the presets). Tighten it`,
      );
    }
  }
  const longestSeconds =
    maximumFactor * Math.max(...models.map(({ windowSeconds }) => windowSeconds ?? presetWindowSeconds));
  if ((ours.windowSeconds ?? 0) > longestSeconds) {
    found.push(
      `${place} looks too long before it acts, got a window of ${ours.windowSeconds} s; expected at most ${longestSeconds} s. Shorten it`,
    );
  }
  const least = Math.min(...models.map(({ response }) => leastStrength(where, response)));
  if (strengths[ours.response] < least) {
    const weakest = models.find(({ response }) => leastStrength(where, response) === least)?.response ?? "disable";
    found.push(
      `${place} is weakened, got response ${ours.response}; expected ${weakest} or one as strong. Give it back`,
    );
  }
  return found;
}

/** How strong a response must be where the preset has this one: any that takes traffic away stands for another, save where data is at stake. */
function leastStrength({ indicator }: { indicator: Objective["indicator"] }, model: Response): number {
  return indicator === "invariant-violations" ? strengths[model] : Math.min(strengths[model], strengths.floor);
}

/** A floor under which nothing counts blinds an objective as a wide bound does (B9). */
function floorProblems({ name, minimumRequests, minimumErrors }: Objective, maximumFactor: number): string[] {
  const problem = (what: string, got: number | undefined, standard: number): string[] =>
    got === undefined || got <= maximumFactor * standard
      ? []
      : [
          `objective ${name} waits for too many ${what}, got ${got}; expected at most ${maximumFactor * standard}. Lower it`,
        ];
  return [
    ...problem("requests", minimumRequests, defaultRequestFloor),
    ...problem("errors", minimumErrors, defaultErrorFloor),
  ];
}

/** Below the last wave nothing but the hook is fast enough: a wave that only a human lowers disarms every objective. */
export function looseWaves({ waves }: Plan): string[] {
  return waves
    .filter(({ exposurePercent, lowering }) => lowering === "human" && exposurePercent < 100)
    .map(
      ({ exposurePercent }) =>
        `wave ${exposurePercent} is lowered by nobody but a human, got lowering human; expected automatic below 100 %. Leave lowering out`,
    );
}

function sameReference({ reference: one }: Bound, { reference: other }: Bound): boolean {
  const form = (reference: Bound["reference"]) =>
    reference === undefined || reference.kind === "growth" ? reference?.kind : `${reference.kind} ${reference.form}`;
  return form(one) === form(other);
}

function unitOf(indicator: Objective["indicator"], { reference }: Bound): string {
  if (reference === undefined) return indicators[indicator].unit;
  if (reference.kind === "growth") return "percent an hour";
  const of = reference.kind === "baseline" ? "the baseline" : "the wave before";
  return reference.form === "factor" ? `times ${of}` : `${indicators[indicator].unit} over ${of}`;
}

function lowIsBad(indicator: Objective["indicator"]): boolean {
  return indicators[indicator].badSide === "below";
}

/**
 * The widest that a bound may be. What should be near 100 percent, an availability say, is held by what may be missing of it, a multiple by
 * what it is above the same; hosts are whole.
 */
function loosest(indicator: Objective["indicator"], { value, reference }: Bound, factor: number): number {
  const isMultiple = reference !== undefined && reference.kind !== "growth" && reference.form === "factor";
  if (isMultiple) return rounded(1 + factor * (value - 1));
  if (reference !== undefined) return rounded(factor * value);
  if (indicator === "healthy-hosts") return Math.max(1, Math.ceil(value / factor));
  if (!lowIsBad(indicator)) return rounded(factor * value);
  return indicators[indicator].unit === "percent" ? rounded(100 - factor * (100 - value)) : rounded(value / factor);
}

/** Without the tail that binary fractions leave: 99.8 and not 99.80000000000001. */
function rounded(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}

function isLooser(indicator: Objective["indicator"], value: number, than: number): boolean {
  return lowIsBad(indicator) ? value < than : value > than;
}

function looser(indicator: Objective["indicator"]) {
  return (left: number, right: number): number => (isLooser(indicator, left, right) ? left : right);
}
