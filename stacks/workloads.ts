/**
 * What runs behind a stack's releases (E6): whether the places where it shall run can take it, asked before anything changes, and the
 * functions that declare it there. Stacks without such services ask nothing and load nothing.
 *
 * A service stays where it runs: on another cluster or in another namespace every object would be made anew and the old ones deleted, and
 * the controller of either would take the other's pods out of the target group. The same when the workload is taken out of the config. What
 * the last `up` declared is in the stack's outputs; another place now is refused.
 */
import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import type * as kubernetes from "@pulumi/kubernetes";
import { clusterProblems, type LookUpCluster, lookUpCluster } from "../components/ecs/cluster.ts";
import { type DeclareWorkload, declareOnEcs, withVariables } from "../components/index.ts";
import { kubernetesClasses } from "../components/kubernetes/package.ts";
import { KubernetesRelease } from "../components/kubernetes-release.ts";
import type { KubernetesWorkload, WorkloadKind } from "../core/workloads.ts";
import type { EnvironmentConfig, ServiceConfig } from "./config.ts";
import { accessByKubeconfig, type ClusterProblem, checkCluster } from "./kubernetes/cluster.ts";
import { accessToEks, kubeconfigOf, type LookUpEks } from "./kubernetes/eks.ts";
import { type ClusterPorts, clusterPorts } from "./kubernetes/ports.ts";

/** Where a service's workload is, as a stack's outputs say it of the last `up`. */
export interface PlacedWorkload {
  readonly kind: WorkloadKind;
  /** Tells the cluster from others of its kind, whatever one calls it. */
  readonly cluster: string;
  /** On Kubernetes. */
  readonly namespace?: string;
}

/** What looking at clusters needs from outside. */
export interface WorkloadPorts extends ClusterPorts {
  /** @throws Error where there is no such cluster, and where nobody answers */
  readonly eks: LookUpEks;
  readonly ecs: LookUpCluster;
  /** Resolves after so many seconds. */
  readonly wait: (seconds: number) => Promise<unknown>;
}

/** What was found, and how to declare. */
export interface PreparedWorkloads {
  /** Reasons against the whole `up`. */
  readonly refusals: readonly string[];
  /** What people should know of the clusters, and no reason to stop. */
  readonly notices: readonly string[];
  /** How each service's releases are declared; `undefined` for a service without a workload. For `declareServices`. */
  readonly workloads: (service: ServiceConfig) => DeclareWorkload | undefined;
  /** Where releases of a service were declared, by its name; `undefined` while none was. For the stack's outputs. */
  readonly placeOf: (service: string) => PlacedWorkload | undefined;
}

/** The parts of the config that say where workloads run. */
type Config = Pick<EnvironmentConfig, "region" | "access" | "services">;

/** Files, programs and clusters as they are; AWS by Pulumi's own provider, so that what looks is what declares. */
export const workloadPorts: WorkloadPorts = {
  ...clusterPorts,
  eks: async (name) => {
    const { endpoint, certificateAuthorities, status } = await aws.eks.getCluster({ name });
    return { endpoint, authorityData: certificateAuthorities[0]?.data ?? "", status };
  },
  ecs: lookUpCluster,
  wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000).unref()),
};

/**
 * Asks every cluster that the config names, each namespace of it once.
 * @param previous of the last `up`, by service
 */
export async function prepareWorkloads(
  config: Config,
  previous: Readonly<Record<string, PlacedWorkload>>,
  ports: WorkloadPorts = workloadPorts,
): Promise<PreparedWorkloads> {
  const [visits, ofEcs] = await Promise.all([
    visitClusters(config, ports),
    clusterProblems(config.services, { region: config.region, lookUp: ports.ecs, wait: ports.wait }),
  ]);
  const providers = new Map<string, kubernetes.Provider>();
  const declared = new Map<string, PlacedWorkload>();
  // Of a cluster that did not answer nothing is declared, since that is refused; a preview shows the service where it was.
  const clusterOf = (name: string, workload: KubernetesWorkload) =>
    visits.get(visitKey(workload))?.clusterId ?? previous[name]?.cluster ?? clusterText(workload);
  const placed = ({ name, workload }: ServiceConfig): PlacedWorkload | undefined => {
    if (!workload) return undefined;
    if (workload.kind === "ecs") return { kind: "ecs", cluster: workload.clusterName };
    return { kind: "kubernetes", cluster: clusterOf(name, workload), namespace: workload.namespace };
  };
  const declarer = (service: ServiceConfig): DeclareWorkload | undefined => {
    const { workload } = service;
    if (!workload) return undefined;
    if (workload.kind === "ecs") return declareOnEcs(workload, config.region);
    const { kubeconfig = noKubeconfig } = visits.get(visitKey(workload)) ?? {};
    const cluster = clusterOf(service.name, workload);
    return ({ name, parent, port, deregistrationDelaySeconds, variables, ...ask }) => {
      const provider = providers.get(cluster) ?? providerFor(cluster, kubeconfig, workload);
      providers.set(cluster, provider);
      const { protocol, targetType } = service.targetGroup;
      const targetGroup = { port, protocol, targetType, deregistrationDelaySeconds };
      const args = { ...ask, workload: withVariables(workload, variables), targetGroup };
      return new KubernetesRelease(name, args, { parent, providers: [provider] }).resources;
    };
  };
  return {
    refusals: [
      ...[...visits.values()].flatMap(({ services, problems }) =>
        problems.map(
          ({ at, text }) =>
            `${services.map((name) => `services.${name}.workload.kubernetes.${at}`).join(", ")}: ${text}`,
        ),
      ),
      ...ofEcs,
      ...config.services.flatMap((service) => movedProblem(service, previous[service.name], placed(service))),
    ],
    notices: [...new Set([...visits.values()].flatMap(({ notices }) => notices))],
    workloads: (service) => {
      const declare = declarer(service);
      const place = placed(service);
      if (!declare || !place) return undefined;
      return (ask) => {
        declared.set(service.name, place);
        return declare(ask);
      };
    },
    placeOf: (name) => declared.get(name),
  };
}

