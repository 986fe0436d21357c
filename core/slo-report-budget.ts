/** The error budget as a report tells it: as it stood at the period's end, or now where that is not over, and day by day (C2, D6). */
import { errorBudgetOf } from "./burn-rate.ts";
import { type BudgetState, type CountedInterval, reckonBudget } from "./error-budget.ts";
import type { Instant, Promises } from "./record.ts";
import type { ReportFacts } from "./slo-report.ts";

const dayMs = 86_400_000;

export interface BudgetResult
  extends Omit<
    BudgetState,
    "from" | "to" | "knownSince" | "depletesAt" | "burns" | "spentFraction" | "leftFraction" | "spentMinutes"
  > {
  /** `null`: no request was counted, so nobody knows. */
  readonly spentFraction: number | null;
  readonly leftFraction: number | null;
  readonly spentMinutes: number | null;
  readonly from: string;
  readonly to: string;
  readonly knownSince: string | null;
  readonly depletesAt: string | null;
  readonly burns: { readonly now: number | null; readonly hour: number | null; readonly day: number | null };
  /** Share left at the end of each day of the window, by what the whole window allows; empty without a request. Unit: fraction. */
  readonly burnDown: readonly { readonly at: string; readonly leftFraction: number }[];
}

/** `null`: none is kept, or nothing could be read. @throws CountsUnreadableError */
export function budgetResult(
  facts: Pick<ReportFacts, "kind" | "from" | "to" | "now">,
  promises: Promises | undefined,
  counts: readonly CountedInterval[] | undefined,
): BudgetResult | null {
  const periodDays = promises?.budgetPeriodDays;
  const budget = promises && errorBudgetOf(promises.objectives.map((promise) => ({ ...promise })));
  if (!periodDays || !budget || !counts) return null;
  // What is to come is neither good nor known.
  const until = Math.max(facts.from + 1, Math.min(facts.to, facts.now));
  // A quarter is looked at as a whole; everything else over the service's own rolling window.
  const days = facts.kind === "quarter" ? Math.ceil((until - facts.from) / dayMs) : periodDays;
  const state = reckonBudget(budget, days, counts, until);
  const { from, to, knownSince, depletesAt, burns, spentFraction, leftFraction, spentMinutes, ...rest } = state;
  const isKnown = state.status !== "no-traffic";
  return {
    ...rest,
    spentFraction: isKnown ? spentFraction : null,
    leftFraction: isKnown ? leftFraction : null,
    spentMinutes: isKnown ? spentMinutes : null,
    from: iso(from),
    to: iso(to),
    knownSince: isoOrNull(knownSince),
    depletesAt: isoOrNull(depletesAt),
    burns: { now: burns.now ?? null, hour: burns.hour ?? null, day: burns.day ?? null },
    burnDown: isKnown ? burnDown(state, counts) : [],
  };
}

function burnDown({ from, to, allowedErrors }: BudgetState, counts: readonly CountedInterval[]) {
  const inWindow = counts.filter(({ at }) => at >= from && at < to).toSorted((left, right) => left.at - right.at);
  const points: { at: string; leftFraction: number }[] = [];
  let spent = 0;
  let next = 0;
  for (let at = from; at <= to; at = at < to ? Math.min(to, at + dayMs) : at + 1) {
    for (let each = inWindow[next]; each && each.at < at; each = inWindow[++next]) spent += each.errors;
    // Four digits: 99.95 % must not become 100.
    points.push({ at: iso(at), leftFraction: Number((1 - spent / allowedErrors).toFixed(4)) });
  }
  return points;
}

function iso(at: Instant): string {
  return new Date(at).toISOString();
}

function isoOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : iso(at);
}
