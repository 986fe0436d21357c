/**
 * A move to a release that is known to be good: it served everything here before, and was not rolled back since. Time and comparison prove
 * nothing new about it, and whoever moves back to it is often in a hurry (C1). Everything that speaks of now stays: holds, alarms, breaches,
 * silence, budget, freezes, signatures, and one wave at a time.
 */
import { finishedHere, speaksAgainst } from "../finished-releases.ts";
import { instantText } from "../instant-text.ts";
import { versionOf } from "../outcome.ts";
import type { RolloutRecord } from "../record.ts";
import { type Finding, met } from "./verdict.ts";

/**
 * Why a release is known to be good, as one finding.
 * @returns `undefined`: it is not, and has to soak
 */
export function knownGoodFinding(record: RolloutRecord, digest: string): Finding | undefined {
  const { releases, previous, holds } = record;
  const version = versionOf(record, digest);
  const asked = "soak, requests and comparisons are not asked of it";
  const finished = finishedHere(record).find((each) => each.digest === digest);
  if (finished) {
    return met("soak", `${version} is known good, it finished here at ${instantText(finished.at)}: ${asked}`);
  }
  // When it earned that is not known, so that any rollback may have come after.
  const served = releases[digest]?.knownGood === true || previous?.digest === digest;
  if (!served || Object.values(holds).some((hold) => speaksAgainst(hold, digest))) return undefined;
  return met("soak", `${version} is known good, it was the baseline here before: ${asked}`);
}
