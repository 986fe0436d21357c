/**
 * What every record store must do, whatever it is made of. Run against the rehearsal's store and against DynamoDB.
 */
import { describe, expect, it } from "vitest";
import type { HistoryEntry } from "../../core/record.ts";
import { type RecordStore, RecordUnreadableError, RevisionConflictError } from "../../hooks/ports.ts";
import { aFullRecord } from "./a-record.ts";
import { aSnapshot } from "./a-snapshot.ts";

/** A store with nothing in it, and a way round it. */
export interface RecordStoreUnderTest {
  readonly store: RecordStore;
  /** Puts any value where the service's record would be, as no `write` would. */
  plant(service: string, value: unknown): Promise<void>;
  /** Puts any value where the snapshot would be. */
  plantSnapshot(service: string, id: string, value: unknown): Promise<void>;
  /** A store as it is before its table exists; left out where that cannot be. */
  readonly storeWithoutTable?: RecordStore;
}

/** Registers the suite. `makeStore` is called once a test. */
export function describeRecordStoreContract(name: string, makeStore: () => Promise<RecordStoreUnderTest>): void {
  describe(`record store contract: ${name}`, () => {
    it("answers undefined for a service without a record", async () => {
      const { store } = await makeStore();
      expect(await store.read("checkout")).toBeUndefined();
      expect(await store.readHeartbeat("checkout")).toBeUndefined();
      expect(await store.history("checkout")).toEqual([]);
      expect(await store.list()).toEqual([]);
    });

    it("answers undefined where there is no table yet, and throws every write to it", async ({ skip }) => {
      const { storeWithoutTable } = await makeStore();
      if (storeWithoutTable === undefined) return skip("this store always has its table");
      expect(await storeWithoutTable.read("checkout")).toBeUndefined();
      await expect(storeWithoutTable.write(aFullRecord(), undefined)).rejects.toThrow(/checkout/);
    });

    it("gives back exactly what was written, every optional field included", async () => {
      const { store } = await makeStore();
      const record = aFullRecord();
      await store.write(record, undefined);
      expect(await store.read("checkout")).toStrictEqual(record);
    });

    it("gives back exactly what was written, every optional field left out", async () => {
      const { store } = await makeStore();
      const { stickinessSeconds, canary, previous, lastIntent, lease, paused, blindSince, retiredAt, ...bare } =
        aFullRecord({ releases: {}, holds: {}, breaches: {}, ceilings: {}, rules: [], alarms: [], outbox: [] });
      expect([stickinessSeconds, canary, previous, lastIntent, lease, paused, blindSince, retiredAt]).not.toContain(
        undefined,
      );
      await store.write(bare, undefined);
      expect(await store.read("checkout")).toStrictEqual(bare);
    });

    it("keeps what it has: changing what was written or read changes nothing stored, or cannot be done", async () => {
      const { store } = await makeStore();
      const record = structuredClone(aFullRecord());
      await store.write(record, undefined);
      Object.assign(record.ceilings, { "sha256:aaaa": 1 });
      const first = await store.read("checkout");
      try {
        Object.assign(first?.ceilings ?? {}, { "sha256:aaaa": 2 });
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
      }
      expect(await store.read("checkout")).toStrictEqual(aFullRecord());
    });

    it("replaces a record whose revision is the expected one", async () => {
      const { store } = await makeStore();
      await store.write(aFullRecord({ revision: 1 }), undefined);
      const { lease, ...unleased } = aFullRecord({ revision: 2 });
      expect(lease).toBeDefined();
      await store.write(unleased, 1);
      expect(await store.read("checkout")).toStrictEqual(unleased);
    });

    it("refuses a write on a stale revision and keeps what is there", async () => {
      const { store } = await makeStore();
      await store.write(aFullRecord({ revision: 1 }), undefined);
      await store.write(aFullRecord({ revision: 2 }), 1);
      await expect(store.write(aFullRecord({ revision: 3, mode: "observe" }), 1)).rejects.toThrow(
        RevisionConflictError,
      );
      expect(await store.read("checkout")).toStrictEqual(aFullRecord({ revision: 2 }));
    });

    it("refuses to create a record twice", async () => {
      const { store } = await makeStore();
      await store.write(aFullRecord(), undefined);
      await expect(store.write(aFullRecord({ mode: "observe" }), undefined)).rejects.toThrow(RevisionConflictError);
      expect(await store.read("checkout")).toStrictEqual(aFullRecord());
    });

    it("refuses to replace a record that is not there", async () => {
      const { store } = await makeStore();
      await expect(store.write(aFullRecord({ revision: 5 }), 4)).rejects.toThrow(RevisionConflictError);
      expect(await store.read("checkout")).toBeUndefined();
    });

    it.each([
      { act: "replacing one record", expected: 1, revision: 2 },
      { act: "creating the record", expected: undefined, revision: 1 },
    ])("lets one of 20 racing writers win, $act", async ({ expected, revision }) => {
      const { store } = await makeStore();
      if (expected !== undefined) await store.write(aFullRecord(), undefined);
      // The first two write the very same bytes: even so, only one of them may believe that it won.
      const records = Array.from({ length: 20 }, (_, index) =>
        aFullRecord({ revision, realityGeneration: Math.max(index, 1) }),
      );
      const outcomes = await Promise.allSettled(records.map((record) => store.write(record, expected)));
      const winners = records.filter((_, index) => outcomes[index]?.status === "fulfilled");
      const losses = outcomes.filter((outcome) => outcome.status === "rejected").map((outcome) => outcome.reason);
      expect(winners).toHaveLength(1);
      for (const loss of losses) expect(loss).toBeInstanceOf(RevisionConflictError);
      expect(await store.read("checkout")).toStrictEqual(winners[0]);
    });

    it.each([
      ["a newer schema", { ...aFullRecord(), schemaVersion: 2 }, /schema version 2/],
      ["a newer schema of another shape", { schemaVersion: 9, anything: true }, /schema version 9/],
      ["a missing field", { ...aFullRecord(), ceilings: undefined }, /ceilings/],
      ["a field unknown here", { ...aFullRecord(), canary2: {} }, /canary2/],
      ["a percent above 100", aFullRecord({ ceilings: { "sha256:aaaa": 101 } }), /ceilings/],
      ["a record of another service", aFullRecord({ service: "search" }), /search/],
      ["no schema version", { revision: 1 }, /schemaVersion/],
      ["a text", "not a record", /schemaVersion/],
      ["nothing", null, /schemaVersion/],
    ])("refuses by name to read %s", async (_what, value, reason) => {
      const { store, plant } = await makeStore();
      await plant("checkout", value);
      const failure = await store.read("checkout").then(
        () => "it was read",
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(RecordUnreadableError);
      expect(String(failure)).toMatch(reason);
    });

    it("keeps history oldest first, in appended order within one instant", async () => {
      const { store } = await makeStore();
      const entry = (at: number, message: string): HistoryEntry => ({
        at,
        kind: "note",
        message,
        exposurePercent: 12.5,
      });
      const noon = Date.UTC(2026, 0, 5, 12);
      await store.appendHistory("checkout", [entry(noon, "second"), entry(noon, "third")]);
      await store.appendHistory("checkout", [entry(noon, "fourth")]);
      await store.appendHistory("checkout", [entry(noon + 1, "fifth"), entry(noon - 60_000, "first")]);
      await store.appendHistory("checkout", []);
      await store.appendHistory("search", [entry(noon, "of another service")]);
      expect(await store.history("checkout")).toEqual([
        entry(noon - 60_000, "first"),
        entry(noon, "second"),
        entry(noon, "third"),
        entry(noon, "fourth"),
        entry(noon + 1, "fifth"),
      ]);
    });

    it("keeps a long history whole", async () => {
      const { store } = await makeStore();
      const entries = Array.from({ length: 230 }, (_, index) => ({
        at: Date.UTC(2026, 0, 5) + index,
        kind: "note",
        message: `${index} ${"x".repeat(8_000)}`,
        exposurePercent: 0,
      }));
      await store.appendHistory("checkout", entries);
      expect(await store.history("checkout")).toEqual(entries);
    });

    it("keeps the heartbeat beside the record: no revision moves, no record appears", async () => {
      const { store } = await makeStore();
      await store.writeHeartbeat("search", 5);
      await store.write(aFullRecord(), undefined);
      await store.writeHeartbeat("checkout", 1_767_607_200_000);
      await store.writeHeartbeat("checkout", 1_767_607_260_000);
      expect(await store.readHeartbeat("checkout")).toBe(1_767_607_260_000);
      expect(await store.read("checkout")).toStrictEqual(aFullRecord());
      expect(await store.read("search")).toBeUndefined();
      expect(await store.list()).toEqual(["checkout"]);
    });

    it("lists every service with a record once, ascending, retired ones too", async () => {
      const { store } = await makeStore();
      await store.write(aFullRecord({ service: "search" }), undefined);
      await store.write(aFullRecord({ service: "basket" }), undefined);
      await store.write(aFullRecord({ service: "checkout" }), undefined);
      await store.write(aFullRecord({ service: "checkout", revision: 2 }), 1);
      await store.appendHistory("orders", [{ at: 0, kind: "note", message: "no record", exposurePercent: 0 }]);
      expect(await store.list()).toEqual(["basket", "checkout", "search"]);
    });

    it("gives back exactly the snapshot that was written, under its id, every optional field included [B6]", async () => {
      const { store } = await makeStore();
      expect(await store.readSnapshot("checkout", "hold-1")).toBeUndefined();
      const { alarms: _alarms, values: _values, live: _live, health: _health, ...bare } = aSnapshot({ id: "hold-2" });
      await store.writeSnapshot(aSnapshot());
      await store.writeSnapshot(bare);
      expect(await store.readSnapshot("checkout", "hold-1")).toStrictEqual(aSnapshot());
      expect(await store.readSnapshot("checkout", "hold-2")).toStrictEqual(bare);
      expect(await store.readSnapshot("search", "hold-1")).toBeUndefined();
      expect(await store.read("checkout")).toBeUndefined();
      expect(await store.history("checkout")).toEqual([]);
      expect(await store.list()).toEqual([]);
    });

    it("replaces a snapshot of the same id, and gives fresh copies [B6]", async () => {
      const { store } = await makeStore();
      await store.writeSnapshot(aSnapshot());
      await store.writeSnapshot(aSnapshot({ gaps: ["alarms: throttled"] }));
      const read = await store.readSnapshot("checkout", "hold-1");
      expect(read?.gaps).toEqual(["alarms: throttled"]);
      Object.assign(read ?? {}, { environment: "changed" });
      expect((await store.readSnapshot("checkout", "hold-1"))?.environment).toBe("production");
    });

    it("thins the oldest points of a snapshot that is too large, says so, and never refuses it [B6]", async () => {
      const { store } = await makeStore();
      const points = Array.from({ length: 3_000 }, (_, index) => ({ at: index * 60_000, value: index + 0.123456789 }));
      const values = ["a", "b", "c", "d"].map((alarmName) => ({
        alarmName,
        threshold: 2,
        badWhen: "above" as const,
        points,
      }));
      await store.writeSnapshot(aSnapshot({ values, gaps: ["health: throttled"] }));
      const read = await store.readSnapshot("checkout", "hold-1");
      const kept = read?.values?.[0]?.points.length ?? 0;
      expect(kept).toBeGreaterThan(2_000);
      expect(kept).toBeLessThan(3_000);
      expect(read?.values?.map((alarm) => alarm.points)).toEqual(values.map(() => points.slice(-kept)));
      expect(read?.gaps).toEqual([
        "health: throttled",
        `values: the oldest points were left out, the snapshot was too large for one item; the newest ${kept} of up to 3000 of each alarm are kept`,
      ]);
    });

    it.each([
      ["a newer schema", { ...aSnapshot(), schemaVersion: 2 }, /schema version 2; this version knows 1/],
      ["an unknown field", { ...aSnapshot(), mood: "calm" }, /mood/],
      ["a record of garbage", { ...aSnapshot(), record: {} }, /record\.revision/],
      ["the snapshot of another service", aSnapshot({ service: "search" }), /it is the snapshot hold-1 of search/],
      ["a text", "not a snapshot", /schemaVersion/],
    ])("refuses by name to read a snapshot that is %s [B6]", async (_what, value, reason) => {
      const { store, plantSnapshot } = await makeStore();
      await plantSnapshot("checkout", "hold-1", value);
      const failure = await store.readSnapshot("checkout", "hold-1").then(
        () => "it was read",
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(RecordUnreadableError);
      expect(String(failure)).toMatch(reason);
    });

    it("refuses to write a snapshot that nobody could read back [B6]", async () => {
      const { store } = await makeStore();
      const points = [{ at: 0, value: Number.NaN }];
      const values = [{ alarmName: "a", threshold: 1, badWhen: "above" as const, points }];
      await expect(store.writeSnapshot(aSnapshot({ values }))).rejects.toThrow(
        /refusing to write a snapshot that is unreadable: it is no snapshot: values\.0\.points\.0\.value/,
      );
      expect(await store.readSnapshot("checkout", "hold-1")).toBeUndefined();
    });

    it("keeps the environment's one drill, apart from every service [D4]", async () => {
      const { store } = await makeStore();
      expect(await store.readDrill()).toBeUndefined();
      await store.writeDrill({ armedAt: 1_767_607_200_000 });
      expect(await store.readDrill()).toStrictEqual({ armedAt: 1_767_607_200_000 });
      await store.writeDrill({ armedAt: 1_767_607_200_000, startedAt: 1_767_607_260_000 });
      await store.writeDrill({ armedAt: 1, startedAt: 2, arrivedAt: 3 });
      expect(await store.readDrill()).toStrictEqual({ armedAt: 1, startedAt: 2, arrivedAt: 3 });
      await store.writeDrill({ armedAt: 1, startedAt: 4, arrivedAt: undefined });
      expect(await store.readDrill()).toStrictEqual({ armedAt: 1, startedAt: 4 });
      expect(await store.list()).toEqual([]);
    });

    it("keeps services apart whose names begin alike", async () => {
      const { store } = await makeStore();
      await store.write(aFullRecord({ service: "shop" }), undefined);
      await store.write(aFullRecord({ service: "shop-api", realityGeneration: 9 }), undefined);
      expect((await store.read("shop"))?.realityGeneration).toBe(7);
      expect((await store.read("shop-api"))?.realityGeneration).toBe(9);
    });
  });
}
