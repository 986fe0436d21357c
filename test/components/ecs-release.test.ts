/** A release on ECS as resources: every input, what it waits for, and what it refuses (E6, B12). */
import type * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { declareOnEcs, EcsRelease, type EcsReleaseArgs, WaveRouter } from "../../components/index.ts";
import type { EcsWorkload, WorkloadShape } from "../../core/workloads.ts";
import { newRelease, oldRelease, someSettings } from "../helpers/builders.ts";
import { type RunOptions, runPulumi } from "../helpers/pulumi-run.ts";

const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
const groupArn = `${elb}:targetgroup/checkout-2-4-0/00000000000000aa`;
const secretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/database-AbCdEf";
const types = {
  logs: "aws:cloudwatch/logGroup:LogGroup",
  task: "aws:ecs/taskDefinition:TaskDefinition",
  service: "aws:ecs/service:Service",
  target: "aws:appautoscaling/target:Target",
  policy: "aws:appautoscaling/policy:Policy",
};

function aShape(changes: Partial<WorkloadShape> = {}): WorkloadShape {
  return {
    minimumCount: 2,
    maximumCount: 20,
    targetCpuPercent: 60,
    cpuMillicores: 500,
    memoryMegabytes: 1_024,
    variables: { REGION_NAME: "Ireland", LOG_LEVEL: "info" },
    readinessPath: "/health",
    livenessPath: "/health",
    startSeconds: 90,
    stopSeconds: 75,
    ...changes,
  };
}

function aWorkload(changes: Partial<EcsWorkload> = {}): EcsWorkload {
  return {
    kind: "ecs",
    shape: aShape(),
    clusterName: "shop",
    subnetIds: ["subnet-01234567", "subnet-89abcdef"],
    securityGroupIds: ["sg-01234567"],
    executionRoleArn: "arn:aws:iam::123456789012:role/shop-execution",
    taskRoleArn: "arn:aws:iam::123456789012:role/checkout",
    assignPublicIp: false,
    runAsUserId: 10_001,
    cpuArchitecture: "ARM64",
    secretArns: { DATABASE_URL: secretArn },
    ...changes,
  };
}

function args(changes: Partial<EcsReleaseArgs> = {}): EcsReleaseArgs {
  return {
    workload: aWorkload(),
    region: "eu-west-1",
    environment: "production",
    service: "checkout",
    release: newRelease,
    releaseKey: "2-4-0-1a2b3c4d",
    targetGroupArn: groupArn,
    port: 8080,
    deregistrationDelaySeconds: 60,
    minimumCount: 4,
    after: [],
    ...changes,
  };
}

const name = "checkout-2-4-0-1a2b3c4d";
/** How a resource is kept, which its inputs do not tell. */
interface Kept {
  readonly type: string;
  readonly ignored: readonly string[];
  readonly retained: boolean;
}

const run = (changes: Partial<EcsReleaseArgs> = {}, options: RunOptions = {}, kept: Kept[] = []) =>
  runPulumi(() => {
    const note: pulumi.ResourceTransformation = ({ type, opts }) => {
      const { ignoreChanges = [], retainOnDelete = false } = opts as pulumi.CustomResourceOptions;
      kept.push({ type, ignored: ignoreChanges, retained: retainOnDelete });
      return undefined;
    };
    new EcsRelease(name, args(changes), { transformations: [note] });
  }, options);

const tags = {
  "tidegate:environment": "production",
  "tidegate:service": "checkout",
  "tidegate:release": "2-4-0-1a2b3c4d",
  "tidegate:role": "workload",
};

