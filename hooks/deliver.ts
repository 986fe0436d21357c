/**
 * What waits in the record is carried out after traffic is safe: pages to every channel, then the snapshots of new holds. It was
 * written with the decision, so a crash loses none of it; it is at least once, and the dedup key folds repeats.
 */
import { messageOf } from "../core/error-message.ts";
import { pageMessageOf } from "../core/page-message.ts";
import type { Hold, Instant, Page, RolloutRecord } from "../core/record.ts";
import { type Snapshot, snapshotSchemaVersion } from "../core/snapshot.ts";
import { cloudWatchNames } from "./alarm-states.ts";
import { observe, readHealth, valuesMilliseconds } from "./observe.ts";
import type { Ports } from "./ports.ts";

/** A page that a required channel did not take. It stays in the outbox and is tried again. */
export class PageNotDeliveredError extends Error {
  override readonly name = "PageNotDeliveredError";
}

/** A channel that nobody depends on, and a snapshot, are given up on after this long, so that neither waits forever. Unit: milliseconds. */
const giveUpMilliseconds = 60 * 60_000;

function isOver(ports: Ports, since: Instant): boolean {
  return ports.clock.now() - since > giveUpMilliseconds;
}

/**
 * Sends what waits and takes what is due, then takes both out of the record.
 * @param until after this instant nothing more is begun; what is left stays in the record
 */
export async function deliver(ports: Ports, service: string, until: Instant = Number.POSITIVE_INFINITY): Promise<void> {
  const record = await ports.records.read(service);
  const due = record?.snapshotsDue ?? [];
  if (!record || (record.outbox.length === 0 && due.length === 0)) return;
  const failures: unknown[] = [];
  const kept: Page[] = [];
  for (const page of stillMeant(record.outbox)) {
    if (ports.clock.now() > until) {
      kept.push(page);
      failures.push(
        new PageNotDeliveredError(`${service}: page ${page.id} waits for the next run: telling others took too long`),
      );
      continue;
    }
    const sent = await sendPage(ports, record, page);
    failures.push(...sent.failures);
    if (sent.kept) kept.push(sent.kept);
  }
  const missing: string[] = [];
  for (const id of due) {
    // A snapshot that comes a minute later still has the quarter of an hour before.
    if (ports.clock.now() > until) {
      missing.push(id);
      continue;
    }
    try {
      await takeSnapshot(ports, record, id);
    } catch (error) {
      // One that can never be written must not keep the heartbeat away for good: guard and watchman would take the hook for dead.
      if (isOver(ports, record.holds[id]?.at ?? 0)) {
        ports.telemetry.log("error", "snapshot given up", { service, hold: id, reason: messageOf(error) });
        continue;
      }
      failures.push(error);
      missing.push(id);
    }
  }
  const after = { ...record, outbox: kept, snapshotsDue: missing };
  // Nothing came of it: a revision more would only make an `up` that runs meanwhile start over.
  const isSame = JSON.stringify([after.outbox, missing]) === JSON.stringify([record.outbox, due]);
  if (!isSame) await ports.records.write({ ...after, revision: record.revision + 1 }, record.revision);
  if (failures.length > 0) throw oneError(failures);
}

/** Sends pages of a record that could not be stored: what has to be said does not wait for the table. */
export async function deliverUnstored(ports: Ports, record: RolloutRecord, pages: readonly Page[]): Promise<void> {
  const failures: unknown[] = [];
  for (const page of stillMeant(pages)) failures.push(...(await sendPage(ports, record, page)).failures);
  if (failures.length > 0) throw oneError(failures);
}

/**
 * Without resolving pages that a newer page of their incident overtook: one channel may have refused the first and taken the second, and
 * then the first, tried again, would close what stands.
 */
function stillMeant(pages: readonly Page[]): Page[] {
  return pages.filter(
    (page, index) =>
      page.action !== "resolve" ||
      !pages.slice(index + 1).some((later) => later.dedupKey === page.dedupKey && later.action !== "resolve"),
  );
}

async function sendPage(
  ports: Ports,
  record: RolloutRecord,
  page: Page,
): Promise<{ readonly kept?: Page; readonly failures: readonly unknown[] }> {
  const { service } = record;
  const message = pageMessageOf(page, service, record, ports.place);
  const before = page.deliveredTo ?? [];
  const delivery = await ports.pager.send(message, before).catch((error: unknown) => ({
    deliveredTo: before,
    failed: [{ channel: "pager", isRequired: true, error }],
  }));
  if (delivery.deliveredTo.length > before.length) ports.telemetry.metric("PagesSent", 1, service);
  for (const { channel, error } of delivery.failed) {
    ports.telemetry.log("error", "page not taken", { service, page: page.id, channel, reason: messageOf(error) });
    ports.telemetry.metric("PagesUndelivered", 1, service);
  }
  const required = delivery.failed.filter((failed) => failed.isRequired);
  const isOld = isOver(ports, page.at);
  const goesOn = required.length > 0 || (delivery.failed.length > 0 && !isOld);
  return {
    ...(goesOn ? { kept: { ...page, deliveredTo: delivery.deliveredTo } } : {}),
    failures: required.map(
      ({ channel, error }) =>
        new PageNotDeliveredError(`${service}: page ${page.id} was not taken by ${channel}: ${messageOf(error)}`, {
          cause: error,
        }),
    ),
  };
}

async function takeSnapshot(ports: Ports, record: RolloutRecord, id: string): Promise<void> {
  const hold = record.holds[id];
  if (!hold) return;
  await ports.records.writeSnapshot(await snapshotOf(ports, record, hold, ports.clock.now()));
}

/** Everything that says how things stood; what cannot be read is named as a gap. */
export async function snapshotOf(ports: Ports, record: RolloutRecord, hold: Hold, now: Instant): Promise<Snapshot> {
  const gaps: string[] = [];
  const attempt = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      gaps.push(`${what}: ${messageOf(error)}`);
      return undefined;
    }
  };
  const names = cloudWatchNames(record.alarms);
  const from = Math.min(hold.at, now) - valuesMilliseconds;
  const [seen, values, health] = await Promise.all([
    observe(ports, record),
    attempt("values", () => ports.alarms.values(names, { from, to: now })),
    readHealth(ports, record, attempt),
  ]);
  gaps.push(...seen.failures);
  return {
    schemaVersion: snapshotSchemaVersion,
    id: hold.id,
    service: record.service,
    environment: record.environment,
    takenAt: now,
    hold,
    ...(seen.alarmStates === undefined
      ? {}
      : { alarms: seen.alarmStates.map(({ alarmName, state, updatedAt }) => ({ alarmName, state, updatedAt })) }),
    ...(values === undefined ? {} : { values }),
    ...(seen.rules === undefined
      ? {}
      : { live: Object.fromEntries(Object.entries(seen.rules).map(([arn, action]) => [arn, action.weights])) }),
    health,
    record,
    gaps: [...new Set(gaps)],
  };
}

export function oneError(failures: readonly unknown[]): unknown {
  if (failures.length === 1) return failures[0];
  return new AggregateError(failures, [...new Set(failures.map(messageOf))].join("; "));
}
