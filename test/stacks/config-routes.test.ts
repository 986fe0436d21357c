/** Several routes and adopted rules in the stack config (A3, E7). */
import { describe, expect, it } from "vitest";
import { BadInputError } from "../../core/bad-input.ts";
import { parseConfig } from "../../stacks/config.ts";
import { aService } from "./config-builders.ts";

const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
const id = (digit: string) => digit.repeat(16);
const listener = (name: string, last: string) => `${elb}:listener/app/${name}/${id("1")}/${id(last)}`;
const ruleArn = (last: string, on = "2") => `${elb}:listener-rule/app/web/${id("1")}/${id(on)}/${id(last)}`;
const network = { vpcId: "vpc-0123456789abcdef0", listenerArn: listener("web", "2") };

function read(services: Record<string, unknown>) {
  return parseConfig({ tidegate: { environment: "dev", network, services }, aws: { region: "eu-west-1" } });
}

function problems(services: Record<string, unknown>): string[] {
  try {
    read(services);
    return [];
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    return error.message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
}

const routesOf = (change: Record<string, unknown>) => read({ checkout: aService(change) }).services[0]?.routes;
const api = { match: { hosts: ["api.example.com"] }, priority: 200 };

describe("routes", () => {
  it("are the service's own and those of moreRoutes, each with its listener [A3]", () => {
    expect(routesOf({ moreRoutes: [{ ...api, listenerArn: listener("web", "3") }] })).toEqual([
      { match: { hosts: ["shop.example.com"], paths: ["/checkout/*"] }, priority: 100 },
      { listenerArn: listener("web", "3"), match: { hosts: ["api.example.com"], paths: [] }, priority: 200 },
    ]);
  });

  it("may adopt a rule, whose listener may be the environment's [E7]", () => {
    expect(routesOf({ match: { ruleArn: ruleArn("a") } })).toEqual([
      { match: { hosts: [], paths: [], ruleArn: ruleArn("a") }, priority: 100 },
    ]);
  });

  it("may have the same match and priority on two listeners [A3]", () => {
    const own = { match: { hosts: ["shop.example.com"], paths: ["/checkout/*"] }, priority: 100 };
    expect(problems({ checkout: aService({ moreRoutes: [{ ...own, listenerArn: listener("web", "3") }] }) })).toEqual(
      [],
    );
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    [
      "a listener of another load balancer",
      { moreRoutes: [{ ...api, listenerArn: listener("old", "3") }] },
      [
        `services.checkout.moreRoutes[0].listenerArn: on another load balancer than the service's first route, got "app/old/${id("1")}"; expected a listener of app/web/${id("1")}. ` +
          "A target group hangs on one load balancer alone; make it two services",
      ],
    ],
    [
      "a rule of another listener",
      { match: { ruleArn: ruleArn("a", "3") } },
      [
        `services.checkout.match.ruleArn: a rule of another listener than the route's, got "${ruleArn("a", "3")}"; expected one of ${listener("web", "2")}. ` +
          `Write listenerArn: ${listener("web", "3")} beside match`,
      ],
    ],
    [
      "hosts beside a rule",
      { match: { ruleArn: ruleArn("a"), hosts: ["shop.example.com"] } },
      [
        "services.checkout.match.hosts: beside ruleArn, whose conditions are taken as they are; expected one of the two. Leave hosts or ruleArn out",
      ],
    ],
    [
      "what is no rule",
      { match: { ruleArn: listener("web", "2") } },
      [
        `services.checkout.match.ruleArn: not the ARN of an application load balancer's rule, got "${listener("web", "2")}"; ` +
          "expected arn:aws:elasticloadbalancing:<region>:<account>:listener-rule/app/<name>/<id>/<id>/<id>. Find it with aws elbv2 describe-rules",
      ],
    ],
    [
      "an empty list of routes",
      { moreRoutes: [] },
      [
        "services.checkout.moreRoutes: empty list; expected a list of maps with match, priority and, for another listener, listenerArn. Leave it out for a service with one route",
      ],
    ],
    [
      "one route twice",
      { match: { ruleArn: ruleArn("a") }, moreRoutes: [{ match: { ruleArn: ruleArn("a") }, priority: 200 }] },
      [
        `services.checkout.moreRoutes[0].match.ruleArn: the same rule as services.checkout.match.ruleArn, got "${ruleArn("a")}"; expected a rule of its own for each route. Leave one of the two out`,
      ],
    ],
    [
      "priorities that meet",
      { moreRoutes: [{ ...api, priority: 101 }] },
      [
        "services.checkout.moreRoutes[0].priority: meets services.checkout.priority, which takes 100 to 102, got 101; expected at most 97 or at least 103. A route takes three priorities; steps of ten leave room",
      ],
    ],
    [
      "everything that is wrong with a further route",
      { moreRoutes: [{ match: {}, priority: 0, hosts: ["a.com"] }] },
      [
        "services.checkout.moreRoutes[0].hosts: unknown key; expected listenerArn, match or priority",
        "services.checkout.moreRoutes[0].priority: must be a whole number in range, got 0; expected 1 to 49997",
        `services.checkout.moreRoutes[0].match: matches everything; expected hosts, paths or both, or ruleArn. For all requests write paths: ["/*"]`,
      ],
    ],
  ])("refuse %s [B11]", (_what, change, expected) => {
    expect(problems({ checkout: aService(change) })).toEqual(expected);
  });

  it("of two services are compared on the same listener alone [A3]", () => {
    const basket = aService({
      baseline: { version: "1.0.0", image: `shop@sha256:${"c".repeat(64)}` },
      canary: undefined,
      wave: 0,
      match: { hosts: ["b.example.com"] },
      priority: 301,
    });
    const further = { match: { hosts: ["b.example.com"] }, priority: 300 };
    const checkout = aService({ moreRoutes: [further] });
    expect(problems({ checkout, basket: { ...basket, listenerArn: listener("web", "3") } })).toEqual([]);
    expect(problems({ checkout, basket })).toEqual([
      "services.basket.match: overlaps services.checkout.moreRoutes[0].match on host b.example.com, path *, got b.example.com; expected requests that no other service matches. Narrow one of the two",
      "services.basket.priority: meets services.checkout.moreRoutes[0].priority, which takes 300 to 302, got 301; expected at most 297 or at least 303. A service takes three priorities; steps of ten leave room",
    ]);
  });
});
