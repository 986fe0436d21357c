/** What an output is: something that takes what a process measured to where it is watched. */
import type { BreakerReading } from "./breakers.ts";
import type { Runtime } from "./runtime.ts";
import type { Counter } from "./signals.ts";

/** Whose numbers they are. */
export interface Identity {
  readonly environment: string;
  readonly service: string;
  /** Release key: `2-4-0-1a2b3c4d`. */
  readonly release: string;
}

/** What one process uses. */
export interface ProcessReading {
  /** Unit: megabytes, of 1,000,000 bytes. */
  readonly memoryMegabytes: number;
  /** Of one core, over at least the last second; absent in the first one. Unit: percent. */
  readonly cpuPercent?: number;
}

/** What an output reads when it is time. */
export interface Measured {
  readonly identity: Identity;
  readonly runtime: Runtime;
  /** Since the start; absent: it was never told of. */
  total(counter: Counter): number | undefined;
  /** Absent: the process is not to be told of. */
  process(): ProcessReading | undefined;
  /** Absent: there are no breakers. */
  breakers(sinceMilliseconds: number): BreakerReading | undefined;
  /** Says once what is wrong. */
  warnOnce(key: string, message: string): void;
}

export interface RunningOutput {
  /** Called for each request. Unit: milliseconds. Range: 0 to `longestMilliseconds`. */
  latency(milliseconds: number): void;
  /** Hands over what there is. */
  flush(): void;
  /** The same without waiting for anything: the process is about to end. */
  flushNow(): void;
  stop(): void;
}

export interface MetricsOutput {
  readonly kind: "emf" | "open-telemetry";
  start(measured: Measured): RunningOutput;
}
