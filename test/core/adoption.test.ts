/** What stands against adopting, in whole messages: rules, priorities, logins, groups and quotas of a load balancer that is not ours (E7). */
import { describe, expect, it } from "vitest";
import { type AdoptingService, adoptedConditions, judgeAdoption, unsurveyed } from "../../core/adoption.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { Survey } from "../../core/survey.ts";
import {
  aGroup,
  anAdopting,
  answer,
  aRoute,
  aRule,
  aSurvey,
  balancerArn,
  forwardTo,
  groupArnOf,
  hosts,
  inFront,
  listenerArn,
  login,
  ourRule,
  paths,
  shopRule,
} from "../helpers/surveys.ts";

function judge(survey: Survey, change: Partial<AdoptingService> = {}, ...others: AdoptingService[]) {
  const verdict = judgeAdoption([anAdopting(change), ...others], survey)[change.name ?? "checkout"];
  return {
    refusals: verdict?.refusals ?? [],
    notices: (verdict?.notices ?? []).map(({ severity, text }) => `${severity}: ${text}`),
  };
}

const quiet = { refusals: [], notices: [] };
const shop = hosts("shop.example.com");
const adopting = (rule = shopRule, ...more: Parameters<typeof aRule>[]) =>
  aSurvey({ rules: [rule, ...more.map((each) => aRule(...each))] });
const green = { digest: `${groupArnOf("green")}#2.0.0`, version: "2.0.0", targetGroupArn: groupArnOf("green") };

