import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  alarmName,
  alarmPrefix,
  compositeAlarmName,
  hookFunctionName,
  isSlug,
  loadBalancerName,
  maximumEnvironmentLength,
  maximumObjectiveLength,
  maximumServiceLength,
  parseAlarmName,
  releaseKey,
  serviceAlarmName,
  tableName,
  targetGroupLogicalName,
  versionSlug,
} from "../../core/naming.ts";

const letters = "abcdefghijklmnopqrstuvwxyz0123456789-";
const slugOf = (maximumLength: number) =>
  fc
    .string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: maximumLength })
    .filter((text) => isSlug(text, maximumLength));
const service = slugOf(maximumServiceLength);
const environment = slugOf(maximumEnvironmentLength);
const release = fc.record({
  version: fc.string({ minLength: 1, maxLength: 64 }),
  digest: fc
    .string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 })
    .map((hex) => `sha256:${hex}`),
});

describe("release keys", () => {
  it("show the version and tell digests apart", () => {
    expect(releaseKey({ version: "2.4.0", digest: "sha256:aa" })).toBe("2-4-0-e13d86e1");
    expect(releaseKey({ version: "2.4.0", digest: "sha256:bb" })).not.toBe("2-4-0-e13d86e1");
  });

  it.each([
    ["2.4.0+Build_7", "2-4-0-build-7"],
    ["--v1--", "v1"],
    ["***", "release"],
    ["1.0.0-a-very-long-prerelease-name", "1-0-0-a-very-long-prerel"],
    ["1.0.0-a-very-long-prere.x", "1-0-0-a-very-long-prere"],
  ])("slug %s to %s", (version, slug) => {
    expect(versionSlug(version)).toBe(slug);
  });
});

describe("target groups", () => {
  it("keep a short name whole", () => {
    expect(targetGroupLogicalName("checkout", "2-4-0-1a2b3c4d")).toMatch(/^checkout-2-4-0-[0-9a-f]{8}$/);
  });

  it("hash what does not fit", () => {
    expect(targetGroupLogicalName("checkout-europe", "2-4-0-1a2b3c4d")).toMatch(/^checkout-europe-[0-9a-f]{8}$/);
  });

  it("tell a service with a hyphen from a version with one", () => {
    expect(targetGroupLogicalName("a-b", "c-12345678")).not.toBe(targetGroupLogicalName("a", "b-c-12345678"));
  });

  it("always fit into ELBv2's 32 characters with Pulumi's suffix", () => {
    fc.assert(
      fc.property(service, release, (name, one) => {
        const physical = `${targetGroupLogicalName(name, releaseKey(one))}-0a1b2c3`;
        expect(physical.length).toBeLessThanOrEqual(32);
        expect(physical).toMatch(/^[a-z0-9][a-z0-9-]*[a-z0-9]$/);
        // ELBv2 refuses two hyphens in a row.
        expect(physical).not.toContain("--");
      }),
    );
  });

  it("never share a name", () => {
    fc.assert(
      fc.property(service, release, service, release, (left, one, right, other) => {
        fc.pre(left !== right || releaseKey(one) !== releaseKey(other));
        expect(targetGroupLogicalName(left, releaseKey(one))).not.toBe(
          targetGroupLogicalName(right, releaseKey(other)),
        );
      }),
    );
  });
});

describe("alarms", () => {
  it("are named by environment, service, release and what they watch", () => {
    expect(alarmName("dev", "checkout", "2-4-0-1a2b3c4d", "error-rate/critical/60s")).toBe(
      "tidegate/dev/checkout/2-4-0-1a2b3c4d/error-rate/critical/60s",
    );
  });

  it("of the whole service are outside the prefix that wakes the hook, and no alarm of a release [D1]", () => {
    const names = [
      serviceAlarmName("dev", "checkout", "availability/warning/300s"),
      compositeAlarmName("dev", "checkout", "warning"),
      compositeAlarmName("dev", "checkout", "critical", 2),
    ];
    expect(names).toEqual([
      "tidegate-slo/dev/checkout/availability/warning/300s",
      "tidegate-slo/dev/checkout/warning",
      "tidegate-slo/dev/checkout/critical-2",
    ]);
    for (const name of names) {
      expect(name.startsWith(alarmPrefix("dev"))).toBe(false);
      expect(parseAlarmName(name)).toBeUndefined();
    }
    expect(() => serviceAlarmName("dev", "checkout", "x".repeat(230))).toThrow(
      /^alarm name tidegate-slo\/dev\/checkout\/x+: too long, got 256 characters; expected at most 255$/,
    );
  });

  it("give their parts back, begin with the environment's prefix and fit into 255 characters", () => {
    const key = fc
      .tuple(
        slugOf(maximumObjectiveLength),
        fc.constantFrom("critical", "warning"),
        fc.integer({ min: 10, max: 86_400 }),
      )
      .map(([objective, severity, seconds]) => `${objective}/${severity}/${seconds}s`);
    fc.assert(
      fc.property(environment, service, release, key, (inside, name, one, alarmKey) => {
        const full = alarmName(inside, name, releaseKey(one), alarmKey);
        expect(parseAlarmName(full)).toEqual({
          environment: inside,
          service: name,
          releaseKey: releaseKey(one),
          alarmKey,
        });
        expect(full.startsWith(alarmPrefix(inside))).toBe(true);
      }),
    );
  });

  it.each(["other/dev/checkout/r/k", "tidegate/dev/checkout/r", "tidegate//checkout/r/k", ""])(
    "do not claim %s",
    (name) => {
      expect(parseAlarmName(name)).toBeUndefined();
    },
  );

  it("refuse a name that CloudWatch would refuse", () => {
    expect(() => alarmName("dev", "checkout", "r", "x".repeat(240))).toThrowError(
      `alarm name tidegate/dev/checkout/r/${"x".repeat(240)}: too long, got 264 characters; expected at most 255`,
    );
  });
});

it("names the environment's own parts within their limits", () => {
  expect([loadBalancerName("dev"), tableName("dev"), hookFunctionName("dev")]).toEqual([
    "tidegate-dev",
    "tidegate-dev",
    "tidegate-dev-hook",
  ]);
  fc.assert(
    fc.property(environment, (name) => {
      expect(loadBalancerName(name).length).toBeLessThanOrEqual(32);
    }),
  );
});

it.each(["Dev", "1st", "a--b", "a-", "-a", "a_b", "", "a".repeat(17)])(
  "does not take %j for an environment",
  (name) => {
    expect(isSlug(name, maximumEnvironmentLength)).toBe(false);
  },
);
