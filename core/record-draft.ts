/** A record being changed: collects the new state, the history lines and the pages of one decision, written together. */

import { settledControl } from "./control.ts";
import type { Severity } from "./objectives.ts";
import { broadcastsWith } from "./peers.ts";
import {
  committedPercent,
  dedupKeyOf,
  type HistoryEntry,
  type Hold,
  type Instant,
  type Page,
  type RolloutRecord,
} from "./record.ts";
import { holdKey } from "./releases.ts";
import type { Runbook } from "./runbooks.ts";

/** Ends the dedup key of an incident that the dependency's owner is told of. */
export const ownersIncident = "/dependency";

/** What a page carries beside its words. */
export interface PageAbout {
  readonly runbook: Runbook;
  /** The hold put with it; its snapshot will have the same id. */
  readonly holdId?: string;
  /** Whom to escalate to. */
  readonly owner?: string;
}

export class RecordDraft {
  readonly before: RolloutRecord;
  readonly now: Instant;
  record: RolloutRecord;
  readonly history: HistoryEntry[] = [];

  constructor(before: RolloutRecord, now: Instant) {
    this.before = before;
    this.record = before;
    this.now = now;
  }

  set(change: Partial<RolloutRecord>): void {
    this.record = { ...this.record, ...change };
  }

  /** Drops optional fields; a spread with `undefined` would leave the key behind. */
  drop(
    ...keys: (
      | "canary"
      | "previous"
      | "lease"
      | "paused"
      | "blindSince"
      | "lastIntent"
      | "retiredAt"
      | "leavingRules"
      | "stickinessSeconds"
      | "dependencyOwner"
      | "dependencyGroup"
      | "peers"
      | "targetGroup"
      | "workload"
      | "capacity"
      | "control"
      | "promises"
      | "split"
      | "flagsOn"
      | "flagDueSince"
    )[]
  ): void {
    const next: Record<string, unknown> = { ...this.record };
    for (const key of keys) delete next[key];
    this.record = next as unknown as RolloutRecord;
  }

  tell(kind: string, message: string): void {
    this.history.push({ at: this.now, kind, message, exposurePercent: committedPercent(this.record) });
  }

  /** Puts a page in the outbox, once an id. */
  page(id: string, severity: Severity, summary: string, detail: string, about: PageAbout): void {
    if (this.record.outbox.some((page) => page.id === id)) return;
    // An incident that goes to somebody else's people is one of its own: theirs is resolved where it was sent.
    const dedupKey =
      about.owner === undefined ? dedupKeyOf(this.before) : `${dedupKeyOf(this.before)}${ownersIncident}`;
    const page: Page = { id, dedupKey, severity, summary, detail, at: this.now, ...about };
    this.set({
      outbox: [...this.record.outbox, page],
      openIncidents: [...new Set([...(this.record.openIncidents ?? []), dedupKey])],
    });
  }

  /** Puts a message in the outbox that tells and wakes nobody; no incident of it is ever open. */
  info(id: string, summary: string, detail: string): void {
    // A key of its own: under a rollout's key it would keep the incident's resolving page back.
    const page: Page = {
      id,
      dedupKey: `${dedupKeyOf(this.before)}/${id}`,
      severity: "info",
      summary,
      detail,
      at: this.now,
    };
    this.set({ outbox: [...this.record.outbox, page] });
  }

  putHold(hold: Hold): void {
    const key = holdKey(hold.digest);
    const due = broadcastsWith(this.record, hold);
    this.set({
      holds: { ...this.record.holds, [hold.id]: hold },
      snapshotsDue: [...new Set([...(this.record.snapshotsDue ?? []), hold.id])],
      // With the hold and not after it: what a crash loses nobody would tell the peers.
      ...(due.length === 0 ? {} : { broadcastsDue: due }),
      // An attempt that was held before its first commit counts too, or it could be had again.
      attempts: { ...this.record.attempts, [key]: Math.max(this.record.attempts[key] ?? 0, hold.attempt) },
    });
    this.bumpReality();
    this.tell("hold", `hold ${hold.id} (${hold.scope}): ${hold.detail}; target ${hold.targetPercent} %`);
  }

  bumpReality(): void {
    this.set({ realityGeneration: this.before.realityGeneration + 1 });
  }

  /** The changed record with its next revision, or the very same object when nothing changed. */
  finish(): RolloutRecord {
    if (this.record === this.before) return this.before;
    const control = settledControl(this.before, this.record, this.now);
    return { ...this.record, ...(control ? { control } : {}), revision: this.before.revision + 1 };
  }
}
