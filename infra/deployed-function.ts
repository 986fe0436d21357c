/** What hook and watchman have in common as deployed: a log group, a role with a policy of its own, and a function out of one file. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { logGroupName } from "./environment-key.ts";
import { functionTrustPolicy, type Policy } from "./policy-statements.ts";

export interface DeployedFunctionArgs {
  readonly functionName: string;
  readonly description: string;
  /** Folder of the bundled handler. */
  readonly bundleFolder: string;
  /** Unit: seconds. */
  readonly timeoutSeconds: number;
  /** Unit: megabytes. */
  readonly memoryMegabytes: number;
  readonly variables: Readonly<Record<string, pulumi.Input<string>>>;
  /** The role's policy, once the function's log group has an ARN. */
  readonly policy: (logGroupArn: pulumi.Output<string>) => pulumi.Output<Policy>;
  readonly keyArn: pulumi.Input<string>;
  /** Unit: days. */
  readonly logRetentionDays: number;
  readonly tags: Readonly<Record<string, string>>;
  /** What only one of the functions has. */
  readonly more?: Partial<aws.lambda.FunctionArgs>;
  readonly hooks?: pulumi.ResourceHookBinding;
}

/** Declares one. */
export function deployedFunction(
  name: string,
  args: DeployedFunctionArgs,
  opts: pulumi.CustomResourceOptions,
): aws.lambda.Function {
  const { functionName, tags } = args;
  const logs = new aws.cloudwatch.LogGroup(
    `${name}-logs`,
    { name: logGroupName(functionName), retentionInDays: args.logRetentionDays, kmsKeyId: args.keyArn, tags },
    opts,
  );
  const role = new aws.iam.Role(
    `${name}-role`,
    { name: functionName, assumeRolePolicy: JSON.stringify(functionTrustPolicy), tags },
    opts,
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-policy`,
    { role: role.name, policy: args.policy(logs.arn).apply((document) => JSON.stringify(document)) },
    opts,
  );
  return new aws.lambda.Function(
    `${name}-function`,
    {
      name: functionName,
      description: args.description,
      runtime: "nodejs22.x",
      architectures: ["arm64"],
      handler: "index.handler",
      // By path: the text stays out of the state, only its hash goes in.
      code: new pulumi.asset.FileArchive(args.bundleFolder),
      role: role.arn,
      timeout: args.timeoutSeconds,
      memorySize: args.memoryMegabytes,
      environment: { variables: { ...args.variables } },
      loggingConfig: { logFormat: "JSON", logGroup: logs.name },
      tags,
      ...args.more,
    },
    // Without its policy a first invocation would fail on the record.
    { ...opts, dependsOn: [policy], ...(args.hooks ? { hooks: args.hooks } : {}) },
  );
}
