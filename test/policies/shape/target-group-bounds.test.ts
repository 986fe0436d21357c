import { describe, expect, it } from "vitest";
import { deregistrationDelay } from "../../../policies/shape/deregistration-delay.ts";
import { healthCheckBounds } from "../../../policies/shape/health-check-bounds.ts";
import { slowStart } from "../../../policies/shape/slow-start.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aGroup } from "./builders.ts";

describe("health-check-bounds", () => {
  const sound = { path: "/healthz", interval: 10, timeout: 5, healthyThreshold: 2, unhealthyThreshold: 2 };
  const check = (healthCheck: unknown, props = {}, config = {}) =>
    violationsOf(healthCheckBounds, [aGroup("blue", { healthCheck, ...props })], config);

  it("lets sound checks pass, and the provider's own [E1]", async () => {
    expect(await check(sound)).toEqual([]);
    expect(await check(undefined)).toEqual([]);
  });

  it.each([
    [{ interval: 4 }, "healthCheck.interval is out of bounds, got 4 seconds; expected 5 to 60 seconds", "interval"],
    [{ interval: 61 }, "healthCheck.interval is out of bounds, got 61 seconds; expected 5 to 60 seconds", "interval"],
    [
      { interval: 10.5 },
      "healthCheck.interval is out of bounds, got 10.5 seconds; expected 5 to 60 seconds",
      "interval",
    ],
    [{ timeout: 1 }, "healthCheck.timeout is out of bounds, got 1 seconds; expected 2 to 120 seconds", "timeout"],
    [
      { healthyThreshold: 11 },
      "healthCheck.healthyThreshold is out of bounds, got 11; expected 2 to 10",
      "healthyThreshold",
    ],
    [
      { unhealthyThreshold: 1 },
      "healthCheck.unhealthyThreshold is out of bounds, got 1; expected 2 to 10",
      "unhealthyThreshold",
    ],
    [
      { interval: "often" },
      "healthCheck.interval is out of bounds, got NaN seconds; expected 5 to 60 seconds",
      "interval",
    ],
  ])("refuses %j [E1]", async (broken, text, field) => {
    expect(await check({ ...sound, ...broken })).toEqual([
      `blue: ${text}. Set healthCheck.${field} to a whole number in these bounds`,
    ]);
  });

  it("refuses a timeout that is not shorter than the interval, the provider's defaults counted in [E1]", async () => {
    expect(await check({ ...sound, timeout: 10 })).toEqual([
      "blue: healthCheck.timeout is not shorter than the interval, got 10 seconds at an interval of 10; expected less than 10 seconds. " +
        "Shorten the timeout",
    ]);
    expect(await check({ interval: 5 })).toHaveLength(1);
  });

  it("refuses checks that leave a dead target its traffic too long [E1]", async () => {
    expect(await check({ ...sound, interval: 60, unhealthyThreshold: 4 })).toEqual([
      "blue: a dead target keeps its share of the traffic too long, got 240 seconds (4 checks, 60 seconds apart); " +
        "expected at most 180 seconds. Shorten healthCheck.interval or lower healthCheck.unhealthyThreshold",
    ]);
    expect(
      await check({ ...sound, interval: 60, unhealthyThreshold: 4 }, {}, { maximumUnhealthySeconds: 240 }),
    ).toEqual([]);
    expect(
      await check({ ...sound, interval: 120 }, {}, { maximumIntervalSeconds: 120, maximumUnhealthySeconds: 240 }),
    ).toEqual([]);
  });

  it("refuses checks that are off, save for a function [E1]", async () => {
    expect(await check({ enabled: false })).toEqual([
      "blue: health checks are off, got healthCheck.enabled false; expected health checks, without which a dead target keeps its traffic. " +
        "Take healthCheck.enabled out",
    ]);
    expect(await check({ enabled: false, interval: 300 }, { targetType: "lambda" })).toEqual([]);
    expect(await check(undefined, { targetType: "lambda" })).toEqual([]);
  });

  it("leaves the groups of other load balancers alone [E1]", async () => {
    expect(await check({ interval: 300 }, { protocol: "TCP" })).toEqual([]);
  });

  it("judges what is known beside what is not [E1]", async () => {
    expect(await check({ ...sound, interval: notKnownYet, unhealthyThreshold: 1 })).toHaveLength(1);
    expect(await check({ ...sound, interval: notKnownYet })).toEqual([]);
    expect(await check(sound, { vpcId: notKnownYet, protocol: notKnownYet })).toEqual([]);
    expect(await check(notKnownYet)).toEqual([]);
  });
});

