/**
 * Committing what an `up` did: `WaveOpening` brings the service as declared, the live weights are read back, and only what
 * record, lease and live agree on becomes reality. Anything else fails the `up` and changes nothing.
 */

import { type CommitProblem, isForeignOpening, returnProblems } from "./commit-problems.ts";
import type { LiveTraffic, ServiceDescription } from "./declaration.ts";
import { finishedAfter } from "./finished-releases.ts";
import { formerAfter } from "./former-releases.ts";
import { steppedNow } from "./lowering.ts";
import { versionOf } from "./outcome.ts";
import {
  type CanaryState,
  committedPercent,
  type HistoryEntry,
  type Instant,
  type Lease,
  type RecordedRelease,
  type RolloutRecord,
  recordSchemaVersion,
  type ServiceFacts,
} from "./record.ts";
import { RecordDraft } from "./record-draft.ts";
import { holdKey } from "./releases.ts";

export type Commit =
  | {
      readonly kind: "committed";
      readonly record: RolloutRecord;
      readonly history: readonly HistoryEntry[];
      readonly message: string;
    }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * @param before the record as it is, `undefined` for a first release
 * @param live what the main rules say now, read back after Pulumi wrote them
 */
export function commit(
  before: RolloutRecord | undefined,
  description: ServiceDescription,
  live: LiveTraffic,
  now: Instant,
): Commit {
  const problem = returnProblems(before, description, live, now);
  if (problem) return { kind: "refused", reason: text(description, problem) };
  if (before === undefined || before.retiredAt !== undefined) return commitFirst(before, description, now);
  return commitKnown(before, description, live, now);
}

function text(description: ServiceDescription, problem: CommitProblem): string {
  return `${description.service}: not committed: ${problem}`;
}

function commitFirst(tombstone: RolloutRecord | undefined, description: ServiceDescription, now: Instant): Commit {
  const record: RolloutRecord = {
    ...described(description),
    ...rulesAfter(tombstone, description),
    schemaVersion: recordSchemaVersion,
    revision: (tombstone?.revision ?? 0) + 1,
    realityGeneration: tombstone?.realityGeneration ?? 0,
    releases: releasesOf(description, {}, [description.baseline]),
    baseline: description.baseline,
    ...(description.control ? { control: { ...description.control, sharePercent: 0 } } : {}),
    ...(description.canary ? { canary: stagedCanary(description.canary, now) } : {}),
    leaving: {},
    ceilings: { [description.baseline]: 100 },
    attempts: tombstone?.attempts ?? {},
    ...(description.intent ? { lastIntent: description.intent } : {}),
    breaches: {},
    holds: tombstone?.holds ?? {},
    outbox: tombstone?.outbox ?? [],
    ...formerBeside(tombstone, description, now),
    ...(tombstone?.finished ? { finished: tombstone.finished } : {}),
    // Still asked to retire: the tombstone stays one.
    ...(description.retire && tombstone?.retiredAt !== undefined ? { retiredAt: tombstone.retiredAt } : {}),
  };
  const message = `${versionOf(record, record.baseline)} is the baseline at 100 %`;
  return { kind: "committed", record, history: [{ at: now, kind: "commit", message, exposurePercent: 0 }], message };
}

function commitKnown(before: RolloutRecord, description: ServiceDescription, live: LiveTraffic, now: Instant): Commit {
  const draft = new RecordDraft(before, now);
  const wasPercent = committedPercent(before);
  if (before.leavingRules !== undefined) draft.drop("leavingRules");
  draft.set({ ...described(description), ...rulesAfter(before, description) });
  for (const fact of optionalFacts) {
    if (description[fact] === undefined && before[fact] !== undefined) draft.drop(fact);
  }

  if (description.baseline !== before.baseline) moveBaseline(draft, description);
  moveCanary(draft, description);
  takeControl(draft, description, live);
  letGo(draft, description);
  draft.set({ releases: releasesOf(description, before.releases, [draft.record.baseline]) });
  if (description.intent) draft.set({ lastIntent: description.intent });
  // Somebody else's opening of this very canary goes on; every other lease has done its work.
  if (draft.record.lease && !isForeignOpening(draft.record, description, now)) {
    leaveByLease(draft, draft.record.lease);
    draft.drop("lease");
  }
  if (description.retire) {
    draft.set({ retiredAt: now });
    draft.tell("retired", "the service is retired; the config may drop it");
  }
  const former = formerAfter(before, draft.record, now);
  if (former) draft.set({ former });
  const message = `${describeMove(before, draft.record, wasPercent)}`;
  draft.tell("commit", message);
  tellOverride(draft, description, message);
  return { kind: "committed", record: draft.finish(), history: draft.history, message };
}

/** What this very `up` took from a release that is no canary, a baseline whose replacement was never committed, stays like any other. */
function leaveByLease(draft: RecordDraft, { kind, digest }: Lease): void {
  const { baseline, canary, releases, leaving } = draft.record;
  if (kind !== "lowering" || digest === baseline || digest === canary?.digest || !releases[digest]) return;
  draft.set({ leaving: { ...leaving, [digest]: draft.now } });
}

