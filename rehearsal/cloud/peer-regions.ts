/**
 * Other regions, as far as this one sees them: a record table each, and whether it answers. They have no load balancer and no traffic of
 * their own; a region that goes away sends its users here.
 */

import { tableName } from "../../core/naming.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { type Peers, RecordUnreadableError } from "../../hooks/ports.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import { RecordTable } from "./record-table.ts";

export class PeerRegions {
  readonly #tables = new Map<string, RecordTable>();
  readonly #lost = new Set<string>();

  /** A region with an environment of this name; the very same one when it is there already. */
  add(region: string, environment: string): RecordTable {
    let table = this.#tables.get(region);
    if (!table) {
      table = new RecordTable();
      table.tableName = tableName(environment);
      this.#tables.set(region, table);
    }
    return table;
  }

  /** @throws NotRehearsedError for a region that no `up` named as a peer */
  table(region: string): RecordTable {
    const table = this.#tables.get(region);
    if (!table) throw new NotRehearsedError(`region ${region}: no peer of this environment; name it in peers first`);
    return table;
  }

  record(region: string, service: string): RolloutRecord | undefined {
    return this.table(region).record(service);
  }

  /** From now on nothing there answers, or all of it does again. */
  setLost(region: string, isLost: boolean): void {
    if (isLost) this.#lost.add(region);
    else this.#lost.delete(region);
  }

  /** The regions have as many users each, and those of one that is gone spread over the others. */
  get usersHereFactor(): number {
    const regions = this.#tables.size + 1;
    return regions / (regions - this.#lost.size);
  }

  #reach(region: string): RecordTable {
    const table = this.table(region);
    // What the AWS adapter makes of a region that does not answer.
    if (this.#lost.has(region)) throw new RecordUnreadableError(`region ${region} does not answer`);
    return table;
  }

  peers(): Peers {
    return {
      read: async (region, service) => this.#reach(region).store().read(service),
      write: async (region, record, expectedRevision) => this.#reach(region).store().write(record, expectedRevision),
      appendHistory: async (region, service, entries) => this.#reach(region).store().appendHistory(service, entries),
    };
  }
}
