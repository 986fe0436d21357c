/**
 * How long a pod takes to go, so that nothing that the load balancer still sends it is lost.
 *
 *     told to go                                                          killed
 *     |--- notice ---|------- deregistration -------|------ the rest ------|
 *     |------------ preStop sleep ------------------| SIGTERM              |
 *     |----------------- terminationGracePeriodSeconds --------------------|
 *
 * Kubernetes starts a pod's end and the controller's `DeregisterTargets` at the same moment, without waiting for either. Until the load
 * balancer knows (the notice) it sends new requests; for the deregistration delay it lets those under way come to their end, on the pod. So
 * the process must not hear of it before both are over: only then comes SIGTERM, and what is left of `stopSeconds` is the process's own.
 * Sources: Kubernetes, Pod Lifecycle, "Termination of Pods" (the grace period counts the preStop hook too); ELBv2, "Deregistration delay";
 * read 2026-11.
 */

/**
 * From the end of a pod to a load balancer that sends it nothing new: an event to the controller, its call, ELBv2's own propagation. No
 * figure is published; seconds are usual. Unit: seconds.
 */
export const noticeSeconds = 15;

/** What the two settings of a pod come to. */
export interface Shutdown {
  /** Unit: seconds. */
  readonly sleepSeconds: number;
  /** Unit: seconds. */
  readonly gracePeriodSeconds: number;
}

/**
 * @param stopSeconds what a process is given after it was told to stop; the notice comes on top, since nobody counts it
 */
export function shutdownOf(stopSeconds: number, deregistrationDelaySeconds: number): Shutdown {
  return {
    sleepSeconds: noticeSeconds + deregistrationDelaySeconds,
    gracePeriodSeconds: noticeSeconds + stopSeconds,
  };
}
