/**
 * What an `up` declares of the control: beside a canary, the one that the config asks for; before and after, the recorded one for as long as
 * it is still leaving. It never moves the canary's share; where the two disagree, the `up` is refused.
 */
import { committedControlPercent, controlKey, controlPercentAt, grantedControlPercent } from "./control.ts";
import type { DeclaredControl, Intent, LiveTraffic, Notice } from "./declaration.ts";
import { leaveAfterSeconds } from "./live-set.ts";
import { releaseKey } from "./naming.ts";
import { note, type Outcome, versionOf } from "./outcome.ts";
import { committedPercent, type Instant, type RecordedControl, type RolloutRecord } from "./record.ts";
import type { Release } from "./releases.ts";

/** The control of a service that has no record: it waits without traffic, or stays as it is live. */
export function unrecordedControl(intent: Intent, live?: LiveTraffic): DeclaredControl | undefined {
  if (!intent.control || !intent.canary) return undefined;
  return { ...groupOf(intent.control, intent.baseline), sharePercent: live?.controlPercent ?? 0 };
}

/** @returns the control to declare; reasons against it go into `refusals` */
export function controlAsk(
  intent: Intent,
  record: RolloutRecord,
  live: LiveTraffic | undefined,
  now: Instant,
  outcome: Outcome,
  notices: Notice[],
  refusals: string[],
): DeclaredControl | undefined {
  const recorded = record.control && { ...recordedGroup(record.control), sharePercent: keptPercent(record, live) };
  if (refusals.length > 0) return recorded;
  const { step, canary, baseline, exposurePercent } = outcome;
  const release = record.releases[baseline] ?? intent.baseline;
  const group = intent.control && canary ? groupOf(intent.control, { ...release, digest: baseline }) : undefined;
  const due = controlPercentAt(exposurePercent);
  const wanted = group && { ...group, sharePercent: step === "opening" ? due : 0 };
  if (wanted && recorded && isSame(wanted, recorded)) {
    return step === "opening" ? wanted : { ...recorded, sharePercent: Math.min(recorded.sharePercent, due) };
  }
  const goesOn = record.canary !== undefined && record.canary.digest === canary?.digest && baseline === record.baseline;
  // One that has nothing, and is not asked for any more, may leave at any time: nothing is compared with it.
  const isCompared = wanted !== undefined || (recorded?.sharePercent ?? 0) > 0;
  if (goesOn && committedPercent(record) > 0 && exposurePercent > 0 && isCompared) {
    refusals.push(
      `${intent.service}.control: changed while ${versionOf(record, canary?.digest ?? "")} has ${committedPercent(record)} %, got ${words(wanted)}; ` +
        `expected ${words(recorded)}. Set it back, or finish or take the canary to 0 first`,
    );
    return recorded;
  }
  if (!recorded || !record.control) return wanted;
  const isReused = wanted?.targetGroupArn !== undefined && wanted.targetGroupArn === recorded.targetGroupArn;
  const seconds = secondsUntilGone(record, record.control, live, now);
  if (seconds === 0 || isReused) return wanted;
  if (wanted && step === "opening") {
    refusals.push(
      `${intent.service}.control: another group than before, which is still leaving its rule, got ${words(wanted)} after ${words(recorded)}; ` +
        `expected it ${seconds} s from now. Wait that long, then run up again`,
    );
  } else if (wanted) {
    notices.push(
      note("note", `${intent.service}: the control of before leaves its rule first; the next up declares the new one`),
    );
  }
  return { ...recorded, sharePercent: 0 };
}

function groupOf(
  { targetGroupArn }: NonNullable<Intent["control"]>,
  baseline: Pick<Release, "version" | "digest">,
): Omit<DeclaredControl, "sharePercent"> {
  return {
    digest: baseline.digest,
    releaseKey: controlKey(releaseKey(baseline)),
    ...(targetGroupArn === undefined ? {} : { targetGroupArn }),
  };
}

function recordedGroup(control: RecordedControl): Omit<DeclaredControl, "sharePercent"> {
  const { digest, releaseKey: key, adopted, targetGroupArn, lostAt } = control;
  return {
    digest,
    releaseKey: key,
    ...(adopted ? { targetGroupArn } : {}),
    ...(lostAt === undefined ? {} : { lostAt }),
  };
}

/** What is live below the record was taken from it by hand, and no `up` gives it back. */
function keptPercent(record: RolloutRecord, live: LiveTraffic | undefined): number {
  const committed = committedControlPercent(record);
  return live ? Math.min(committed, Math.floor((live.controlPercent ?? 0) + 1e-6)) : committed;
}

function isSame(left: DeclaredControl, right: DeclaredControl): boolean {
  return left.releaseKey === right.releaseKey && left.targetGroupArn === right.targetGroupArn;
}

function words(control: DeclaredControl | undefined): string {
  return control ? (control.targetGroupArn ?? `a group of the program's for ${control.releaseKey}`) : "none";
}

/** ALB may go on using old weights for a while, so what lost its weights stays attached that long. */
function secondsUntilGone(
  record: RolloutRecord,
  { weightsLeftAt }: RecordedControl,
  live: LiveTraffic | undefined,
  now: Instant,
): number {
  if ((live?.controlPercent ?? 0) > 0 || grantedControlPercent(record, now) > 0) return leaveAfterSeconds;
  if (weightsLeftAt === undefined) return 0;
  return Math.max(0, Math.ceil((weightsLeftAt + leaveAfterSeconds * 1_000 - now) / 1_000));
}
