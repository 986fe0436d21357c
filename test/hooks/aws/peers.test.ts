/** Record tables of other regions: whom they ask, and how soon they give up. */
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ResourceNotFoundException,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, it } from "vitest";
import { dynamoPeers } from "../../../hooks/aws/peers.ts";
import { RecordUnreadableError, RevisionConflictError } from "../../../hooks/ports.ts";
import { aFullRecord } from "../../contract/a-record.ts";

const dynamo = mockClient(DynamoDBClient);
const credentials = async () => ({ accessKeyId: "id", secretAccessKey: "secret" });
const peers = () => dynamoPeers({ region: "eu-west-1", credentials, tableName: "tidegate-production" });

function itemOf(record: ReturnType<typeof aFullRecord>) {
  return {
    revision: { N: String(record.revision) },
    schemaVersion: { N: String(record.schemaVersion) },
    body: { S: JSON.stringify(record) },
  };
}

beforeEach(() => dynamo.reset());

describe("peers on DynamoDB", () => {
  it("read the table of the same name in the other region, by clients that give up soon", async () => {
    const record = aFullRecord();
    const asked: { region: string; attempts: number }[] = [];
    dynamo.on(GetItemCommand).callsFake(async (_input, getClient) => {
      const { config } = getClient();
      asked.push({ region: await config.region(), attempts: await config.maxAttempts() });
      return { Item: itemOf(record) };
    });
    expect(await peers().read("us-east-1", record.service)).toEqual(record);
    expect(asked).toEqual([{ region: "us-east-1", attempts: 1 }]);
    expect(dynamo.commandCalls(GetItemCommand)[0]?.args[0].input).toMatchObject({
      TableName: "tidegate-production",
      ConsistentRead: true,
    });
  });

  it("answer undefined for a service that is not there, and fail where there is no table at all", async () => {
    dynamo.on(GetItemCommand).resolves({});
    expect(await peers().read("us-east-1", "checkout")).toBeUndefined();
    dynamo.on(GetItemCommand).rejects(new ResourceNotFoundException({ message: "no table", $metadata: {} }));
    await expect(peers().read("us-east-2", "checkout")).rejects.toThrow(
      "table tidegate-production, service checkout: reading its heartbeat failed, got ResourceNotFoundException: no table",
    );
  });

  it("fail on a newer schema, garbage and a refusal, and never look empty", async () => {
    dynamo.on(GetItemCommand).resolves({ Item: { body: { S: '{"schemaVersion":9}' } } });
    await expect(peers().read("us-east-1", "checkout")).rejects.toThrow(RecordUnreadableError);
    dynamo.on(GetItemCommand).resolves({ Item: { body: { S: "{}" } } });
    await expect(peers().read("us-east-1", "checkout")).rejects.toThrow(RecordUnreadableError);
    dynamo.on(GetItemCommand).rejects(new Error("AccessDenied"));
    await expect(peers().read("us-east-1", "checkout")).rejects.toThrow("AccessDenied");
  });

  it("write conditionally, and append history", async () => {
    const record = aFullRecord({ revision: 7 });
    dynamo.on(PutItemCommand).resolvesOnce({});
    await peers().write("us-east-1", record, 6);
    expect(dynamo.commandCalls(PutItemCommand)[0]?.args[0].input).toMatchObject({
      ConditionExpression: "revision = :expected",
      ExpressionAttributeValues: { ":expected": { N: "6" } },
    });
    const refused = Object.assign(new Error("no"), { name: "ConditionalCheckFailedException" });
    dynamo.on(PutItemCommand).rejects(refused);
    await expect(peers().write("us-east-1", record, 6)).rejects.toThrow(RevisionConflictError);
    dynamo.on(TransactWriteItemsCommand).resolves({});
    await peers().appendHistory("us-east-1", "checkout", [
      { at: 0, kind: "hold", message: "held", exposurePercent: 0 },
    ]);
    expect(dynamo.commandCalls(TransactWriteItemsCommand)).toHaveLength(1);
  });
});
