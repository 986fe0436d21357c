/**
 * Rules that Datadog watches, for the hook: the state of their monitors, and what releases reported there. The hook asks every minute and
 * Datadog looks every minute, so a monitor that spoke for one look alone could fall between two of the hook's: what spoke within the last
 * three minutes still speaks, which is less than any alarm's time to settle.
 */
import type { SoakWindow } from "../../core/gate/evidence.ts";
import { parseAlarmName } from "../../core/naming.ts";
import { datadogName } from "../../core/signals.ts";
import type { Secret, SecretKind } from "../aws/secrets.ts";
import { withSecret } from "../aws/secrets.ts";
import type { AlarmState, WatchElsewhere } from "../ports.ts";
import { soakPercentiles, startsOf, windowOf } from "../soak/cloudwatch.ts";
import { type DatadogApi, DatadogError, type DatadogKeys, datadogApi, type Monitor } from "./datadog-api.ts";

/** How long a monitor that spoke still speaks. Unit: milliseconds. */
export const spokenMilliseconds = 3 * 60_000;

/** Windows of one call: a day of five minutes, well under the points that one answer may have. */
const windowsPerCall = 288;

/** Tag on every monitor of a service, by which its monitors are found. */
export function serviceTag(service: string): string {
  return `tidegate_service:${service}`;
}

/** Both keys, as they are stored. @returns `undefined`: they are not */
export function datadogKeysIn(secret: string): DatadogKeys | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(secret);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || !("apiKey" in parsed) || !("appKey" in parsed)) return undefined;
  const { apiKey, appKey } = parsed;
  const isKey = (key: unknown): key is string => typeof key === "string" && /^[\w-]{20,100}$/.test(key);
  return isKey(apiKey) && isKey(appKey) ? { apiKey, appKey } : undefined;
}

/** The secret with which the hook asks. */
export const datadogKeys: SecretKind = {
  name: "pair of Datadog keys",
  isValid: (secret) => datadogKeysIn(secret) !== undefined,
  expected: '{"apiKey": "…", "appKey": "…"} as the whole secret string',
};

export interface DatadogElsewhereArgs {
  /** `datadoghq.eu`. */
  readonly site: string;
  readonly keys: Secret;
  readonly now: () => number;
  /** Where the API is. @default the site's own */
  readonly url?: string;
  /** Pause before a second try. */
  readonly pauseMilliseconds?: () => number;
}

/** Datadog as one of the systems that watch. Makes no call by itself; every failure is thrown. */
export function datadogElsewhere(args: DatadogElsewhereArgs): WatchElsewhere {
  const { site, keys, now, url = `https://api.${site}`, pauseMilliseconds } = args;
  /** Keys that are refused and have changed since are read anew, once. */
  const withApi = <Answer>(use: (api: DatadogApi) => Promise<Answer>, patienceMilliseconds?: number): Promise<Answer> =>
    withSecret(
      keys,
      (secret) => {
        const pair = datadogKeysIn(secret);
        if (!pair) throw new DatadogError("Datadog: keys: not a pair of keys (not shown); expected apiKey and appKey");
        const pause = pauseMilliseconds ? { pauseMilliseconds } : {};
        const patience = patienceMilliseconds === undefined ? {} : { patienceMilliseconds };
        return use(datadogApi({ url, keys: pair, ...pause, ...patience }));
      },
      (error) => error instanceof DatadogError && (error.status === 401 || error.status === 403),
    );

  return {
    async describe(alarms) {
      const names = new Set(alarms.map(({ alarmName }) => alarmName));
      const services = new Set([...names].map(serviceIn));
      const states: AlarmState[] = [];
      // One after another: the rate limit is the whole organisation's.
      for (const service of services) {
        const monitors = await withApi((api) => api.monitors(serviceTag(service)));
        states.push(...statesOf(monitors, names, now()));
      }
      return states;
    },

    async reported({ environment, service, releaseKey, from, to, patienceMilliseconds }) {
      const release = releaseKey === undefined ? "" : `,release:${releaseKey}`;
      const tags = `environment:${environment},service:${service}${release}`;
      const sum = (signal: "requests" | "errors") => `sum:${datadogName(signal)}{${tags}}.as_count()`;
      const sums = await withApi(
        (api) =>
          api.sums(
            { requests: sum("requests"), errors: sum("errors") },
            { fromMilliseconds: from, toMilliseconds: to },
          ),
        patienceMilliseconds,
      );
      return { requests: sums.requests, errors: sums.errors };
    },

    async windows({ environment, service, releaseKey, from, to, windowSeconds, patienceMilliseconds }) {
      const tags = `environment:${environment},service:${service},release:${releaseKey}`;
      const rollup = (how: string) => `.rollup(${how}${windowSeconds})`;
      const sum = (signal: "requests" | "errors") => `sum:${datadogName(signal)}{${tags}}.as_count()${rollup("sum, ")}`;
      // A distribution has percentiles, which nothing puts together: the window's own is asked for.
      const percentile = (name: string) => `${name}:${datadogName("latency")}{${tags}}${rollup("")}`;
      const queries = {
        requests: sum("requests"),
        errors: sum("errors"),
        ...Object.fromEntries(soakPercentiles.map((name) => [name, percentile(name)])),
      };
      const found: SoakWindow[] = [];
      const stepMs = windowsPerCall * windowSeconds * 1_000;
      // One after another: the rate limit is the whole organisation's.
      for (let start = from; start < to; start += stepMs) {
        const range = {
          fromMilliseconds: start,
          toMilliseconds: Math.min(to, start + stepMs),
          intervalMilliseconds: windowSeconds * 1_000,
        };
        const points = await withApi((api) => api.points(queries, range), patienceMilliseconds);
        for (const at of startsOf([points.requests ?? new Map(), points.errors ?? new Map()])) {
          const percentiles = soakPercentiles.flatMap((name) => {
            const value = points[name]?.get(at);
            return value === undefined ? [] : [[name, value] as const];
          });
          const [requests, errors] = [points.requests?.get(at) ?? 0, points.errors?.get(at) ?? 0];
          found.push(...windowOf({ at, requests, errors, percentiles }));
        }
      }
      return found;
    },

    async counted({ environment, service, releaseKey, signals, from, to, patienceMilliseconds }) {
      const tags = `environment:${environment},service:${service},release:${releaseKey}`;
      const named = signals.map((signal, index) => [`q${index}`, signal] as const);
      const queries = Object.fromEntries(
        named.map(([name, signal]) => [name, `sum:${datadogName(signal)}{${tags}}.as_count()`]),
      );
      const range = { fromMilliseconds: from, toMilliseconds: to };
      const sums = await withApi((api) => api.sums(queries, range), patienceMilliseconds);
      return Object.fromEntries(
        named.flatMap(([name, signal]) => {
          const value = sums[name];
          return value === undefined ? [] : [[signal, value] as const];
        }),
      );
    },
  };
}

