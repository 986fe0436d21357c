/** Public programs in which every rule has one group. */
import {
  alarm,
  allTo,
  group,
  host,
  listener,
  listenerArnOf,
  path,
  type RealProgram,
  rule,
  suffixOf,
} from "./program.ts";

/** awsx's load balancer with what it chooses itself. */
export const defaultFargate: RealProgram = {
  likeThis:
    "nginx on Fargate behind awsx's load balancer: one group of addresses, the listener's default action, all else left to defaults",
  readIn: "pulumi/docs (static/programs/awsx-load-balanced-fargate-nginx-javascript)",
  resources: [
    group("lb", { port: 80, protocol: "HTTP", targetType: "ip" }),
    listener("lb-0", { port: 80, protocol: "HTTP", defaultActions: [allTo("lb")] }),
  ],
  verdict: "Passes: nothing is split, and the load balancer's own health checks are sound.",
  refused: {},
};

/** The workshop's variant of it, in a hurry. */
export const workshopFargate: RealProgram = {
  likeThis:
    "a workshop's Fargate service of three tasks whose group has a deregistration delay of 0, by the oldest module name",
  readIn: "pulumi/workshops (archive/aws-intro/typescript/lab-03/code/step5.ts)",
  resources: [
    {
      ...group("app-tg", { port: 80, protocol: "HTTP", targetType: "ip", deregistrationDelay: 0 }),
      type: "aws:elasticloadbalancingv2/targetGroup:TargetGroup",
    },
    listener("web", { port: 80, protocol: "HTTP", defaultActions: [allTo("app-tg")] }),
  ],
  verdict: "Refused: right for a workshop; in production every deployment cuts off the requests of the tasks that go.",
  refused: {
    "deregistration-delay": [
      "app-tg: deregistrationDelay is out of bounds, got 0 seconds; expected 5 to 900 seconds. " +
        "Set it to a little more than the longest request takes",
    ],
  },
};

/** A function as a target. */
export const functionTarget: RealProgram = {
  likeThis:
    "a Python function behind a load balancer, health checks off for it, and the permission that lets the load balancer call it",
  readIn:
    "lyn-boyu/aws-dev-ops (apps/lambda-python-mvp-alb/terraform); MoinuddinOps/simpletimeservice (terraform-serverless)",
  resources: [
    group("function", { targetType: "lambda", healthCheck: { enabled: false, interval: 30 } }),
    listener("http", { port: 80, protocol: "HTTP", defaultActions: [allTo("function")] }),
    { type: "aws:lambda/function:Function", name: "handler", props: { name: "handler" } },
    {
      type: "aws:lambda/permission:Permission",
      name: "from-alb",
      props: { principal: "elasticloadbalancing.amazonaws.com", action: "lambda:InvokeFunction" },
      from: { function: ["handler"], sourceArn: ["function"] },
    },
  ],
  verdict:
    "Passes: a function needs no health check, and one that requests wake answers its failures itself: no dead letters.",
  refused: {},
};

/** Host-based routing with cookies, and health checks in slow motion. */
export const slowChecks: RealProgram = {
  likeThis:
    "a module for one application on a shared listener: its host to its group, the load balancer's cookie for a day, and health checks " +
    "five minutes apart of which ten have to fail",
  readIn: "carlssonk/terraform-aws-infra (modules/alb-target-group/resources/main.tf)",
  resources: [
    group("app-tg", {
      port: 8080,
      protocol: "HTTP",
      targetType: "ip",
      healthCheck: { path: "/", interval: 300, timeout: 60, healthyThreshold: 2, unhealthyThreshold: 10 },
      stickiness: { type: "lb_cookie", cookieDuration: 86_400, enabled: true },
    }),
    rule("app", {
      listenerArn: listenerArnOf("shared", "https"),
      priority: 100,
      conditions: [host("app.example.com")],
      actions: [allTo("app-tg")],
    }),
  ],
  verdict:
    "Refused: a dead task keeps its visitors for fifty minutes. The cookie is fine: there is only one release to stick to.",
  refused: {
    "health-check-bounds": [
      "app-tg: healthCheck.interval is out of bounds, got 300 seconds; expected 5 to 60 seconds. " +
        "Set healthCheck.interval to a whole number in these bounds",
    ],
  },
};

const targetAlarm = (name: string, props: Readonly<Record<string, unknown>>) =>
  alarm(name, {
    dimensions: { TargetGroup: suffixOf("app"), LoadBalancer: "app/app/1" },
    alarmDescription: `${name} over the last minutes`,
    alarmActions: ["arn:aws:sns:eu-west-1:123456789012:alarms"],
    ...props,
  });

