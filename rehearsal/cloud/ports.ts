/** The hook's and the guard's ports over the parts of one local cloud. */
import type { PageMessage, PagePlace } from "../../core/page-message.ts";
import type { Instant, Page } from "../../core/record.ts";
import { defaultRunbookBase } from "../../core/runbooks.ts";
import type { Peers, Ports, Telemetry } from "../../hooks/ports.ts";
import { silentTelemetry } from "../../hooks/telemetry.ts";
import type { CloudWatch, StateChange } from "../cloudwatch/cloudwatch.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import type { LoadBalancers } from "./load-balancer.ts";
import { PeerRegions } from "./peer-regions.ts";
import type { RecordTable } from "./record-table.ts";

export interface PortParts {
  readonly table: RecordTable;
  readonly balancers: LoadBalancers;
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
    },
    peers: parts.peers ?? new PeerRegions().peers(),
    elsewhere: {},
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
