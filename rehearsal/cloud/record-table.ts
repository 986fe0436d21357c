/** Records, their history, snapshots and drills as DynamoDB keeps them: conditional writes, copies in and out, nothing where there is no table. */
import type { HistoryEntry, Instant, RolloutRecord } from "../../core/record.ts";
import { judgeRecord } from "../../hooks/aws/record-schema.ts";
import { readableSnapshot, writableSnapshot } from "../../hooks/aws/snapshot-schema.ts";
import { type DrillState, type RecordStore, RecordUnreadableError, RevisionConflictError } from "../../hooks/ports.ts";
import { ProviderRefusedError } from "../engine/errors.ts";

interface Item {
  readonly text: string;
  /** Judged when it was written; anything else is judged at every read. */
  readonly trusted: boolean;
  readonly revision: number | undefined;
}

export class RecordTable {
  readonly #items = new Map<string, Item>();
  readonly #seen = new Map<string, { readonly item: Item; readonly record: RolloutRecord }>();
  readonly #history = new Map<string, HistoryEntry[]>();
  readonly #heartbeats = new Map<string, Instant>();
  /** JSON texts by service and id. */
  readonly #snapshots = new Map<string, string>();
  #drill: DrillState | undefined;
  readonly #onHistory: (service: string, entry: HistoryEntry) => void;
  /** Its name; undefined: there is none (yet). */
  tableName: string | undefined;

  constructor(onHistory: (service: string, entry: HistoryEntry) => void = () => {}) {
    this.#onHistory = onHistory;
  }

  /** Any value where a record would be, as no write would leave it. */
  plant(service: string, value: unknown): void {
    this.#items.set(service, { text: JSON.stringify(value), trusted: false, revision: undefined });
  }

  /** Any value where a snapshot would be. */
  plantSnapshot(service: string, id: string, value: unknown): void {
    this.#snapshots.set(snapshotKey(service, id), JSON.stringify(value));
  }

  #refuseWithoutTable(service: string): void {
    this.#refuseAllWithoutTable(`service ${service}`);
  }

  #refuseAllWithoutTable(place: string): void {
    if (this.tableName === undefined) throw new ProviderRefusedError(`${place}: the record table does not exist`);
  }

  #read(service: string): RolloutRecord | undefined {
    const item = this.tableName === undefined ? undefined : this.#items.get(service);
    if (!item) return undefined;
    const value: unknown = JSON.parse(item.text);
    if (item.trusted) return value as RolloutRecord;
    const judged = judgeRecord(value);
    if ("reason" in judged)
      throw new RecordUnreadableError(`service ${service}: the record is unreadable: ${judged.reason}`);
    if (judged.record.service !== service) {
      throw new RecordUnreadableError(
        `service ${service}: the record is unreadable: it is the record of ${judged.record.service}`,
      );
    }
    return judged.record;
  }

  #write(record: RolloutRecord, expectedRevision: number | undefined): void {
    const { service } = record;
    this.#refuseWithoutTable(service);
    const text = JSON.stringify(record);
    const judged = judgeRecord(JSON.parse(text));
    if ("reason" in judged)
      throw new TypeError(`service ${service}: refusing to write an unreadable record: ${judged.reason}`);
    if (expectedRevision !== undefined && record.revision <= expectedRevision) {
      throw new TypeError(
        `service ${service}: refusing to write a record whose revision does not rise, got ${record.revision}; expected above ${expectedRevision}`,
      );
    }
    const stored = this.#items.get(service);
    if (stored?.revision !== expectedRevision) {
      throw new RevisionConflictError(
        `service ${service}: somebody else wrote the record, found revision ${stored?.revision ?? "none"}; expected ${expectedRevision ?? "none"}`,
      );
    }
    this.#items.set(service, { text, trusted: true, revision: record.revision });
  }

  /** When reconcile last finished, without a promise. */
  beat(service: string, at: Instant): void {
    this.#refuseWithoutTable(service);
    this.#heartbeats.set(service, at);
  }

  services(): string[] {
    return this.tableName === undefined ? [] : [...this.#items.keys()].sort();
  }

  store(): RecordStore {
    return {
      read: async (service) => this.record(service),
      write: async (record, expectedRevision) => this.#write(record, expectedRevision),
      list: async () => this.services(),
      appendHistory: async (service, entries) => {
        this.#refuseWithoutTable(service);
        const history = this.#history.get(service) ?? [];
        for (const entry of entries) {
          history.push({ ...entry });
          this.#onHistory(service, { ...entry });
        }
        this.#history.set(service, history);
      },
      history: async (service) =>
        // Sorting is stable: within one instant entries stay in the order in which they came.
        (this.#history.get(service) ?? []).map((entry) => ({ ...entry })).sort((left, right) => left.at - right.at),
      readHeartbeat: async (service) => this.#heartbeats.get(service),
      writeHeartbeat: async (service, at) => this.beat(service, at),
      writeSnapshot: async (snapshot) => {
        const { service, id } = snapshot;
        this.#refuseWithoutTable(service);
        const text = writableSnapshot(`service ${service}, snapshot ${id}`, snapshot);
        this.#snapshots.set(snapshotKey(service, id), text);
      },
      readSnapshot: async (service, id) => {
        this.#refuseWithoutTable(service);
        const text = this.#snapshots.get(snapshotKey(service, id));
        if (text === undefined) return undefined;
        return readableSnapshot(`service ${service}, snapshot ${id}`, service, id, text);
      },
      readDrill: async () => {
        this.#refuseAllWithoutTable("drill");
        return this.#drill && { ...this.#drill };
      },
      writeDrill: async (state) => {
        this.#refuseAllWithoutTable("drill");
        // As text and back: what is absent there is absent here.
        this.#drill = JSON.parse(JSON.stringify(state));
      },
    };
  }

  /** The record as it is, the very same object until it is written again; frozen, so that nobody can change what is stored. */
  record(service: string): RolloutRecord | undefined {
    const item = this.tableName === undefined ? undefined : this.#items.get(service);
    if (!item) return undefined;
    const seen = this.#seen.get(service);
    if (seen?.item === item) return seen.record;
    const record = this.#read(service);
    if (record) this.#seen.set(service, { item, record: frozen(record) });
    return record;
  }
}

function frozen<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const field of Object.values(value)) frozen(field);
  }
  return value;
}

function snapshotKey(service: string, id: string): string {
  return JSON.stringify([service, id]);
}
