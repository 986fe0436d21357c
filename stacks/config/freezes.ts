/**
 * Change freezes of an environment, the calendar of the policy `rollout-change-freeze-is-kept`:
 *
 *     freezes: [{ name: weekend, timeZone: Europe/Berlin, from: Fri 16:00, to: Mon 08:00 }]
 */
import { readFreezes } from "../../core/freeze-calendar.ts";
import type { FreezeConfig } from "./model.ts";
import { type Path, type Problems, pathText } from "./problems.ts";

/** Reads the windows; `undefined` where no calendar is kept, or after a problem. */
export function readFreezeConfig(raw: unknown, path: Path, problems: Problems): readonly FreezeConfig[] | undefined {
  if (raw === undefined) return undefined;
  const read = readFreezes(raw, pathText(path));
  problems.texts.push(...read.problems);
  return read.problems.length > 0 ? undefined : read.windows;
}
