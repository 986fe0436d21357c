/** The lease that a guard takes in the record before a rule is written: a short right to change live weights. */
import type { GuardedWrite } from "../core/declaration.ts";
import { leaseMinutes } from "../core/guard-checks.ts";
import {
  type ControlGroup,
  committedPercent,
  type Lease,
  type RecordedControl,
  type RolloutRecord,
} from "../core/record.ts";
import { type GuardOptions, refuse } from "./guard-refusal.ts";
import { type Ports, RevisionConflictError } from "./ports.ts";

/** The lease that this `up` took for the first rule of the service, to be renewed for the others. */
export interface OwnLease {
  lease?: Lease;
}

/**
 * Writes the lease, conditional on the revision it was checked against. A release that the record does not know yet is
 * staged with it, alarms and all, so that the hook watches it from the first request on, even if this `up` dies now.
 */
export async function takeLease(
  ports: Ports,
  options: GuardOptions,
  own: OwnLease,
  record: RolloutRecord,
  write: GuardedWrite,
  wanted: Pick<Lease, "kind" | "digest" | "fromPercent" | "toPercent">,
): Promise<void> {
  const now = ports.clock.now();
  const declared = options.declaration.canary;
  const attempt = declared?.digest === wanted.digest ? declared.attempt : (record.canary?.attempt ?? 1);
  const renewed = own.lease !== undefined && record.lease?.id === own.lease.id && isSame(own.lease, wanted);
  const lease: Lease = {
    ...wanted,
    id: renewed && own.lease ? own.lease.id : ports.newId(),
    attempt,
    takenBy: options.takenBy,
    expiresAt: now + leaseMinutes * 60_000,
  };
  const staged =
    wanted.kind === "opening"
      ? {
          ...stage(record, write, lease, now, declared?.digest === wanted.digest),
          ...floorsWith(record, options.declaration),
        }
      : {};
  try {
    await ports.records.write({ ...record, ...staged, lease, revision: record.revision + 1 }, record.revision);
  } catch (error) {
    if (!(error instanceof RevisionConflictError)) throw error;
    refuse(options, [
      "the record changed while the guard was looking; somebody else acts on this service. Run up again",
    ]);
  }
  own.lease = lease;
  if (renewed) return;
  await ports.records.appendHistory(record.service, [
    {
      at: now,
      kind: `lease-${wanted.kind}`,
      message: `${options.takenBy} may take ${wanted.digest} from ${wanted.fromPercent} % to ${wanted.toPercent} % until ${new Date(lease.expiresAt).toISOString()}`,
      exposurePercent: committedPercent(record),
    },
  ]);
}

function isSame(lease: Lease, wanted: Pick<Lease, "kind" | "digest" | "toPercent">): boolean {
  return lease.kind === wanted.kind && lease.digest === wanted.digest && lease.toPercent === wanted.toPercent;
}

/** Known before traffic leaves the baseline: the next `up` must not take its processes, even if this one dies before its commit. */
function floorsWith(
  { capacity: kept = {} }: RolloutRecord,
  { capacity = {} }: GuardOptions["declaration"],
): Pick<RolloutRecord, "capacity"> {
  const digests = [...new Set([...Object.keys(kept), ...Object.keys(capacity)])];
  if (digests.length === 0) return {};
  return {
    capacity: Object.fromEntries(digests.map((digest) => [digest, Math.max(kept[digest] ?? 0, capacity[digest] ?? 0)])),
  };
}

/** Known before the rule is: the hook would else take its traffic for a stranger's. */
function stagedControl({ control }: RolloutRecord, declared: ControlGroup): RecordedControl {
  const sharePercent = control?.targetGroupArn === declared.targetGroupArn ? control.sharePercent : 0;
  return { ...declared, sharePercent };
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
    // Its hosts were just looked at; what it has is still what it had.
    ...(write.control ? { control: stagedControl(record, write.control) } : {}),
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
