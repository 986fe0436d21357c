/**
 * What a cell came to, and whether that may be. Judged from live weights over time, from what woke people, from what people at a terminal
 * were told, and from the raw record; no code of the product is asked.
 */
import type { Observed } from "./cell.ts";
import { faultFigures } from "./kinds.ts";

/** The outcome of one cell, as the docs have it. */
export interface Outcome {
  readonly happened: string;
  /** From the breach (a rollback) or the `up` (an opening) until exposure is, and stays, at or under what it may be. Unit: seconds. */
  readonly secondsToTarget: number | null;
  /** Highest exposure after it was first at the target. Unit: percent. */
  readonly highestAfterPercent: number;
  /** Time with more than it may have, from breach or lapse on. Unit: seconds. */
  readonly badSeconds: number;
  /** Ways in which somebody was woken between the fault and its mending, each once. */
  readonly pagedBy: readonly string[];
  readonly byHand: readonly string[];
  /** Everything that must not be; empty: all is well. */
  readonly broken: readonly string[];
}

/** What the opening asks for, and where it stood before. Unit: percent. */
const asked = 25;
const before = 5;
/** A lease, as the guard takes it; then the hook's next minute, and the load balancer's propagation. Unit: seconds. */
const leaseSeconds = 600;
const lookSeconds = 75;

interface RawRecord {
  readonly canary?: { readonly exposurePercent: number };
  readonly outbox: readonly unknown[];
  readonly snapshotsDue?: readonly unknown[];
}

export function judge(seen: Observed): Outcome {
  return seen.cell.of === "rollback" ? judgeRollback(seen) : judgeOpening(seen);
}

/** The last instant from which on exposure stays at or under a bound; `undefined`: it is above at the end. */
function underFrom(seen: Observed, bound: number, since: number, until = seen.endAt): number | undefined {
  let from: number | undefined = since;
  for (const [index, change] of seen.shares.entries()) {
    if (change.at > until) break;
    const endsAt = seen.shares[index + 1]?.servedFrom ?? until;
    if (endsAt < since) continue;
    if (change.percent > bound + 1e-6) from = undefined;
    else from ??= change.servedFrom;
  }
  return from;
}

/** Time with more than a bound, between two instants. Unit: seconds. */
function secondsAbove(seen: Observed, bound: number, since: number, until: number): number {
  let sum = 0;
  for (const [index, change] of seen.shares.entries()) {
    const from = Math.max(since, change.servedFrom);
    const to = Math.min(until, seen.shares[index + 1]?.servedFrom ?? until);
    if (change.percent > bound + 1e-6 && to > from) sum += to - from;
  }
  return Math.round(sum / 1_000);
}

function highest(shares: Observed["shares"]): number {
  return Math.max(0, ...shares.map(({ percent }) => percent));
}

function pagedBy(seen: Observed, since: number, until: number): string[] {
  const ways = seen.woken.filter(({ at }) => at >= since && at <= until).map(({ by }) => wayOf(by));
  return [...new Set(ways)];
}

/** Where a page came from, in a word. */
function wayOf(by: string): string {
  if (by.startsWith("hook:")) return "hook";
  if (by.startsWith("watchman:") || by.includes("watchman")) return "watchman";
  const name = by.replace("alarm: ", "");
  if (/-hook-/.test(name)) return `alarm ${name.split("-hook-")[1]}`;
  return "alarm of the release";
}

function lasts(seen: Observed): boolean {
  return seen.cell.kind === "access denied" && seen.met > 0;
}

function judgeRollback(seen: Observed): Outcome {
  const broken: string[] = [];
  const ends = underFrom(seen, 0, seen.breachAt);
  const firstZero = seen.shares.find(({ at, percent }) => at >= seen.breachAt && percent === 0);
  const paged = pagedBy(seen, seen.breachAt, seen.mendedAt);
  if (ends === undefined) broken.push(`exposure ends at ${seen.shares.at(-1)?.percent} %`);
  if (ends !== undefined && ends > seen.mendedAt)
    broken.push("exposure came to its target only after the fault was mended");
  if (paged.length === 0) broken.push("nobody was paged");
  const raised = seen.shares.filter(
    (change, index) =>
      change.by === "up" && change.at > seen.breachAt && change.percent > (seen.shares[index - 1]?.percent ?? 0),
  );
  if (raised.length > 0) broken.push("raised again after the rollback");
  broken.push(...restProblems(seen));
  return {
    happened: happenedInRollback(seen, firstZero?.by),
    secondsToTarget: ends === undefined ? null : Math.round((ends - seen.breachAt) / 1_000),
    highestAfterPercent: firstZero ? highest(seen.shares.slice(seen.shares.indexOf(firstZero))) : 0,
    badSeconds: secondsAbove(seen, 0, seen.breachAt, seen.endAt),
    pagedBy: paged,
    byHand: seen.byHand,
    broken,
  };
}

