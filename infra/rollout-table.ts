/**
 * The table with the rollout records. Pulumi owns the table and never an item in it: items are what is real, and a program must not
 * be able to take them back. Losing them unlatches every hold, so the table survives mistakes: deletion protection, `protect`,
 * `retainOnDelete`, point-in-time recovery.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { tableName } from "../core/naming.ts";

export interface RolloutTableArgs {
  readonly environment: string;
}

/**
 * One environment's rollout records and their history.
 *
 * @example
 * ```ts
 * const table = new RolloutTable("records", { environment: "production" });
 * export const recordTable = table.name;
 * ```
 */
export class RolloutTable extends pulumi.ComponentResource {
  readonly table: aws.dynamodb.Table;
  readonly name: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: RolloutTableArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:RolloutTable", name, { environment: args.environment }, opts);
    this.table = new aws.dynamodb.Table(
      `${name}-table`,
      {
        name: tableName(args.environment),
        hashKey: "pk",
        rangeKey: "sk",
        attributes: [
          { name: "pk", type: "S" },
          { name: "sk", type: "S" },
        ],
        billingMode: "PAY_PER_REQUEST",
        pointInTimeRecovery: { enabled: true },
        // DynamoDB's managed key and not the environment's: a rollback must not hang on one more policy.
        serverSideEncryption: { enabled: true },
        deletionProtectionEnabled: true,
        tags: { "tidegate:environment": args.environment, "tidegate:role": "records" },
      },
      { parent: this, protect: true, retainOnDelete: true },
    );
    this.name = this.table.name;
    this.arn = this.table.arn;
    this.registerOutputs({ name: this.name, arn: this.arn });
  }
}
