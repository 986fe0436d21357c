/**
 * The objects of one release, as Kubernetes takes them: plain data out of plain data, so that a test can read them whole. Which come after
 * which is `kubernetes-release.ts`.
 */
import type * as pulumi from "@pulumi/pulumi";
import { labelsOf, objectName, type ReleasePlace, selectorOf } from "./names.ts";
import { type PodArgs, podSpec, portName } from "./pod.ts";
import { shutdownOf } from "./shutdown.ts";

export interface ManifestArgs extends Pick<PodArgs, "workload" | "image" | "port" | "protocol"> {
  readonly place: ReleasePlace;
  /** Unit: seconds. */
  readonly deregistrationDelaySeconds: number;
  /** Fewest pods. */
  readonly minimumCount: number;
}

/** What a node may need to join and an image to be pulled, beside the start itself. Unit: seconds. */
const arrivalSeconds = 300;

/** How long a Deployment may make no progress before it counts as failed. Unit: seconds. */
export function progressSeconds({ workload }: Pick<ManifestArgs, "workload">): number {
  return workload.shape.startSeconds + arrivalSeconds;
}

function metadata({ place, workload }: ManifestArgs) {
  return { name: objectName(place), namespace: workload.namespace, labels: labelsOf(place) };
}

export function deployment(args: ManifestArgs) {
  const { place, workload, minimumCount } = args;
  const selector = selectorOf(place);
  const shutdown = shutdownOf(workload.shape.stopSeconds, args.deregistrationDelaySeconds);
  return {
    metadata: metadata(args),
    spec: {
      // At birth alone: then the autoscaler has it, and `ignoreChanges` keeps every later `up` from taking it back.
      replicas: minimumCount,
      revisionHistoryLimit: 2,
      progressDeadlineSeconds: progressSeconds(args),
      selector: { matchLabels: selector },
      // A release's image never changes; what else changes must not cost a pod before its successor is ready.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels: labelsOf(place) },
        spec: podSpec({ ...args, releaseKey: place.releaseKey, shutdown, selector }),
      },
    },
  };
}

/** The pods' addresses, which the binding registers; nobody is meant to call it. */
export function service(args: ManifestArgs) {
  return {
    metadata: {
      ...metadata(args),
      // Pulumi would wait for pods, which wait for this: they come after it, for their readiness gate.
      annotations: { "pulumi.com/skipAwait": "true" },
    },
    spec: {
      type: "ClusterIP",
      selector: selectorOf(args.place),
      ports: [{ name: portName, port: args.port, targetPort: portName, protocol: "TCP" }],
    },
  };
}

/**
 * Registers the pods in the target group, and takes them out. The AWS Load Balancer Controller has the whole group: whatever else is
 * registered in it is taken out. Source: its guide, TargetGroupBinding, read 2026-11.
 */
export function targetGroupBinding(args: ManifestArgs, targetGroupArn: pulumi.Input<string>) {
  const { loadBalancerSecurityGroupId } = args.workload;
  return {
    apiVersion: "elbv2.k8s.aws/v1beta1",
    kind: "TargetGroupBinding",
    metadata: metadata(args),
    spec: {
      serviceRef: { name: objectName(args.place), port: args.port },
      targetGroupARN: targetGroupArn,
      targetType: "ip",
      ...(loadBalancerSecurityGroupId === undefined
        ? {}
        : {
            networking: {
              ingress: [
                {
                  from: [{ securityGroup: { groupID: loadBalancerSecurityGroupId } }],
                  ports: [{ protocol: "TCP", port: args.port }],
                },
              ],
            },
          }),
    },
  };
}

export function horizontalPodAutoscaler(args: ManifestArgs) {
  const { shape } = args.workload;
  return {
    metadata: metadata(args),
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: objectName(args.place) },
      minReplicas: args.minimumCount,
      // A pinned minimum may be above what the config allows by now.
      maxReplicas: Math.max(args.minimumCount, shape.maximumCount),
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: shape.targetCpuPercent } },
        },
      ],
      // Traffic that a wave took away may be back in a moment: down slowly, a tenth a minute; up at once, as Kubernetes has it.
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: 300,
          policies: [{ type: "Percent", value: 10, periodSeconds: 60 }],
        },
      },
    },
  };
}

export function podDisruptionBudget(args: ManifestArgs) {
  return {
    metadata: metadata(args),
    spec: {
      // Not `minAvailable`: at its minimum a release would then keep every node from being drained.
      maxUnavailable: 1,
      // A pod that is not ready serves nobody, and must not hold a node.
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: selectorOf(args.place) },
    },
  };
}
