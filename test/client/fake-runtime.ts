/** A process in virtual time, and an output that keeps its lines. Nothing here sleeps. */
import { type EmfOptions, emf } from "../../client/emf.ts";
import type { LineSink } from "../../client/lines.ts";
import { type RequestMetrics, type RequestMetricsOptions, requestMetrics } from "../../client/metrics.ts";
import type { AtEnd, Runtime } from "../../client/runtime.ts";

export class FakeRuntime implements Runtime {
  /** 2026-01-05T10:00:00Z. */
  now = Date.UTC(2026, 0, 5, 10);
  readonly startedAt = this.now;
  memory = 100e6;
  cpu = 0;
  readonly warnings: string[] = [];
  readonly variables: Record<string, string | undefined> = {};
  readonly ends = new Set<AtEnd>();
  #timers: { readonly at: number; readonly act: () => void }[] = [];

  epochMilliseconds(): number {
    return this.now;
  }

  monotonicMilliseconds(): number {
    return this.now - this.startedAt;
  }

  after(milliseconds: number, act: () => void): () => void {
    const timer = { at: this.now + milliseconds, act };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  memoryBytes(): number {
    return this.memory;
  }

  cpuMicroseconds(): number {
    return this.cpu;
  }

  onEnd(atEnd: AtEnd): () => void {
    this.ends.add(atEnd);
    return () => void this.ends.delete(atEnd);
  }

  warn(message: string): void {
    this.warnings.push(message);
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Time goes by, timers in their order. */
  pass(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((left, right) => left.at - right.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.now = Math.max(this.now, due.at);
      due.act();
    }
    this.now = until;
  }

  /** The event loop stands still: timers come late. */
  block(milliseconds: number): void {
    this.now += milliseconds;
    this.pass(0);
  }
}

export class KeptLines implements LineSink {
  readonly texts: string[] = [];
  readonly textsNow: string[] = [];
  isFull = false;
  #drain: (() => void) | undefined;
  fail: ((error: Error) => void) | undefined;

  write(text: string): boolean {
    this.texts.push(text);
    return !this.isFull;
  }

  onDrain(act: () => void): void {
    this.#drain = act;
  }

  writeNow(text: string): void {
    this.textsNow.push(text);
  }

  onError(act: (error: Error) => void): () => void {
    this.fail = act;
    return () => {
      this.fail = undefined;
    };
  }

  drain(): void {
    this.isFull = false;
    this.#drain?.();
  }

  /** Every line so far, read. */
  get lines(): Line[] {
    return [...this.texts, ...this.textsNow].flatMap((text) =>
      text
        .trimEnd()
        .split("\n")
        .map((line): Line => JSON.parse(line)),
    );
  }
}

export interface Line {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string; readonly StorageResolution: number }[];
    }[];
  };
  readonly [member: string]: unknown;
}

export interface Measuring {
  readonly metrics: RequestMetrics;
  readonly runtime: FakeRuntime;
  readonly sink: KeptLines;
}

/** A release that is measured in virtual time; without its process, unless asked for. */
export function aRelease(options: Partial<RequestMetricsOptions> & { readonly emf?: EmfOptions } = {}): Measuring {
  const runtime = new FakeRuntime();
  const sink = new KeptLines();
  const metrics = requestMetrics({
    environment: "production",
    service: "checkout",
    release: "2-4-0-1a2b3c4d",
    reportsProcess: false,
    output: emf({ sink, ...options.emf }),
    runtime,
    ...options,
  });
  return { metrics, runtime, sink };
}
