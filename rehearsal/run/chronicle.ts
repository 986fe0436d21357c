/**
 * Hears everything the local cloud says and keeps what a reader wants to know: the timeline, the pages, and the four instants
 * (fault, breach, decision, zero). It decides nothing and asks the cloud for nothing but the record.
 */
import { type AlarmSpec, alarmOf, alarmsFor } from "../../core/alarms.ts";
import { parseAlarmName, releaseKey, serviceAlarmName } from "../../core/naming.ts";
import type { Breach, HistoryEntry, Instant, Page } from "../../core/record.ts";
import { hostTargets, serviceRules, type WatchRule } from "../../core/watch-rules.ts";
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
  "success-rate": " % errors",
  "cache-hit-ratio": " %",
  "rate-limit-reject-rate": " %",
  "fallback-rate": " %",
  "flag-coverage": " %",
  memory: " MB",
  cpu: " %",
  throughput: " a second",
  "rate-limit-rejects": " a minute",
  "dual-run-failures": " an hour",
  "circuit-breaker-open": " s",
  "circuit-breaker-recovery": " s",
};

const faultTexts: Readonly<Record<FaultKind, (who: string) => string>> = {
  "error-spike": (who) => `${who} to fail requests; this is the first`,
  "latency-regression": (who) => `${who} to answer slowly; this is the first request that waits too long`,
  "invariant-violation": (who) => `${who} to break an invariant; this is the first time`,
  "metrics-outage": (who) => `${who} to go unmeasured; this is the first request that nobody measures`,
  "memory-leak": (who) => `${who} to lose memory; this is the first request since`,
  "memory-step": (who) => `${who} to take far more memory; this is the first request since`,
  "cpu-hot": (who) => `${who} to take far more processor time; this is the first request since`,
  "breaker-open": (who) => `${who} to live with an open circuit breaker; this is the first request since`,
  "cache-cold": (who) => `${who} to find little in the cache; this is the first look-up that finds nothing`,
  rejects: (who) => `${who} to turn requests away; this is the first`,
  "dual-run-mismatch": (who) => `${who} to come to other results than the old implementation; this is the first`,
  "flag-mismatch": (who) => `${who} to take the wrong path for a flag; this is the first request that does`,
  crash: (who) => `${who} to crash; this is the first time`,
};
const faultedTexts: Readonly<Record<NonNullable<Fault["on"]>, string>> = {
  canary: "the new release starts",
  baseline: "the old release starts",
  both: "both releases start",
  control: "the control starts",
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
  readonly #rehearsed: ServiceConfig;
  /** By physical name. */
  readonly #serviceRules: ReadonlyMap<string, WatchRule>;
  /** Of the canary, as they were last declared. */
  #alarms: { readonly of: string; readonly byKey: ReadonlyMap<string, AlarmSpec> } | undefined;
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
    this.#rehearsed = service;
    this.#serviceRules = new Map(
      serviceRules(service.objectives, service.source).map((rule) => [
        serviceAlarmName(config.environment, service.name, rule.key),
        rule,
      ]),
    );
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
    // What is sent as information opens no incident, and is told in the timeline alone.
    if (severity !== "info") {
      this.pages.push({ at: new Date(at).toISOString(), severity, summary, detail, dedupKey });
    }
    const whom =
      page.action === "resolve"
        ? "closes the incident"
        : severity === "critical"
          ? "wakes the person on call"
          : severity === "warning"
            ? "for the morning"
            : "for whoever reads along";
    this.tell("page", `${whom}: ${summary}`, at);
  }

  /** Which alarms the canary has hangs on its exposure, and on what the record knows of the wave before. */
  #canaryAlarm(key: string): AlarmSpec | undefined {
    const { plan, objectives, source } = this.#rehearsed;
    const canary = this.#cloud.record(this.#service)?.canary;
    const figures = canary?.figures ?? [];
    const exposurePercent = canary?.exposurePercent ?? 0;
    const of = JSON.stringify([exposurePercent, figures]);
    if (this.#alarms?.of !== of) {
      const context = { plan, exposurePercent, figures };
      const alarms = alarmsFor(objectives, source, hostTargets, context);
      this.#alarms = { of, byKey: new Map(alarms.map((alarm) => [alarm.key, alarm])) };
    }
    return this.#alarms.byKey.get(key);
  }

  /** Only tells people, by a topic: the hook does not hear of it. */
  #onServiceAlarm(at: Instant, rule: WatchRule, reason: string): void {
    const { source } = this.#rehearsed;
    // Of several releases the alarm watches the worst, and where low is bad by how much that one falls short.
    const alarms = [[hostTargets], [hostTargets, hostTargets]].map((targets) => alarmOf(rule, source, targets));
    const alarm = alarms.find(({ comparison }) => reason.includes(comparison));
    const period = alarm && firstBadPeriod(alarm, { at, reason });
    if (!alarm || !period) return;
    const isShort = rule.comparison === "below" && alarm.comparison === "GreaterThanThreshold";
    const value = isShort ? rule.threshold - period.value : period.value;
    this.tell("notice", `people are told: ${this.#breachText(rule, value)}`, at);
  }

  #onAlarm(at: Instant, alarmName: string, reason: string): void {
    const ofService = this.#serviceRules.get(alarmName);
    if (ofService) {
      this.#onServiceAlarm(at, ofService, reason);
      return;
    }
    const parts = parseAlarmName(alarmName);
    if (!parts || parts.environment !== this.#environment || parts.service !== this.#service) return;
    if (parts.releaseKey !== this.#canaryKey) return;
    const alarm = this.#canaryAlarm(parts.alarmKey);
    const period = alarm && firstBadPeriod(alarm, { at, reason });
    if (!alarm || !period) return;
    const known = this.#fired.some(
      (entry) => entry.alarm.objective === alarm.objective && entry.endsAt <= period.endsAt,
    );
    this.#fired.push({ at, alarm, ...period });
    if (known) return;
    this.tell("breach", this.#breachText(alarm.rule, period.value), period.endsAt);
  }

  /** A bound beside the baseline is told as the alarm has it: by how much it is passed. */
  #breachText(rule: WatchRule, value: number): string {
    const { objective, indicator, reference, threshold, comparison, periodSeconds } = rule;
    const unit = reference?.kind === "growth" ? " % an hour" : (unitOf[indicator] ?? "");
    const side = comparison === "below" ? "under" : "over";
    const shown = Number(value.toFixed(2));
    const windowText = `in the ${lengthText(periodSeconds)} that end here`;
    if (reference?.kind === "baseline") {
      const bound =
        reference.form === "factor" ? `${threshold} times the baseline's` : `${threshold}${unit} above the baseline's`;
      return `${objective} is past ${bound} ${windowText}`;
    }
    return `${objective} is ${shown}${unit} ${windowText}, ${side} the bound of ${threshold}${unit}`;
  }
}

function lengthText(seconds: number): string {
  return seconds % 60 === 0 && seconds > 60 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
