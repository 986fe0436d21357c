/**
 * What silence means for an alarm: judged by what it counts.
 *
 * - Counts of bad things are published only when there are any: silence is good, `notBreaching`. With `missing` one lone error can fire
 *   the alarm, because older points count until newer ones come.
 * - Latency is published only while requests flow: the same.
 * - Host counts are published as long as health checks run: silence means that nobody checks, `breaching`.
 * - "Too few requests" and heartbeats fall silent exactly when they should ring: `breaching`.
 * - Metric math is judged by the metrics in it; a ratio of errors is silent when nobody asks anything, whichever side it watches.
 *
 * Source: "Metrics for your Application Load Balancer" and "Configuring how CloudWatch alarms treat missing data", read 2026-11.
 */
import { type KnownMap, textAt, unknown } from "./known.ts";
import { type AlarmedMetric, isComputed, metricsOf } from "./props-alarm.ts";
import type { Finding } from "./props-message.ts";

type Silence = "notBreaching" | "breaching";

/** Host counts; silence says that the group has no health checks. */
const hostCounts = new Set(["HealthyHostCount", "UnHealthyHostCount"]);
/** Metrics of `AWS/ApplicationELB` that are there only when something happened, or while requests flow. */
const onlyWithTraffic =
  /^(HTTPCode_\w+|\w*ErrorCount|RejectedConnectionCount|Lambda\w+Error|ELBAuth\w+|TargetResponseTime|DroppedInvalidHeaderRequestCount)$/;
/** Metrics whose absence is no requests at all. */
const traffic = new Set(["RequestCount", "RequestCountPerTarget", "ProcessedBytes", "NewConnectionCount"]);

const loadBalancers = "AWS/ApplicationELB";

/** What silence of one metric must mean; undefined: either is fine. */
function silenceOf({ namespace, metricName }: AlarmedMetric, below: boolean, computed: boolean): Silence | undefined {
  if (namespace === "AWS/Lambda" && (metricName === "Errors" || metricName === "Throttles") && !below) {
    return "notBreaching";
  }
  if (namespace !== loadBalancers) return undefined;
  if (hostCounts.has(metricName)) return "breaching";
  if (onlyWithTraffic.test(metricName)) return computed || !below ? "notBreaching" : undefined;
  if (!traffic.has(metricName)) return undefined;
  if (computed) return "notBreaching";
  return below ? "breaching" : "notBreaching";
}

const reasons: Readonly<Record<Silence, string>> = {
  notBreaching: "notBreaching: no data means no such requests",
  breaching: "breaching: no data means that nobody looks or nobody comes",
};

/** What is wrong with how an alarm takes missing data, undefined when nothing is or when it is not known yet. */
export function missingDataProblem(props: KnownMap): Omit<Finding, "name"> | undefined {
  const given = textAt(props, "treatMissingData");
  if (given === unknown) return undefined;
  const treatment = given ?? "missing";
  const below = String(textAt(props, "comparisonOperator") ?? "").startsWith("LessThan");
  const metrics = metricsOf(props);
  const wanted = new Set(metrics.map((metric) => silenceOf(metric, below, isComputed(props))));
  wanted.delete(undefined);
  // Sorts that want different things leave the choice, but never to `missing`.
  const [only] = wanted.size === 1 ? [...wanted] : [];
  const fits = only === undefined ? treatment !== "missing" : treatment === only;
  if (fits) return undefined;
  const names = [...new Set(metrics.map(({ metricName }) => metricName))];
  return {
    wrong: `treats missing data unsafely${names.length > 0 ? ` for ${names.join(", ")}` : ""}`,
    got: given === undefined ? "nothing, which is missing" : treatment,
    expected: only === undefined ? "notBreaching, breaching or ignore" : reasons[only],
    wayOut: `Set treatMissingData to "${only ?? "notBreaching"}"`,
  };
}
