/** Delays and chances of the local cloud beside the traffic's own (`rehearsal/traffic/constants.ts`), each sourced or assumed. */
export const cloud = {
  /**
   * From an alarm's state change until the hook runs: EventBridge, then Lambda's start. Unit: seconds. Assumed, because EventBridge
   * speaks of about half a second (EventBridge FAQ, read 2026-11) and a cold start of a small function takes about as long again.
   */
  eventDeliverySeconds: 1,

  /**
   * How many events come twice. Unit: fraction. Assumed, because AWS says "at least once" and gives no number; often enough here to
   * be met in every longer rehearsal.
   */
  duplicateFraction: 0.05,
  /** How much later the second copy comes. Unit: seconds. Assumed, because duplicates are redeliveries. */
  duplicateAfterSeconds: 7,

  /**
   * Waits before the second and third try of an asynchronous invocation that failed. Unit: seconds.
   * Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation", read 2026-11.
   */
  retryAfterSeconds: [60, 120],

  /** A run of a function that takes longer is ended. Unit: seconds. As `infra/rollback-hook.ts` declares it. */
  functionTimeoutSeconds: 60,

  /** Delay of Lambda's and SQS's own minute metrics. Unit: seconds. Assumed, as for the load balancer's. */
  serviceMetricDelaySeconds: 120,

  /** Resolution of traffic and alarms: the shortest alarm period there is. Unit: seconds. */
  stepSeconds: 10,
} as const;
