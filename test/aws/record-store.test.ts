/** The record store contract on DynamoDB, as ministack has it. */
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { clientSettings } from "../../hooks/aws/clients.ts";
import { recordSortKey, servicePartition, snapshotSortKey } from "../../hooks/aws/record-keys.ts";
import { dynamoRecordStore } from "../../hooks/aws/record-store.ts";
import { aFullRecord } from "../contract/a-record.ts";
import { describeRecordStoreContract } from "../contract/record-store.ts";
import { makeTable } from "./a-table.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

emulatorEndpoint("AWS_ENDPOINT_URL");
const client = new DynamoDBClient(clientSettings(access));

async function makeStore() {
  const tableName = freshName("records");
  await makeTable(client, tableName);
  return {
    tableName,
    // Generous: what is asked here is who wins, on a machine that may be busy. The limit has a unit test of its own.
    store: dynamoRecordStore(client, { tableName, writeLimitMilliseconds: 10_000 }),
    storeWithoutTable: dynamoRecordStore(client, { tableName: freshName("no-table") }),
    async plant(service: string, value: unknown) {
      const head = value as { revision?: number; schemaVersion?: number } | null;
      const Item = {
        pk: { S: servicePartition(service) },
        sk: { S: recordSortKey },
        revision: { N: String(head?.revision ?? 1) },
        schemaVersion: { N: String(head?.schemaVersion ?? 1) },
        body: { S: JSON.stringify(value) },
      };
      await client.send(new PutItemCommand({ TableName: tableName, Item }));
    },
    async plantSnapshot(service: string, id: string, value: unknown) {
      const key = { pk: { S: servicePartition(service) }, sk: { S: snapshotSortKey(id) } };
      const Item = { ...key, body: { S: JSON.stringify(value) } };
      await client.send(new PutItemCommand({ TableName: tableName, Item }));
    },
  };
}

describeRecordStoreContract("DynamoDB on ministack", makeStore);

describe("record store on DynamoDB, beyond the contract", () => {
  it("keeps revision and schema version as attributes beside the body", async () => {
    const { store, tableName } = await makeStore();
    await store.write(aFullRecord({ revision: 41 }), undefined);
    const Key = { pk: { S: "service#checkout" }, sk: { S: "record" } };
    const { Item } = await client.send(new GetItemCommand({ TableName: tableName, Key }));
    expect(Item?.revision).toEqual({ N: "41" });
    expect(Item?.schemaVersion).toEqual({ N: "1" });
  });

  it.each([
    ["whose body is no JSON", { body: { S: "{" }, revision: { N: "1" }, schemaVersion: { N: "1" } }],
    ["without a body", { revision: { N: "1" }, schemaVersion: { N: "1" } }],
    [
      "whose attributes say another revision than its body",
      { body: { S: JSON.stringify(aFullRecord()) }, revision: { N: "2" }, schemaVersion: { N: "1" } },
    ],
  ])("refuses an item %s", async (_what, attributes) => {
    const { store, tableName } = await makeStore();
    const key = { pk: { S: "service#checkout" }, sk: { S: "record" } };
    await client.send(new PutItemCommand({ TableName: tableName, Item: { ...key, ...attributes } }));
    await expect(store.read("checkout")).rejects.toThrow(
      /^table records-.*, service checkout: the record is unreadable/,
    );
  });
});
