/**
 * Keys of the record table: one table an environment, partition key `pk`, sort key `sk`, both strings.
 *
 * | pk               | sk                          | item                         |
 * | ---------------- | --------------------------- | ---------------------------- |
 * | `service#<name>` | `record`                    | the rollout record           |
 * | `service#<name>` | `heartbeat`                 | when reconcile last finished |
 * | `service#<name>` | `history#<ISO time>#<id>`   | one history entry            |
 * | `service#<name>` | `snapshot#<hold id>`        | what a rollback looked like  |
 * | `drill`          | `drill`                     | when the alarm-to-page path was last tried |
 * | `services`       | `<name>`                    | the name of a service with a record; what `list` reads |
 */

/** Attributes of the table's key, as the foundation declares them. */
export const tableKey = { hashKey: "pk", rangeKey: "sk" } as const;

/** Partition of all items of one service. */
export function servicePartition(service: string): string {
  return `service#${service}`;
}

/** Partition that lists the services; small, so `list` needs neither a scan nor an index. */
export const indexPartition = "services";

export const recordSortKey = "record";
export const heartbeatSortKey = "heartbeat";
/** The one item of the environment's drills. */
export const drillKey = { partition: "drill", sortKey: "drill" } as const;

export const historyPrefix = "history#";

/**
 * Sort key of a history entry. ISO times sort as text; within one instant the id decides.
 * @throws RangeError where `at` is no time
 */
export function historySortKey(at: number, id: string): string {
  return `${historyPrefix}${new Date(at).toISOString()}#${id}`;
}

/** Sort key of a snapshot; the id is its hold's. */
export function snapshotSortKey(id: string): string {
  return `snapshot#${id}`;
}
