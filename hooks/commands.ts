/** The commands people give, carried out through the ports: record first, then live, then peers, then people. */
import * as core from "../core/commands.ts";
import { messageOf } from "../core/error-message.ts";
import type { RolloutRecord } from "../core/record.ts";
import { deliver, oneError } from "./deliver.ts";
import { lowerFlags } from "./flags.ts";
import { lowerRules } from "./lower-rules.ts";
import { broadcastHolds } from "./peers.ts";
import { type ForwardAction, type ListenerRef, type Ports, RevisionConflictError } from "./ports.ts";

/** The command was not carried out; the message says why. */
export class CommandRefusedError extends Error {
  override readonly name = "CommandRefusedError";
}

type Command = (record: RolloutRecord, said: core.Said, now: number) => core.CommandResult;

/** How often a command is taken anew when the hook wrote the record meanwhile. */
const mostTries = 3;

async function run(
  ports: Ports,
  service: string,
  said: core.Said,
  command: Command,
  lowersLive = false,
): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    const before = await ports.records.read(service);
    if (!before) throw new CommandRefusedError(`${service}: no record; nothing to do`);
    const result = command(before, said, ports.clock.now());
    if (result.kind === "refused") throw new CommandRefusedError(`${service}: ${result.reason}`);
    let failure: unknown;
    try {
      if (result.record !== before) await ports.records.write(result.record, before.revision);
    } catch (error) {
      if (error instanceof RevisionConflictError && tries < mostTries) continue;
      if (!lowersLive) throw error;
      // A person said so: traffic goes, and the next reconcile writes down that it went.
      failure = error;
    }
    // Whatever the record could say: an opening under way has weights that were never committed. Nothing is read first, for what is live
    // changes nothing about what has to be written, and every call is time.
    if (lowersLive) {
      const done = await Promise.allSettled([
        lowerRules(ports, result.record, true, undefined),
        lowerFlags(ports, result.record, true, undefined),
      ]);
      const failed = done.flatMap((step) => (step.status === "rejected" ? [step.reason] : []));
      if (failed.length > 0) throw oneError([...(failure === undefined ? [] : [failure]), ...failed]);
    }
    if (failure) throw failure;
    if (result.history.length > 0) await ports.records.appendHistory(service, result.history);
    if (lowersLive && (result.record.broadcastsDue?.length ?? 0) > 0) await tellPeers(ports, service);
    await tellPeople(ports, service);
    return result.message;
  }
}

/** A kill is told at once; what could not be told, or not from here, the hook tells within a minute. */
async function tellPeers(ports: Ports, service: string): Promise<void> {
  await broadcastHolds(ports, service).catch((error: unknown) =>
    ports.telemetry.log("error", "peers not told yet", { service, reason: messageOf(error) }),
  );
}

/** The command itself is done; what could not be said stays in the record, and the hook says it. */
async function tellPeople(ports: Ports, service: string): Promise<void> {
  try {
    await deliver(ports, service);
  } catch (error) {
    if (!(error instanceof RevisionConflictError))
      ports.telemetry.log("error", "not told yet", { service, reason: messageOf(error) });
  }
}

export const acknowledge = (ports: Ports, service: string, said: core.Said, holdId?: string): Promise<string> =>
  run(ports, service, said, (record, words, now) => core.acknowledge(record, words, now, holdId));

export const pause = (ports: Ports, service: string, said: core.Said): Promise<string> =>
  run(ports, service, said, core.pause);

export const resume = (ports: Ports, service: string, said: core.Said): Promise<string> =>
  run(ports, service, said, core.resume);

/** At most four calls in a row: read the record, write it, write the rules (side by side), read them back. */
export const kill = (ports: Ports, service: string, said: core.Said): Promise<string> =>
  run(ports, service, said, core.kill, true);

/** Where a service's main rules are looked for when no record names them. */
export interface ServicePlace {
  readonly listener: ListenerRef;
  readonly environment: string;
  readonly service: string;
}

/** What the service's main rules forward to now, read from the load balancer alone; a rule that cannot be read is left out. */
export async function liveGroups(ports: Ports, place: ServicePlace): Promise<LiveRule[]> {
  return (await readMainRules(ports, place)).live;
}

