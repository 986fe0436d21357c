/**
 * Releases on Kubernetes under the real Pulumi engine: what it makes in which order, what a new release leaves alone, and that nothing at all
 * changes where the cluster is not well or a service was moved. The provider is stood in for, and of the cluster only what is asked before
 * an `up` is there, on loopback: what the real provider waits for is not proven here. Runs within `npm run test:aws` where `pulumi` is on PATH.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Estate, next } from "./estate.ts";
import { engineOnPath, mutations } from "./harness.ts";

const answers: Readonly<Record<string, unknown>> = {
  "/version": { major: "1", minor: "34" },
  "/api/v1/namespaces/kube-system": { metadata: { uid: "0c4f" } },
};

describe.skipIf(!engineOnPath())("releases on Kubernetes under the real engine", { timeout: 300_000 }, () => {
  let estate: Estate;
  let cluster: Server;
  let isWell = true;
  const folder = mkdtempSync(join(tmpdir(), "tidegate-kubernetes-"));
  const kubeconfig = join(folder, "kubeconfig.yaml");
  const workload = {
    cpuMillicores: 500,
    memoryMegabytes: 512,
    kubernetes: { cluster: { kubeconfig }, namespace: "shop" },
  };

  beforeAll(async () => {
    cluster = createServer(({ url = "" }, response) => {
      response.writeHead(isWell ? 200 : 503).end(JSON.stringify(answers[url] ?? {}));
    });
    await new Promise<void>((ready) => cluster.listen(0, "127.0.0.1", ready));
    const address = cluster.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const file = {
      clusters: [{ name: "shop", cluster: { server: `http://127.0.0.1:${address.port}` } }],
      users: [{ name: "deploy", user: { token: "t0k3n" } }],
      contexts: [{ name: "shop", context: { cluster: "shop", user: "deploy" } }],
      "current-context": "shop",
    };
    writeFileSync(kubeconfig, JSON.stringify(file));
    estate = await Estate.build("kubernetes");
    estate.configure({ workload });
  }, 60_000);
  afterAll(async () => {
    await new Promise((done) => cluster.close(done));
    rmSync(folder, { recursive: true, force: true });
    await estate.remove();
  });

  /** What was changed of the service, `<op> <type> <name>`, in the engine's order. */
  const changes = (): string[] =>
    mutations(estate.engine.calls()).map(({ op, type, urn }) =>
      `${op} ${type.split(":").at(-1)} ${urn?.split("::").at(-1)}`.replace(/-[0-9a-f]{8}(?=-|$)/, ""),
    );
  const ofPods = (lines: readonly string[]): string[] =>
    lines.filter((line) => /Service |Binding|Autoscaler|Budget|Deployment/.test(line));

  it("makes pods after what registers them, that after the anchor rule, and the main rule last [E6]", async () => {
    const up = await estate.up();
    expect(up.errors).toBe("");
    const order = [
      "create ListenerRule checkout-anchor",
      "create TargetGroupBinding checkout-1-0-0-binding",
      "create Deployment checkout-1-0-0-deployment",
      "create ListenerRule checkout-main",
    ];
    expect(changes().filter((line) => order.includes(line))).toEqual(order);
    expect(ofPods(changes()).length).toBe(5);
    const services = (await estate.engine.outputs()).services as { checkout: { workload: unknown } };
    expect(services.checkout.workload).toEqual({ kind: "kubernetes", cluster: "0c4f", namespace: "shop" });
    const provider = (await estate.engine.state()).find(({ type }) => type === "pulumi:providers:kubernetes");
    expect(provider?.inputs).toMatchObject({ kubeconfig, clusterIdentifier: "0c4f" });
    expect(JSON.stringify(provider)).not.toContain("t0k3n");
  });

  it("brings a canary beside it and touches nothing of what runs [E6]", async () => {
    estate.configure({ canary: next, wave: 0 });
    const up = await estate.up();
    expect(up.errors).toBe("");
    expect(ofPods(changes()).sort()).toEqual([
      "create Deployment checkout-2-0-0-deployment",
      "create HorizontalPodAutoscaler checkout-2-0-0-autoscaler",
      "create PodDisruptionBudget checkout-2-0-0-budget",
      "create Service checkout-2-0-0-service",
      "create TargetGroupBinding checkout-2-0-0-binding",
    ]);
    await estate.up();
    expect(changes()).toEqual([]);
  });

  it("leaves the pods' number to the autoscaler when the minimum rises [B12]", async () => {
    estate.configure({ workload: { ...workload, minimumCount: 3 } });
    const up = await estate.up();
    expect(up.errors).toBe("");
    expect(ofPods(changes()).sort()).toEqual([
      "update HorizontalPodAutoscaler checkout-1-0-0-autoscaler",
      "update HorizontalPodAutoscaler checkout-2-0-0-autoscaler",
    ]);
    estate.configure({ workload });
  });

  it("changes nothing at all while the cluster is not well [E6]", async () => {
    isWell = false;
    estate.configure({ canary: next, wave: 10 });
    const refusal = "services.checkout.workload.kubernetes.cluster: answers with 503 (";
    const up = await estate.up();
    isWell = true;
    expect(up.exitCode).not.toBe(0);
    expect(up.errors).toContain("this up is refused for 1 reason; nothing was changed");
    expect(up.errors).toContain(refusal);
    expect(mutations(estate.engine.calls())).toEqual([]);
    estate.configure({ wave: 0 });
  });

  it("refuses to move what serves the traffic, and to delete it, before anything changes [E6]", async () => {
    const { kubernetes, ...shape } = workload;
    estate.configure({ workload: { ...shape, kubernetes: { ...kubernetes, namespace: "elsewhere" } } });
    const moved = await estate.up();
    expect(moved.errors).toContain(
      "services.checkout.workload: moved while releases run by it, got kubernetes 0c4f, namespace elsewhere; expected kubernetes 0c4f, namespace shop",
    );
    expect(mutations(estate.engine.calls())).toEqual([]);
    estate.configure({ workload: undefined });
    const gone = await estate.up();
    expect(gone.errors).toContain("services.checkout.workload: taken out while releases run by it, got nothing");
    expect(mutations(estate.engine.calls())).toEqual([]);
  });
});