/** Recorded with every commit that still says it; told to people where it let something through (C1). */
function tellOverride(draft: RecordDraft, { service, overrideReason }: ServiceDescription, message: string): void {
  if (overrideReason === undefined) return;
  draft.tell("override", `gate overridden: ${overrideReason}`);
  const { before, record, now } = draft;
  const hasRisen = committedPercent(record) > committedPercent(before) || record.baseline !== before.baseline;
  if (!hasRisen) return;
  draft.info(`override-${now}`, `${service}: gate OVERRIDDEN, ${message}`, `reason: ${overrideReason}`);
}

/** A service that comes back still has what its earlier releases spent. */
function formerBeside(
  tombstone: RolloutRecord | undefined,
  description: ServiceDescription,
  now: Instant,
): Pick<RolloutRecord, "former"> {
  if (!tombstone) return {};
  const former = formerAfter(tombstone, { releases: releasesOf(description, {}, []) }, now);
  return former ? { former } : {};
}

/** Facts that a service may do without; left out of the config they leave the record. */
const optionalFacts = [
  "stickinessSeconds",
  "split",
  "dependencyOwner",
  "dependencyGroup",
  "peers",
  "targetGroup",
  "workload",
  "capacity",
  "promises",
] as const;

/** The parts of the record that the program alone knows. */
function described(description: ServiceDescription): ServiceFacts & Pick<RolloutRecord, "declaredBy"> {
  return {
    environment: description.environment,
    service: description.service,
    mode: description.mode,
    source: description.source,
    plan: description.plan,
    rules: description.rules,
    alarms: description.alarms,
    loadBalancerArnSuffix: description.loadBalancerArnSuffix,
    blindMinutes: description.blindMinutes,
    ...Object.fromEntries(
      optionalFacts.flatMap((fact) => (description[fact] === undefined ? [] : [[fact, description[fact]]])),
    ),
    rollbackWindowMinutes: description.rollbackWindowMinutes,
    declaredBy: description.takenBy,
  };
}

/**
 * A rule that is no longer declared is deleted after this commit, if at all: until it is seen to be gone it serves whom it served, and a
 * hold has to reach it (`leaving-rules.ts`).
 */
function rulesAfter(
  before: RolloutRecord | undefined,
  { rules }: ServiceDescription,
): Pick<RolloutRecord, "rules" | "leavingRules"> {
  const declared = new Set(rules.map(({ arn }) => arn));
  const left = (before?.rules ?? []).filter(({ arn, role }) => role !== "anchor" && !declared.has(arn));
  if (left.length === 0) return { rules };
  return { rules: [...rules, ...left], leavingRules: left.map(({ arn }) => arn) };
}

function releasesOf(
  description: ServiceDescription,
  before: Readonly<Record<string, RecordedRelease>>,
  knownGood: readonly string[],
): Record<string, RecordedRelease> {
  return Object.fromEntries(
    description.releases.map((release) => [
      release.digest,
      { ...release, knownGood: (before[release.digest]?.knownGood ?? false) || knownGood.includes(release.digest) },
    ]),
  );
}

function stagedCanary(canary: { readonly digest: string; readonly attempt: number }, now: Instant): CanaryState {
  return { ...canary, exposurePercent: 0, waveOpenedAt: now, servedPercents: [] };
}

/** A finish, or a replacement: the old baseline stays as `previous` for the rollback window. */
function moveBaseline(draft: RecordDraft, description: ServiceDescription): void {
  const old = draft.record.baseline;
  rememberFinish(draft, description);
  draft.set({
    baseline: description.baseline,
    previous: { digest: old, until: draft.now + draft.record.rollbackWindowMinutes * 60_000 },
    ceilings: { ...draft.record.ceilings, [description.baseline]: 100, [old]: 100 },
    ...flagsAfterFinish(draft.record, description),
  });
  if (draft.record.canary?.digest === description.baseline) draft.drop("canary");
}

/** The flag that it came with stays on for everybody: the release asks for it as long as it serves. */
function flagsAfterFinish(
  { canary, split, flagsOn }: RolloutRecord,
  { baseline }: ServiceDescription,
): Pick<RolloutRecord, "flagsOn"> {
  if (!split || canary?.digest !== baseline || canary.exposurePercent !== 100) return {};
  return { flagsOn: { [split.flag]: baseline, ...flagsOn } };
}

/** What replaces a baseline by a person's word went through no rollout, and is not remembered as if it had. */
function rememberFinish(draft: RecordDraft, { baseline, releases, finish }: ServiceDescription): void {
  const { canary, finished } = draft.record;
  if (canary?.digest !== baseline || canary.exposurePercent !== 100) return;
  const version = releases.find(({ digest }) => digest === baseline)?.version ?? versionOf(draft.record, baseline);
  const release = { version, digest: baseline, at: draft.now, figures: {}, ...finish };
  draft.set({ finished: finishedAfter(finished, release) });
}

