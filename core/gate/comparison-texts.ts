/**
 * The comparison in sentences that can be argued with: rates, ratio, interval and allowance; and of what cannot be told, what could have been
 * seen and what is missing.
 */
import type { Comparison } from "./comparison.ts";
import { leftOut } from "./comparison-windows.ts";
import type { CanaryErrors, ErrorComparison } from "./error-comparison.ts";
import type { GateSettings } from "./evidence.ts";
import type { HealthScore } from "./health-score.ts";
import type { LatencyComparison, QuantileComparison } from "./latency-comparison.ts";
import type { RankComparison } from "./latency-ranks.ts";
import { cannotTell, type Finding, type GateRule, met } from "./verdict.ts";

const rules = ["errors", "latency", "health-score"] as const satisfies readonly GateRule[];
const compared: Readonly<Record<(typeof rules)[number], string>> = {
  errors: "errors",
  latency: "latencies",
  "health-score": "the health score",
};

/** Nothing can be compared; an error rate over the ceiling is told all the same. */
export function impossibleFindings(
  { measured, why, errors }: Extract<Comparison, { state: "impossible" }>,
  settings: GateSettings,
): Finding[] {
  return rules.map((rule) =>
    rule === "errors" && errors?.isOverCeiling
      ? overCeiling(errors, settings)
      : cannotTell(rule, measured, `${compared[rule]} cannot be compared: ${why}`),
  );
}

/** At 100 % what compares is left out by name, and the ceiling still holds. */
export function aloneFindings(errors: CanaryErrors, settings: GateSettings): Finding[] {
  return rules.map((rule) => {
    if (rule === "errors" && errors.isOverCeiling) return overCeiling(errors, settings);
    const own =
      rule === "errors" ? `; ${counted(errors)} of the canary, at most ${settings.errorCeilingPercent} %` : "";
    return met(
      rule,
      `${compared[rule]} are not compared at 100 %: nobody stands beside${own}`.replace("score are", "score is"),
    );
  });
}

/** Both were measured. */
export function comparedFindings(
  comparison: Extract<Comparison, { state: "compared" }>,
  settings: GateSettings,
  beside: "baseline" | "control",
  windowSeconds: number,
): Finding[] {
  const over = `over ${comparison.soak.pairs.length} windows of ${windowSeconds} s${leftOut(comparison.soak)}`;
  return [
    errorFinding(comparison.errors, settings, beside, over),
    latencyFinding(comparison.latency, settings, beside),
    scoreFinding(comparison.healthScore, comparison.latency),
  ];
}

function overCeiling(errors: CanaryErrors, { errorCeilingPercent }: GateSettings, beside = ""): Finding {
  const text = `${counted(errors)} of the canary${beside}; expected at most ${errorCeilingPercent} %`;
  return { rule: "errors", verdict: "roll-back", text };
}

function errorFinding(errors: ErrorComparison, settings: GateSettings, beside: string, over: string): Finding {
  const { canary, mine, ratio, power } = errors;
  const theirs = ` beside ${counted(errors.beside)} of the ${beside}`;
  if (canary.isOverCeiling) return overCeiling(canary, settings, theirs);
  const allowed = `${number(1 + settings.errorAllowancePercent / 100)} times as many`;
  const chance =
    mine.errors === 0 && errors.beside.errors === 0
      ? "none on either side"
      : `${times(ratio.estimate)}, by chance anything from ${times(ratio.lower)} to ${times(ratio.upper)}`;
  const both = `${counted(mine)} of the canary${theirs}: ${chance}, ${over}`;
  if (errors.isOverAllowance) {
    return { rule: "errors", verdict: "roll-back", text: `${both}; expected at most ${allowed}` };
  }
  const sight =
    power.couldSee === undefined ? "could not have seen any rate" : `could have seen ${percent(power.couldSee)}`;
  if (power.isEnough)
    return met("errors", `${both}; allowed are ${allowed} and ${settings.errorCeilingPercent} %; it ${sight}`);
  const text = `${missing(power.moreRequests)} to see ${percent(power.mustSee)} errors (twice what fails); so far it ${sight}. ${both}`;
  return cannotTell("errors", "too-little", text);
}

