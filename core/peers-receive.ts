/**
 * A hold that another region tells of, put into this region's record of the same service: once an id, with one page. Nothing is lowered
 * here: the region's own reconcile does that by its normal path, receiver and all (`apply-targets.ts`).
 */
import { holdOf, holdsOnPrevious } from "./lowering.ts";
import { loweringResponses } from "./objectives.ts";
import { versionOf } from "./outcome.ts";
import { copyId, isOlder } from "./peers.ts";
import { waveAt } from "./plans.ts";
import { committedPercent, type HistoryEntry, type Hold, type Instant, type RolloutRecord } from "./record.ts";
import { RecordDraft } from "./record-draft.ts";

/** A hold and the region that decided it. */
export interface FromPeer {
  readonly region: string;
  readonly hold: Hold;
}

/** What comes of being told. */
export type Received =
  /** There is nothing to hold, or it is held already. */
  | { readonly kind: "nothing"; readonly why: "no-service" | "no-release" | "known" }
  /** Its hook is of a version that knows no holds from elsewhere, and would take the whole record for garbage. */
  | { readonly kind: "older" }
  | { readonly kind: "held"; readonly record: RolloutRecord; readonly history: readonly HistoryEntry[] }
  /** The service only observes: written down, and nothing is done (B13). */
  | { readonly kind: "observed"; readonly history: readonly HistoryEntry[] };

/** @param before this region's record; `undefined`: it has no such service */
export function receiveHold(before: RolloutRecord | undefined, from: FromPeer, now: Instant): Received {
  const { hold } = from;
  if (!before || before.retiredAt !== undefined) return { kind: "nothing", why: "no-service" };
  // Digests alone: what else bears the same version text is another release.
  if (before.releases[hold.digest] === undefined) return { kind: "nothing", why: "no-release" };
  if (isOlder(before)) return { kind: "older" };
  const id = copyId(from.region, hold.id);
  const known = before.holds[id];
  // A second step of the same breach goes lower, and opens an acknowledged latch no less than here.
  const goesFurther = loweringResponses.has(hold.response) && hold.targetPercent < (known?.targetPercent ?? 101);
  if (known && !(goesFurther && loweringResponses.has(known.response))) return { kind: "nothing", why: "known" };
  const draft = new RecordDraft(before, now);
  const detail = `${from.region} (${hold.cause}): ${hold.detail}`;
  if (before.mode === "observe") {
    draft.tell("would-respond", `observing: ${detail} would ${hold.response} to ${hold.targetPercent} %`);
    return { kind: "observed", history: draft.history };
  }
  const effect = effectHere(before, hold, now);
  draft.putHold(
    holdOf(before, {
      id,
      scope: "digest",
      digest: hold.digest,
      at: now,
      cause: "peer",
      detail,
      response: effect.response,
      targetPercent: effect.targetPercent,
    }),
  );
  draft.page(
    `${id}-to-${effect.targetPercent}`,
    effect.wakes ? "critical" : "warning",
    `${before.service}: HELD by ${from.region}, ${versionOf(before, hold.digest)} ${effect.text}; there: ${hold.detail}`,
    `look at the release; then acknowledge here and in ${from.region}, each region for itself`,
    { runbook: "peer-hold", holdId: id },
  );
  return { kind: "held", record: draft.finish(), history: draft.history };
}

interface Effect extends Pick<Hold, "response" | "targetPercent"> {
  /** What becomes of the release here, in words that follow its version. */
  readonly text: string;
  /** Users here are on it, and it goes out or may not move. */
  readonly wakes: boolean;
}

/** Decided once, from the exposure that the release has here now, and stored. */
function effectHere(record: RolloutRecord, { digest, cause, response, targetPercent }: Hold, now: Instant): Effect {
  const lowers = loweringResponses.has(response);
  if (digest === record.baseline) {
    const inWindow = lowers && record.previous !== undefined && record.previous.until > now;
    const returns = inWindow && holdsOnPrevious(record).length === 0;
    return returns
      ? { response, targetPercent: 0, text: "gives all traffic back to the previous release", wakes: true }
      : {
          response: "freeze",
          targetPercent: 100 - committedPercent(record),
          text: inWindow
            ? `is the baseline here and the previous release is held too (${holdsOnPrevious(record)
                .map((held) => held.id)
                .join(", ")})`
            : "is the baseline here and no other release can take its traffic",
          wakes: true,
        };
  }
  const percent = record.canary?.digest === digest ? committedPercent(record) : 0;
  // A wave that only people lower is lowered by a person's kill all the same.
  const byHuman = cause !== "kill" && waveAt(record.plan, percent)?.lowering === "human";
  if (lowers && !byHuman) {
    const to = Math.min(percent, targetPercent);
    return {
      response,
      targetPercent,
      text:
        to < percent
          ? `goes from ${percent} % to ${to} % within a minute`
          : percent > 0
            ? `stays at ${percent} %`
            : "has no traffic here and gets none",
      wakes: percent > 0 && to === 0,
    };
  }
  return {
    response: "freeze",
    targetPercent: percent,
    text: `stays at ${percent} %${lowers ? "; lowering at this wave is a human's decision" : ""}`,
    wakes: percent > 0,
  };
}
