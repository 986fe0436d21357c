/**
 * Hears everything the local cloud says and keeps what a reader wants to know: the timeline, the pages, and the four instants
 * (fault, breach, decision, zero). It decides nothing and asks the cloud for nothing but the record.
 */
import { type AlarmSpec, alarmsFor } from "../../core/alarms.ts";
import { parseAlarmName, releaseKey } from "../../core/naming.ts";
import type { Breach, HistoryEntry, Instant, Page } from "../../core/record.ts";
import type { EnvironmentConfig, ServiceConfig } from "../../stacks/config.ts";
import { functionKind } from "../cloud/functions.ts";
import type { CloudEvent, LocalCloud } from "../cloud/types.ts";
import type { Fault, FaultKind } from "../scenarios.ts";
import { firstBadPeriod } from "./breach-time.ts";
import { type ReportedPage, type TimelineEntry, type TimelineKind, timelineKinds } from "./report.ts";

interface Line {
  readonly at: Instant;
  readonly kind: TimelineKind;
  readonly message: string;
  readonly exposurePercent: number;
}

/** Kinds of the record's history that have a word of their own in the timeline; the others are the hook's own notes. */
const timelineKindOf: Readonly<Record<string, TimelineKind>> = {
  commit: "commit",
  breach: "detected",
  "would-respond": "detected",
  escalated: "detected",
  rollback: "rollback",
  lowered: "lowered",
  hold: "hold",
  recovered: "recovered",
  acknowledge: "acknowledge",
};
/** Told by other lines already, or of no use to a reader. */
const quietHistory: ReadonlySet<string> = new Set(["lease-opening", "lease-lowering", "lease-lapsed", "lease-revoked"]);

const unitOf: Readonly<Record<string, string>> = {
  "error-rate": " %",
  availability: " % errors",
  "latency-p50": " ms",
  "latency-p95": " ms",
  "latency-p99": " ms",
};

const faultTexts: Readonly<Record<FaultKind, (who: string) => string>> = {
  "error-spike": (who) => `${who} to fail requests; this is the first`,
  "latency-regression": (who) => `${who} to answer slowly; this is the first request that waits too long`,
  "invariant-violation": (who) => `${who} to break an invariant; this is the first time`,
  "metrics-outage": (who) => `${who} to go unmeasured; this is the first request that nobody measures`,
};
const faultedTexts: Readonly<Record<NonNullable<Fault["on"]>, string>> = {
  canary: "the new release starts",
  baseline: "the old release starts",
  both: "both releases start",
};

const causeRank: ReadonlyMap<TimelineKind, number> = new Map(timelineKinds.map((kind, rank) => [kind, rank]));

/** The decision that a fault was seen by. */
export interface Detection {
  readonly at: Instant;
  /** `undefined`: the blind clock ran out. */
  readonly breach: Breach | undefined;
}

export class Chronicle {
  readonly pages: ReportedPage[] = [];
  readonly detections: Detection[] = [];
  readonly #cloud: LocalCloud;
  readonly #environment: string;
  readonly #service: string;
  readonly #canary: string;
  readonly #canaryKey: string;
  readonly #alarms: ReadonlyMap<string, AlarmSpec>;
  readonly #lines: Line[] = [];
  readonly #fired: { at: Instant; alarm: AlarmSpec; endsAt: Instant; value: number }[] = [];
  readonly #weights: { at: Instant; percent: number; servedFrom: Instant }[] = [];
  /** Releases that a fault was put on. */
  #faulted: ReadonlySet<string> = new Set();
  #firstBadAt: Instant | undefined;
  #faultText = "";
  #lastResponseAt: Instant | undefined;
  #loweredAt: Instant | undefined;

