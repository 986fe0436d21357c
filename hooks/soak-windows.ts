/**
 * Reads what canary and baseline were doing side by side over a soak (C1), up to the end of its newest look (`core/gate/looks.ts`): from
 * CloudWatch, Prometheus or Datadog, whichever the service's metrics are in. Every failure is thrown; nothing unread looks like no traffic.
 */
import { sourceDelaySeconds } from "../core/alarms.ts";
import type { SoakMeasurement, SoakWindow } from "../core/gate/evidence.ts";
import { type Look, newestLook } from "../core/gate/looks.ts";
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
/** Soaks up to this long are read by the minute, longer ones by five minutes. Unit: minutes. */
const shortSoakMinutes = 60;
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

/** The newest look that has ended and arrived. `undefined`: nothing is exposed, the wave has no end of its own, or none has ended yet. */
export function soakRange(record: RolloutRecord, now: Instant): SoakRange | undefined {
  const { canary, plan, source } = record;
  if (!canary || canary.exposurePercent === 0) return undefined;
  const soakMinutes = waveAt(plan, canary.exposurePercent)?.minimumSoakMinutes ?? null;
  if (soakMinutes === null) return undefined;
  const look = newestLook(canary.waveOpenedAt, soakMinutes, now - arrivalMilliseconds(source));
  if (!look) return undefined;
  const windowSeconds = soakMinutes <= shortSoakMinutes ? 60 : 300;
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
  const range = soakRange(record, ports.clock.now());
  if (!range || !record.canary) return undefined;
  const canary = measuredRelease(record, record.canary.digest);
  if (!canary)
    throw new Error(`record of ${record.service}: no release of its canary's digest; expected one. Run status`);
  const beside = besideCanary(record);
  const windows = await windowsOf(
    ports,
    record,
    { canary, ...(beside ? { beside: beside.release } : {}) },
    range,
    targetOf,
  );
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
