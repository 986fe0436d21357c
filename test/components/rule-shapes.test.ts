import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadBalancerArnSuffix, targetGroupArnSuffix } from "../../components/arn.ts";
import { forward, readForward } from "../../components/rule-shapes.ts";
import { stableJson } from "../../core/stable-json.ts";

const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

describe("readForward", () => {
  it("reads back what forward wrote, stickiness only when on", () => {
    const weights = fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
      fc.integer({ min: 0, max: 999 }),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(weights, fc.boolean(), fc.integer({ min: 1, max: 604_800 }), (written, enabled, seconds) => {
        const groups = Object.entries(written).map(([arn, weight]) => ({ arn, weight }));
        const read = readForward({ actions: [forward(groups, { enabled, seconds })] });
        expect(read).toEqual({ weights: written, ...(enabled ? { stickinessSeconds: seconds } : {}) });
      }),
    );
  });

  it.each([
    ["no action", {}, /exactly one action of type forward, got undefined/],
    ["two actions", { actions: [forward([]), forward([])] }, /exactly one action/],
    ["another action", { actions: [{ type: "redirect" }] }, /exactly one action/],
    ["no group", { actions: [forward([])] }, /no target group in the forward action, got \[\]/],
    [
      "an ARN not known yet",
      { actions: [{ type: "forward", forward: { targetGroups: [{ weight: 1 }] } }] },
      /ARN or weight not known/,
    ],
  ])("refuses %s", (_, inputs, message) => {
    expect(() => readForward(inputs)).toThrow(message);
  });
});

describe("ARN suffixes", () => {
  it("takes the CloudWatch dimensions out of ARNs", () => {
    expect(targetGroupArnSuffix(`${elb}:targetgroup/shop/0123`)).toBe("targetgroup/shop/0123");
    expect(loadBalancerArnSuffix(`${elb}:loadbalancer/app/edge/4567`)).toBe("app/edge/4567");
    expect(loadBalancerArnSuffix(`${elb}:listener/app/edge/4567/89ab`)).toBe("app/edge/4567");
  });

  it("refuses a network load balancer, which has no weights", () => {
    expect(() => loadBalancerArnSuffix(`${elb}:listener/net/edge/4567/89ab`)).toThrow(
      `application load balancer or its listener: not an ARN of one, got "${elb}:listener/net/edge/4567/89ab"; expected ` +
        "arn:aws:elasticloadbalancing:<region>:<account>:listener/app/<name>/<id>/<id>",
    );
  });
});

describe("stableJson", () => {
  it("gives the same bytes whatever the order of keys, and leaves undefined out", () => {
    const left = { b: [{ y: 1, x: 2 }], a: undefined, c: null };
    expect(stableJson(left)).toBe('{"b":[{"x":2,"y":1}],"c":null}');
    expect(stableJson({ c: null, b: [{ x: 2, y: 1 }] })).toBe(stableJson(left));
  });
});
