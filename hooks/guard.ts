/**
 * The guard: the last look before Pulumi writes a rule, run as a resource hook. Above live needs an opening lease, below live
 * a lowering lease, anything else must leave the shares alone. It throws to refuse, and then the rule is not touched.
 */
import type { Declaration, GuardedWrite, LiveTraffic } from "../core/declaration.ts";
import {
  type GuardReading,
  hostsNeeded,
  leaseMinutes,
  loweringProblems,
  openingProblems,
} from "../core/guard-checks.ts";
import { committedPercent, committedShares, holdsOn, type Lease, type RolloutRecord } from "../core/record.ts";
import { sameShares, sharesOf } from "../core/traffic-shares.ts";
import { type Ports, RevisionConflictError, type TargetHealth } from "./ports.ts";

/** The write is refused; the message is what the person running `up` reads. */
export class GuardRefusedError extends Error {
  override readonly name = "GuardRefusedError";
}

export interface GuardOptions {
  readonly declaration: Declaration;
  /** Names the stack in leases. */
  readonly takenBy: string;
  /** How long to wait for healthy canary hosts. Unit: seconds. */
  readonly readyTimeoutSeconds: number;
  /** Asked at the last moment: does the hook's function change in this same up? */
  readonly hookChanges: () => boolean;
}

export type Guard = (write: GuardedWrite) => Promise<void>;

/** How often healthy hosts are looked for. Unit: milliseconds. */
const healthPollMilliseconds = 5_000;

export function makeGuard(ports: Ports, options: GuardOptions): Guard {
  return async (write) => {
    const { service } = options.declaration;
    const read = await readRecord(ports, service);
    if ("failure" in read) return guardUnread(ports, write, options, read.failure);
    const { record } = read;
    if (write.role === "tester") return guardTester(record, write, options);
    const declared = sharesOf(write.weights, write.targetGroupArns);
    if (declared.unknownTargetGroupArns.length > 0) {
      refuse(options, [`the rule names ${declared.unknownTargetGroupArns.join(", ")}, which no release has`]);
    }
    const live = await liveShares(ports, write);
    if (record === undefined || record.retiredAt !== undefined) return guardFirst(declared, live, options);

    // A rule that somebody deleted comes back at what the record grants, which is no raise.
    const shares = live?.shares ?? committedShares(record);
    const rising = Object.entries(declared.shares).find(
      ([digest, percent]) => digest !== record.baseline && percent > (shares[digest] ?? 0) + 1e-6,
    );
    if (rising) return open(ports, write, options, { digest: rising[0], toPercent: Math.round(rising[1]) });
    const falling = Object.entries(shares).find(
      ([digest, percent]) => digest !== record.baseline && percent > (declared.shares[digest] ?? 0) + 1e-6,
    );
    if (falling) {
      const toPercent = Math.round(declared.shares[falling[0]] ?? 0);
      return lower(ports, write, options, { digest: falling[0], fromPercent: Math.round(falling[1]), toPercent });
    }
  };
}

