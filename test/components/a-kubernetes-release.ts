/** A release on Kubernetes, and ways to change one thing in it. */
import * as pulumi from "@pulumi/pulumi";
import { KubernetesRelease, type KubernetesReleaseArgs } from "../../components/index.ts";
import type { KubernetesWorkload, WorkloadShape } from "../../core/workloads.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";

export const groupArn =
  "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/checkout-2-4-0/0123456789abcdef";

export function aWorkload(
  changes: Partial<Omit<KubernetesWorkload, "shape">> = {},
  shape: Partial<WorkloadShape> = {},
): KubernetesWorkload {
  return {
    kind: "kubernetes",
    cluster: { eksName: "shop" },
    namespace: "shop",
    runAsUserId: 10_001,
    shape: {
      minimumCount: 3,
      maximumCount: 12,
      targetCpuPercent: 60,
      cpuMillicores: 500,
      memoryMegabytes: 512,
      variables: { LOG_LEVEL: "info" },
      readinessPath: "/ready",
      livenessPath: "/alive",
      startSeconds: 62,
      stopSeconds: 90,
      ...shape,
    },
    ...changes,
  };
}

export function releaseArgs(changes: Partial<KubernetesReleaseArgs> = {}): KubernetesReleaseArgs {
  return {
    environment: "dev",
    service: "checkout",
    release: { version: "2.4.0", image: `registry.example.com/checkout@sha256:${"b".repeat(64)}` },
    releaseKey: "2-4-0-1a2b3c4d",
    workload: aWorkload(),
    targetGroupArn: groupArn,
    targetGroup: { port: 8080, protocol: "HTTP", targetType: "ip", deregistrationDelaySeconds: 60 },
    ...changes,
  };
}

/** Stands for the rule that hangs the target group on the load balancer. */
class Anchor extends pulumi.CustomResource {}

/** Declares it under mocks. */
export function declareRelease(changes: Partial<KubernetesReleaseArgs> = {}, name = "checkout-2-4-0-1a2b3c4d") {
  return runPulumi(() => {
    const anchor = new Anchor("test:index:Anchor", "anchor");
    new KubernetesRelease(name, releaseArgs({ after: [anchor], ...changes }));
  });
}

/** Every object as it would be sent to the cluster, by kind. */
export async function manifestsOf(changes: Partial<KubernetesReleaseArgs> = {}): Promise<Record<string, unknown>[]> {
  const { resources } = await declareRelease(changes);
  return resources
    .filter(({ type }) => type.startsWith("kubernetes:"))
    .map(({ inputs }) => ({ ...inputs }))
    .sort((left, right) => (String(left.kind) < String(right.kind) ? -1 : 1));
}
