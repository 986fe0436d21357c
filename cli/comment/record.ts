/** What the record and the live rules say while the comment is written: read as `tidegate status` reads them, or said why not. */
import { messageOf } from "../../core/error-message.ts";
import { rawLowering } from "../../core/page-message.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { EnvironmentStatus, ReadService } from "../../hooks/status.ts";
import type { Outside } from "../outside.ts";
import type { Place } from "../place.ts";
import { within } from "../within.ts";

/** Longest wait for all of it. Unit: milliseconds. A comment without the record is worth more than no comment. */
const readLimitMilliseconds = 20_000;

export interface RecordOfService {
  readonly status: EnvironmentStatus["services"][number];
  /** What is bad about it, worst first. */
  readonly findings: readonly string[];
  /** A line for a shell that gives everything back to the baseline; `undefined`: the record does not tell enough. */
  readonly rawLowering: string | undefined;
  /** As it is; `undefined`: it could not be read. */
  readonly record: RolloutRecord | undefined;
}

export type RecordReading =
  | { readonly kind: "read"; readonly services: ReadonlyMap<string, RecordOfService> }
  | { readonly kind: "not-read"; readonly reason: string };

/** Reads the services that the comment is about. Never throws: what cannot be read is said. */
export async function readRecords(outside: Outside, place: Place, services: readonly string[]): Promise<RecordReading> {
  try {
    const connection = outside.connect(place);
    await connection.signIn();
    return await within(outside.timers, readLimitMilliseconds, "the record", async () => {
      const [ports, { readStatus }] = await Promise.all([connection.ports(), import("../../hooks/status.ts")]);
      const status = await readStatus(ports, services);
      const read = new Map<string, RecordOfService>();
      for (const each of status.services) {
        const record = each.kind === "read" ? await ports.records.read(each.service).catch(() => undefined) : undefined;
        read.set(each.service, {
          status: each,
          findings: status.findings.filter(({ service }) => service === each.service).map(({ text }) => text),
          record,
          rawLowering: record ? rawLowering(record, place.region) : undefined,
        });
      }
      return { kind: "read" as const, services: read };
    });
  } catch (error) {
    return { kind: "not-read", reason: messageOf(error) };
  }
}

/** The live share of a version; `undefined` where the live rules say nothing. */
export function livePercentOf(status: ReadService, version: string): number | undefined {
  if (status.live.kind !== "read") return undefined;
  const known = [status.baseline, status.canary, status.previous].flatMap((release) => release ?? []);
  const matching = known.filter((release) => release.version === version);
  // One version text on two releases says nothing about either.
  if (new Set(matching.map(({ digest }) => digest)).size !== 1) return undefined;
  return status.live.sharesPercent[matching[0]?.digest ?? ""] ?? 0;
}
