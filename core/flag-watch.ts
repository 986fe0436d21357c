/**
 * The flag beside the record (A6): where each flag of a service stands by its record, what of live is above that, and what happens when it
 * cannot be brought down. Weights and flag never wait for each other; a flag that splits and does not come down takes the weights with it.
 */
import type { LiveTraffic } from "./declaration.ts";
import type { FlagPercents } from "./flag-document.ts";
import { grantedPercent, holdOf, lowerCanary } from "./lowering.ts";
import type { Decision, LiveFlags, Observation } from "./observation.ts";
import { versionOf } from "./outcome.ts";
import { committedPercent, committedShares, type Instant, type RolloutRecord } from "./record.ts";
import { RecordDraft } from "./record-draft.ts";
import { exposureOf, flagPercentAt, type RecordedSplit, weightSharesOf } from "./split.ts";

/** The split of the rollout under way; a flag that finished with an earlier release is on for everybody and splits nothing. */
export function splitOf({ split, flagsOn }: Pick<RolloutRecord, "split" | "flagsOn">): RecordedSplit | undefined {
  return split && flagsOn?.[split.flag] === undefined ? split : undefined;
}

/** Shares by digest as the main rules have to have them. */
export function committedWeightShares(record: RolloutRecord): Record<string, number> {
  return weightSharesOf(splitOf(record)?.by ?? "weights", committedShares(record), record.canary?.digest);
}

/**
 * Every flag of a service at an exposure of its canary.
 * @param exposurePercent @default the committed one
 */
export function recordedFlags(record: RolloutRecord, exposurePercent = committedPercent(record)): FlagPercents {
  const finished = Object.keys(record.flagsOn ?? {}).map((flag) => [flag, 100] as const);
  const split = splitOf(record);
  const own = split ? [[split.flag, flagPercentAt(split.by, exposurePercent)] as const] : [];
  return Object.fromEntries([...own, ...finished]);
}

/** The most that each flag may have now: committed, or what an opening under way grants. */
export function grantedFlags(record: RolloutRecord, now: Instant): FlagPercents {
  return recordedFlags(record, record.canary ? grantedPercent(record, record.canary.digest, now) : 0);
}

/** Live traffic with the flag in it: what the canary is exposed to, and all else with the baseline. */
export function withFlag(
  record: RolloutRecord,
  weights: LiveTraffic,
  flags: LiveFlags | undefined,
  now: Instant,
): LiveTraffic {
  const split = splitOf(record);
  const canary = record.canary?.digest;
  if (!split || canary === undefined) return weights;
  const weightPercent = weights.shares[canary] ?? 0;
  const flagPercent = flags && (flags.percents[split.flag] ?? 0);
  const exposed = exposureOf(split.by, grantedPercent(record, canary, now), { weightPercent, flagPercent });
  if (exposed === weightPercent) return weights;
  const { [canary]: _weights, ...others } = weights.shares;
  const left = Math.max(0, weightPercent - exposed);
  const { [record.baseline]: has = 0, ...rest } = others;
  return {
    ...weights,
    shares: {
      ...rest,
      ...(has + left > 0 ? { [record.baseline]: has + left } : {}),
      ...(exposed > 0 ? { [canary]: exposed } : {}),
    },
  };
}

/**
 * The document to write so that no flag has more than is granted; `undefined`: there is nothing to write. What is live and lower stays,
 * for the hook only ever lowers. The document is Tidegate's alone: a flag that the record does not know has nothing.
 * @param live `undefined`: it could not be read, and then it is written only where a lowering has still to be seen
 */
export function flagsToWrite(
  record: RolloutRecord,
  live: LiveFlags | undefined,
  isLowering: boolean,
  now: Instant,
): FlagPercents | undefined {
  if (!record.split) return undefined;
  const committed = recordedFlags(record);
  if (!live) return isLowering || record.flagDueSince !== undefined ? committed : undefined;
  const granted = grantedFlags(record, now);
  // A rise that is being deployed is not above what it rises to; a fall is over when nobody has more any longer.
  const counted = isLowering || record.flagDueSince !== undefined ? live.mostPercents : live.percents;
  const above = Object.entries(counted).some(([flag, percent]) => percent > (granted[flag] ?? 0) + 1e-6);
  if (!above) return undefined;
  return Object.fromEntries(
    Object.entries(live.percents).map(([flag, percent]) => [
      flag,
      percent > (granted[flag] ?? 0) + 1e-6 || isLowering ? Math.min(percent, committed[flag] ?? 0) : percent,
    ]),
  );
}

/** A flag that is seen where it should be is due no longer. */
export function watchFlag(draft: RecordDraft, seen: Observation): void {
  const { record } = draft;
  if (record.flagDueSince === undefined || draft.before.flagDueSince === undefined) return;
  const split = splitOf(record);
  const most = split && seen.flags && (seen.flags.mostPercents[split.flag] ?? 0);
  if (split && (most === undefined || most > committedPercent(record) + 1e-6)) return;
  draft.drop("flagDueSince");
  draft.tell("flag-lowered", `flag ${split?.flag ?? ""} is seen at ${most ?? 0} %`);
}

/**
 * The flag that splits could not be lowered, or was not seen lower in time: the full rollback (seed 004), by the weights.
 * @param before as it was stored a moment ago
 * @returns `undefined` where the weights do not depend on the flag, or have nothing left to take
 */
export function rollBackForFlag(before: RolloutRecord, failure: string, now: Instant): Decision | undefined {
  const split = splitOf(before);
  const { canary } = before;
  if (split?.by !== "flag" || !canary || canary.exposurePercent === 0) return undefined;
  const draft = new RecordDraft(before, now);
  const detail = `flag ${split.flag} of ${versionOf(before, canary.digest)} could not be brought to ${canary.exposurePercent} %: ${failure}`;
  lowerCanary(draft, 0);
  const id = `flag-failed-${now}`;
  draft.putHold(
    holdOf(before, {
      id,
      scope: "digest",
      digest: canary.digest,
      cause: "flag-failed",
      at: now,
      detail,
      response: "disable",
      targetPercent: 0,
    }),
  );
  draft.page(
    id,
    "critical",
    `${before.service}: ROLLED BACK from ${canary.exposurePercent} % to 0 %, ${detail}`,
    "all traffic is on the baseline; look at the flag's deployment in AppConfig, then acknowledge the hold with a reason",
    { runbook: "full-rollback", holdId: id },
  );
  return { record: draft.finish(), history: draft.history, lowersLive: true };
}
