/**
 * Reconcile: read, decide, record first, weights regardless, read back, page. Every minute for every service, and at once
 * when an alarm speaks; running it twice at one instant changes nothing more.
 */
import { type Decision, decide } from "../core/decide.ts";
import { committedShares, holdsOn, type RolloutRecord } from "../core/record.ts";
import { groupsOf, mayStick, sharesOf, testersReach, weightsFor } from "../core/traffic-shares.ts";
import { observe, type Seen } from "./observe.ts";
import { type ForwardAction, type Ports, RevisionConflictError } from "./ports.ts";

/** Live weights are not what was written. */
export class ReadBackError extends Error {
  override readonly name = "ReadBackError";
}

/** How often a decision is taken anew when somebody else wrote the record meanwhile. */
const mostTries = 3;

/** One service. Errors after the weights were lowered are thrown at the end, when nothing more can be done. */
export async function reconcileService(ports: Ports, service: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const record = await ports.records.read(service);
    if (!record || record.retiredAt !== undefined) return;
    const seen = await observe(ports, record);
    const decision = decide(record, seen.observation, ports.clock.now());
    try {
      await carryOut(ports, record, decision, seen);
      if (decision.record.outbox.length > 0) await sendPages(ports, service);
      await ports.records.writeHeartbeat(service, ports.clock.now());
      return;
    } catch (error) {
      if (!(error instanceof RevisionConflictError) || tries === mostTries) throw error;
    }
  }
}

/** All services, each on its own: one that fails does not keep the next from being looked at. */
export async function reconcileAll(ports: Ports): Promise<void> {
  const failures: Error[] = [];
  for (const service of await ports.records.list()) {
    try {
      await reconcileService(ports, service);
    } catch (error) {
      failures.push(
        new Error(`${service}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }),
      );
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map((failure) => failure.message).join("; "));
}

async function carryOut(ports: Ports, before: RolloutRecord, decision: Decision, seen: Seen): Promise<void> {
  const { record } = decision;
  let recordFailure: unknown;
  if (record !== before) {
    try {
      await ports.records.write(record, before.revision);
    } catch (error) {
      // Somebody else decided meanwhile: decide anew, unless traffic has to go away whatever the record says.
      if (error instanceof RevisionConflictError) throw error;
      recordFailure = error;
    }
  }
  await lowerRules(ports, record, decision.lowersLive, seen);
  if (recordFailure) throw recordFailure;
  if (decision.history.length > 0) await ports.records.appendHistory(record.service, decision.history);
}

/** Writes the rules from the record, where they grant too much; reads each back. */
export async function lowerRules(
  ports: Ports,
  record: RolloutRecord,
  lowersLive: boolean,
  seen: Pick<Seen, "rules">,
): Promise<void> {
  if (record.mode === "observe") return;
  const groups = groupsOf(record);
  for (const rule of record.rules) {
    const live = seen.rules?.[rule.arn];
    const wanted =
      rule.role === "main"
        ? mainWrite(record, lowersLive, live)
        : rule.role === "tester"
          ? testerWrite(record, live)
          : undefined;
    if (!wanted) continue;
    await ports.traffic.writeRule(rule.arn, wanted);
    const back = (await ports.traffic.readRules([rule.arn]))[rule.arn];
    const shown = back ? sharesOf(back.weights, groups).shares : {};
    const meant = sharesOf(wanted.weights, groups).shares;
    const above = Object.keys(shown).filter((digest) => (shown[digest] ?? 0) > (meant[digest] ?? 0) + 1e-6);
    if (!back || above.length > 0) {
      throw new ReadBackError(
        `rule ${rule.arn} still has ${JSON.stringify(back?.weights)} after writing ${JSON.stringify(wanted.weights)}`,
      );
    }
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
  for (const page of record.outbox) await ports.pager.send(page);
  const sent = new Set(record.outbox.map((page) => page.id));
  await ports.records.write(
    { ...record, outbox: record.outbox.filter((page) => !sent.has(page.id)), revision: record.revision + 1 },
    record.revision,
  );
}
