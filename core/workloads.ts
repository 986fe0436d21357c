/**
 * What runs behind a release's target group (E6), in words of no platform: how many, how large, how it is asked whether it is well, and how it
 * stops. `KubernetesRelease` and `EcsRelease` declare it. Types alone; the config fills every default in.
 */

/** Where workloads can run. */
export const workloadKinds = ["kubernetes", "ecs"] as const;
export type WorkloadKind = (typeof workloadKinds)[number];

/** What both platforms have to know of a release's processes. */
export interface WorkloadShape {
  /** Fewest of them (pods, tasks); a pinned baseline may have more (`Declaration.capacity`). */
  readonly minimumCount: number;
  readonly maximumCount: number;
  /** Scaled so that their processors are this busy. Unit: percent of what is asked for. */
  readonly targetCpuPercent: number;
  readonly cpuMillicores: number;
  readonly memoryMegabytes: number;
  /** Plain environment variables; `TIDEGATE_RELEASE` is added by the program. */
  readonly variables: Readonly<Record<string, string>>;
  /** Says whether it takes requests; also the target group's own. */
  readonly readinessPath: string;
  /** Says whether it must be started anew. */
  readonly livenessPath: string;
  /** How long it may take to start. Unit: seconds. */
  readonly startSeconds: number;
  /** How long it is given to finish after it was told to stop; longer than the target group's deregistration. Unit: seconds. */
  readonly stopSeconds: number;
}

/** On an existing cluster. */
export interface KubernetesWorkload {
  readonly kind: "kubernetes";
  readonly shape: WorkloadShape;
  /** A kubeconfig file with an optional context, or the name of an EKS cluster in the environment's account and region. */
  readonly cluster: { readonly kubeconfigPath: string; readonly context?: string } | { readonly eksName: string };
  readonly namespace: string;
  /** @default the namespace's own */
  readonly serviceAccountName?: string;
  /** Not 0: Pod Security "restricted" wants no root. */
  readonly runAsUserId: number;
  /** The load balancer's security group, which the controller lets in to the pods. @default the controller opens nothing */
  readonly loadBalancerSecurityGroupId?: string;
}

/** On an existing ECS cluster, Fargate. */
export interface EcsWorkload {
  readonly kind: "ecs";
  readonly shape: WorkloadShape;
  readonly clusterName: string;
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  /** Lets ECS pull the image and write logs. */
  readonly executionRoleArn: string;
  /** What the processes may do. @default nothing */
  readonly taskRoleArn?: string;
  readonly assignPublicIp: boolean;
  /** Not 0, as on Kubernetes. */
  readonly runAsUserId: number;
  /** What the image is built for. */
  readonly cpuArchitecture: "X86_64" | "ARM64";
  /** Secrets Manager or SSM ARNs by variable. @default none */
  readonly secretArns?: Readonly<Record<string, string>>;
}

export type Workload = KubernetesWorkload | EcsWorkload;
