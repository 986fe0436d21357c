/**
 * The checklist of one release (C4): before it, at each wave, and after. What the gate, the record or the config tell is ticked by them, and
 * where it is not met the reason stands beside it; what only a person can know is marked so and never ticked here.
 *
 * A rule that an `overrideReason` lifted was not met, and stays unticked.
 */
import { afterRelease, beforeRelease, eachWave, largeWave, lastWave } from "./checklist-people.ts";
import { newestHoldAt, signOff } from "./gate/approvals.ts";
import type { Approval } from "./gate/evidence.ts";
import type { ToldFinding } from "./gate/finding-words.ts";
import type { GateRule } from "./gate/verdict.ts";
import { instantText } from "./instant-text.ts";
import { type Plan, type Wave, waveAt } from "./plans.ts";
import { holdsOn, type Instant, type RolloutRecord } from "./record.ts";
import { holdKey, sameHold } from "./releases.ts";
import { minutesText } from "./rollout-facts.ts";

/** One line of it. */
export interface ChecklistItem {
  readonly text: string;
  /** `person`: nothing here can know. */
  readonly state: "done" | "open" | "person";
  /** By what it is ticked, or why not. */
  readonly note?: string;
}

export interface ChecklistSection {
  readonly title: string;
  readonly items: readonly ChecklistItem[];
}

export interface Checklist {
  readonly service: string;
  readonly environment: string;
  readonly version: string;
  readonly attempt: number;
  readonly sections: readonly ChecklistSection[];
}

/** What the config says of it. */
export interface ChecklistConfig {
  readonly service: string;
  readonly environment: string;
  readonly mode: "act" | "observe";
  /** The canary; once there is none, the baseline that it became. */
  readonly release: { readonly version: string; readonly digest: string };
  readonly attempt: number;
  readonly plan: Plan;
  readonly approvals: readonly Approval[];
  readonly checks: readonly { readonly name: string; readonly wavePercents: readonly number[] }[];
  readonly keepsErrorBudget: boolean;
  /** The environment below, from which releases come. @default none */
  readonly ladderBelow?: string;
  /** Who is told, and where people look. @default another stack says it, and a person has to look there */
  readonly reaches?: { readonly pages: boolean; readonly chat: boolean; readonly dashboard: boolean };
}

/** What was read. */
export interface ChecklistFound {
  /** @default none could be read, and then nothing that it tells is ticked */
  readonly record?: RolloutRecord;
  /** What the gate says of the next step, met findings included. @default it was not asked */
  readonly findings?: readonly ToldFinding[];
  readonly now: Instant;
}

export function checklistOf(config: ChecklistConfig, found: ChecklistFound): Checklist {
  const place = placeOf(config, found);
  return {
    service: config.service,
    environment: config.environment,
    version: config.release.version,
    attempt: config.attempt,
    sections: [
      { title: "Before the release", items: [...beforeItems(config, found, place), ...beforeRelease.map(person)] },
      ...config.plan.waves.map((wave) => ({
        title: `Wave ${wave.exposurePercent} %`,
        items: [...waveItems(wave, config, found, place), ...peopleOf(wave).map(person)],
      })),
      { title: "Afterwards", items: [...afterItems(config, found, place), ...afterRelease.map(person)] },
    ],
  };
}

/** How far the release has come. */
interface Place {
  /** Unit: percent. `undefined`: there is no record. */
  readonly exposurePercent: number | undefined;
  readonly servedPercents: readonly number[];
  /** When it became the baseline. */
  readonly finishedAt: Instant | undefined;
}

function placeOf({ release }: ChecklistConfig, { record }: ChecklistFound): Place {
  if (!record) return { exposurePercent: undefined, servedPercents: [], finishedAt: undefined };
  const isBaseline = record.baseline === release.digest;
  const finishedAt = isBaseline ? record.finished?.[holdKey(release.digest)]?.at : undefined;
  const canary = record.canary?.digest === release.digest ? record.canary : undefined;
  return {
    exposurePercent: isBaseline ? 100 : (canary?.exposurePercent ?? 0),
    servedPercents: canary?.servedPercents ?? [],
    finishedAt,
  };
}

const person = (text: string): ChecklistItem => ({ text, state: "person" });
const done = (text: string, note?: string): ChecklistItem => ({ text, state: "done", ...(note ? { note } : {}) });
const open = (text: string, note: string): ChecklistItem => ({ text, state: "open", note });

