/**
 * `workload: { kubernetes: … }`: on which cluster a service's pods run, and as whom. How large they are and how they stop is the workload's
 * own (`workload.ts`). Whether the cluster answers is asked when the program runs (`stacks/workloads.ts`).
 */
import { resolve } from "node:path";
import { z } from "zod";
import type { KubernetesWorkload, WorkloadShape } from "../../core/workloads.ts";
import type { TargetGroupConfig } from "./model.ts";
import { checkFields, isMap, listText, type Path, type Problems, text, wholeNumber } from "./problems.ts";

/** Source: Kubernetes, Object Names and IDs, RFC 1123 label names, read 2026-11. */
const namespace = text(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
  wrong: "not the name of a namespace",
  expected: "up to 63 lower-case letters, digits and inner hyphens",
});

const kubernetesFields = {
  cluster: z.unknown(),
  namespace,
  serviceAccount: text(/^(?=.{1,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, {
    wrong: "not the name of a service account",
    expected: "lower-case letters, digits, inner dots and hyphens",
  }).optional(),
  runAsUser: wholeNumber(1, 2_147_483_647).optional(),
  loadBalancerSecurityGroup: text(/^sg-[0-9a-f]{8,17}$/, {
    wrong: "not the id of a security group",
    expected: "sg-<8 to 17 hex>",
  }).optional(),
};

const clusterFields = {
  kubeconfig: text(/^[^\0]{1,1000}$/, { wrong: "not a path", expected: "a kubeconfig file" }).optional(),
  context: text(/^[^\0\r\n]{1,256}$/, { wrong: "not a context", expected: "a name in one line" }).optional(),
  // Source: EKS API reference, CreateCluster, read 2026-11.
  eks: text(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/, {
    wrong: "not the name of an EKS cluster",
    expected: "up to 100 letters, digits, hyphens and underscores",
    wayOut: "Give its name, not its ARN",
  }).optional(),
};

/** A number that no image has by chance, above what systems give their own users. */
const defaultUserId = 10_001;

/** What `kubernetes` is read in the light of. */
export interface KubernetesSurroundings {
  /** How large and how it stops; absent after a problem there. */
  readonly shape: WorkloadShape | undefined;
  /** Where the shape's keys are written. */
  readonly shapePath: Path;
  readonly targetGroup: TargetGroupConfig;
  readonly targetGroupPath: Path;
  /** The stack file's; a kubeconfig is relative to it. @default none, and then it must be absolute */
  readonly folder?: string;
}

/** Reads `kubernetes`, naming every problem; `undefined` after one. */
export function toKubernetesWorkload(
  raw: unknown,
  path: Path,
  { shape, shapePath, targetGroup, targetGroupPath, folder }: KubernetesSurroundings,
  problems: Problems,
): KubernetesWorkload | undefined {
  const before = problems.texts.length;
  const fields = checkFields(kubernetesFields, raw, path, problems);
  const cluster = isMap(raw) ? readCluster(raw.cluster, [...path, "cluster"], folder, problems) : undefined;
  if (targetGroup.targetType !== "ip") {
    const wrong = "pods are registered by addresses of their own";
    problems.add([...targetGroupPath, "targetType"], { wrong, expected: "ip" }, targetGroup.targetType);
  }
  const delay = targetGroup.deregistrationDelaySeconds;
  if (shape && shape.stopSeconds <= delay) {
    const wrong = "not longer than the target group's deregistration, so requests under way would be cut off";
    const wayOut = "Raise it, or lower targetGroup.deregistrationDelaySeconds";
    problems.add([...shapePath, "stopSeconds"], { wrong, expected: `more than ${delay}`, wayOut }, shape.stopSeconds);
  }
  if (problems.texts.length > before || !shape || !cluster || fields.namespace === undefined) return undefined;
  const { serviceAccount, loadBalancerSecurityGroup } = fields;
  return {
    kind: "kubernetes",
    shape,
    cluster,
    namespace: fields.namespace,
    ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
    runAsUserId: fields.runAsUser ?? defaultUserId,
    ...(loadBalancerSecurityGroup === undefined ? {} : { loadBalancerSecurityGroupId: loadBalancerSecurityGroup }),
  };
}

function readCluster(
  raw: unknown,
  path: Path,
  folder: string | undefined,
  problems: Problems,
): KubernetesWorkload["cluster"] | undefined {
  const before = problems.texts.length;
  const { kubeconfig, context, eks } = checkFields(clusterFields, raw, path, problems);
  if (!isMap(raw) || problems.texts.length > before) return undefined;
  const given = ["kubeconfig", "eks"].filter((key) => key in raw);
  if (given.length !== 1) {
    const wrong = given.length === 0 ? "no cluster named" : "two clusters";
    const wayOut = "Name an EKS cluster of this account and region as eks, any other by its kubeconfig";
    const got = given.length === 0 ? undefined : listText(given, "and");
    problems.add(path, { wrong, expected: "kubeconfig or eks", wayOut }, got);
    return undefined;
  }
  if (eks !== undefined && context !== undefined) {
    const wrong = "belongs to a kubeconfig, and eks needs none";
    problems.add([...path, "context"], { wrong, expected: "no context", wayOut: "Leave it out" }, context);
    return undefined;
  }
  if (eks !== undefined) return { eksName: eks };
  if (kubeconfig === undefined) return undefined;
  if (folder === undefined && !kubeconfig.startsWith("/")) {
    const wrong = "a relative path, and this config was read from no file";
    problems.add([...path, "kubeconfig"], { wrong, expected: "an absolute path" }, kubeconfig);
    return undefined;
  }
  const kubeconfigPath = resolve(folder ?? "/", kubeconfig);
  return { kubeconfigPath, ...(context === undefined ? {} : { context }) };
}