/** One namespace of one cluster, and what was found there. */
interface Visit {
  readonly services: readonly string[];
  readonly problems: readonly ClusterProblem[];
  readonly notices: readonly string[];
  readonly clusterId?: string;
  /** As the provider takes it. */
  readonly kubeconfig: string;
}

/** A cluster as the config names it. */
function clusterText({ cluster }: KubernetesWorkload): string {
  if ("eksName" in cluster) return `eks ${cluster.eksName}`;
  return [cluster.kubeconfigPath, cluster.context ?? ""].join(" ").trim();
}

function visitKey(workload: KubernetesWorkload): string {
  return `${clusterText(workload)}\n${workload.namespace}`;
}

async function visitClusters(config: Config, ports: WorkloadPorts): Promise<ReadonlyMap<string, Visit>> {
  const wanted = new Map<string, { readonly workload: KubernetesWorkload; readonly services: string[] }>();
  for (const { name, workload } of config.services) {
    if (workload?.kind !== "kubernetes") continue;
    const visit = wanted.get(visitKey(workload)) ?? { workload, services: [] };
    visit.services.push(name);
    wanted.set(visitKey(workload), visit);
  }
  const visits = await Promise.all(
    [...wanted].map(async ([key, { workload, services }]): Promise<[string, Visit]> => {
      return [key, { services, ...(await visitCluster(config, workload, ports)) }];
    }),
  );
  return new Map(visits);
}

async function visitCluster(
  { region, access: signIn }: Config,
  { cluster, namespace }: KubernetesWorkload,
  ports: WorkloadPorts,
): Promise<Omit<Visit, "services">> {
  if (!("eksName" in cluster)) {
    // The file's path and not what is in it: credentials would come into the state.
    const kubeconfig = cluster.kubeconfigPath;
    const access = await accessByKubeconfig(cluster, ports);
    if ("problems" in access) return { problems: access.problems, notices: [], kubeconfig };
    return { ...(await checkCluster(access, namespace, ports)), kubeconfig };
  }
  const { eksName } = cluster;
  const silence = async () => {
    await ports.wait(patienceSeconds);
    throw new Error(`no answer within ${patienceSeconds} seconds`);
  };
  const lookUp: LookUpEks = (name) => Promise.race([ports.eks(name), silence()]);
  const access = await accessToEks(eksName, { region, signIn }, lookUp);
  if ("problems" in access) return { problems: access.problems, notices: [], kubeconfig: noKubeconfig };
  return { ...(await checkCluster(access, namespace, ports)), kubeconfig: kubeconfigOf(eksName, access) };
}

/** Above what one call with its retries takes, well below what a person waits for. Unit: seconds. */
const patienceSeconds = 30;
/** Leads nowhere: without any the provider would take the machine's own, which may be of another cluster. */
const noKubeconfig = JSON.stringify({ apiVersion: "v1", kind: "Config" });

/** Named by the cluster's own id: with another name, or another identifier, everything on it would be made anew. */
function providerFor(clusterId: string, kubeconfig: string, { cluster }: KubernetesWorkload): kubernetes.Provider {
  const { Provider } = kubernetesClasses();
  const hash = createHash("sha256").update(clusterId).digest("hex").slice(0, 8);
  return new Provider(`kubernetes-${hash}`, {
    clusterIdentifier: clusterId,
    kubeconfig,
    ...("context" in cluster && cluster.context !== undefined ? { context: cluster.context } : {}),
    // What the components rely on, whatever the environment's variables say.
    enableServerSideApply: true,
    deleteUnreachable: false,
    skipUpdateUnreachable: false,
  });
}

function movedProblem(
  { name, retire }: ServiceConfig,
  before: PlacedWorkload | undefined,
  now: PlacedWorkload | undefined,
): string[] {
  if (!before || retire || (now && isSamePlace(before, now))) return [];
  const place = `services.${name}.workload`;
  if (!now) {
    return [
      `${place}: taken out while releases run by it, got nothing; expected ${placeText(before)}, as in the last up. This up would delete what serves the traffic: put it back, or retire the service first`,
    ];
  }
  return [
    `${place}: moved while releases run by it, got ${placeText(now)}; expected ${placeText(before)}, as in the last up. This up would replace what serves the traffic: put it back, and declare the service anew there under another name`,
  ];
}

function isSamePlace(left: PlacedWorkload, right: PlacedWorkload): boolean {
  return left.kind === right.kind && left.cluster === right.cluster && left.namespace === right.namespace;
}

function placeText({ kind, cluster, namespace }: PlacedWorkload): string {
  return namespace === undefined ? `${kind} ${cluster}` : `${kind} ${cluster}, namespace ${namespace}`;
}
