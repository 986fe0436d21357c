/** Who gives a command: what the record keeps beside the reason. */
import type { Connection, Outside } from "./outside.ts";
import { within } from "./within.ts";

/** A name in the record is worth this much of an incident, no more. Unit: milliseconds. */
const limitMilliseconds = 1_000;

export interface Who {
  /** The caller's ARN; where STS does not answer, what this machine knows. */
  readonly by: string;
  /** The AWS account, 12 digits; absent where STS did not answer. */
  readonly accountId?: string;
}

/** Asks STS whose credentials these are. Never throws: a command does not fail for want of a name. */
export async function whoCalls(connection: Connection, outside: Outside, accessKeyId: string): Promise<Who> {
  try {
    const { arn, accountId } = await within(outside.timers, limitMilliseconds, "STS", (signal) =>
      connection.caller(signal),
    );
    return { by: arn, accountId };
  } catch {
    const { USER, LOGNAME, USERNAME } = outside.variables;
    const user = USER || LOGNAME || USERNAME || "no user name";
    return { by: `unknown (${user}, access key ending in ${accessKeyId.slice(-4)})` };
  }
}
