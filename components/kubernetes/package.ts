/**
 * Kubernetes' package, loaded where a service runs on Kubernetes alone: it is the largest that the program has, and its index takes seconds
 * of a cold start. Each class is taken from its own file, of which the index would load its neighbours too.
 */
import { createRequire } from "node:module";
import type * as kubernetes from "@pulumi/kubernetes";

const load = createRequire(import.meta.url);

/** The classes that a release needs. */
export interface KubernetesClasses {
  readonly Provider: typeof kubernetes.Provider;
  readonly Deployment: typeof kubernetes.apps.v1.Deployment;
  readonly Service: typeof kubernetes.core.v1.Service;
  readonly HorizontalPodAutoscaler: typeof kubernetes.autoscaling.v2.HorizontalPodAutoscaler;
  readonly PodDisruptionBudget: typeof kubernetes.policy.v1.PodDisruptionBudget;
  readonly CustomResource: typeof kubernetes.apiextensions.CustomResource;
}

export function kubernetesClasses(): KubernetesClasses {
  const file = (path: string) => load(`@pulumi/kubernetes/${path}`);
  return {
    Provider: file("provider.js").Provider,
    Deployment: file("apps/v1/deployment.js").Deployment,
    Service: file("core/v1/service.js").Service,
    HorizontalPodAutoscaler: file("autoscaling/v2/horizontalPodAutoscaler.js").HorizontalPodAutoscaler,
    PodDisruptionBudget: file("policy/v1/podDisruptionBudget.js").PodDisruptionBudget,
    CustomResource: file("apiextensions/customResource.js").CustomResource,
  };
}
