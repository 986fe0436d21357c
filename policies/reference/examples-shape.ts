/** One broken program for each shape policy. */
import type { Example, ExampleResource } from "./example.ts";

const listenerArn =
  "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2";
const topicArn = "arn:aws:sns:eu-west-1:123456789012:pager";
const groupArn = (name: string): string =>
  `arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/${name}/73e2d6bc24d8a067`;

function rule(name: string, targetGroups: readonly object[], more: object = {}, opts: object = {}): ExampleResource {
  return {
    type: "aws:lb/listenerRule:ListenerRule",
    name,
    props: {
      listenerArn,
      priority: 10,
      conditions: [{ hostHeader: { values: ["shop.example.com"] } }],
      actions: [{ type: "forward", forward: { targetGroups, ...more } }],
    },
    ...opts,
  };
}

function ruleFor(name: string, priority: number, conditions: readonly object[], to: string): ExampleResource {
  const actions = [{ type: "forward", forward: { targetGroups: [{ arn: groupArn(to), weight: 100 }] } }];
  return { type: "aws:lb/listenerRule:ListenerRule", name, props: { listenerArn, priority, conditions, actions } };
}

function group(name: string, props: object = {}): ExampleResource {
  return {
    type: "aws:lb/targetGroup:TargetGroup",
    name,
    props: { port: 8080, protocol: "HTTP", targetType: "ip", vpcId: "vpc-0a1b2c3d4e5f60718", ...props },
  };
}

function alarm(name: string, props: object): ExampleResource {
  return {
    type: "aws:cloudwatch/metricAlarm:MetricAlarm",
    name,
    props: {
      namespace: "AWS/ApplicationELB",
      metricName: "HTTPCode_Target_5XX_Count",
      dimensions: { LoadBalancer: "app/shop/50dc6c495c0c9188" },
      statistic: "Sum",
      period: 60,
      evaluationPeriods: 3,
      threshold: 10,
      comparisonOperator: "GreaterThanThreshold",
      ...props,
    },
  };
}

const halves = [
  { arn: groupArn("blue"), weight: 50 },
  { arn: groupArn("green"), weight: 50 },
];
const runbook = "Runbook: https://wiki.example.com/shop/errors";
const functionRole = (name: string, more: object = {}): ExampleResource => ({
  type: "aws:iam/role:Role",
  name,
  props: {
    assumeRolePolicy: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } }],
    }),
    ...more,
  },
});