interface LiveRule {
  readonly ruleArn: string;
  readonly weights: ForwardAction["weights"];
}

/** Each rule on its own: one that somebody else has turned into something else must not keep the others exposed. */
async function readMainRules(
  ports: Ports,
  place: ServicePlace,
): Promise<{ readonly live: LiveRule[]; readonly unread: string[] }> {
  const live: LiveRule[] = [];
  const unread: string[] = [];
  for (const ruleArn of await ports.traffic.findMainRules(place)) {
    try {
      const action = (await ports.traffic.readRules([ruleArn]))[ruleArn];
      if (action) live.push({ ruleArn, weights: action.weights });
    } catch (error) {
      unread.push(messageOf(error));
    }
  }
  return { live, unread };
}

/**
 * Gives all traffic to one target group when the record cannot be read: lost, of a newer schema, garbage. Nothing says which release is
 * the good one, so a person names it; nothing is written but weights.
 * @param args.receiver ARN of the target group, or the name of one that the main rules forward to now
 * @returns one line for people
 * @throws CommandRefusedError where nothing is live, the receiver is not known, or it has no healthy host while another has
 */
export async function killWithoutRecord(
  ports: Ports,
  args: ServicePlace & { readonly receiver: string; readonly said: core.Said },
): Promise<string> {
  const { service, receiver, said } = args;
  const missing = [
    ...(said.by.trim() === "" ? ["who says so"] : []),
    ...(said.reason.trim() === "" ? ["a reason"] : []),
  ];
  if (missing.length > 0)
    throw new CommandRefusedError(`${service}: kill: ${missing.join(" and ")} is missing; nothing was changed`);
  const { live, unread } = await readMainRules(ports, args);
  if (live.length === 0) {
    throw new CommandRefusedError(
      [`${service}: no main rule of it is live that could be written; nothing was changed`, ...unread].join("; "),
    );
  }
  const groups = [...new Set(live.flatMap(({ weights }) => Object.keys(weights)))];
  const arn = receiver.startsWith("arn:")
    ? receiver
    : groups.find((group) => group.includes(`:targetgroup/${receiver}/`));
  if (arn === undefined) {
    throw new CommandRefusedError(
      `${service}: target group "${receiver}" carries none of its traffic; expected one of ${groups.join(", ")}, or the ARN of another. Nothing was changed`,
    );
  }
  await refuseDeadReceiver(ports, service, arn, groups);
  await Promise.all(live.map(({ ruleArn }) => ports.traffic.writeRule(ruleArn, { weights: { [arn]: 100 } })));
  const back = await ports.traffic.readRules(live.map(({ ruleArn }) => ruleArn));
  const wrong = live.filter(({ ruleArn }) =>
    Object.entries(back[ruleArn]?.weights ?? {}).some(([group, weight]) => group !== arn && weight > 0),
  );
  if (wrong.length > 0) {
    throw new Error(
      `${service}: ${wrong.map(({ ruleArn }) => ruleArn).join(", ")} still forward elsewhere after the write; try again, or write them by hand`,
    );
  }
  if (unread.length > 0) {
    throw new Error(
      `${service}: ${live.length} rule(s) forward to ${arn} alone now, and ${unread.length} could not be read and were left: ${unread.join("; ")}`,
    );
  }
  return `${service}: all traffic goes to ${arn} (${live.length} rule(s)), said ${said.by}: ${said.reason}. A testers' rule stays as it is. No record was written: openings stay refused until it can be read`;
}

async function refuseDeadReceiver(ports: Ports, service: string, arn: string, groups: readonly string[]) {
  const receiver = await ports.traffic.targetHealth(arn);
  if (receiver.healthyCount > 0) return;
  const others = await Promise.all(
    groups.filter((group) => group !== arn).map((group) => ports.traffic.targetHealth(group)),
  );
  if (others.some((other) => other.healthyCount > 0)) {
    throw new CommandRefusedError(
      `${service}: ${arn} has no healthy host (0 of ${receiver.totalCount}) and another group has; nothing was changed. Bring it back, or name another group`,
    );
  }
}
