/**
 * One release on a Kubernetes cluster that exists (E6): the pods, what registers them in the release's target group, what scales them and
 * what keeps them from being taken away all at once. Everything is keyed by the release, so a new one comes beside the old one and touches
 * nothing of it.
 *
 * The order is that of the readiness gate: the AWS Load Balancer Controller gives it only to pods that come after a Service that selects them
 * and its TargetGroupBinding (its guide, "Pod readiness gate", read 2026-11), so the Deployment is last. A Deployment counts as there once
 * its pods are ready; with the gate that is: once the target group finds them healthy, for which the group must hang on a load balancer.
 * Going is the other way round: pods first, each draining by itself (`kubernetes/shutdown.ts`), then the binding.
 *
 * The autoscaler has the number of pods. The Deployment names it at birth, so that a release is never born too small, and ignores it
 * afterwards: with server-side apply the provider then leaves the field out, or sends what is live (pulumi-kubernetes 4.34,
 * `handleSSAIgnoreFields`), so that no `up` scales down a release that took on traffic.
 */
import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Release } from "../core/releases.ts";
import type { KubernetesWorkload } from "../core/workloads.ts";
import {
  deployment,
  horizontalPodAutoscaler,
  type ManifestArgs,
  podDisruptionBudget,
  progressSeconds,
  service,
  targetGroupBinding,
} from "./kubernetes/manifests.ts";
import { objectName } from "./kubernetes/names.ts";
import { kubernetesClasses } from "./kubernetes/package.ts";
import { shutdownOf } from "./kubernetes/shutdown.ts";
import type { TargetGroupSettings } from "./settings.ts";

export interface KubernetesReleaseArgs {
  readonly environment: string;
  readonly service: string;
  /** Its image must have a digest. */
  readonly release: Pick<Release, "version" | "image">;
  readonly releaseKey: string;
  readonly workload: KubernetesWorkload;
  /** Of the release alone: the controller takes out whatever else is in it. Its target type must be `ip`. */
  readonly targetGroupArn: pulumi.Input<string>;
  readonly targetGroup: Pick<TargetGroupSettings, "port" | "protocol" | "targetType" | "deregistrationDelaySeconds">;
  /** Fewest pods. @default the workload's own */
  readonly minimumCount?: number;
  /** What hangs the target group on the load balancer; pods come after it. @default nothing of this program */
  readonly after?: readonly pulumi.Resource[];
}

/** Pulumi's own default for what takes long. Unit: seconds. */
const usualTimeoutSeconds = 600;
/** Unit: seconds. */
const slackSeconds = 60;

/**
 * One release's objects, on the provider that the options give.
 *
 * @example
 * ```ts
 * const provider = new kubernetes.Provider("shop", { kubeconfig: "/etc/shop/kubeconfig.yaml" });
 * new KubernetesRelease(
 *   "checkout-2-4-0-1a2b3c4d",
 *   {
 *     environment: "production",
 *     service: "checkout",
 *     release: { version: "2.4.0", image: `registry.example.com/checkout@${digest}` },
 *     releaseKey: "2-4-0-1a2b3c4d",
 *     workload,
 *     targetGroupArn: group.arn,
 *     targetGroup: { port: 8080, protocol: "HTTP", targetType: "ip", deregistrationDelaySeconds: 60 },
 *   },
 *   { providers: { kubernetes: provider } },
 * );
 * ```
 */
export class KubernetesRelease extends pulumi.ComponentResource {
  readonly deployment: kubernetes.apps.v1.Deployment;
  /** Every resource, so that whatever comes after a release can wait for it. */
  readonly resources: readonly pulumi.Resource[];