/** Alarms of a well-known module, silence left to CloudWatch's default. */
export const alarmsOnSilence: RealProgram = {
  likeThis:
    "a module of alarms for one target group: 5xx of the targets, slow answers and dead hosts, with topics as actions, and missing data as " +
    "CloudWatch has it",
  readIn:
    "cloudposse/terraform-aws-alb-target-group-cloudwatch-sns-alarms; EricpFrancisGIT/terraform-aws-multi-env-web (live/alarms.tf)",
  resources: [
    group("app", { port: 80, protocol: "HTTP" }),
    listener("http", { port: 80, protocol: "HTTP", defaultActions: [allTo("app")] }),
    targetAlarm("5xx-high", {
      metricName: "HTTPCode_Target_5XX_Count",
      comparisonOperator: "GreaterThanThreshold",
      treatMissingData: "missing",
    }),
    targetAlarm("slow", {
      metricName: "TargetResponseTime",
      comparisonOperator: "GreaterThanThreshold",
      treatMissingData: "notBreaching",
    }),
    targetAlarm("healthy-hosts", { metricName: "HealthyHostCount", comparisonOperator: "LessThanThreshold" }),
  ],
  verdict:
    "Refused: one lone 5xx in a quiet night can ring, and no host at all may ring nothing. A runbook in each description would be polite.",
  refused: {
    "alarm-missing-data": [
      "5xx-high: treats missing data unsafely for HTTPCode_Target_5XX_Count, got missing; " +
        'expected notBreaching: no data means no such requests. Set treatMissingData to "notBreaching"',
      "healthy-hosts: treats missing data unsafely for HealthyHostCount, got nothing, which is missing; " +
        'expected breaching: no data means that nobody looks or nobody comes. Set treatMissingData to "breaching"',
    ],
    "alarm-runbook-links": ["5xx-high", "slow", "healthy-hosts"].map(
      (name) =>
        `${name}: alarmDescription links to no runbook, got "${name} over the last minutes"; ` +
        "expected an http(s) URL, or a path under docs/runbooks/. Add the address of the page that says what to do",
    ),
  },
};

/** A function that may do anything to any load balancer, woken by the clock. */
export const mayDoAnything: RealProgram = {
  likeThis:
    "a function that cleans up load balancers once a day: a role of its own with everything of Elastic Load Balancing on everything, an " +
    "event rule that wakes it, and logs as Lambda makes them",
  readIn: "mattermost/mattermost-cloud-monitoring (terraform/aws/modules/elb-cleanup)",
  resources: [
    {
      type: "aws:iam/role:Role",
      name: "cleanup-role",
      props: {
        name: "elb-cleanup",
        assumeRolePolicy: JSON.stringify({
          Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } }],
        }),
      },
    },
    {
      type: "aws:iam/rolePolicy:RolePolicy",
      name: "cleanup-policy",
      props: {
        role: "elb-cleanup",
        policy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: ["elasticloadbalancing:*"], Resource: "*" }],
        }),
      },
    },
    {
      type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
      name: "cleanup-logs",
      props: { role: "elb-cleanup", policyArn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole" },
    },
    { type: "aws:lambda/function:Function", name: "cleanup", props: { name: "elb-cleanup" } },
    {
      type: "aws:cloudwatch/eventRule:EventRule",
      name: "daily",
      props: { name: "daily", scheduleExpression: "rate(1 day)" },
    },
    {
      type: "aws:cloudwatch/eventTarget:EventTarget",
      name: "daily-cleanup",
      props: { rule: "daily" },
      from: { arn: ["cleanup"], rule: ["daily"] },
    },
    rule("api", {
      listenerArn: listenerArnOf("shared", "https"),
      priority: 10,
      conditions: [path("/api/*")],
      actions: [allTo("api")],
    }),
  ],
  verdict:
    "Refused: a bug in a clean-up may empty every listener of the account, and what it fails on today is found out tomorrow, if at all.",
  refused: {
    "listener-writer-actions": [
      "cleanup-policy: policy allows actions by wildcard in a role that may move traffic, got elasticloadbalancing:*; " +
        "expected actions by their whole names, such as elasticloadbalancing:ModifyRule. Name the actions that the code calls",
      'cleanup-policy: policy allows to change every listener of the account, got Resource "*"; ' +
        "expected the ARNs of the rules that are its own, such as …:listener-rule/app/<name>/<id>/<listener>/*. " +
        "Name the listener whose rules it may change",
    ],
    "dead-letters": [
      "cleanup: daily-cleanup wakes the function, and what it fails on is lost, got no deadLetterConfig and no destination on failure; " +
        "expected one of them. Set deadLetterConfig.targetArn to a queue that an alarm watches",
    ],
  },
};
