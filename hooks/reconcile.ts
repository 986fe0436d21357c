/**
 * Reconcile: read, decide, record first, weights regardless, read back, page. Every minute for every service, and at once
 * when an alarm speaks; running it twice at one instant changes nothing more.
 */
import { decide } from "../core/decide.ts";
import type { Decision } from "../core/observation.ts";
import {
  committedPercent,
  committedShares,
  dedupKeyOf,
  holdsOn,
  type Instant,
  type Page,
  type RolloutRecord,
} from "../core/record.ts";
import { groupsOf, mayStick, sharesOf, testersReach, weightsFor } from "../core/traffic-shares.ts";
import { observe, type Seen } from "./observe.ts";
import { type ForwardAction, type Ports, RevisionConflictError } from "./ports.ts";

/** Live weights are not what was written. */
export class ReadBackError extends Error {
  override readonly name = "ReadBackError";
}

/** How often a decision is taken anew when somebody else wrote the record meanwhile. */
const mostTries = 3;

/**
 * One service. One step that fails does not keep the others from being done: people are told of a lowering above all when it did
 * not work. What failed is thrown at the end, and then there is no heartbeat.
 */
export async function reconcileService(ports: Ports, service: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const record = await ports.records.read(service);
    if (!record || record.retiredAt !== undefined) return;
    const seen = await observe(ports, record);
    const decision = decide(record, seen.observation, ports.clock.now());
    try {
      const failures = [...(await carryOut(ports, record, decision, seen)), ...seen.blindness];
      if (failures.length > 0) throw oneError(failures);
      await ports.records.writeHeartbeat(service, ports.clock.now());
      return;
    } catch (error) {
      if (!(error instanceof RevisionConflictError) || tries === mostTries) throw error;
    }
  }
}

