/**
 * What splits a service's traffic (A6): the load balancer's weights, or a feature flag inside the process. One splits, the other stands by
 * as the backup and is all or nothing, since the same percentage in both would multiply; a rollback turns both off.
 */

/**
 * - `weights`: weights follow the exposure; the flag, where there is one, is on for everybody on the canary while it is exposed at all.
 * - `flag`: the flag follows the exposure; the canary's processes, which have both code paths, get every request while it is exposed at all.
 */
export const splitters = ["weights", "flag"] as const;
export type Splitter = (typeof splitters)[number];

/** A flag in AppConfig that goes with a service's rollout. */
export interface FlagPlace {
  /** Key in the flag document: `batch-patches-v1`. */
  readonly flag: string;
  /** Ids in AppConfig, known once they are made. */
  readonly applicationId: string;
  readonly environmentId: string;
  readonly profileId: string;
  /** All at once and without bake time: what the hook lowers with. */
  readonly strategyId: string;
  /** The alarm that AppConfig rolls back on; its actions are off while the hook lowers. @default AppConfig watches nothing */
  readonly alarmName?: string;
}

/** As the config asks for it. */
export interface Split {
  readonly by: Splitter;
  /** Key of the flag; absent only with `weights`. */
  readonly flag?: string;
}

/** As the record keeps it, of services that have a flag. */
export interface RecordedSplit extends FlagPlace {
  readonly by: Splitter;
}

/** What the load balancer gives a canary of this exposure. Unit: percent. */
export function weightPercentAt(by: Splitter, exposurePercent: number): number {
  return by === "weights" ? exposurePercent : allOrNothing(exposurePercent);
}

/** Where the flag stands at this exposure. Unit: percent of those who reach a process that knows it. */
export function flagPercentAt(by: Splitter, exposurePercent: number): number {
  return by === "flag" ? exposurePercent : allOrNothing(exposurePercent);
}

function allOrNothing(exposurePercent: number): number {
  return exposurePercent > 0 ? 100 : 0;
}

/**
 * What a canary is really exposed to, from both. Nothing granted, each of the two has to be off by itself, and the higher one counts.
 * @param seen.flagPercent `undefined`: it could not be read, and is taken for what was granted, since its own confirmation is asked for elsewhere
 */
export function exposureOf(
  by: Splitter,
  grantedPercent: number,
  seen: { readonly weightPercent: number; readonly flagPercent: number | undefined },
): number {
  const { weightPercent, flagPercent = flagPercentAt(by, grantedPercent) } = seen;
  if (grantedPercent === 0) return Math.max(weightPercent, flagPercent);
  return (weightPercent * flagPercent) / 100;
}

/** Shares by digest as the load balancer has to have them, from those that are meant. */
export function weightSharesOf(
  by: Splitter,
  shares: Readonly<Record<string, number>>,
  canary: string | undefined,
): Record<string, number> {
  const exposed = canary === undefined ? 0 : (shares[canary] ?? 0);
  if (canary === undefined || exposed === 0 || by === "weights") return { ...shares };
  return { [canary]: weightPercentAt(by, exposed) };
}
