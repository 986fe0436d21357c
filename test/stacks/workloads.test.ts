/** What a stack finds out of the places where its releases shall run, and how it declares them there; nothing before it has looked (E6). */
import { createRequire } from "node:module";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { WorkloadAsk } from "../../components/index.ts";
import type { SignIn } from "../../core/sign-in.ts";
import { parseConfig, type ServiceConfig } from "../../stacks/config.ts";
import { program } from "../../stacks/program.ts";
import { type PlacedWorkload, prepareWorkloads, type WorkloadPorts } from "../../stacks/workloads.ts";
import { aDeclaration, rememberingGuards } from "../helpers/builders.ts";
import { account, runPulumi } from "../helpers/pulumi-run.ts";
import { aConfig, aService } from "./config-builders.ts";

const endpoint = "https://ABCD.gr7.eu-west-1.eks.amazonaws.com";
const authorityData = Buffer.from("CA").toString("base64");
const small = { cpuMillicores: 500, memoryMegabytes: 512 };
const onEks = { ...small, kubernetes: { cluster: { eks: "shop" }, namespace: "checkout" } };
const byFile = {
  ...small,
  kubernetes: { cluster: { kubeconfig: "/k.yaml", context: "shop" }, namespace: "checkout" },
};
const onEcs = {
  ...small,
  memoryMegabytes: 1_024,
  ecs: {
    cluster: "shop",
    subnets: ["subnet-01234567"],
    securityGroups: ["sg-01234567"],
    executionRole: "arn:aws:iam::123456789012:role/pull",
  },
};
const targetGroup = { deregistrationDelaySeconds: 60 };

/** A config with one service for each workload, a to z. */
function configOf(...workloads: unknown[]) {
  const names = ["alpha", "beta", "gamma"];
  const services = workloads.map((workload, index) => [
    names[index] ?? "more",
    aService({ workload, targetGroup, priority: 100 + 10 * index, match: { hosts: [`${index}.example.com`] } }),
  ]);
  return parseConfig(aConfig({}, Object.fromEntries(services)));
}

const kubeconfig = JSON.stringify({
  clusters: [{ name: "c", cluster: { server: "https://k8s.example.com" } }],
  users: [{ name: "u", user: { token: "t0k3n" } }],
  contexts: [{ name: "shop", context: { cluster: "c", user: "u" } }],
});

/** Clusters that are well, and what was asked. */
function world(changes: Partial<WorkloadPorts> = {}) {
  const asked: string[] = [];
  const ports: WorkloadPorts = {
    readFile: async () => kubeconfig,
    run: async (command, args) => {
      asked.push([command, ...args].join(" "));
      return JSON.stringify({ status: { token: "t" } });
    },
    request: async ({ url }) => {
      asked.push(url);
      const uid = url.includes("eks") ? "0c4f" : "77aa";
      return { status: 200, body: JSON.stringify({ major: "1", minor: "34", metadata: { uid } }) };
    },
    eks: async (name) => {
      asked.push(`eks ${name}`);
      return { endpoint, authorityData, status: "ACTIVE" };
    },
    ecs: async (name) => {
      asked.push(`ecs ${name}`);
      return { status: "ACTIVE" };
    },
    wait: () => new Promise(() => {}),
    ...changes,
  };
  return { ports, asked };
}

const here: PlacedWorkload = { kind: "kubernetes", cluster: "0c4f", namespace: "checkout" };

