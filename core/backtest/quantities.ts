/**
 * What a recorded series is, as a person states it: `requests:count`, `latency-p95:seconds`. A number in a file says neither what was counted
 * nor in which unit, and a guess would be a quiet wrong answer, so both are always said.
 */
import { balancerSignals, reportedSignals, type Signal } from "../signals.ts";

/** A percentile cannot be made of another, so each is a quantity of its own. */
export const latencyQuantities = ["latency-p50", "latency-p95", "latency-p99"] as const;
export type Quantity = Exclude<Signal, "latency"> | (typeof latencyQuantities)[number] | "throughput";

/**
 * How points become what an alarm reads.
 * - `sum`: each point is what was counted in its interval.
 * - `rate`: each point is so many a second, throughout its interval.
 * - `counter`: each point is what was counted since the process started; it falls to 0 when that starts anew.
 * - `level`: each point is the value of its interval.
 */
export type Accounting = "sum" | "rate" | "counter" | "level";

/** What a series is. */
export interface Stated {
  readonly quantity: Quantity;
  readonly unit: string;
  readonly accounting: Accounting;
  /** Times this, a value is in the unit that core has for the quantity. */
  readonly factor: number;
}

interface Unit {
  readonly accounting: Accounting;
  readonly factor: number;
}

const level = (factor: number): Unit => ({ accounting: "level", factor });
const counts: Readonly<Record<string, Unit>> = {
  count: { accounting: "sum", factor: 1 },
  "per-second": { accounting: "rate", factor: 1 },
  counter: { accounting: "counter", factor: 1 },
};
const milliseconds = { milliseconds: level(1), seconds: level(1_000) };
const seconds = { seconds: level(1), milliseconds: level(0.001) };

const ofLevels: Readonly<Record<string, Readonly<Record<string, Unit>>>> = {
  "latency-p50": milliseconds,
  "latency-p95": milliseconds,
  "latency-p99": milliseconds,
  throughput: { "per-second": level(1) },
  "memory-megabytes": { megabytes: level(1), bytes: level(0.000_001) },
  "cpu-percent": { percent: level(1), fraction: level(100) },
  "breaker-open-seconds": seconds,
  "breaker-recovery-seconds": seconds,
  "healthy-hosts": { count: level(1) },
};

/** Objectives' names for what has one signal. */
const otherNames: Readonly<Record<string, Quantity>> = {
  memory: "memory-megabytes",
  cpu: "cpu-percent",
  "circuit-breaker-open": "breaker-open-seconds",
  "circuit-breaker-recovery": "breaker-recovery-seconds",
};

/** Shares have floors of requests and errors, which a ready share no longer tells. */
const shares: Readonly<Record<string, string>> = {
  "error-rate": "requests and errors",
  "success-rate": "requests and errors",
  availability: "requests and errors",
  "cache-hit-ratio": "cache-hits and cache-misses",
  "rate-limit-reject-rate": "requests and rate-limit-rejects",
  "fallback-rate": "requests and fallbacks",
  "flag-coverage": "requests and flag-evaluations",
};

/** Every quantity that a series can be. */
export const quantities: readonly Quantity[] = [
  ...([...Object.keys(reportedSignals), ...Object.keys(balancerSignals)] as Signal[]).filter(
    (signal) => signal !== "latency",
  ),
  ...latencyQuantities,
  "throughput",
];

function unitsOf(quantity: Quantity): Readonly<Record<string, Unit>> {
  return ofLevels[quantity] ?? counts;
}

/** Reads `<quantity>:<unit>`. @returns what is wrong in words, where something is */
export function readStated(text: string): Stated | string {
  const [name = "", unit, ...rest] = text.trim().split(":");
  if (Object.hasOwn(shares, name)) {
    return `a share has floors of requests and errors, which it does not tell, got "${text}"; expected ${shares[name]}, each as a series of its own`;
  }
  if (name === "latency") {
    return `which percentile, got "${text}"; expected ${latencyQuantities.join(", ")}`;
  }
  const quantity = otherNames[name] ?? quantities.find((known) => known === name);
  if (quantity === undefined) {
    return `unknown quantity, got "${name}"; expected one of ${quantities.join(", ")}`;
  }
  const units = unitsOf(quantity);
  const words = Object.keys(units);
  if (unit === undefined) {
    return `no unit, got "${text}"; expected ${words.map((word) => `${name}:${word}`).join(" or ")}`;
  }
  const known = rest.length === 0 && Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (!known) {
    return `unknown unit, got "${[unit, ...rest].join(":")}"; expected ${words.map((word) => `${name}:${word}`).join(" or ")}`;
  }
  return { quantity, unit, ...known };
}
