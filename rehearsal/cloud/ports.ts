/** The hook's and the guard's ports over the parts of one local cloud. */
import type { Instant, Page } from "../../core/record.ts";
import type { Ports } from "../../hooks/ports.ts";
import type { CloudWatch } from "../cloudwatch/cloudwatch.ts";
import type { LoadBalancers } from "./load-balancer.ts";
import type { RecordTable } from "./record-table.ts";

export interface PortParts {
  readonly table: RecordTable;
  readonly balancers: LoadBalancers;
  readonly cloudWatch: CloudWatch;
  readonly now: () => Instant;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly send: (page: Page) => void;
  readonly newId: () => string;
}

export function portsOver({ table, balancers, cloudWatch, now, sleep, send, newId }: PortParts): Ports {
  return {
    records: table.store(),
    traffic: balancers.traffic(),
    alarms: { describe: async (alarmNames) => cloudWatch.describe([...new Set(alarmNames)]) },
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
    pager: { send: async (page) => send({ ...page }) },
    clock: { now, sleep },
    newId,
  };
}
