/**
 * Records in DynamoDB: conditional writes on the revision, strongly consistent reads.
 *
 * A record is one JSON text in the attribute `body`; `revision` and `schemaVersion` stand beside it as attributes of their own,
 * because conditions and people look at those. JSON, because it gives back exactly what was written (maps keyed by digests,
 * fractions, empty lists), knows no reserved words, and only whole records are ever written.
 *
 * `writeId` makes retries honest: when a try was stored but its answer was lost, the client's next try fails its own condition.
 * The stored item then carries our id, and the write has succeeded. Without it the winner would be told that it lost.
 */
import { randomUUID } from "node:crypto";
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import type { HistoryEntry, Instant, RolloutRecord } from "../../core/record.ts";
import { type RecordStore, RecordUnreadableError, RevisionConflictError } from "../ports.ts";
import { AwsFault, awsErrorName, batches, call, callError } from "./call.ts";
import {
  heartbeatSortKey,
  historyPrefix,
  historySortKey,
  indexPartition,
  recordSortKey,
  servicePartition,
} from "./record-keys.ts";
import { historyEntrySchema, judgeRecord, problemsOf } from "./record-schema.ts";
import { snapshotItems } from "./snapshot-items.ts";

type Item = Record<string, AttributeValue>;

export interface RecordTable {
  readonly tableName: string;
  /**
   * How long one record write may take, tries included. Unit: milliseconds.
   * @default 1000 (a rollback writes the record first, but no longer than this: then the weights go down regardless)
   */
  readonly writeLimitMilliseconds?: number;
}

/** A record write did not answer in time. It may or may not be stored: read again before deciding. */
export class RecordWriteTimeoutError extends Error {
  override readonly name = "RecordWriteTimeoutError";
}

/** Most actions in one DynamoDB transaction. Source: DynamoDB API reference, TransactWriteItems, read 2026-11. */
const transactionActions = 100;

