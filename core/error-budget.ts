/**
 * The error budget of a service (C2): how much may go wrong in a rolling window, what was spent, how fast it goes, and when it is gone.
 * Arithmetic over counts alone; who reads them is `hooks/error-budget.ts` and `reports/`.
 *
 * The budget is the whole period's: an objective of 99.95 % over 28 days allows some 20 minutes of everything failing, on the first day as on
 * the last. Where less than the period is known its requests are projected from what is, and the state says so (docs/decisions/0019). Counts
 * are sums of an interval, never counters: a process that starts anew spends nothing by it.
 */
import type { ErrorBudget } from "./burn-rate.ts";
import type { Instant } from "./record.ts";

/** Requests and errors of a service from `at` on, for so long. */
export interface CountedInterval {
  readonly at: Instant;
  readonly seconds: number;
  readonly requests: number;
  readonly errors: number;
}

/** Below this share of its budget a service opens no wave (C1, C2). Unit: fraction. Source: seed 000, requirement C2. */
export const leastBudgetLeftFraction = 0.1;

/** How many times as fast as the budget allows; absent: no request in that time, or the counts are coarser. */
export interface Burns {
  /** The newest quarter of an hour. */
  readonly now?: number;
  readonly hour?: number;
  readonly day?: number;
}

/** A budget, reckoned up. */
export interface BudgetState {
  readonly objective: string;
  /** What must not go wrong. Unit: percent of requests. */
  readonly targetPercent: number;
  /** Length of the window. Unit: days. */
  readonly periodDays: number;
  readonly from: Instant;
  readonly to: Instant;
  /** First interval with a request, where that is a day or more after the window's begin; what was before it is not known. */
  readonly knownSince?: Instant;
  /** Less than the period is known, and `allowedErrors` is reckoned as if all of it had been like what is. */
  readonly projected: boolean;
  /** As counted, never projected. */
  readonly requests: number;
  readonly errors: number;
  /** Errors that the requests of the whole period allow: those that were counted, or projected from them. Not rounded. */
  readonly allowedErrors: number;
  /** Spent of what was allowed; above 1 when more was spent than there was, 0 without traffic. Unit: fraction. */
  readonly spentFraction: number;
  /** 1 less what was spent; below 0 when overspent. Unit: fraction. */
  readonly leftFraction: number;
  /** The whole budget as time in which everything fails. Unit: minutes. */
  readonly budgetMinutes: number;
  readonly spentMinutes: number;
  readonly burns: Burns;
  /**
   * When nothing is left if the burn of the last day goes on, and what was spent before does not leave the window meanwhile; absent: not within
   * the period, or gone already.
   */
  readonly depletesAt?: Instant;
  /**
   * - `no-traffic`: nothing was counted, nothing is spent.
   * - `too-few`: requests or errors under the objective's floors, which prove nothing (B9).
   * - `low`: under a tenth is left. `spent`: nothing is left.
   */
  readonly status: "no-traffic" | "too-few" | "left" | "low" | "spent";
}

