/**
 * Whether the canary was measured where it must have been (B8). A release that answers nothing and reports nothing looks
 * exactly like a healthy one to every ratio; the load balancer's own count of the others tells them apart.
 */
import { defaultRequestFloor } from "./objectives.ts";
import type { Instant } from "./record.ts";

/** Late enough that a one-minute load-balancer point has surely arrived. Unit: seconds. Source: facts on metric delay, 2026-11. */
export const visibilityLagSeconds = 240;
/** Looked over this long. Unit: seconds. */
export const visibilityWindowSeconds = 300;

export interface VisibilityReading {
  /** Sums over the window; `undefined`: no point at all. */
  readonly baselineRequests: number | undefined;
  /** The canary's target group, as the load balancer counts it. */
  readonly canaryRequests: number | undefined;
  /** The canary's own report (`emf`); equal to `canaryRequests` where the source is the load balancer itself. */
  readonly canaryReported: number | undefined;
  /** The least share the canary had in the window. */
  readonly exposurePercent: number;
}

/** The window to look at, or `undefined` while the canary has not had traffic that long. */
export function visibilityWindow(
  exposedSince: Instant,
  now: Instant,
): { readonly from: Instant; readonly to: Instant } | undefined {
  const to = Math.floor((now - visibilityLagSeconds * 1_000) / 60_000) * 60_000;
  const from = to - visibilityWindowSeconds * 1_000;
  return from > exposedSince ? { from, to } : undefined;
}

/**
 * What the counts say. At 100 % the baseline gives no measure of what there should have been, so silence is blindness there,
 * not a breach (a listener is often shared, its total proves nothing about one service).
 */
export function visibilityOf(reading: VisibilityReading): "seen" | "canary-missing" | "all-missing" {
  const share = reading.exposurePercent / 100;
  const expectedFromBaseline =
    share < 1 && reading.baselineRequests !== undefined ? (reading.baselineRequests / (1 - share)) * share : 0;
  const expected = Math.max(expectedFromBaseline, reading.canaryRequests ?? 0);
  const reported = reading.canaryReported ?? 0;
  if (reported === 0 && expected >= defaultRequestFloor) return "canary-missing";
  const anything = [reading.baselineRequests, reading.canaryRequests, reading.canaryReported].some(
    (sum) => (sum ?? 0) > 0,
  );
  return anything ? "seen" : "all-missing";
}
