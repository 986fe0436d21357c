/**
 * CloudWatch's embedded metric format: one line of JSON every 10 s, aligned to the clock, high resolution (B3). CloudWatch Logs makes metrics of
 * the lines wherever standard output ends up there: Lambda, ECS with `awslogs`, the CloudWatch agent.
 *
 * Limits, read 2026-11: 100 values a metric in a line and 100 metrics a directive (EMF specification); 256 KB a log event (the specification's
 * older text; now 1 MB); but Docker cuts what it logs at 16 KB, and half a line is no metric, so lines stay well below that.
 *
 * A counter is written once it was ever counted, then always, 0 as well, while there is something to tell: CloudWatch bills each metric that
 * was ever written in an hour. `Errors` are written whenever there are `Requests`, so that a healthy release is seen to be healthy.
 */
import { LatencyBins, type ValuesAndCounts } from "./latency-bins.ts";
import { type LineSink, Lines, type OutputStream, streamSink } from "./lines.ts";
import type { Measured, MetricsOutput, RunningOutput } from "./output.ts";
import {
  type Counter,
  cloudWatchName,
  counters,
  type ReportedSignal,
  reportedNamespace,
  reportedSignals,
} from "./signals.ts";

/** Length of an interval. Unit: milliseconds. */
const intervalMilliseconds = 10_000;
/** Values of one metric in one line. */
export const maximumValuesPerLine = 100;
/** Seconds. 1 is high resolution, the only other one is 60. */
const storageResolution = 1;

const units: Readonly<Record<string, string>> = {
  count: "Count",
  milliseconds: "Milliseconds",
  megabytes: "Megabytes",
  percent: "Percent",
  seconds: "Seconds",
};

export interface EmfOptions {
  /** Where lines go. @default standard output */
  readonly stream?: OutputStream;
  /** Takes the place of `stream`; for tests. */
  readonly sink?: LineSink;
}

/** Lines for CloudWatch. */
export function emf(options: EmfOptions = {}): MetricsOutput {
  return {
    kind: "emf",
    start: (measured) => new RunningEmf(measured, options.sink ?? streamSink(options.stream ?? process.stdout)),
  };
}

type Member = number | { readonly Values: readonly number[]; readonly Counts: readonly number[] };

function slotOf(epochMilliseconds: number): number {
  return Math.floor(epochMilliseconds / intervalMilliseconds) * intervalMilliseconds;
}

class RunningEmf implements RunningOutput {
  readonly #measured: Measured;
  readonly #lines: Lines;
  readonly #bins = new LatencyBins();
  /** What was written of each counter. */
  readonly #told = new Map<Counter, number>();
  #flushedAtMonotonic: number;
  #cancelTimer = () => {};

  constructor(measured: Measured, sink: LineSink) {
    this.#measured = measured;
    this.#lines = new Lines(sink, (key, message) => measured.warnOnce(key, message));
    this.#flushedAtMonotonic = measured.runtime.monotonicMilliseconds();
    this.#schedule(slotOf(measured.runtime.epochMilliseconds()) + intervalMilliseconds);
  }

  latency(milliseconds: number): void {
    this.#bins.add(milliseconds);
  }

  /** @param due end of an interval, by the clock */
  #schedule(due: number): void {
    const { runtime } = this.#measured;
    this.#cancelTimer = runtime.after(Math.max(1, due - runtime.epochMilliseconds()), () => {
      const now = runtime.epochMilliseconds();
      // Early by a rounding, or late by less than an interval: it is the interval that has just ended. Later: nobody knows when it was.
      const isPrevious = now < due + intervalMilliseconds && now > due - intervalMilliseconds;
      this.#write(isPrevious ? due - intervalMilliseconds : slotOf(now), (line) => this.#lines.write(line));
      this.#schedule(Math.max(isPrevious ? due : 0, slotOf(now)) + intervalMilliseconds);
    });
  }

  flush(): void {
    this.#write(slotOf(this.#measured.runtime.epochMilliseconds()), (line) => this.#lines.write(line));
  }

  flushNow(): void {
    this.#write(slotOf(this.#measured.runtime.epochMilliseconds()), (line) => this.#lines.writeNow(line));
    this.#lines.writeNow();
  }

  stop(): void {
    this.#cancelTimer();
    this.#lines.close();
  }

  #write(timestamp: number, write: (line: string) => void): void {
    const members = this.#counted();
    const latency = this.#bins.take();
    const { runtime } = this.#measured;
    const used = this.#measured.process();
    if (used) {
      members.set("memory-megabytes", used.memoryMegabytes);
      if (used.cpuPercent !== undefined) members.set("cpu-percent", used.cpuPercent);
    }
    const breakers = this.#measured.breakers(this.#flushedAtMonotonic);
    if (breakers) {
      const { openSeconds, recoverySeconds } = breakers;
      if (recoverySeconds !== undefined) members.set("breaker-recovery-seconds", recoverySeconds);
      // One that closed between two lines was open as long as that.
      const longestSeconds = Math.max(openSeconds, recoverySeconds ?? 0);
      if (members.size > 0 || longestSeconds > 0) members.set("breaker-open-seconds", longestSeconds);
    }
    this.#flushedAtMonotonic = runtime.monotonicMilliseconds();
    const [first, ...further] = chunks(latency);
    if (first) members.set("latency", first);
    if (members.size > 0) write(this.#line(timestamp, members));
    for (const chunk of further) write(this.#line(timestamp, new Map([["latency", chunk]])));
  }

  /** What was counted since the last time, with zeros of what is known to be counted; empty: nothing happened. */
  #counted(): Map<ReportedSignal, Member> {
    const news = counters.flatMap((counter) => {
      const total = this.#measured.total(counter);
      if (total === undefined) return [];
      const since = total - (this.#told.get(counter) ?? 0);
      this.#told.set(counter, total);
      return [{ counter, since }];
    });
    const isBusy = news.some(({ since }) => since > 0);
    return new Map(isBusy ? news.map(({ counter, since }) => [counter, since]) : []);
  }

  #line(timestamp: number, members: ReadonlyMap<ReportedSignal, Member>): string {
    const { environment, service, release } = this.#measured.identity;
    const metrics = [...members.keys()].map((signal) => ({
      Name: cloudWatchName(signal),
      Unit: units[reportedSignals[signal].unit],
      StorageResolution: storageResolution,
    }));
    return `${JSON.stringify({
      _aws: {
        Timestamp: timestamp,
        CloudWatchMetrics: [{ Namespace: reportedNamespace, Dimensions: [["Service", "Release"]], Metrics: metrics }],
      },
      Service: service,
      Release: release,
      Environment: environment,
      ...Object.fromEntries([...members].map(([signal, value]) => [cloudWatchName(signal), value])),
    })}\n`;
  }
}

/** As many values as one line may have, line by line. */
function chunks({ values, counts }: ValuesAndCounts): Member[] {
  const parts: Member[] = [];
  for (let from = 0; from < values.length; from += maximumValuesPerLine) {
    const to = from + maximumValuesPerLine;
    parts.push({ Values: values.slice(from, to), Counts: counts.slice(from, to) });
  }
  return parts;
}
