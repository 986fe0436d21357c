/** How processes come, go and are kept busy in a rehearsal, each number sourced or assumed. */
export const processes = {
  /** Requests that keep one process as busy as its autoscaler wants it. Unit: requests per second. Assumed: ten processes at the mean rate. */
  requestsPerSecond: 5,

  /**
   * The highest count of this long is kept before processes are taken away. Unit: seconds. Kubernetes' default
   * (`behavior.scaleDown.stabilizationWindowSeconds`; API reference of autoscaling/v2, read 2026-11).
   */
  scaleInAfterSeconds: 300,
} as const;