/** Ticked where every finding of these rules is met. */
function byFindings(text: string, rules: readonly GateRule[], { findings }: ChecklistFound): ChecklistItem {
  const told = (findings ?? []).filter(({ rule }) => rules.includes(rule));
  if (told.length === 0) return open(text, findings ? "the gate was not asked for it" : "the gate was not asked");
  const against = told.filter(({ word }) => word !== "met");
  if (against.length === 0) return done(text, told.map((finding) => finding.text).join("; "));
  return open(text, against.map((finding) => `${finding.word}: ${finding.text}`).join("; "));
}

/** @param isSet `undefined`: another stack's config says it */
function byConfig(text: string, isSet: boolean | undefined, note: string): ChecklistItem {
  if (isSet === undefined) return person(text);
  return isSet ? done(text) : open(text, note);
}

const noRecord = "there is no record yet, or it was not read";

function beforeItems(config: ChecklistConfig, found: ChecklistFound, place: Place): ChecklistItem[] {
  const { reaches, release, mode } = config;
  const { record } = found;
  const alarms = record?.alarms.filter(({ digest }) => digest === release.digest).length ?? 0;
  const alarmsText = "Alarms stand for the release";
  const baseline = record?.releases[record.baseline];
  const isRising = (place.exposurePercent ?? 0) === 0;
  return [
    done("The release is named by its bytes, not by a tag", release.digest),
    byConfig("The hook may act", mode === "act", "mode is observe: it would only tell"),
    byConfig("Somebody on call is paged", reaches?.pages, "alerting has no pagerduty and no email"),
    byConfig("Critical alerts and warnings reach a channel", reaches?.chat, "alerting has no slack"),
    byConfig("A dashboard shows the rollout", reaches?.dashboard, "alerting has neither dashboard nor grafana"),
    record === undefined
      ? open(alarmsText, noRecord)
      : alarms > 0
        ? done(alarmsText, `${alarms} of them`)
        : open(alarmsText, "the record has none yet: the first up makes them"),
    record === undefined
      ? open("There is a known-good release to go back to", noRecord)
      : baseline?.knownGood
        ? done("There is a known-good release to go back to", baseline.version)
        : open("There is a known-good release to go back to", "the record's baseline has proved nothing yet"),
    standingItem(config, found),
    config.keepsErrorBudget
      ? byFindings("The error budget has a tenth left", ["error-budget"], found)
      : open("The error budget has a tenth left", "none is kept: burnRate is not set"),
    ...(config.ladderBelow === undefined
      ? []
      : [
          isRising
            ? byFindings(`It finished healthy in ${config.ladderBelow}`, ["ladder"], found)
            : done(`It finished healthy in ${config.ladderBelow}`, "asked before the first wave, which has opened"),
        ]),
    ...(config.checks.length === 0 ? [person("Smoke and load tests pass; no check is configured")] : []),
  ];
}

function standingItem({ release }: ChecklistConfig, { record }: ChecklistFound): ChecklistItem {
  const text = "Nothing holds or pauses it";
  if (!record) return open(text, noRecord);
  const holds = holdsOn(record, release.digest).map(({ id }) => `hold ${id} stands`);
  const paused = record.paused ? [`paused by ${record.paused.by}`] : [];
  const against = [...holds, ...paused];
  return against.length === 0 ? done(text) : open(text, against.join("; "));
}

function waveItems(wave: Wave, config: ChecklistConfig, found: ChecklistFound, place: Place): ChecklistItem[] {
  const { exposurePercent: at } = place;
  const percent = wave.exposurePercent;
  const isOpened = at !== undefined && at >= percent;
  const isFinished = place.finishedAt !== undefined || found.record?.baseline === config.release.digest;
  const isPassed = isFinished || (at !== undefined && at > percent);
  const isNow = !isPassed && at !== undefined && at > 0 && waveAt(config.plan, at) === wave;
  const isNext =
    at !== undefined &&
    !isFinished &&
    at < percent &&
    config.plan.waves.find(({ exposurePercent }) => exposurePercent > at) === wave;
  const soak =
    wave.minimumSoakMinutes === null
      ? "Its soak was ended by somebody"
      : `Its soak of ${minutesText(wave.minimumSoakMinutes)} is served`;
  const measured = (text: string, rules: readonly GateRule[]): ChecklistItem => {
    if (isPassed) return done(text, "what comes after it has opened");
    return isNow ? byFindings(text, rules, found) : open(text, at === undefined ? noRecord : "not open yet");
  };
  const before = (text: string, rules: readonly GateRule[]): ChecklistItem => {
    if (isOpened) return done(text, "the wave has opened");
    return isNext ? byFindings(text, rules, found) : open(text, at === undefined ? noRecord : "not its turn yet");
  };
  const checks = config.checks.filter(({ wavePercents }) => wavePercents.includes(percent)).map(({ name }) => name);
  return [
    ...signItems(wave, config, found, isOpened),
    ...(checks.length === 0 ? [] : [before(`Checks before it pass: ${checks.join(", ")}`, ["checks"])]),
    before("No change freeze is in force", ["change-freeze"]),
    isOpened
      ? done("It is open", place.finishedAt === undefined ? `the record says ${at} %` : undefined)
      : open("It is open", at === undefined ? noRecord : `the record says ${at} %`),
    place.servedPercents.includes(percent) ? done(soak, "the record says so") : measured(soak, ["soak"]),
    measured("It was seen by enough requests for alarms and comparisons to speak", ["requests", "visibility"]),
    measured("No alarm and no breach", ["alarm", "breach"]),
    measured("Errors and latency hold beside the baseline", ["errors", "latency", "health-score"]),
    ...(wave.criteria.length === 0
      ? []
      : [measured(`Its own criteria hold: ${wave.criteria.map(({ text }) => text).join("; ")}`, ["criteria"])]),
  ];
}

