/** A rollout at the moment of a rollback, out of the rehearsal: what decision and cold start are measured with. */
import type { Observation } from "../core/observation.ts";
import type { RolloutRecord } from "../core/record.ts";
import { observe } from "../hooks/observe.ts";
import { makeLocalCloud } from "../rehearsal/cloud/local-cloud.ts";
import { startAt } from "../rehearsal/index.ts";
import { rehearsalConfig } from "../rehearsal/run/table-config.ts";
import { rateAt } from "../rehearsal/traffic/traffic.ts";

export interface BusyMoment {
  readonly record: RolloutRecord;
  readonly seen: Observation;
  readonly now: number;
}

/** A record and an observation as the hook meets them, with every alarm of the canary speaking: the longest decision there is. */
export async function busyMoment(): Promise<BusyMoment> {
  const [service] = rehearsalConfig.services;
  if (!service) throw new Error("the bench has no service");
  const cloud = makeLocalCloud({
    seed: 1,
    startAt,
    ratePerSecondAt: (at) => rateAt(at),
    hook: "on",
    hostsPerGroup: 4,
    hostsReadyAfterSeconds: 0,
  });
  for (const wavePercent of [0, 5]) {
    await cloud.advanceTo(cloud.now() + 180_000);
    await cloud.up({ ...rehearsalConfig, services: [{ ...service, wavePercent }] }, "bench");
  }
  await cloud.advanceTo(cloud.now() + 660_000);
  const record = cloud.record(service.name);
  if (record?.canary?.exposurePercent !== 5) throw new Error("the canary of the bench did not open");
  const { digest } = record.canary;
  const { observation } = await observe(cloud.ports, record);
  const alarms = record.alarms.map((alarm) => ({
    alarmName: alarm.alarmName,
    state: alarm.digest === digest ? ("ALARM" as const) : ("OK" as const),
  }));
  return { record, seen: { ...observation, alarms }, now: cloud.now() };
}
