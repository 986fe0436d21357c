/** Bringing the flag down to what the record grants (A6), beside the weights: neither waits for the other. */
import { flagsToWrite } from "../core/flag-watch.ts";
import type { LiveFlags } from "../core/observation.ts";
import type { RolloutRecord } from "../core/record.ts";
import type { Ports } from "./ports.ts";

/**
 * Writes the flag document from the record, where live grants too much.
 * @param live what was read; `undefined`: not read or not readable
 * @throws whatever kept it from being written and seen
 */
export async function lowerFlags(
  ports: Pick<Ports, "flags" | "clock">,
  record: RolloutRecord,
  isLowering: boolean,
  live: LiveFlags | undefined,
): Promise<void> {
  const percents = flagsToWrite(record, live, isLowering, ports.clock.now());
  if (record.split && percents) await ports.flags.write(record.split, percents);
}