/** One for each role; of a wave that has opened, by what its signatures were good for then. */
function signItems(
  wave: Wave,
  config: ChecklistConfig,
  { record, now }: ChecklistFound,
  isOpened: boolean,
): ChecklistItem[] {
  const roles = wave.approvals ?? [];
  if (roles.length === 0) return [];
  const { release, attempt, approvals } = config;
  const wanted = { wavePercent: wave.exposurePercent, version: release.version, digest: release.digest, attempt };
  const heldAt = record && !isOpened ? newestHoldAt(record, release.digest, attempt) : undefined;
  const { signed, missing, void: counted } = signOff(roles, approvals, wanted, now, heldAt);
  return [
    ...signed.map(({ role, by, at }) => done(`${role} has signed for it`, `${by}, ${instantText(at)}`)),
    ...missing.map((role) =>
      open(
        `${role} has signed for it`,
        counted.length === 0 ? "no signature" : `what counts for nothing: ${counted.join("; ")}`,
      ),
    ),
  ];
}

function peopleOf({ exposurePercent }: Wave): readonly string[] {
  return [
    ...eachWave,
    ...(exposurePercent >= 50 && exposurePercent < 100 ? largeWave : []),
    ...(exposurePercent === 100 ? lastWave : []),
  ];
}

function afterItems(config: ChecklistConfig, found: ChecklistFound, place: Place): ChecklistItem[] {
  const { record, now } = found;
  const { version, digest } = config.release;
  const isBaseline = record?.baseline === digest;
  const finished = isBaseline
    ? done(
        `The baseline is ${version}`,
        place.finishedAt === undefined ? undefined : `since ${instantText(place.finishedAt)}`,
      )
    : open(`The baseline is ${version}`, record ? "the record's baseline is another release" : noRecord);
  return [finished, ...stableItems(config, record, place.finishedAt, now), quietItem(config, record, isBaseline)];
}

function stableItems(
  { plan, release }: ChecklistConfig,
  record: RolloutRecord | undefined,
  finishedAt: Instant | undefined,
  now: Instant,
): ChecklistItem[] {
  if (plan.watchAfterMinutes === 0) return [];
  const text = `It has been stable for ${plan.watchAfterMinutes / 1_440} days`;
  if (!record || finishedAt === undefined) return [open(text, record ? "it has not finished" : noRecord)];
  const held = Object.values(record.holds).filter(
    ({ digest, at }) => sameHold(digest, release.digest) && at >= finishedAt,
  );
  if (held.length > 0) return [open(text, `held since: ${held.map(({ id }) => id).join(", ")}`)];
  const until = finishedAt + plan.watchAfterMinutes * 60_000;
  return [now >= until ? done(text) : open(text, `until ${instantText(until)}`)];
}

function quietItem(config: ChecklistConfig, record: RolloutRecord | undefined, isBaseline: boolean): ChecklistItem {
  const text = "No breach is open and nothing holds it";
  if (!record) return open(text, noRecord);
  if (!isBaseline) return open(text, "it has not finished");
  const breaches = Object.values(record.breaches)
    .filter(({ digest, observed }) => digest === config.release.digest && !observed)
    .map(({ objective }) => `breach of ${objective}`);
  const holds = holdsOn(record, config.release.digest).map(({ id }) => `hold ${id}`);
  const against = [...breaches, ...holds];
  return against.length === 0 ? done(text) : open(text, against.join("; "));
}