describe("standing in front of an adopted rule", () => {
  it("says nothing where theirs sends everything to the baseline's group [E7]", () => {
    expect(judge(adopting(), { routes: [inFront] })).toEqual(quiet);
  });

  it("repeats every kind of condition that theirs has [E7]", () => {
    const conditions = [
      shop,
      paths("/checkout/*"),
      { field: "http-header" as const, httpHeaderName: "x-plan", values: ["gold*"] },
      { field: "http-request-method" as const, values: ["GET"] },
      { field: "query-string" as const, values: [], queryStrings: [{ key: "v", value: "1" }] },
    ];
    const survey = adopting({ ...shopRule, conditions });
    expect(judge(survey, { routes: [inFront] })).toEqual(quiet);
    expect(adoptedConditions([anAdopting({ routes: [inFront] })], survey)).toEqual({ [shopRule.arn]: conditions });
  });

  it("still knows the conditions where theirs is gone and ours is there [E7]", () => {
    const survey = aSurvey({ rules: [ourRule(21, [shop])] });
    expect(adoptedConditions([anAdopting({ routes: [inFront] })], survey)).toEqual({ [shopRule.arn]: [shop] });
    expect(adoptedConditions([anAdopting({ routes: [inFront] })], aSurvey())).toEqual({});
  });

  it.each<[string, Survey, string[]]>([
    [
      "a rule that is not there",
      aSurvey(),
      [
        `services.checkout.match.ruleArn: no such rule on listener ${listenerArn}, got ${shopRule.arn}; expected one that exists. Find it with aws elbv2 describe-rules`,
      ],
    ],
    [
      "the default rule",
      aSurvey({ rules: [aRule("default", [], [forwardTo("blue")], { arn: shopRule.arn })] }),
      [
        `services.checkout.match.ruleArn: the default rule has no conditions to repeat, got the default rule; expected a rule with conditions. Write paths: ["/*"]`,
      ],
    ],
    [
      "a rule of Tidegate's own",
      aSurvey({ rules: [{ ...ourRule(50, [shop], "basket"), arn: shopRule.arn }] }),
      [
        "services.checkout.match.ruleArn: Tidegate's own rule, got the main rule of basket in production; expected somebody else's. Write hosts and paths",
      ],
    ],
    [
      "a regular expression",
      adopting({ ...shopRule, conditions: [{ field: "path-pattern", values: [], regexValues: ["^/v[0-9]+"] }] }),
      [
        "services.checkout.match.ruleArn: a regular expression on path-pattern (^/v[0-9]+) is not supported, got the rule at 50 (path regex ^/v[0-9]+); " +
          "expected hosts, paths, headers, methods, queries and sources by wildcards. Write hosts and paths that match the same requests",
      ],
    ],
    [
      "a condition that AWS has added since",
      adopting({ ...shopRule, conditions: [{ field: "other", otherField: "moon-phase", values: ["full"] }] }),
      [
        "services.checkout.match.ruleArn: a condition on moon-phase is not supported, got the rule at 50 (moon-phase full); " +
          "expected hosts, paths, headers, methods, queries and sources by wildcards. Write hosts and paths that match the same requests",
      ],
    ],
    [
      "a rule that rewrites",
      adopting({ ...shopRule, transforms: ["url-rewrite"] }),
      [
        "services.checkout.match.ruleArn: rewrites requests (url-rewrite), which ours would not, got the rule at 50 (host shop.example.com); expected a rule without transforms. Rewrite in the application",
      ],
    ],
    [
      "a login",
      adopting({ ...shopRule, actions: [login, forwardTo("blue")] }),
      [
        "services.checkout.match.ruleArn: asks for a login first (authenticate-oidc), got the rule at 50 (host shop.example.com); expected a rule that only forwards. " +
          "Ours would let requests past the login; log in behind the load balancer, or leave this service as it is",
      ],
    ],
    [
      "a rule that answers by itself",
      adopting({ ...shopRule, actions: [answer("503")] }),
      [
        "services.checkout.match.ruleArn: does not forward, got the rule at 50 (host shop.example.com), which answers 503; expected a rule that forwards. Adopt the rule that serves the service",
      ],
    ],
    [
      "a redirect",
      adopting({ ...shopRule, actions: [{ type: "redirect", statusCode: "HTTP_301" }] }),
      [
        "services.checkout.match.ruleArn: does not forward, got the rule at 50 (host shop.example.com), which redirects (HTTP_301); expected a rule that forwards. Adopt the rule that serves the service",
      ],
    ],
    [
      "a rule that sends elsewhere than to the baseline",
      adopting({ ...shopRule, actions: [forwardTo("red")] }),
      [
        "services.checkout.baseline: on another group than the rule at 50 (host shop.example.com), which forwards to red, got blue; " +
          `expected targetGroupArn: ${groupArnOf("red")}. This up itself would move traffic`,
      ],
    ],
    [
      "a rule that splits its traffic",
      adopting({ ...shopRule, actions: [forwardTo("blue", "red")] }),
      [
        "services.checkout.match.ruleArn: splits its requests itself, got the rule at 50 (host shop.example.com), which forwards to blue (weight 1) and red (weight 1); " +
          "expected one group with weight. Give one group everything first: this up itself would move traffic",
      ],
    ],
    [
      "a rule whose groups all have weight 0",
      adopting({
        ...shopRule,
        actions: [{ type: "forward", targetGroups: [{ arn: groupArnOf("blue"), weight: 0 }] }],
      }),
      [
        "services.checkout.match.ruleArn: forwards to nobody, every group has weight 0, got the rule at 50 (host shop.example.com), which forwards to nobody; " +
          "expected one group with weight. Give one group everything first: this up itself would move traffic",
      ],
    ],
    [
      "a rule that comes first",
      adopting({ ...shopRule, priority: 10 }),
      [
        "services.checkout.priority: not in front of the adopted rule at 10, got 20; expected 7 or less. Write priority: 7",
      ],
    ],
    [
      "no room in front",
      adopting({ ...shopRule, priority: 2 }),
      [
        "services.checkout.priority: not in front of the adopted rule at 2, got 20; expected room for three priorities in front of it. " +
          "There are no three free priorities in a row: make room with aws elbv2 set-rule-priorities",
      ],
    ],
    [
      "a rule between the two that would lose requests",
      adopting(shopRule, [30, [shop, paths("/api/*")], [forwardTo("api")]]),
      [
        "services.checkout.priority: would take requests from the rule at 30 (host shop.example.com and path /api/*), which comes before the adopted rule at 50 and forwards to api, " +
          "got 20; expected ours behind it. Write priority: 47",
      ],
    ],
  ])("refuses %s [E7]", (_what, survey, refusals) => {
    const found = judge(survey, { routes: [inFront] }).refusals.filter((text) => !text.includes(".match: "));
    expect(found).toEqual(refusals);
  });

  it("counts the values and wildcards that theirs leaves for the testers' mark [A7]", () => {
    const full = adopting({ ...shopRule, conditions: [hosts("*.a.com", "*.b.com"), paths("/*/a", "/b", "/?")] });
    expect(judge(full, { routes: [inFront] }).refusals).toEqual([]);
    expect(judge(full, { routes: [inFront], testers: "cookie" }).refusals).toEqual([
      "services.checkout.match.ruleArn: too many condition values for one rule, got 6, the testers' mark included; expected at most 5. Leave testers out, or narrow the rule",
      "services.checkout.match.ruleArn: too many wildcards for one rule, got 6, the testers' mark included; expected at most 5. Leave testers out, or narrow the rule",
    ]);
  });

  it("lets a rule of weight 0 beside the baseline's be [E7]", () => {
    const blueOnly = {
      type: "forward",
      targetGroups: [
        { arn: groupArnOf("blue"), weight: 1 },
        { arn: groupArnOf("red"), weight: 0 },
      ],
    };
    expect(judge(adopting({ ...shopRule, actions: [blueOnly] }), { routes: [inFront] })).toEqual(quiet);
  });

  it("keeps the order of two adopted rules [A3]", () => {
    const narrow = aRule(40, [shop, paths("/basket/*")], [forwardTo("green")]);
    const basket = (priority: number) =>
      anAdopting({
        name: "basket",
        baseline: green,
        routes: [aRoute({ place: "services.basket", match: { hosts: [], paths: [], ruleArn: narrow.arn }, priority })],
      });
    const survey = aSurvey({ rules: [shopRule, narrow] });
    const wide = { routes: [{ ...inFront, priority: 44 }] };
    expect(judge(survey, wide, basket(30))).toEqual(quiet);
    const early = { routes: [{ ...inFront, priority: 20 }] };
    expect(judge(survey, early, basket(30)).refusals).toEqual([
      "services.checkout.priority: would take requests from the rule at 40 (host shop.example.com and path /basket/*), which comes before the adopted rule at 50 and forwards to green, got 20; expected ours behind it. Write priority: 47",
    ]);
    expect(judgeAdoption([anAdopting(early), basket(30)], survey).basket?.refusals).toEqual([
      "services.basket.match: overlaps services.checkout.match, which comes first with host shop.example.com, got host shop.example.com and path /basket/*; " +
        "expected the order of the adopted rules, or requests that no other service matches. Exchange the priorities, or narrow one of the two",
    ]);
  });
});

