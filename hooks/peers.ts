/**
 * Peers: regions with an environment of the same name that share holds (docs/decisions/0015). The hook tells them of a hold after it
 * lowered here, and goes on telling until they know; guard and preview ask them before anything is raised.
 */
import type { Declaration, Notice } from "../core/declaration.ts";
import { messageOf } from "../core/error-message.ts";
import { note, warning } from "../core/outcome.ts";
import { holdsThere, type PeerReading, peerProblems, readBroadcast, silences } from "../core/peers.ts";
import { settleBroadcasts, type Told } from "../core/peers-broadcast.ts";
import { type Received, receiveHold } from "../core/peers-receive.ts";
import type { Hold, RolloutRecord } from "../core/record.ts";
import { type Ports, RevisionConflictError } from "./ports.ts";

/** How often a peer's record, or our own, is read anew when somebody else wrote it meanwhile. */
const mostTries = 3;

/** Why regions did not answer, by region: in one run each is waited for once, however many services it has. */
export type SilentRegions = Map<string, string>;

/**
 * Tells every peer of what it has still to be told, side by side, and writes down who was. What could not be told stays due; it is no
 * failure of the run, for a region that is gone must not make this one's hook look dead.
 * @throws only when our own record cannot be read or written
 */
export async function broadcastHolds(ports: Ports, service: string, silent: SilentRegions = new Map()): Promise<void> {
  const before = await ports.records.read(service);
  const due = before?.broadcastsDue ?? [];
  if (!before || due.length === 0) return;
  const told = await Promise.all(
    due.map(readBroadcast).flatMap(({ region, holdId }) => {
      const hold = before.holds[holdId];
      return hold && before.peers?.includes(region) ? [tell(ports, service, region, hold, silent)] : [];
    }),
  );
  for (const { region, holdId, failure } of told) {
    if (failure !== undefined)
      ports.telemetry.log("warn", "peer not told", { service, region, hold: holdId, reason: failure });
  }
  await writeDown(ports, before, told);
}

async function writeDown(ports: Ports, first: RolloutRecord, told: readonly Told[]): Promise<void> {
  let before: RolloutRecord | undefined = first;
  for (let tries = 1; before !== undefined; tries += 1) {
    const { record, history } = settleBroadcasts(before, told, ports.clock.now());
    if (record === before) return;
    try {
      await ports.records.write(record, before.revision);
      await ports.records.appendHistory(record.service, history);
      return;
    } catch (error) {
      if (!(error instanceof RevisionConflictError) || tries === mostTries) throw error;
      before = await ports.records.read(first.service);
    }
  }
}

async function tell(ports: Ports, service: string, region: string, hold: Hold, silent: SilentRegions): Promise<Told> {
  const { id: holdId, targetPercent } = hold;
  const gone = silent.get(region);
  if (gone !== undefined) return { region, holdId, targetPercent, failure: gone, answer: "" };
  try {
    const made = await put(ports, service, region, hold);
    // No sign that the region is silent: its other services may be committed by this version already.
    if (made === "older") return { region, holdId, targetPercent, failure: olderHook, answer: "" };
    return { region, holdId, targetPercent, answer: answers[made] };
  } catch (error) {
    const failure = messageOf(error);
    // Somebody writes there all the time: that region is alive.
    if (!(error instanceof RevisionConflictError)) silent.set(region, failure);
    return { region, holdId, targetPercent, failure, answer: "" };
  }
}

const olderHook =
  "its hook is older: a hold from here would make the record unreadable to it; upgrade that region, with an up of the service";

type Answer = Extract<Received, { kind: "nothing" }>["why"] | "held" | "observed";

const answers: Readonly<Record<Answer, string>> = {
  "no-service": "it has no such service",
  "no-release": "it does not have the release",
  known: "it knew",
  held: "held there",
  observed: "it only observes",
};

