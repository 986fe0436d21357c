/**
 * Whether a cluster can take what an `up` would declare on it, asked before anything changes: it answers, it knows us, it is new enough, it has
 * the namespace and the AWS Load Balancer Controller, and we may. Reads alone (an access review changes nothing); every wait is bounded.
 */
import { dirname } from "node:path";
import { z } from "zod";
import { oneLine } from "../../core/error-message.ts";
import { listText } from "../config/problems.ts";
import { type Answer, type Ask, asker } from "./asking.ts";
import { type ClusterAccess, readKubeconfig } from "./kubeconfig.ts";
import type { ClusterPorts } from "./ports.ts";
import { codeOf, short } from "./words.ts";

/** One reason why nothing can be declared there. */
export interface ClusterProblem {
  /** Key under `kubernetes` in the config. */
  readonly at: "cluster" | "cluster.kubeconfig" | "cluster.context" | "cluster.eks" | "namespace";
  /** `<what is wrong>, got <value>; expected <allowed>. <one way out>`. */
  readonly text: string;
}

/** What a check found. */
export interface ClusterFinding {
  readonly problems: readonly ClusterProblem[];
  /** What is well to know, and no reason to stop. */
  readonly notices: readonly string[];
  /** Tells the cluster from any other, whatever one calls it: the id of its `kube-system`, or its URL where that may not be read. */
  readonly clusterId?: string;
}

/** Kubernetes 1.30 is the first that knows the sleep before a pod's end unasked; one that does not would drop it without a word. */
const leastMinor = 30;
/** Where the controller's objects are. */
const bindingGroup = "elbv2.k8s.aws";
/** Source: AWS Load Balancer Controller, Pod readiness gate, read 2026-11. */
const gateLabel = "elbv2.k8s.aws/pod-readiness-gate-inject";

/** What is declared for a release, as an access review calls it. */
const declared: readonly { readonly group: string; readonly resource: string }[] = [
  { group: "apps", resource: "deployments" },
  { group: "", resource: "services" },
  { group: "autoscaling", resource: "horizontalpodautoscalers" },
  { group: "policy", resource: "poddisruptionbudgets" },
  { group: bindingGroup, resource: "targetgroupbindings" },
];

/** The access that a kubeconfig gives, or why it gives none. */
export async function accessByKubeconfig(
  { kubeconfigPath, context }: { readonly kubeconfigPath: string; readonly context?: string },
  ports: Pick<ClusterPorts, "readFile">,
): Promise<ClusterAccess | { readonly problems: readonly ClusterProblem[] }> {
  let text: string;
  try {
    text = await ports.readFile(kubeconfigPath);
  } catch (cause) {
    const wayOut = "Correct the path, or write it with aws eks update-kubeconfig --kubeconfig <file>";
    const text = `cannot be read (${codeOf(cause)}), got ${kubeconfigPath}; expected a kubeconfig file. ${wayOut}`;
    return { problems: [{ at: "cluster.kubeconfig", text }] };
  }
  const where = {
    path: kubeconfigPath,
    folder: dirname(kubeconfigPath),
    ...(context === undefined ? {} : { context }),
  };
  const read = readKubeconfig(text, where);
  return "problems" in read
    ? { problems: read.problems.map(({ at, text: said }) => ({ at: `cluster.${at}` as const, text: said })) }
    : read;
}

/** Asks the cluster. */
export async function checkCluster(
  access: ClusterAccess,
  namespace: string,
  ports: ClusterPorts,
): Promise<ClusterFinding> {
  const { url } = access;
  const stop = (text: string): ClusterFinding => ({ problems: [{ at: "cluster", text }], notices: [] });
  let ask: Ask;
  try {
    ask = await asker(access, ports);
  } catch (cause) {
    return stop(oneLine(cause));
  }
  try {
    // First alone: of a cluster that is not there one word is enough.
    const version = await ask("/version");
    const refusal = refusalOf(version, url);
    if (refusal !== undefined) return stop(refusal);
    const [system, space, bindings, mays] = await Promise.all([
      ask("/api/v1/namespaces/kube-system"),
      ask(`/api/v1/namespaces/${namespace}`),
      ask(`/apis/${bindingGroup}/v1beta1`),
      Promise.all(declared.map((what) => ask(reviewPath, reviewOf(what, namespace)))),
    ]);
    const unauthorized = [space, bindings, ...mays].find(({ status }) => status === 401 || status >= 500);
    const late = unauthorized && refusalOf(unauthorized, url);
    if (late !== undefined) return stop(late);
    return {
      clusterId: uidOf(system) ?? url,
      problems: [
        ...versionProblems(version.body, url),
        ...namespaceProblems(space.status, namespace),
        ...bindingProblems(bindings.status, url),
        ...rightsProblems(mays, namespace),
      ],
      notices: namespaceNotices(space, namespace),
    };
  } catch (cause) {
    return stop(
      `does not answer (${codeOf(cause)}), got ${url}; expected an answer. Nothing is declared on a cluster that cannot be asked; see that it can be reached from here (network, VPN, private endpoint), and run up again`,
    );
  }
}

