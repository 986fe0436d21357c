/**
 * Reconcile: read, decide, record first, weights regardless, read back, tell peers, tell people. Every minute for every service, and at once
 * when an alarm speaks; running it twice at one instant changes nothing more.
 */
import pLimit from "p-limit";
import { peerHoldsToApply } from "../core/apply-targets.ts";
import { decide } from "../core/decide.ts";
import { messageOf } from "../core/error-message.ts";
import { rollBackForFlag } from "../core/flag-watch.ts";
import { withoutGoneRules } from "../core/leaving-rules.ts";
import type { Decision } from "../core/observation.ts";
import { committedPercent, dedupKeyOf, type Instant, type Page, type RolloutRecord } from "../core/record.ts";
import { deliver, deliverUnstored, oneError } from "./deliver.ts";
import { lowerFlags } from "./flags.ts";
import { lowerRules, wouldWrite } from "./lower-rules.ts";
import { observe, readHealth, type Seen, watchedRules } from "./observe.ts";
import { broadcastHolds, type SilentRegions } from "./peers.ts";
import { type Ports, RevisionConflictError } from "./ports.ts";
import { type AheadOfAll, readAhead } from "./read-ahead.ts";

/** How often a decision is taken anew when somebody else wrote the record meanwhile. */
const mostTries = 3;

/**
 * People are told until this long after a run over all services began; the rest waits for the next minute's run. A pager that hangs
 * would else keep the heartbeats of everybody behind it from being written before Lambda ends the run, after 60 s. Unit: milliseconds.
 */
const tellingMilliseconds = 45_000;

/** Services looked at side by side. Each waits on the network most of the time; DynamoDB takes far more. */
const sideBySide = 10;

/**
 * One service. One step that fails does not keep the others from being done: people are told of a lowering above all when it did
 * not work. What failed is thrown at the end, and then there is no heartbeat.
 * @returns whether there was anything to look at: a retired service is left alone, and one without a record is not known
 */
export async function reconcileService(ports: Ports, service: string): Promise<Looked["what"]> {
  const looked = await protect(ports, service);
  await tellPeers(ports, service, looked, new Map());
  await finish(ports, service, looked);
  return looked.what;
}

/**
 * All services. Traffic first, for every one of them, then the peers' traffic, then the people: a pager that does not answer must not keep the next service
 * exposed. One that fails does not keep the next from being looked at.
 */
export async function reconcileAll(ports: Ports): Promise<void> {
  const startedAt = ports.clock.now();
  const limit = pLimit(sideBySide);
  const ahead = await readAhead(ports, await ports.records.list());
  const services = [...ahead.keys()];
  const found = new Map(
    await Promise.all(
      services.map((service) =>
        limit(async () => [service, await protect(ports, service, ahead.get(service))] as const),
      ),
    ),
  );
  const silent: SilentRegions = new Map();
  await Promise.all(services.map((service) => limit(() => tellPeers(ports, service, found.get(service), silent))));
  const tellUntil = startedAt + tellingMilliseconds;
  const problems: Error[] = [];
  // Those with nothing to say first: their heartbeats wait for nobody.
  const byWaiting = services.toSorted(
    (left, right) => Number(found.get(left)?.waits) - Number(found.get(right)?.waits),
  );
  await Promise.all(
    byWaiting.map((service) =>
      limit(async () => {
        try {
          await finish(ports, service, found.get(service), tellUntil);
        } catch (error) {
          problems.push(new Error(`${service}: ${messageOf(error)}`, { cause: error }));
        }
      }),
    ),
  );
  ports.telemetry.metric("ReconcileMilliseconds", ports.clock.now() - startedAt);
  if (problems.length > 0)
    throw new AggregateError(
      problems,
      problems
        .map((each) => each.message)
        .sort()
        .join("; "),
    );
  ports.telemetry.metric("ReconcileFinished", 1);
}

/** Tells people, then the heartbeat where nothing failed. */
async function finish(
  ports: Ports,
  service: string,
  looked: Looked | undefined,
  tellUntil: Instant = Number.POSITIVE_INFINITY,
): Promise<void> {
  if (looked?.what !== "service") return;
  const failures = [...looked.failures];
  const { unstored } = looked;
  if (unstored) {
    await deliverUnstored(ports, unstored.record, unstored.pages).catch((error: unknown) => void failures.push(error));
  }
  if (looked.waits) failures.push(...(await tell(ports, service, tellUntil)));
  if (failures.length > 0) {
    ports.telemetry.metric("ReconcileFailed", 1, service);
    ports.telemetry.log("error", "reconcile failed", { service, reasons: failures.map(messageOf) });
    throw oneError(failures);
  }
  await ports.records.writeHeartbeat(service, ports.clock.now());
}

interface Looked {
  readonly what: "service" | "retired" | "unknown";
  readonly failures: readonly unknown[];
  /** Whether the record has pages or snapshots waiting, or may have. */
  readonly waits: boolean;
  /** Whether peers have still to be told of a hold. Not known where nothing could be decided: the next minute knows. */
  readonly broadcasts?: boolean;
  /** What has to be said and stands in no record. */
  readonly unstored?: { readonly record: RolloutRecord; readonly pages: readonly Page[] };
}

