/**
 * Whether the order of calls on a trace is safe. Judged from the trace alone, with arithmetic of its own:
 *
 * - no target group is detached from all rules, scaled in or deleted within 120 s of the weight change that took its traffic
 * - a write of a main rule that lowers a release turns stickiness off
 * - weights are lowered with the record written first, unless that write failed or the record says so already; raised with a lease
 * - whoever wrote weights reads them back before the run ends
 */
import type { TracedAction, TraceEntry } from "./trace.ts";

/** Source: ALB uses old weights for a while; design of the shape of the rules. Unit: seconds. */
const settleSeconds = 120;

interface RuleState {
  readonly role: string;
  readonly weights: Readonly<Record<string, number>>;
}

interface RawRecord {
  readonly baseline: string;
  readonly releases: Readonly<Record<string, { readonly targetGroupArn: string }>>;
  readonly canary?: { readonly digest: string; readonly exposurePercent: number };
  /** A second group of the baseline: it may have as much as the canary, and no more than the canary leaves. */
  readonly control?: { readonly targetGroupArn: string };
  readonly lease?: { readonly kind: string; readonly digest: string; readonly toPercent: number };
}

/** Every way in which a trace breaks the order; empty: none. */
export function orderProblems(trace: readonly TraceEntry[]): string[] {
  return [...attachmentProblems(trace), ...lowerings(trace), ...readBackProblems(trace)];
}

/** A rule's write that took effect, whoever wrote it. */
function ruleEffect(
  entry: TraceEntry,
): { readonly arn: string; readonly role?: string; readonly action: TracedAction } | undefined {
  if (entry.kind === "rule") return { arn: entry.ruleArn, role: entry.role, action: entry.action };
  if (entry.kind !== "effect" || entry.call !== "traffic.writeRule") return undefined;
  return { arn: String(entry.args[0]), action: entry.args[1] as TracedAction };
}

function attachmentProblems(trace: readonly TraceEntry[]): string[] {
  const problems: string[] = [];
  const rules = new Map<string, RuleState>();
  const leftAt = new Map<string, number>();
  const tooEarly = (entry: TraceEntry, group: string, what: string): void => {
    const seconds = (entry.at - (leftAt.get(group) ?? Number.NEGATIVE_INFINITY)) / 1_000;
    if (seconds < settleSeconds) problems.push(`${group} ${what} ${seconds} s after its traffic was taken`);
  };
  for (const entry of trace) {
    if (entry.kind === "group-deleted") tooEarly(entry, entry.groupArn, "deleted");
    if (entry.kind === "group-scaled-in") tooEarly(entry, entry.groupArn, "scaled in");
    const effect = ruleEffect(entry);
    if (!effect) continue;
    const trafficBefore = withTraffic(rules);
    const attachedBefore = attached(rules);
    const before = rules.get(effect.arn);
    if (entry.kind === "rule" && entry.op === "delete") rules.delete(effect.arn);
    else rules.set(effect.arn, { role: effect.role ?? before?.role ?? "", weights: effect.action.weights });
    for (const group of trafficBefore) if (!withTraffic(rules).has(group)) leftAt.set(group, entry.at);
    for (const group of attachedBefore) if (!attached(rules).has(group)) tooEarly(entry, group, "detached");
  }
  return problems;
}

/** Groups that get users' requests. */
function withTraffic(rules: ReadonlyMap<string, RuleState>): Set<string> {
  const mains = [...rules.values()].filter((rule) => rule.role === "main");
  return new Set(mains.flatMap(({ weights }) => Object.keys(weights).filter((group) => (weights[group] ?? 0) > 0)));
}

function attached(rules: ReadonlyMap<string, RuleState>): Set<string> {
  return new Set([...rules.values()].flatMap(({ weights }) => Object.keys(weights)));
}

function share(weights: Readonly<Record<string, number>>, group: string): number {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return total === 0 ? 0 : (100 * (weights[group] ?? 0)) / total;
}

