/** Public programs that split traffic by weight. */
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
  split,
  suffixOf,
} from "./program.ts";

const unwatched = (name: string, by: string, lacks: string) =>
  `${name}: shares traffic by ${by} unwatched, got no ${lacks} that acts; expected a critical error alarm and a latency alarm on its ` +
  "target group, with actions. Add them with the dimension TargetGroup of this group, and give them alarmActions";
const both = "critical error alarm and no latency alarm";

const hosts = { port: 80, protocol: "HTTP", healthCheck: { port: "80", protocol: "HTTP", timeout: 5, interval: 10 } };

/** Blue and green in the listener's default action, moved by a variable. */
export const trafficDial: RealProgram = {
  likeThis:
    "a tutorial on blue, green and canary: two groups of instances, and a default action whose weights a variable chooses (here the split)",
  readIn: "hashicorp/learn-terraform-advanced-deployments (main.tf, blue.tf, green.tf)",
  resources: [
    group("blue", hosts),
    group("green", hosts),
    listener("app", {
      port: 80,
      protocol: "HTTP",
      defaultActions: [split({ blue: 50, green: 50 }, { enabled: false, duration: 1 })],
    }),
  ],
  verdict: "Refused: half of the visitors are on a new release and nothing would tell anybody that it fails.",
  refused: { "exposed-release-alarms": [unwatched("blue", "app", both), unwatched("green", "app", both)] },
};

/** The weighted rule of the provider's documentation, with a second rule of its number beside it. */
export const sameNumberTwice: RealProgram = {
  likeThis:
    "the rules of the provider's documentation in one file: a path and a host to static files, and two rules for one host with the same " +
    "priority, of which one splits 80 to 20 with ten minutes of stickiness; declared by the older module name",
  readIn: "arpangroup/terraform-aws (4_alb/0_alb/alb_listener_rule.tf); justinvp/templates-aws (aws.alb.ListenerRule)",
  resources: [
    group("static", { port: 80, protocol: "HTTP" }),
    group("main", { port: 80, protocol: "HTTP" }),
    group("canary", { port: 80, protocol: "HTTP" }),
    rule("files", {
      listenerArn: listenerArnOf("app", "front"),
      priority: 100,
      conditions: [path("/static/*"), host("example.com")],
      actions: [allTo("static")],
    }),
    rule("host-to-static", {
      listenerArn: listenerArnOf("app", "front"),
      priority: 99,
      conditions: [host("my-service.*.example.com")],
      actions: [allTo("static")],
    }),
    rule(
      "host-split",
      {
        listenerArn: listenerArnOf("app", "front"),
        priority: 99,
        conditions: [host("my-service.*.example.com")],
        actions: [split({ main: 80, canary: 20 }, { enabled: true, duration: 600 })],
      },
      { type: "aws:alb/listenerRule:ListenerRule" },
    ),
  ],
  verdict:
    "Refused: ELBv2 takes a number once, so the second rule fails in the middle of the update; and nobody watches the canary. Ten minutes " +
    "of stickiness are fine.",
  refused: {
    "rule-priority-order": [
      "host-split: has the priority of host-to-static on the same listener, got 99; expected a priority of its own. " +
        "Give the narrower of the two the lower number",
    ],
    "exposed-release-alarms": [unwatched("main", "host-split", both), unwatched("canary", "host-split", both)],
  },
};

