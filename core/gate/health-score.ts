/**
 * The health score of B7 (seed 002, read 2026-11-21): 1 − min(0.5, error delta when the canary's error rate > 1.1 × baseline's) −
 * min(0.3, 0.2 × (p99 ratio − 1) when the canary's p99 > baseline's). Its verdict is one of several and the worst of them counts: 5 % of
 * errors against 1 % score 0.96.
 */
import type { VerdictKind } from "./verdict.ts";

/** From here on a release is healthy; below the second one it is not. */
export const healthyScore = 0.9;
export const rollBackScore = 0.8;

/** What the score is made of. */
export interface HealthParts {
  /** Unit: fractions of requests. */
  readonly errors: { readonly canaryRate: number; readonly besideRate: number; readonly isMore: boolean };
  /** Absent: p99 could not be compared. */
  readonly p99?: { readonly ratio: number; readonly isSlower: boolean };
}

export interface HealthScore {
  /** By the formula alone. Range: 0.2 to 1. */
  readonly raw: number;
  /** With the parts alone whose comparison leaves no change out; what the verdict is of. */
  readonly counted: number;
  /** Which parts took something away from `counted`, and which from `raw` alone. */
  readonly parts: readonly { readonly of: "errors" | "p99"; readonly penalty: number; readonly isCounted: boolean }[];
  /** Without p99 it is of the errors alone. */
  readonly isWithoutP99: boolean;
  readonly verdict: VerdictKind;
}

/** Scores a canary. A part that chance explains is told, and takes nothing away: every second healthy release has a p99 above its baseline's. */
export function healthScore({ errors, p99 }: HealthParts): HealthScore {
  const { canaryRate, besideRate } = errors;
  const errorPenalty = canaryRate > 1.1 * besideRate ? Math.min(0.5, canaryRate - besideRate) : 0;
  const latencyPenalty = p99 && p99.ratio > 1 ? Math.min(0.3, 0.2 * (p99.ratio - 1)) : 0;
  const parts = [
    { of: "errors" as const, penalty: errorPenalty, isCounted: errors.isMore },
    { of: "p99" as const, penalty: latencyPenalty, isCounted: p99?.isSlower ?? false },
  ].filter(({ penalty }) => penalty > 0);
  const without = (counts: typeof parts): number => counts.reduce((score, { penalty }) => score - penalty, 1);
  const counted = without(parts.filter(({ isCounted }) => isCounted));
  return { raw: without(parts), counted, parts, isWithoutP99: p99 === undefined, verdict: verdictOfScore(counted) };
}

/** Scores are sums of decimal fractions: 1 − 0.1 is healthy whatever binary arithmetic makes of it. */
function verdictOfScore(score: number): VerdictKind {
  const rounded = Math.round(score * 1e9) / 1e9;
  if (rounded >= healthyScore) return "promote";
  return rounded >= rollBackScore ? "monitor" : "roll-back";
}