describe("a release on ECS", () => {
  it("is a log group, a task definition, a service and its autoscaling, and nothing else [E6]", async () => {
    const result = await run();
    expect(result.names()).toEqual([
      `${types.logs} ${name}-logs`,
      `${types.task} ${name}`,
      `${types.service} ${name}`,
      `${types.target} ${name}`,
      `${types.policy} ${name}`,
    ]);
    for (const { parent, custom } of result.resources.filter((resource) => resource.custom)) {
      expect({ parent, custom }).toEqual({ parent: `tidegate:workload:EcsRelease ${name}`, custom: true });
    }
  });

  it("has one hardened container, with the image's digest and the release's key [E6]", async () => {
    const { inputs } = (await run()).the(types.task);
    const { containerDefinitions, ...task } = inputs;
    expect(task).toEqual({
      family: "tidegate-production-checkout-2-4-0-1a2b3c4d",
      requiresCompatibilities: ["FARGATE"],
      networkMode: "awsvpc",
      cpu: "512",
      memory: "1024",
      runtimePlatform: { operatingSystemFamily: "LINUX", cpuArchitecture: "ARM64" },
      executionRoleArn: "arn:aws:iam::123456789012:role/shop-execution",
      taskRoleArn: "arn:aws:iam::123456789012:role/checkout",
      skipDestroy: true,
      tags,
    });
    expect(JSON.parse(String(containerDefinitions))).toEqual([
      {
        name: "checkout",
        image: `registry.example.com/shop@sha256:${"b".repeat(64)}`,
        essential: true,
        portMappings: [{ containerPort: 8080, protocol: "tcp" }],
        environment: [
          { name: "LOG_LEVEL", value: "info" },
          { name: "REGION_NAME", value: "Ireland" },
          { name: "TIDEGATE_RELEASE", value: "2-4-0-1a2b3c4d" },
        ],
        secrets: [{ name: "DATABASE_URL", valueFrom: secretArn }],
        user: "10001",
        readonlyRootFilesystem: true,
        linuxParameters: {
          capabilities: { drop: ["ALL"] },
          tmpfs: [{ containerPath: "/tmp", size: 64, mountOptions: ["exec", "nosuid", "nodev"] }],
        },
        stopTimeout: 75,
        logConfiguration: {
          logDriver: "awslogs",
          options: {
            "awslogs-group": `${name}-logs`,
            "awslogs-region": "eu-west-1",
            "awslogs-stream-prefix": "2-4-0-1a2b3c4d",
            mode: "non-blocking",
            "max-buffer-size": "10m",
          },
        },
      },
    ]);
  });

  it("serves from its target group on Fargate, and never with fewer than all of its tasks during a deployment [E6]", async () => {
    const result = await run();
    expect(result.the(types.service).inputs).toEqual({
      cluster: "shop",
      taskDefinition: `arn:aws:ecs:eu-west-1:123456789012:${name}`,
      launchType: "FARGATE",
      platformVersion: "1.4.0",
      desiredCount: 4,
      deploymentCircuitBreaker: { enable: true, rollback: true },
      deploymentMinimumHealthyPercent: 100,
      deploymentMaximumPercent: 200,
      availabilityZoneRebalancing: "ENABLED",
      healthCheckGracePeriodSeconds: 90,
      networkConfiguration: {
        subnets: ["subnet-01234567", "subnet-89abcdef"],
        securityGroups: ["sg-01234567"],
        assignPublicIp: false,
      },
      loadBalancers: [{ targetGroupArn: groupArn, containerName: "checkout", containerPort: 8080 }],
      enableExecuteCommand: false,
      enableEcsManagedTags: true,
      propagateTags: "SERVICE",
      waitForSteadyState: true,
      tags,
    });
    expect(result.the(types.logs).inputs).toEqual({ retentionInDays: 90, tags });
  });

  it("scales by processor, between the minimum that it was asked for and its maximum [E6, B12]", async () => {
    const result = await run();
    const scaled = {
      serviceNamespace: "ecs",
      scalableDimension: "ecs:service:DesiredCount",
      resourceId: `service/shop/${name}`,
    };
    expect(result.the(types.target).inputs).toEqual({ ...scaled, minCapacity: 4, maxCapacity: 20, tags });
    expect(result.the(types.policy).inputs).toEqual({
      ...scaled,
      policyType: "TargetTrackingScaling",
      targetTrackingScalingPolicyConfiguration: {
        predefinedMetricSpecification: { predefinedMetricType: "ECSServiceAverageCPUUtilization" },
        targetValue: 60,
        scaleOutCooldown: 60,
        scaleInCooldown: 300,
      },
    });
  });

  it("keeps a pinned minimum above a maximum that was lowered since [B12]", async () => {
    const result = await run({ minimumCount: 30 });
    expect(result.the(types.target).inputs).toMatchObject({ minCapacity: 30, maxCapacity: 30 });
  });

  it("has its number of tasks from autoscaling once it is there: no up says it again [B12]", async () => {
    const kept: Kept[] = [];
    await run({}, {}, kept);
    expect(kept.filter(({ ignored }) => ignored.length > 0)).toEqual([
      { type: types.service, ignored: ["desiredCount"], retained: false },
    ]);
  });

  it("leaves its logs behind when it goes, and nothing else [E6]", async () => {
    const kept: Kept[] = [];
    await run({}, {}, kept);
    expect(kept.filter(({ retained }) => retained).map(({ type }) => type)).toEqual([types.logs]);
  });

  it("is told by its key, whatever the order of its variables [E6]", async () => {
    const container = async (variables: Record<string, string>) =>
      (await run({ workload: aWorkload({ shape: aShape({ variables }) }) })).the(types.task).inputs;
    expect(await container({ B: "2", A: "1" })).toEqual(await container({ A: "1", B: "2" }));
  });

  it("does without task role and secrets [E6]", async () => {
    const { secretArns: _secrets, taskRoleArn: _role, ...bare } = aWorkload();
    const { inputs } = (await run({ workload: bare })).the(types.task);
    expect(inputs).not.toHaveProperty("taskRoleArn");
    expect(JSON.parse(String(inputs.containerDefinitions))).toMatchObject([{ secrets: [] }]);
  });

  it("fails an up whose tasks the circuit breaker took back, although the service is steady [B11]", async () => {
    const older = "arn:aws:ecs:eu-west-1:123456789012:task-definition/checkout:6";
    const wentBack: RunOptions = {
      fail: (resource) => {
        if (resource.type === types.service) (resource.inputs as Record<string, unknown>).taskDefinition = older;
        return undefined;
      },
    };
    await expect(run({}, wentBack)).rejects.toThrow(
      `${name}: ECS went back to the task definition before, got ${older}; expected arn:aws:ecs:eu-west-1:123456789012:${name}. ` +
        "Its tasks did not start or failed the target group's health checks: aws ecs describe-services tells in its events why",
    );
  });
});

