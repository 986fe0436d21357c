/**
 * A kubeconfig, read as far as asking its cluster one question needs it: where the cluster is, how it is told from another, and how one signs
 * in. The provider reads the same file by itself; what is not modelled here is refused by name, since the question would be put otherwise
 * than the provider puts it. Source: Kubernetes, kubeconfig (v1) and client authentication (v1), read 2026-11.
 */
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import { listText, nearest, Problems } from "../config/problems.ts";
import { parseYaml } from "../config/yaml-file.ts";

/** A program that gives credentials. */
export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** Something in a file, or the file's path. */
export type FileOrText = { readonly path: string } | { readonly text: string };

export type Credentials =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: FileOrText }
  | { readonly kind: "certificate"; readonly certificate: FileOrText; readonly key: FileOrText }
  | { readonly kind: "exec"; readonly exec: ExecPlugin };

/** One cluster, and how one gets in. */
export interface ClusterAccess {
  readonly url: string;
  /** @default what Node trusts */
  readonly authority?: FileOrText;
  /** Name in the cluster's certificate. @default the URL's host */
  readonly serverName?: string;
  /** Takes any certificate. */
  readonly trustsAnything: boolean;
  readonly credentials: Credentials;
}

const file = z.object({
  "current-context": z.string().nullish(),
  clusters: z
    .array(
      z.object({
        name: z.string(),
        cluster: z.object({
          server: z.string(),
          "certificate-authority": z.string().nullish(),
          "certificate-authority-data": z.string().nullish(),
          "insecure-skip-tls-verify": z.boolean().nullish(),
          "tls-server-name": z.string().nullish(),
          "proxy-url": z.string().nullish(),
        }),
      }),
    )
    .nullish(),
  users: z.array(z.object({ name: z.string(), user: z.record(z.string(), z.unknown()).nullish() })).nullish(),
  contexts: z
    .array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string().nullish() }) }))
    .nullish(),
});

const userFields = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  "client-certificate": z.string().optional(),
  "client-certificate-data": z.string().optional(),
  "client-key": z.string().optional(),
  "client-key-data": z.string().optional(),
  exec: z
    .object({
      apiVersion: z.string(),
      command: z.string(),
      args: z.array(z.string()).nullish(),
      env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
    })
    .optional(),
});

/** Ways in that nothing here goes, and what to do. Others that a user has are none of a sign-in's. */
const refusedWays: Readonly<Record<string, string>> = {
  "auth-provider": "Kubernetes 1.26 dropped it; have the kubeconfig written anew, with exec",
  username: "Kubernetes 1.19 dropped passwords; use a token or exec",
  as: "Take the context of one who may do it",
  "as-groups": "Take the context of one who may do it",
};

/** A problem in a kubeconfig: which key of the config it is said at, and what. */
export interface KubeconfigProblem {
  readonly at: "kubeconfig" | "context";
  readonly text: string;
}

/**
 * Reads what a context says.
 * @param folder of the file; what it names is relative to it
 */
