/**
 * Other regions in a rehearsal, by the hook's own code: what one that found the release bad tells this one, and one that goes away. They
 * have a record and no traffic of their own; how fast they found out is not modelled.
 */
import { versionOf } from "../../core/outcome.ts";
import { RecordDraft } from "../../core/record-draft.ts";
import { broadcastHolds } from "../../hooks/peers.ts";
import type { Ports } from "../../hooks/ports.ts";
import type { LocalCloud } from "../cloud/types.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import { isRegionFault, type Scenario } from "../scenarios.ts";

/** The region that is added where the scenario needs a peer and the stack names none. */
export function peersFor(
  config: { readonly region: string; readonly peers: readonly string[] },
  scenario: Pick<Scenario, "faults">,
): readonly string[] {
  if (config.peers.length > 0 || !scenario.faults.some(isRegionFault)) return config.peers;
  return [config.region === "us-east-1" ? "eu-west-1" : "us-east-1"];
}

/** The region runs the same rollout: it has this one's record as it was when it first mattered, and this one for a peer. */
async function mirror(cloud: LocalCloud, region: string, service: string): Promise<void> {
  if (cloud.peers.record(region, service) !== undefined) return;
  const record = cloud.record(service);
  if (!record) throw new NotRehearsedError(`region ${region}: nothing to mirror, ${service} has no record yet`);
  const { lease: _lease, broadcastsDue: _due, ...rest } = record;
  const there = { ...rest, peers: [cloud.ports.place.region] };
  await cloud.peers.table(region).store().write(there, undefined);
}

/**
 * Nothing in the region answers any more, and its users come here.
 * @returns what brings it back
 */
export async function loseRegion(cloud: LocalCloud, region: string, service: string): Promise<() => void> {
  await mirror(cloud, region, service);
  cloud.peers.setLost(region, true);
  return () => cloud.peers.setLost(region, false);
}

/** The region's hook finds the new release bad, lowers there, and tells this one. */
export async function holdInRegion(cloud: LocalCloud, region: string, service: string): Promise<void> {
  await mirror(cloud, region, service);
  const there = portsIn(cloud, region);
  const before = await there.records.read(service);
  const canary = before?.canary;
  if (!before || !canary) throw new NotRehearsedError(`region ${region}: no canary of ${service} to hold`);
  const now = cloud.now();
  const draft = new RecordDraft(before, now);
  const what = `error-rate (critical) of ${versionOf(before, canary.digest)} at ${canary.exposurePercent} %`;
  draft.putHold({
    id: `error-rate-critical-${now}`,
    scope: "digest",
    digest: canary.digest,
    at: now,
    cause: "breach",
    detail: what,
    response: "disable",
    targetPercent: 0,
    attempt: canary.attempt,
  });
  await there.records.write(draft.finish(), before.revision);
  await broadcastHolds(there, service);
}

/** The ports of the other region's hook, as far as telling needs them: its table, and this region as its only peer. */
function portsIn(cloud: LocalCloud, region: string): Ports {
  const here = cloud.ports;
  const own = here.place.region;
  const mine = (asked: string) => {
    if (asked === own) return here.records;
    throw new NotRehearsedError(`region ${region}: asked for ${asked}; expected ${own}, its only peer`);
  };
  return {
    ...here,
    records: cloud.peers.table(region).store(),
    place: { ...here.place, region },
    peers: {
      read: async (asked, service) => mine(asked).read(service),
      write: async (asked, record, expectedRevision) => mine(asked).write(record, expectedRevision),
      appendHistory: async (asked, service, entries) => mine(asked).appendHistory(service, entries),
    },
  };
}