async function readRecord(
  ports: Ports,
  service: string,
): Promise<{ readonly record: RolloutRecord | undefined } | { readonly failure: string }> {
  try {
    return { record: await ports.records.read(service) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

/** The record cannot be read: a write that moves no share goes through, any other would be a guess. */
async function guardUnread(ports: Ports, write: GuardedWrite, options: GuardOptions, failure: string): Promise<void> {
  const declared = sharesOf(write.weights, write.targetGroupArns);
  if (
    write.role === "tester" &&
    Object.keys(declared.shares).every((digest) => digest === options.declaration.baseline)
  )
    return;
  const live = await liveShares(ports, write);
  if (write.role === "main" && live && sameShares(declared.shares, live.shares)) return;
  refuse(options, [`the record cannot be read (${failure}), and the rule would change what is live`]);
}

function refuse(options: GuardOptions, problems: readonly string[]): never {
  throw new GuardRefusedError(
    [
      `${options.declaration.service}: the rule was not written (other resources of this up may have changed):`,
      ...problems.map((problem) => `  ${problem}`),
    ].join("\n"),
  );
}

async function liveShares(ports: Ports, write: GuardedWrite): Promise<LiveTraffic | undefined> {
  if (write.ruleArn === undefined) return undefined;
  const rules = await ports.traffic.readRules([write.ruleArn]);
  const action = rules[write.ruleArn];
  return action ? sharesOf(action.weights, write.targetGroupArns) : undefined;
}

/** Testers are no users, but a held release is shut to them too. */
function guardTester(record: RolloutRecord | undefined, write: GuardedWrite, options: GuardOptions): void {
  if (!record) return;
  const { shares } = sharesOf(write.weights, write.targetGroupArns);
  for (const digest of Object.keys(shares)) {
    const holds = digest === record.baseline ? [] : holdsOn(record, digest);
    if (holds.length > 0)
      refuse(options, [
        `the tester rule would reach ${digest} while hold ${holds[0]?.id} stands (${holds[0]?.detail})`,
      ]);
  }
}

/** No record: only a baseline at 100, or exactly what is live already. */
function guardFirst(declared: LiveTraffic, live: LiveTraffic | undefined, options: GuardOptions): void {
  const baselineOnly = (declared.shares[options.declaration.baseline] ?? 0) > 100 - 1e-6;
  const unchanged =
    live !== undefined &&
    Object.entries(declared.shares).every(([digest, percent]) => Math.abs(percent - (live.shares[digest] ?? 0)) < 1e-6);
  if (baselineOnly && (live === undefined || unchanged || onlyUnknown(live))) return;
  if (unchanged) return;
  refuse(options, [`there is no record, and the rule would change what is live; expected the baseline at 100 %`]);
}

function onlyUnknown(live: LiveTraffic): boolean {
  return Object.keys(live.shares).length === 0 && live.unknownTargetGroupArns.length === 0;
}

async function open(
  ports: Ports,
  write: GuardedWrite,
  options: GuardOptions,
  rise: { readonly digest: string; readonly toPercent: number },
): Promise<void> {
  const { declaration, takenBy } = options;
  const granted =
    (declaration.step === "opening" &&
      declaration.canary?.digest === rise.digest &&
      declaration.exposurePercent === rise.toPercent) ||
    (declaration.step === "replace-baseline" && declaration.baseline === rise.digest && rise.toPercent === 100);
  if (!granted) {
    refuse(options, [
      `${rise.digest} would rise to ${rise.toPercent} %, which this up did not decide; live was lowered meanwhile. Run up again`,
    ]);
  }
  await waitForHosts(ports, write, options, rise);

  const record = await ports.records.read(declaration.service);
  if (!record) refuse(options, ["the record is gone; nothing grants a raise"]);
  const opening = { ...rise, revision: declaration.revision, takenBy };
  const reading = await readForGuard(ports, write, record, options.hookChanges());
  const problems = openingProblems(reading, write, opening, ports.clock.now());
  if (problems.length > 0) refuse(options, problems);

  const fromPercent = record.canary?.digest === rise.digest ? committedPercent(record) : 0;
  await takeLease(ports, options, record, write, {
    kind: "opening",
    digest: rise.digest,
    fromPercent,
    toPercent: rise.toPercent,
  });
}

async function waitForHosts(
  ports: Ports,
  write: GuardedWrite,
  options: GuardOptions,
  rise: { readonly digest: string; readonly toPercent: number },
): Promise<void> {
  const deadline = ports.clock.now() + options.readyTimeoutSeconds * 1_000;
  const canaryArn = write.targetGroupArns[rise.digest];
  const baselineArn = write.targetGroupArns[options.declaration.baseline];
  if (canaryArn === undefined) return;
  for (;;) {
    const baseline = baselineArn === undefined ? undefined : await orUndefined(ports.traffic.targetHealth(baselineArn));
    const canary = await orUndefined(ports.traffic.targetHealth(canaryArn));
    if (canary && canary.healthyCount >= hostsNeeded(rise.toPercent, baseline?.healthyCount ?? 1)) return;
    // Out of time: the checks that follow say what is missing.
    if (ports.clock.now() >= deadline) return;
    await ports.clock.sleep(healthPollMilliseconds);
  }
}

async function readForGuard(
  ports: Ports,
  write: GuardedWrite,
  record: RolloutRecord,
  hookChanges: boolean,
): Promise<GuardReading> {
  const health: Record<string, TargetHealth | undefined> = {};
  for (const [digest, arn] of Object.entries(write.targetGroupArns))
    health[digest] = await orUndefined(ports.traffic.targetHealth(arn));
  return {
    record,
    heartbeatAt: await ports.records.readHeartbeat(record.service),
    alarms: await orUndefined(ports.alarms.describe(write.alarms.map((alarm) => alarm.alarmName))),
    health,
    hookChanges,
  };
}

/** Unreadable is a finding among the others, so that every reason is told at once. */
async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch {
    return undefined;
  }
}

async function lower(
  ports: Ports,
  write: GuardedWrite,
  options: GuardOptions,
  fall: { readonly digest: string; readonly fromPercent: number; readonly toPercent: number },
): Promise<void> {
  const record = await ports.records.read(options.declaration.service);
  if (!record) refuse(options, ["the record is gone meanwhile"]);
  const health: Record<string, TargetHealth | undefined> = {};
  for (const digest of [record.baseline, fall.digest]) {
    const arn = write.targetGroupArns[digest];
    if (arn !== undefined) health[digest] = await orUndefined(ports.traffic.targetHealth(arn));
  }
  const problems = loweringProblems(record, fall.digest, health);
  const committed = record.canary?.digest === fall.digest ? committedPercent(record) : 0;
  if (committed < fall.toPercent) {
    // A kill or rollback came first and went further: writing this would be a raise.
    problems.push(
      `the record has ${fall.digest} at ${committed} % by now, less than the ${fall.toPercent} % of this up. Run up again`,
    );
  }
  if (problems.length > 0) refuse(options, problems);
  await takeLease(ports, options, record, write, { kind: "lowering", ...fall });
}

/**
 * Writes the lease, conditional on the revision it was checked against. A release that the record does not know yet is
 * staged with it, alarms and all, so that the hook watches it from the first request on, even if this `up` dies now.
 */
async function takeLease(
  ports: Ports,
  options: GuardOptions,
  record: RolloutRecord,
  write: GuardedWrite,
  wanted: Pick<Lease, "kind" | "digest" | "fromPercent" | "toPercent">,
): Promise<void> {
  const now = ports.clock.now();
  const declared = options.declaration.canary;
  const attempt = declared?.digest === wanted.digest ? declared.attempt : (record.canary?.attempt ?? 1);
  const lease: Lease = {
    ...wanted,
    id: ports.newId(),
    attempt,
    takenBy: options.takenBy,
    expiresAt: now + leaseMinutes * 60_000,
  };
  const staged = wanted.kind === "opening" ? stage(record, write, lease, now, declared?.digest === wanted.digest) : {};
  try {
    await ports.records.write({ ...record, ...staged, lease, revision: record.revision + 1 }, record.revision);
  } catch (error) {
    if (!(error instanceof RevisionConflictError)) throw error;
    refuse(options, [
      "the record changed while the guard was looking; somebody else acts on this service. Run up again",
    ]);
  }
  await ports.records.appendHistory(record.service, [
    {
      at: now,
      kind: `lease-${wanted.kind}`,
      message: `${options.takenBy} may take ${wanted.digest} from ${wanted.fromPercent} % to ${wanted.toPercent} % until ${new Date(lease.expiresAt).toISOString()}`,
      exposurePercent: committedPercent(record),
    },
  ]);
}

function stage(
  record: RolloutRecord,
  write: GuardedWrite,
  lease: Lease,
  now: number,
  asCanary: boolean,
): Partial<RolloutRecord> {
  const canary = record.canary;
  const known = new Set(record.alarms.map((alarm) => alarm.alarmName));
  const releases = { ...record.releases };
  for (const release of write.releases) {
    releases[release.digest] = { ...release, knownGood: record.releases[release.digest]?.knownGood ?? false };
  }
  const old =
    canary !== undefined && canary.digest !== lease.digest && canary.weightsLeftAt !== undefined
      ? { [canary.digest]: canary.weightsLeftAt }
      : {};
  return {
    releases,
    alarms: [...record.alarms, ...write.alarms.filter((alarm) => !known.has(alarm.alarmName))],
    ...(!asCanary || (canary?.digest === lease.digest && canary.attempt === lease.attempt)
      ? {}
      : {
          canary: {
            digest: lease.digest,
            attempt: lease.attempt,
            exposurePercent: 0,
            waveOpenedAt: now,
            servedPercents: [],
            ...(canary?.digest === lease.digest && canary.weightsLeftAt !== undefined
              ? { weightsLeftAt: canary.weightsLeftAt }
              : {}),
          },
          leaving: { ...record.leaving, ...old },
        }),
  };
}
