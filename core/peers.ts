/**
 * Regions that share holds (docs/decisions/0015): which holds are about the release itself and go to every peer, what of them is still to
 * be told, and what a peer's record says against an opening here. A peer that cannot be read forbids raising and never lowering.
 */
import type { Hold, HoldCause, RolloutRecord } from "./record.ts";

/**
 * Whether a hold is about the release, and so about every region that has it, or about a place. A new cause does not compile until it is
 * decided here.
 */
const isAboutRelease: Readonly<Record<HoldCause, boolean>> = {
  // Measured on the release while another one beside it was looked at; so is its silence while the baseline was seen.
  breach: true,
  // A person said so, and nobody can tell from here whether they meant the place.
  kill: true,
  // Somebody wrote this region's rule.
  "unexplained-lowering": false,
  // What the release did wrong is a breach of its own; this is about where its flag is kept.
  "flag-failed": false,
  // This region's hosts, metrics, baseline, dependency and rule.
  "receiver-lost": false,
  blind: false,
  "no-other-release": false,
  dependency: false,
  "unknown-target-group": false,
  // It came from there: whoever decided it tells everybody.
  peer: false,
};

/** Whether the peers are told of a hold. */
export function goesToPeers(hold: Pick<Hold, "cause">): boolean {
  return isAboutRelease[hold.cause];
}

/** One peer that has still to be told of one hold. */
export interface Broadcast {
  readonly region: string;
  readonly holdId: string;
  /** People were told that this peer was not. */
  readonly isLate: boolean;
}

const lateEnd = "/late";

/** `us-east-1/error-rate-critical-1767607800000`; neither a region nor a hold's id has a slash. */
export function broadcastEntry({ region, holdId, isLate }: Broadcast): string {
  return `${region}/${holdId}${isLate ? lateEnd : ""}`;
}

/** An entry of `broadcastsDue`, read. */
export function readBroadcast(entry: string): Broadcast {
  const isLate = entry.endsWith(lateEnd);
  const [region = "", ...rest] = (isLate ? entry.slice(0, -lateEnd.length) : entry).split("/");
  return { region, holdId: rest.join("/"), isLate };
}

/** What is due once this hold is put; the very same list where nothing is added. */
export function broadcastsWith(record: RolloutRecord, hold: Hold): readonly string[] {
  const due = record.broadcastsDue ?? [];
  if (!goesToPeers(hold)) return due;
  const added = (record.peers ?? [])
    .filter((region) => !due.map(readBroadcast).some((known) => known.region === region && known.holdId === hold.id))
    .map((region) => broadcastEntry({ region, holdId: hold.id, isLate: false }));
  return added.length === 0 ? due : [...due, ...added];
}

const copyPattern = /^peer-([a-z]{2,3}(?:-[a-z]+)+-\d)-(.+)$/;

/** Id of a hold's copy in another region: one copy, however often it is told. */
export function copyId(originRegion: string, holdId: string): string {
  return `peer-${originRegion}-${holdId}`;
}

/** The region that a copied hold came from; `undefined` for any other hold. */
export function originOf(hold: Pick<Hold, "id" | "cause">): string | undefined {
  return hold.cause === "peer" ? copyPattern.exec(hold.id)?.[1] : undefined;
}

/**
 * Whether a record was last committed through a hook that knows no peers: each one since writes who declares the service. Such a hook refuses
 * the whole record once a hold from elsewhere stands in it, and then nothing lowers there any more.
 */
export function isOlder({ declaredBy }: Pick<RolloutRecord, "declaredBy">): boolean {
  return declaredBy === undefined;
}

/** A peer's record as it was found. */
export type PeerReading =
  | { readonly region: string; readonly record: RolloutRecord | undefined }
  | { readonly region: string; readonly failure: string };

/**
 * Every reason in the peers against an opening of a release here; empty when there is none.
 * @param ownRegion the copy of a hold of this region says nothing anew: that one is judged here
 */
export function peerProblems(readings: readonly PeerReading[], digest: string, ownRegion: string): string[] {
  return readings.flatMap((reading) => [...silences([reading]), ...holdsThere([reading], digest, ownRegion)]);
}

/** Peers of which nobody knows whether they hold a release, or that could not be told of a hold. */
export function silences(readings: readonly PeerReading[]): string[] {
  return readings.flatMap((reading): string[] => {
    const place = `peer ${reading.region}`;
    if ("failure" in reading) {
      return [
        `${place}: its record cannot be read (${reading.failure}), so nobody knows whether it holds this release; no opening before it answers. ` +
          `To go on without that region take it out of tidegate:peers with an up that raises nothing; the one after may open`,
      ];
    }
    const { record } = reading;
    if (!record || record.retiredAt !== undefined || !isOlder(record)) return [];
    return [
      `${place}: its record is of a version that knows no peers, so it cannot be told of a hold; no opening before it is upgraded. ` +
        "Upgrade all regions, with an up in each, before naming peers",
    ];
  });
}

/** Holds that stand on a release in the peers that could be read. */
export function holdsThere(readings: readonly PeerReading[], digest: string, ownRegion: string): string[] {
  return readings.flatMap((reading) =>
    Object.values(("record" in reading ? reading.record?.holds : undefined) ?? {})
      .filter((hold) => !hold.acknowledged && hold.digest === digest)
      .filter((hold) => goesToPeers(hold) || (hold.cause === "peer" && originOf(hold) !== ownRegion))
      .map(
        (hold) => `peer ${reading.region}: hold ${hold.id} stands there (${hold.detail}); acknowledge it there first`,
      ),
  );
}
