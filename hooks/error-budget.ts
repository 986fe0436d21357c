/**
 * Reads what the error budget of a service is reckoned from (C2): requests and errors of every release that it had in the period, from
 * where the service's metrics are: two reads of CloudWatch, or one a day of Prometheus or Datadog. Every failure is thrown.
 */
import pLimit from "p-limit";
import type { BudgetPeriodDays, ErrorBudget } from "../core/burn-rate.ts";
import { type BudgetState, type CountedInterval, reckonBudget } from "../core/error-budget.ts";
import { metricPlaces } from "../core/former-releases.ts";
import type { Instant, RolloutRecord } from "../core/record.ts";
import type { Ports, RequestQuery } from "./ports.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The newest hours are read finer, for the burn of this moment. Unit: seconds. */
const fineSeconds = 300;

/** What is asked. */
export interface BudgetPorts extends Pick<Ports, "metrics" | "clock"> {
  readonly elsewhere?: Ports["elsewhere"];
}

/** A budget as it stands now. @throws whatever keeps its counts from being read whole */
export async function readErrorBudget(
  ports: BudgetPorts,
  record: RolloutRecord,
  budget: ErrorBudget,
  periodDays: BudgetPeriodDays,
): Promise<BudgetState> {
  const to = ports.clock.now();
  const from = to - periodDays * dayMs;
  const intervals =
    record.source === "prometheus" || record.source === "datadog"
      ? await reportedElsewhere(ports, record, record.source, from, to)
      : await countedByCloudWatch(ports.metrics, record, from, to);
  return reckonBudget(budget, periodDays, intervals, to);
}

/** Hourly sums, and those of the newest hours by five minutes. */
async function countedByCloudWatch(
  metrics: Ports["metrics"],
  record: RolloutRecord,
  from: Instant,
  to: Instant,
): Promise<CountedInterval[]> {
  const queries = countedQueries(record, from);
  // Whole hours, so that no point is in both reads.
  const border = Math.floor(to / hourMs) * hourMs - hourMs;
  const [hourly, fine] = await Promise.all([
    metrics.requestSums(queries, { from, to: border, periodSeconds: 3_600 }),
    metrics.requestSums(queries, { from: border, to, periodSeconds: fineSeconds }),
  ]);
  return [...intervalsOf(hourly, 3_600), ...intervalsOf(fine, fineSeconds)];
}

const requestsPrefix = "requests/";

/**
 * Requests and every kind of error of each release; what a kind of target does not have stays without points.
 * @param from releases that left before are left out. @default none is
 */
export function countedQueries(record: RolloutRecord, from?: Instant): RequestQuery[] {
  const places = metricPlaces(record, from);
  if (record.source !== "alb") {
    // A release that was declared a second time has a new target group and its old name.
    const keys = [...new Set(places.map(({ releaseKey }) => releaseKey))];
    return keys.flatMap((key): RequestQuery[] => {
      const dimensions = { Service: record.service, Release: key };
      return [
        { id: `${requestsPrefix}${key}`, namespace: "Tidegate", metricName: "Requests", dimensions },
        { id: `errors/${key}`, namespace: "Tidegate", metricName: "Errors", dimensions },
      ];
    });
  }
  const suffixes = [...new Set(places.map(({ targetGroupArnSuffix }) => targetGroupArnSuffix))];
  const errors = [
    "HTTPCode_Target_5XX_Count",
    "TargetConnectionErrorCount",
    "LambdaUserError",
    "LambdaInternalError",
  ] as const;
  return suffixes.flatMap((suffix): RequestQuery[] => {
    const dimensions = { TargetGroup: suffix, LoadBalancer: record.loadBalancerArnSuffix };
    const namespace = "AWS/ApplicationELB" as const;
    return [
      { id: `${requestsPrefix}${suffix}`, namespace, metricName: "RequestCount", dimensions },
      ...errors.map((metricName) => ({ id: `${metricName}/${suffix}`, namespace, metricName, dimensions })),
    ];
  });
}

/** Sums of all releases put together by their time. */
export function intervalsOf(
  sums: Awaited<ReturnType<Ports["metrics"]["requestSums"]>>,
  seconds: number,
): CountedInterval[] {
  const byTime = new Map<Instant, { requests: number; errors: number }>();
  for (const [id, points] of Object.entries(sums)) {
    for (const { at, sum } of points) {
      const counted = byTime.get(at) ?? { requests: 0, errors: 0 };
      if (id.startsWith(requestsPrefix)) counted.requests += sum;
      else counted.errors += sum;
      byTime.set(at, counted);
    }
  }
  return [...byTime].sort(([left], [right]) => left - right).map(([at, counted]) => ({ at, seconds, ...counted }));
}

/** Begins of the parts of the last day, before the period's end; they tell the burn. Days tell since when a service is known. Unit: milliseconds. */
const lastDayMs = [6 * hourMs, hourMs];
/** Nobody's traffic waits for this answer, and a day of many series is slow. Unit: milliseconds. */
const patienceMilliseconds = 20_000;
/** Parts asked for at once: the limits are the whole organisation's. */
const sideBySide = 4;

/** The period by the day, in parts that do not overlap. */
async function reportedElsewhere(
  { elsewhere }: BudgetPorts,
  record: RolloutRecord,
  source: "prometheus" | "datadog",
  from: Instant,
  to: Instant,
): Promise<CountedInterval[]> {
  const port = elsewhere?.[source];
  if (!port) {
    throw new Error(
      `error budget of ${record.service}: source ${source} cannot be asked from here; expected its access in the config (alerting.${source === "prometheus" ? "grafana" : "datadog"})`,
    );
  }
  const days = Math.ceil((to - from) / dayMs);
  const borders = [
    ...Array.from({ length: days }, (_, index) => from + index * dayMs),
    ...lastDayMs.map((part) => to - part),
    to,
  ];
  const { environment, service } = record;
  const limit = pLimit(sideBySide);
  const parts = borders.slice(0, -1).map((at, index) =>
    limit(async (): Promise<CountedInterval> => {
      const end = borders[index + 1] ?? to;
      // All releases together: a query each would be hundreds, and those that nobody remembers count, too.
      const { requests, errors } = await port.reported({
        environment,
        service,
        from: at,
        to: end,
        patienceMilliseconds,
      });
      return { at, seconds: (end - at) / 1_000, requests: requests ?? 0, errors: errors ?? 0 };
    }),
  );
  try {
    return await Promise.all(parts);
  } finally {
    // After a failure nobody wants the others.
    limit.clearQueue();
  }
}
