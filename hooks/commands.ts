/** The commands people give, carried out through the ports: record first, then live, then people. */
import * as core from "../core/commands.ts";
import { committedPercent, type RolloutRecord } from "../core/record.ts";
import { observe } from "./observe.ts";
import type { Ports } from "./ports.ts";
import { lowerRules, sendPages } from "./reconcile.ts";

/** The command was not carried out; the message says why. */
export class CommandRefusedError extends Error {
  override readonly name = "CommandRefusedError";
}

type Command = (record: RolloutRecord, said: core.Said, now: number) => core.CommandResult;

async function run(ports: Ports, service: string, said: core.Said, command: Command): Promise<string> {
  const before = await ports.records.read(service);
  if (!before) throw new CommandRefusedError(`${service}: no record; nothing to do`);
  const result = command(before, said, ports.clock.now());
  if (result.kind === "refused") throw new CommandRefusedError(`${service}: ${result.reason}`);
  await ports.records.write(result.record, before.revision);
  if (committedPercent(result.record) < committedPercent(before) || result.record.baseline !== before.baseline) {
    await lowerRules(ports, result.record, true, { rules: (await observe(ports, result.record)).rules });
  }
  await ports.records.appendHistory(service, result.history);
  await sendPages(ports, service);
  return result.message;
}

export const acknowledge = (ports: Ports, service: string, said: core.Said, holdId?: string): Promise<string> =>
  run(ports, service, said, (record, words, now) => core.acknowledge(record, words, now, holdId));

export const pause = (ports: Ports, service: string, said: core.Said): Promise<string> =>
  run(ports, service, said, core.pause);

export const resume = (ports: Ports, service: string, said: core.Said): Promise<string> =>
  run(ports, service, said, core.resume);

export const kill = (ports: Ports, service: string, said: core.Said): Promise<string> =>
  run(ports, service, said, core.kill);