  /** @throws pulumi.ResourceError with everything that is wrong with the arguments */
  constructor(name: string, args: KubernetesReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    const { environment, releaseKey, workload, release } = args;
    super("tidegate:workload:KubernetesRelease", name, { service: args.service, environment, releaseKey }, opts);
    const problems = kubernetesReleaseProblems(args);
    if (problems.length > 0 || release.image === undefined) {
      throw new pulumi.ResourceError([`${name}: cannot be declared:`, ...problems].join("\n  "), this, true);
    }
    const place = { environment, service: args.service, version: release.version, releaseKey };
    const { port, protocol, deregistrationDelaySeconds } = args.targetGroup;
    const manifest: ManifestArgs = {
      place,
      workload,
      image: release.image,
      port,
      protocol,
      deregistrationDelaySeconds,
      minimumCount: args.minimumCount ?? workload.shape.minimumCount,
    };
    const classes = kubernetesClasses();
    const parent = { parent: this };
    const addresses = new classes.Service(`${name}-service`, service(manifest), parent);
    const binding = new classes.CustomResource(`${name}-binding`, targetGroupBinding(manifest, args.targetGroupArn), {
      ...parent,
      dependsOn: [addresses, ...(args.after ?? [])],
    });
    const autoscaler = new classes.HorizontalPodAutoscaler(
      `${name}-autoscaler`,
      horizontalPodAutoscaler(manifest),
      parent,
    );
    const budget = new classes.PodDisruptionBudget(`${name}-budget`, podDisruptionBudget(manifest), parent);
    const { gracePeriodSeconds } = shutdownOf(workload.shape.stopSeconds, deregistrationDelaySeconds);
    const arriving = `${Math.max(usualTimeoutSeconds, progressSeconds(manifest) + slackSeconds)}s`;
    this.deployment = new classes.Deployment(`${name}-deployment`, deployment(manifest), {
      ...parent,
      dependsOn: [binding],
      ignoreChanges: ["spec.replicas"],
      customTimeouts: {
        create: arriving,
        update: arriving,
        delete: `${Math.max(usualTimeoutSeconds, gracePeriodSeconds + slackSeconds)}s`,
      },
    });
    this.resources = [addresses, binding, autoscaler, budget, this.deployment];
    this.registerOutputs({
      service: args.service,
      environment,
      releaseKey,
      namespace: workload.namespace,
      objectName: objectName(place),
      minimumCount: manifest.minimumCount,
    });
  }
}

/** Everything that is wrong with the arguments of a release; empty when nothing is. */
export function kubernetesReleaseProblems(args: KubernetesReleaseArgs): string[] {
  const { release, workload, targetGroup } = args;
  const { shape, runAsUserId } = workload;
  const minimumCount = args.minimumCount ?? shape.minimumCount;
  const { deregistrationDelaySeconds: delay } = targetGroup;
  return [
    ...(release.image !== undefined && /@sha256:[0-9a-f]{64}$/.test(release.image)
      ? []
      : [
          `release.image: image without a digest, got ${release.image ?? "nothing"}; expected <repository>@sha256:<64 hex>. A tag can be moved to other bytes; ask the registry for the digest behind it`,
        ]),
    ...(shape.stopSeconds > delay
      ? []
      : [
          `workload.shape.stopSeconds: not longer than the target group's deregistration, got ${shape.stopSeconds}; expected more than ${delay}. Requests under way would be cut off; raise it, or lower deregistrationDelaySeconds`,
        ]),
    ...(targetGroup.targetType === "ip"
      ? []
      : [
          `targetGroup.targetType: pods are registered by their addresses, got ${targetGroup.targetType}; expected ip. Leave it out`,
        ]),
    ...(Number.isInteger(minimumCount) && minimumCount >= 1
      ? []
      : [`minimumCount: nobody would serve, got ${minimumCount}; expected a whole number of at least 1. Raise it`]),
    ...(Number.isInteger(runAsUserId) && runAsUserId > 0
      ? []
      : [
          `workload.runAsUserId: no user that Pod Security "restricted" lets run, got ${runAsUserId}; expected a whole number of at least 1. Take the image's own user, as a number`,
        ]),
  ];
}
