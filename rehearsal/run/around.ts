/** Starts what goes wrong around the releases: their hosts, the hook, another region. */

import type { LocalCloud } from "../cloud/types.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import { type Fault, type SurroundingFaultKind, surroundingFaultKinds } from "../scenarios.ts";
import type { Chronicle } from "./chronicle.ts";
import { holdInRegion, loseRegion } from "./regions.ts";

export interface Around {
  readonly cloud: LocalCloud;
  readonly chronicle: Chronicle;
  readonly service: string;
  /** The region that faults of regions are about. */
  readonly peer: string;
  /** Releases that the fault is on. */
  readonly digests: readonly string[];
}

/** @returns what ends it */
export async function startAround(around: Around, fault: Fault): Promise<() => void> {
  const { cloud, chronicle, service, peer, digests } = around;
  const { kind } = fault;
  if (!isSurrounding(kind)) throw new NotRehearsedError(`${kind}: a fault of requests is injected, not started`);
  switch (kind) {
    case "hosts-lost":
      chronicle.tell("fault", `${fault.on ?? "canary"}: no host answers any more`);
      // However many there are by then: an autoscaler may make more.
      for (const digest of digests) cloud.breakHosts(digest, Number.POSITIVE_INFINITY);
      return () => {
        for (const digest of digests) cloud.breakHosts(digest, 0);
      };
    case "hook-fails":
      chronicle.tell("fault", "from now on every run of the hook fails");
      cloud.breakFunction("hook", "fails");
      return () => cloud.breakFunction("hook");
    case "hook-unreachable":
      chronicle.tell("fault", "from now on nothing reaches the hook");
      cloud.breakFunction("hook", "unreachable");
      return () => cloud.breakFunction("hook");
    case "region-lost": {
      const bringBack = await loseRegion(cloud, peer, service);
      const times = Number(cloud.peers.usersHereFactor.toPrecision(3));
      chronicle.tell(
        "fault",
        `${peer} goes away: nothing there answers, and its users come here (${times} times as many)`,
      );
      return () => {
        bringBack();
        chronicle.tell("fault-over", `${peer} answers again, and its users go back there`);
      };
    }
    case "peer-hold":
      chronicle.tell("fault", `${peer} finds the new release bad, lowers there, and tells this region`);
      await holdInRegion(cloud, peer, service);
      return () => {};
    default: {
      const unknown: never = kind;
      throw new NotRehearsedError(`no such fault: ${JSON.stringify(unknown)}`);
    }
  }
}

function isSurrounding(kind: Fault["kind"]): kind is SurroundingFaultKind {
  return surroundingFaultKinds.some((known) => known === kind);
}
