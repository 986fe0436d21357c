/**
 * Which reports went out, and by which channels: items of a partition of their own in the record table, so that a schedule that runs twice
 * sends once, and what one channel did not take is tried there alone.
 *
 * | pk       | sk           | item                                                     |
 * | -------- | ------------ | -------------------------------------------------------- |
 * | `report` | `armed`      | since when reports are sent; what was due before is none |
 * | `report` | `sent#<id>`  | channels that have it, and who is at work on it          |
 */
import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { Instant } from "../core/record.ts";
import { awsErrorName, call } from "../hooks/aws/call.ts";

/** The partition; the function's role may write no other. */
export const reportPartition = "report";

/** A run that died lets go after this. Unit: milliseconds. Twice what a run may take. */
export const claimMilliseconds = 10 * 60_000;

export interface ReportMarks {
  /** Since when reports are sent; the first asking begins it. */
  armedAt(now: Instant): Promise<Instant>;
  /** Channels that have a report. */
  deliveredTo(id: string): Promise<ReadonlySet<string>>;
  /** Takes the work on a report; false: another run is at it. */
  claim(id: string, now: Instant): Promise<boolean>;
  /** Gives it back. */
  release(id: string): Promise<void>;
  markDelivered(id: string, channel: string): Promise<void>;
}

export function dynamoMarks(client: DynamoDBClient, tableName: string): ReportMarks {
  const key = (sortKey: string) => ({ pk: { S: reportPartition }, sk: { S: sortKey } });
  const sent = (id: string) => key(`sent#${id}`);
  const update = (doing: string, command: Omit<ConstructorParameters<typeof UpdateItemCommand>[0], "TableName">) =>
    call(`table ${tableName}: ${doing}`, () =>
      client.send(new UpdateItemCommand({ TableName: tableName, ...command })),
    );
  return {
    async armedAt(now) {
      const answer = await update("arming reports", {
        Key: key("armed"),
        UpdateExpression: "SET armedAt = if_not_exists(armedAt, :now)",
        ExpressionAttributeValues: { ":now": { N: String(now) } },
        ReturnValues: "ALL_NEW",
      });
      return Number(answer.Attributes?.armedAt?.N ?? now);
    },

    async deliveredTo(id) {
      const answer = await call(`table ${tableName}: reading report ${id}`, () =>
        client.send(new GetItemCommand({ TableName: tableName, Key: sent(id), ConsistentRead: true })),
      );
      return new Set(answer.Item?.channels?.SS ?? []);
    },

    async claim(id, now) {
      try {
        await update(`claiming report ${id}`, {
          Key: sent(id),
          UpdateExpression: "SET claimedUntil = :until",
          ConditionExpression: "attribute_not_exists(claimedUntil) OR claimedUntil < :now",
          ExpressionAttributeValues: { ":until": { N: String(now + claimMilliseconds) }, ":now": { N: String(now) } },
        });
        return true;
      } catch (error) {
        if (awsErrorName(error) === "ConditionalCheckFailedException") return false;
        throw error;
      }
    },

    async release(id) {
      await update(`releasing report ${id}`, { Key: sent(id), UpdateExpression: "REMOVE claimedUntil" });
    },

    async markDelivered(id, channel) {
      await update(`marking report ${id} as sent`, {
        Key: sent(id),
        UpdateExpression: "ADD channels :channel",
        ExpressionAttributeValues: { ":channel": { SS: [channel] } },
      });
    },
  };
}