function oneError(failures: readonly unknown[]): unknown {
  return failures.length === 1 ? failures[0] : new AggregateError(failures, failures.map(messageOf).join("; "));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** All services, each on its own: one that fails does not keep the next from being looked at. */
export async function reconcileAll(ports: Ports): Promise<void> {
  const failures: Error[] = [];
  for (const service of await ports.records.list()) {
    try {
      await reconcileService(ports, service);
    } catch (error) {
      failures.push(new Error(`${service}: ${messageOf(error)}`, { cause: error }));
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map((failure) => failure.message).join("; "));
}

/**
 * @returns what failed
 * @throws RevisionConflictError when somebody else decided meanwhile: decide anew
 */
async function carryOut(ports: Ports, before: RolloutRecord, decision: Decision, seen: Seen): Promise<unknown[]> {
  const { record } = decision;
  const failures: unknown[] = [];
  const attempt = async (act: () => Promise<void>): Promise<boolean> => {
    try {
      await act();
      return true;
    } catch (error) {
      if (error instanceof RevisionConflictError) throw error;
      failures.push(error);
      return false;
    }
  };
  const isStored = record === before || (await attempt(() => ports.records.write(record, before.revision)));
  if (record.mode === "act") {
    const isLow = await attempt(() => lowerRules(ports, record, decision.lowersLive, seen));
    if (!isLow) await attempt(() => ports.pager.send(notLowered(record, failures.at(-1), ports.clock.now())));
  }
  // Not stored, the decision is taken again in a minute, history and all; its pages cannot wait.
  if (isStored && decision.history.length > 0)
    await attempt(() => ports.records.appendHistory(record.service, decision.history));
  if (record.outbox.length > 0)
    await attempt(() => (isStored ? sendPages(ports, record.service) : sendAll(ports, record.outbox)));
  return failures;
}

/** Goes straight to the pager: it must not depend on yet another write. */
function notLowered(record: RolloutRecord, failure: unknown, at: Instant): Page {
  return {
    id: `not-lowered-${record.revision}`,
    dedupKey: dedupKeyOf(record),
    severity: "critical",
    summary: `${record.service}: COULD NOT WRITE the rules, live may be above ${committedPercent(record)} %`,
    detail: `${messageOf(failure)}; it is tried again every minute, or write the rules by hand`,
    at,
  };
}

/** Writes the rules from the record, where they grant too much; reads each back. One that fails does not spare the next. */
export async function lowerRules(
  ports: Ports,
  record: RolloutRecord,
  lowersLive: boolean,
  seen: Pick<Seen, "rules">,
): Promise<void> {
  const failures: unknown[] = [];
  for (const rule of record.rules) {
    const live = seen.rules?.[rule.arn];
    // A rule that is gone has nothing to lower; one that could not be read may have.
    if (seen.rules !== undefined && live === undefined) continue;
    const wanted =
      rule.role === "main"
        ? mainWrite(record, lowersLive, live)
        : rule.role === "tester"
          ? testerWrite(record, live)
          : undefined;
    if (!wanted) continue;
    try {
      await writeAndReadBack(ports, record, rule.arn, wanted);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw oneError(failures);
}

async function writeAndReadBack(
  ports: Ports,
  record: RolloutRecord,
  arn: string,
  wanted: ForwardAction,
): Promise<void> {
  const groups = groupsOf(record);
  await ports.traffic.writeRule(arn, wanted);
  const back = (await ports.traffic.readRules([arn]))[arn];
  const shown = back ? sharesOf(back.weights, groups).shares : {};
  const meant = sharesOf(wanted.weights, groups).shares;
  const above = Object.keys(shown).filter((digest) => (shown[digest] ?? 0) > (meant[digest] ?? 0) + 1e-6);
  if (!back || above.length > 0) {
    throw new ReadBackError(
      `rule ${arn} still has ${JSON.stringify(back?.weights)} after writing ${JSON.stringify(wanted.weights)}`,
    );
  }
}

function mainWrite(
  record: RolloutRecord,
  lowersLive: boolean,
  live: ForwardAction | undefined,
): ForwardAction | undefined {
  const stuck =
    live?.stickinessSeconds !== undefined &&
    record.canary !== undefined &&
    holdsOn(record, record.canary.digest).length > 0;
  if (!lowersLive && !stuck) return undefined;
  const weights = weightsFor(atMostLive(committedShares(record), live, record), groupsOf(record));
  const stickinessSeconds = mayStick(record) && !lowersLive ? record.stickinessSeconds : undefined;
  return { weights, ...(stickinessSeconds === undefined ? {} : { stickinessSeconds }) };
}

/**
 * The hook only ever lowers: where live already has less on the canary than the record (a lowering `up` that never came to
 * commit), it stays at that, and the baseline takes the rest.
 */
function atMostLive(
  shares: Readonly<Record<string, number>>,
  live: ForwardAction | undefined,
  record: RolloutRecord,
): Record<string, number> {
  const canary = record.canary?.digest;
  if (!live || canary === undefined || shares[canary] === undefined) return { ...shares };
  const least = Math.min(shares[canary], Math.floor(sharesOf(live.weights, groupsOf(record)).shares[canary] ?? 0));
  return { [record.baseline]: 100 - least, ...(least > 0 ? { [canary]: least } : {}) };
}

/** Shuts the tester rule where it leads to a release that is held; never opens it. */
function testerWrite(record: RolloutRecord, live: ForwardAction | undefined): ForwardAction | undefined {
  if (!live || testersReach(record) !== record.baseline) return undefined;
  const { shares } = sharesOf(live.weights, groupsOf(record));
  const elsewhere = Object.keys(shares).some((digest) => digest !== record.baseline);
  return elsewhere ? { weights: weightsFor({ [record.baseline]: 100 }, groupsOf(record)) } : undefined;
}

/** Sends what waits in the outbox, then takes it out: at least once, never lost to a crash. */
export async function sendPages(ports: Ports, service: string): Promise<void> {
  const record = await ports.records.read(service);
  if (!record || record.outbox.length === 0) return;
  await sendAll(ports, record.outbox);
  const sent = new Set(record.outbox.map((page) => page.id));
  await ports.records.write(
    { ...record, outbox: record.outbox.filter((page) => !sent.has(page.id)), revision: record.revision + 1 },
    record.revision,
  );
}

async function sendAll(ports: Ports, pages: readonly Page[]): Promise<void> {
  for (const page of pages) await ports.pager.send(page);
}
