/**
 * Reads the figures that an opening needs (`core/figures.ts`) from CloudWatch: what the canary and its baseline came to in the wave that is
 * being left. Too few requests make no figure, and the bound that needs it is named as not watched; what could not be read is told apart,
 * since nobody knows then what the next wave would go unwatched for.
 */
import type { ServiceSurvey } from "../../components/settings.ts";
import { targetKindOf } from "../../components/target-kind.ts";
import { metricOf } from "../../core/alarm-metrics.ts";
import { sourceDelaySeconds } from "../../core/alarms.ts";
import type { Declaration } from "../../core/declaration.ts";
import { messageOf } from "../../core/error-message.ts";
import {
  type FigureNeed,
  type FigurePoints,
  figureMetrics,
  figureNeeds,
  figuresOf,
  figureValue,
  figureWindowSeconds,
  longestFigureMilliseconds,
  withFigures,
} from "../../core/figures.ts";
import type { MeasuredFinish } from "../../core/finished-releases.ts";
import type { Instant, RolloutRecord } from "../../core/record.ts";
import { type FrozenFigure, hasFigures, type TargetKind } from "../../core/watch-rules.ts";
import type { StatisticQuery } from "../../hooks/ports.ts";
import { measuredBaseline, measuredRelease } from "../../hooks/soak/places.ts";
import type { ServiceConfig } from "../config.ts";
import type { DecidePorts } from "./reality.ts";

type FigurePorts = Pick<DecidePorts, "metrics" | "clock">;

export interface FiguresRead {
  readonly figures: readonly FrozenFigure[];
  /** Why some could not be read. Absent: all were, or were found to be too few requests. */
  readonly unreadable?: string;
}

/** Those that the record has; none where nothing is exposed. */
export function knownFigures(
  record: RolloutRecord,
  { canary, exposurePercent }: Pick<Declaration, "canary" | "exposurePercent">,
): readonly FrozenFigure[] {
  return exposurePercent === 0 ? [] : figuresOf(record.canary, canary);
}

/** What an opening declares of figures: those of the record, and those read anew. */
export async function readFigures(
  service: ServiceConfig,
  record: RolloutRecord,
  declaration: Declaration,
  found: ServiceSurvey,
  ports: FigurePorts,
): Promise<FiguresRead> {
  const figures = knownFigures(record, declaration);
  if (declaration.step !== "opening") return { figures };
  const needs = figureNeeds(service.objectives, service.plan, {
    fromPercent: declaration.fromPercent,
    toPercent: declaration.exposurePercent,
  });
  const range = rangeOf(record, service, ports.clock.now());
  if (needs.length === 0 || !range || !hasFigures(service.source)) return { figures };
  try {
    const read = await Promise.all(
      needs.map(async (need) => {
        const value = await readOne(service, record, need, range, found, ports);
        return value === undefined ? [] : [{ ...need, value }];
      }),
    );
    return { figures: withFigures(figures, read.flat()) };
  } catch (error) {
    return { figures, unreadable: messageOf(error) };
  }
}

/** Windows in which the baseline is compared with what a release came to below. Unit: minutes. (C1) */
const baselineWindowMinutes = 15;

/** What the canary came to over its last wave, for the record of its finish. What is not measured is left out; no finish waits for a figure. */
export async function readFinish(
  service: ServiceConfig,
  record: RolloutRecord,
  found: ServiceSurvey,
  ports: FigurePorts,
): Promise<MeasuredFinish | undefined> {
  const range = rangeOf(record, service, ports.clock.now());
  if (!range || !hasFigures(service.source)) return undefined;
  try {
    return await measure(service, record, "previous-wave", range, found, ports);
  } catch {
    return undefined;
  }
}

/**
 * What the baseline came to in the newest quarter of an hour. What too few requests were measured for is left out.
 * @throws where the metrics cannot be read
 */