/** Into the peer's record, conditional on the revision that was judged. */
async function put(ports: Ports, service: string, region: string, hold: Hold): Promise<Answer | "older"> {
  for (let tries = 1; ; tries += 1) {
    const there = await ports.peers.read(region, service);
    const received = receiveHold(there, { region: ports.place.region, hold }, ports.clock.now());
    if (received.kind === "nothing") return received.why;
    if (received.kind === "older") return "older";
    try {
      if (received.kind === "held" && there) await ports.peers.write(region, received.record, there.revision);
    } catch (error) {
      if (error instanceof RevisionConflictError && tries < mostTries) continue;
      throw error;
    }
    // The hold stands; a line of history that is missing must not make it told twice.
    await ports.peers.appendHistory(region, service, received.history).catch((error: unknown) => {
      ports.telemetry.log("warn", "no history in a peer", { service, region, reason: messageOf(error) });
    });
    return received.kind;
  }
}

/** What the peers' records say, side by side; why one cannot be read is an answer too. */
export async function readPeers(
  ports: Pick<Ports, "peers">,
  regions: readonly string[],
  service: string,
): Promise<PeerReading[]> {
  return Promise.all(
    regions.map(async (region): Promise<PeerReading> => {
      try {
        return { region, record: await ports.peers.read(region, service) };
      } catch (error) {
        return { region, failure: messageOf(error) };
      }
    }),
  );
}

/** Every reason in the peers of a record against an opening of a release; for the guard. */
export async function openingProblemsOfPeers(
  ports: Pick<Ports, "peers" | "place">,
  record: RolloutRecord,
  digest: string,
): Promise<string[]> {
  return peerProblems(await readPeers(ports, record.peers ?? [], record.service), digest, ports.place.region);
}

/** What the peers say of an `up`. */
export interface PeerWords {
  readonly refusals: readonly string[];
  readonly notices: readonly Notice[];
}

/**
 * Every reason in the peers against what an `up` is about to declare; none where it raises nothing. The guard asks again, at the last
 * moment: this is for the preview, and so that an `up` stops before anything changed. A first baseline raises nobody's share and must be able
 * to come up while a region is away: there silence is only said, and a hold on the release refuses it.
 * @param args.recorded the record's peers, which the guard asks; `configured` are those that it will ask from the next `up` on
 */
export async function peerRefusals(
  ports: Pick<Ports, "peers">,
  args: {
    readonly declaration: Declaration;
    readonly configured: readonly string[];
    readonly recorded: readonly string[];
    readonly ownRegion: string;
  },
): Promise<PeerWords> {
  const { service, step, canary, baseline } = args.declaration;
  const isFirst = step === "first";
  const digest = step === "opening" ? canary?.digest : step === "replace-baseline" || isFirst ? baseline : undefined;
  if (digest === undefined) return { refusals: [], notices: [] };
  const regions = [...new Set([...args.configured, ...args.recorded])].sort();
  const readings = await readPeers(ports, regions, service);
  const toldOf = (problems: readonly string[]) => problems.map((problem) => `${service}: ${problem}`);
  if (!isFirst) return { refusals: toldOf(peerProblems(readings, digest, args.ownRegion)), notices: [] };
  return {
    refusals: toldOf(holdsThere(readings, digest, args.ownRegion)),
    notices: toldOf(silences(readings)).map((text) => warning("note", text)),
  };
}

/** An adopted group without an image is known by its ARN, which no other region has: its holds stay in this one. */
export function unsharedNotices({ service, liveSet, canary }: Declaration, peers: readonly string[]): Notice[] {
  const release = liveSet.find(({ digest }) => digest === canary?.digest);
  if (peers.length === 0 || !release?.digest.startsWith("arn:")) return [];
  return [
    note(
      "note",
      `${service}: holds on ${release.version} are not shared with peers: it is known by its target group's ARN, which no other region has. Give it an image to share them`,
    ),
  ];
}