function happenedInRollback(seen: Observed, by: string | undefined): string {
  const who = by === "person" ? "a person lowered it" : by === "hook" ? "rolled back by the hook" : "not lowered";
  const frozen = seen.pages.find(({ summary }) => summary.includes("FROZEN"));
  const notes = [
    ...(seen.met === 0 ? ["the step was not met"] : []),
    ...(frozen ? ["frozen first"] : []),
    ...(seen.errors.length > 0 ? [`${seen.errors.length} failed runs`] : []),
    ...(seen.pages.some(({ summary }) => summary.includes("HELD")) ? ["held as lowered by somebody"] : []),
  ];
  return [who, ...notes].join(", ");
}

function judgeOpening(seen: Observed): Outcome {
  const broken: string[] = [];
  const [faulted, ...later] = seen.ups.filter(({ at }) => at >= seen.armedAt);
  const endedWell = faulted?.result === "applied";
  // A clock that is slow by five minutes makes a lease that much longer.
  const skew = seen.cell.kind === "clock skew" ? faultFigures.skewSeconds : 0;
  const lapsesAt = seen.armedAt + (leaseSeconds + skew + lookSeconds) * 1_000;
  const most = highest(seen.shares.filter(({ at }) => at >= seen.armedAt && at < seen.mendedAt));
  if (highest(seen.shares) > asked) broken.push(`exposure came to ${highest(seen.shares)} %, more than was asked for`);
  const settled = seen.shares.findLast(({ at }) => at < seen.mendedAt)?.percent ?? 0;
  const firstAbove = seen.shares.find(({ at, percent }) => at >= seen.armedAt && percent > before);
  const bound = endedWell || committedBy(seen, seen.mendedAt) >= asked ? asked : before;
  if (seen.mendedAt > lapsesAt && secondsAbove(seen, bound, lapsesAt, seen.mendedAt) > 0)
    broken.push(`exposure is above ${bound} % after the lease lapsed`);
  if (!seen.ups.some(({ at, result }) => at >= seen.armedAt && at < seen.breachAt && result === "applied"))
    broken.push(`no later up goes through: ${later.at(-1)?.reasons.join(" ") ?? ""}`);
  if (lasts(seen) && endedWell && !faulted.warned && pagedBy(seen, seen.armedAt, seen.mendedAt).length === 0)
    broken.push("nobody was told of what lasts");
  if (endedWell && settled < asked && !faulted.warned && pagedBy(seen, seen.armedAt, seen.mendedAt).length === 0)
    broken.push("the up goes through, live does not advance, and nobody was told");
  // Afterwards: the release turns bad.
  const ends = underFrom(seen, 0, seen.breachAt);
  if (ends === undefined) broken.push(`a later breach leaves it at ${seen.shares.at(-1)?.percent} %`);
  broken.push(...restProblems(seen));
  const lowered = seen.shares.find(
    ({ at, percent }) => firstAbove !== undefined && at > firstAbove.at && at <= seen.mendedAt && percent <= before,
  );
  return {
    happened: happenedInOpening(seen, faulted, settled),
    secondsToTarget: endedWell
      ? null
      : lowered && faulted
        ? Math.round((lowered.servedFrom - seen.armedAt) / 1_000)
        : 0,
    highestAfterPercent: most,
    badSeconds: secondsAbove(seen, bound, seen.armedAt, seen.mendedAt),
    pagedBy: pagedBy(seen, seen.armedAt, seen.mendedAt),
    byHand: [
      ...(endedWell ? [] : [`${later.filter(({ at }) => at < seen.breachAt).length} × up again`]),
      ...seen.byHand,
    ],
    broken,
  };
}

/** What the record had committed at an instant, read from the writes on the trace. */
function committedBy(seen: Observed, until: number): number {
  const written = seen.trace.findLast(
    (entry) => entry.kind === "effect" && entry.call === "records.write" && entry.at <= until,
  );
  const record = written && "args" in written ? (written.args[0] as RawRecord) : undefined;
  return record?.canary?.exposurePercent ?? 0;
}

function happenedInOpening(seen: Observed, up: Observed["ups"][number] | undefined, settled: number): string {
  const words = up?.reasons.join(" ").replace(/\s+/g, " ").replace(/\|/g, "/") ?? "";
  const short = words.length > 140 ? `${words.slice(0, 140)}…` : words;
  const result =
    up?.result === "applied"
      ? `the up goes through${up.warned ? " with a warning" : ""}`
      : `the up ${up?.result === "crashed" ? "dies" : `is ${up?.result}`}${short ? ` (${short})` : ""}`;
  return `${seen.met === 0 ? "the step was not met, " : ""}${result}; live settles at ${settled} %`;
}

/** At the end nothing waits, nothing fails, and live is what the record says. */
function restProblems(seen: Observed): string[] {
  const record = JSON.parse(seen.record) as RawRecord;
  const problems: string[] = [];
  const live = seen.shares.at(-1)?.percent ?? 0;
  const committed = record.canary?.exposurePercent ?? 0;
  if (Math.abs(live - committed) > 1e-6) problems.push(`live is ${live} %, the record says ${committed} %`);
  if (record.outbox.length > 0) problems.push(`${record.outbox.length} pages still wait`);
  if ((record.snapshotsDue?.length ?? 0) > 0) problems.push("a snapshot is still to be taken");
  const late = seen.errors.filter(({ at }) => at > seen.endAt - 120_000);
  if (late.length > 0) problems.push(`the hook still fails: ${late.at(-1)?.message}`);
  return problems;
}