describe("prepareWorkloads", () => {
  it("asks nothing and loads nothing of Kubernetes where no service has a workload [E6]", async () => {
    const { ports, asked } = world();
    const config = configOf(undefined);
    const prepared = await prepareWorkloads(config, {}, ports);
    expect([prepared.refusals, prepared.notices, asked]).toEqual([[], [], []]);
    expect(config.services.map(prepared.workloads)).toEqual([undefined]);
    expect(prepared.placeOf("alpha")).toBeUndefined();
    // The first test of the file: no other has loaded it yet.
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    expect(loaded.some((file) => file.includes("@pulumi/aws"))).toBe(true);
    expect(loaded.filter((file) => file.includes("@pulumi/kubernetes"))).toEqual([]);
  });

  it("asks each cluster once, however many services it has [E6]", async () => {
    const { ports, asked } = world();
    const prepared = await prepareWorkloads(configOf(onEks, onEks, onEcs), {}, ports);
    expect(prepared.refusals).toEqual([]);
    expect(asked.filter((what) => what.startsWith("e"))).toEqual(["eks shop", "ecs shop"]);
    expect(asked.filter((what) => what.endsWith("/version"))).toEqual([`${endpoint}/version`]);
    expect(prepared.notices.length).toBe(1);
  });

  it("signs in to EKS as the program does in AWS [E6]", async () => {
    const { ports, asked } = world();
    const roleArn = "arn:aws:iam::123456789012:role/deploy";
    const access: SignIn = { profile: "shop", assumeRoles: [{ roleArn, sessionName: "up" }] };
    await prepareWorkloads({ ...configOf(onEks), access }, {}, ports);
    expect(asked.filter((what) => what.startsWith("aws"))).toEqual([
      `aws --region eu-west-1 eks get-token --cluster-name shop --output json --role-arn ${roleArn} --profile shop`,
    ]);
  });

  it("names every service of a place that cannot take a release [B11]", async () => {
    const { ports } = world({
      eks: async () => {
        throw new Error("ResourceNotFoundException: No cluster found for name: shop.");
      },
      ecs: async () => ({ status: "INACTIVE" }),
    });
    const place = "workload.kubernetes.cluster.eks";
    expect((await prepareWorkloads(configOf(onEks, onEks, onEcs), {}, ports)).refusals).toEqual([
      `services.alpha.${place}, services.beta.${place}: the EKS cluster shop in eu-west-1 does not answer, got ResourceNotFoundException: No cluster found for name: shop.; expected an ACTIVE one. Correct the name or the sign-in; aws eks list-clusters shows those that are there`,
      "services.gamma.workload.ecs.cluster: the ECS cluster shop in eu-west-1 is not ready, got INACTIVE; expected ACTIVE. Wait until it is, or name another one",
    ]);
  });

  it("does not wait for ever for an EKS that says nothing, nor take one that is not ready [E6]", async () => {
    const waits: number[] = [];
    const silent = world({
      eks: () => new Promise(() => {}),
      wait: async (seconds) => {
        waits.push(seconds);
      },
    });
    expect((await prepareWorkloads(configOf(onEks), {}, silent.ports)).refusals[0]).toContain(
      "does not answer, got no answer within 30 seconds; expected",
    );
    expect(waits).toEqual([30]);
    const creating = world({ eks: async () => ({ endpoint: "", authorityData: "", status: "CREATING" }) });
    expect((await prepareWorkloads(configOf(onEks), {}, creating.ports)).refusals).toEqual([
      "services.alpha.workload.kubernetes.cluster.eks: the EKS cluster shop in eu-west-1 is not ready, got CREATING; expected ACTIVE. Wait until it is, or name another one",
    ]);
  });

  it("refuses roles that the AWS CLI cannot assume for a cluster, without asking it [E6]", async () => {
    const { ports, asked } = world();
    const roleArn = "arn:aws:iam::123456789012:role/deploy";
    const access: SignIn = { assumeRoles: [{ roleArn, externalId: "x" }, { roleArn }] };
    expect((await prepareWorkloads({ ...configOf(onEks), access }, {}, ports)).refusals).toEqual([
      "services.alpha.workload.kubernetes.cluster.eks: aws eks get-token cannot assume roles as aws:assumeRoles does, got several roles, externalId; expected one role by its ARN alone. Write a kubeconfig of your own, and name it as cluster.kubeconfig",
    ]);
    expect(asked).toEqual([]);
  });
});