describe("our rules among theirs", () => {
  it("says who loses requests, and where they went [E7]", () => {
    const survey = aSurvey({
      rules: [
        aRule(40, [hosts("*.example.com"), paths("/legal/*")], [forwardTo("legal")]),
        aRule(60, [hosts("other.example.com")], [forwardTo("other")]),
      ],
    });
    expect(judge(survey)).toEqual({
      refusals: [],
      notices: [
        "warning: checkout: requests with host shop.example.com now come to this service and not to the rule at 40 (host *.example.com and path /legal/*), which forwards to legal",
        "info: checkout: requests with host shop.example.com now come to this service and not to the default rule, which answers 404",
      ],
    });
  });

  it("does not name rules behind one that had all of these requests already [E7]", () => {
    const survey = aSurvey({
      rules: [
        aRule(40, [hosts("*.example.com")], [forwardTo("blue")]),
        aRule("default", [], [login, forwardTo("intranet")]),
      ],
    });
    expect(judge(survey)).toEqual(quiet);
  });

  it("says which rule comes before and keeps some [E7]", () => {
    const survey = aSurvey({
      rules: [aRule(5, [shop, paths("/admin/*")], [forwardTo("admin")]), aRule("default", [], [forwardTo("blue")])],
    });
    expect(judge(survey).notices).toEqual([
      "warning: checkout: the rule at 5 (host shop.example.com and path /admin/*) comes before ours at 21 and keeps the requests that match both; it forwards to admin",
    ]);
  });

  it("takes an anchor's condition, which nobody meets, for no overlap", () => {
    const anchor = aRule(5, [{ field: "source-ip", values: ["192.0.2.1/32"] }], [forwardTo("other")]);
    expect(judge(aSurvey({ rules: [anchor, aRule("default", [], [forwardTo("blue")])] }))).toEqual(quiet);
  });

  it.each<[string, Survey, Partial<AdoptingService>, string[]]>([
    [
      "a rule in front that takes everything",
      aSurvey({ rules: [aRule(10, [hosts("*.example.com")], [forwardTo("all")])] }),
      {},
      [
        "services.checkout.priority: never reached: the rule at 10 (host *.example.com) comes first, takes everything and forwards to all, got 20; expected 7 or less. Write priority: 7",
      ],
    ],
    [
      "priorities that somebody has",
      aSurvey({
        rules: [
          aRule(22, [hosts("a.example.com")], [forwardTo("a")]),
          aRule(17, [hosts("b.example.com")], [forwardTo("b")]),
        ],
      }),
      {},
      [
        "services.checkout.priority: 20 to 22 are not free, got the rule at 22 (host a.example.com); expected three free priorities in a row. Write priority: 19",
      ],
    ],
    [
      "a login of the default rule",
      aSurvey({ rules: [aRule("default", [], [login, forwardTo("intranet")])] }),
      {},
      [
        "services.checkout.match: would let requests past a login: the default rule asks for one (authenticate-oidc) and would lose requests to ours, " +
          "got host shop.example.com; expected only requests that need no login there. Narrow the match, or put a rule of your own in front",
      ],
    ],
    [
      "a token check that AWS has added since",
      aSurvey({ rules: [aRule(70, [shop], [{ type: "jwt-validation" }, forwardTo("blue")])] }),
      {},
      [
        "services.checkout.match: would let requests past a login: the rule at 70 (host shop.example.com) asks for one (jwt-validation) and would lose requests to ours, " +
          "got host shop.example.com; expected only requests that need no login there. Narrow the match, or put a rule of your own in front",
      ],
    ],
    [
      "requests of another stack's service",
      aSurvey({ rules: [ourRule(70, [hosts("*.example.com")], "search")] }),
      {},
      [
        "services.checkout.match: takes requests of search in production, which another stack declares, got host shop.example.com; expected requests that no other service matches. Narrow one of the two",
      ],
    ],
    [
      "a load balancer of an Ingress",
      aSurvey({ balancer: { managedBy: "EKS cluster shop, ingress default/web" } }),
      {},
      [
        "services.checkout: load balancer web is written by a controller, which would undo every weight, got EKS cluster shop, ingress default/web; " +
          "expected a load balancer that no Ingress manages. Register the pods in a target group of your own with a TargetGroupBinding, behind another load balancer",
      ],
    ],
    [
      "a single rule of an Ingress",
      aSurvey({
        rules: [
          aRule(90, [hosts("k.example.com")], [forwardTo("k")], { managedBy: "EKS cluster shop, ingress default/web" }),
        ],
      }),
      {},
      [
        "services.checkout: load balancer web is written by a controller, which would undo every weight, got EKS cluster shop, ingress default/web; " +
          "expected a load balancer that no Ingress manages. Register the pods in a target group of your own with a TargetGroupBinding, behind another load balancer",
      ],
    ],
    [
      "a listener that is not there",
      { ...aSurvey(), listeners: [] },
      {},
      [
        `network.listenerArn: no such listener, got ${listenerArn}; expected one that exists. Find it with aws elbv2 describe-listeners`,
      ],
    ],
    [
      "an adopted rule beside a listener of the program's own",
      aSurvey(),
      { routes: [{ place: "services.checkout", namesListener: false, match: inFront.match, priority: 20 }] },
      [
        `services.checkout.match.ruleArn: a rule on somebody's listener, and the program makes a listener of its own, got ${shopRule.arn}; ` +
          "expected network.listenerArn, or listenerArn beside match. Name the listener that the rule hangs on",
      ],
    ],
  ])("refuses %s [E7]", (_what, survey, change, refusals) => {
    expect(judge(survey, change).refusals).toEqual(refusals);
  });
});

