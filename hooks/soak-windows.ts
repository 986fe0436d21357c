/**
 * Reads what canary and baseline were doing side by side over a soak (C1), up to the end of its newest look (`core/gate/looks.ts`): from
 * CloudWatch, Prometheus or Datadog, whichever the service's metrics are in. Every failure is thrown; nothing unread looks like no traffic.
 */
import { sourceDelaySeconds } from "../core/alarms.ts";
import type { SoakMeasurement, SoakWindow } from "../core/gate/evidence.ts";
import { type Look, newestLook } from "../core/gate/looks.ts";
import { shortestWindowSeconds, windowSecondsFor } from "../core/gate/window-length.ts";
import type { TargetKind } from "../core/measures.ts";
import type { MetricSource } from "../core/objectives.ts";
import { waveAt } from "../core/plans.ts";
import type { Instant, RolloutRecord } from "../core/record.ts";
import { portOf } from "./alarm-states.ts";
import type { Ports } from "./ports.ts";
import { cloudWatchWindows, type WindowRange } from "./soak/cloudwatch.ts";
import { besideCanary, type MeasuredRelease, measuredRelease } from "./soak/places.ts";

/** Most windows that are read, the newest: a week of five minutes. With 12 statistics it is a quarter of what one GetMetricData call gives (100,800 points). */
export const mostWindows = 2_016;
/** On top of the source's own delay, so that a window is whole before it is read: another answer later would be another look. Unit: milliseconds. */
const slackMilliseconds = 30_000;
/** Nobody's traffic waits for this answer. Unit: milliseconds. */
const patienceMilliseconds = 20_000;

/** What is asked. */
export type SoakPorts = Pick<Ports, "metrics" | "elsewhere" | "clock">;

/** A look at the record's canary, and the windows that it reads. */
export interface SoakRange extends WindowRange {
  readonly look: Look;
  /** Older windows than the newest `mostWindows` are left out. */
  readonly isCut: boolean;
}

/** When the first look at a soak can be read. `undefined`: nothing is exposed, or the wave has no end of its own. */
export function soakArrivesAt({ canary, plan, source }: RolloutRecord): Instant | undefined {
  const soakMinutes = canary && waveAt(plan, canary.exposurePercent)?.minimumSoakMinutes;
  if (!canary || soakMinutes === undefined || soakMinutes === null) return undefined;
  return canary.waveOpenedAt + soakMinutes * 60_000 + arrivalMilliseconds(source);
}

function arrivalMilliseconds(source: MetricSource): number {
  return sourceDelaySeconds[source] * 1_000 + slackMilliseconds;
}

/**
 * The newest look that has ended and arrived. `undefined`: nothing is exposed, the wave has no end of its own, or none has ended yet.
 * @param longerWindowSeconds @default the shortest windows that its soak is read in
 */
export function soakRange(record: RolloutRecord, now: Instant, longerWindowSeconds?: number): SoakRange | undefined {
  const { canary, plan, source } = record;
  if (!canary || canary.exposurePercent === 0) return undefined;
  const soakMinutes = waveAt(plan, canary.exposurePercent)?.minimumSoakMinutes ?? null;
  if (soakMinutes === null) return undefined;
  const look = newestLook(canary.waveOpenedAt, soakMinutes, now - arrivalMilliseconds(source));
  if (!look) return undefined;
  const windowSeconds = longerWindowSeconds ?? shortestWindowSeconds(soakMinutes);
  const windowMs = windowSeconds * 1_000;
  const to = Math.floor(look.endsAt / windowMs) * windowMs;
  const first = Math.ceil(canary.waveOpenedAt / windowMs) * windowMs;
  const from = Math.min(to, Math.max(first, to - mostWindows * windowMs));
  return { look, from, to, windowSeconds, isCut: from > first };
}

/**
 * Canary and baseline (or its control) over the newest look.
 * @param targetOf what is behind a target group
 * @returns `undefined` as `soakRange`
 * @throws whatever keeps a window from being read
 */
export async function readSoak(
  ports: SoakPorts,
  record: RolloutRecord,
  targetOf: (targetGroupArn: string) => TargetKind,
): Promise<SoakMeasurement | undefined> {
  let range = soakRange(record, ports.clock.now());
  if (!range || !record.canary) return undefined;
  const canary = measuredRelease(record, record.canary.digest);
  if (!canary)
    throw new Error(`record of ${record.service}: no release of its canary's digest; expected one. Run status`);
  const beside = besideCanary(record);
  const releases = { canary, ...(beside ? { beside: beside.release } : {}) };
  const read = (of: SoakRange) => windowsOf(ports, record, releases, of, targetOf);
  let windows = await read(range);
  const longer = longerWindows(record, range, windows.canary ?? []);
  // A percentile of fewer requests is no percentile, and nothing puts two of them together: the source is asked again.
  if (longer !== undefined) {
    range = longer;
    windows = await read(range);
  }
  return {
    windowSeconds: range.windowSeconds,
    // A look that is cut begins with its oldest window.
    from: range.isCut ? range.from : record.canary.waveOpenedAt,
    to: range.look.endsAt,
    lookIndex: range.look.index,
    canary: windows.canary ?? [],
    ...(beside ? { beside: { is: beside.is, windows: windows.beside ?? [] } } : {}),
  };
}

/** The same look in longer windows, where the canary has too few requests in these. */
function longerWindows(record: RolloutRecord, range: SoakRange, canary: readonly SoakWindow[]): SoakRange | undefined {
  const soakMinutes = waveAt(record.plan, record.canary?.exposurePercent ?? 0)?.minimumSoakMinutes ?? null;
  if (soakMinutes === null || range.to <= range.from) return undefined;
  const perSecond = (1_000 * canary.reduce((sum, { requests }) => sum + requests, 0)) / (range.to - range.from);
  const windowSeconds = windowSecondsFor(soakMinutes, (range.to - range.from) / 60_000, perSecond);
  if (windowSeconds === range.windowSeconds) return undefined;
  const longer = soakRange(record, range.look.endsAt + arrivalMilliseconds(record.source), windowSeconds);
  return longer?.look.index === range.look.index ? longer : undefined;
}

/** Windows of each release by its name here. */
async function windowsOf(
  ports: SoakPorts,
  record: RolloutRecord,
  releases: Readonly<Record<string, MeasuredRelease>>,
  range: WindowRange,
  targetOf: (targetGroupArn: string) => TargetKind,
): Promise<Readonly<Record<string, readonly SoakWindow[]>>> {
  const { source, environment, service } = record;
  const { from, to, windowSeconds } = range;
  if (source === "alb" || source === "emf") {
    const asked = Object.entries(releases).map(([id, release]) => ({
      id,
      release,
      target: targetOf(release.targetGroupArn),
    }));
    return cloudWatchWindows(ports.metrics, record, asked, range);
  }
  const port = portOf(ports, source, "the soak of canary and baseline");
  const read: [string, readonly SoakWindow[]][] = [];
  // One after another: the limits are the whole organisation's.
  for (const [id, { releaseKey }] of Object.entries(releases)) {
    if (from === to) continue;
    read.push([
      id,
      await port.windows({ environment, service, releaseKey, from, to, windowSeconds, patienceMilliseconds }),
    ]);
  }
  return Object.fromEntries(read);
}
