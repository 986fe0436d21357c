/** Signing in to a cluster as its kubeconfig says, and asking it as whoever that makes us. What programs write is never shown: it may be a credential. */
import { z } from "zod";
import { oneLine } from "../../core/error-message.ts";
import type { ClusterAccess, Credentials, ExecPlugin, FileOrText } from "./kubeconfig.ts";
import type { ClusterCall, ClusterPorts } from "./ports.ts";
import { codeOf, short } from "./words.ts";

/** What a cluster answered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}
/** Asks a path of the cluster; with a body it is a POST. */
export type Ask = (path: string, body?: unknown) => Promise<Answer>;

/**
 * Signs in to a cluster, once for all questions.
 * @throws Error in words where that does not work
 */
export async function asker(access: ClusterAccess, ports: ClusterPorts): Promise<Ask> {
  const authority = access.authority && (await contentOf(access.authority, "certificate authority", ports));
  const proof = await proofOf(access.credentials, access, authority, ports);
  return (path, body) =>
    ports.request({
      url: `${access.url}${path}`,
      method: body === undefined ? "GET" : "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(authority === undefined ? {} : { authority }),
      ...(access.serverName === undefined ? {} : { serverName: access.serverName }),
      trustsAnything: access.trustsAnything,
      ...proof,
    });
}

async function contentOf(what: FileOrText, name: string, ports: ClusterPorts): Promise<string> {
  if ("text" in what) return what.text;
  try {
    return await ports.readFile(what.path);
  } catch (cause) {
    throw new Error(
      `its ${name} cannot be read (${codeOf(cause)}), got ${what.path}; expected a file. Have the kubeconfig written anew`,
      { cause },
    );
  }
}

type Proof = Pick<ClusterCall, "token" | "certificate" | "key">;

async function proofOf(
  credentials: Credentials,
  access: ClusterAccess,
  authority: string | undefined,
  ports: ClusterPorts,
): Promise<Proof> {
  switch (credentials.kind) {
    case "none":
      return {};
    case "token":
      return { token: (await contentOf(credentials.token, "token", ports)).trim() };
    case "certificate":
      return {
        certificate: await contentOf(credentials.certificate, "client certificate", ports),
        key: await contentOf(credentials.key, "client key", ports),
      };
    case "exec":
      return proofByProgram(credentials.exec, access.url, authority, ports);
  }
}

const execCredential = z.object({
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
  }),
});

async function proofByProgram(
  exec: ExecPlugin,
  url: string,
  authority: string | undefined,
  ports: ClusterPorts,
): Promise<Proof> {
  const cluster = {
    server: url,
    ...(authority === undefined ? {} : { "certificate-authority-data": Buffer.from(authority).toString("base64") }),
  };
  const info = { apiVersion: exec.apiVersion, kind: "ExecCredential", spec: { interactive: false, cluster } };
  const line = [exec.command, ...exec.args].join(" ");
  let written: string;
  try {
    written = await ports.run(exec.command, exec.args, {
      ...exec.variables,
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
    });
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") {
      throw new Error(
        `signed in to by a program that is not here, got ${exec.command}; expected it on PATH. Install it${exec.command === "aws" ? " (the AWS CLI, version 2)" : ""}`,
        { cause },
      );
    }
    throw new Error(
      `signing in failed, got ${short(oneLine(cause))} from ${line}; expected a token. Run it by hand; most often one has to sign in to AWS anew`,
      { cause },
    );
  }
  const { token, clientCertificateData: certificate, clientKeyData: key } = statusOf(written);
  if (token) return { token };
  if (certificate && key) return { certificate, key };
  // Not what it wrote: that may be a credential.
  throw new Error(
    `signing in failed, got an answer without credentials from ${line}; expected an ExecCredential with a token. Run it by hand`,
  );
}

function statusOf(written: string): z.infer<typeof execCredential>["status"] {
  try {
    return execCredential.parse(JSON.parse(written)).status;
  } catch {
    return {};
  }
}
