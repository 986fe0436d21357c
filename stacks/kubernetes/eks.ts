/**
 * An EKS cluster by its name alone: where it is says AWS, and one signs in with a token of the AWS CLI, as `aws eks update-kubeconfig` writes
 * it. Sources: AWS CLI reference, `eks get-token` and `eks update-kubeconfig`, read 2026-11.
 */

import { oneLine } from "../../core/error-message.ts";
import type { SignIn } from "../../core/sign-in.ts";
import type { ClusterProblem } from "./cluster.ts";
import type { ClusterAccess, ExecPlugin } from "./kubeconfig.ts";

/** What EKS says of a cluster. */
export interface EksCluster {
  readonly endpoint: string;
  /** Base64. */
  readonly authorityData: string;
  readonly status: string;
}

/** Fails where there is no such cluster, and where nobody answers. */
export type LookUpEks = (name: string) => Promise<EksCluster>;

/** Where a cluster is looked for, and as whom. */
export interface EksPlace {
  readonly region: string;
  readonly signIn: SignIn;
}

/** Why the CLI cannot sign in as the program does; it would be somebody else on the cluster. */
function signInProblem({ assumeRoles: [role, ...more] }: SignIn): string | undefined {
  if (!role) return undefined;
  const { roleArn: _, sessionName: __, durationSeconds: ___, ...further } = role;
  const unfit = [...(more.length > 0 ? ["several roles"] : []), ...Object.keys(further)];
  if (unfit.length === 0) return undefined;
  return `aws eks get-token cannot assume roles as aws:assumeRoles does, got ${unfit.join(", ")}; expected one role by its ARN alone. Write a kubeconfig of your own, and name it as cluster.kubeconfig`;
}

function programOf(name: string, { region, signIn }: EksPlace): ExecPlugin {
  const { profile, assumeRoles } = signIn;
  const [role] = assumeRoles;
  return {
    apiVersion: "client.authentication.k8s.io/v1beta1",
    command: "aws",
    args: [
      ...["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"],
      ...(role === undefined ? [] : ["--role-arn", role.roleArn]),
      ...(profile === undefined ? [] : ["--profile", profile]),
    ],
    variables: {},
  };
}

/** The access to a cluster, or why there is none. */
export async function accessToEks(
  name: string,
  place: EksPlace,
  lookUp: LookUpEks,
): Promise<ClusterAccess | { readonly problems: readonly ClusterProblem[] }> {
  const refuse = (text: string) => ({ problems: [{ at: "cluster.eks" as const, text }] });
  const unfit = signInProblem(place.signIn);
  if (unfit !== undefined) return refuse(unfit);
  let found: EksCluster;
  try {
    found = await lookUp(name);
  } catch (error) {
    const wayOut = "Correct the name or the sign-in; aws eks list-clusters shows those that are there";
    return refuse(
      `the EKS cluster ${name} in ${place.region} does not answer, got ${oneLine(error)}; expected an ACTIVE one. ${wayOut}`,
    );
  }
  // While it is updated a cluster serves as ever.
  if (found.status !== "ACTIVE" && found.status !== "UPDATING") {
    return refuse(
      `the EKS cluster ${name} in ${place.region} is not ready, got ${found.status}; expected ACTIVE. Wait until it is, or name another one`,
    );
  }
  return {
    url: found.endpoint,
    authority: { text: Buffer.from(found.authorityData, "base64").toString("utf8") },
    trustsAnything: false,
    credentials: { kind: "exec", exec: programOf(name, place) },
  };
}

/** The same as a kubeconfig, for the provider. There is no credential in it. */
export function kubeconfigOf(name: string, access: ClusterAccess): string {
  const { url, authority, credentials } = access;
  if (credentials.kind !== "exec" || !authority || !("text" in authority)) {
    throw new Error(`EKS cluster ${name}: its access is not one by program and authority`);
  }
  const { apiVersion, command, args } = credentials.exec;
  const data = Buffer.from(authority.text).toString("base64");
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: url, "certificate-authority-data": data } }],
    users: [{ name, user: { exec: { apiVersion, command, args, interactiveMode: "Never" } } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
