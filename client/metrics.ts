/**
 * What a release reports of itself (B1, B3): requests, errors and latency by an adapter (`http.ts`, `express.ts`, `fastify.ts`, `hono.ts`), the rest by
 * calls. Gathered in the process, told every 10 s; a request costs a few additions.
 *
 * Nothing here throws once it has started: a request must not fail for its measurement. What cannot be counted is left out and named
 * once in a process warning. At the start, though, everything that is wrong is an error: a release that reports under a wrong name
 * would be watched as nobody.
 */
import { Breakers, maximumBreakers } from "./breakers.ts";
import { longestMilliseconds } from "./latency-bins.ts";
import { requestKey } from "./observe.ts";
import { type ReadOptions, type RequestMetricsOptions, readOptions } from "./options.ts";
import type { Measured, ProcessReading, RunningOutput } from "./output.ts";
import type { Runtime } from "./runtime.ts";
import { type Counter, type PlainCounter, plainCounters } from "./signals.ts";

export { type EmfOptions, emf } from "./emf.ts";
export { type OpenTelemetryOptions, openTelemetry } from "./open-telemetry.ts";
export type { RequestMetricsOptions } from "./options.ts";
export type { MetricsOutput } from "./output.ts";
export type { PlainCounter } from "./signals.ts";

/** One circuit breaker, told of by whoever has it. */
export interface BreakerMetrics {
  opened(): void;
  closed(): void;
}

/** Code in one process that a flag chooses between: the release's own, and what the baseline does. */
export type CodePath = "canary" | "baseline";

export interface RequestMetrics {
  /**
   * One answered request; adapters call it. Units: milliseconds; whether it failed.
   *
   * @param request what `tookPath` may have been told of
   */
  request(durationMilliseconds: number, failed: boolean, request?: object): void;
  /**
   * Says which code path answers a request, before it is over: with `baselineRelease` its metrics are that release's. `isOn` of `flags.ts` calls it.
   * A request that took the canary's once is the canary's; so is one that nothing is said of, since it ran nothing but this release.
   *
   * @param request Node's own, or Express's, Fastify's, or Hono's context
   */
  tookPath(request: object, path: CodePath): void;
  /** Metrics of one code path, for what no request is told of: `metrics.of("baseline").fallback()`. Without `baselineRelease` both are these. */
  of(path: CodePath): RequestMetrics;
  /** A clock that never goes back, to measure durations. Unit: milliseconds. */
  now(): number;
  /** Adds to a counter. Range of `amount`: 0 to 1,000,000,000. @default 1 */
  count(counter: PlainCounter, amount?: number): void;
  /** A breaker by name; a name is one dependency, never one request. At most 100 are told apart. */
  breaker(name: string): BreakerMetrics;
  /** An invariant was found broken. */
  invariantViolated(): void;
  /** Old and new implementation ran on one input. */
  dualRun(result: { readonly agreed: boolean }): void;
  /** The old implementation had to answer. */
  fallback(): void;
  /** A request asked a feature flag; `matched`: the code path it took was the flag's. */
  flagEvaluated(result: { readonly matched: boolean }): void;
  /** Work was done on so many items in so much time. Unit of `seconds`: seconds. */
  processed(items: number, seconds: number): void;
  /** A request was turned away by a rate limit. */
  rejected(): void;
  /** Hands over what there is; at the end of each run on Lambda, whose timers stand still between runs. */
  flush(): void;
  /** Hands over what there is and stops: later calls do nothing. */
  close(): void;
  /** Names something that cannot be measured, once. */
  warnOnce(key: string, message: string): void;
}

/** Most that one call may add. */
export const largestAmount = 1e9;
/** Longer names of breakers are cut. Unit: characters. */
const longestBreakerName = 100;
/** Most that is complained of. */
const maximumWarnings = 20;
/** Shorter stretches of processor time are noise. Unit: milliseconds. */
const shortestCpuMilliseconds = 1_000;

/**
 * Starts to measure this process as one release.
 *
 * @throws TypeError with everything that is wrong with the options, one problem a line
 *
 * @example
 * ```ts
 * const metrics = requestMetrics({ environment: "production", service: "checkout" }); // release: TIDEGATE_RELEASE
 * app.use(expressMetrics(metrics, { excludePaths: ["/healthz"] }));
 * ```
 */