describe("releases on ECS beside each other", () => {
  const router = (releases: readonly (typeof oldRelease)[]) =>
    runPulumi(() => {
      const declare = declareOnEcs(aWorkload(), "eu-west-1");
      const { targetGroup } = someSettings();
      new WaveRouter("checkout", {
        environment: "production",
        service: "checkout",
        listenerArn: `${elb}:listener/app/edge/1/2`,
        vpcId: "vpc-1",
        routes: [{ match: { hosts: ["shop.example.com"], paths: [] }, priority: 100 }],
        releases,
        shares: { [oldRelease.digest]: 100 },
        testersReach: oldRelease.digest,
        stickinessAllowed: false,
        targetGroup,
        rollbackWindowMinutes: 1_440,
        beforeMain: (groups, _control, anchor) =>
          groups.flatMap(({ release, releaseKey, arn }) =>
            declare({
              name: `checkout-${releaseKey}`,
              parent: anchor,
              environment: "production",
              service: "checkout",
              release,
              releaseKey,
              targetGroupArn: arn,
              port: targetGroup.port,
              deregistrationDelaySeconds: targetGroup.deregistrationDelaySeconds,
              minimumCount: 2,
              after: [anchor],
            }),
          ),
      });
    });
  const own = (resources: readonly { readonly type: string; readonly name: string }[]) =>
    resources.filter(({ type }) => Object.values(types).includes(type));

  it("leave each other's resources exactly as they are [E6]", async () => {
    const [alone, both] = [await router([oldRelease]), await router([oldRelease, newRelease])];
    expect(own(alone.resources).length).toBe(5);
    expect(own(both.resources).length).toBe(10);
    expect(own(both.resources)).toEqual(expect.arrayContaining(own(alone.resources)));
  });

  it("come after the rule that hangs their group on the load balancer, and before the main rule [E6]", async () => {
    const result = await router([oldRelease, newRelease]);
    const services = result.all(types.service);
    expect(services.length).toBe(2);
    for (const service of services) {
      const group = result.all("aws:lb/targetGroup:TargetGroup").filter(({ name }) => service.dependsOn.includes(name));
      expect(group.length).toBe(1);
      expect(service.dependsOn).toEqual(["checkout-anchor", service.name, ...group.map((each) => each.name)].sort());
    }
    const main = result.the("aws:lb/listenerRule:ListenerRule", "-main").dependsOn;
    expect(main).toEqual(expect.arrayContaining(services.map((service) => service.name)));
  });
});

