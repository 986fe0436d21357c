/** An environment of many services in memory, each with rules, groups and alarms of its own, made from one real service's record. */
import type { RolloutRecord, WatchedAlarm } from "../../core/record.ts";
import type { MemoryCloud } from "./memory-ports.ts";
import { v2, World } from "./world.ts";

export interface ManyServices {
  readonly cloud: MemoryCloud;
  /** Ascending. */
  readonly services: readonly string[];
  /** Those whose canary has traffic. */
  readonly exposed: readonly string[];
  record(service: string): RolloutRecord;
  mainRule(service: string): string;
  /** Percent of live traffic on the service's canary. */
  live(service: string): number;
  /** As a person would at the load balancer: that much of live traffic on the canary. */
  setLive(service: string, percent: number, stickinessSeconds?: number): void;
  /** Sets the canary's error-rate alarms of one severity off. @default critical */
  breach(service: string, severity?: "warning" | "critical"): void;
}

/** @param counts how many there are, how many of them with a canary at 25 %, spread evenly, and how many alarms each watches */
export async function manyServices(counts: {
  readonly services: number;
  readonly exposed: number;
  readonly alarmsEach: number;
}): Promise<ManyServices> {
  const world = await new World().rolledOutTo(25);
  const { cloud } = world;
  const example = world.record;
  const perRelease = counts.alarmsEach / 2;
  const alarmsOf = (digest: string): WatchedAlarm[] => {
    const own = example.alarms.filter((alarm) => alarm.digest === digest);
    return Array.from({ length: perRelease }, (_, index) => {
      const alarm = own[index % own.length];
      if (!alarm) throw new Error("no alarms");
      return index < own.length ? alarm : { ...alarm, alarmName: `${alarm.alarmName}-${index}` };
    });
  };
  const template: RolloutRecord = {
    ...example,
    alarms: [...alarmsOf(example.baseline), ...alarmsOf(v2.digest)],
  };
  const rules = [...cloud.rules];
  const health = [...cloud.health];
  for (const all of [cloud.rules, cloud.health, cloud.alarms, cloud.records, cloud.heartbeats]) all.clear();

  const services = Array.from({ length: counts.services }, (_, index) => `s${String(index).padStart(3, "0")}`);
  const every = counts.services / counts.exposed;
  const exposed = services.filter((_, index) => index % every === 0);
  const rename = <Value>(value: Value, service: string): Value =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll("/checkout/", `/${service}/`)
        .replaceAll("arn:rule/", `arn:rule/${service}/`)
        .replaceAll("arn:group/", `arn:group/${service}/`)
        .replaceAll('"service":"checkout"', `"service":"${service}"`),
    );
  for (const service of services) {
    // Counts read for all services at once have the service in their id.
    for (const id of ["baseline", "canary"]) cloud.requestsPerMinute[`${service}/${id}`] = 3_000;
    const record = rename(template, service);
    const { canary: _canary, ...quiet } = record;
    const isExposed = exposed.includes(service);
    cloud.records.set(service, JSON.stringify(isExposed ? record : quiet));
    for (const [arn, targets] of rename(health, service)) cloud.health.set(arn, targets);
    for (const [arn, action] of rename(rules, service)) {
      const baseline = record.releases[record.baseline]?.targetGroupArn ?? "";
      cloud.rules.set(arn, isExposed ? action : { weights: { [baseline]: 100 } });
    }
    for (const { alarmName } of record.alarms) {
      cloud.alarms.set(alarmName, { alarmName, state: "OK", updatedAt: cloud.nowMs, actionsEnabled: true });
    }
  }
  const record = (service: string): RolloutRecord => {
    const found = cloud.read(service);
    if (!found) throw new Error(`no record of ${service}`);
    return found;
  };
  const mainRule = (service: string) => `arn:rule/${service}/main`;
  return {
    cloud,
    services,
    exposed,
    record,
    mainRule,
    live(service) {
      const weights = cloud.rules.get(mainRule(service))?.weights ?? {};
      const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
      const arn = record(service).releases[v2.digest]?.targetGroupArn ?? "";
      return (100 * (weights[arn] ?? 0)) / total;
    },
    setLive(service, percent, stickinessSeconds) {
      const { releases, baseline } = record(service);
      const weights = [baseline, v2.digest].map((digest, index) => [
        releases[digest]?.targetGroupArn ?? "",
        index === 0 ? 100 - percent : percent,
      ]);
      cloud.rules.set(mainRule(service), {
        weights: Object.fromEntries(weights),
        ...(stickinessSeconds === undefined ? {} : { stickinessSeconds }),
      });
    },
    breach(service, severity = "critical") {
      for (const alarm of record(service).alarms) {
        if (alarm.digest !== v2.digest || alarm.objective !== "error-rate" || alarm.severity !== severity) continue;
        cloud.alarms.set(alarm.alarmName, {
          alarmName: alarm.alarmName,
          state: "ALARM",
          updatedAt: cloud.nowMs,
          actionsEnabled: true,
        });
      }
    },
  };
}
