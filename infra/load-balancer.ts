/**
 * Where the traffic comes in: a listener that exists already, adopted by ARN and left as it is, or a load balancer and a listener of
 * the program's own under a fixed name. Which of the two is said by `listenerArn`, never guessed.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { loadBalancerName } from "../core/naming.ts";
import { defaultErrorFloor } from "../core/objectives.ts";
import { defaultRunbookBase, runbookLink } from "../core/runbooks.ts";

export interface LoadBalancerArgs {
  readonly environment: string;
  readonly vpcId: string;
  /** Subnets of the load balancer that the program makes, at least two; not looked at when a listener is adopted. */
  readonly subnetIds: readonly string[];
  /** The listener to adopt. @default none: load balancer and listener are made */
  readonly listenerArn?: string;
  /** Certificate of the listener that is made: HTTPS on 443. @default none: HTTP on 80 */
  readonly certificateArn?: string;
  /** Whether the load balancer that is made has private addresses only. */
  readonly internal: boolean;
  /** Who may reach the load balancer that is made. @default nobody: opening it to the world is a decision of its own */
  readonly allowedCidrs?: readonly string[];
}

/** TLS 1.2 and 1.3 only. Source: "Security policies for your Application Load Balancer", ALB user guide, read 2026-11. */
const tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06";

/**
 * The listener that all services of an environment hang their rules on.
 *
 * @example
 * ```ts
 * const loadBalancer = new LoadBalancer("edge", { environment: "production", vpcId, subnetIds: [], listenerArn, internal: false });
 * ```
 */
export class LoadBalancer extends pulumi.ComponentResource {
  readonly listenerArn: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly adopted: boolean;

  constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:foundation:LoadBalancer", name, { environment: args.environment }, opts);
    this.adopted = args.listenerArn !== undefined;
    const edge = args.listenerArn === undefined ? this.#make(name, args) : this.#adopt(args.listenerArn);
    this.listenerArn = edge.listenerArn;
    this.arn = edge.arn;
    this.registerOutputs({ listenerArn: this.listenerArn, arn: this.arn, adopted: this.adopted });
  }

  #adopt(arn: string) {
    // Looked up, so that a listener that does not exist fails the preview and not the first rule.
    const listener = aws.lb.getListenerOutput({ arn }, { parent: this });
    return { listenerArn: listener.arn, arn: listener.loadBalancerArn };
  }

  #make(name: string, args: LoadBalancerArgs) {
    const tags = { "tidegate:environment": args.environment, "tidegate:role": "edge" };
    const port = args.certificateArn === undefined ? 80 : 443;
    const securityGroup = new aws.ec2.SecurityGroup(
      `${name}-security`,
      {
        description: `Tidegate ${args.environment}: load balancer`,
        vpcId: args.vpcId,
        ingress: (args.allowedCidrs ?? []).map((cidr) => ({
          description: "clients",
          protocol: "tcp",
          fromPort: port,
          toPort: port,
          cidrBlocks: [cidr],
        })),
        // Targets listen on ports of their own; the groups on their side decide what they let in.
        egress: [{ description: "targets", protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }],
        tags,
      },
      { parent: this },
    );
    const balancer = new aws.lb.LoadBalancer(
      `${name}-balancer`,
      {
        name: loadBalancerName(args.environment),
        loadBalancerType: "application",
        internal: args.internal,
        subnets: [...args.subnetIds],
        securityGroups: [securityGroup.id],
        dropInvalidHeaderFields: true,
        enableDeletionProtection: true,
        tags,
      },
      { parent: this },
    );
    const listener = new aws.lb.Listener(
      `${name}-listener`,
      {
        loadBalancerArn: balancer.arn,
        port,
        ...(args.certificateArn === undefined
          ? { protocol: "HTTP" }
          : { protocol: "HTTPS", certificateArn: args.certificateArn, sslPolicy: tlsPolicy }),
        // A request that no service matches is nobody's: never let it fall to a release.
        defaultActions: [
          {
            type: "fixed-response",
            fixedResponse: { contentType: "text/plain", messageBody: "not found", statusCode: "404" },
          },
        ],
        tags,
      },
      { parent: this },
    );
    return { listenerArn: listener.arn, arn: balancer.arn };
  }
}

export interface EdgeErrorAlarmArgs {
  readonly environment: string;
  /** The CloudWatch dimension `app/<name>/<id>`. */
  readonly loadBalancerArnSuffix: pulumi.Input<string>;
  /** Tells the alarm of a further load balancer from the environment's own, in its name. @default none: it is the environment's own */
  readonly further?: string;
  /** Topic of warnings. */
  readonly topicArn: pulumi.Input<string>;
  /** URL or folder with the runbooks. @default the product's own folder */
  readonly runbookBase?: string;
}

/**
 * Watches the errors that the load balancer makes itself (502, 503, 504): they carry no target group, so no release's own alarm sees
 * them. It tells people and lowers nothing, because it cannot say whose fault they are. Its name is outside the
 * prefix that wakes the hook.
 */
export function edgeErrorAlarm(
  name: string,
  args: EdgeErrorAlarmArgs,
  opts?: pulumi.CustomResourceOptions,
): aws.cloudwatch.MetricAlarm {
  return new aws.cloudwatch.MetricAlarm(
    name,
    {
      name: `${loadBalancerName(args.environment)}-edge-5xx${args.further === undefined ? "" : `-${args.further}`}`,
      alarmDescription:
        `Tidegate ${args.environment}: the load balancer itself answers with 5xx. These errors name no release; look at the newest one ` +
        "first: targets that refuse or drop connections show here and nowhere else. " +
        `Runbook: ${runbookLink(args.runbookBase ?? defaultRunbookBase, "edge-errors")}`,
      namespace: "AWS/ApplicationELB",
      metricName: "HTTPCode_ELB_5XX_Count",
      dimensions: { LoadBalancer: args.loadBalancerArnSuffix },
      statistic: "Sum",
      period: 60,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
      // The same floor that every release's own error ratio has.
      threshold: defaultErrorFloor,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      // The metric is published only when it is not zero.
      treatMissingData: "notBreaching",
      alarmActions: [args.topicArn],
      okActions: [args.topicArn],
      tags: { "tidegate:environment": args.environment, "tidegate:role": "edge" },
    },
    opts,
  );
}
