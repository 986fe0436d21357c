/**
 * How long the windows of a soak are: a percentile of a handful of requests is the largest of them, and says nothing beside another's, so a
 * canary that few people ask is read in longer windows. Chosen by traffic and time alone, never by what the requests came to.
 */
import { leastWindows } from "./comparison-windows.ts";

/** Periods that CloudWatch, Prometheus and Datadog all have. Unit: seconds. */
const lengths = [60, 300, 900, 3_600] as const;
/** Soaks up to this long are read by the minute, longer ones by five minutes. Unit: minutes. */
const shortSoakMinutes = 60;
/** Of the canary in a window, on average: twice what a percentile is compared of, so that hours half as busy have enough, too. */
const wantedRequests = 40;
/** With fewer, Student's quantile takes more than longer windows give. */
const wantedWindows = 2 * leastWindows;

/** Windows of a soak whatever its traffic. Unit: seconds. */
export function shortestWindowSeconds(soakMinutes: number): number {
  return soakMinutes <= shortSoakMinutes ? 60 : 300;
}

/**
 * The shortest windows in which a canary of this traffic has requests enough; the shortest of all where none leaves windows enough.
 * @param lookMinutes from the opening to the end of the look
 * @param requestsPerSecond the canary's own
 * @returns Unit: seconds
 */
export function windowSecondsFor(soakMinutes: number, lookMinutes: number, requestsPerSecond: number): number {
  const shortest = shortestWindowSeconds(soakMinutes);
  const long = lengths.find((seconds) => seconds >= shortest && requestsPerSecond * seconds >= wantedRequests);
  return long !== undefined && lookMinutes * 60 >= wantedWindows * long ? long : shortest;
}