/** Why an answer is no use, where it is none; anything else that is no 2xx is judged by who asked. */
function refusalOf({ status, body }: Answer, url: string): string | undefined {
  if (status === 401)
    return `does not take the credentials (401), got ${url}; expected ones that it knows. Sign in anew; on EKS an access entry must name the role (aws eks list-access-entries)`;
  if (status >= 500)
    return `answers with ${status} (${short(oneLine(body))}), got ${url}; expected an answer. Wait until it is well, and run up again`;
  return undefined;
}

const versionAnswer = z.object({ major: z.string(), minor: z.string() });

function versionProblems(body: string, url: string): ClusterProblem[] {
  const read = versionAnswer.safeParse(jsonOf(body));
  if (!read.success) {
    const text = `does not say which Kubernetes it is, got ${url}; expected its version. See that this is the URL of a cluster`;
    return [{ at: "cluster", text }];
  }
  const { major, minor } = read.data;
  // EKS writes 30+.
  if (Number(major) > 1 || Number.parseInt(minor, 10) >= leastMinor) return [];
  const text = `too old, got Kubernetes ${major}.${minor}; expected 1.${leastMinor} or newer. It would drop the sleep before a pod's end, and with it requests; upgrade it`;
  return [{ at: "cluster", text }];
}

function namespaceProblems(status: number, namespace: string): ClusterProblem[] {
  if (status !== 404) return [];
  const text = `not on this cluster, got ${JSON.stringify(namespace)}; expected one that is there. kubectl create namespace ${namespace}`;
  return [{ at: "namespace", text }];
}

function bindingProblems(status: number, url: string): ClusterProblem[] {
  if (status !== 404) return [];
  const text = `no AWS Load Balancer Controller, so no pod would ever be registered, got no ${bindingGroup}/v1beta1 at ${url}; expected its TargetGroupBinding. Install it (docs/guide/kubernetes.md)`;
  return [{ at: "cluster", text }];
}

const namespaceAnswer = z.object({
  metadata: z.object({ uid: z.string().optional(), labels: z.record(z.string(), z.string()).optional() }),
});

function uidOf({ status, body }: Answer): string | undefined {
  const read = status === 200 ? namespaceAnswer.safeParse(jsonOf(body)) : undefined;
  return read?.data?.metadata.uid;
}

function namespaceNotices({ status, body }: Answer, namespace: string): string[] {
  const read = status === 200 ? namespaceAnswer.safeParse(jsonOf(body)) : undefined;
  if (!read?.success || read.data.metadata.labels?.[gateLabel] === "enabled") return [];
  return [
    `namespace ${namespace} has no ${gateLabel}: enabled, so a pod counts as ready before the load balancer has found it healthy. kubectl label namespace ${namespace} ${gateLabel}=enabled`,
  ];
}

const reviewPath = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

function reviewOf({ group, resource }: (typeof declared)[number], namespace: string) {
  return {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    // Server-side apply is a patch, whether the object is there or not.
    spec: { resourceAttributes: { namespace, verb: "patch", group, resource } },
  };
}

const reviewAnswer = z.object({ status: z.object({ allowed: z.boolean() }) });

/** A cluster that does not review says nothing; then the provider finds out. */
function rightsProblems(answers: readonly Answer[], namespace: string): ClusterProblem[] {
  const denied = declared.filter((_, index) => {
    const read = reviewAnswer.safeParse(jsonOf(answers[index]?.body ?? ""));
    return read.success && !read.data.status.allowed;
  });
  if (denied.length === 0) return [];
  const names = denied.map(({ group, resource }) => (group === "" ? resource : `${resource}.${group}`));
  const text = `the credentials may not write ${listText(names, "and")} in it, got ${JSON.stringify(namespace)}; expected create, patch and delete. Give their role the rights (docs/guide/kubernetes.md)`;
  return [{ at: "namespace", text }];
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
