/** The commands people give, carried out through the ports: record first, then live, then people. */
import * as core from "../core/commands.ts";
import type { RolloutRecord } from "../core/record.ts";
import { observe } from "./observe.ts";
import { type Ports, RevisionConflictError } from "./ports.ts";
import { lowerRules, sendPages } from "./reconcile.ts";

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
      await ports.records.write(result.record, before.revision);
    } catch (error) {
      if (error instanceof RevisionConflictError && tries < mostTries) continue;
      if (!lowersLive || error instanceof RevisionConflictError) throw error;
      failure = error;
    }
    // Whatever the record could say: an opening under way has weights that were never committed.
    if (lowersLive)
      await lowerRules(ports, result.record, true, { rules: (await observe(ports, result.record)).rules });
    if (failure) throw failure;
    await ports.records.appendHistory(service, result.history);
    await tellPeople(ports, service);
    return result.message;
  }
}

/** What the hook wrote meanwhile it also sends; the command itself is done. */
async function tellPeople(ports: Ports, service: string): Promise<void> {
  try {
    await sendPages(ports, service);
  } catch (error) {
    if (!(error instanceof RevisionConflictError)) throw error;
  }
}

export const acknowledge = (ports: Ports, service: string, said: core.Said, holdId?: string): Promise<string> =>
  run(ports, service, said, (record, words, now) => core.acknowledge(record, words, now, holdId));

export const pause = (ports: Ports, service: string, said: core.Said): Promise<string> =>
  run(ports, service, said, core.pause);

export const resume = (ports: Ports, service: string, said: core.Said): Promise<string> =>
  run(ports, service, said, core.resume);

export const kill = (ports: Ports, service: string, said: core.Said): Promise<string> =>
  run(ports, service, said, core.kill, true);
