/**
 * States of alarms wherever they are watched: CloudWatch's own, and those of the systems that the environment has beside it. What one of them
 * does not answer is named, and never taken for quiet.
 */
import type { WatchedAlarm } from "../core/record.ts";
import { type WatchingSystem, watchingSystems } from "../core/watch-rules.ts";
import type { AlarmState, Ports, WatchElsewhere } from "./ports.ts";

/** Rules of a system that the environment has no way to. */
export class NotWiredError extends Error {
  override readonly name = "NotWiredError";
}

type Watched = Pick<WatchedAlarm, "alarmName" | "watchedIn">;

/** The system that watches an alarm. */
export function systemOf(alarm: Watched): WatchingSystem {
  return alarm.watchedIn ?? "cloudwatch";
}

/** Names of those that CloudWatch watches. */
export function cloudWatchNames(alarms: readonly Watched[]): string[] {
  return alarms.filter((alarm) => systemOf(alarm) === "cloudwatch").map(({ alarmName }) => alarmName);
}

export interface StatesRead {
  readonly states: readonly AlarmState[];
  /** Alarms whose system did not answer. */
  readonly unread: readonly string[];
  /** What failed, by system. */
  readonly failures: readonly { readonly system: WatchingSystem; readonly error: unknown }[];
}

async function describeIn(
  ports: Pick<Ports, "alarms" | "elsewhere">,
  system: WatchingSystem,
  alarms: readonly WatchedAlarm[],
): Promise<readonly AlarmState[]> {
  if (system === "cloudwatch") return ports.alarms.describe(alarms.map(({ alarmName }) => alarmName));
  return portOf(ports, system, `the state of ${alarms.length} alarm(s)`).describe(alarms);
}

/**
 * The way to a system.
 * @param what is to be read there, for the message
 * @throws NotWiredError
 */
export function portOf(
  ports: Pick<Ports, "elsewhere">,
  system: Exclude<WatchingSystem, "cloudwatch">,
  what: string,
): WatchElsewhere {
  const port = ports.elsewhere[system];
  if (port) return port;
  throw new NotWiredError(
    `${system}: ${what} cannot be read, got no way to ask it; expected alerting.${system === "prometheus" ? "grafana" : "datadog"} in the config of the foundation. Run up there`,
  );
}

/**
 * Reads them all, each system by itself: one that does not answer blinds nobody to what another one says.
 * @param known CloudWatch's answer where it was read before
 */
export async function readStates(
  ports: Pick<Ports, "alarms" | "elsewhere">,
  alarms: readonly WatchedAlarm[],
  known?: readonly AlarmState[],
): Promise<StatesRead> {
  const read = await Promise.all(
    watchingSystems.map(async (system): Promise<StatesRead> => {
      const own = alarms.filter((alarm) => systemOf(alarm) === system);
      if (own.length === 0) return { states: [], unread: [], failures: [] };
      if (system === "cloudwatch" && known) {
        const names = new Set(own.map(({ alarmName }) => alarmName));
        return { states: known.filter(({ alarmName }) => names.has(alarmName)), unread: [], failures: [] };
      }
      try {
        return { states: await describeIn(ports, system, own), unread: [], failures: [] };
      } catch (error) {
        return { states: [], unread: own.map(({ alarmName }) => alarmName), failures: [{ system, error }] };
      }
    }),
  );
  return {
    states: read.flatMap(({ states }) => states),
    unread: read.flatMap(({ unread }) => unread),
    failures: read.flatMap(({ failures }) => failures),
  };
}

/**
 * As `readStates`, for whoever needs all of them.
 * @throws what the first system that did not answer said
 */
export async function describeAll(
  ports: Pick<Ports, "alarms" | "elsewhere">,
  alarms: readonly WatchedAlarm[],
): Promise<readonly AlarmState[]> {
  const { states, failures } = await readStates(ports, alarms);
  const [first] = failures;
  if (first) throw first.error;
  return states;
}
