/**
 * One pod of a release: a single container that answers the load balancer. It passes Pod Security "restricted", whatever the namespace
 * asks for. Source: Kubernetes, Pod Security Standards, read 2026-11.
 */
import type { KubernetesWorkload } from "../../core/workloads.ts";
import type { Shutdown } from "./shutdown.ts";

export interface PodArgs {
  readonly workload: KubernetesWorkload;
  /** With its digest. */
  readonly image: string;
  readonly releaseKey: string;
  /** Of the target group. */
  readonly port: number;
  /** How the target group asks; the probes ask alike. */
  readonly protocol: "HTTP" | "HTTPS";
  readonly shutdown: Shutdown;
  /** What finds the release's pods. */
  readonly selector: Readonly<Record<string, string>>;
}

/** Unit: seconds. */
const startupPeriodSeconds = 5;
/** As a target group asks where nothing else is said: out after two misses. Unit: seconds. */
const readinessPeriodSeconds = 10;
/** A restart loses the requests under way, so a minute without any answer must be over. */
const livenessFailures = 6;
/** Unit: seconds. */
const probeTimeoutSeconds = 5;

export function podSpec(args: PodArgs) {
  const { workload, image, releaseKey, port, shutdown, selector } = args;
  const { shape, serviceAccountName, runAsUserId } = workload;
  const ask = (path: string) => ({ path, port: portName, scheme: args.protocol });
  return {
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    // A token of the cluster's own API; AWS's come by other volumes, which EKS adds by itself.
    automountServiceAccountToken: false,
    // Else every Service of the namespace is a variable, and one called like ours would be taken for it.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: shutdown.gracePeriodSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: runAsUserId,
      runAsGroup: runAsUserId,
      fsGroup: runAsUserId,
      seccompProfile: { type: "RuntimeDefault" },
    },
    // Spread, but never at the price of a pod that cannot start: a rollback needs its capacity more than its symmetry.
    topologySpreadConstraints: ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: selector },
    })),
    containers: [
      {
        name: "app",
        image,
        // The digest says what is in it; asking the registry again at every start would make it a dependency of every restart.
        imagePullPolicy: "IfNotPresent",
        ports: [{ name: portName, containerPort: port, protocol: "TCP" }],
        env: Object.entries({ ...shape.variables, TIDEGATE_RELEASE: releaseKey }).map(([name, value]) => ({
          name,
          value,
        })),
        resources: {
          requests: { cpu: `${shape.cpuMillicores}m`, memory: `${shape.memoryMegabytes}Mi` },
          // No limit on processors: a throttled release looks slow, and slow is what a release is judged by.
          limits: { memory: `${shape.memoryMegabytes}Mi` },
        },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          capabilities: { drop: ["ALL"] },
        },
        startupProbe: {
          httpGet: ask(shape.livenessPath),
          periodSeconds: startupPeriodSeconds,
          timeoutSeconds: probeTimeoutSeconds,
          failureThreshold: Math.ceil(shape.startSeconds / startupPeriodSeconds),
        },
        readinessProbe: {
          httpGet: ask(shape.readinessPath),
          periodSeconds: readinessPeriodSeconds,
          timeoutSeconds: probeTimeoutSeconds,
          failureThreshold: 2,
        },
        livenessProbe: {
          httpGet: ask(shape.livenessPath),
          periodSeconds: readinessPeriodSeconds,
          timeoutSeconds: probeTimeoutSeconds,
          failureThreshold: livenessFailures,
        },
        // The cluster's own sleep: an image need not have one. Source: KEP-3960, on by default from Kubernetes 1.30, read 2026-11.
        lifecycle: { preStop: { sleep: { seconds: shutdown.sleepSeconds } } },
        volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
      },
    ],
    volumes: [{ name: "tmp", emptyDir: { sizeLimit: temporarySize } }],
  };
}

/** Of the container's port, which Service and probes name. */
export const portName = "http";
/** What a pod may leave in /tmp; without a limit one pod could fill its host's disk, and everything on it would go. */
const temporarySize = "1Gi";
