/** Peers on an emulator that keeps the tables of each region apart. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { clientSettings } from "../../hooks/aws/clients.ts";
import { dynamoPeers } from "../../hooks/aws/peers.ts";
import { dynamoRecordStore } from "../../hooks/aws/record-store.ts";
import { RevisionConflictError } from "../../hooks/ports.ts";
import { aFullRecord } from "../contract/a-record.ts";
import { makeTable } from "./a-table.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

emulatorEndpoint("AWS_ENDPOINT_URL");
const peerRegion = "us-east-1";

async function storeIn(region: string, tableName: string) {
  const client = new DynamoDBClient(clientSettings({ ...access, region }));
  await makeTable(client, tableName);
  return dynamoRecordStore(client, { tableName, writeLimitMilliseconds: 10_000 });
}

describe("peers on ministack", () => {
  it("are the other region's table, and not the own one of the same name", async () => {
    const tableName = freshName("peers");
    const own = await storeIn(access.region, tableName);
    const there = await storeIn(peerRegion, tableName);
    const record = aFullRecord({ revision: 3 });
    await there.write(record, undefined);
    const peers = dynamoPeers({ ...access, tableName });
    expect(await peers.read(peerRegion, record.service)).toEqual(record);
    expect(await own.read(record.service)).toBeUndefined();

    await peers.write(peerRegion, { ...record, revision: 4 }, 3);
    await expect(peers.write(peerRegion, { ...record, revision: 5 }, 3)).rejects.toThrow(RevisionConflictError);
    expect((await there.read(record.service))?.revision).toBe(4);
    const entry = { at: 0, kind: "hold", message: "held", exposurePercent: 0 };
    await peers.appendHistory(peerRegion, record.service, [entry]);
    expect(await there.history(record.service)).toEqual([entry]);
  });

  it("answer undefined without the service, and fail without the table", async () => {
    const tableName = freshName("peers");
    await storeIn(peerRegion, tableName);
    const peers = dynamoPeers({ ...access, tableName });
    expect(await peers.read(peerRegion, "checkout")).toBeUndefined();
    await expect(peers.read("ap-southeast-2", "checkout")).rejects.toThrow("ResourceNotFoundException");
  });
});
