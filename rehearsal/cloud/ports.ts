/** The hook's and the guard's ports over the parts of one local cloud. */
import { metricPlaces } from "../../core/former-releases.ts";
import type { PageMessage, PagePlace } from "../../core/page-message.ts";
import type { Instant, Page } from "../../core/record.ts";
import { defaultRunbookBase } from "../../core/runbooks.ts";
import { cloudWatchName, type ReportedSignal, reportedNamespace } from "../../core/signals.ts";
import type { Peers, Ports, StatisticQuery, Telemetry, WatchElsewhere } from "../../hooks/ports.ts";
import { soakPercentiles, windowOf } from "../../hooks/soak/cloudwatch.ts";
import { silentTelemetry } from "../../hooks/telemetry.ts";
import type { CloudWatch, StateChange } from "../cloudwatch/cloudwatch.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import type { FlagDocuments } from "./flags.ts";
import type { LoadBalancers } from "./load-balancer.ts";
import { PeerRegions } from "./peer-regions.ts";
import type { RecordTable } from "./record-table.ts";

export interface PortParts {
  readonly table: RecordTable;
  readonly balancers: LoadBalancers;
  readonly flags: FlagDocuments;
  readonly cloudWatch: CloudWatch;
  readonly now: () => Instant;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Takes a page, and how people would read it. */
  readonly send: (page: Page, message: PageMessage) => void;
  readonly newId: () => string;
  /** Hears of alarms that were set by hand, as of any other change of state. @default a state set by hand is refused by name */
  readonly onStateChange?: (change: StateChange) => void;
  /** @default the rehearsal's own environment and the product's own runbooks */
  readonly place?: PagePlace;
  /** @default silent */
  readonly telemetry?: Telemetry;
  /** The other regions. @default none: asking one is refused by name */
  readonly peers?: Peers;
}

/** Name of the one channel that the rehearsal has. */
export const rehearsedChannel = "rehearsal";

const rehearsedPlace: PagePlace = {
  environment: "rehearsal",
  region: "eu-west-1",
  runbookBase: defaultRunbookBase,
};

export function portsOver(parts: PortParts): Ports {
  const { table, balancers, cloudWatch, now, sleep, send, newId, onStateChange } = parts;
  return {
    records: table.store(),
    traffic: balancers.traffic(),
    alarms: {
      describe: async (alarmNames) => cloudWatch.describe([...new Set(alarmNames)]),
      values: async (alarmNames, range) => cloudWatch.alarmValues([...new Set(alarmNames)], range, now()),
      setState: async (alarmName, state, reason) => {
        if (!onStateChange) throw new NotRehearsedError(`alarm ${alarmName}: nobody here hears of a state set by hand`);
        for (const change of cloudWatch.setAlarmState(alarmName, state, reason, now())) onStateChange(change);
      },
    },
    metrics: {
      requestSums: async (queries, range) => {
        if (range.to < range.from) {
          throw new RangeError(
            `range: ends before it begins, got ${range.from} to ${range.to}; expected from up to to`,
          );
        }
        return cloudWatch.requestSums(queries, range, now());
      },
      statistics: async (queries, range) => cloudWatch.statistics(queries, range, now()),
    },
    peers: parts.peers ?? new PeerRegions().peers(),
    elsewhere: { prometheus: watchElsewhere(parts), datadog: watchElsewhere(parts) },
    flags: parts.flags.port(),
    pager: {
      send: async (message, deliveredTo) => {
        if (!deliveredTo.includes(rehearsedChannel)) send({ ...message.page }, message);
        return { deliveredTo: [...new Set([...deliveredTo, rehearsedChannel])], failed: [] };
      },
    },
    telemetry: parts.telemetry ?? silentTelemetry,
    place: parts.place ?? rehearsedPlace,
    clock: { now, sleep },
    newId,
  };
}

/**
 * Another system that watches, in the words of the one that is modelled: the state of a rule there is that of the rehearsed alarm of its
 * name, and what a release reports there is what it reports here.
 */
function watchElsewhere({ table, cloudWatch, now }: PortParts): WatchElsewhere {
  /** One release's, or those of all that the record knows. */
  const keysOf = async (service: string, releaseKey: string | undefined): Promise<readonly string[]> => {
    if (releaseKey !== undefined) return [releaseKey];
    const record = await table.store().read(service);
    return record ? [...new Set(metricPlaces(record).map((place) => place.releaseKey))] : [];
  };
  return {
    describe: async (alarms) => cloudWatch.describe([...new Set(alarms.map(({ alarmName }) => alarmName))]),
    reported: async ({ service, releaseKey, from, to }) => {
      const keys = await keysOf(service, releaseKey);
      const queries = (["requests", "errors"] as const).flatMap((signal) =>
        keys.map(
          (key): StatisticQuery => ({
            id: `${signal} ${key}`,
            namespace: reportedNamespace,
            metricName: cloudWatchName(signal),
            dimensions: { Service: service, Release: key },
            statistic: "Sum",
          }),
        ),
      );
      const sums = cloudWatch.statistics(queries, { from, to, periodSeconds: 60 }, now());
      const total = (id: "requests" | "errors"): number | undefined => {
        const points = keys.flatMap((key) => sums[`${id} ${key}`] ?? []);
        return points.length === 0 ? undefined : points.reduce((sum, { value }) => sum + value, 0);
      };
      return { requests: total("requests"), errors: total("errors") };
    },
    windows: async ({ service, releaseKey, from, to, windowSeconds }) => {
      const query = (id: string, signal: ReportedSignal, statistic: string): StatisticQuery => ({
        id,
        namespace: reportedNamespace,
        metricName: cloudWatchName(signal),
        dimensions: { Service: service, Release: releaseKey },
        statistic,
      });
      const queries = [
        query("requests", "requests", "Sum"),
        query("errors", "errors", "Sum"),
        ...soakPercentiles.map((name) => query(name, "latency", name)),
      ];
      const read = cloudWatch.statistics(queries, { from, to, periodSeconds: windowSeconds }, now());
      const at = (id: string, start: Instant) => read[id]?.find((point) => point.at === start)?.value;
      return (read.requests ?? []).flatMap(({ at: start, value }) => {
        const percentiles = soakPercentiles.flatMap((name) => {
          const milliseconds = at(name, start);
          return milliseconds === undefined ? [] : [[name, milliseconds] as const];
        });
        return windowOf({ at: start, requests: value, errors: at("errors", start) ?? 0, percentiles });
      });
    },
    counted: async ({ service, releaseKey, signals, from, to }) => {
      const queries = signals.map(
        (signal): StatisticQuery => ({
          id: signal,
          namespace: reportedNamespace,
          metricName: cloudWatchName(signal),
          dimensions: { Service: service, Release: releaseKey },
          statistic: "Sum",
        }),
      );
      const read = cloudWatch.statistics(queries, { from, to, periodSeconds: 60 }, now());
      return Object.fromEntries(
        signals.flatMap((signal) => {
          const points = read[signal] ?? [];
          return points.length === 0 ? [] : [[signal, points.reduce((sum, { value }) => sum + value, 0)] as const];
        }),
      );
    },
  };
}