  constructor(cloud: LocalCloud, config: Pick<EnvironmentConfig, "environment">, service: ServiceConfig) {
    this.#cloud = cloud;
    this.#environment = config.environment;
    this.#service = service.name;
    this.#canary = service.canary?.digest ?? "";
    this.#canaryKey = service.canary ? releaseKey(service.canary) : "";
    this.#alarms = new Map(alarmsFor(service.objectives, service.source).map((alarm) => [alarm.key, alarm]));
    cloud.onEvent((event) => this.#hear(event));
  }

  /** The canary's live share. Unit: percent. */
  get exposurePercent(): number {
    return this.#weights.at(-1)?.percent ?? 0;
  }

  /** The first bad request that a fault caused. */
  get firstBadAt(): Instant | undefined {
    return this.#firstBadAt;
  }

  /** The newest breach, lowering, rollback or hold. */
  get lastResponseAt(): Instant | undefined {
    return this.#lastResponseAt;
  }

  /** When the hook, or a person, first took traffic away. */
  get loweredAt(): Instant | undefined {
    return this.#loweredAt;
  }

  /** When the last request went to the canary after an instant: the load balancer follows new weights a little later. */
  zeroAfter(at: Instant): Instant | undefined {
    return this.#weights.findLast((change) => change.at >= at && change.percent === 0)?.servedFrom;
  }

  /** The live share just before an instant: a decision and the lowering it causes fall into one. */
  exposureBefore(at: Instant): number {
    return this.#weights.findLast((change) => change.at < at)?.percent ?? 0;
  }

  /** End of the first bad period of the alarms that a breach was told by. */
  firstBadPeriodOf(
    breach: Pick<Breach, "objective" | "severity">,
    since: Instant,
    until: Instant,
  ): Instant | undefined {
    const ends = this.#fired
      .filter(({ at, alarm }) => at >= since && at <= until && alarm.objective === breach.objective)
      .filter(({ alarm }) => alarm.severity === breach.severity)
      .map((entry) => entry.endsAt);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /** What the first request that a fault spoils will look like, and whose breaches it may cause. */
  expectFault(kind: FaultKind, on: NonNullable<Fault["on"]>, digests: readonly string[]): void {
    if (this.#faultText === "") this.#faultText = faultTexts[kind](faultedTexts[on]);
    this.#faulted = new Set([...this.#faulted, ...digests]);
  }

  tell(kind: TimelineKind, message: string, at: Instant = this.#cloud.now()): void {
    // A breach and the decision on it are about the exposure before the lowering that they cause.
    const before = kind === "up" || kind === "breach" || kind === "detected" || kind === "fault";
    const exposurePercent = before ? this.exposureBefore(at) : this.#exposureAt(at);
    this.#lines.push({ at, kind, message, exposurePercent });
  }

  /** In order of time; within one instant in the order of causes. */
  timeline(): TimelineEntry[] {
    return this.#lines
      .map((line, index) => ({ line, index, rank: causeRank.get(line.kind) ?? 0 }))
      .sort((left, right) => left.line.at - right.line.at || left.rank - right.rank || left.index - right.index)
      .map(({ line }) => ({ ...line, at: new Date(line.at).toISOString() }));
  }

  #exposureAt(at: Instant): number {
    return this.#weights.findLast((change) => change.at <= at)?.percent ?? 0;
  }

  #hear(event: CloudEvent): void {
    switch (event.kind) {
      case "weights":
        if (event.service === this.#service)
          this.#onWeights(event.at, event.shares[this.#canary] ?? 0, event.by, event.servedFrom);
        return;
      case "history":
        if (event.service === this.#service) this.#onHistory(event.at, event.entry);
        return;
      case "page":
        this.#onPage(event.at, event.page);
        return;
      case "alarm":
        if (event.state === "ALARM") this.#onAlarm(event.at, event.alarmName, event.reason);
        return;
      case "first-bad-request":
        if (event.service !== this.#service || !this.#faulted.has(event.digest) || this.#firstBadAt !== undefined)
          return;
        this.#firstBadAt = event.at;
        this.tell("fault", this.#faultText, event.at);
        return;
      case "hook-error":
        this.tell("hook", `the ${functionKind(event.functionName)} failed: ${event.message}`, event.at);
        return;
    }
  }

  #onWeights(at: Instant, percent: number, by: "up" | "hook" | "person", servedFrom: Instant): void {
    const before = this.exposurePercent;
    if (percent === before && this.#weights.length > 0) return;
    this.#weights.push({ at, percent, servedFrom });
    if (percent > before)
      this.tell("opening", `the new release gets ${percent} % of the traffic (had ${before} %)`, at);
    else if (percent < before) {
      const who = { hook: "the hook", up: "an up", person: "a person" }[by];
      if (by !== "up") this.#loweredAt ??= at;
      const text = `no request reaches the new release any more; ${who} took its traffic away`;
      if (percent === 0) this.tell("zero", text, servedFrom);
      else this.tell("lowered", `the new release keeps ${percent} % of the traffic (had ${before} %)`, at);
    }
  }

  #onHistory(at: Instant, entry: HistoryEntry): void {
    if (quietHistory.has(entry.kind)) return;
    const kind = timelineKindOf[entry.kind] ?? "hook";
    // Live weights tell a lowering to above 0 when it happens; the record's line before it would say it twice.
    if (entry.kind === "lowered") {
      this.#lastResponseAt = at;
      return;
    }
    if (["breach", "would-respond", "escalated", "rollback", "hold"].includes(entry.kind)) this.#lastResponseAt = at;
    if (entry.kind === "breach" || entry.kind === "would-respond") this.#onBreach(at, entry.at);
    if (entry.kind === "hold" && entry.message.startsWith("hold blind-"))
      this.detections.push({ at, breach: undefined });
    this.tell(kind, entry.message, at);
  }

  /** A breach of a baseline that no fault was put on says nothing here. */
  #onBreach(at: Instant, startedAt: Instant): void {
    const breaches = Object.values(this.#cloud.record(this.#service)?.breaches ?? {});
    for (const breach of breaches) {
      if (breach.startedAt === startedAt && (breach.digest === this.#canary || this.#faulted.has(breach.digest)))
        this.detections.push({ at, breach });
    }
  }

  #onPage(at: Instant, page: Page): void {
    const { severity, summary, detail, dedupKey } = page;
    this.pages.push({ at: new Date(at).toISOString(), severity, summary, detail, dedupKey });
    const whom =
      page.action === "resolve"
        ? "closes the incident"
        : severity === "critical"
          ? "wakes the person on call"
          : "for the morning";
    this.tell("page", `${whom}: ${summary}`, at);
  }

  #onAlarm(at: Instant, alarmName: string, reason: string): void {
    const parts = parseAlarmName(alarmName);
    if (!parts || parts.environment !== this.#environment || parts.service !== this.#service) return;
    if (parts.releaseKey !== this.#canaryKey) return;
    const alarm = this.#alarms.get(parts.alarmKey);
    const period = alarm && firstBadPeriod(alarm, { at, reason });
    if (!alarm || !period) return;
    const known = this.#fired.some(
      (entry) => entry.alarm.objective === alarm.objective && entry.endsAt <= period.endsAt,
    );
    this.#fired.push({ at, alarm, ...period });
    if (known) return;
    const unit = unitOf[alarm.indicator] ?? "";
    const side = alarm.comparison === "LessThanThreshold" ? "under" : "over";
    this.tell(
      "breach",
      `${alarm.objective} is ${Number(period.value.toFixed(2))}${unit} in the ${lengthText(alarm.periodSeconds)} that end here, ${side} the bound of ${alarm.threshold}${unit}`,
      period.endsAt,
    );
  }
}

function lengthText(seconds: number): string {
  return seconds % 60 === 0 && seconds > 60 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
