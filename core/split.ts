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
  readonly strategyId: string;
}

/** As the config asks for it. */
export interface Split {
  readonly by: Splitter;
  /** Key of the flag; absent only with `weights`. */
  readonly flag?: string;
}
