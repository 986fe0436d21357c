/**
 * What the control may have: a second target group of the baseline, so that the canary is compared with a copy that is as new and as busy.
 * It carries the canary's own share, or the whole rest where that is less, and it is the baseline all the while: nothing here ever changes
 * what the canary has.
 *
 * Only a guarded opening raises its share. A lowering never does, even where the smaller exposure would be due more: what leaves the canary
 * goes to the baseline's own group, which is the one that was kept large enough to take everything.
 */
import type { Objective } from "./objectives.ts";
import type { Observation } from "./observation.ts";
import { versionOf } from "./outcome.ts";
import { committedPercent, type Instant, type Lease, type RecordedControl, type RolloutRecord } from "./record.ts";
import type { RecordDraft } from "./record-draft.ts";

/** The control's due at an exposure of the canary. Unit: percent of all traffic; nothing at 0 and at 100. */
export function controlPercentAt(exposurePercent: number): number {
  return Math.min(exposurePercent, 100 - exposurePercent);
}

/**
 * What the control is watched for by alarms of its own, which lower nothing and stop nothing: a fresh copy that does badly says little of the
 * release that has served for days, and a rollback of that one is the last thing it should cause. They tell people, and where both releases
 * fail alike they say so (B10), when the baseline's own group has no traffic any more. Its hosts the hook counts itself.
 */
export function controlObjectives(objectives: readonly Objective[]): Objective[] {
  return objectives
    .filter(({ indicator }) => indicator !== "healthy-hosts")
    .map((objective) => ({ ...objective, mode: "observe" }));
}

/** Whether the canary is compared with it: it has traffic, and hosts that answer it. Else the baseline's own group is the one to compare with. */
export function isCompared({
  sharePercent,
  lostAt,
}: Pick<RecordedControl, "lostAt"> & { readonly sharePercent: number }): boolean {
  return sharePercent > 0 && lostAt === undefined;
}

/** What a control calls itself in metrics, beside its baseline. */
export function controlKey(baselineKey: string): string {
  return `${baselineKey}-control`;
}

/** The control's share that a program declares while nothing moves. A lost one gets nothing back, save where the hook only observes. */
export function committedControlPercent(record: RolloutRecord): number {
  const { control } = record;
  return control ? shareOf(control, record) : 0;
}

/** Most that the control may have live now: what is committed, or what an opening under way grants. Unit: percent. */
export function grantedControlPercent(record: RolloutRecord, now: Instant): number {
  const { control, lease } = record;
  if (!control || control.digest !== record.baseline || isTakenBack(control, record)) return 0;
  const opening = lease && lease.expiresAt > now ? leasedPercent(record, lease) : 0;
  return Math.max(shareOf(control, record), opening);
}

function shareOf(control: RecordedControl, record: RolloutRecord): number {
  if (control.digest !== record.baseline || isTakenBack(control, record)) return 0;
  return Math.min(control.sharePercent, controlPercentAt(committedPercent(record)));
}

function isTakenBack(control: RecordedControl, { mode }: RolloutRecord): boolean {
  return control.lostAt !== undefined && mode === "act";
}

function leasedPercent(record: RolloutRecord, lease: Lease): number {
  return lease.kind === "opening" && lease.digest === record.canary?.digest ? controlPercentAt(lease.toPercent) : 0;
}

/**
 * The control after a change of the record: never above its due, and with the time at which it lost its last weight.
 * @returns the very same object when nothing about it changed; `undefined`: there is none
 */
export function settledControl(before: RolloutRecord, after: RolloutRecord, now: Instant): RecordedControl | undefined {
  const { control } = after;
  if (!control) return undefined;
  const sharePercent = shareOf(control, after);
  const mayHave = sharePercent > 0 || (after.lease !== undefined && leasedPercent(after, after.lease) > 0);
  const { weightsLeftAt: leftBefore, ...rest } = control;
  const leftAt = mayHave ? undefined : mightHaveHad(before, control) ? now : leftBefore;
  if (sharePercent === control.sharePercent && leftAt === leftBefore) return control;
  return { ...rest, sharePercent, ...(leftAt === undefined ? {} : { weightsLeftAt: leftAt }) };
}

/** An opening that was granted may have been live, though never committed. */
function mightHaveHad(record: RolloutRecord, { targetGroupArn }: RecordedControl): boolean {
  const { control, lease } = record;
  if (control?.targetGroupArn !== targetGroupArn) return false;
  return shareOf(control, record) > 0 || (lease !== undefined && leasedPercent(record, lease) > 0);
}

