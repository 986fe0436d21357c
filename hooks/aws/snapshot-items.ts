/** Snapshots and drills in the record table: plain items beside the record, which no revision guards. */
import { type AttributeValue, type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { type DrillState, type RecordStore, RecordUnreadableError } from "../ports.ts";
import { call } from "./call.ts";
import { drillKey, servicePartition, snapshotSortKey } from "./record-keys.ts";
import { readableSnapshot, writableSnapshot } from "./snapshot-schema.ts";

type Item = Record<string, AttributeValue>;

/** The part of the record store that keeps snapshots and drills. */
export function snapshotItems(
  client: DynamoDBClient,
  tableName: string,
): Pick<RecordStore, "writeSnapshot" | "readSnapshot" | "readDrill" | "writeDrill"> {
  const place = (service: string, id: string) => `table ${tableName}, service ${service}, snapshot ${id}`;

  async function get(doing: string, key: Item): Promise<Item | undefined> {
    const read = new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true });
    return (await call(doing, () => client.send(read))).Item;
  }

  async function put(doing: string, item: Item): Promise<void> {
    await call(doing, () => client.send(new PutItemCommand({ TableName: tableName, Item: item })));
  }

  return {
    async writeSnapshot(snapshot) {
      const where = place(snapshot.service, snapshot.id);
      const body = writableSnapshot(where, snapshot);
      await put(`${where}: writing it`, {
        ...snapshotKey(snapshot.service, snapshot.id),
        schemaVersion: { N: String(snapshot.schemaVersion) },
        body: { S: body },
      });
    },

    async readSnapshot(service, id) {
      const item = await get(`${place(service, id)}: reading it`, snapshotKey(service, id));
      return item && readableSnapshot(place(service, id), service, id, item.body?.S);
    },

    async readDrill() {
      const where = `table ${tableName}: drill`;
      const item = await get(`${where}: reading it`, drillItemKey);
      if (item === undefined) return undefined;
      const armedAt = instantOf(where, "armedAt", item.armedAt);
      if (armedAt === undefined) throw new RecordUnreadableError(`${where} is unreadable: it has no armedAt`);
      const startedAt = instantOf(where, "startedAt", item.startedAt);
      const arrivedAt = instantOf(where, "arrivedAt", item.arrivedAt);
      return {
        armedAt,
        ...(startedAt === undefined ? {} : { startedAt }),
        ...(arrivedAt === undefined ? {} : { arrivedAt }),
      };
    },

    async writeDrill(state: DrillState) {
      const times = Object.entries(state).filter((entry): entry is [string, number] => entry[1] !== undefined);
      const attributes = Object.fromEntries(times.map(([name, at]) => [name, { N: String(at) }]));
      await put(`table ${tableName}: writing the drill`, { ...drillItemKey, ...attributes });
    },
  };
}

const drillItemKey: Item = { pk: { S: drillKey.partition }, sk: { S: drillKey.sortKey } };

function snapshotKey(service: string, id: string): Item {
  return { pk: { S: servicePartition(service) }, sk: { S: snapshotSortKey(id) } };
}

function instantOf(where: string, name: string, attribute: AttributeValue | undefined): number | undefined {
  if (attribute === undefined) return undefined;
  const at = Number(attribute.N ?? "none");
  if (Number.isFinite(at)) return at;
  throw new RecordUnreadableError(`${where} is unreadable: ${name} is no time, got ${JSON.stringify(attribute)}`);
}