function latencyFinding(latency: LatencyComparison, settings: GateSettings, beside: string): Finding {
  const { p95, p99, ranks } = latency;
  const allowed = `expected at most ${settings.latencyAllowancePercent} % more`;
  const rankText = ranks ? `; ${rankWords(ranks, beside)}` : "";
  if (!("ratio" in p95)) {
    if (ranks?.isOverAllowance) {
      return {
        rule: "latency",
        verdict: "roll-back",
        text: `${rankWords(ranks, beside)}; ${allowed} (p95: ${p95.why})`,
      };
    }
    return cannotTell("latency", p95.measured, `latencies cannot be compared: ${p95.why}${rankText}`);
  }
  const p99Text = "ratio" in p99 ? `; ${quantileWords("p99", p99, beside)}` : `; p99 is not compared: ${p99.why}`;
  const all = `${quantileWords("p95", p95, beside)}, over ${p95.windows} windows${rankText}${p99Text}`;
  if (p95.isOverAllowance || ranks?.isOverAllowance) {
    return { rule: "latency", verdict: "roll-back", text: `${all}; ${allowed}` };
  }
  const { power } = p95;
  const sight =
    power.couldSee === undefined
      ? "could not have seen any slow-down"
      : `could have seen ${percent(power.couldSee)} more`;
  if (power.isEnough) {
    const seesIt = power.couldSee !== undefined && power.couldSee <= power.mustSee;
    const why = seesIt ? `it ${sight}` : `one slower by ${percent(power.mustSee)} would have looked slower than this`;
    return met("latency", `${all}; ${allowed}; ${why}`);
  }
  const needs = `${missing(power.moreRequests)} to see a p95 slower by ${percent(power.mustSee)} (twice what fails); so far it ${sight}`;
  return cannotTell("latency", "too-little", `${needs}. ${all}`);
}

function quantileWords(name: string, quantile: QuantileComparison, beside: string): string {
  const { canaryMilliseconds, besideMilliseconds, ratio } = quantile;
  const chance = `by chance anything from ${change(ratio.lower)} to ${change(ratio.upper)}`;
  return `${name} ${number(canaryMilliseconds)} ms beside ${number(besideMilliseconds)} ms of the ${beside}: ${change(ratio.estimate)}, ${chance}`;
}

function rankWords({ chanceSlower, chanceSlowerThanAllowed }: RankComparison, beside: string): string {
  const { estimate, lower, upper } = chanceSlower;
  const chance = `by chance anything from ${percent(Math.max(0, lower))} to ${percent(Math.min(1, upper))}`;
  const allowed = `${percent(chanceSlowerThanAllowed)} were the ${beside} slower by what is allowed`;
  return `a request of the canary is the slower one of two in ${percent(estimate)} (${chance}), and in ${allowed}`;
}

function scoreFinding(score: HealthScore, { p99 }: LatencyComparison): Finding {
  const parts = score.parts.map(
    ({ of, penalty, isCounted }) => `${of} -${number(penalty)}${isCounted ? "" : ", which chance explains"}`,
  );
  const made = parts.length > 0 ? ` (${parts.join("; ")})` : "";
  const without = score.isWithoutP99 && "why" in p99 ? `; without p99: ${p99.why}` : "";
  const text = `health score ${decimals(score.counted)}, by the formula alone ${decimals(score.raw)}${made}${without}`;
  if (score.verdict === "promote") return met("health-score", text);
  return {
    rule: "health-score",
    verdict: score.verdict,
    text: `${text}; expected at least 0.9, and below 0.8 it is worse`,
  };
}

/** The way out, which comes first: whoever reads a refusal wants to know what to wait for. */
function missing(moreRequests: number | undefined): string {
  if (moreRequests === undefined) return "needs more requests in each window than there are";
  const requests = moreRequests === 1 ? "1 more request" : `about ${moreRequests} more requests`;
  return `needs ${requests} of the canary, so the soak goes on,`;
}

function counted({ errors, requests }: { readonly errors: number; readonly requests: number }): string {
  const rate = percent(requests > 0 ? errors / requests : 0);
  return `${rate} errors (${Math.round(errors)} of ${Math.round(requests)})`;
}

function percent(fraction: number): string {
  return `${number(100 * fraction)} %`;
}

function times(ratio: number): string {
  return Number.isFinite(ratio) ? `${number(ratio)} times` : "any number of times";
}

function change(ratio: number): string {
  const percents = 100 * (ratio - 1);
  return `${percents < 0 ? "-" : "+"}${number(Math.abs(percents))} %`;
}

function decimals(score: number): string {
  return String(Math.round(score * 1_000) / 1_000);
}

const threeDigits = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3, useGrouping: false });

/** Three digits, and no exponent. */
function number(value: number): string {
  if (!Number.isFinite(value)) return "any number";
  return threeDigits.format(value);
}
