/** `workload: { ecs: … }` in the stack config: read whole, refused by path all at once, and declared or refused by a whole `up` (E6). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { clusterProblems, declareOnEcs, type LookUpCluster } from "../../components/index.ts";
import type { WorkloadShape } from "../../core/workloads.ts";
import { toEcsWorkload } from "../../stacks/config/ecs.ts";
import type { TargetGroupConfig } from "../../stacks/config/model.ts";
import { Problems } from "../../stacks/config/problems.ts";
import { parseConfig } from "../../stacks/config.ts";
import { program } from "../../stacks/program.ts";
import { aDeclaration, rememberingGuards } from "../helpers/builders.ts";
import { account, runPulumi } from "../helpers/pulumi-run.ts";
import { aConfig, aService, imageOf, serviceProblems } from "./config-builders.ts";

const executionRole = "arn:aws:iam::123456789012:role/shop-execution";
const taskRole = "arn:aws:iam::123456789012:role/services/checkout";
const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/database-AbCdEf";
const parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/api.key";

const place = {
  cluster: "shop",
  subnets: ["subnet-01234567", "subnet-0123456789abcdef0"],
  securityGroups: ["sg-01234567"],
  executionRole,
};
const shape: WorkloadShape = {
  minimumCount: 2,
  maximumCount: 8,
  targetCpuPercent: 60,
  cpuMillicores: 250,
  memoryMegabytes: 512,
  variables: {},
  readinessPath: "/",
  livenessPath: "/",
  startSeconds: 120,
  stopSeconds: 60,
};
const targetGroup: TargetGroupConfig = {
  port: 8080,
  protocol: "HTTP",
  targetType: "ip",
  healthCheckPath: "/",
  healthCheckIntervalSeconds: 10,
  healthCheckTimeoutSeconds: 5,
  healthyThresholdCount: 2,
  unhealthyThresholdCount: 2,
  slowStartSeconds: 0,
  deregistrationDelaySeconds: 30,
};

interface Around {
  readonly shape?: Partial<WorkloadShape>;
  readonly targetGroup?: Partial<TargetGroupConfig>;
}

function read(raw: unknown, around: Around = {}) {
  const problems = new Problems();
  const workload = toEcsWorkload(
    raw,
    ["workload", "ecs"],
    {
      shape: { ...shape, ...around.shape },
      shapePath: ["workload"],
      targetGroup: { ...targetGroup, ...around.targetGroup },
      targetGroupPath: ["targetGroup"],
    },
    problems,
  );
  return { workload, problems: problems.texts };
}

describe("a workload on ECS", () => {
  it("has every default: no role of its own, no public address, no root, the usual processor [E6]", () => {
    expect(read(place)).toEqual({
      workload: {
        kind: "ecs",
        shape,
        clusterName: "shop",
        subnetIds: place.subnets,
        securityGroupIds: place.securityGroups,
        executionRoleArn: executionRole,
        assignPublicIp: false,
        runAsUserId: 10_001,
        cpuArchitecture: "X86_64",
      },
      problems: [],
    });
  });

  it("has everything that it says itself [E6]", () => {
    const more = { taskRole, assignPublicIp: true, runAsUser: 1_000, cpuArchitecture: "ARM64" };
    const secrets = { DATABASE_URL: `${secret}:url::`, DATABASE: secret, API_KEY: parameter };
    expect(read({ ...place, ...more, secrets }).workload).toMatchObject({
      taskRoleArn: taskRole,
      assignPublicIp: true,
      runAsUserId: 1_000,
      cpuArchitecture: "ARM64",
      secretArns: secrets,
    });
  });

  it("comes out of a whole config, which gives it a stop longer than its deregistration [E6]", () => {
    const workload = { cpuMillicores: 250, memoryMegabytes: 512, ecs: place };
    const changes = { workload, targetGroup: { deregistrationDelaySeconds: 45, healthCheckPath: "/health" } };
    const [service] = parseConfig(aConfig({}, { checkout: aService(changes) })).services;
    expect(service?.workload).toMatchObject({
      kind: "ecs",
      clusterName: "shop",
      shape: { stopSeconds: 75, readinessPath: "/health", livenessPath: "/health", minimumCount: 2 },
    });
  });
});

describe("the guide to releases on ECS", () => {
  it("shows a config that is read without a problem [E6]", () => {
    const page = readFileSync(new URL("../../docs/guide/ecs.md", import.meta.url), "utf8");
    const block = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? "";
    const { "tidegate:services": services } = parse(block) as { "tidegate:services": Record<string, unknown> };
    const [service] = parseConfig(aConfig({}, services)).services;
    expect(service?.workload).toMatchObject({
      kind: "ecs",
      clusterName: "shop",
      runAsUserId: 1_000,
      cpuArchitecture: "ARM64",
      shape: { minimumCount: 3, maximumCount: 30, stopSeconds: 60, readinessPath: "/health", livenessPath: "/health" },
    });
  });
});

describe("what is refused of a workload on ECS", () => {
  const refused: [string, unknown, Around, string[]][] = [
    [
      "everything that is missing",
      {},
      {},
      [
        "workload.ecs.cluster: missing; expected up to 255 letters, digits, hyphens and underscores. Give its name, not its ARN",
        "workload.ecs.subnets: missing; expected 1 to 16 different ids such as subnet-0a1b2c3d4e5f67890",
        "workload.ecs.securityGroups: missing; expected 1 to 5 different ids such as sg-0a1b2c3d4e5f67890",
        "workload.ecs.executionRole: missing; expected arn:aws:iam::<account>:role/<name>",
      ],
    ],
    [
      "no subnets, too many groups, an id twice",
      {
        ...place,
        subnets: [],
        securityGroups: ["sg-01234567", "sg-01234567"],
        taskRole: "checkout",
        runAsUser: 0,
      },
      {},
      [
        "workload.ecs.subnets: not a list of subnets, got an empty list; expected 1 to 16 different ids such as subnet-0a1b2c3d4e5f67890",
        "workload.ecs.securityGroups: not a list of security groups, got a list of 2; expected 1 to 5 different ids such as sg-0a1b2c3d4e5f67890",
        `workload.ecs.taskRole: not the ARN of a role, got "checkout"; expected arn:aws:iam::<account>:role/<name>`,
        "workload.ecs.runAsUser: must be a whole number in range, got 0; expected 1 to 65535",
      ],
    ],
    [
      "a cluster by its ARN",
      { ...place, cluster: "arn:aws:ecs:eu-west-1:123456789012:cluster/shop" },
      {},
      [
        `workload.ecs.cluster: not the name of an ECS cluster, got "arn:aws:ecs:eu-west-1:123456789012:cluster/shop"; expected up to 255 letters, digits, hyphens and underscores. Give its name, not its ARN`,
      ],
    ],
    [
      "a secret written down, without repeating it",
      { ...place, secrets: { DATABASE_URL: "postgres://root:hunter2@db" } },
      {},
      [
        "workload.ecs.secrets: not a map from variables to where their values are kept, got a map; expected ARNs of Secrets Manager secrets or of SSM parameters, by variable. Store a value with aws secretsmanager create-secret, and name it here by its ARN",
      ],
    ],
    [
      "a secret by a variable that no map has safely",
      { ...place, secrets: JSON.parse(`{"__proto__":"${secret}"}`) },
      {},
      [
        "workload.ecs.secrets: not a map from variables to where their values are kept, got a map; expected ARNs of Secrets Manager secrets or of SSM parameters, by variable. Store a value with aws secretsmanager create-secret, and name it here by its ARN",
      ],
    ],
    [
      "names of the environment that are taken",
      { ...place, secrets: { TIDEGATE_RELEASE: secret, LOG_LEVEL: parameter } },
      { shape: { variables: { LOG_LEVEL: "info" } } },
      [
        `workload.ecs.secrets: a variable that the program sets itself, got "TIDEGATE_RELEASE"; expected another name`,
        `workload.ecs.secrets: plain variables and secrets of the same name, got "LOG_LEVEL"; expected each name in one of them`,
      ],
    ],
    [
      "a size that Fargate does not sell, and a stop that it does not wait for",
      place,
      { shape: { memoryMegabytes: 768, stopSeconds: 150 } },
      [
        "workload.memoryMegabytes: a size that Fargate does not sell with 250 millicores, got 768; expected 512, 1024 or 2048. Nearest: 250 with 512 MB, 250 with 1024 MB",
        "workload.stopSeconds: longer than Fargate waits before it kills, got 150; expected at most 120 seconds",
      ],
    ],
    [
      "a stop no longer than the deregistration",
      place,
      { shape: { stopSeconds: 30 } },
      [
        "workload.stopSeconds: not longer than the target group's deregistration of 30 seconds, which would cut requests off, got 30; expected 31 to 120 seconds",
      ],
    ],
    [
      "a deregistration that Fargate cuts off, be the stop as long as it may",
      place,
      { shape: { stopSeconds: 120 }, targetGroup: { deregistrationDelaySeconds: 120 } },
      [
        "targetGroup.deregistrationDelaySeconds: not shorter than the 120 seconds after which Fargate kills, which would cut requests off, got 120; expected at most 119 seconds. Take a little more than the slowest request",
      ],
    ],
    [
      "a stop that ECS does not take",
      place,
      { shape: { stopSeconds: 1 }, targetGroup: { deregistrationDelaySeconds: 0 } },
      ["workload.stopSeconds: shorter than Fargate takes, got 1; expected 2 to 120 seconds"],
    ],
    [
      "instances, which tasks on Fargate have none of",
      place,
      { targetGroup: { targetType: "instance" } },
      [
        `targetGroup.targetType: tasks on Fargate have addresses of their own, and no instance, got "instance"; expected ip`,
      ],
    ],
    [
      "a second path for liveness, which nobody would ask",
      place,
      { shape: { livenessPath: "/live" } },
      [
        `workload.livenessPath: nobody would ask it: on ECS the target group's health check alone decides whether a task is started anew, got "/live"; expected /. Leave it out, or set targetGroup.healthCheckPath to it`,
      ],
    ],
    ["what is no map", "shop", {}, [`workload.ecs: must be a map, got "shop"; expected a map`]],
  ];
  it.each(refused)("is %s [B11]", (_title, raw, around, problems) => {
    expect(read(raw, around)).toEqual({ workload: undefined, problems });
  });

  it("is a minimum above the maximum [B11]", () => {
    const workload = { cpuMillicores: 250, memoryMegabytes: 512, minimumCount: 9, maximumCount: 3, ecs: place };
    expect(serviceProblems({ workload })).toEqual([
      "services.checkout.workload.maximumCount: below the minimum, got 3; expected at least minimumCount, 9",
    ]);
  });

  it("is everything at once, with the service's other problems [B11]", () => {
    const image = imageOf("b").split("@")[0];
    const workload = {
      cpuMillicores: 300,
      memoryMegabytes: 512,
      stopSeconds: 200,
      ecs: { ...place, subnets: [], subnet: "subnet-01234567" },
    };
    const prefix = "services.checkout.";
    expect(serviceProblems({ canary: { version: "2.4.0", image }, workload })).toEqual([
      `${prefix}canary.image: image without digest, got "registry.example.com/shop/checkout"; expected <repository>@sha256:<64 hex>. A tag can be moved to other bytes; ask the registry for the digest behind it`,
      `${prefix}workload.ecs.subnet: unknown key; expected cluster, subnets, securityGroups, executionRole, taskRole, assignPublicIp, runAsUser, cpuArchitecture or secrets. Did you mean subnets?`,
      `${prefix}workload.ecs.subnets: not a list of subnets, got an empty list; expected 1 to 16 different ids such as subnet-0a1b2c3d4e5f67890`,
      `${prefix}workload.cpuMillicores: a size that Fargate does not sell, got 300; expected 250, 500, 1000, 2000, 4000, 8000 or 16000. Nearest: 250 with 512 MB, 500 with 1024 MB`,
      `${prefix}workload.stopSeconds: longer than Fargate waits before it kills, got 200; expected at most 120 seconds`,
      `${prefix}targetGroup.deregistrationDelaySeconds: not shorter than the 120 seconds after which Fargate kills, which would cut requests off, got 300; expected at most 119 seconds. Take a little more than the slowest request`,
    ]);
  });
});

describe("an up with a service on ECS", () => {
  const here = new URL(import.meta.url).pathname;
  const registered: string[] = [];
  const up = (lookUp: LookUpCluster) => {
    registered.length = 0;
    const workload = { cpuMillicores: 250, memoryMegabytes: 512, minimumCount: 3, ecs: place };
    const changes = { workload, targetGroup: { deregistrationDelaySeconds: 45 } };
    const config = parseConfig(aConfig({}, { checkout: aService(changes) }));
    const wait = () => new Promise<never>(() => {});
    return runPulumi(
      () =>
        program({
          config,
          decide: async () => [aDeclaration(10)],
          refusals: ({ services, region }) => clusterProblems(services, { region, lookUp, wait }),
          workloads: (service) =>
            service.workload?.kind === "ecs" ? declareOnEcs(service.workload, config.region) : undefined,
          guards: rememberingGuards().binding,
          hookBundleFolder: here,
          watchmanBundleFolder: here,
          stackId: "example/tidegate/dev",
          accountId: account,
          isPreview: false,
          log: { info: () => {}, warn: () => {} },
        }),
      { fail: ({ type }) => void registered.push(type) },
    );
  };

  it("is refused with the cluster's name before the first resource, when the cluster does not answer [B11]", async () => {
    const gone: LookUpCluster = async () => {
      throw new Error("connect ETIMEDOUT");
    };
    await expect(up(gone)).rejects.toThrow(
      [
        "this up is refused for 1 reason; nothing was changed (stack example/tidegate/dev):",
        "  services.checkout.workload.ecs.cluster: the ECS cluster shop in eu-west-1 does not answer, got connect ETIMEDOUT; expected an ACTIVE one. Correct the name or the sign-in; aws ecs list-clusters shows those that are there",
      ].join("\n"),
    );
    expect(registered.filter((type) => type !== "pulumi:pulumi:Stack")).toEqual([]);
  });

  it("runs each release behind its own group, after the anchor and before the main rule [E6]", async () => {
    const result = await up(async () => ({ status: "ACTIVE" }));
    const services = result.all("aws:ecs/service:Service");
    expect(services.map(({ parent }) => parent)).toEqual([
      expect.stringMatching(/^tidegate:workload:EcsRelease checkout-2-3-1-[0-9a-f]{8}$/),
      expect.stringMatching(/^tidegate:workload:EcsRelease checkout-2-4-0-[0-9a-f]{8}$/),
    ]);
    const main = result.the("aws:lb/listenerRule:ListenerRule", "-main");
    for (const service of services) {
      expect(service.dependsOn).toContain("checkout-anchor");
      expect(main.dependsOn).toContain(service.name);
    }
    const groups = services.map(({ dependsOn }) => dependsOn.filter((name) => !/-anchor$/.test(name)).join(" "));
    expect(new Set(groups).size).toBe(2);
    expect(result.all("aws:appautoscaling/target:Target").map(({ inputs }) => inputs.minCapacity)).toEqual([3, 3]);
  });
});