describe("adopted target groups", () => {
  const blue = (change: Parameters<typeof aGroup>[1]) => aSurvey({ groups: [aGroup("blue", change), aGroup("green")] });
  it.each<[string, Survey, Partial<AdoptingService>, string[]]>([
    [
      "one that is not there",
      aSurvey({ groups: [] }),
      {},
      [
        `services.checkout.baseline.targetGroupArn: no such target group, got ${groupArnOf("blue")}; expected one that exists. Find it with aws elbv2 describe-target-groups`,
      ],
    ],
    [
      "one that an Ingress writes",
      blue({ managedBy: "EKS cluster shop, ingress default/web" }),
      {},
      [
        "services.checkout.baseline.targetGroupArn: blue is written by a controller, which detaches and deletes it as it sees fit, got EKS cluster shop, ingress default/web; " +
          "expected a group of your own. Make one, and register the pods in it with a TargetGroupBinding",
      ],
    ],
    [
      "one of load balancers",
      blue({ targetType: "alb" }),
      {},
      [
        "services.checkout.baseline.targetGroupArn: blue has load balancers for targets, got type alb; expected instance, ip or lambda. Name the group behind that load balancer",
      ],
    ],
    [
      "one with stickiness of its own",
      blue({ stickinessType: "app_cookie" }),
      {},
      [
        "services.checkout.baseline.targetGroupArn: blue has stickiness of its own, got app_cookie; expected none, because a cookie beats a weight and cannot be reset from the server. " +
          "Turn it off on the group; the service's stickinessSeconds keeps clients on a release instead",
      ],
    ],
    [
      "one on another load balancer",
      blue({ loadBalancerArns: [balancerArn.replace("web", "old")] }),
      {},
      [
        "services.checkout.baseline.targetGroupArn: blue hangs on another load balancer, got old; expected web or none. A target group hangs on one load balancer alone; make another with the same targets",
      ],
    ],
    [
      "one in another VPC",
      blue({ vpcId: "vpc-2" }),
      {},
      [
        "services.checkout.baseline.targetGroupArn: blue is in another VPC than load balancer web, got vpc-2; expected vpc-1. Make a group in that VPC",
      ],
    ],
    [
      "another type than the baseline's",
      aSurvey({ groups: [aGroup("blue"), aGroup("green", { targetType: "lambda", healthChecksEnabled: false })] }),
      { canary: green },
      [
        "services.checkout.canary: another type of targets than the baseline's, got lambda; expected ip. Name a target group of that type",
      ],
    ],
    [
      "a canary that the program makes of another type",
      blue({ targetType: "instance" }),
      { canary: { digest: "sha256:b", version: "2.0.0", image: "shop@sha256:b" } },
      [
        "services.checkout.canary: another type of targets than the baseline's, got ip; expected instance. Write targetGroup: { targetType: instance }",
      ],
    ],
    [
      "a group too many for the load balancer",
      aSurvey({
        balancer: {
          targetGroupArns: [groupArnOf("blue"), ...Array.from({ length: 99 }, (_, at) => groupArnOf(`g${at}`))],
        },
      }),
      { canary: green },
      [
        "services.checkout: too many target groups for load balancer web, got 100 and 1 more; expected at most 100, which AWS does not raise. " +
          "Remove groups that nobody uses, or put the service on another load balancer",
      ],
    ],
  ])("are refused: %s [E7]", (_what, survey, change, refusals) => {
    expect(judge(survey, change).refusals).toEqual(refusals);
  });

  it.each(["instance", "ip", "lambda"] as const)("may have targets of type %s [E7]", (targetType) => {
    const groups = [aGroup("blue", { targetType, loadBalancerArns: [balancerArn] }), aGroup("green", { targetType })];
    expect(judge(aSurvey({ rules: [shopRule], groups }), { canary: green })).toEqual(quiet);
  });

  it("warns of the quota of rules, which AWS raises on request", () => {
    const survey = aSurvey({ rules: [shopRule], balancer: { ruleCount: 98 } });
    expect(judge(survey, { testers: "header" }).notices).toEqual([
      "warning: checkout: load balancer web has 98 rules and this service adds 3; the quota is 100 unless AWS has raised it (Service Quotas, Rules per Application Load Balancer)",
    ]);
    expect(judge(aSurvey({ rules: [shopRule], balancer: { ruleCount: 97 } }), { testers: "header" })).toEqual(quiet);
  });
});

