/** Asking a cluster before anything is declared on it: each way in which it cannot take a release is named, with a way out (E6). */
import { describe, expect, it } from "vitest";
import { accessByKubeconfig, type ClusterFinding, checkCluster } from "../../stacks/kubernetes/cluster.ts";
import type { ClusterAccess } from "../../stacks/kubernetes/kubeconfig.ts";
import type { ClusterCall, ClusterPorts } from "../../stacks/kubernetes/ports.ts";

const url = "https://k8s.example.com:6443";
const path = "/home/shop/kubeconfig.yaml";
const base64 = (text: string) => Buffer.from(text).toString("base64");

const exec = {
  apiVersion: "client.authentication.k8s.io/v1beta1",
  command: "aws",
  args: ["eks", "get-token"],
  env: [{ name: "AWS_PROFILE", value: "shop" }],
};

function kubeconfig(user: object = { token: "t0k3n" }, cluster: object = {}, changes: object = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "shop",
    clusters: [{ name: "c", cluster: { server: url, "certificate-authority-data": base64("CA"), ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [
      { name: "shop", context: { cluster: "c", user: "u" } },
      { name: "lost", context: { cluster: "gone", user: "u" } },
      { name: "nobody", context: { cluster: "c", user: "gone" } },
    ],
    ...changes,
  });
}

interface World {
  readonly files?: Readonly<Record<string, string>>;
  readonly run?: ClusterPorts["run"];
  /** By path. */
  readonly answers?: Readonly<Record<string, { readonly status: number; readonly body?: unknown }>>;
  readonly fail?: Error;
}

const errorOf = (code: string) => Object.assign(new Error(`${code}: no`), { code });

/** A cluster that is well, and what it was asked. */
function world({ files = { [path]: kubeconfig() }, run, answers = {}, fail }: World = {}) {
  const calls: ClusterCall[] = [];
  const well: NonNullable<World["answers"]> = {
    "/version": { status: 200, body: { major: "1", minor: "34+" } },
    "/api/v1/namespaces/kube-system": { status: 200, body: { metadata: { uid: "0c4f" } } },
    "/api/v1/namespaces/shop": {
      status: 200,
      body: { metadata: { labels: { "elbv2.k8s.aws/pod-readiness-gate-inject": "enabled" } } },
    },
    "/apis/elbv2.k8s.aws/v1beta1": { status: 200, body: {} },
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": { status: 201, body: { status: { allowed: true } } },
  };
  const ports: ClusterPorts = {
    readFile: async (wanted) => {
      const text = files[wanted];
      if (text === undefined) throw errorOf("ENOENT");
      return text;
    },
    run: run ?? (() => Promise.reject(errorOf("ENOENT"))),
    request: async (call) => {
      calls.push(call);
      if (fail) throw fail;
      const { status, body } = { ...well, ...answers }[call.url.slice(url.length)] ?? { status: 404 };
      return { status, body: typeof body === "string" ? body : JSON.stringify(body ?? {}) };
    },
  };
  return { ports, calls };
}

async function look(given: World = {}, context?: string) {
  const { ports, calls } = world(given);
  const where = { kubeconfigPath: path, ...(context === undefined ? {} : { context }) };
  const access = await accessByKubeconfig(where, ports);
  const finding: ClusterFinding =
    "problems" in access ? { problems: access.problems, notices: [] } : await checkCluster(access, "shop", ports);
  return { finding, calls, said: finding.problems.map(({ at, text }) => `${at}: ${text}`) };
}

describe("a cluster that is well", () => {
  it("is told by the id of its kube-system, with no problem and nothing to say [E6]", async () => {
    const { finding, calls } = await look();
    expect(finding).toEqual({ clusterId: "0c4f", problems: [], notices: [] });
    expect(new Set(calls.map(({ method, url: asked }) => `${method} ${asked.slice(url.length)}`))).toEqual(
      new Set([
        "GET /version",
        "GET /api/v1/namespaces/kube-system",
        "GET /api/v1/namespaces/shop",
        "GET /apis/elbv2.k8s.aws/v1beta1",
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      ]),
    );
    for (const call of calls) expect(call).toMatchObject({ token: "t0k3n", authority: "CA", trustsAnything: false });
  });

  it("is told by its URL where that may not be read, and a namespace that may not be read is no problem [E6]", async () => {
    const forbidden = { status: 403 };
    const answers = { "/api/v1/namespaces/kube-system": forbidden, "/api/v1/namespaces/shop": forbidden };
    expect((await look({ answers })).finding).toEqual({ clusterId: url, problems: [], notices: [] });
  });

  it("says where pods would be ready before the load balancer has found them so [E6]", async () => {
    const answers = { "/api/v1/namespaces/shop": { status: 200, body: { metadata: {} } } };
    expect((await look({ answers })).finding.notices).toEqual([
      "namespace shop has no elbv2.k8s.aws/pod-readiness-gate-inject: enabled, so a pod counts as ready before the load balancer has found it healthy. kubectl label namespace shop elbv2.k8s.aws/pod-readiness-gate-inject=enabled",
    ]);
  });
});

describe("a cluster that cannot take a release", () => {
  it("does not answer [E6]", async () => {
    expect((await look({ fail: errorOf("ECONNREFUSED") })).said).toEqual([
      `cluster: does not answer (ECONNREFUSED), got ${url}; expected an answer. Nothing is declared on a cluster that cannot be asked; see that it can be reached from here (network, VPN, private endpoint), and run up again`,
    ]);
    expect((await look({ fail: new Error("no answer within 10 s") })).said[0]).toContain("(no answer within 10 s)");
  });

  it("does not know us [E6]", async () => {
    const { said, calls } = await look({ answers: { "/version": { status: 401 } } });
    expect(said).toEqual([
      `cluster: does not take the credentials (401), got ${url}; expected ones that it knows. Sign in anew; on EKS an access entry must name the role (aws eks list-access-entries)`,
    ]);
    expect(calls.length).toBe(1);
    // Where anybody may ask for the version, the next question tells.
    expect((await look({ answers: { "/api/v1/namespaces/shop": { status: 401 } } })).said).toEqual(said);
  });

  it("is not well [E6]", async () => {
    expect((await look({ answers: { "/version": { status: 503, body: "etcd\nis down" } } })).said).toEqual([
      `cluster: answers with 503 (etcd is down), got ${url}; expected an answer. Wait until it is well, and run up again`,
    ]);
  });

  it("is no cluster [E6]", async () => {
    expect((await look({ answers: { "/version": { status: 200, body: "<html>" } } })).said).toEqual([
      `cluster: does not say which Kubernetes it is, got ${url}; expected its version. See that this is the URL of a cluster`,
    ]);
  });

  it("is too old, has no namespace, no controller and no rights for us, all said at once [B11]", async () => {
    const answers = {
      "/version": { status: 200, body: { major: "1", minor: "29" } },
      "/api/v1/namespaces/shop": { status: 404 },
      "/apis/elbv2.k8s.aws/v1beta1": { status: 404 },
      "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": { status: 201, body: { status: { allowed: false } } },
    };
    expect((await look({ answers })).said).toEqual([
      "cluster: too old, got Kubernetes 1.29; expected 1.30 or newer. It would drop the sleep before a pod's end, and with it requests; upgrade it",
      `namespace: not on this cluster, got "shop"; expected one that is there. kubectl create namespace shop`,
      `cluster: no AWS Load Balancer Controller, so no pod would ever be registered, got no elbv2.k8s.aws/v1beta1 at ${url}; expected its TargetGroupBinding. Install it (docs/guide/kubernetes.md)`,
      `namespace: the credentials may not write deployments.apps, services, horizontalpodautoscalers.autoscaling, poddisruptionbudgets.policy and targetgroupbindings.elbv2.k8s.aws in it, got "shop"; expected create, patch and delete. Give their role the rights (docs/guide/kubernetes.md)`,
    ]);
  });
});

describe("a kubeconfig", () => {
  const said = async (text: string, context?: string) => (await look({ files: { [path]: text } }, context)).said;

  it("cannot be read, or is none [E6]", async () => {
    expect((await look({ files: {} })).said).toEqual([
      `cluster.kubeconfig: cannot be read (ENOENT), got ${path}; expected a kubeconfig file. Correct the path, or write it with aws eks update-kubeconfig --kubeconfig <file>`,
    ]);
    expect(await said("clusters: [")).toEqual([
      `cluster.kubeconfig: ${path}:1: malformed YAML: Flow sequence in block collection must be sufficiently indented and end with a ]`,
    ]);
    expect(await said("clusters: 3")).toEqual([
      `cluster.kubeconfig: not a kubeconfig at clusters, got ${path}; expected clusters, users and contexts`,
    ]);
    expect(await said("")).toEqual([
      `cluster.kubeconfig: not a kubeconfig at its top, got ${path}; expected clusters, users and contexts`,
    ]);
  });

  it("has not the context, or one that leads nowhere [E6]", async () => {
    expect(await said(kubeconfig(), "shpo")).toEqual([
      `cluster.context: not in the kubeconfig, got "shpo"; expected shop, lost or nobody. Did you mean shop?`,
    ]);
    expect(await said(kubeconfig({}, {}, { "current-context": "" }))).toEqual([
      "cluster.context: none named, and the kubeconfig has no current one; expected shop, lost or nobody. Name one",
    ]);
    expect(await said(kubeconfig({}, {}, { "current-context": "a", contexts: [] }))).toEqual([
      `cluster.context: not in the kubeconfig, got "a"; expected one that it has, and it has none. kubectl config get-contexts lists them`,
    ]);
    expect(await said(kubeconfig(), "lost")).toEqual([
      `cluster.kubeconfig: its context lost names a cluster that it has not, got "gone"; expected one of its own. Have it written anew`,
    ]);
    expect(await said(kubeconfig(), "nobody")).toEqual([
      `cluster.kubeconfig: its context nobody names a user that it has not, got "gone"; expected one of its own. Have it written anew`,
    ]);
  });

  it("signs in or leads where nothing here goes, by name [E6]", async () => {
    expect(await said(kubeconfig({ username: "a", password: "b", "auth-provider": { name: "gcp" } }))).toEqual([
      "cluster.kubeconfig: its user u signs in by username, which is not supported; expected a token, a certificate or exec. Kubernetes 1.19 dropped passwords; use a token or exec",
      "cluster.kubeconfig: its user u signs in by auth-provider, which is not supported; expected a token, a certificate or exec. Kubernetes 1.26 dropped it; have the kubeconfig written anew, with exec",
    ]);
    expect(await said(kubeconfig({}, { "proxy-url": "http://proxy" }))).toEqual([
      "cluster.kubeconfig: its cluster c is behind a proxy (proxy-url), which is not supported; expected none. Run where the cluster can be reached",
    ]);
    expect(await said(kubeconfig({}, { server: "k8s.example.com" }))).toEqual([
      `cluster.kubeconfig: its cluster c has no URL, got "k8s.example.com"; expected https://…`,
    ]);
    expect(await said(kubeconfig({ exec: { command: "aws" } }))).toEqual([
      "cluster.kubeconfig: its user u cannot be read at exec.apiVersion; expected a token, a certificate or exec",
    ]);
  });

  it("is followed: files beside it, a certificate, a name of its own, any certificate at all [E6]", async () => {
    const user = { "client-certificate-data": base64("CERT"), "client-key": "keys/me.key" };
    const cluster = {
      "certificate-authority-data": undefined,
      "certificate-authority": "/etc/ca.pem",
      "tls-server-name": "inner",
      "insecure-skip-tls-verify": true,
    };
    const files = { [path]: kubeconfig(user, cluster), "/home/shop/keys/me.key": "KEY", "/etc/ca.pem": "PEM" };
    const { calls } = await look({ files });
    expect(calls[0]).toEqual({
      url: `${url}/version`,
      method: "GET",
      authority: "PEM",
      serverName: "inner",
      trustsAnything: true,
      certificate: "CERT",
      key: "KEY",
    });
    const { "/etc/ca.pem": _, ...lost } = files;
    expect((await look({ files: lost })).said).toEqual([
      "cluster: its certificate authority cannot be read (ENOENT), got /etc/ca.pem; expected a file. Have the kubeconfig written anew",
    ]);
    const byFile = { [path]: kubeconfig({ token: "old", tokenFile: "token" }), "/home/shop/token": "fresh\n" };
    expect((await look({ files: byFile })).calls[0]?.token).toBe("fresh");
  });
});

describe("a program that signs in", () => {
  const files = { [path]: kubeconfig({ exec }) };

  it("is run as kubectl runs it, and its token is used [E6]", async () => {
    const runs: unknown[] = [];
    const run: ClusterPorts["run"] = async (command, args, { KUBERNETES_EXEC_INFO = "", ...variables }) => {
      runs.push([command, args, variables, JSON.parse(KUBERNETES_EXEC_INFO)]);
      return JSON.stringify({ status: { token: "k8s-aws-v1.x" } });
    };
    const { calls } = await look({ files, run });
    expect(runs).toEqual([
      [
        "aws",
        ["eks", "get-token"],
        { AWS_PROFILE: "shop" },
        {
          apiVersion: "client.authentication.k8s.io/v1beta1",
          kind: "ExecCredential",
          spec: { interactive: false, cluster: { server: url, "certificate-authority-data": base64("CA") } },
        },
      ],
    ]);
    expect(calls[0]?.token).toBe("k8s-aws-v1.x");
  });

  it("is not here, fails, or gives nothing; and what it wrote is never shown [E6]", async () => {
    expect((await look({ files })).said).toEqual([
      "cluster: signed in to by a program that is not here, got aws; expected it on PATH. Install it (the AWS CLI, version 2)",
    ]);
    const failing = () => Promise.reject(new Error("Token has expired\nand refresh failed"));
    expect((await look({ files, run: failing })).said).toEqual([
      "cluster: signing in failed, got Token has expired and refresh failed from aws eks get-token; expected a token. Run it by hand; most often one has to sign in to AWS anew",
    ]);
    for (const written of ["", "{}", "secret-not-json", JSON.stringify({ status: { secret: "s3cr3t" } })]) {
      expect((await look({ files, run: async () => written })).said).toEqual([
        "cluster: signing in failed, got an answer without credentials from aws eks get-token; expected an ExecCredential with a token. Run it by hand",
      ]);
    }
  });

  it("is looked for beside the file where it is named by a path [E6]", async () => {
    const commands: string[] = [];
    const text = kubeconfig({ exec: { ...exec, command: "./bin/login", args: null, env: null } });
    const run: ClusterPorts["run"] = async (command) => {
      commands.push(command);
      return JSON.stringify({ status: { clientCertificateData: "CERT", clientKeyData: "KEY" } });
    };
    const { calls } = await look({ files: { [path]: text }, run });
    expect(commands).toEqual(["/home/shop/bin/login"]);
    expect(calls[0]).toMatchObject({ certificate: "CERT", key: "KEY" });
  });
});

it("asks a cluster behind a path where it is [E6]", async () => {
  const { ports, calls } = world();
  const access: ClusterAccess = { url: `${url}/k8s/c-1`, trustsAnything: false, credentials: { kind: "none" } };
  await checkCluster(access, "shop", ports);
  expect(calls[0]).toEqual({ url: `${url}/k8s/c-1/version`, method: "GET", trustsAnything: false });
});
