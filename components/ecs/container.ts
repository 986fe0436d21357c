/**
 * The one container of a release's task, as ECS takes it: hardened as far as Fargate goes, and told which release it is.
 *
 * No health check of its own: ECS runs one as a command inside the container, and no command is surely there (an image may have no shell).
 * The target group asks instead, and ECS replaces a task that fails there, so one path answers for readiness and liveness alike.
 */
import type { EcsWorkload } from "../../core/workloads.ts";
import { releaseVariable } from "./limits.ts";

/** Mebibytes of `/tmp`, in memory and out of the task's own: enough for sockets and small uploads, little beside the smallest task's 512. */
const temporaryMegabytes = 64;

/** What is known of the container beside the workload. */
export interface ContainerArgs {
  readonly name: string;
  readonly workload: EcsWorkload;
  readonly image: string;
  readonly releaseKey: string;
  readonly port: number;
  readonly logGroupName: string;
  /** AWS region of the log group. */
  readonly region: string;
}

/**
 * The container definition.
 * Sources: ECS API reference, ContainerDefinition, LinuxParameters and LogConfiguration; `tmpfs` on Fargate since 2026-01; read 2026-11.
 */
export function containerDefinition({ name, workload, image, releaseKey, port, logGroupName, region }: ContainerArgs) {
  const { shape, secretArns = {}, runAsUserId } = workload;
  return {
    name,
    image,
    essential: true,
    portMappings: [{ containerPort: port, protocol: "tcp" }],
    // By name: the order of a map in config must not be a new revision.
    environment: byName({ ...shape.variables, [releaseVariable]: releaseKey }).map(([variable, value]) => ({
      name: variable,
      value,
    })),
    secrets: byName(secretArns).map(([variable, valueFrom]) => ({ name: variable, valueFrom })),
    user: String(runAsUserId),
    readonlyRootFilesystem: true,
    linuxParameters: {
      capabilities: { drop: ["ALL"] },
      // World-writable, since a bind mount would be root's. `exec`, which runtimes that unpack native code there need, as on Kubernetes.
      tmpfs: [{ containerPath: "/tmp", size: temporaryMegabytes, mountOptions: ["exec", "nosuid", "nodev"] }],
    },
    stopTimeout: shape.stopSeconds,
    logConfiguration: {
      logDriver: "awslogs",
      options: {
        "awslogs-group": logGroupName,
        "awslogs-region": region,
        "awslogs-stream-prefix": releaseKey,
        // A log that cannot be written must not stop requests; older accounts would block without this.
        mode: "non-blocking",
        "max-buffer-size": "10m",
      },
    },
  };
}

function byName(values: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(values).toSorted(([left], [right]) => (left < right ? -1 : 1));
}
