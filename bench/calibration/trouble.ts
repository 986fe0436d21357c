/**
 * What the calibration adds to the rehearsal's world (`rehearsal/traffic/constants.ts`): minutes in which something beside the releases
 * is ill. Fixed before the first result was seen; no number here changes to make a table look better.
 */
export const trouble = {
  /** A dependency blinks and both releases feel it at once. */
  common: {
    /** Unit: a day. Assumed, because a dependency of a service that promises 99.95 % blinks some times a day. */
    startsPerDay: 6,
    /** Geometric. Unit: minutes. Assumed, because restarts and failovers take some minutes. */
    meanMinutes: 3,
    /** On the errors of both. Assumed: 0.4 % instead of 0.02 %. */
    errorMultiplier: 20,
    /** On the latencies of both. Assumed, because a retry adds a third. */
    latencyMultiplier: 1.3,
  },
  /** One host of one release is ill for a minute, by no fault of its code. */
  own: {
    /** Unit: a day and release. Assumed: a host is replaced now and then. */
    startsPerDay: 3,
    /** Assumed: 0.2 % instead of 0.02 %. */
    errorMultiplier: 10,
    latencyMultiplier: 1.15,
  },
} as const;
