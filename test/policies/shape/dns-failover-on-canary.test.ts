import { describe, expect, it } from "vitest";
import { dnsFailoverOnCanary } from "../../../policies/shape/dns-failover-on-canary.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aFreshCanary, aGroup, aRule } from "./builders.ts";

const split = aRule("split", { blue: 90, green: 10 });
const check = (dnsFailover: unknown, config = {}, rule = split) =>
  violationsOf(
    dnsFailoverOnCanary,
    [aGroup("blue"), aGroup("green", { targetGroupHealth: { dnsFailover } }), rule],
    config,
  );

describe("dns-failover-on-canary", () => {
  it("lets groups pass that set no threshold, or what the load balancer has by itself [E1]", async () => {
    expect(await check(undefined)).toEqual([]);
    expect(await check({ minimumHealthyTargetsCount: "1", minimumHealthyTargetsPercentage: "off" })).toEqual([]);
    expect(await check({ minimumHealthyTargetsCount: "off" })).toEqual([]);
  });

  it("refuses a count above one, and any percentage [E1]", async () => {
    const wrong = (field: string) =>
      `green: targetGroupHealth.dnsFailover.${field} may take a zone away from every group of the load balancer, ` +
      "and split splits traffic to it by weight";
    expect(await check({ minimumHealthyTargetsCount: "3", minimumHealthyTargetsPercentage: "50" })).toEqual([
      `${wrong("minimumHealthyTargetsPercentage")}, got 50 percent; expected off. Take targetGroupHealth.dnsFailover out`,
      `${wrong("minimumHealthyTargetsCount")}, got 3; expected off, or at most 1. Take targetGroupHealth.dnsFailover out`,
    ]);
  });

  it("takes the configured count [E1]", async () => {
    expect(await check({ minimumHealthyTargetsCount: 3 }, { maximumHealthyTargets: 3 })).toEqual([]);
  });

  it("refuses a count that is no number [E1]", async () => {
    expect(await check({ minimumHealthyTargetsCount: "many" })).toHaveLength(1);
  });

  it("leaves a group alone that has a rule to itself [E1]", async () => {
    expect(await check({ minimumHealthyTargetsCount: "3" }, {}, aRule("all", { green: 100 }))).toEqual([]);
  });

  it("judges new groups in a preview, and says nothing of what cannot be known [E1]", async () => {
    const fresh = (dnsFailover: unknown) =>
      aFreshCanary({ blue: 90, green: 10 }).map((resource) =>
        resource.name === "green"
          ? { ...resource, props: { ...resource.props, targetGroupHealth: { dnsFailover } } }
          : resource,
      );
    expect(await violationsOf(dnsFailoverOnCanary, fresh({ minimumHealthyTargetsCount: "3" }))).toHaveLength(1);
    expect(await violationsOf(dnsFailoverOnCanary, fresh({ minimumHealthyTargetsCount: notKnownYet }))).toEqual([]);
    expect(await violationsOf(dnsFailoverOnCanary, fresh(notKnownYet))).toEqual([]);
  });
});