export function requestMetrics(options: RequestMetricsOptions): RequestMetrics {
  return new ReportedMetrics(readOptions(options));
}

class ReportedMetrics implements RequestMetrics {
  readonly #runtime: Runtime;
  readonly #output: RunningOutput;
  readonly #leaveProcess: () => void;
  readonly #breakers = new Breakers();
  readonly #warned = new Set<string>();
  /** Since the start, by counter. Requests and errors have fields of their own: they are on the way of every request. */
  readonly #totals = new Map<Counter, number>();
  #requests = 0;
  #errors = 0;
  #isClosed = false;
  /** Of the release whose code path requests take while their flag is off; absent: nothing is split in this process. */
  readonly #baseline: ReportedMetrics | undefined;
  readonly #paths = new WeakMap<object, CodePath>();

  /** @param canary these are its baseline's; the process is the canary's alone, and so are its warnings */
  constructor(options: ReadOptions, canary?: ReportedMetrics) {
    const { identity, baseline, output, reportsProcess, runtime } = options;
    this.#runtime = runtime;
    const used = processReader(runtime);
    const measured: Measured = {
      identity,
      runtime,
      total: (counter) => this.#total(counter),
      process: () => (reportsProcess ? used() : undefined),
      breakers: (since) =>
        this.#breakers.isUsed ? this.#breakers.read(since, runtime.monotonicMilliseconds()) : undefined,
      warnOnce: (key, message) => (canary ?? this).warnOnce(key, message),
    };
    this.#output = output.start(measured);
    this.#leaveProcess = runtime.onEnd({
      flushNow: () => this.#output.flushNow(),
      crashed: () => {
        if (!canary) this.#add("crashes", 1);
      },
    });
    this.#baseline =
      baseline && new ReportedMetrics({ identity: baseline, output, reportsProcess: false, runtime }, this);
  }

  #total(counter: Counter): number | undefined {
    if (counter !== "requests" && counter !== "errors") return this.#totals.get(counter);
    if (this.#requests === 0) return undefined;
    return counter === "requests" ? this.#requests : this.#errors;
  }

  now(): number {
    return this.#runtime.monotonicMilliseconds();
  }

  request(durationMilliseconds: number, failed: boolean, request?: object): void {
    if (this.#isClosed) return;
    if (this.#baseline && request && this.#paths.get(requestKey(request)) === "baseline") {
      this.#baseline.request(durationMilliseconds, failed);
      return;
    }
    this.#requests += 1;
    if (failed) this.#errors += 1;
    if (durationMilliseconds >= 0 && durationMilliseconds <= longestMilliseconds) {
      this.#output.latency(durationMilliseconds);
    } else {
      this.warnOnce(
        "duration",
        `metrics: request: not a duration, got ${briefly(durationMilliseconds)}; expected 0 to ${longestMilliseconds} ms. The request is counted without it`,
      );
    }
  }

  tookPath(request: object, path: CodePath): void {
    if (!this.#baseline) return;
    const isObject = typeof request === "object" && request !== null;
    if (!isObject || "arrayBuffer" in request || (path !== "canary" && path !== "baseline")) {
      this.warnOnce(
        "path",
        `metrics: tookPath: not a request and a path, got ${briefly(request)} and ${briefly(path)}; expected what the adapter measures (Node's request, or Express's, Fastify's, or Hono's context) and canary or baseline. It counts as the canary's`,
      );
      return;
    }
    const key = requestKey(request);
    if (this.#paths.get(key) !== "canary") this.#paths.set(key, path);
  }

  of(path: CodePath): RequestMetrics {
    return path === "baseline" ? (this.#baseline ?? this) : this;
  }

  /** An amount of 0 counts: it says that the counter is one of this release's. */
  #add(counter: Counter, amount: number): void {
    if (!this.#isClosed && this.#isAmount(counter, amount)) {
      this.#totals.set(counter, (this.#totals.get(counter) ?? 0) + amount);
    }
  }

  #isAmount(counter: Counter, amount: number): boolean {
    if (typeof amount === "number" && amount >= 0 && amount <= largestAmount) return true;
    this.warnOnce(
      `amount ${counter}`,
      `metrics: ${counter}: not an amount, got ${briefly(amount)}; expected 0 to ${largestAmount}. It is not counted`,
    );
    return false;
  }

  #isSaid(call: string, answer: unknown): boolean {
    if (typeof answer === "boolean") return true;
    this.warnOnce(
      call,
      `metrics: ${call}: no answer, got ${briefly(answer)}; expected true or false. It is not counted`,
    );
    return false;
  }

  count(counter: PlainCounter, amount = 1): void {
    if (plainCounters.includes(counter)) {
      this.#add(counter, amount);
      return;
    }
    const got = briefly(counter);
    this.warnOnce(
      `counter ${got}`,
      `metrics: count: no such counter, got ${got}; expected ${plainCounters.join(", ")}. It is not counted`,
    );
  }

  breaker(name: string): BreakerMetrics {
    const key = typeof name === "string" ? name.slice(0, longestBreakerName) : "";
    if (!this.#breakers.know(key)) {
      this.warnOnce(
        "breakers",
        `metrics: breaker: too many names, got ${briefly(name)} after ${maximumBreakers}; expected one name a dependency. All further ones count as one breaker`,
      );
    }
    return {
      opened: () => {
        if (!this.#isClosed) this.#breakers.opened(key, this.#runtime.monotonicMilliseconds());
      },
      closed: () => {
        if (!this.#isClosed) this.#breakers.closed(key, this.#runtime.monotonicMilliseconds());
      },
    };
  }

  invariantViolated(): void {
    this.#add("invariant-violations", 1);
  }

  dualRun(result: { readonly agreed: boolean }): void {
    const agreed = result?.agreed;
    if (!this.#isSaid("dualRun", agreed)) return;
    this.#add("dual-runs", 1);
    this.#add("dual-run-failures", agreed ? 0 : 1);
  }

  fallback(): void {
    this.#add("fallbacks", 1);
  }

  flagEvaluated(result: { readonly matched: boolean }): void {
    const matched = result?.matched;
    if (!this.#isSaid("flagEvaluated", matched)) return;
    this.#add("flag-evaluations", 1);
    this.#add("flag-mismatches", matched ? 0 : 1);
  }

  processed(items: number, seconds: number): void {
    // One without the other would bend the throughput.
    if (!this.#isAmount("items-processed", items) || !this.#isAmount("processing-seconds", seconds)) return;
    this.#add("items-processed", items);
    this.#add("processing-seconds", seconds);
  }

  rejected(): void {
    this.#add("rate-limit-rejects", 1);
  }

  flush(): void {
    if (this.#isClosed) return;
    this.#output.flush();
    this.#baseline?.flush();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#baseline?.close();
    this.#output.flush();
    this.#isClosed = true;
    this.#leaveProcess();
    this.#output.stop();
  }

  warnOnce(key: string, message: string): void {
    if (this.#warned.has(key) || this.#warned.size >= maximumWarnings) return;
    this.#warned.add(key);
    this.#runtime.warn(message);
  }
}

/** A value in a message, whatever it is. */
function briefly(value: unknown): string {
  try {
    return (typeof value === "string" ? JSON.stringify(value) : String(value)).slice(0, 60);
  } catch {
    return `a ${typeof value}`;
  }
}

function processReader(runtime: Runtime): () => ProcessReading {
  let atMilliseconds = runtime.monotonicMilliseconds();
  let atCpuMicroseconds = runtime.cpuMicroseconds();
  let cpuPercent: number | undefined;
  return () => {
    const now = runtime.monotonicMilliseconds();
    const wallMilliseconds = now - atMilliseconds;
    if (wallMilliseconds >= shortestCpuMilliseconds) {
      const cpuMicroseconds = runtime.cpuMicroseconds();
      cpuPercent = (100 * (cpuMicroseconds - atCpuMicroseconds)) / 1_000 / wallMilliseconds;
      [atMilliseconds, atCpuMicroseconds] = [now, cpuMicroseconds];
    }
    const memoryMegabytes = runtime.memoryBytes() / 1e6;
    return { memoryMegabytes, ...(cpuPercent === undefined ? {} : { cpuPercent }) };
  };
}
