/**
 * A careful operator's first attempt: baseline, canary staged, then wave after wave as soon as the gate may allow it, until the
 * rollout is finished, the hook steps in, or nobody can tell any more.
 */
import { alarmsFor, settleSeconds } from "../../core/alarms.ts";
import type { Wave } from "../../core/plans.ts";
import { holdsOn, type Instant } from "../../core/record.ts";
import type { ServiceConfig } from "../../stacks/config.ts";
import type { Operator } from "./operator.ts";

/** How the attempt ended; `cut-off`: its span was over before anything else. */
export type Ending = "finished" | "responded" | "gave-up" | "cut-off";

/** A soak that the gate does not call served is waited for up to this many times its minimum, and never less than `leastPatienceMinutes`. */
export const mostSoaks = 3;
/** A short wave with a small share has too few requests in its minimum soak to be compared by, and the gate says how many it needs. */
const leastPatienceMinutes = 120;
/** A wave without an end of its own is ended by an override after this. Unit: minutes. */
const endlessSoakMinutes = 60;
/** The first wave has no soak before it; hosts and heartbeat may still be on their way. Unit: minutes. */
const firstWavePatienceMinutes = 15;
/** Between the first two `up`s and the first wave, so that the hook has reconciled. Unit: seconds. */
const betweenUpsSeconds = 150;
/** At exposure 0 as long until "it stays there" is worth saying. Unit: seconds. */
const quietAtZeroSeconds = 600;
/** Settling ends here whatever still moves. Unit: seconds. */
const mostSettleSeconds = 6 * 3_600;

export const engineer = "the release engineer";

export async function firstAttempt(operator: Operator): Promise<Ending> {
  const { rehearsed } = operator.rehearsal;
  await operator.up({
    who: engineer,
    wants: `runs the first pulumi up, ${rehearsed.baseline.version} is the baseline`,
    change: { canary: undefined },
  });
  await operator.waitSeconds(betweenUpsSeconds);
  await operator.up({
    who: engineer,
    wants: `names ${rehearsed.canary.version} as canary, wave: 0`,
    change: { wavePercent: 0 },
  });
  await operator.waitSeconds(betweenUpsSeconds);

  let before: Wave | undefined;
  let openedAt = operator.cloud.now();
  for (const wave of rehearsed.plan.waves) {
    const wants = `sets wave: ${wave.exposurePercent} and runs pulumi up`;
    const climbed = await climb(operator, {
      wants,
      before,
      openedAt,
      change: { wavePercent: wave.exposurePercent },
      races: before?.exposurePercent === operator.rehearsal.faultWavePercent,
    });
    if (climbed !== "applied") return settle(operator, climbed);
    before = wave;
    openedAt = operator.record?.canary?.waveOpenedAt ?? operator.cloud.now();
    operator.scheduleFaults(wave.exposurePercent, openedAt);
  }
  const climbed = await climb(operator, {
    wants: `names ${rehearsed.canary.version} as baseline, which finishes the rollout`,
    before,
    openedAt,
    change: {
      baseline: rehearsed.canary,
      canary: undefined,
      ...(before?.minimumSoakMinutes === null ? { overrideReason: "the rehearsal ends a wave that has no end" } : {}),
    },
  });
  return climbed === "applied" ? "finished" : settle(operator, climbed);
}

interface Climb {
  readonly wants: string;
  readonly change: Partial<ServiceConfig>;
  /** The wave whose soak must be served first. */
  readonly before: Wave | undefined;
  readonly openedAt: Instant;
  readonly races?: boolean;
}

/** Asks when the soak is over, and again for as long as a careful person would. */
async function climb(operator: Operator, ask: Climb): Promise<"applied" | Exclude<Ending, "finished">> {
  const soakMs = (ask.before ? (ask.before.minimumSoakMinutes ?? endlessSoakMinutes) : 0) * 60_000;
  const leastMinutes = ask.before ? leastPatienceMinutes : firstWavePatienceMinutes;
  const { overrideReason } = operator.rehearsal;
  const patienceMs = Math.max(soakMs * mostSoaks, leastMinutes * 60_000);
  const givesUpAt = ask.openedAt + patienceMs;
  let askAt = ask.openedAt + soakMs;
  let pauseMs = Math.max(60_000, soakMs / 10);
  for (;;) {
    const waited = await waitWatching(operator, askAt);
    if (waited !== "quiet") return waited;
    const result = await operator.up({
      who: engineer,
      wants: ask.wants,
      change: ask.before && overrideReason !== undefined ? { overrideReason, ...ask.change } : ask.change,
      ...(ask.races === undefined ? {} : { races: ask.races }),
    });
    if (result.kind === "applied") return "applied";
    const now = operator.cloud.now();
    if (now >= givesUpAt) {
      operator.chronicle.tell(
        "held",
        `the soak was waited for ${Math.floor((now - ask.openedAt) / 60_000)} min, and the gate still refuses; the release stays where it is`,
      );
      return "gave-up";
    }
    askAt = Math.min(Math.max(now, askAt) + pauseMs, Math.max(givesUpAt, now));
    pauseMs *= 2;
  }
}

/** Minute by minute, so that what the hook does is seen. */
async function waitWatching(operator: Operator, until: Instant): Promise<"quiet" | "responded" | "cut-off"> {
  for (;;) {
    if (hasResponded(operator)) return "responded";
    if (operator.isOver) return "cut-off";
    const now = operator.cloud.now();
    if (now >= until) return "quiet";
    await operator.waitUntil(Math.min(until, now + 60_000));
  }
}

/** The hook, or a person, took traffic away or closed the latch; in observe mode, it would have. */
function hasResponded(operator: Operator): boolean {
  const { chronicle } = operator;
  // A record is copied when it is read, and this is asked every minute: without a response nothing closed the latch.
  if (operator.rehearsal.hook === "off" || chronicle.lastResponseAt === undefined) return false;
  if (chronicle.loweredAt !== undefined) return true;
  const { record } = operator;
  if (record?.mode === "observe") return chronicle.detections.length > 0;
  return record !== undefined && holdsOn(record, operator.canary).length > 0;
}

/** Goes on until nothing moves any more: a second step of the same breach needs its settle time. */
async function settle(operator: Operator, ending: Exclude<Ending, "finished">): Promise<Ending> {
  if (ending !== "responded") return ending;
  const { objectives, source } = operator.rehearsal.rehearsed;
  const longest = Math.max(0, ...alarmsFor(objectives, source).map((alarm) => settleSeconds(alarm, source)));
  const startedAt = operator.cloud.now();
  for (;;) {
    const now = operator.cloud.now();
    const quietSeconds = operator.chronicle.exposurePercent === 0 ? quietAtZeroSeconds : longest + 300;
    const quietSince = Math.max(operator.chronicle.lastResponseAt ?? startedAt, startedAt - 60_000);
    if (now - quietSince >= quietSeconds * 1_000 || now - startedAt >= mostSettleSeconds * 1_000) return ending;
    if (operator.rehearsal.endAt !== undefined && operator.isOver) return ending;
    await operator.waitUntil(now + 60_000);
  }
}

/** The run without a hook goes on to the end of the other's span. */
export async function waitForEnd(operator: Operator): Promise<void> {
  const { endAt } = operator.rehearsal;
  if (endAt !== undefined && endAt > operator.cloud.now()) await operator.waitUntil(endAt);
}
