/**
 * What a release reports of itself besides requests, errors and latency: memory, processor, cache, breaker and so on, drawn step by step
 * from streams of their own, so that nothing about the requests hangs on them.
 */
import type { Instant } from "../../core/record.ts";
import type { ReportedSignal } from "../../core/signals.ts";
import { traffic } from "./constants.ts";
import type { RandomStream } from "./random.ts";
import type { Fault } from "./traffic.ts";

/** Signals that are no part of the requests themselves. */
export type OwnSignal = Exclude<ReportedSignal, "requests" | "errors" | "latency" | "invariant-violations">;

/** Counters: of the step. Gauges: at its end. */
export type OwnReport = Record<OwnSignal, number>;

export function emptyReport(): OwnReport {
  return {
    "memory-megabytes": 0,
    "cpu-percent": 0,
    "cache-hits": 0,
    "cache-misses": 0,
    "rate-limit-rejects": 0,
    "breaker-open-seconds": 0,
    "breaker-recovery-seconds": 0,
    "dual-runs": 0,
    "dual-run-failures": 0,
    fallbacks: 0,
    "flag-evaluations": 0,
    "flag-mismatches": 0,
    crashes: 0,
    "items-processed": 0,
    "processing-seconds": 0,
  };
}

const hourMs = 3_600_000;
const minuteMs = 60_000;

/** A step as the release's own report sees it. */
export interface ReportedStep {
  readonly from: Instant;
  readonly to: Instant;
  /** That reached the release. */
  readonly requests: number;
  /** Those of them that are new on it since an opening. */
  readonly disturbed: number;
  /** Those that hold, of any release. */
  readonly faults: readonly Fault[];
}

/** What a release is like over time, and its newest report. */
export class OwnReports {
  /** Overwritten by the next step. */
  readonly report = emptyReport();
  readonly #digest: string;
  readonly #counts: RandomStream;
  readonly #drift: RandomStream;
  readonly #breaker: RandomStream;
  readonly #sizeFactor: number;
  #startedAt: Instant | undefined;
  #minute = Number.NaN;
  #memoryFactor = 1;
  #cpuFactor = 1;
  #itemsFactor = 1;
  /** The breaker is open between these; `undefined`: closed. */
  #breakerOpen: { readonly since: Instant; readonly until: Instant } | undefined;

  constructor(digest: string, random: RandomStream) {
    this.#digest = digest;
    this.#counts = random.fork("counts");
    this.#drift = random.fork("drift");
    this.#breaker = random.fork("breaker");
    this.#sizeFactor = 1 + traffic.reported.memorySpreadFraction * random.fork("size").normal();
  }

