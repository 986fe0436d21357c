/** The clusters of a stack, asked before anything is declared (E6, B11). */
import { describe, expect, it } from "vitest";
import { clusterProblems, type LookUpCluster } from "../../../components/ecs/cluster.ts";
import type { EcsWorkload } from "../../../core/workloads.ts";

const workload: EcsWorkload = {
  kind: "ecs",
  shape: {
    minimumCount: 2,
    maximumCount: 20,
    targetCpuPercent: 60,
    cpuMillicores: 500,
    memoryMegabytes: 1_024,
    variables: {},
    readinessPath: "/health",
    livenessPath: "/health",
    startSeconds: 90,
    stopSeconds: 75,
  },
  clusterName: "shop",
  subnetIds: ["subnet-01234567"],
  securityGroupIds: ["sg-01234567"],
  executionRoleArn: "arn:aws:iam::123456789012:role/shop-execution",
  assignPublicIp: false,
  runAsUserId: 10_001,
  cpuArchitecture: "X86_64",
};

describe("the clusters of a stack", () => {
  const never = () => new Promise<never>(() => {});
  const asked: string[] = [];
  const answers: Readonly<Record<string, LookUpCluster>> = {
    shop: async () => ({ status: "ACTIVE" }),
    going: async () => ({ status: "DEPROVISIONING" }),
    gone: async () => {
      throw new Error("reading ECS Cluster (gone):\n  couldn't find resource");
    },
    silent: never,
  };
  const lookUp: LookUpCluster = (cluster) => {
    asked.push(cluster);
    return (answers[cluster] ?? never)(cluster);
  };
  const on = (service: string, clusterName: string) => ({ name: service, workload: { ...workload, clusterName } });

  it("are asked for once each, and every one that cannot be used is named [B11]", async () => {
    const waits: number[] = [];
    const wait = async (seconds: number) => void waits.push(seconds);
    const services = [
      on("checkout", "shop"),
      on("cart", "gone"),
      on("search", "going"),
      on("basket", "gone"),
      { name: "static" },
    ];
    const problems = await clusterProblems(services, { region: "eu-west-1", lookUp, wait: never });
    expect(asked).toEqual(["shop", "gone", "going"]);
    expect(problems).toEqual([
      "services.cart.workload.ecs.cluster, services.basket.workload.ecs.cluster: the ECS cluster gone in eu-west-1 does not answer, got reading ECS Cluster (gone): couldn't find resource; expected an ACTIVE one. Correct the name or the sign-in; aws ecs list-clusters shows those that are there",
      "services.search.workload.ecs.cluster: the ECS cluster going in eu-west-1 is not ready, got DEPROVISIONING; expected ACTIVE. Wait until it is, or name another one",
    ]);
    expect(await clusterProblems([on("checkout", "silent")], { region: "eu-west-1", lookUp, wait })).toEqual([
      "services.checkout.workload.ecs.cluster: the ECS cluster silent in eu-west-1 does not answer, got no answer within 30 seconds; expected an ACTIVE one. Correct the name or the sign-in; aws ecs list-clusters shows those that are there",
    ]);
    expect(waits).toEqual([30]);
  });

  it("are not asked for by a stack without one on ECS [E6]", async () => {
    const before = asked.length;
    expect(await clusterProblems([{ name: "static" }], { region: "eu-west-1", lookUp, wait: never })).toEqual([]);
    expect(asked.length).toBe(before);
  });
});
