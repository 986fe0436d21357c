/**
 * What a new version of the hook does before the alias moves to it: every kind of call that a rollback needs and that changes nothing.
 * A version that cannot do them never becomes the one that is woken.
 */
import { drillAlarmName } from "../core/naming.ts";
import { messageOf } from "./deliver.ts";
import { armDrill } from "./drill.ts";
import { watchedRules } from "./observe.ts";
import type { Ports } from "./ports.ts";

/** The version must not be let near traffic. */
export class SelfTestFailedError extends Error {
  override readonly name = "SelfTestFailedError";
}

/** A role that was made in this same `up` may be refused for a while: IAM is eventually consistent. Unit: milliseconds. */
const patienceMilliseconds = 40_000;
const pauseMilliseconds = 4_000;

/**
 * Tries everything until all of it works, or patience ends.
 * @param extra further checks by name, such as that the secrets can be read
 * @returns one line for people
 * @throws SelfTestFailedError with every check that failed
 */
export async function selfTest(
  ports: Ports,
  extra: Readonly<Record<string, () => Promise<unknown>>> = {},
): Promise<string> {
  const until = ports.clock.now() + patienceMilliseconds;
  for (;;) {
    const failures = await tryAll({ ...checksOf(ports), ...extra });
    if (failures.length === 0) return `self-test passed: ${Object.keys({ ...checksOf(ports), ...extra }).join(", ")}`;
    if (ports.clock.now() + pauseMilliseconds > until) {
      throw new SelfTestFailedError(
        [`self-test: ${failures.length} check(s) failed, so the alias stays on the version before:`, ...failures].join(
          "\n  ",
        ),
      );
    }
    await ports.clock.sleep(pauseMilliseconds);
  }
}

function checksOf(ports: Ports): Record<string, () => Promise<unknown>> {
  return {
    records: () => ports.records.list(),
    alarms: () => ports.alarms.describe([drillAlarmName(ports.place.environment)]),
    rules: async () => {
      const [service] = await ports.records.list();
      const record = service === undefined ? undefined : await ports.records.read(service);
      return ports.traffic.readRules(record ? watchedRules(record) : []);
    },
    drill: () => armDrill(ports),
  };
}

async function tryAll(checks: Readonly<Record<string, () => Promise<unknown>>>): Promise<string[]> {
  const failures: string[] = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
    } catch (error) {
      failures.push(`${name}: ${messageOf(error)}`);
    }
  }
  return failures;
}