/** The record store on one table. */
export function dynamoRecordStore(client: DynamoDBClient, table: RecordTable): RecordStore {
  const { tableName, writeLimitMilliseconds = 1_000 } = table;
  const place = (service: string) => `table ${tableName}, service ${service}`;
  /** Orders history entries of one instant by the moment they were appended. */
  let appended = 0;

  async function getItem(service: string, sortKey: string): Promise<Item | undefined> {
    const key = { pk: { S: servicePartition(service) }, sk: { S: sortKey } };
    const answer = await call(`${place(service)}: reading its ${sortKey}`, () =>
      client.send(new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true })),
    );
    return answer.Item;
  }

  async function queryAll(doing: string, partition: string, prefix: string): Promise<Item[]> {
    const names = prefix === "" ? "pk = :pk" : "pk = :pk AND begins_with(sk, :prefix)";
    const input = {
      TableName: tableName,
      ConsistentRead: true,
      KeyConditionExpression: names,
      ExpressionAttributeValues: { ":pk": { S: partition }, ...(prefix === "" ? {} : { ":prefix": { S: prefix } }) },
    };
    return call(doing, async () => {
      const items: Item[] = [];
      for await (const page of paginateQuery({ client }, input)) items.push(...(page.Items ?? []));
      return items;
    });
  }

  async function read(service: string): Promise<RolloutRecord | undefined> {
    let item: Item | undefined;
    try {
      item = await getItem(service, recordSortKey);
    } catch (error) {
      // No table yet: the foundation is made in this very `up`. Only the record read may say so.
      if (awsErrorName(error) === "ResourceNotFoundException") return undefined;
      throw error;
    }
    return item && recordOf(place(service), service, item);
  }

  async function write(record: RolloutRecord, expectedRevision: number | undefined): Promise<void> {
    refuseUnreadableWrite(place(record.service), record, expectedRevision);
    const writeId = randomUUID();
    const item = itemOf(record, writeId);
    const signal = AbortSignal.timeout(writeLimitMilliseconds);
    const failOnCondition = { TableName: tableName, ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const };
    try {
      if (expectedRevision === undefined) {
        const name = { pk: { S: indexPartition }, sk: { S: record.service } };
        const create = new TransactWriteItemsCommand({
          ClientRequestToken: writeId,
          TransactItems: [
            { Put: { ...failOnCondition, Item: item, ConditionExpression: "attribute_not_exists(pk)" } },
            { Put: { TableName: tableName, Item: name } },
          ],
        });
        await within(signal, client.send(create, { abortSignal: signal }));
      } else {
        const replace = new PutItemCommand({
          ...failOnCondition,
          Item: item,
          ConditionExpression: "revision = :expected",
          ExpressionAttributeValues: { ":expected": { N: String(expectedRevision) } },
        });
        await within(signal, client.send(replace, { abortSignal: signal }));
      }
    } catch (error) {
      const conflict = conflictOf(error);
      if (conflict) {
        if (conflict.stored?.writeId?.S === writeId) return;
        throw new RevisionConflictError(
          `${place(record.service)}: the record changed since it was read, got ${conflict.found}; expected ${
            expectedRevision === undefined ? "no record" : `revision ${expectedRevision}`
          }. Read it again and decide anew`,
          { cause: new AwsFault(error) },
        );
      }
      if (signal.aborted) {
        throw new RecordWriteTimeoutError(
          `${place(record.service)}: writing the record took longer than ${writeLimitMilliseconds} ms; it may or may not be stored. Read it again before deciding`,
          { cause: new AwsFault(error) },
        );
      }
      throw callError(`${place(record.service)}: writing the record`, error);
    }
  }

  async function list(): Promise<string[]> {
    const items = await queryAll(`table ${tableName}: listing the services`, indexPartition, "");
    // A query answers in the order of the sort key.
    return items.map((item) => textOf(`table ${tableName}: a name in the list of services`, item.sk));
  }

  async function appendHistory(service: string, entries: readonly HistoryEntry[]): Promise<void> {
    for (const batch of batches(entries, transactionActions)) {
      const puts = batch.map((entry) => {
        appended += 1;
        // Millisecond of appending, then the order within this process: a reader sees the order things were decided in.
        const id = `${String(Date.now()).padStart(15, "0")}-${String(appended).padStart(9, "0")}-${randomUUID()}`;
        const key = { pk: { S: servicePartition(service) }, sk: { S: historySortKey(entry.at, id) } };
        return { Put: { TableName: tableName, Item: { ...key, entry: { S: JSON.stringify(entry) } } } };
      });
      const append = new TransactWriteItemsCommand({ ClientRequestToken: randomUUID(), TransactItems: puts });
      await call(`${place(service)}: appending ${batch.length} history entries`, () => client.send(append));
    }
  }

  async function history(service: string): Promise<HistoryEntry[]> {
    const items = await queryAll(`${place(service)}: reading its history`, servicePartition(service), historyPrefix);
    return items.map((item) => {
      const parsed = historyEntrySchema.safeParse(jsonOf(item.entry));
      if (parsed.success) return parsed.data;
      throw new RecordUnreadableError(
        `${place(service)}: history item ${item.sk?.S} is unreadable: ${problemsOf(parsed.error)}`,
      );
    });
  }

  async function readHeartbeat(service: string): Promise<Instant | undefined> {
    const item = await getItem(service, heartbeatSortKey);
    if (item === undefined) return undefined;
    const at = Number(item.at?.N ?? "none");
    if (Number.isFinite(at)) return at;
    throw new RecordUnreadableError(`${place(service)}: heartbeat has no time, got ${JSON.stringify(item.at)}`);
  }

  async function writeHeartbeat(service: string, at: Instant): Promise<void> {
    const item = { pk: { S: servicePartition(service) }, sk: { S: heartbeatSortKey }, at: { N: String(at) } };
    await call(`${place(service)}: writing its heartbeat`, () =>
      client.send(new PutItemCommand({ TableName: tableName, Item: item })),
    );
  }

  return {
    read,
    write,
    list,
    appendHistory,
    history,
    readHeartbeat,
    writeHeartbeat,
    ...snapshotItems(client, tableName),
  };
}

