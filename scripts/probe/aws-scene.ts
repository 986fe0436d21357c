/**
 * What a probe makes in an account: a load balancer, a listener, five target groups, four small functions. Everything has the name
 * prefix `tidegate-probe-<run>` and the tag `tidegate:probe`, and is written into the ledger before it is made.
 *
 * Targets are Lambda functions, so that no host is needed. Their role is given, never made: it needs no permission at all.
 */

import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DeleteListenerCommand,
  DeleteLoadBalancerCommand,
  DeleteTargetGroupCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  type ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
} from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import { type ProbeGroup, probeGroups } from "./cloud.ts";
import type { Ledger } from "./ledger.ts";

export interface SceneArgs {
  readonly region: string;
  readonly vpcId: string;
  /** At least two of that VPC, in different zones: a load balancer wants that. */
  readonly subnetIds: readonly string[];
  /** @default the VPC's own default group */
  readonly securityGroupIds: readonly string[];
  /** A role that Lambda may take. It needs no permission; with one to write logs, log groups stay behind. */
  readonly lambdaRoleArn: string;
  /** Distinguishes runs; letters and digits, at most 8. */
  readonly run: string;
}

export interface AwsScene {
  readonly host: string;
  readonly listenerArn: string;
  /** CloudWatch dimension `app/<name>/<id>`. */
  readonly loadBalancerSuffix: string;
  readonly groupArns: Readonly<Record<ProbeGroup, string>>;
}

export interface SceneClients {
  readonly elb: ElasticLoadBalancingV2Client;
  readonly lambda: LambdaClient;
}

/** Which groups have a function behind them, and what it says to a health check. */
const healthStatus: Readonly<Partial<Record<ProbeGroup, number>>> = { a: 200, b: 200, sick: 500, lone: 200 };

/** What is made, in words, for the question before. */
export const sceneWords: readonly string[] = [
  "1 internal application load balancer with 1 listener and up to 40 rules",
  `${probeGroups.length} target groups`,
  `${Object.keys(healthStatus).length} Lambda functions of 128 MB, called some thousands of times`,
];

const functionText = `export const handler = async (event) => ({
  statusCode: event.path === "/health" ? Number(process.env.HEALTH) : 200,
  headers: { "content-type": "text/plain" },
  isBase64Encoded: false,
  body: process.env.GROUP,
});
`;

/** Longest wait for the load balancer, and for a function. Unit: milliseconds. */
const readyMilliseconds = 600_000;