export async function readNewestOfBaseline(
  service: ServiceConfig,
  record: RolloutRecord,
  found: ServiceSurvey,
  ports: FigurePorts,
): Promise<MeasuredFinish["figures"]> {
  if (!hasFigures(service.source)) return {};
  const windowMs = figureWindowSeconds * 1_000;
  const to = Math.floor((ports.clock.now() - sourceDelaySeconds[service.source] * 1_000) / windowMs) * windowMs;
  const range = { from: to - baselineWindowMinutes * 60_000, to };
  return (await measure(service, record, "baseline", range, found, ports))?.figures ?? {};
}

async function measure(
  service: ServiceConfig,
  record: RolloutRecord,
  of: FrozenFigure["of"],
  range: Range,
  found: ServiceSurvey,
  ports: FigurePorts,
): Promise<MeasuredFinish | undefined> {
  const read = await Promise.all(
    (["error-rate", "latency-p95"] as const).map(async (indicator) => {
      const points = await readPoints(service, record, { of, indicator }, range, found, ports);
      return { indicator, points };
    }),
  );
  const measured = read.flatMap(({ indicator, points }) => {
    const value = points && figureValue(indicator, service.source, points.target, points.points);
    return value === undefined ? [] : [[indicator, value] as const];
  });
  if (measured.length === 0) return undefined;
  const requests = (read[0]?.points?.points.requests ?? []).reduce((total, { value }) => total + value, 0);
  return { figures: Object.fromEntries(measured), ...(requests > 0 ? { requests: Math.round(requests) } : {}) };
}

interface Range {
  readonly from: Instant;
  readonly to: Instant;
}

/** Whole windows of the soak, at most the newest day, and none that is still arriving. */
function rangeOf(record: RolloutRecord, { source }: ServiceConfig, now: Instant): Range | undefined {
  const windowMs = figureWindowSeconds * 1_000;
  const to = Math.floor((now - sourceDelaySeconds[source] * 1_000) / windowMs) * windowMs;
  const soakFrom = record.canary && record.canary.exposurePercent > 0 ? record.canary.waveOpenedAt : 0;
  const from = Math.ceil(Math.max(soakFrom, to - longestFigureMilliseconds) / windowMs) * windowMs;
  return from < to ? { from, to } : undefined;
}

async function readOne(
  service: ServiceConfig,
  record: RolloutRecord,
  need: FigureNeed,
  range: Range,
  found: ServiceSurvey,
  ports: FigurePorts,
): Promise<number | undefined> {
  const read = await readPoints(service, record, need, range, found, ports);
  return read && figureValue(need.indicator, service.source, read.target, read.points);
}

async function readPoints(
  service: ServiceConfig,
  record: RolloutRecord,
  need: Pick<FigureNeed, "of" | "indicator">,
  range: Range,
  found: ServiceSurvey,
  ports: FigurePorts,
): Promise<{ readonly target: TargetKind; readonly points: FigurePoints } | undefined> {
  const measured = need.of === "baseline" ? measuredBaseline(record) : measuredRelease(record, record.canary?.digest);
  if (!measured) return undefined;
  const target = targetKindOf(measured.targetGroupArn, found);
  const metrics = figureMetrics(need.indicator, service.source, target);
  const queries = metrics.map(({ signal, statistic }): StatisticQuery => {
    const { namespace, metricName, dimensions } = metricOf(signal, service.source, { release: 0 }, statistic);
    return {
      id: signal,
      namespace,
      metricName,
      dimensions:
        dimensions === "service-and-release"
          ? { Service: record.service, Release: measured.releaseKey }
          : { TargetGroup: measured.targetGroupArnSuffix, LoadBalancer: record.loadBalancerArnSuffix },
      statistic,
    };
  });
  const answered = await ports.metrics.statistics(queries, { ...range, periodSeconds: figureWindowSeconds });
  const points: FigurePoints = Object.fromEntries(
    queries.map(({ id, namespace }) => {
      // The load balancer measures in seconds.
      const scale = id === "latency" && namespace === "AWS/ApplicationELB" ? 1_000 : 1;
      return [id, (answered[id] ?? []).map(({ at, value }) => ({ at, value: value * scale }))];
    }),
  );
  return { target, points };
}