/** The actions given over to a deployment service and ignored by the program. */
export const ignoredForTheDeployer: RealProgram = {
  likeThis:
    "blue and green for ECS, switched by CodeDeploy: a rule for the front end's host that starts on blue and ignores its actions ever " +
    "after, so as not to switch back, and a rule for the API's host beside it",
  readIn:
    "Syota622/aws_web (terraform/module/alb/listerner-rule.tf); matejrisek/terraform-cloudops-automations (modules/fargate/services/backendservice)",
  resources: [
    group("blue", {
      port: 3000,
      protocol: "HTTP",
      targetType: "ip",
      healthCheck: { path: "/health", interval: 15, timeout: 5 },
    }),
    group("green", {
      port: 3000,
      protocol: "HTTP",
      targetType: "ip",
      healthCheck: { path: "/health", interval: 15, timeout: 5 },
    }),
    group("api", { port: 8080, protocol: "HTTP", targetType: "ip" }),
    rule(
      "front-end",
      {
        listenerArn: listenerArnOf("app", "https"),
        priority: 100,
        conditions: [host("www.example.com")],
        actions: [allTo("blue")],
      },
      { opts: { ignoreChanges: ["actions"] } },
    ),
    rule("back-end", {
      listenerArn: listenerArnOf("app", "https"),
      priority: 200,
      conditions: [host("api.example.com")],
      actions: [allTo("api")],
    }),
  ],
  verdict:
    "Refused: the deployer leaves weights in these actions that the program never sees; the day somebody adds a group, they are written anew.",
  refused: {
    "ignore-changes-on-weights": [
      'front-end: ignoreChanges reaches the weights, so a new target group may get traffic that nobody gave it, got "actions"; ' +
        "expected no path at or above actions[*].forward.targetGroups[*].weight. Take it out, and declare the weights that are meant",
    ],
  },
};

/** A catch-all weighted rule in front of a narrower one. */
export const catchAllFirst: RealProgram = {
  likeThis:
    "the weighted rules that users of the module wrote into its threads: a rule for every path that splits 1 to 2, an hour of stickiness and more, " +
    "and narrower rules behind it",
  readIn: "terraform-aws-modules/terraform-aws-alb (threads on weighted-forward rules, README)",
  resources: [
    group("first", { port: 80, protocol: "HTTP", deregistrationDelay: 10 }),
    group("second", {
      port: 80,
      protocol: "HTTP",
      deregistrationDelay: 10,
      stickiness: { type: "app_cookie", cookieName: "session", enabled: true },
    }),
    rule("everything", {
      listenerArn: listenerArnOf("app", "http"),
      priority: 1,
      conditions: [path("/*")],
      actions: [split({ first: 1, second: 2 }, { enabled: true, duration: 86_400 })],
    }),
    rule("by-header", {
      listenerArn: listenerArnOf("app", "http"),
      priority: 3,
      conditions: [path("/orders/*"), { httpHeader: { httpHeaderName: "x-release", values: ["second"] } }],
      actions: [allTo("second")],
    }),
    ...["first", "second"].flatMap((name) => [
      alarm(`${name}-5xx`, {
        metricName: "HTTPCode_Target_5XX_Count",
        dimensions: { TargetGroup: suffixOf(name) },
        comparisonOperator: "GreaterThanThreshold",
        treatMissingData: "notBreaching",
        alarmDescription: "https://wiki.example.com/5xx",
        alarmActions: ["arn:aws:sns:eu-west-1:123456789012:pages"],
      }),
      alarm(`${name}-slow`, {
        metricName: "TargetResponseTime",
        dimensions: { TargetGroup: suffixOf(name) },
        comparisonOperator: "GreaterThanThreshold",
        treatMissingData: "notBreaching",
        alarmDescription: "https://wiki.example.com/slow",
        alarmActions: ["arn:aws:sns:eu-west-1:123456789012:pages"],
      }),
    ]),
  ],
  verdict:
    "Refused: watched as it should be, but the header never reaches its rule, clients stick to a release for a day, and one group brings " +
    "an application cookie, which does not work with weights.",
  refused: {
    "rule-priority-order": [
      "by-header: never matches, because everything comes before it and takes every request of its, got priority 3 after 1; " +
        "expected a priority below 1. Swap the two, or narrow the conditions of the one that comes first",
    ],
    "rule-stickiness": [
      "everything: actions[0].forward.stickiness holds clients on a release too long, got 86400 seconds; expected 1 to 3600 seconds. " +
        "Shorten the duration, or turn stickiness off",
    ],
    "group-stickiness-with-weights": [
      "second: has stickiness of its own, and everything splits traffic by weight between it and others, got app_cookie; " +
        "expected none on a target group with weights: a cookie beats a weight. Set its stickiness.enabled to false",
    ],
  },
};
