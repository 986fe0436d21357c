/**
 * How long a breach can stand before its traffic is gone, and how much traffic it takes to be seen at all: arithmetic from
 * the alarms as declared, said in every preview (B9).
 */
import { delaySeconds, evaluationIntervalSeconds } from "./alarms.ts";
import { requestsToSee, seenAtFactor } from "./chance.ts";
import { loweringResponses, type MetricSource, type Objective } from "./objectives.ts";
import { countsAt } from "./record.ts";
import { type RuleContext, releaseRules, type WatchRule } from "./watch-rules.ts";

/** Until the load balancer splits by new weights. Unit: seconds. Assumed; AWS publishes none (argo-rollouts #4595, read 2026-11). */
export const weightPropagationSeconds = 10;
/**
 * An alarm's event wakes the hook within seconds; one that gets lost is made up for by the reconcile of the next minute, and the worst
 * case is about lost ones. Unit: seconds.
 */
export const hookIntervalSeconds = 60;

/** What one window of an objective can do at an exposure. */
export interface Detection {
  readonly alarmKey: string;
  /** From the first bad request to the weights being gone, when everything falls badly. Unit: seconds. */
  readonly worstSeconds: number;
  /** Requests a second of the whole service that the window needs to speak, at the bound or `seenAtFactor` times it. */
  readonly leastRatePerSecond: number;
  /** How many times the bound the breach is that `leastRatePerSecond` is asked for: 1, or more where chance is reckoned at the bound itself. */
  readonly seenAtFactor: number;
}

/**
 * Worst case of one alarm: the breach begins right after a period did, so that one is lost; then as many bad periods as the
 * alarm wants; then the points arrive, the alarm is evaluated, the hook looks, and the weights take hold.
 */
export function worstSeconds(
  rule: Pick<WatchRule, "datapointsToAlarm" | "periodSeconds" | "indicator">,
  source: MetricSource,
): number {
  return (
    (rule.datapointsToAlarm + 1) * rule.periodSeconds +
    delaySeconds(rule.indicator, source) +
    evaluationIntervalSeconds(rule.periodSeconds) +
    hookIntervalSeconds +
    weightPropagationSeconds
  );
}

/** Requests in a period from which the rule speaks of a breach at its bound, or at twice of it: the request floor, and enough errors. */
function requestsNeeded({ errorFloor, requestFloor, threshold, reference, usualPercent }: WatchRule): number {
  if (usualPercent !== undefined) return requestsToSee(threshold);
  // How many errors a relative bound is worth depends on the baseline.
  const ofErrors = errorFloor === 0 || reference ? 0 : threshold > 0 ? (100 * errorFloor) / threshold : errorFloor;
  return Math.max(requestFloor, ofErrors);
}

/** Of the service, so that a release with that share has enough; where two are compared, the one that has less. */
function leastRatePerSecond(rule: WatchRule, exposurePercent: number): number {
  const share =
    rule.reference?.kind === "baseline" ? Math.min(exposurePercent, 100 - exposurePercent) : exposurePercent;
  return requestsNeeded(rule) / rule.periodSeconds / (share / 100);
}

/** Windows whose response takes traffic away from a canary, fastest first. */
export function detections(
  objectives: readonly Objective[],
  source: MetricSource,
  canary: NonNullable<RuleContext["canary"]>,
): { readonly objective: string; readonly response: string; readonly windows: Detection[] }[] {
  const { plan, exposurePercent } = canary;
  const byBound = new Map<string, { objective: string; response: string; windows: Detection[] }>();
  for (const rule of releaseRules(objectives, source, { canary })) {
    if (!loweringResponses.has(rule.response) || !countsAt(rule, plan, [exposurePercent])) continue;
    const bound = `${rule.objective} (${rule.severity})`;
    const entry = byBound.get(bound) ?? { objective: bound, response: rule.response, windows: [] };
    entry.windows.push({
      alarmKey: rule.key,
      worstSeconds: worstSeconds(rule, source),
      leastRatePerSecond: leastRatePerSecond(rule, exposurePercent),
      seenAtFactor: rule.usualPercent === undefined ? 1 : seenAtFactor,
    });
    byBound.set(bound, entry);
  }
  const entries = [...byBound.values()];
  for (const entry of entries) entry.windows.sort((left, right) => left.worstSeconds - right.worstSeconds);
  return entries;
}

/** One line for people: how fast, from what traffic on. */
export function describeDetections(
  objectives: readonly Objective[],
  source: MetricSource,
  canary: NonNullable<RuleContext["canary"]>,
): string {
  return detections(objectives, source, canary)
    .map(({ objective, response, windows }) => {
      const parts = windows.map((window) =>
        window.leastRatePerSecond === 0
          ? `within ${window.worstSeconds} s`
          : `within ${window.worstSeconds} s from ${readable(window.leastRatePerSecond)} requests/s of the service on${window.seenAtFactor === 1 ? "" : ` at ${window.seenAtFactor} × the bound`}`,
      );
      return `${objective}, ${response}: ${parts.join(", ")}`;
    })
    .join("; ");
}

function readable(value: number): string {
  return value >= 10 ? String(Math.ceil(value)) : String(Math.ceil(value * 10) / 10);
}