/** After the lowering here, whatever came of it. A peer is never a reason why this service would count as not looked at. */
async function tellPeers(
  ports: Ports,
  service: string,
  looked: Looked | undefined,
  silent: SilentRegions,
): Promise<void> {
  if (!looked?.broadcasts) return;
  try {
    await broadcastHolds(ports, service, silent);
  } catch (error) {
    ports.telemetry.log("error", "peers not told yet", { service, reason: messageOf(error) });
  }
}

/** Decides and lowers. */
async function protect(ports: Ports, service: string, known?: AheadOfAll): Promise<Looked> {
  try {
    return await ports.telemetry.span(`protect ${service}`, () => decideAnew(ports, service, known));
  } catch (error) {
    return { what: "service", failures: [error], waits: true };
  }
}

async function decideAnew(ports: Ports, service: string, known: AheadOfAll | undefined): Promise<Looked> {
  if (known?.failure !== undefined) throw known.failure;
  for (let tries = 1; ; tries += 1) {
    // What was read for all is as old as the run; after a conflict only a fresh look counts.
    const isFirst = tries === 1 && known !== undefined;
    const record = isFirst ? known.record : await ports.records.read(service);
    if (!record || record.retiredAt !== undefined) {
      return { what: record ? "retired" : "unknown", failures: [], waits: false };
    }
    const seen = await withHealth(ports, record, await observe(ports, record, isFirst ? known.ahead : {}));
    const decision = forgetting(decide(record, seen.observation, ports.clock.now()), record, seen);
    try {
      const isActing =
        decision.record !== record || wouldWrite(ports, decision.record, decision.lowersLive, seen.rules);
      const now = isFirst && isActing ? await lookAgain(ports, seen, record) : seen;
      const { failures, unstored, record: carriedOut } = await carryOut(ports, record, decision, now);
      report(ports, decision, seen);
      const broadcasts = (carriedOut.broadcastsDue?.length ?? 0) > 0;
      // Telling the peers may leave something to tell people.
      const waits = broadcasts || carriedOut.outbox.length > 0 || (carriedOut.snapshotsDue?.length ?? 0) > 0;
      return {
        what: "service",
        failures: [...failures, ...seen.blindness],
        waits,
        broadcasts,
        ...(unstored.length === 0 ? {} : { unstored: { record: carriedOut, pages: unstored } }),
      };
    } catch (error) {
      if (!(error instanceof RevisionConflictError) || tries === mostTries) throw error;
    }
  }
}

/** Rules that an `up` gave up and that are gone leave the record; until then they were lowered like the others. */
function forgetting(decision: Decision, before: RolloutRecord, { rules }: Seen): Decision {
  const record = withoutGoneRules(decision.record, (arn) => rules === undefined || rules[arn] !== undefined);
  if (record === decision.record) return decision;
  return { ...decision, record: { ...record, revision: before.revision + 1 } };
}

/** A peer's hold lowers with no alarm speaking here, and the receiver is looked at all the same (B12). */
async function withHealth(ports: Ports, record: RolloutRecord, seen: Seen): Promise<Seen> {
  const isRead = Object.keys(seen.observation.health).length > 0;
  if (isRead || peerHoldsToApply(record, ports.clock.now()).length === 0) return seen;
  const failures: string[] = [];
  const health = await readHealth(ports, record, async (what, read) => {
    try {
      return await read();
    } catch (error) {
      failures.push(`${what}: ${messageOf(error)}`);
      return undefined;
    }
  });
  return { ...seen, observation: { ...seen.observation, health }, failures: [...seen.failures, ...failures] };
}

/**
 * The rules as they are now: between what was read for all and a write a person may have taken the traffic away by hand, and the hook only
 * ever lowers. Not readable, what was read before is the best there is.
 */
async function lookAgain(ports: Ports, seen: Seen, record: RolloutRecord): Promise<Seen> {
  try {
    return { ...seen, rules: await ports.traffic.readRules(watchedRules(record)) };
  } catch {
    return seen;
  }
}

function report(ports: Ports, { record, history }: Decision, seen: Seen): void {
  const { service } = record;
  // What is live, not what the record wants: while a rule cannot be written, the two differ.
  if (record.canary) {
    const live = seen.observation.live?.shares[record.canary.digest];
    ports.telemetry.metric("ExposurePercent", live ?? committedPercent(record), service);
  }
  if (seen.canaryErrorRatePercent !== undefined)
    ports.telemetry.metric("CanaryErrorRatePercent", seen.canaryErrorRatePercent, service);
  for (const failure of seen.failures) ports.telemetry.log("warn", "not read", { service, reason: failure });
  for (const { kind, message, exposurePercent } of history) {
    ports.telemetry.metric("Decisions", 1, service);
    ports.telemetry.log("info", message, { service, kind, exposurePercent });
  }
}

