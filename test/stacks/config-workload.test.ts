/** What runs behind a service's releases, as config says it: defaults, and every problem at once (E6). What is ECS's alone is `config-ecs.test.ts`. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService, problemsOf } from "./config-builders.ts";

const folder = "/home/shop/stacks";
const kubernetes = { cluster: { eks: "shop" }, namespace: "checkout" };
const small = { cpuMillicores: 500, memoryMegabytes: 512, kubernetes };
const place = "services.checkout.workload";

function raw(workload: unknown, service: Record<string, unknown> = {}) {
  return aConfig({}, { checkout: aService({ workload, ...service }) });
}
const read = (workload: unknown, service: Record<string, unknown> = {}) =>
  parseConfig(raw(workload, service), { folder }).services[0]?.workload;
const refused = (workload: unknown, service: Record<string, unknown> = {}) =>
  problemsOf(raw(workload, service), { folder });

describe("workload", () => {
  it("has a default for all but size and place [E6]", () => {
    expect(read(small)).toEqual({
      kind: "kubernetes",
      shape: {
        minimumCount: 2,
        maximumCount: 8,
        targetCpuPercent: 60,
        cpuMillicores: 500,
        memoryMegabytes: 512,
        variables: {},
        readinessPath: "/",
        livenessPath: "/",
        startSeconds: 120,
        stopSeconds: 330,
      },
      cluster: { eksName: "shop" },
      namespace: "checkout",
      runAsUserId: 10_001,
    });
    expect(read(undefined)).toBeUndefined();
  });

  it("takes everything that can be said, and its readiness from the target group [E6]", () => {
    const workload = {
      minimumCount: 3,
      maximumCount: 30,
      targetCpuPercent: 50,
      cpuMillicores: 2_000,
      memoryMegabytes: 4_096,
      variables: { LOG_LEVEL: "info", WORKERS: "4" },
      livenessPath: "/alive",
      startSeconds: 40,
      stopSeconds: 61,
      kubernetes: {
        cluster: { kubeconfig: "../kubeconfig.yaml", context: "shop" },
        namespace: "checkout",
        serviceAccount: "checkout",
        runAsUser: 1_000,
        loadBalancerSecurityGroup: "sg-0a1b2c3d",
      },
    };
    const targetGroup = { healthCheckPath: "/ready", deregistrationDelaySeconds: 60 };
    expect(read(workload, { targetGroup })).toEqual({
      kind: "kubernetes",
      shape: {
        minimumCount: 3,
        maximumCount: 30,
        targetCpuPercent: 50,
        cpuMillicores: 2_000,
        memoryMegabytes: 4_096,
        variables: { LOG_LEVEL: "info", WORKERS: "4" },
        readinessPath: "/ready",
        livenessPath: "/alive",
        startSeconds: 40,
        stopSeconds: 61,
      },
      cluster: { kubeconfigPath: "/home/shop/kubeconfig.yaml", context: "shop" },
      namespace: "checkout",
      serviceAccountName: "checkout",
      runAsUserId: 1_000,
      loadBalancerSecurityGroupId: "sg-0a1b2c3d",
    });
  });

  it("gives an ECS task no longer to stop than Fargate does, where nobody said [E6]", () => {
    const ecs = {
      cluster: "shop",
      subnets: ["subnet-01234567"],
      securityGroups: ["sg-01234567"],
      executionRole: "arn:aws:iam::123456789012:role/pull",
    };
    const workload = { cpuMillicores: 500, memoryMegabytes: 1_024, ecs };
    const targetGroup = (deregistrationDelaySeconds: number) => ({ targetGroup: { deregistrationDelaySeconds } });
    expect(read(workload, targetGroup(60))).toMatchObject({ kind: "ecs", shape: { stopSeconds: 90 } });
    expect(read(workload, targetGroup(100))).toMatchObject({ shape: { stopSeconds: 120 } });
    expect(refused(workload, targetGroup(120)).length).toBe(1);
  });

  it("names every problem at once [B11]", () => {
    const workload = {
      minimumCount: 5,
      maximumCount: 2,
      cpuMillicores: 5,
      livenessPath: "alive",
      variables: { A: 1, "9b": "x", TIDEGATE_RELEASE: "x" },
      minimum: 3,
      kubernetes: { cluster: { eks: "shop", context: "x" }, namespace: "Checkout", runAsUser: 0 },
    };
    expect(refused(workload, { targetGroup: { targetType: "instance" } })).toEqual([
      `${place}.minimum: unknown key; expected minimumCount, maximumCount, targetCpuPercent, cpuMillicores, memoryMegabytes, variables, livenessPath, startSeconds, stopSeconds, kubernetes or ecs`,
      `${place}.cpuMillicores: must be a whole number of thousandths of a processor, got 5; expected 10 to 192000`,
      `${place}.memoryMegabytes: missing; expected 16 to 1048576`,
      `${place}.livenessPath: not a path, got "alive"; expected a path starting with "/", at most 1024 characters`,
      `${place}.variables: not the name of a variable, got "9b"; expected up to 255 letters, digits and underscores, not starting with a digit`,
      `${place}.variables.TIDEGATE_RELEASE: set by the program, to the release's key; expected no such variable. Leave it out`,
      `${place}.variables.A: must be a text, as variables are, got a value not shown here; expected a text. Put it in quotes`,
      `${place}.maximumCount: below the minimum, got 2; expected at least minimumCount, 5`,
      `${place}.kubernetes.namespace: not the name of a namespace, got "Checkout"; expected up to 63 lower-case letters, digits and inner hyphens`,
      `${place}.kubernetes.runAsUser: must be a whole number in range, got 0; expected 1 to 2147483647`,
      `${place}.kubernetes.cluster.context: belongs to a kubeconfig, and eks needs none, got "x"; expected no context. Leave it out`,
      `services.checkout.targetGroup.targetType: pods are registered by addresses of their own, got "instance"; expected ip`,
    ]);
  });

  it("refuses an end that deregistration outlasts [E6]", () => {
    const targetGroup = { deregistrationDelaySeconds: 60 };
    expect(refused({ ...small, stopSeconds: 60 }, { targetGroup })).toEqual([
      `${place}.stopSeconds: not longer than the target group's deregistration, so requests under way would be cut off, got 60; expected more than 60. Raise it, or lower targetGroup.deregistrationDelaySeconds`,
    ]);
    expect(read({ ...small, stopSeconds: 61 }, { targetGroup })).toMatchObject({ shape: { stopSeconds: 61 } });
  });

  it("refuses nowhere to run, and two places [E6]", () => {
    const { kubernetes: _, ...nowhere } = small;
    expect(refused(nowhere)).toEqual([
      `${place}: nowhere to run; expected one of kubernetes or ecs. Say in one of them where it runs`,
    ]);
    expect(refused({ ...small, ecs: {} })).toEqual([
      `${place}: two places to run, got "kubernetes and ecs"; expected one of kubernetes or ecs. Say in one of them where it runs`,
    ]);
    expect(refused("kubernetes")).toEqual([`${place}: must be a map, got "kubernetes"; expected a map`]);
  });

  it("refuses no cluster, two clusters, and a relative kubeconfig where there is no file to be relative to [E6]", () => {
    const on = (cluster: unknown) => ({ ...small, kubernetes: { cluster, namespace: "checkout" } });
    const wayOut = "Name an EKS cluster of this account and region as eks, any other by its kubeconfig";
    expect(refused(on({}))).toEqual([
      `${place}.kubernetes.cluster: no cluster named; expected kubeconfig or eks. ${wayOut}`,
    ]);
    expect(refused(on({ eks: "shop", kubeconfig: "a" }))).toEqual([
      `${place}.kubernetes.cluster: two clusters, got "kubeconfig and eks"; expected kubeconfig or eks. ${wayOut}`,
    ]);
    expect(refused(on(undefined))).toEqual([`${place}.kubernetes.cluster: missing; expected a map`]);
    expect(refused(on({ eks: "arn:aws:eks:eu-west-1:123456789012:cluster/shop" }))).toEqual([
      `${place}.kubernetes.cluster.eks: not the name of an EKS cluster, got "arn:aws:eks:eu-west-1:123456789012:cluster/shop"; expected up to 100 letters, digits, hyphens and underscores. Give its name, not its ARN`,
    ]);
    expect(problemsOf(raw(on({ kubeconfig: "k.yaml" })))).toEqual([
      `${place}.kubernetes.cluster.kubeconfig: a relative path, and this config was read from no file, got "k.yaml"; expected an absolute path`,
    ]);
    expect(parseConfig(raw(on({ kubeconfig: "/k.yaml" }))).services[0]?.workload).toMatchObject({
      cluster: { kubeconfigPath: "/k.yaml" },
    });
  });

  it("refuses an image without a digest, as for any release [E6]", () => {
    const canary = { version: "2.4.0", image: "registry.example.com/checkout:2.4.0" };
    expect(refused(small, { canary })).toEqual([
      `services.checkout.canary.image: image without digest, got "registry.example.com/checkout:2.4.0"; expected <repository>@sha256:<64 hex>. A tag can be moved to other bytes; ask the registry for the digest behind it`,
    ]);
  });

  it("never shows a variable's value, which may be a secret [B11]", () => {
    expect(refused({ ...small, variables: { TOKEN: 7_531_902 } }).join("\n")).not.toContain("7531902");
  });

  it("is in the guide as it is read here [E6]", () => {
    const page = readFileSync(new URL("../../docs/guide/kubernetes.md", import.meta.url), "utf8");
    const [, block = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    const services = parse(block)["tidegate:services"];
    expect(parseConfig(aConfig({}, services), { folder }).services[0]?.workload).toMatchObject({
      kind: "kubernetes",
      shape: { minimumCount: 3, readinessPath: "/ready", livenessPath: "/alive", stopSeconds: 90 },
      cluster: { eksName: "shop" },
      serviceAccountName: "checkout",
      loadBalancerSecurityGroupId: "sg-01234567",
    });
  });
});
