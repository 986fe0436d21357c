import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  ProvisionedThroughputExceededException,
  PutItemCommand,
  QueryCommand,
  ResourceNotFoundException,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import { AwsCallError } from "../../../hooks/aws/call.ts";
import { dynamoRecordStore, RecordWriteTimeoutError } from "../../../hooks/aws/record-store.ts";
import { RevisionConflictError } from "../../../hooks/ports.ts";
import { aFullRecord } from "../../contract/a-record.ts";

function scene(writeLimitMilliseconds?: number) {
  const client = new DynamoDBClient({ region: "eu-west-1" });
  const mock = mockClient(client);
  return { mock, store: dynamoRecordStore(client, { tableName: "records", writeLimitMilliseconds }) };
}

const told = { $metadata: { requestId: "request-1" } };
const throttled = new ProvisionedThroughputExceededException({ ...told, message: "slow down" });
const noTable = new ResourceNotFoundException({ ...told, message: "no such table" });
const cancelled = (...Code: string[]) =>
  new TransactionCanceledException({
    ...told,
    message: "cancelled",
    CancellationReasons: Code.map((each) => ({ Code: each })),
  });

describe("record store on DynamoDB", () => {
  it("replaces a record with one conditional put and nothing else", async () => {
    const { mock, store } = scene();
    mock.on(PutItemCommand).resolves({});
    await store.write(aFullRecord({ revision: 8 }), 7);
    expect(mock.calls()).toHaveLength(1);
    const input = mock.commandCalls(PutItemCommand)[0]?.args[0].input;
    expect(input).toMatchObject({
      TableName: "records",
      ConditionExpression: "revision = :expected",
      ExpressionAttributeValues: { ":expected": { N: "7" } },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    expect(input?.Item).toMatchObject({
      pk: { S: "service#checkout" },
      sk: { S: "record" },
      revision: { N: "8" },
      schemaVersion: { N: "1" },
    });
    expect(JSON.parse(input?.Item?.body?.S ?? "")).toEqual(aFullRecord({ revision: 8 }));
  });

  it("creates record and name in one transaction, only where there is no record", async () => {
    const { mock, store } = scene();
    mock.on(TransactWriteItemsCommand).resolves({});
    await store.write(aFullRecord(), undefined);
    expect(mock.calls()).toHaveLength(1);
    const puts = mock.commandCalls(TransactWriteItemsCommand)[0]?.args[0].input.TransactItems ?? [];
    expect(puts.map(({ Put }) => [Put?.Item?.pk?.S, Put?.Item?.sk?.S, Put?.ConditionExpression])).toEqual([
      ["service#checkout", "record", "attribute_not_exists(pk)"],
      ["services", "checkout", undefined],
    ]);
  });

  it("reads consistently", async () => {
    const { mock, store } = scene();
    mock.on(GetItemCommand).resolves({});
    await store.read("checkout");
    expect(mock.commandCalls(GetItemCommand)[0]?.args[0].input).toEqual({
      TableName: "records",
      Key: { pk: { S: "service#checkout" }, sk: { S: "record" } },
      ConsistentRead: true,
    });
  });

  it("has won when a retry fails its condition on our own earlier try", async () => {
    const { mock, store } = scene();
    mock.on(PutItemCommand).callsFake((input) => {
      throw new ConditionalCheckFailedException({ ...told, message: "failed", Item: input.Item });
    });
    await expect(store.write(aFullRecord({ revision: 2 }), 1)).resolves.toBeUndefined();
  });

  it("has lost when the same bytes were stored by someone else", async () => {
    const { mock, store } = scene();
    mock.on(PutItemCommand).callsFake((input) => {
      const Item = { ...input.Item, writeId: { S: "of another writer" } };
      throw new ConditionalCheckFailedException({ ...told, message: "failed", Item });
    });
    const writing = store.write(aFullRecord({ revision: 2 }), 1);
    await expect(writing).rejects.toThrow(RevisionConflictError);
    await expect(writing).rejects.toThrow(
      "table records, service checkout: the record changed since it was read, got revision 2; expected revision 1. Read it again and decide anew",
    );
  });

  it("calls it a conflict when another transaction is on the record", async () => {
    const { mock, store } = scene();
    mock.on(TransactWriteItemsCommand).rejects(cancelled("TransactionConflict", "None"));
    await expect(store.write(aFullRecord(), undefined)).rejects.toThrow(RevisionConflictError);
  });

  it("does not call it a conflict when a transaction was cancelled for another reason", async () => {
    const { mock, store } = scene();
    mock.on(TransactWriteItemsCommand).rejects(cancelled("None", "ThrottlingError"));
    await expect(store.write(aFullRecord(), undefined)).rejects.toThrow(AwsCallError);
  });

  it("gives up a write at its limit and says that it may be stored", async () => {
    const { mock, store } = scene(1);
    mock.on(PutItemCommand).callsFake(() => new Promise(() => {}));
    const writing = store.write(aFullRecord({ revision: 2 }), 1);
    await expect(writing).rejects.toThrow(RecordWriteTimeoutError);
    await expect(writing).rejects.toThrow(
      "table records, service checkout: writing the record took longer than 1 ms; it may or may not be stored. Read it again before deciding",
    );
  });

  it.each([
    ["is unreadable for every later reader", aFullRecord({ revision: 2, ceilings: { a: Number.NaN } }), /ceilings\.a/],
    ["has a newer schema version", aFullRecord({ revision: 2, schemaVersion: 2 }), /schema version 2/],
    ["does not move the revision", aFullRecord({ revision: 1 }), /revision does not rise, got 1; expected above 1/],
  ])("sends nothing when the record %s", async (_why, record, reason) => {
    const { mock, store } = scene();
    await expect(store.write(record, 1)).rejects.toThrow(reason);
    expect(mock.calls()).toHaveLength(0);
  });

  it("throws throttling on every call, with the place and the cause", async () => {
    const { mock, store } = scene();
    mock.onAnyCommand().rejects(throttled);
    const entry = { at: 0, kind: "note", message: "", exposurePercent: 0 };
    const calls: [string, () => Promise<unknown>][] = [
      ["reading its record", () => store.read("checkout")],
      ["writing the record", () => store.write(aFullRecord({ revision: 2 }), 1)],
      ["writing the record", () => store.write(aFullRecord(), undefined)],
      ["listing the services", () => store.list()],
      ["appending 1 history entries", () => store.appendHistory("checkout", [entry])],
      ["reading its history", () => store.history("checkout")],
      ["reading its heartbeat", () => store.readHeartbeat("checkout")],
      ["writing its heartbeat", () => store.writeHeartbeat("checkout", 0)],
    ];
    for (const [doing, send] of calls) {
      const failure = await send().then(
        () => "nothing thrown",
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(AwsCallError);
      expect(String(failure)).toMatch(
        new RegExp(`table records.*: ${doing} failed, got ProvisionedThroughputExceededException: slow down$`),
      );
      expect(failure).toMatchObject({ cause: { requestId: "request-1" } });
    }
  });

  it("reads undefined from a missing table, and throws it on every other call", async () => {
    const { mock, store } = scene();
    mock.onAnyCommand().rejects(noTable);
    expect(await store.read("checkout")).toBeUndefined();
    await expect(store.readHeartbeat("checkout")).rejects.toThrow(/ResourceNotFoundException: no such table/);
    await expect(store.list()).rejects.toThrow(/ResourceNotFoundException: no such table/);
    await expect(store.history("checkout")).rejects.toThrow(/ResourceNotFoundException: no such table/);
    await expect(store.write(aFullRecord(), undefined)).rejects.toThrow(/ResourceNotFoundException: no such table/);
  });

  it("follows every page of the list and of a history", async () => {
    const { mock, store } = scene();
    const item = (message: string) => ({
      entry: { S: JSON.stringify({ at: 0, kind: "note", message, exposurePercent: 0 }) },
    });
    const LastEvaluatedKey = { pk: { S: "services" }, sk: { S: "b" } };
    const pages = [
      { Items: [{ sk: { S: "a" } }, { sk: { S: "b" } }], LastEvaluatedKey },
      { Items: [{ sk: { S: "c" } }] },
      { Items: [item("first")], LastEvaluatedKey },
      { Items: [], LastEvaluatedKey },
      { Items: [item("last")] },
    ];
    // Noted at the call: the SDK's paginator reuses one input object.
    const asked: unknown[] = [];
    mock.on(QueryCommand).callsFake((input) => {
      asked.push([input.ConsistentRead, input.ExclusiveStartKey?.sk.S]);
      return pages[asked.length - 1];
    });
    expect(await store.list()).toEqual(["a", "b", "c"]);
    expect((await store.history("checkout")).map((entry) => entry.message)).toEqual(["first", "last"]);
    expect(asked).toEqual([
      [true, undefined],
      [true, "b"],
      [true, undefined],
      [true, "b"],
      [true, "b"],
    ]);
  });

  it("appends history in transactions of at most 100, in order, and calls nothing for no entry", async () => {
    const { mock, store } = scene();
    mock.on(TransactWriteItemsCommand).resolves({});
    await store.appendHistory("checkout", []);
    expect(mock.calls()).toHaveLength(0);
    const entries = Array.from({ length: 201 }, () => ({ at: 0, kind: "note", message: "", exposurePercent: 0 }));
    await store.appendHistory("checkout", entries);
    const batches = mock.commandCalls(TransactWriteItemsCommand).map((call) => call.args[0].input.TransactItems ?? []);
    expect(batches.map((batch) => batch.length)).toEqual([100, 100, 1]);
    const keys = batches.flat().map((action) => action.Put?.Item?.sk?.S ?? "");
    expect([...keys].sort()).toEqual(keys);
    expect(new Set(keys).size).toBe(201);
    expect(keys[0]).toMatch(/^history#1970-01-01T00:00:00\.000Z#/);
  });

  it("refuses an unreadable history item or heartbeat by name", async () => {
    const { mock, store } = scene();
    mock.on(QueryCommand).resolves({ Items: [{ sk: { S: "history#x" }, entry: { S: '{"at":"noon"}' } }] });
    mock.on(GetItemCommand).resolves({ Item: { at: { S: "noon" } } });
    await expect(store.history("checkout")).rejects.toThrow(/history item history#x is unreadable: at: /);
    await expect(store.readHeartbeat("checkout")).rejects.toThrow('heartbeat has no time, got {"S":"noon"}');
  });
});