/** Makes the scene. Whatever fails, the ledger knows what there may be. */
export async function makeScene(
  { elb, lambda }: SceneClients,
  args: SceneArgs,
  ledger: Ledger,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<AwsScene> {
  const prefix = `tidegate-probe-${args.run}`;
  const Tags = [{ Key: "tidegate:probe", Value: args.run }];
  const region = `--region ${args.region}`;

  async function waitFor(what: string, isReady: () => Promise<boolean>): Promise<void> {
    for (let waited = 0; waited <= readyMilliseconds; waited += 5_000) {
      if (await isReady()) return;
      await sleep(5_000);
    }
    throw new Error(`${what}: not ready within ${readyMilliseconds / 60_000} min`);
  }

  async function makeGroup(group: ProbeGroup): Promise<string> {
    const Name = `${prefix}-${group}`;
    const find = async () => {
      const found = await elb.send(new DescribeTargetGroupsCommand({ Names: [Name] }));
      return found.TargetGroups?.[0]?.TargetGroupArn;
    };
    const made = await ledger.make(
      {
        what: `target group ${Name}`,
        command: `aws elbv2 delete-target-group ${region} --target-group-arn "$(aws elbv2 describe-target-groups ${region} --names ${Name} --query TargetGroups[0].TargetGroupArn --output text)"`,
        remove: () =>
          gone(["TargetGroupNotFoundException"], async () => {
            const TargetGroupArn = await find();
            if (TargetGroupArn !== undefined) await elb.send(new DeleteTargetGroupCommand({ TargetGroupArn }));
          }),
      },
      () =>
        elb.send(
          new CreateTargetGroupCommand({
            Name,
            TargetType: "lambda",
            HealthCheckEnabled: true,
            HealthCheckPath: "/health",
            HealthCheckIntervalSeconds: 35,
            HealthCheckTimeoutSeconds: 30,
            HealthyThresholdCount: 2,
            UnhealthyThresholdCount: 2,
            Tags,
          }),
        ),
    );
    return required(made.TargetGroups?.[0]?.TargetGroupArn, `target group ${Name}: no ARN`);
  }

  async function makeTarget(group: ProbeGroup, TargetGroupArn: string, status: number): Promise<void> {
    const FunctionName = `${prefix}-${group}`;
    const made = await ledger.make(
      {
        what: `function ${FunctionName}`,
        command: `aws lambda delete-function ${region} --function-name ${FunctionName}`,
        remove: () =>
          gone(["ResourceNotFoundException"], async () => {
            await lambda.send(new DeleteFunctionCommand({ FunctionName }));
          }),
      },
      () =>
        lambda.send(
          new CreateFunctionCommand({
            FunctionName,
            Runtime: "nodejs22.x",
            Handler: "index.handler",
            Role: args.lambdaRoleArn,
            Code: { ZipFile: zipSync({ "index.mjs": strToU8(functionText) }) },
            Environment: { Variables: { GROUP: group, HEALTH: String(status) } },
            Timeout: 5,
            MemorySize: 128,
            Tags: { "tidegate:probe": args.run },
          }),
        ),
    );
    await waitFor(`function ${FunctionName}`, async () => {
      const { State } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      return State === undefined || State === "Active";
    });
    await lambda.send(
      new AddPermissionCommand({
        FunctionName,
        StatementId: "load-balancer",
        Action: "lambda:InvokeFunction",
        Principal: "elasticloadbalancing.amazonaws.com",
        SourceArn: TargetGroupArn,
      }),
    );
    const Id = required(made.FunctionArn, `function ${FunctionName}: no ARN`);
    await elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id }] }));
  }

  async function makeBalancer(): Promise<{ arn: string; host: string }> {
    const find = async () => {
      const found = await elb.send(new DescribeLoadBalancersCommand({ Names: [prefix] }));
      return found.LoadBalancers?.[0];
    };
    const made = await ledger.make(
      {
        what: `load balancer ${prefix}, with its listener and rules`,
        command: `aws elbv2 delete-load-balancer ${region} --load-balancer-arn "$(aws elbv2 describe-load-balancers ${region} --names ${prefix} --query LoadBalancers[0].LoadBalancerArn --output text)"`,
        remove: () =>
          gone(["LoadBalancerNotFoundException"], async () => {
            const LoadBalancerArn = (await find())?.LoadBalancerArn;
            if (LoadBalancerArn !== undefined) await elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
          }),
      },
      () =>
        elb.send(
          new CreateLoadBalancerCommand({
            Name: prefix,
            Type: "application",
            Scheme: "internal",
            Subnets: [...args.subnetIds],
            ...(args.securityGroupIds.length === 0 ? {} : { SecurityGroups: [...args.securityGroupIds] }),
            Tags,
          }),
        ),
    );
    const balancer = made.LoadBalancers?.[0];
    if (balancer?.VpcId !== args.vpcId)
      throw new Error(`--subnets: not in the VPC, got ${balancer?.VpcId}; expected subnets of ${args.vpcId}`);
    await waitFor(`load balancer ${prefix}`, async () => (await find())?.State?.Code === "active");
    return {
      arn: required(balancer?.LoadBalancerArn, `load balancer ${prefix}: no ARN`),
      host: required(balancer?.DNSName, `load balancer ${prefix}: no DNS name`),
    };
  }

  const groupArns: Partial<Record<ProbeGroup, string>> = {};
  for (const group of probeGroups) {
    const arn = await makeGroup(group);
    groupArns[group] = arn;
    const status = healthStatus[group];
    if (status !== undefined) await makeTarget(group, arn, status);
  }
  const balancer = await makeBalancer();
  let listenerArn: string | undefined;
  const listener = await ledger.make(
    {
      what: `listener of ${prefix}`,
      command: "(goes with its load balancer)",
      // Before the load balancer, so that groups are free sooner; goes with it in any case.
      remove: () =>
        gone(["ListenerNotFoundException"], async () => {
          if (listenerArn !== undefined) await elb.send(new DeleteListenerCommand({ ListenerArn: listenerArn }));
        }),
    },
    () =>
      elb.send(
        new CreateListenerCommand({
          LoadBalancerArn: balancer.arn,
          Protocol: "HTTP",
          Port: 80,
          DefaultActions: [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "404" } }],
          Tags,
        }),
      ),
  );
  listenerArn = required(listener.Listeners?.[0]?.ListenerArn, `listener of ${prefix}: no ARN`);
  const all = (group: ProbeGroup) => required(groupArns[group], `target group ${group}: not made`);
  return {
    host: balancer.host,
    listenerArn,
    loadBalancerSuffix: balancer.arn.slice(balancer.arn.indexOf("loadbalancer/") + "loadbalancer/".length),
    groupArns: { a: all("a"), b: all("b"), sick: all("sick"), empty: all("empty"), lone: all("lone") },
  };
}

/** Runs a removal; that something is not there is what was wanted. */
async function gone(names: readonly string[], remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof Error && names.includes(error.name))) throw error;
  }
}

function required(value: string | undefined, complaint: string): string {
  if (value === undefined) throw new Error(`${complaint} in AWS's answer`);
  return value;
}