describe("when it refuses", () => {
  const record = { releases: { [anAdopting().baseline.digest]: {} } } as unknown as RolloutRecord;
  const running = { isFirst: false, record };
  const covered = aSurvey({ rules: [aRule(10, [hosts("*.example.com")], [forwardTo("all")]), ourRule(21, [shop])] });
  const text =
    "services.checkout.priority: never reached: the rule at 10 (host *.example.com) comes first, takes everything and forwards to all, got 20; expected 7 or less. Write priority: 7";

  it("warns a service that runs, and refuses its raises [C1]", () => {
    expect(judge(covered, running)).toEqual({
      refusals: [],
      notices: [`warning: ${text} (the next raise will be refused)`],
    });
    expect(judge(covered, { ...running, raises: true })).toEqual({ refusals: [text], notices: [] });
  });

  it("refuses what comes anew to a service that runs: a route, a group [E7]", () => {
    const second = aRoute({
      place: "services.checkout.moreRoutes[0]",
      match: { hosts: ["api.example.com"], paths: [] },
      priority: 30,
    });
    const survey = aSurvey({
      rules: [ourRule(21, [shop]), aRule(31, [hosts("b.com")], [forwardTo("b")])],
      groups: [aGroup("blue")],
    });
    expect(judge(survey, { ...running, routes: [aRoute(), second], canary: green }).refusals).toEqual([
      "services.checkout.moreRoutes[0].priority: 30 to 32 are not free, got the rule at 31 (host b.com); expected three free priorities in a row. Write priority: 28",
      `services.checkout.canary.targetGroupArn: no such target group, got ${groupArnOf("green")}; expected one that exists. Find it with aws elbv2 describe-target-groups`,
    ]);
  });

  it("no longer minds where theirs sends once ours stands in front [E7]", () => {
    const survey = aSurvey({ rules: [ourRule(21, [shop]), { ...shopRule, actions: [forwardTo("red")] }] });
    expect(judge(survey, { ...running, routes: [inFront], raises: true })).toEqual(quiet);
  });

  it("recommends observing first [B13]", () => {
    expect(judge(adopting(), { routes: [inFront], mode: "act" }).notices).toEqual([
      "warning: checkout: this service is live already, and it is adopted in mode act; mode: observe records what would be done and touches no weight. " +
        "Start with it, and change to act once its history shows only what you agree with",
    ]);
  });

  it("adopts nothing unseen, raises nothing unseen, and lets the rest go on [E7]", () => {
    expect(unsurveyed(anAdopting(), "AccessDenied", []).refusals).toEqual([
      "checkout: what it adopts could not be read (AccessDenied); nothing is adopted unseen. Restore access to ELBv2 and run again",
    ]);
    expect(unsurveyed(anAdopting({ isFirst: false, raises: true }), "AccessDenied", []).refusals).toEqual([
      "checkout: what it adopts could not be read (AccessDenied); nothing is raised unseen. Restore access to ELBv2 and run again",
    ]);
    expect(unsurveyed(anAdopting({ isFirst: false, routes: [inFront] }), "AccessDenied", []).refusals).toEqual([
      "checkout: what it adopts could not be read (AccessDenied), the conditions of its adopted rule neither; without them its own rule cannot be declared. Restore access to ELBv2 and run again",
    ]);
    expect(unsurveyed(anAdopting({ isFirst: false }), "AccessDenied", [groupArnOf("blue")])).toEqual({
      refusals: [
        "checkout: what it adopts could not be read (AccessDenied), and its recorded alarms do not tell whether functions are behind blue; " +
          "alarms are not declared on a guess. Restore access to ELBv2 and run again; tidegate kill lowers meanwhile",
      ],
      notices: [],
    });
    expect(unsurveyed(anAdopting({ isFirst: false }), "AccessDenied", [])).toEqual({
      refusals: [],
      notices: [
        {
          kind: "unreadable",
          severity: "warning",
          text: "checkout: what it adopts could not be read (AccessDenied); no raise",
        },
      ],
    });
  });

  it("finds a free place that is not another route's either", () => {
    const other = anAdopting({
      name: "search",
      routes: [aRoute({ place: "services.search", match: { hosts: ["s.com"], paths: [] }, priority: 45 })],
    });
    const survey = aSurvey({ rules: [shopRule, aRule(21, [hosts("x.com")], [forwardTo("x")])] });
    expect(judge(survey, { routes: [inFront] }, other).refusals).toEqual([
      "services.checkout.priority: 20 to 22 are not free, got the rule at 21 (host x.com); expected three free priorities in a row. Write priority: 42",
    ]);
  });
});