/**
 * Looks after the control: without a healthy host its share goes back to the baseline's own group, and people are told. That stops nothing:
 * the canary keeps what it has. The rules themselves are written by `lowerRules`, from what the record then grants.
 */
export function watchControl(draft: RecordDraft, seen: Observation): void {
  watchHosts(draft, seen.controlHealth);
  watchShare(draft, seen.live);
}

function watchHosts(draft: RecordDraft, health: Observation["controlHealth"]): void {
  const { record, now } = draft;
  const { control } = record;
  if (!control || !health) return;
  if (health.healthyCount > 0) {
    if (control.lostAt === undefined) return;
    const { lostAt: _lost, ...back } = control;
    draft.set({ control: back });
    draft.tell("control-back", `the control of ${versionOf(record, control.digest)} has healthy hosts again`);
    return;
  }
  const percent = grantedControlPercent(record, now);
  if (percent === 0 || control.lostAt !== undefined) return;
  const name = `the control of ${versionOf(record, control.digest)}`;
  draft.set({ control: { ...control, lostAt: now } });
  if (record.mode === "observe") {
    draft.tell(
      "would-respond",
      `observing: ${name} has no healthy host; its ${percent} % would go to the baseline's own group`,
    );
    return;
  }
  draft.tell("control-lost", `${name} has no healthy host; its ${percent} % go back to the baseline's own group`);
  draft.page(
    `control-lost-${now}`,
    "warning",
    `${record.service}: ${name} has no healthy host; its ${percent} % go back to the baseline's own group`,
    "bounds relative to the baseline are not watched until the next up: run up, which measures them against the baseline's own group. " +
      "The canary keeps what it has; bring the control's hosts back before the next opening, which gives it its share again",
    { runbook: "no-healthy-hosts" },
  );
}

/** Less than committed is taken over as it is: it moves the baseline's traffic within the baseline, and nothing raises it but an opening. */
function watchShare(draft: RecordDraft, live: Observation["live"]): void {
  const { record, now } = draft;
  const { control, lease } = record;
  if (!control || !live) return;
  const livePercent = live.controlPercent ?? 0;
  const granted = grantedControlPercent(record, now);
  if (livePercent > 1e-6 && granted === 0 && control.weightsLeftAt !== now) {
    draft.set({ control: { ...control, weightsLeftAt: now } });
  } else if (livePercent < shareOf(control, record) - 1e-6 && (lease === undefined || lease.expiresAt <= now)) {
    const sharePercent = Math.floor(livePercent + 1e-6);
    draft.set({ control: { ...control, sharePercent } });
    draft.tell(
      "control-lowered",
      `the control has ${sharePercent} % live, the record said ${control.sharePercent} %; it stays there until the next opening`,
    );
  }
}

/** Whether nothing but an opening would raise the control: its share may fall with any write. */
export function controlRiseProblems(declaredPercent: number, livePercent: number): string[] {
  if (declaredPercent <= livePercent + 1e-6) return [];
  return [
    `the control would rise from ${round(livePercent)} % to ${round(declaredPercent)} %, which this up did not decide: only an opening raises it. Run up again`,
  ];
}

/** Reasons in the control against an opening: another share than was decided, or too few hosts to be as busy as the canary. */
export function controlOpeningProblems(opening: {
  /** What the canary is to have. */
  readonly toPercent: number;
  /** What this `up` decided for the control; 0 for one that only leaves. */
  readonly decidedPercent: number;
  /** What the rule would give it. */
  readonly declaredPercent: number;
  readonly hostsNeeded: number;
  /** `undefined`: it could not be read. */
  readonly health: { readonly healthyCount: number; readonly totalCount: number } | undefined;
}): string[] {
  const { toPercent, decidedPercent, declaredPercent, hostsNeeded, health } = opening;
  const due = Math.min(decidedPercent, controlPercentAt(toPercent));
  if (Math.abs(declaredPercent - due) > 1e-6) {
    return [
      `the control would have ${round(declaredPercent)} % beside a canary at ${toPercent} %; expected ${due} %. Run up again`,
    ];
  }
  if (due === 0) return [];
  if (!health) return ["the control's target health could not be read"];
  return health.healthyCount >= hostsNeeded
    ? []
    : [
        `the control has ${health.healthyCount} healthy hosts of ${health.totalCount}; expected at least ${hostsNeeded} for ${due} %`,
      ];
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