  step(step: ReportedStep): void {
    this.#startedAt ??= step.from;
    this.#enterMinute(step.from);
    const faults = step.faults.filter((fault) => fault.digest === this.#digest);
    this.#resources(step, faults);
    this.#counters(step, faults);
    this.#breakerStep(step, faults);
  }

  #enterMinute(at: Instant): void {
    const minute = Math.floor(at / minuteMs);
    if (minute === this.#minute) return;
    this.#minute = minute;
    const { memoryJitterFraction, cpuJitterFraction, itemsJitterFraction } = traffic.reported;
    this.#memoryFactor = 1 + memoryJitterFraction * this.#drift.normal();
    this.#cpuFactor = Math.max(0.1, 1 + cpuJitterFraction * this.#drift.normal());
    this.#itemsFactor = Math.max(0.1, 1 + itemsJitterFraction * this.#drift.normal());
  }

  #resources({ from, to, requests }: ReportedStep, faults: readonly Fault[]): void {
    const {
      memoryMegabytes,
      memoryColdFraction,
      memoryWarmingMinutes,
      idleCpuPercent,
      cpuMillisecondsPerRequest,
      processes,
    } = traffic.reported;
    const ageMinutes = (to - (this.#startedAt ?? from)) / minuteMs;
    const warm = 1 - memoryColdFraction * 3 ** (-ageMinutes / memoryWarmingMinutes);
    let memory = memoryMegabytes * this.#sizeFactor * warm * this.#memoryFactor;
    const perSecond = (requests * 1_000) / (to - from) / processes;
    let cpu = (idleCpuPercent + (perSecond * cpuMillisecondsPerRequest) / 10) * this.#cpuFactor;
    for (const fault of faults) {
      if (fault.kind === "memory-leak") memory *= (1 + fault.percentPerHour / 100) ** ((to - fault.since) / hourMs);
      if (fault.kind === "memory-step") memory *= fault.factor;
      if (fault.kind === "cpu-hot") cpu *= fault.factor;
    }
    this.report["memory-megabytes"] = memory;
    this.report["cpu-percent"] = cpu;
  }

  #counters({ from, to, requests, disturbed }: ReportedStep, faults: readonly Fault[]): void {
    const { report } = this;
    const { cacheHitFraction, coldCacheHitFraction, rejectFraction, dualRunFraction, fallbackFraction, flagFraction } =
      traffic.reported;
    const counts = this.#counts;
    const minutes = (to - from) / minuteMs;
    let hitFactor = 1;
    let rejects = 0;
    let dualRunFailures = 0;
    let flagMismatches = 0;
    let crashes = 0;
    for (const fault of faults) {
      if (fault.kind === "cache-cold") hitFactor *= fault.factor;
      if (fault.kind === "rejects") rejects += fault.perMinute * minutes;
      if (fault.kind === "dual-run-mismatch") dualRunFailures += (fault.perHour * minutes) / 60;
      if (fault.kind === "flag-mismatch") flagMismatches += fault.perMinute * minutes;
      if (fault.kind === "crash") crashes += fault.perMinute * minutes;
    }
    const drawn = (most: number, mean: number): number => (mean > 0 ? Math.min(most, counts.poisson(mean)) : 0);
    report["cache-hits"] =
      counts.binomial(requests - disturbed, cacheHitFraction * hitFactor) +
      counts.binomial(disturbed, coldCacheHitFraction * hitFactor);
    report["cache-misses"] = requests - report["cache-hits"];
    report["rate-limit-rejects"] = counts.binomial(requests, rejectFraction) + drawn(requests, rejects);
    report["dual-runs"] = counts.binomial(requests, dualRunFraction);
    report["dual-run-failures"] = drawn(report["dual-runs"], dualRunFailures);
    report.fallbacks = counts.binomial(requests, fallbackFraction);
    report["flag-evaluations"] = counts.binomial(requests, flagFraction);
    report["flag-mismatches"] = drawn(report["flag-evaluations"], flagMismatches);
    // A process may crash without a request.
    report.crashes = crashes > 0 ? counts.poisson(crashes) : 0;
    report["items-processed"] = requests * traffic.reported.itemsPerRequest;
    report["processing-seconds"] = report["items-processed"] / (traffic.reported.itemsPerSecond * this.#itemsFactor);
  }

  #breakerStep({ from, to }: ReportedStep, faults: readonly Fault[]): void {
    const { report } = this;
    report["breaker-recovery-seconds"] = 0;
    const broken = faults.find((fault) => fault.kind === "breaker-open");
    if (broken?.kind === "breaker-open") {
      this.#breakerOpen = { since: this.#breakerOpen?.since ?? broken.since, until: Number.POSITIVE_INFINITY };
    } else if (this.#breakerOpen?.until === Number.POSITIVE_INFINITY) {
      this.#breakerOpen = { since: this.#breakerOpen.since, until: from };
    }
    if (this.#breakerOpen && this.#breakerOpen.until <= to) {
      report["breaker-recovery-seconds"] = (this.#breakerOpen.until - this.#breakerOpen.since) / 1_000;
      this.#breakerOpen = undefined;
    }
    if (!this.#breakerOpen) {
      const { breakerOpeningsPerDay, breakerOpenSeconds } = traffic.reported;
      const chance = (breakerOpeningsPerDay * (to - from)) / (24 * hourMs);
      if (this.#breaker.uniform() < chance) {
        const { least, most } = breakerOpenSeconds;
        const lastingMs = Math.round(1_000 * (least + (most - least) * this.#breaker.uniform()));
        this.#breakerOpen = { since: to, until: to + lastingMs };
      }
    }
    report["breaker-open-seconds"] = this.#breakerOpen ? (to - this.#breakerOpen.since) / 1_000 : 0;
  }
}