function moveCanary(draft: RecordDraft, description: ServiceDescription): void {
  const now = draft.now;
  const old = draft.record.canary;
  const wanted = description.canary;
  if (old && old.digest !== wanted?.digest) {
    // A lease on it: its weights may have been live, though never committed.
    const hadTraffic = old.exposurePercent > 0 || draft.record.lease?.digest === old.digest;
    const leftAt = hadTraffic ? now : old.weightsLeftAt;
    draft.set({
      ceilings: { ...draft.record.ceilings, [old.digest]: 0 },
      ...(leftAt === undefined ? {} : { leaving: { ...draft.record.leaving, [old.digest]: leftAt } }),
      breaches: Object.fromEntries(
        Object.entries(draft.record.breaches).filter(([, breach]) => breach.digest !== old.digest),
      ),
    });
    draft.drop("canary");
  }
  if (!wanted) return;
  const current = draft.record.canary ?? stagedCanary(wanted, now);
  const to = description.exposurePercent;
  const from = current.exposurePercent;
  const sameAttempt = current.attempt === wanted.attempt;
  const served =
    sameAttempt && to > from && from > 0
      ? [...new Set([...current.servedPercents, from])]
      : sameAttempt && to !== 0
        ? current.servedPercents
        : [];
  const next: CanaryState = {
    digest: wanted.digest,
    attempt: wanted.attempt,
    exposurePercent: to,
    waveOpenedAt: to === from && sameAttempt ? current.waveOpenedAt : now,
    servedPercents: served,
    ...exposedFrom(current, to, now),
    ...figuresAfter(current, description),
    ...(to === 0 && from > 0 ? { weightsLeftAt: now } : {}),
    ...(to === 0 && from === 0 && current.weightsLeftAt !== undefined ? { weightsLeftAt: current.weightsLeftAt } : {}),
  };
  const key = holdKey(wanted.digest);
  const { [wanted.digest]: _stays, ...leaving } = draft.record.leaving;
  draft.set({
    canary: next,
    leaving,
    ceilings: { ...draft.record.ceilings, [wanted.digest]: to },
    ...(to < from ? { breaches: steppedNow(draft.record, wanted.digest, now) } : {}),
    ...(to > 0
      ? { attempts: { ...draft.record.attempts, [key]: Math.max(draft.record.attempts[key] ?? 0, wanted.attempt) } }
      : {}),
  });
}

/** An `up` that could not read the record knows of no figures; what was read when the wave opened stays until the wave is over. */
function figuresAfter(
  current: CanaryState,
  { canary, exposurePercent, figures }: ServiceDescription,
): Pick<CanaryState, "figures"> {
  if (exposurePercent === 0) return {};
  if (figures?.length) return { figures };
  const isSameWave = current.attempt === canary?.attempt && current.exposurePercent === exposurePercent;
  return isSameWave && current.figures ? { figures: current.figures } : {};
}

/** What live gives it is what it has: the hook may have taken its share back since the rule was written. */
function takeControl(draft: RecordDraft, { control }: ServiceDescription, { controlPercent = 0 }: LiveTraffic): void {
  const before = draft.record.control;
  if (!control) {
    if (before) draft.drop("control");
    return;
  }
  const kept = before?.targetGroupArn === control.targetGroupArn ? before : undefined;
  const isStillLost = kept?.lostAt !== undefined && (controlPercent === 0 || draft.record.mode === "observe");
  draft.set({
    control: {
      ...control,
      sharePercent: Math.min(control.sharePercent, Math.round(controlPercent)),
      ...(kept?.weightsLeftAt === undefined ? {} : { weightsLeftAt: kept.weightsLeftAt }),
      ...(isStillLost ? { lostAt: kept.lostAt } : {}),
    },
  });
}

/** Since when, and from what share on, the canary has had traffic without a break. */
function exposedFrom(current: CanaryState, toPercent: number, now: Instant) {
  if (toPercent === 0) return {};
  const opened = toPercent !== current.exposurePercent;
  return {
    exposedSince: current.exposedSince ?? now,
    openedFromPercent: opened ? current.exposurePercent : (current.openedFromPercent ?? current.exposurePercent),
  };
}

/** What the program no longer declares is gone. */
function letGo(draft: RecordDraft, description: ServiceDescription): void {
  const declared = new Set(description.releases.map((release) => release.digest));
  if (draft.record.previous && !declared.has(draft.record.previous.digest)) draft.drop("previous");
  const leaving = Object.entries(draft.record.leaving).filter(([digest]) => declared.has(digest));
  if (leaving.length !== Object.keys(draft.record.leaving).length) draft.set({ leaving: Object.fromEntries(leaving) });
}

function describeMove(before: RolloutRecord, after: RolloutRecord, wasPercent: number): string {
  const isPercent = committedPercent(after);
  if (after.baseline !== before.baseline) {
    return `${versionOf(after, after.baseline)} is the baseline at 100 %, ${versionOf(before, before.baseline)} stays armed`;
  }
  const canary = after.canary ?? before.canary;
  if (!canary) return "nothing moved";
  const version = versionOf(after.canary ? after : before, canary.digest);
  if (isPercent === wasPercent) return `${version} stays at ${isPercent} %`;
  return `${version} from ${wasPercent} % to ${isPercent} %`;
}