/** What was counted cannot be a count; nobody may reckon with it. */
export class CountsUnreadableError extends Error {
  override readonly name = "CountsUnreadableError";
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Time over which a burn is called the present one. Unit: milliseconds. */
const nowMs = 15 * minuteMs;
/** Less known time is taken for this much: minutes tell little of a month, and must not be multiplied by more. Unit: milliseconds. */
const leastKnownMs = hourMs;
/** Counts up to this long can tell the newest quarter of an hour. Unit: seconds. */
const fineSeconds = 300;

/**
 * Reckons a budget up over the intervals that begin in the period before `to`. Intervals may come in any order and several for one time
 * (one a release), must not overlap otherwise, and may have gaps: without traffic nothing is counted.
 * @throws CountsUnreadableError where a count is negative or no number
 */
export function reckonBudget(
  budget: ErrorBudget,
  periodDays: number,
  intervals: readonly CountedInterval[],
  to: Instant,
): BudgetState {
  refuseNonCounts(intervals);
  const from = to - periodDays * dayMs;
  const inWindow = intervals.filter(({ at }) => at >= from && at < to);
  const budgetFraction = budget.budgetPercent / 100;
  const { requests, errors } = totals(inWindow);
  const first = Math.min(...inWindow.filter((each) => each.requests > 0 || each.errors > 0).map(({ at }) => at));
  // The first hour of a window is cut; later than that means that there was nothing to count.
  const projected = Number.isFinite(first) && first >= from + dayMs;
  const wholePeriod = projected ? (to - from) / Math.max(leastKnownMs, to - first) : 1;
  const allowedErrors = requests * budgetFraction * wholePeriod;
  const spentFraction = requests === 0 ? 0 : errors / allowedErrors;
  const leftFraction = 1 - spentFraction;
  const burns = burnsOf(inWindow, budgetFraction, to);
  const budgetMinutes = budgetFraction * periodDays * 24 * 60;
  const depletesAt = depletion(leftFraction, burns.day, periodDays, to);
  return {
    objective: budget.objective,
    targetPercent: readable(100 - budget.budgetPercent),
    periodDays,
    from,
    to,
    ...(projected ? { knownSince: first } : {}),
    projected,
    requests,
    errors,
    allowedErrors,
    spentFraction,
    leftFraction,
    budgetMinutes: readable(budgetMinutes),
    spentMinutes: readable(budgetMinutes * spentFraction),
    burns,
    ...(depletesAt === undefined ? {} : { depletesAt }),
    status: statusOf(budget, requests, errors, leftFraction),
  };
}

function refuseNonCounts(intervals: readonly CountedInterval[]): void {
  const isCount = (value: number) => Number.isFinite(value) && value >= 0;
  const bad = intervals.filter(({ requests, errors }) => !isCount(requests) || !isCount(errors));
  const [first] = bad;
  if (!first) return;
  throw new CountsUnreadableError(
    `counts from ${new Date(first.at).toISOString()} on: not a count, got ${first.requests} requests and ${first.errors} errors${bad.length > 1 ? ` (and ${bad.length - 1} more such)` : ""}; expected 0 or more`,
  );
}

/** A connection that was refused is an error, and on some sources no request: whatever failed was asked for. */
function totals(intervals: readonly CountedInterval[]): { readonly requests: number; readonly errors: number } {
  let requests = 0;
  let errors = 0;
  for (const interval of intervals) {
    requests += Math.max(interval.requests, interval.errors);
    errors += interval.errors;
  }
  return { requests, errors };
}

function burnsOf(intervals: readonly CountedInterval[], budgetFraction: number, to: Instant): Burns {
  /** Only by counts that are finer than what is asked: six hours do not tell one. */
  const over = (milliseconds: number, coarsestSeconds: number): number | undefined => {
    const newest = intervals.filter(({ at, seconds }) => seconds <= coarsestSeconds && at >= to - milliseconds);
    const { requests, errors } = totals(newest);
    return requests === 0 ? undefined : errors / requests / budgetFraction;
  };
  const now = over(nowMs, fineSeconds);
  const hour = over(hourMs, hourMs / 1_000);
  const day = over(dayMs, dayMs / 1_000);
  return {
    ...(now === undefined ? {} : { now }),
    ...(hour === undefined ? {} : { hour }),
    ...(day === undefined ? {} : { day }),
  };
}

/** Remaining share × period / burn; a date after the period is none, since by then what was spent has left the window. */
function depletion(
  leftFraction: number,
  burn: number | undefined,
  periodDays: number,
  to: Instant,
): Instant | undefined {
  if (burn === undefined || burn <= 0 || leftFraction <= 0) return undefined;
  const days = (leftFraction * periodDays) / burn;
  return days > periodDays ? undefined : Math.round(to + days * dayMs);
}

function statusOf(budget: ErrorBudget, requests: number, errors: number, leftFraction: number): BudgetState["status"] {
  if (requests === 0) return "no-traffic";
  if (leftFraction >= leastBudgetLeftFraction - 1e-9) return "left";
  // A new service with one error in its first hundred requests has not lost its month.
  if (requests < budget.minimumRequests || errors < budget.minimumErrors) return "too-few";
  return leftFraction <= 0 ? "spent" : "low";
}

/** Whether waves must wait for the budget. */
export function pausesAdvances({ status }: BudgetState): boolean {
  return status === "low" || status === "spent";
}

/** `38.2 % of the error budget left (availability 99.95 % over 28 d): 412 errors of 667 allowed, burning 0.4 times as fast as allowed over 24 h`. */
export function budgetText(state: BudgetState): string {
  const promise = `${state.objective} ${state.targetPercent} % over ${state.periodDays} d`;
  if (state.status === "no-traffic") return `error budget untouched (${promise}): no request was counted`;
  const { day } = state.burns;
  const since = state.knownSince === undefined ? "" : `, ${projectedText(isoMinute(state.knownSince))}`;
  const few = state.status === "too-few" ? ", too few to judge by" : "";
  return `${percentText(state.leftFraction)} of the error budget left (${promise}${since}): ${countText(state.errors)} errors of ${countText(state.allowedErrors)} allowed${few}${
    day === undefined ? "" : `, burning ${factorText(day)} times as fast as allowed over 24 h`
  }${state.depletesAt === undefined ? "" : `, what is left is spent by ${isoDay(state.depletesAt)} at that`}`;
}

/** What every text says of a budget that is not reckoned from its whole period. @param knownSince `2026-11-29 09:00` */
export function projectedText(knownSince: string): string {
  return `projected from what is known since ${knownSince} UTC`;
}

/** `38.2 %`; what is under a tenth of a percent is shown as such, so that a spent budget never looks whole. */
export function percentText(fraction: number): string {
  return `${readable(Number((100 * fraction).toFixed(1)))} %`;
}

/** Three significant digits. */
export function factorText(factor: number): string {
  return String(Number(factor.toPrecision(3)));
}

/** Whole, or with one digit below ten. */
export function countText(count: number): string {
  return count < 10 ? String(Number(count.toFixed(1))) : String(Math.round(count));
}

function isoDay(at: Instant): string {
  return new Date(at).toISOString().slice(0, 10);
}

function isoMinute(at: Instant): string {
  return new Date(at).toISOString().slice(0, 16).replace("T", " ");
}

/** Binary fractions are not what people read. */
function readable(value: number): number {
  return Number(value.toFixed(6));
}
