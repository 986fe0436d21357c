/** Nothing measured: a release that went silent is a breach, everything silent is a freeze (B8). */
import { breachKey, noDataObjective, openBreach } from "./breaches.ts";
import { holdOf } from "./lowering.ts";
import type { Observation } from "./observation.ts";
import type { RecordDraft } from "./record-draft.ts";

/** After a canary was lost from the metrics, as long until its absence counts again. Unit: seconds. */
const noDataSettleSeconds = 600;

/** No data while exposed becomes a breach once there must have been some; everything missing freezes (B8). */
export function watchBlindness(draft: RecordDraft, seen: Observation): void {
  const { record, now } = draft;
  const canary = record.canary;
  if (!canary || canary.exposurePercent === 0 || seen.visibility === "seen") {
    if (record.blindSince !== undefined) draft.drop("blindSince");
    return;
  }
  if (seen.visibility === "canary-missing") {
    // The others are seen: not everything is missing.
    if (record.blindSince !== undefined) draft.drop("blindSince");
    if (!record.breaches[breachKey(noDataObjective, "critical", canary.digest)]) {
      openBreach(
        draft,
        seen,
        {
          digest: canary.digest,
          objective: noDataObjective,
          severity: "critical",
          response: "disable",
          mode: record.mode,
          disableAnyway: false,
        },
        noDataSettleSeconds,
      );
    }
    return;
  }
  if (seen.visibility !== "all-missing") return;
  if (record.blindSince === undefined) {
    draft.set({ blindSince: now });
    return;
  }
  const blindFor = now - record.blindSince;
  const alreadyHeld = Object.values(record.holds).some(
    (hold) => hold.cause === "blind" && hold.at >= (record.blindSince ?? 0),
  );
  if (blindFor < record.blindMinutes * 60_000 || alreadyHeld) return;
  if (record.mode === "observe") return;
  const id = `blind-${now}`;
  const detail = `nothing was measured for ${record.blindMinutes} min at ${canary.exposurePercent} %`;
  draft.putHold(
    holdOf(record, {
      id,
      scope: "service",
      digest: canary.digest,
      at: now,
      cause: "blind",
      detail,
      response: "freeze",
      targetPercent: canary.exposurePercent,
    }),
  );
  draft.page(
    id,
    "critical",
    `${record.service}: FROZEN at ${canary.exposurePercent} %, ${detail}`,
    "no verdict is possible; look at the metrics, decide whether to kill",
    { runbook: "no-data", holdId: id },
  );
}
