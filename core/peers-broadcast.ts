/** What became of telling the peers, written down: who was told is no longer due, and of who was not people hear once. */
import { broadcastEntry, readBroadcast } from "./peers.ts";
import type { HistoryEntry, Instant, RolloutRecord, ServiceFacts } from "./record.ts";
import { RecordDraft } from "./record-draft.ts";

/** What came of telling one peer of one hold. */
export interface Told {
  readonly region: string;
  readonly holdId: string;
  /** The target that it was told of: the hold may aim lower by now, and is due again then. Unit: percent. */
  readonly targetPercent: number;
  /** Why it could not be told; absent: it was. */
  readonly failure?: string;
  /** What it made of it, in words. */
  readonly answer: string;
}

/** People hear of a peer that was not told this long after the hold: a second try may have got through. Unit: milliseconds. */
const lateMilliseconds = 120_000;

/** @returns the very same record when nothing changed */
export function settleBroadcasts(
  before: RolloutRecord,
  told: readonly Told[],
  now: Instant,
): { readonly record: RolloutRecord; readonly history: readonly HistoryEntry[] } {
  const draft = new RecordDraft(before, now);
  const due: string[] = [];
  for (const entry of before.broadcastsDue ?? []) {
    const wanted = readBroadcast(entry);
    const hold = before.holds[wanted.holdId];
    if (!hold) continue;
    if (!isPeer(before, wanted.region)) {
      draft.tell("broadcast", `${wanted.region} is no peer any more and is not told of hold ${hold.id}`);
      continue;
    }
    const outcome = told.find(({ region, holdId }) => region === wanted.region && holdId === wanted.holdId);
    if (!outcome || (outcome.failure === undefined && hold.targetPercent < outcome.targetPercent)) {
      due.push(entry);
    } else if (outcome.failure === undefined) {
      draft.tell("broadcast", `${wanted.region} was told of hold ${hold.id}: ${outcome.answer}`);
    } else if (wanted.isLate || now - hold.at < lateMilliseconds) {
      due.push(entry);
    } else {
      due.push(broadcastEntry({ ...wanted, isLate: true }));
      draft.tell("broadcast", `${wanted.region} was not told of hold ${hold.id}: ${outcome.failure}`);
      draft.page(
        `not-told-${wanted.region}-${hold.id}`,
        "critical",
        `${before.service}: ${wanted.region} WAS NOT TOLD of hold ${hold.id}, ${hold.detail}`,
        `${outcome.failure}; look at the release in that region, and kill there if it has traffic. It is tried again every minute`,
        { runbook: "peer-hold" },
      );
    }
  }
  if (JSON.stringify(due) !== JSON.stringify(before.broadcastsDue ?? [])) draft.set({ broadcastsDue: due });
  return { record: draft.finish(), history: draft.history };
}

function isPeer({ peers = [] }: Pick<ServiceFacts, "peers">, region: string): boolean {
  return peers.includes(region);
}