describe("what ECS on Fargate cannot run", () => {
  it("is refused by name, all at once, before anything is declared [B11]", async () => {
    const shape = aShape({
      cpuMillicores: 300,
      stopSeconds: 121,
      minimumCount: 21,
      livenessPath: "/live",
      variables: { DATABASE_URL: "x", TIDEGATE_RELEASE: "y" },
    });
    const workload = aWorkload({ shape, subnetIds: [], securityGroupIds: [], runAsUserId: 0 });
    const release = { version: "2.4.0", digest: newRelease.digest, image: "registry.example.com/shop:2.4.0" };
    const declared: string[] = [];
    const failed = run(
      { workload, release, deregistrationDelaySeconds: 300, minimumCount: 0 },
      { fail: ({ type, custom }) => void (custom !== false && declared.push(type)) },
    );
    const place = "service checkout, release 2.4.0";
    await expect(failed).rejects.toThrow(
      [
        `${place}, cpuMillicores: a size that Fargate does not sell, got 300; expected 250, 500, 1000, 2000, 4000, 8000 or 16000. Nearest: 250 with 1024 MB, 500 with 1024 MB`,
        `${place}, livenessPath: nobody would ask it: on ECS the target group's health check alone decides whether a task is started anew, got /live; expected /health. Leave it out, or set targetGroup.healthCheckPath to it`,
        `${place}, stopSeconds: longer than Fargate waits before it kills, got 121; expected at most 120 seconds`,
        `${place}, deregistrationDelaySeconds: not shorter than the 120 seconds after which Fargate kills, which would cut requests off, got 300; expected at most 119 seconds. Take a little more than the slowest request`,
        `${place}, variables: a variable that the program sets itself, got TIDEGATE_RELEASE; expected another name`,
        `${place}, secretArns: plain variables and secrets of the same name, got DATABASE_URL; expected each name in one of them`,
        `${place}, subnetIds: not as many as a service has, got 0; expected 1 to 16`,
        `${place}, securityGroupIds: not as many as a service has, got 0; expected 1 to 5`,
        `${place}, runAsUserId: root, or no user, got 0; expected a user id above 0`,
        `${place}, minimumCount: no number of tasks, got 0; expected 1 or more`,
        `${place}, minimumCount: above the maximum, got 21; expected at most the maximum, 20`,
        `${place}, image: image without digest, got registry.example.com/shop:2.4.0; expected <repository>@sha256:<64 hex>`,
      ].join("\n"),
    );
    expect(declared).toEqual([]);
  });

  it("includes a stop that is no longer than the deregistration, and a release that is no image [B11]", async () => {
    const workload = aWorkload({ shape: aShape({ stopSeconds: 60 }) });
    const { image: _image, ...release } = newRelease;
    await expect(run({ workload, release })).rejects.toThrow(
      [
        "service checkout, release 2.4.0, stopSeconds: not longer than the target group's deregistration of 60 seconds, which would cut requests off, got 60; expected 61 to 120 seconds",
        "service checkout, release 2.4.0, image: image without digest, got nothing; expected <repository>@sha256:<64 hex>",
      ].join("\n"),
    );
  });

  it("is let by at its edges [B11]", async () => {
    const workload = aWorkload({ shape: aShape({ stopSeconds: 120, minimumCount: 20 }), runAsUserId: 1 });
    await expect(run({ workload, deregistrationDelaySeconds: 119, minimumCount: 1 })).resolves.toBeDefined();
  });
});
