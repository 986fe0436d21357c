/**
 * What runs a release on ECS (E6): a task definition, a service on Fargate behind the release's target group, and its autoscaling.
 *
 * Keyed by the release, like its target group: a new release adds resources and changes none of an old one's. The service waits for what
 * hangs the target group on the load balancer, since ECS refuses a group that hangs on none; and the `up` waits for the service, so that
 * a raise never meets half of it.
 *
 * Kept ready (B12): the autoscaling minimum is what a rollback needs. It alone is the pin. Scale-in never goes below the minimum, so with
 * the count of exposure 0 as the minimum suspending scale-in would add nothing but a switch that can be left on. Registering a minimum
 * above the current count raises the count at once; a count that somebody lowers by hand afterwards is raised again only when a scaling
 * policy next runs, and the guard, which counts healthy hosts, is what sees it before a raise.
 * Sources: Application Auto Scaling API reference, RegisterScalableTarget, and user guide, "Concepts", read 2026-11.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { EcsWorkload } from "../core/workloads.ts";
import { type DeclareWorkload, type WorkloadAsk, withVariables } from "./declare-workload.ts";
import { containerDefinition } from "./ecs/container.ts";
import { cpuUnits } from "./ecs/fargate.ts";
import { type LimitProblem, limitText, releaseProblems } from "./ecs/limits.ts";

export interface EcsReleaseArgs extends Omit<WorkloadAsk, "name" | "parent"> {
  readonly workload: EcsWorkload;
  /** AWS region of the logs. */
  readonly region: string;
}

/** Long enough for the look back after a rollout; the hook's own logs are kept as long. Unit: days. */
const logRetentionDays = 90;
/** More capacity comes fast and goes slowly: too few tasks cost requests, too many cost cents. Unit: seconds. */
const scaleOutCooldownSeconds = 60;
const scaleInCooldownSeconds = 300;

/**
 * One release on an existing ECS cluster.
 *
 * @example
 * ```ts
 * new EcsRelease("checkout-2-4-0-1a2b3c4d", {
 *   workload,
 *   region: "eu-west-1",
 *   environment: "production",
 *   service: "checkout",
 *   release,
 *   releaseKey: "2-4-0-1a2b3c4d",
 *   targetGroupArn: group.arn,
 *   port: 8080,
 *   deregistrationDelaySeconds: 30,
 *   minimumCount: 4,
 *   after: [router.anchorRule],
 * });
 * ```
 */
export class EcsRelease extends pulumi.ComponentResource {
  readonly logGroup: aws.cloudwatch.LogGroup;
  readonly taskDefinition: aws.ecs.TaskDefinition;
  readonly service: aws.ecs.Service;
  readonly scalableTarget: aws.appautoscaling.Target;
  readonly scalingPolicy: aws.appautoscaling.Policy;

