/**
 * What a new version of the hook does before the alias moves to it: every kind of read that a rollback needs, rules and hosts as soon as there is a service to ask about.
 * A version that cannot do them never becomes the one that is woken.
 */
import { messageOf } from "../core/error-message.ts";
import { drillAlarmName, drillService } from "../core/naming.ts";
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

/** A series that nobody has: only whether it may be asked for matters. */
const drillQuery = {
  id: "drill",
  namespace: "Tidegate",
  metricName: "Requests",
  dimensions: { Service: drillService },
} as const;

function checksOf(ports: Ports): Record<string, () => Promise<unknown>> {
  const first = async () => {
    const [service] = await ports.records.list();
    return service === undefined ? undefined : ports.records.read(service);
  };
  const now = ports.clock.now();
  return {
    records: () => ports.records.list(),
    alarms: () => ports.alarms.describe([drillAlarmName(ports.place.environment)]),
    metrics: () => ports.metrics.requestSums([drillQuery], { from: now - 60_000, to: now, periodSeconds: 60 }),
    // Rules and hosts have no name that could be asked for before there is a service.
    rules: async () => {
      const record = await first();
      return record && ports.traffic.readRules(watchedRules(record));
    },
    hosts: async () => {
      const record = await first();
      const release = record?.releases[record.baseline];
      return release && ports.traffic.targetHealth(release.targetGroupArn);
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
