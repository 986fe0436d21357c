/**
 * What every service's look needs, read for all at once: alarms a hundred a call, rules twenty a call, counts five hundred a call. Three
 * hundred services one by one would be a call a service of an API that takes nine a second.
 *
 * Only a help: what could not be read for all is read for each service alone, so that one rule that is not ours blinds nobody else.
 */
import pLimit from "p-limit";
import type { RolloutRecord } from "../core/record.ts";
import { cloudWatchNames } from "./alarm-states.ts";
import { countQueries, type ReadAhead, watchedRules } from "./observe.ts";
import type { Ports, RequestQuery } from "./ports.ts";

/** One service's part. */
export interface AheadOfAll {
  readonly record: RolloutRecord | undefined;
  /** Why its record could not be read. */
  readonly failure?: unknown;
  readonly ahead: ReadAhead;
}

/** Record reads side by side. */
const sideBySide = 25;

/** Rules read together. As many as one call of the adapter takes. */
const rulesTogether = 20;

/** Everything, by service, ascending. */
export async function readAhead(ports: Ports, services: readonly string[]): Promise<Map<string, AheadOfAll>> {
  const limit = pLimit(sideBySide);
  const read = await Promise.all(
    services.map((service) =>
      limit(async () => {
        try {
          const record = await ports.records.read(service);
          if (record) return { service, record };
          // Listed and gone: nothing would ever lower it again, and nobody would notice.
          return {
            service,
            record,
            failure: new Error(`${service}: it is listed, and its record is gone; restore the table`),
          };
        } catch (failure) {
          return { service, record: undefined, failure };
        }
      }),
    ),
  );
  const records = read.flatMap(({ record }) => (record && record.retiredAt === undefined ? [record] : []));
  const [alarms, rules, sums] = await Promise.all([
    together(() => ports.alarms.describe(records.flatMap((record) => cloudWatchNames(record.alarms)))),
    readRules(ports, records),
    together(() => readSums(ports, records)),
  ]);
  const ahead: ReadAhead = {
    ...(alarms === undefined ? {} : { alarms }),
    ...(sums === undefined ? {} : { sums }),
  };
  return new Map(
    read.map(({ service, ...rest }) => {
      const own = rules.get(service);
      return [service, { ...rest, ahead: own === undefined ? ahead : { ...ahead, rules: own } }];
    }),
  );
}

async function together<Answer>(read: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}

/**
 * Rules by service, in groups of about one call each, one after the other: a rule that is not ours fails its group, and the group's services
 * read for themselves. Failing all of them would cost a call a service, at every run for as long as that rule stands.
 */
async function readRules(
  ports: Ports,
  records: readonly RolloutRecord[],
): Promise<Map<string, NonNullable<ReadAhead["rules"]>>> {
  const groups: RolloutRecord[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const own = ruleCount(record);
    if (size + own > rulesTogether) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(record);
    size += own;
  }
  const found = new Map<string, NonNullable<ReadAhead["rules"]>>();
  for (const group of groups) {
    const rules = await together(() => ports.traffic.readRules(group.flatMap(watchedRules)));
    if (rules !== undefined) for (const { service } of group) found.set(service, rules);
  }
  return found;
}

/** A record that is none is in a group of its own: its failure is its own too. */
function ruleCount(record: RolloutRecord): number {
  try {
    return watchedRules(record).length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** All windows end at the same minute, so one question serves all; a service whose window is another asks for itself. */
async function readSums(ports: Ports, records: readonly RolloutRecord[]): Promise<ReadAhead["sums"]> {
  const now = ports.clock.now();
  const queries: RequestQuery[] = [];
  let window: { readonly from: number; readonly to: number } | undefined;
  for (const record of records) {
    const wanted = countQueries(record, now);
    if (!wanted) continue;
    window = wanted.window;
    for (const query of wanted.queries) queries.push({ ...query, id: `${record.service}/${query.id}` });
  }
  return window === undefined ? {} : ports.metrics.requestSums(queries, { ...window, periodSeconds: 60 });
}
