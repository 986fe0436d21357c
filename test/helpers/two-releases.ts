/** A canary at 25 % beside its baseline, and what the alarms of both came to: the stuff that shared breaches are judged on. */
import { alarmName, releaseKey } from "../../core/naming.ts";
import type { Objective } from "../../core/objectives.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { Release } from "../../core/releases.ts";
import type { AlarmValues } from "../../core/snapshot.ts";
import { aService, World } from "./world.ts";

const objectives: readonly Objective[] = [
  {
    name: "error-rate",
    indicator: "error-rate",
    warning: { value: 2, response: "halve" },
    critical: { value: 5, response: "disable" },
  },
  { name: "latency-p95", indicator: "latency-p95", critical: { value: 500, response: "disable" } },
  { name: "availability", indicator: "availability", critical: { value: 99, response: "disable" } },
  {
    name: "invariant-violations",
    indicator: "invariant-violations",
    critical: { value: 0, response: "disable" },
    disableAnyway: true,
  },
  { name: "healthy-hosts", indicator: "healthy-hosts", critical: { value: 1, response: "disable" } },
];

export const at = Date.UTC(2026, 0, 20, 10);
export const minute = 60_000;

/** Somebody owns what both releases depend on. */
export async function exposedRecord(): Promise<RolloutRecord> {
  const world = await new World(aService({ source: "emf", objectives })).rolledOutTo(25);
  return { ...world.record, dependencyOwner: "payments on call" };
}

export const nameOf = (release: Release, key: string): string => alarmName("dev", "checkout", releaseKey(release), key);

/** Newest last, a minute apart; `undefined`: no point. */
export function valuesOf(
  release: Release,
  points: readonly (number | undefined)[],
  { key = "error-rate/critical/60s", threshold = 5, badWhen = "above" as AlarmValues["badWhen"] } = {},
): AlarmValues {
  return {
    alarmName: nameOf(release, key),
    threshold,
    badWhen,
    points: points.flatMap((value, index) =>
      value === undefined ? [] : [{ at: at - (points.length - index) * minute, value }],
    ),
  };
}

export const latency = { key: "latency-p95/critical/300s", threshold: 500 };
export const availability = { key: "availability/critical/60s", threshold: 99, badWhen: "below" as const };