export function readKubeconfig(
  text: string,
  { path, folder, context }: { readonly path: string; readonly folder: string; readonly context?: string },
): ClusterAccess | { readonly problems: readonly KubeconfigProblem[] } {
  const refuse = (at: KubeconfigProblem["at"], said: string) => ({ problems: [{ at, text: said }] });
  const problems = new Problems();
  const raw = parseYaml(text, path, problems);
  if (problems.texts.length > 0) return { problems: problems.texts.map((said) => ({ at: "kubeconfig", text: said })) };
  const parsed = file.safeParse(raw);
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join(".") || "its top").slice(0, 3);
    return refuse(
      "kubeconfig",
      `not a kubeconfig at ${listText(where, "and")}, got ${path}; expected clusters, users and contexts`,
    );
  }
  const { clusters, users, contexts, "current-context": current } = parsed.data;
  const wanted = context ?? current;
  if (!wanted) {
    return refuse(
      "context",
      `none named, and the kubeconfig has no current one; expected ${namesOf(contexts)}. Name one`,
    );
  }
  const chosen = contexts?.find(({ name }) => name === wanted)?.context;
  if (!chosen) {
    const near = nearest(
      wanted,
      (contexts ?? []).map(({ name }) => name),
    );
    const wayOut = near === undefined ? "kubectl config get-contexts lists them" : `Did you mean ${near}?`;
    return refuse(
      "context",
      `not in the kubeconfig, got ${JSON.stringify(wanted)}; expected ${namesOf(contexts)}. ${wayOut}`,
    );
  }
  const cluster = clusters?.find(({ name }) => name === chosen.cluster)?.cluster;
  const lost = (what: string, name: string) =>
    refuse(
      "kubeconfig",
      `its context ${wanted} names a ${what} that it has not, got ${JSON.stringify(name)}; expected one of its own. Have it written anew`,
    );
  if (!cluster) return lost("cluster", chosen.cluster);
  const user = chosen.user ? users?.find(({ name }) => name === chosen.user) : undefined;
  if (chosen.user && !user) return lost("user", chosen.user);
  if (!/^https?:\/\//.test(cluster.server)) {
    return refuse(
      "kubeconfig",
      `its cluster ${chosen.cluster} has no URL, got ${JSON.stringify(cluster.server)}; expected https://…`,
    );
  }
  if (cluster["proxy-url"]) {
    return refuse(
      "kubeconfig",
      `its cluster ${chosen.cluster} is behind a proxy (proxy-url), which is not supported; expected none. Run where the cluster can be reached`,
    );
  }
  const said = user?.user ?? {};
  const refused = Object.keys(said).filter((key) => key in refusedWays);
  if (refused.length > 0) {
    return {
      problems: refused.map((key) => ({
        at: "kubeconfig",
        text: `its user ${chosen.user} signs in by ${key}, which is not supported; expected a token, a certificate or exec. ${refusedWays[key]}`,
      })),
    };
  }
  const read = userFields.safeParse(said);
  if (!read.success) {
    return refuse(
      "kubeconfig",
      `its user ${chosen.user} cannot be read at ${read.error.issues[0]?.path.join(".")}; expected a token, a certificate or exec`,
    );
  }
  const authority = either(cluster["certificate-authority-data"], cluster["certificate-authority"], folder);
  return {
    url: cluster.server.replace(/\/+$/, ""),
    ...(authority === undefined ? {} : { authority }),
    ...(cluster["tls-server-name"] ? { serverName: cluster["tls-server-name"] } : {}),
    trustsAnything: cluster["insecure-skip-tls-verify"] ?? false,
    credentials: credentialsOf(read.data, folder),
  };
}

/** In kubectl's own order: a token wins over a certificate, and both over a program. */
function credentialsOf(user: z.infer<typeof userFields>, folder: string): Credentials {
  // A file's token wins over one beside it, since it is renewed there.
  if (user.tokenFile) return { kind: "token", token: { path: inFolder(user.tokenFile, folder) } };
  if (user.token) return { kind: "token", token: { text: user.token } };
  const certificate = either(user["client-certificate-data"], user["client-certificate"], folder);
  const key = either(user["client-key-data"], user["client-key"], folder);
  if (certificate && key) return { kind: "certificate", certificate, key };
  if (!user.exec) return { kind: "none" };
  const { apiVersion, command, args, env } = user.exec;
  return {
    kind: "exec",
    exec: {
      apiVersion,
      // A name is looked for on PATH, a path is relative to the file.
      command: command.includes("/") ? inFolder(command, folder) : command,
      args: args ?? [],
      variables: Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
    },
  };
}

/** What is in the file itself wins. */
function either(
  data: string | null | undefined,
  path: string | null | undefined,
  folder: string,
): FileOrText | undefined {
  if (data) return { text: Buffer.from(data, "base64").toString("utf8") };
  return path ? { path: inFolder(path, folder) } : undefined;
}

function inFolder(path: string, folder: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function namesOf(named: readonly { readonly name: string }[] | null | undefined): string {
  return named && named.length > 0 ? listText(named.map(({ name }) => name)) : "one that it has, and it has none";
}
