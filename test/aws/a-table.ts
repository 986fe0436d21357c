/** A table for records as a foundation makes it, on the emulator. */
import { CreateTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { tableKey } from "../../hooks/aws/record-keys.ts";

export async function makeTable(client: DynamoDBClient, tableName: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: tableKey.hashKey, AttributeType: "S" },
        { AttributeName: tableKey.rangeKey, AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: tableKey.hashKey, KeyType: "HASH" },
        { AttributeName: tableKey.rangeKey, KeyType: "RANGE" },
      ],
    }),
  );
}