/** Settles when the call does, or fails at the limit: the client's pause between two tries does not heed the signal. */
async function within<Answer>(signal: AbortSignal, sending: Promise<Answer>): Promise<Answer> {
  const limit = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([sending, limit]);
}

function itemOf(record: RolloutRecord, writeId: string): Item {
  return {
    pk: { S: servicePartition(record.service) },
    sk: { S: recordSortKey },
    revision: { N: String(record.revision) },
    schemaVersion: { N: String(record.schemaVersion) },
    writeId: { S: writeId },
    body: { S: JSON.stringify(record) },
  };
}

/** The record in an item, or the reason why nobody may act on it. */
function recordOf(place: string, service: string, item: Item): RolloutRecord {
  const judged = judgeRecord(jsonOf(item.body));
  const refuse = (reason: string) => new RecordUnreadableError(`${place}: the record is unreadable: ${reason}`);
  if ("reason" in judged) throw refuse(judged.reason);
  const { record } = judged;
  if (record.service !== service) throw refuse(`it is the record of ${record.service}`);
  if (item.revision?.N !== String(record.revision) || item.schemaVersion?.N !== String(record.schemaVersion)) {
    throw refuse(
      `its attributes and its body disagree: revision ${item.revision?.N} and ${record.revision}, schema version ${item.schemaVersion?.N} and ${record.schemaVersion}`,
    );
  }
  return record;
}

/** What nobody could read back, or what would not move the revision, is a fault of the caller: nothing is sent. */
function refuseUnreadableWrite(place: string, record: RolloutRecord, expectedRevision: number | undefined): void {
  const judged = judgeRecord(JSON.parse(JSON.stringify(record)));
  if ("reason" in judged)
    throw new TypeError(`${place}: refusing to write a record that is unreadable: ${judged.reason}`);
  if (expectedRevision !== undefined && record.revision <= expectedRevision) {
    throw new TypeError(
      `${place}: refusing to write a record whose revision does not rise, got ${record.revision}; expected above ${expectedRevision}`,
    );
  }
}

/** A failed condition with what is stored instead; undefined for any other error. */
function conflictOf(error: unknown): { readonly stored: Item | undefined; readonly found: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === "ConditionalCheckFailedException") {
    return conflictWith((error as { Item?: Item }).Item);
  }
  const inFlight = { stored: undefined, found: "another write in flight" };
  if (error.name === "TransactionConflictException") return inFlight;
  if (error.name !== "TransactionCanceledException") return undefined;
  const reasons = (error as { CancellationReasons?: { Code?: string; Item?: Item }[] }).CancellationReasons ?? [];
  const failed = reasons.find((reason) => reason.Code === "ConditionalCheckFailed");
  if (failed) return conflictWith(failed.Item);
  return reasons.some((reason) => reason.Code === "TransactionConflict") ? inFlight : undefined;
}

function conflictWith(stored: Item | undefined) {
  return { stored, found: stored?.revision?.N === undefined ? "no record" : `revision ${stored.revision.N}` };
}

/** The JSON value of a text attribute; undefined where there is none, which no schema accepts. */
function jsonOf(attribute: AttributeValue | undefined): unknown {
  if (attribute?.S === undefined) return undefined;
  try {
    return JSON.parse(attribute.S);
  } catch {
    return undefined;
  }
}

function textOf(what: string, attribute: AttributeValue | undefined): string {
  if (attribute?.S !== undefined) return attribute.S;
  throw new RecordUnreadableError(`${what} is no text, got ${JSON.stringify(attribute)}`);
}