describe("a service that is moved while its releases run", () => {
  const refusalsOf = async (workload: unknown, previous: PlacedWorkload, service: object = {}) => {
    const config = configOf(workload);
    const services = config.services.map((one): ServiceConfig => ({ ...one, ...service }));
    return (await prepareWorkloads({ ...config, services }, { alpha: previous }, world().ports)).refusals;
  };
  const wayOut = "put it back, and declare the service anew there under another name";
  const place = "services.alpha.workload";

  it("is refused: to another cluster, namespace or platform, and to none [E6]", async () => {
    expect(await refusalsOf(onEks, here)).toEqual([]);
    expect(await refusalsOf(byFile, here)).toEqual([
      `${place}: moved while releases run by it, got kubernetes 77aa, namespace checkout; expected kubernetes 0c4f, namespace checkout, as in the last up. This up would replace what serves the traffic: ${wayOut}`,
    ]);
    expect(await refusalsOf(onEks, { ...here, namespace: "shop" })).toEqual([
      `${place}: moved while releases run by it, got kubernetes 0c4f, namespace checkout; expected kubernetes 0c4f, namespace shop, as in the last up. This up would replace what serves the traffic: ${wayOut}`,
    ]);
    expect(await refusalsOf(onEcs, here)).toEqual([
      `${place}: moved while releases run by it, got ecs shop; expected kubernetes 0c4f, namespace checkout, as in the last up. This up would replace what serves the traffic: ${wayOut}`,
    ]);
    expect(await refusalsOf(undefined, { kind: "ecs", cluster: "shop" })).toEqual([
      `${place}: taken out while releases run by it, got nothing; expected ecs shop, as in the last up. This up would delete what serves the traffic: put it back, or retire the service first`,
    ]);
  });

  it("may go with everything that it has [A4]", async () => {
    expect(await refusalsOf(undefined, here, { retire: true })).toEqual([]);
  });

  it("is not taken for moved where its cluster does not answer, which is said instead [E6]", async () => {
    const { ports } = world({ request: () => Promise.reject(new Error("no answer within 10 s")) });
    const { refusals } = await prepareWorkloads(configOf(onEks), { alpha: { ...here, cluster: "else" } }, ports);
    expect(refusals.length).toBe(1);
    expect(refusals[0]).toContain("services.alpha.workload.kubernetes.cluster: does not answer");
  });
});

describe("declaring where it was looked", () => {
  const release = {
    digest: `sha256:${"b".repeat(64)}`,
    version: "2.4.0",
    image: `r.example.com/a@sha256:${"b".repeat(64)}`,
  };
  function askOf(parent: pulumi.Resource, service: string): WorkloadAsk {
    return {
      name: `${service}-2-4-0-1a2b3c4d`,
      parent,
      environment: "dev",
      service,
      release,
      releaseKey: "2-4-0-1a2b3c4d",
      targetGroupArn: "arn:group",
      port: 8080,
      deregistrationDelaySeconds: 60,
      minimumCount: 4,
      after: [],
    };
  }
  async function declare(config: ReturnType<typeof configOf>, ports = world().ports, previous = {}) {
    const prepared = await prepareWorkloads(config, previous, ports);
    const run = await runPulumi(() => {
      const parent = new pulumi.ComponentResource("test:index:Parent", "parent");
      for (const service of config.services) prepared.workloads(service)?.(askOf(parent, service.name));
    });
    return { prepared, run };
  }

  it("has one provider for each cluster, named and told apart by the cluster's own id [E6]", async () => {
    const { prepared, run } = await declare(configOf(onEks, onEks, byFile));
    const providers = run.all("pulumi:providers:kubernetes");
    expect(providers.map(({ name, inputs: { kubeconfig: written, ...inputs } }) => [name, inputs])).toEqual([
      [
        "kubernetes-351d7684",
        {
          clusterIdentifier: "0c4f",
          enableServerSideApply: "true",
          deleteUnreachable: "false",
          skipUpdateUnreachable: "false",
        },
      ],
      [
        "kubernetes-499f8504",
        {
          clusterIdentifier: "77aa",
          context: "shop",
          enableServerSideApply: "true",
          deleteUnreachable: "false",
          skipUpdateUnreachable: "false",
        },
      ],
    ]);
    const [eks, file] = providers.map(({ inputs }) => inputs.kubeconfig);
    expect(JSON.parse(String(eks))).toEqual({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "shop", cluster: { server: endpoint, "certificate-authority-data": authorityData } }],
      users: [
        {
          name: "shop",
          user: {
            exec: {
              apiVersion: "client.authentication.k8s.io/v1beta1",
              command: "aws",
              args: ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "shop", "--output", "json"],
              interactiveMode: "Never",
            },
          },
        },
      ],
      contexts: [{ name: "shop", context: { cluster: "shop", user: "shop" } }],
      "current-context": "shop",
    });
    // The path alone: what is in the file would come into the state.
    expect(file).toBe("/k.yaml");
    expect(prepared.placeOf("beta")).toEqual(here);
  });

  it("gives pods the ask's own minimum, and the target group's port and draining [B12]", async () => {
    const { run } = await declare(configOf(onEks));
    expect(run.the("kubernetes:autoscaling/v2:HorizontalPodAutoscaler").inputs.spec).toMatchObject({ minReplicas: 4 });
    expect(run.the("kubernetes:apps/v1:Deployment").inputs.spec).toMatchObject({
      template: { spec: { terminationGracePeriodSeconds: 105 } },
    });
  });

  it("never takes the machine's own kubeconfig where none could be had, in the preview of an up that is refused [E6]", async () => {
    const gone = world({ eks: () => Promise.reject(new Error("no such cluster")) });
    const { prepared, run } = await declare(configOf(onEks), gone.ports, { alpha: here });
    expect(prepared.refusals.length).toBe(1);
    const provider = run.the("pulumi:providers:kubernetes");
    expect(provider.name).toBe("kubernetes-351d7684");
    expect(provider.inputs.kubeconfig).toBe('{"apiVersion":"v1","kind":"Config"}');
  });
});

