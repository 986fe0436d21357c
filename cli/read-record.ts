/** Reading the record with the operator's own credentials, soon or not at all. */
import { oneLine } from "../core/error-message.ts";
import type { RolloutRecord } from "../core/record.ts";
import type { ReadService } from "../hooks/status.ts";
import type { Change } from "./operation.ts";
import { within } from "./within.ts";

/** As long a command waits for the table before it goes on without: with the hook's 2 s well under requirement B4's 30. Unit: milliseconds. */
export const readLimitMilliseconds = 3_000;

/** How the service stands, for a question; `undefined`: no record. @throws what kept it from being read */
export async function standing(change: Change): Promise<ReadService | undefined> {
  const [ports, { readStatus }] = await Promise.all([change.connection.ports(), import("../hooks/status.ts")]);
  const { services } = await within(change.outside.timers, readLimitMilliseconds, "the record", () =>
    readStatus(ports, [change.service]),
  );
  const [status] = services;
  if (status?.kind === "unreadable") throw new Error(status.problem);
  return status?.kind === "read" ? status : undefined;
}

/** The record, within the limit. */
export function readInTime(
  change: Change,
  read: () => Promise<RolloutRecord | undefined>,
): Promise<RolloutRecord | undefined> {
  return within(change.outside.timers, readLimitMilliseconds, "the record", read);
}

/** Why the service's record cannot be used; `undefined` where it can. */
export async function recordProblem(change: Change): Promise<string | undefined> {
  const ports = await change.connection.ports();
  try {
    const record = await readInTime(change, () => ports.records.read(change.service));
    return record ? undefined : noRecordWords(change.service);
  } catch (error) {
    return oneLine(error);
  }
}

/** The table may be lost, or it may be another account's: both look like this. */
export function noRecordWords(service: string): string {
  return `there is none for ${service}, or no table`;
}