export const shapeExamples: readonly Example[] = [
  {
    policy: "rule-weights",
    about: "gives both of its groups a weight of 0",
    resources: [
      rule(
        "shop",
        halves.map(({ arn }) => ({ arn, weight: 0 })),
      ),
    ],
  },
  {
    policy: "rule-group-count",
    about: "forwards to six groups",
    resources: [
      rule(
        "shop",
        ["a", "b", "c", "d", "e", "f"].map((name) => ({ arn: groupArn(name), weight: 1 })),
      ),
    ],
  },
  {
    policy: "ignore-changes-on-weights",
    about: "leaves its weights to whoever changes them by hand",
    resources: [rule("shop", halves, {}, { ignoreChanges: ["actions[0].forward.targetGroups"] })],
  },
  {
    policy: "rule-stickiness",
    about: "keeps clients on a release for a week",
    resources: [rule("shop", halves, { stickiness: { enabled: true, duration: 604_800 } })],
  },
  {
    policy: "group-stickiness-with-weights",
    about: "keeps clients by an application cookie, which beats the weights",
    resources: [
      group("green", {
        stickiness: { enabled: true, type: "app_cookie", cookieName: "session", cookieDuration: 3_600 },
      }),
      rule("shop", [
        { arn: groupArn("blue"), weight: 90 },
        { arn: "ref:green.arn", weight: 10 },
      ]),
    ],
  },
  {
    policy: "rule-priority-order",
    about: "puts its testers after everybody",
    resources: [
      ruleFor("tickets", 30, [{ hostHeader: { values: ["tickets.example.com"] } }], "blue"),
      ruleFor(
        "testers",
        40,
        [
          { hostHeader: { values: ["tickets.example.com"] } },
          { httpHeader: { httpHeaderName: "X-Tester", values: ["yes"] } },
        ],
        "green",
      ),
    ],
  },
  {
    policy: "exposed-release-alarms",
    about: "gives a tenth of its traffic to a release that nobody watches",
    resources: [
      group("green"),
      rule("shop", [
        { arn: groupArn("stable"), weight: 90 },
        { arn: "ref:green.arn", weight: 10 },
      ]),
    ],
  },
  {
    policy: "alarm-missing-data",
    about: "pages and leaves open what silence means",
    resources: [alarm("errors", { alarmActions: [topicArn], alarmDescription: runbook })],
  },
  {
    policy: "composite-alarm-missing-data",
    about: "pages by a composite of an alarm that leaves open what silence means",
    resources: [
      alarm("errors", { name: "shop-errors" }),
      {
        type: "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        name: "shop",
        props: {
          alarmName: "shop",
          alarmDescription: runbook,
          alarmRule: 'ALARM("shop-errors")',
          alarmActions: [topicArn],
        },
      },
    ],
  },
  {
    policy: "dns-failover-on-canary",
    about: "lets a small canary take a zone out of DNS",
    resources: [
      group("green", { targetGroupHealth: { dnsFailover: { minimumHealthyTargetsCount: "4" } } }),
      rule("shop", [
        { arn: groupArn("blue"), weight: 90 },
        { arn: "ref:green.arn", weight: 10 },
      ]),
    ],
  },
  {
    policy: "health-check-bounds",
    about: "leaves a dead target in for ten minutes",
    resources: [group("green", { healthCheck: { interval: 60, timeout: 10, unhealthyThreshold: 10 } })],
  },
  {
    policy: "slow-start",
    about: "warms its targets up for ten seconds",
    resources: [group("green", { slowStart: 10 })],
  },
  {
    policy: "deregistration-delay",
    about: "cuts requests off at every deployment",
    resources: [group("green", { deregistrationDelay: 0 })],
  },
  {
    policy: "listener-writer-actions",
    about: "lets its hook do anything to any load balancer",
    resources: [
      {
        type: "aws:iam/rolePolicy:RolePolicy",
        name: "rollback",
        props: {
          role: "rollback",
          policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Sid: "Traffic", Effect: "Allow", Action: "elasticloadbalancing:*", Resource: "*" }],
          }),
        },
      },
    ],
  },
  {
    policy: "function-role-attachments",
    about: "gives a function AWS's own policy for everything about load balancers",
    resources: [
      functionRole("rollback", { name: "rollback" }),
      {
        type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        name: "rollback-elb",
        props: { role: "rollback", policyArn: "arn:aws:iam::aws:policy/ElasticLoadBalancingFullAccess" },
      },
    ],
  },
  {
    policy: "dead-letters",
    about: "loses what its function fails on",
    resources: [
      {
        type: "aws:lambda/function:Function",
        name: "rollback",
        props: { name: "rollback", role: "arn:aws:iam::123456789012:role/rollback" },
      },
      {
        type: "aws:cloudwatch/eventRule:EventRule",
        name: "alarms",
        props: { name: "alarms", eventPattern: JSON.stringify({ source: ["aws.cloudwatch"] }) },
      },
      {
        type: "aws:cloudwatch/eventTarget:EventTarget",
        name: "alarms-target",
        props: { rule: "alarms", arn: "ref:rollback.arn" },
      },
    ],
  },
  {
    policy: "encryption-at-rest",
    about: "keeps its queue without encryption",
    resources: [
      {
        type: "aws:sqs/queue:Queue",
        name: "dead-letters",
        props: { name: "dead-letters", sqsManagedSseEnabled: false },
      },
    ],
  },
  {
    policy: "log-retention",
    about: "keeps its logs for three days",
    resources: [
      {
        type: "aws:cloudwatch/logGroup:LogGroup",
        name: "rollback",
        props: {
          name: "/aws/lambda/rollback",
          retentionInDays: 3,
          kmsKeyId: "arn:aws:kms:eu-west-1:123456789012:key/logs",
        },
      },
    ],
  },
  {
    policy: "alarm-runbook-links",
    about: "wakes somebody and does not say what to do",
    resources: [
      alarm("errors", {
        alarmActions: [topicArn],
        treatMissingData: "notBreaching",
        alarmDescription: "too many errors",
      }),
    ],
  },
];
