/**
 * The record tables of the same environment in other regions: the record store on clients of their own, with the same credentials and
 * far tighter limits. A peer is asked once and soon given up on; what it has still to be told is told again in a minute.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Peers, RecordStore } from "../ports.ts";
import { type AwsAccess, clientSettings } from "./clients.ts";
import { dynamoRecordStore } from "./record-store.ts";

/** How long a connection to another region may take. Unit: milliseconds. The farthest two are about 0.4 s apart, there and back (assumed). */
const peerConnectMilliseconds = 800;
/** How long one call may take on a connection. Unit: milliseconds. A handshake takes three ways there and back before the answer. */
const callMilliseconds = 1_500;

export interface DynamoPeersArgs extends AwsAccess {
  /** Name of the record table, the same in every region. */
  readonly tableName: string;
}

/** @param args.region our own; it is no peer */
export function dynamoPeers(args: DynamoPeersArgs): Peers {
  const { tableName, ...access } = args;
  const stores = new Map<string, RecordStore>();

  function storeIn(region: string): RecordStore {
    const known = stores.get(region);
    if (known) return known;
    const settings = clientSettings({ ...access, region });
    const client = new DynamoDBClient({
      ...settings,
      maxAttempts: 1,
      requestHandler: {
        ...settings.requestHandler,
        connectionTimeout: peerConnectMilliseconds,
        requestTimeout: callMilliseconds,
      },
    });
    const store = dynamoRecordStore(client, { tableName, writeLimitMilliseconds: callMilliseconds });
    stores.set(region, store);
    return store;
  }

  return {
    async read(region, service) {
      const store = storeIn(region);
      const record = await store.read(service);
      // The store takes a missing table for one that this very `up` will make; this read of it does not.
      if (record === undefined) await store.readHeartbeat(service);
      return record;
    },
    write: (region, record, expectedRevision) => storeIn(region).write(record, expectedRevision),
    appendHistory: (region, service, entries) => storeIn(region).appendHistory(service, entries),
  };
}
