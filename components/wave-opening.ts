/**
 * Tells the hook what was declared, once the rules are written: the hook reads live weights back, commits the exposure to the record
 * and starts the soak clock. A resource and not an after-hook, because a resource that failed is tried again by the next `up`.
 *
 * The invocation lives as long as the service (`lifecycleScope: CRUD`), so a wave change is an update in place; the hook answers
 * the deletion without doing anything.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface WaveOpeningArgs {
  /** JSON of the `ServiceDescription`, with stable key order. */
  readonly description: pulumi.Input<string>;
  /** Name of the hook's function. */
  readonly functionName: pulumi.Input<string>;
  /** The function's alias: only published, self-contained code commits. */
  readonly qualifier: pulumi.Input<string>;
  /** What must be written first: rules and alarms. An argument, because a component's own `dependsOn` does not reach its children. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Commits what an `up` declared for one service.
 *
 * @example
 * ```ts
 * new WaveOpening(
 *   "checkout",
 *   {
 *     description: describeService({ … }),
 *     functionName: hook.functionName,
 *     qualifier: hook.aliasName,
 *     after: [...router.mainRules, ...alarms.alarms],
 *   },
 * );
 * ```
 */
export class WaveOpening extends pulumi.ComponentResource {
  /** What the hook answered. */
  readonly result: pulumi.Output<string>;
  readonly invocation: aws.lambda.Invocation;

  constructor(name: string, args: WaveOpeningArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:rollout:WaveOpening", name, {}, opts);
    this.invocation = new aws.lambda.Invocation(
      `${name}-opening`,
      {
        functionName: args.functionName,
        qualifier: args.qualifier,
        lifecycleScope: "CRUD",
        input: args.description,
      },
      { parent: this, dependsOn: [...args.after] },
    );
    this.result = this.invocation.result;
    this.registerOutputs({ result: this.result });
  }
}
