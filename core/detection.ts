/**
 * How long a breach can stand before its traffic is gone, and how much traffic it takes to be seen at all: arithmetic from
 * the alarms as declared, said in every preview (B9).
 */
import { type AlarmSpec, alarmsFor, evaluationIntervalSeconds, sourceDelaySeconds } from "./alarms.ts";
import { loweringResponses, type MetricSource, type Objective } from "./objectives.ts";

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
  /** Requests a second of the whole service that the window needs to speak, at the bound itself. */
  readonly leastRatePerSecond: number;
}

/**
 * Worst case of one alarm: the breach begins right after a period did, so that one is lost; then as many bad periods as the
 * alarm wants; then the points arrive, the alarm is evaluated, the hook looks, and the weights take hold.
 */
export function worstSeconds(alarm: AlarmSpec, source: MetricSource): number {
  return (
    (alarm.datapointsToAlarm + 1) * alarm.periodSeconds +
    sourceDelaySeconds[source] +
    evaluationIntervalSeconds(alarm.periodSeconds) +
    hookIntervalSeconds +
    weightPropagationSeconds
  );
}

/** Requests in a period from which the alarm speaks of a breach at its bound: the request floor, and enough errors. */
function requestsNeeded(alarm: AlarmSpec): number {
  return alarm.errorFloor === 0
    ? alarm.requestFloor
    : Math.max(alarm.requestFloor, (100 * alarm.errorFloor) / alarm.threshold);
}

/** Windows whose response takes traffic away, fastest first. */
export function detections(
  objectives: readonly Objective[],
  source: MetricSource,
  exposurePercent: number,
): { readonly objective: string; readonly response: string; readonly windows: Detection[] }[] {
  const byBound = new Map<string, { objective: string; response: string; windows: Detection[] }>();
  for (const alarm of alarmsFor(objectives, source)) {
    if (!loweringResponses.has(alarm.response)) continue;
    const bound = `${alarm.objective} (${alarm.severity})`;
    const entry = byBound.get(bound) ?? { objective: bound, response: alarm.response, windows: [] };
    entry.windows.push({
      alarmKey: alarm.key,
      worstSeconds: worstSeconds(alarm, source),
      leastRatePerSecond: requestsNeeded(alarm) / alarm.periodSeconds / (exposurePercent / 100),
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
  exposurePercent: number,
): string {
  return detections(objectives, source, exposurePercent)
    .map(({ objective, response, windows }) => {
      const parts = windows.map((window) =>
        window.leastRatePerSecond === 0
          ? `within ${window.worstSeconds} s`
          : `within ${window.worstSeconds} s from ${readable(window.leastRatePerSecond)} requests/s of the service on`,
      );
      return `${objective}, ${response}: ${parts.join(", ")}`;
    })
    .join("; ");
}

function readable(value: number): string {
  return value >= 10 ? String(Math.ceil(value)) : String(Math.ceil(value * 10) / 10);
}
