/** Incidents that people were told of, and when they are over: once nothing stands any more, the same dedup key resolves them (D4). */
import { ownersIncident, type RecordDraft } from "./record-draft.ts";

/** Puts the resolving pages into the outbox, once nothing of this service is held or breached. */
export function resolveIncidents(draft: RecordDraft): void {
  const { record, now } = draft;
  const open = record.openIncidents ?? [];
  if (open.length === 0) return;
  const stands =
    Object.values(record.holds).some((hold) => !hold.acknowledged) ||
    Object.values(record.breaches).some((breach) => !breach.observed);
  // A page still waiting would open the incident again behind our back.
  const waits = record.outbox.some((page) => page.action !== "resolve" && page.severity !== "info");
  if (stands || waits) return;
  draft.set({
    openIncidents: [],
    outbox: [
      ...record.outbox,
      ...open.map((dedupKey) => ({
        id: `resolved-${now}-${dedupKey}`,
        dedupKey,
        severity: "warning" as const,
        summary: `${record.service}: over, no hold and no breach stands`,
        detail: "nothing is left to do",
        at: now,
        action: "resolve" as const,
        ...(dedupKey.endsWith(ownersIncident) && record.dependencyOwner !== undefined
          ? { owner: record.dependencyOwner }
          : {}),
      })),
    ],
  });
}
