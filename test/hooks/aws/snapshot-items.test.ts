import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Snapshot } from "../../../core/snapshot.ts";
import { dynamoRecordStore } from "../../../hooks/aws/record-store.ts";
import { fitSnapshot, judgeSnapshot, maximumSnapshotBytes } from "../../../hooks/aws/snapshot-schema.ts";
import { RecordUnreadableError } from "../../../hooks/ports.ts";
import { aFullRecord } from "../../contract/a-record.ts";
import { aSnapshot } from "../../contract/a-snapshot.ts";

function scene() {
  const client = new DynamoDBClient({ region: "eu-west-1" });
  return { mock: mockClient(client), store: dynamoRecordStore(client, { tableName: "records" }) };
}

const bytesOf = (snapshot: Snapshot) => Buffer.byteLength(JSON.stringify(snapshot));

describe("snapshots on DynamoDB", () => {
  it("are one plain item beside the record [B6]", async () => {
    const { mock, store } = scene();
    mock.on(PutItemCommand).resolves({});
    await store.writeSnapshot(aSnapshot());
    const input = mock.commandCalls(PutItemCommand)[0]?.args[0].input;
    expect(input?.Item).toEqual({
      pk: { S: "service#checkout" },
      sk: { S: "snapshot#hold-1" },
      schemaVersion: { N: "1" },
      body: { S: JSON.stringify(aSnapshot()) },
    });
    expect(input?.ConditionExpression).toBeUndefined();
  });

  it("are read consistently, and throw what AWS said [B6]", async () => {
    const { mock, store } = scene();
    mock
      .on(GetItemCommand)
      .resolvesOnce({})
      .rejects(Object.assign(new Error("slow down"), { name: "ThrottlingException" }));
    expect(await store.readSnapshot("checkout", "hold-1")).toBeUndefined();
    expect(mock.commandCalls(GetItemCommand)[0]?.args[0].input).toEqual({
      TableName: "records",
      Key: { pk: { S: "service#checkout" }, sk: { S: "snapshot#hold-1" } },
      ConsistentRead: true,
    });
    await expect(store.readSnapshot("checkout", "hold-1")).rejects.toThrow(
      "table records, service checkout, snapshot hold-1: reading it failed, got ThrottlingException: slow down",
    );
  });

  it.each([undefined, { S: "{" }, { N: "1" }])("are refused where the body is %j [B6]", async (body) => {
    const { mock, store } = scene();
    mock.on(GetItemCommand).resolves({ Item: body === undefined ? {} : { body } });
    const failure = await store.readSnapshot("checkout", "hold-1").then(String, (error: unknown) => error);
    expect(failure).toBeInstanceOf(RecordUnreadableError);
    expect(String(failure)).toContain(
      "table records, service checkout, snapshot hold-1 is unreadable: it has no schemaVersion; expected 1",
    );
  });
});

describe("a snapshot that is too large", () => {
  it("loses whole parts where points are not enough, its own hold and the record never [B6]", () => {
    const snapshot = aSnapshot({
      gaps: ["x".repeat(5_000)],
      record: aFullRecord({ releases: {}, outbox: [] }),
    });
    const smallest = fitSnapshot(snapshot, 1);
    expect(smallest.hold).toEqual(snapshot.hold);
    expect(Object.keys(smallest.record.holds)).toEqual(["hold-1"]);
    expect(smallest.gaps).toEqual([
      "x".repeat(1_000),
      "values: left out, the snapshot was too large for one item",
      "alarms: left out, the snapshot was too large for one item",
      "live: left out, the snapshot was too large for one item",
      "health: left out, the snapshot was too large for one item",
      "record: its outbox and its other holds were left out, the snapshot was too large for one item",
    ]);
    expect("reason" in judgeSnapshot(smallest)).toBe(false);
  });

  it("fits, keeps the newest points, and is as it was where it fitted [B6]", () => {
    const limit = bytesOf(aSnapshot({ values: [] })) + 2_000;
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 6 }), (lengths) => {
        const values = lengths.map((length, index) => ({
          alarmName: `alarm-${index}`,
          threshold: 1,
          badWhen: "above" as const,
          points: Array.from({ length }, (_, at) => ({ at, value: at })),
        }));
        const snapshot = aSnapshot({ values });
        const fitted = fitSnapshot(snapshot, limit);
        expect(bytesOf(fitted)).toBeLessThanOrEqual(limit);
        if (bytesOf(snapshot) <= limit) expect(fitted).toBe(snapshot);
        else expect(fitted.gaps).not.toEqual([]);
        for (const [index, alarm] of (fitted.values ?? []).entries()) {
          const before = values[index]?.points ?? [];
          expect(alarm.points).toEqual(before.slice(before.length - alarm.points.length));
        }
        expect("reason" in judgeSnapshot(fitted)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it("leaves room under DynamoDB's 400 KB for keys and attributes [B6]", () => {
    expect(maximumSnapshotBytes).toBe(399_360);
  });
});

describe("the drill on DynamoDB", () => {
  it("is one item of plain times [D4]", async () => {
    const { mock, store } = scene();
    mock.on(PutItemCommand).resolves({});
    await store.writeDrill({ armedAt: 1, startedAt: 2 });
    expect(mock.commandCalls(PutItemCommand)[0]?.args[0].input).toEqual({
      TableName: "records",
      Item: { pk: { S: "drill" }, sk: { S: "drill" }, armedAt: { N: "1" }, startedAt: { N: "2" } },
    });
  });

  it.each([
    ["without the time it was armed at", {}, "table records: drill is unreadable: it has no armedAt"],
    [
      "with a time that is none",
      { armedAt: { N: "1" }, arrivedAt: { S: "noon" } },
      'table records: drill is unreadable: arrivedAt is no time, got {"S":"noon"}',
    ],
  ])("is refused %s [D4]", async (_what, Item, message) => {
    const { mock, store } = scene();
    mock.on(GetItemCommand).resolves({ Item });
    const failure = await store.readDrill().then(String, (error: unknown) => error);
    expect(failure).toBeInstanceOf(RecordUnreadableError);
    expect(String(failure)).toContain(message);
  });
});
