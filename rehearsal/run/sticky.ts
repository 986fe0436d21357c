/**
 * Clients with a cookie in a rehearsal: how far what the new release is served lies from what the rule says, and how many requests
 * reach it after the hook took its traffic away. Both are counted from what the local cloud served, in its steps of ten seconds.
 */
import type { Instant } from "../../core/record.ts";
import type { LocalCloud } from "../cloud/types.ts";
import type { Chronicle } from "./chronicle.ts";

/** After the write as long until everything follows it: the slowest propagation, and a step. Unit: milliseconds. */
const tailMs = 20_000;

export interface StickyWatchParts {
  readonly cloud: LocalCloud;
  readonly chronicle: Chronicle;
  readonly service: string;
  readonly canary: string;
  readonly stickinessSeconds: number;
  readonly schedule: (at: Instant, run: () => void) => void;
}

/** Measures around each lowering to 0, and tells the tail. */
export function watchTail({ cloud, chronicle, service, canary, schedule }: StickyWatchParts): void {
  cloud.onEvent((event) => {
    if (event.kind !== "weights" || event.service !== service || event.by === "up") return;
    if ((event.shares[canary] ?? 0) > 0) return;
    const before = cloud.counts(service)[canary]?.requests ?? 0;
    const isOff = event.action.stickinessSeconds === undefined;
    schedule(event.at + tailMs, () => {
      const tail = (cloud.counts(service)[canary]?.requests ?? 0) - before;
      const cookies = isOff
        ? "stickiness is off with that write, so cookies keep nobody there"
        : "stickiness is STILL ON";
      chronicle.tell(
        "note",
        `at most ${tail} requests reached the new release after the write that took its traffic away, in the seconds until the load balancer followed; ${cookies}`,
      );
    });
  });
}

/** Measures a minute and tells how far it was from the rule. */
export function measureShare(parts: StickyWatchParts, from: Instant): void {
  const { cloud, chronicle, service, canary, stickinessSeconds, schedule } = parts;
  schedule(from, () => {
    const before = cloud.counts(service);
    schedule(from + 60_000, () => {
      const after = cloud.counts(service);
      const served = (digest: string) => (after[digest]?.requests ?? 0) - (before[digest]?.requests ?? 0);
      const all = Object.keys(after).reduce((sum, digest) => sum + served(digest), 0);
      if (all === 0) return;
      const rule = chronicle.exposurePercent;
      const percent = Math.round((1_000 * served(canary)) / all) / 10;
      chronicle.tell(
        "note",
        `clients with a cookie stay where they are for ${stickinessSeconds} s: the rule gives the new release ${rule} %, it is served ${percent} % of this minute's requests`,
      );
    });
  });
}
