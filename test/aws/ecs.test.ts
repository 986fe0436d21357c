/**
 * A release on ECS as calls: what `EcsRelease` declares, made by the AWS CLI, whose own model of each call refuses what the API does not
 * know, on moto. It proves that every field is one that ECS has, at its place and of its type, and that the parts name each other rightly.
 *
 * Not proven here: how Pulumi's provider makes these calls (ours are written out below); that ECS refuses a target group that hangs on no
 * load balancer, Fargate's sizes, what a raised minimum does to the count and what the circuit breaker does, none of which moto models (of
 * the deployment's settings it answers nothing).
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { clusterProblems, EcsRelease, type LookUpCluster } from "../../components/index.ts";
import type { EcsWorkload } from "../../core/workloads.ts";
import { newRelease } from "../helpers/builders.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

/** moto, which serves more than its variable says. */
const endpoint = emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
const run = promisify(execFile);

async function aws(service: string, call: string, input: unknown): Promise<Record<string, unknown>> {
  const named = ["--endpoint-url", endpoint, "--region", access.region, "--output", "json"];
  const { stdout } = await run("aws", [service, call, "--cli-input-json", JSON.stringify(input), ...named]);
  return stdout.trim() === "" ? {} : (JSON.parse(stdout) as Record<string, unknown>);
}

