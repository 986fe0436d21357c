import { describe, expect, it } from "vitest";
import type { RolloutRecord } from "../../core/record.ts";
import { parseConfig } from "../../stacks/config.ts";
import { withOtherCanaries } from "../../stacks/dependency-groups.ts";
import { aFullRecord } from "../contract/a-record.ts";
import { aDeclaration } from "../helpers/builders.ts";
import { MemoryCloud } from "../helpers/memory-ports.ts";
import { aConfig, aService } from "./config-builders.ts";

const {
  retiredAt: _retired,
  lease: _lease,
  canary: _canary,
  ...quiet
} = aFullRecord({
  environment: "dev",
  dependencyGroup: "payments",
});
const { canary, lease } = aFullRecord();
const exposed = { canary: { ...canary, exposurePercent: 10 } } as Partial<RolloutRecord>;

/** `checkout` and `search` in the config, whatever records there are beside. */
function scene(records: Record<string, Partial<RolloutRecord>> = {}, ofGroup: string | null = "payments") {
  const group = ofGroup ?? undefined;
  const cloud = new MemoryCloud(1_000);
  for (const [service, changes] of Object.entries(records)) {
    cloud.records.set(service, JSON.stringify({ ...quiet, service, ...changes }));
  }
  const config = parseConfig(
    aConfig(
      {},
      {
        checkout: aService({ dependencyGroup: group }),
        search: aService({ dependencyGroup: group, match: { hosts: ["search.example.com"] }, priority: 200 }),
      },
    ),
  );
  const still = [aDeclaration(0), aDeclaration(0, { service: "search" })];
  const fill = async (declarations = still, ports = cloud.ports("up")) =>
    (await withOtherCanaries(config, declarations, ports)).map(({ otherCanaries }) => otherCanaries);
  return { cloud, config, fill };
}

describe("other canaries of a dependency group [E1]", () => {
  it("are none where nothing is exposed, and not asked for where no service names a group", async () => {
    expect(await scene({ basket: {} }).fill()).toEqual([[], []]);
    const { cloud, fill } = scene({}, null);
    const ports = cloud.ports("up");
    const records = { ...ports.records, list: () => Promise.reject(new Error("asked")) };
    cloud.recordFailure = new Error("asked");
    expect(await fill(undefined, { ...ports, records })).toEqual([undefined, undefined]);
  });

  it("are those that this very config opens or still has open", async () => {
    const { fill } = scene();
    expect(await fill([aDeclaration(10), aDeclaration(0, { service: "search" })])).toEqual([[], ["checkout"]]);
    expect(await fill([aDeclaration(0, { fromPercent: 10 }), aDeclaration(5, { service: "search" })])).toEqual([
      ["search"],
      ["checkout"],
    ]);
  });

  it("are those of other stacks that have traffic or are just being opened", async () => {
    const opening = { ...lease, toPercent: 10, expiresAt: 2_000 } as RolloutRecord["lease"];
    const records = {
      basket: exposed,
      orders: { lease: opening },
      late: { lease: { ...opening, expiresAt: 500 } as RolloutRecord["lease"] },
      billing: { ...exposed, dependencyGroup: "invoices" },
      gone: { ...exposed, retiredAt: 1 },
      elsewhere: { ...exposed, environment: "prod" },
    };
    expect(await scene(records).fill()).toEqual([
      ["basket", "orders"],
      ["basket", "orders"],
    ]);
  });

  it("count what cannot be read as exposed, by name", async () => {
    const { cloud, fill } = scene({ basket: {}, checkout: {}, search: {} });
    const ports = cloud.ports("up");
    const read = async (name: string) => {
      if (name !== "search") throw new Error("newer schema");
      return ports.records.read(name);
    };
    expect(await fill(undefined, { ...ports, records: { ...ports.records, read } })).toEqual([
      ["basket (unknown: its record cannot be read)"],
      ["basket (unknown: its record cannot be read)", "checkout"],
    ]);
    const list = () => Promise.reject(new Error("no answer"));
    expect(await fill(undefined, { ...ports, records: { ...ports.records, list } })).toEqual([
      ["other services (unknown: its record cannot be read)"],
      ["other services (unknown: its record cannot be read)"],
    ]);
  });
});