describe("the whole program", () => {
  const config = parseConfig(aConfig({}, { checkout: aService({ workload: onEks, targetGroup }) }));
  const run = async (ports: WorkloadPorts, made: string[] = []) => {
    const prepared = await prepareWorkloads(config, {}, ports);
    const declare = () =>
      program({
        config,
        decide: async () => [aDeclaration(10)],
        refusals: async () => prepared.refusals,
        workloads: prepared.workloads,
        placeOf: prepared.placeOf,
        guards: rememberingGuards().binding,
        hookBundleFolder: "dist/hook",
        watchmanBundleFolder: "dist/watchman",
        stackId: "example/tidegate/dev",
        accountId: account,
        isPreview: false,
        log: { info: () => {}, warn: () => {} },
      });
    return runPulumi(declare, {
      fail: ({ type }) => {
        made.push(type);
        return undefined;
      },
    });
  };

  it("declares both releases on the cluster, each behind its group, and tells where [E6]", async () => {
    const result = await run(world().ports);
    const releases = result.all("tidegate:workload:KubernetesRelease");
    expect(releases.length).toBe(2);
    const bindings = result.all("kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding");
    const groups = bindings.map(({ inputs }) => (inputs.spec as { targetGroupARN: string }).targetGroupARN);
    expect(new Set(groups).size).toBe(2);
    for (const { dependsOn } of bindings) expect(dependsOn.some((name) => name.includes("anchor"))).toBe(true);
    expect(result.outputs.services.checkout?.workload).toEqual(here);
  });

  it("changes nothing at all where the cluster does not answer [E6]", async () => {
    const { ports } = world({ request: () => Promise.reject(new Error("no answer within 10 s")) });
    const made: string[] = [];
    await expect(run(ports, made)).rejects.toThrow(
      [
        "this up is refused for 1 reason; nothing was changed (stack example/tidegate/dev):",
        `  services.checkout.workload.kubernetes.cluster: does not answer (no answer within 10 s), got ${endpoint}; expected an answer. Nothing is declared on a cluster that cannot be asked; see that it can be reached from here (network, VPN, private endpoint), and run up again`,
      ].join("\n"),
    );
    expect(made).toEqual(["pulumi:pulumi:Stack"]);
  });
});