/**
 * Only what keeps users safe; nobody is told here, for a pager that hangs would keep the next service exposed.
 * @returns what failed, and what has to be said though no record has it
 * @throws RevisionConflictError when somebody else decided meanwhile: decide anew
 */
async function carryOut(
  ports: Ports,
  before: RolloutRecord,
  decision: Decision,
  seen: Seen,
): Promise<{ readonly failures: unknown[]; readonly unstored: Page[]; readonly record: RolloutRecord }> {
  const { record } = decision;
  const failures: unknown[] = [];
  const unstored: Page[] = [];
  const attempt = async (act: () => Promise<unknown>): Promise<boolean> => {
    try {
      await act();
      return true;
    } catch (error) {
      if (error instanceof RevisionConflictError) throw error;
      failures.push(error);
      return false;
    }
  };
  const startedAt = ports.clock.now();
  let carriedOut = record;
  const isStored = record === before || (await attempt(() => ports.records.write(record, before.revision)));
  if (record.mode === "act") {
    const [isLow, flagFailure] = await Promise.all([
      attempt(() => lowerRules(ports, record, decision.lowersLive, seen.rules)),
      failureOf(() => lowerFlags(ports, record, decision.lowersLive, seen.observation.flags)),
    ]);
    if (flagFailure !== undefined) {
      failures.push(flagFailure);
      const rolledBack = rollBackForFlag(record, messageOf(flagFailure), ports.clock.now());
      if (rolledBack) {
        carriedOut = rolledBack.record;
        const done = await takeWeights(ports, isStored ? record.revision : undefined, rolledBack);
        failures.push(...done.failures);
        unstored.push(...done.unstored);
      } else unstored.push(flagNotLowered(before, record, flagFailure, ports.clock.now()));
    }
    if (!isLow) unstored.push(notLowered(before, record, failures.at(-1), ports.clock.now()));
    else if (decision.lowersLive)
      ports.telemetry.metric("RollbackMilliseconds", ports.clock.now() - startedAt, record.service);
  }
  // Not stored, the decision is taken again in a minute, history and all; its pages cannot wait.
  if (!isStored) unstored.push(...record.outbox);
  else if (decision.history.length > 0)
    await attempt(() => ports.records.appendHistory(record.service, decision.history));
  return { failures, unstored, record: carriedOut };
}

/** What a step failed with; `undefined`: it did not. */
async function failureOf(act: () => Promise<unknown>): Promise<unknown> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return error ?? new Error("failed, and did not say why");
  }
}

/**
 * The full rollback where the flag failed: record first, weights whatever comes of that.
 * @param revision of the record as it is stored; `undefined`: it could not be stored, and neither will this be
 * @throws RevisionConflictError once the weights are taken, when somebody else decided meanwhile
 */
async function takeWeights(
  ports: Ports,
  revision: number | undefined,
  { record, history }: Decision,
): Promise<{ readonly failures: unknown[]; readonly unstored: Page[] }> {
  const notStored =
    revision === undefined
      ? new Error(`${record.service}: the full rollback is in no record yet`)
      : await failureOf(() => ports.records.write(record, revision));
  const notLow = await failureOf(() => lowerRules(ports, record, true, undefined));
  if (notStored instanceof RevisionConflictError && notLow === undefined) throw notStored;
  if (notStored === undefined) await failureOf(() => ports.records.appendHistory(record.service, history));
  return {
    failures: [notStored, notLow].filter((failure) => failure !== undefined),
    unstored: [
      ...(notLow === undefined ? [] : [notLowered(record, record, notLow, ports.clock.now())]),
      ...(notStored === undefined ? [] : record.outbox),
    ],
  };
}

/** The weights do not depend on it, and are where they should be. */
function flagNotLowered(before: RolloutRecord, record: RolloutRecord, failure: unknown, at: Instant): Page {
  return {
    ...notLowered(before, record, failure, at),
    id: `flag-not-lowered-${record.revision}`,
    summary: `${record.service}: COULD NOT TURN OFF flag ${record.split?.flag ?? ""}; the weights do not depend on it`,
    detail: `${messageOf(failure)}; it is tried again every minute, or deploy the flag by hand`,
  };
}

/** Stands in no record: it must not depend on yet another write. */
function notLowered(before: RolloutRecord, record: RolloutRecord, failure: unknown, at: Instant): Page {
  return {
    id: `not-lowered-${record.revision}`,
    // The incident that the decision itself opened, whatever the baseline is by now.
    dedupKey: dedupKeyOf(before),
    severity: "critical",
    summary: `${record.service}: COULD NOT WRITE the rules, live may be above ${committedPercent(record)} %`,
    detail: `${messageOf(failure)}; it is tried again every minute, or write the rules by hand`,
    at,
    runbook: "hook-failing",
  };
}

/** Pages and snapshots. @returns what failed */
async function tell(ports: Ports, service: string, until: Instant): Promise<unknown[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      await deliver(ports, service, until);
      return [];
    } catch (error) {
      if (!(error instanceof RevisionConflictError) || tries === mostTries) return [error];
    }
  }
}