describe("slow-start", () => {
  const check = (props: Record<string, unknown>) => violationsOf(slowStart, [aGroup("blue", props)]);

  it("lets it pass off, left out, and between 30 and 900 seconds [E1]", async () => {
    for (const seconds of [undefined, 0, 30, 900]) expect(await check({ slowStart: seconds })).toEqual([]);
  });

  it.each([29, 901, -1, 30.5])("refuses %s seconds [E1]", async (seconds) => {
    expect(await check({ slowStart: seconds })).toEqual([
      `blue: slowStart is out of bounds, got ${seconds} seconds; expected 0, or 30 to 900 seconds. ` +
        "Set slowStart to 0, or to the time that a new target needs to warm up",
    ]);
  });

  it("refuses it with least_outstanding_requests [E1]", async () => {
    const loadBalancingAlgorithmType = "least_outstanding_requests";
    expect(await check({ slowStart: 60, loadBalancingAlgorithmType })).toEqual([
      "blue: slow start does not go together with its routing algorithm, got slowStart 60 with least_outstanding_requests; " +
        "expected round_robin, or slowStart 0. Set slowStart to 0",
    ]);
    expect(await check({ slowStart: 0, loadBalancingAlgorithmType })).toEqual([]);
  });

  it("refuses it for a function [E1]", async () => {
    expect(await check({ slowStart: 60, targetType: "lambda", protocol: undefined })).toEqual([
      "blue: functions have no slow start, got slowStart 60 with target type lambda; expected slowStart 0. Set slowStart to 0",
    ]);
  });

  it("judges the seconds while the algorithm cannot be known, and the other way round [E1]", async () => {
    expect(await check({ slowStart: 10, loadBalancingAlgorithmType: notKnownYet })).toHaveLength(1);
    expect(await check({ slowStart: notKnownYet, loadBalancingAlgorithmType: "least_outstanding_requests" })).toEqual(
      [],
    );
  });
});

describe("deregistration-delay", () => {
  const check = (props: Record<string, unknown>, config = {}) =>
    violationsOf(deregistrationDelay, [aGroup("blue", props)], config);

  it("lets the default pass and what lies in the bounds [E1]", async () => {
    for (const seconds of [undefined, 5, 300, 900]) expect(await check({ deregistrationDelay: seconds })).toEqual([]);
  });

  it.each([0, 4, 901, Number.NaN])("refuses %s seconds [E1]", async (seconds) => {
    expect(await check({ deregistrationDelay: seconds })).toEqual([
      `blue: deregistrationDelay is out of bounds, got ${seconds} seconds; expected 5 to 900 seconds. ` +
        "Set it to a little more than the longest request takes",
    ]);
  });

  it("takes the configured bounds [E1]", async () => {
    expect(await check({ deregistrationDelay: 0 }, { minimumSeconds: 0 })).toEqual([]);
    expect(await check({ deregistrationDelay: 120 }, { maximumSeconds: 60 })).toHaveLength(1);
  });

  it("leaves functions alone, which have none, and other load balancers [E1]", async () => {
    expect(await check({ deregistrationDelay: 0, targetType: "lambda" })).toEqual([]);
    expect(await check({ deregistrationDelay: 0, protocol: "TLS" })).toEqual([]);
  });

  it("says nothing while it cannot be known [E1]", async () => {
    expect(await check({ deregistrationDelay: notKnownYet })).toEqual([]);
  });
});