  /** @throws pulumi.ResourceError with everything that ECS on Fargate cannot run, before anything is declared */
  constructor(name: string, args: EcsReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    const { workload, service, releaseKey, minimumCount } = args;
    const { shape } = workload;
    super("tidegate:workload:EcsRelease", name, { service, release: releaseKey, minimumCount }, opts);
    const { image } = args.release;
    const problems = releaseProblems({ ...args, image }).map((problem) => limitText(placeOf(args, problem), problem));
    if (image === undefined || problems.length > 0) throw new pulumi.ResourceError(problems.join("\n"), this, true);

    const tags = {
      "tidegate:environment": args.environment,
      "tidegate:service": service,
      "tidegate:release": releaseKey,
      "tidegate:role": "workload",
    };
    this.logGroup = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { retentionInDays: logRetentionDays, tags },
      // What a release wrote is wanted most once it is gone; the days end it. Its name is Pulumi's own, so it meets nobody later.
      { parent: this, retainOnDelete: true },
    );
    this.taskDefinition = new aws.ecs.TaskDefinition(
      name,
      {
        family: `tidegate-${args.environment}-${service}-${releaseKey}`,
        requiresCompatibilities: ["FARGATE"],
        networkMode: "awsvpc",
        cpu: String(cpuUnits(shape.cpuMillicores)),
        memory: String(shape.memoryMegabytes),
        runtimePlatform: { operatingSystemFamily: "LINUX", cpuArchitecture: workload.cpuArchitecture },
        executionRoleArn: workload.executionRoleArn,
        ...(workload.taskRoleArn === undefined ? {} : { taskRoleArn: workload.taskRoleArn }),
        containerDefinitions: this.logGroup.name.apply((logGroupName) =>
          JSON.stringify([
            containerDefinition({
              name: service,
              workload,
              image,
              releaseKey,
              port: args.port,
              logGroupName,
              region: args.region,
            }),
          ]),
        ),
        // The circuit breaker goes back to the revision before, which ECS refuses to deploy once it is deregistered.
        skipDestroy: true,
        tags,
      },
      { parent: this },
    );
    this.service = new aws.ecs.Service(
      name,
      {
        cluster: workload.clusterName,
        taskDefinition: this.taskDefinition.arn,
        launchType: "FARGATE",
        platformVersion: "1.4.0",
        desiredCount: minimumCount,
        deploymentCircuitBreaker: { enable: true, rollback: true },
        deploymentMinimumHealthyPercent: 100,
        deploymentMaximumPercent: 200,
        availabilityZoneRebalancing: "ENABLED",
        healthCheckGracePeriodSeconds: shape.startSeconds,
        networkConfiguration: {
          subnets: [...workload.subnetIds],
          securityGroups: [...workload.securityGroupIds],
          assignPublicIp: workload.assignPublicIp,
        },
        loadBalancers: [{ targetGroupArn: args.targetGroupArn, containerName: service, containerPort: args.port }],
        enableExecuteCommand: false,
        enableEcsManagedTags: true,
        propagateTags: "SERVICE",
        // Else an `up` is over before the tasks run, and a service that has to be replaced is deleted before its successor serves.
        waitForSteadyState: true,
        tags,
      },
      {
        parent: this,
        dependsOn: [...args.after],
        // Autoscaling's from the first minute on: written here again, each `up` would scale a busy release in to where it began.
        ignoreChanges: ["desiredCount"],
      },
    );
    const deployed = pulumi
      .all([this.service.name, this.service.taskDefinition, this.taskDefinition.arn])
      .apply(([serviceName, running, declared]) => {
        if (running !== declared)
          throw new pulumi.ResourceError(goneBack(name, { running: running ?? "none", declared }), this, true);
        return serviceName;
      });
    const scaled = {
      serviceNamespace: "ecs",
      scalableDimension: "ecs:service:DesiredCount",
      resourceId: pulumi.interpolate`service/${workload.clusterName}/${deployed}`,
    };
    this.scalableTarget = new aws.appautoscaling.Target(
      name,
      // A pinned minimum may lie above a maximum that was lowered since; autoscaling takes none above its maximum.
      { ...scaled, minCapacity: minimumCount, maxCapacity: Math.max(shape.maximumCount, minimumCount), tags },
      { parent: this },
    );
    this.scalingPolicy = new aws.appautoscaling.Policy(
      name,
      {
        serviceNamespace: this.scalableTarget.serviceNamespace,
        scalableDimension: this.scalableTarget.scalableDimension,
        resourceId: this.scalableTarget.resourceId,
        policyType: "TargetTrackingScaling",
        targetTrackingScalingPolicyConfiguration: {
          predefinedMetricSpecification: { predefinedMetricType: "ECSServiceAverageCPUUtilization" },
          targetValue: shape.targetCpuPercent,
          scaleOutCooldown: scaleOutCooldownSeconds,
          scaleInCooldown: scaleInCooldownSeconds,
        },
      },
      { parent: this },
    );
    this.registerOutputs({
      service,
      release: releaseKey,
      minimumCount,
      ecsServiceName: this.service.name,
      logGroupName: this.logGroup.name,
    });
  }
}

/**
 * Runs every release of one service on ECS.
 * @param region of the environment
 */
export function declareOnEcs(workload: EcsWorkload, region: string): DeclareWorkload {
  return ({ name, parent, variables, ...ask }) => [
    new EcsRelease(name, { ...ask, workload: withVariables(workload, variables), region }, { parent }),
  ];
}

/** A steady service is no proof: once the circuit breaker has gone back, it is as steady as after a deployment that went well. */
function goneBack(
  name: string,
  { running, declared }: { readonly running: string; readonly declared: string },
): string {
  return (
    `${name}: ECS went back to the task definition before, got ${running}; expected ${declared}. ` +
    "Its tasks did not start or failed the target group's health checks: aws ecs describe-services tells in its events why"
  );
}

function placeOf({ service, release }: EcsReleaseArgs, { field }: LimitProblem): string {
  return `service ${service}, release ${release.version}, ${field}`;
}