/** Stickiness and record, of every write of a main rule in the order in which it was asked for. */
function lowerings(trace: readonly TraceEntry[]): string[] {
  const problems: string[] = [];
  const mains = new Map<string, Readonly<Record<string, number>>>();
  let record: RawRecord | undefined;
  /** Runs that asked for a record write. */
  const askedToRecord = new Set<number>();
  /** What the guard of each `up` was granted: a write that is on its way cannot be called back. */
  const leaseOf = new Map<number, RawRecord>();
  for (const entry of trace) {
    if (entry.kind === "asked" && entry.call === "records.write") askedToRecord.add(entry.run);
    if (entry.kind === "effect" && entry.call === "records.write") {
      record = entry.args[0] as RawRecord;
      if (record.lease) leaseOf.set(entry.run, record);
    }
    const wish = ruleWish(entry, mains);
    if (wish && record) {
      const receiver = record.releases[record.baseline]?.targetGroupArn ?? "";
      const groups = new Set([...Object.keys(wish.before), ...Object.keys(wish.action.weights)]);
      for (const group of groups) {
        if (group === receiver) continue;
        const from = share(wish.before, group);
        const to = share(wish.action.weights, group);
        const place = `run ${entry.run} (${entry.actor}): ${group} from ${from} % to ${to} %`;
        if (to < from - 1e-6) {
          if (wish.action.stickinessSeconds !== undefined) problems.push(`${place}: lowered with stickiness on`);
          if (entry.actor !== "up" && !askedToRecord.has(entry.run) && granted(record, group) > to + 1)
            problems.push(`${place}: lowered without a write of the record, which grants ${granted(record, group)} %`);
        }
        const lease = leaseOf.get(entry.run);
        const most = Math.max(granted(record, group), leased(record, group), lease ? leased(lease, group) : 0);
        if (to > from + 1e-6 && most < to - 1)
          problems.push(`${place}: raised, and the record grants ${granted(record, group)} % and no lease`);
      }
    }
    const effect = ruleEffect(entry);
    if (effect && (effect.role === "main" || mains.has(effect.arn))) mains.set(effect.arn, effect.action.weights);
  }
  return problems;
}

/** A main rule's write as it is asked for. */
function ruleWish(entry: TraceEntry, mains: ReadonlyMap<string, Readonly<Record<string, number>>>) {
  if (entry.kind === "rule" && entry.role === "main" && entry.op === "update") {
    return { action: entry.action, before: mains.get(entry.ruleArn) ?? {} };
  }
  if (entry.kind !== "asked" || entry.call !== "traffic.writeRule") return undefined;
  const before = mains.get(String(entry.args[0]));
  return before && { action: entry.args[1] as TracedAction, before };
}

/** What a control may have beside a canary of so much. */
function besides(percent: number): number {
  return Math.min(percent, 100 - percent);
}

function granted(record: RawRecord, group: string): number {
  const { canary } = record;
  if (record.control?.targetGroupArn === group) return besides(canary?.exposurePercent ?? 0);
  return canary && record.releases[canary.digest]?.targetGroupArn === group ? canary.exposurePercent : 0;
}

function leased(record: RawRecord, group: string): number {
  const { lease } = record;
  if (lease && record.control?.targetGroupArn === group) return besides(lease.toPercent);
  return lease && record.releases[lease.digest]?.targetGroupArn === group ? lease.toPercent : 0;
}

/** Whoever wrote looks at it again: the hook and a person in the same run, an `up` through the opening's run before it ends. */
function readBackProblems(trace: readonly TraceEntry[]): string[] {
  const problems: string[] = [];
  const dead = new Set(trace.flatMap((entry) => (entry.kind === "died" ? [entry.run] : [])));
  const answered = (index: number) => {
    const asked = trace[index];
    return trace
      .slice(index + 1)
      .find(
        (entry) =>
          entry.run === asked?.run &&
          "call" in entry &&
          asked &&
          "call" in asked &&
          entry.args === asked.args &&
          entry.kind !== "effect",
      );
  };
  trace.forEach((entry, index) => {
    if (entry.kind === "asked" && entry.call === "traffic.writeRule") {
      const answer = answered(index);
      // What failed is said so; what never answered belongs to a run that is gone.
      if (answer?.kind !== "answered" || dead.has(entry.run)) return;
      // A look for something else, after the run has gone on, is no read-back.
      const next = trace
        .slice(index + 1)
        .find((later) => later.run === entry.run && (reads(later, String(entry.args[0])) || goesOn(later)));
      if (!next || !reads(next, String(entry.args[0])))
        problems.push(`run ${entry.run} (${entry.actor}): wrote ${entry.args[0]} and never read it back`);
    }
    if (entry.kind === "rule" && entry.role === "main" && entry.op === "update" && !dead.has(entry.run)) {
      const rest = trace.slice(index + 1);
      const end = rest.findIndex((later) => later.kind === "up-ended" && later.run === entry.run);
      const isApplied =
        end >= 0 && rest[end]?.kind === "up-ended" && Reflect.get(rest[end] ?? {}, "result") === "applied";
      if (isApplied && !rest.slice(0, end).some((later) => later.actor === "hook" && reads(later, entry.ruleArn)))
        problems.push(`run ${entry.run} (up): wrote ${entry.ruleArn}, and nobody read it back before the up ended`);
    }
  });
  return problems;
}

/** The run tells people, or keeps what it did. */
function goesOn(entry: TraceEntry): boolean {
  return entry.kind === "asked" && /^(?:pager\.send|records\.(?:write|append)\w*)$/.test(entry.call);
}

function reads(entry: TraceEntry, arn: string): boolean {
  if (entry.kind !== "asked" || entry.call !== "traffic.readRules") return false;
  const [arns] = entry.args;
  return Array.isArray(arns) && arns.includes(arn);
}