function serviceIn(alarmName: string): string {
  const parsed = parseAlarmName(alarmName);
  if (!parsed) {
    throw new DatadogError(
      `Datadog: monitor ${alarmName}: not one of ours, got another name; expected tidegate/<environment>/<service>/…`,
    );
  }
  return parsed.service;
}

/** Those of our monitors, each once. */
function statesOf(monitors: readonly Monitor[], names: ReadonlySet<string>, now: number): AlarmState[] {
  const ours = monitors.filter(({ name }) => names.has(name));
  const seen = new Set<string>();
  for (const { name } of ours) {
    if (seen.has(name)) {
      throw new DatadogError(
        `Datadog: monitor ${name}: more than one of this name; expected one, or nobody knows which counts. Delete the copy`,
      );
    }
    seen.add(name);
  }
  return ours.map((monitor) => stateOf(monitor, now));
}

/** Source: Datadog API reference, `overall_state`, read 2026-11. No warning threshold is declared, so `Warn` is somebody's edit. */
const states: Readonly<Record<string, AlarmState["state"]>> = {
  OK: "OK",
  Alert: "ALARM",
  Warn: "ALARM",
  "No Data": "INSUFFICIENT_DATA",
  Skipped: "INSUFFICIENT_DATA",
  Ignored: "INSUFFICIENT_DATA",
  Unknown: "INSUFFICIENT_DATA",
};

function stateOf(monitor: Monitor, now: number): AlarmState {
  const { name, overall_state: said } = monitor;
  const state = states[said];
  if (state === undefined) {
    throw new DatadogError(
      `Datadog: monitor ${name}: not understood, got state ${said}; expected ${Object.keys(states).join(", ")}`,
    );
  }
  const changed = instantOf(monitor.overall_state_modified) ?? instantOf(monitor.created);
  if (changed === undefined) {
    throw new DatadogError(
      `Datadog: monitor ${name}: not understood, got no time of its state; expected overall_state_modified`,
    );
  }
  const spokeAt = Math.max(
    0,
    ...Object.values(monitor.state?.groups ?? {}).map(({ last_triggered_ts: seconds }) => 1_000 * (seconds ?? 0)),
  );
  const stillSpeaks = state !== "ALARM" && spokeAt > 0 && now - spokeAt < spokenMilliseconds;
  return {
    alarmName: name,
    state: stillSpeaks ? "ALARM" : state,
    updatedAt: stillSpeaks ? spokeAt : changed,
    // A muted monitor still has its state, and the hook acts on states.
    actionsEnabled: true,
  };
}

/** ISO text, or seconds since the epoch. */
function instantOf(written: string | number | null | undefined): number | undefined {
  const instant =
    typeof written === "number" ? 1_000 * written : typeof written === "string" ? Date.parse(written) : Number.NaN;
  return Number.isFinite(instant) ? instant : undefined;
}