const cluster = freshName("shop");
const groupArn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/checkout/00000000000000aa";
const workload: EcsWorkload = {
  kind: "ecs",
  shape: {
    minimumCount: 2,
    maximumCount: 20,
    targetCpuPercent: 60,
    cpuMillicores: 500,
    memoryMegabytes: 1_024,
    variables: { LOG_LEVEL: "info" },
    readinessPath: "/health",
    livenessPath: "/health",
    startSeconds: 90,
    stopSeconds: 75,
  },
  clusterName: cluster,
  subnetIds: ["subnet-01234567", "subnet-89abcdef"],
  securityGroupIds: ["sg-01234567"],
  executionRoleArn: "arn:aws:iam::123456789012:role/shop-execution",
  taskRoleArn: "arn:aws:iam::123456789012:role/checkout",
  assignPublicIp: false,
  runAsUserId: 10_001,
  cpuArchitecture: "ARM64",
  secretArns: { DATABASE_URL: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/database-AbCdEf" },
};

type Inputs = Readonly<Record<string, unknown>>;

/** moto asks whether subnets and security groups are there; each account has some from the start. */
const network = { subnetIds: [""], securityGroupIds: [""] };

async function declared(minimumCount: number): Promise<Record<"task" | "service" | "target" | "policy", Inputs>> {
  const result = await runPulumi(() => {
    new EcsRelease("checkout-2-4-0-1a2b3c4d", {
      workload: { ...workload, ...network },
      region: access.region,
      environment: "production",
      service: "checkout",
      release: newRelease,
      releaseKey: "2-4-0-1a2b3c4d",
      targetGroupArn: groupArn,
      port: 8080,
      deregistrationDelaySeconds: 60,
      minimumCount,
      after: [],
    });
  });
  return {
    task: result.the("aws:ecs/taskDefinition:TaskDefinition").inputs,
    service: result.the("aws:ecs/service:Service").inputs,
    target: result.the("aws:appautoscaling/target:Target").inputs,
    policy: result.the("aws:appautoscaling/policy:Policy").inputs,
  };
}

const tagList = (tags: unknown) => Object.entries(tags as Inputs).map(([key, value]) => ({ key, value }));

/** As RegisterTaskDefinition takes it; `skipDestroy` is the provider's own. */
function taskCall({ containerDefinitions, skipDestroy: _own, tags, ...rest }: Inputs) {
  return { ...rest, containerDefinitions: JSON.parse(String(containerDefinitions)), tags: tagList(tags) };
}

/** As CreateService takes it; `waitForSteadyState` is the provider's own. */
function serviceCall(inputs: Inputs, serviceName: string, taskDefinition: string) {
  const {
    deploymentCircuitBreaker,
    deploymentMaximumPercent: maximumPercent,
    deploymentMinimumHealthyPercent: minimumHealthyPercent,
    enableEcsManagedTags: enableECSManagedTags,
    networkConfiguration,
    waitForSteadyState: _own,
    tags,
    ...rest
  } = inputs;
  const { assignPublicIp, ...ids } = networkConfiguration as Inputs;
  return {
    ...rest,
    serviceName,
    taskDefinition,
    deploymentConfiguration: { deploymentCircuitBreaker, maximumPercent, minimumHealthyPercent },
    enableECSManagedTags,
    networkConfiguration: {
      awsvpcConfiguration: { ...ids, assignPublicIp: assignPublicIp ? "ENABLED" : "DISABLED" },
    },
    tags: tagList(tags),
  };
}

/** As RegisterScalableTarget takes it. */
function targetCall({ minCapacity, maxCapacity, serviceNamespace, scalableDimension, tags }: Inputs, service: string) {
  const place = { ServiceNamespace: serviceNamespace, ScalableDimension: scalableDimension };
  const ResourceId = `service/${cluster}/${service}`;
  return { ...place, ResourceId, MinCapacity: minCapacity, MaxCapacity: maxCapacity, Tags: tags };
}

/** As PutScalingPolicy takes it. */
function policyCall({ policyType, targetTrackingScalingPolicyConfiguration, ...place }: Inputs, service: string) {
  const tracking = targetTrackingScalingPolicyConfiguration as Inputs;
  const { predefinedMetricType } = tracking.predefinedMetricSpecification as Inputs;
  return {
    PolicyName: service,
    ServiceNamespace: place.serviceNamespace,
    ScalableDimension: place.scalableDimension,
    ResourceId: `service/${cluster}/${service}`,
    PolicyType: policyType,
    TargetTrackingScalingPolicyConfiguration: {
      PredefinedMetricSpecification: { PredefinedMetricType: predefinedMetricType },
      TargetValue: tracking.targetValue,
      ScaleOutCooldown: tracking.scaleOutCooldown,
      ScaleInCooldown: tracking.scaleInCooldown,
    },
  };
}

/** Each call starts the CLI, which takes a second or two on a busy machine. */
const patienceMilliseconds = 120_000;

beforeAll(async () => {
  await aws("ecs", "create-cluster", { clusterName: cluster });
  const { Subnets } = await aws("ec2", "describe-subnets", {});
  const { SecurityGroups } = await aws("ec2", "describe-security-groups", {});
  network.subnetIds = (Subnets as { SubnetId: string }[]).slice(0, 2).map(({ SubnetId }) => SubnetId);
  network.securityGroupIds = (SecurityGroups as { GroupId: string }[]).slice(0, 1).map(({ GroupId }) => GroupId);
}, patienceMilliseconds);

describe("a release on ECS", { timeout: patienceMilliseconds }, () => {
  it("is what ECS and its autoscaling take, call by call [E6]", async () => {
    const { task, service, target, policy } = await declared(4);
    const name = freshName("checkout");
    const registered = await aws("ecs", "register-task-definition", taskCall(task));
    const { taskDefinitionArn, ...definition } = registered.taskDefinition as Inputs;
    expect(definition).toMatchObject({
      family: "tidegate-production-checkout-2-4-0-1a2b3c4d",
      networkMode: "awsvpc",
      cpu: "512",
      memory: "1024",
      runtimePlatform: { cpuArchitecture: "ARM64", operatingSystemFamily: "LINUX" },
      containerDefinitions: JSON.parse(String(task.containerDefinitions)),
    });
    const made = await aws("ecs", "create-service", serviceCall(service, name, String(taskDefinitionArn)));
    expect(made.service).toMatchObject({
      desiredCount: 4,
      launchType: "FARGATE",
      taskDefinition: taskDefinitionArn,
      loadBalancers: [{ targetGroupArn: groupArn, containerName: "checkout", containerPort: 8080 }],
    });
    await aws("application-autoscaling", "register-scalable-target", targetCall(target, name));
    const put = await aws("application-autoscaling", "put-scaling-policy", policyCall(policy, name));
    expect(put.PolicyARN).toContain(`resource/ecs/service/${cluster}/${name}`);
  });

  it("has its minimum raised in place when it is pinned [B12]", async () => {
    const name = freshName("checkout");
    const { task, service, target } = await declared(4);
    const { taskDefinition } = await aws("ecs", "register-task-definition", taskCall(task));
    await aws(
      "ecs",
      "create-service",
      serviceCall(service, name, String((taskDefinition as Inputs).taskDefinitionArn)),
    );
    await aws("application-autoscaling", "register-scalable-target", targetCall(target, name));
    const pinned = (await declared(30)).target;
    await aws("application-autoscaling", "register-scalable-target", targetCall(pinned, name));
    const ids = { ServiceNamespace: "ecs", ResourceIds: [`service/${cluster}/${name}`] };
    expect(await aws("application-autoscaling", "describe-scalable-targets", ids)).toMatchObject({
      ScalableTargets: [{ MinCapacity: 30, MaxCapacity: 30, ScalableDimension: "ecs:service:DesiredCount" }],
    });
  });

  it("would be refused by the same model with one field misspelt, which shows that it looks [E6]", async () => {
    const { task } = await declared(4);
    const text = JSON.stringify(taskCall(task)).replace('"tmpfs"', '"tempfs"');
    await expect(aws("ecs", "register-task-definition", JSON.parse(text))).rejects.toThrow(
      'Unknown parameter in containerDefinitions[0].linuxParameters: "tempfs"',
    );
  });
});

describe("the cluster of a release", { timeout: patienceMilliseconds }, () => {
  /** What Pulumi's look-up comes to: one DescribeClusters, and a failure where nothing is found. */
  const lookUp: LookUpCluster = async (clusterName) => {
    const { clusters, failures } = await aws("ecs", "describe-clusters", { clusters: [clusterName] });
    const [found] = clusters as { readonly status: string }[];
    if (!found) throw new Error(`no such cluster: ${JSON.stringify(failures)}`);
    return found;
  };
  const never = () => new Promise<never>(() => {});
  const problems = (clusterName: string) =>
    clusterProblems([{ name: "checkout", workload: { ...workload, clusterName } }], {
      region: access.region,
      lookUp,
      wait: never,
    });

  it("is found ACTIVE, or named with what was found instead [B11]", async () => {
    expect(await problems(cluster)).toEqual([]);
    const [problem, ...more] = await problems("gone");
    expect(more).toEqual([]);
    expect(problem).toMatch(
      /^services\.checkout\.workload\.ecs\.cluster: the ECS cluster gone in eu-west-1 does not answer, got no such cluster: .*MISSING.*; expected an ACTIVE one\./,
    );
  });
});
