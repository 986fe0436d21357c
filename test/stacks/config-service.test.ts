import { describe, expect, it } from "vitest";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService, groupArn, imageOf, serviceProblems } from "./config-builders.ts";

const prefix = "services.checkout.";

/** Breaks one thing and expects exactly these problems, paths below the service. */
function refuses(cases: [string, Record<string, unknown>, string[]][]): void {
  it.each(cases)("refuses %s [B11]", (_title, changes, problems) => {
    expect(serviceProblems(changes)).toEqual(problems.map((problem) => prefix + problem));
  });
}

function serviceOf(changes: Record<string, unknown>) {
  const [service] = parseConfig(aConfig({}, { checkout: aService(changes) })).services;
  if (!service) throw new Error("no service");
  return service;
}

describe("releases", () => {
  refuses([
    ["a service without a baseline", { baseline: undefined }, ["baseline: missing; expected a map"]],
    [
      "a version that YAML took for a number",
      { canary: { version: 2.3, image: imageOf("b") } },
      [
        `canary.version: a number, from which YAML has dropped any trailing zero, got 2.3; expected a text such as "2.30". Put the version in quotes`,
      ],
    ],
    [
      "an image without digest",
      { canary: { version: "2.4.0", image: "registry.example.com/shop/checkout:2.4.0" } },
      [
        `canary.image: image without digest, got "registry.example.com/shop/checkout:2.4.0"; expected <repository>@sha256:<64 hex>. A tag can be moved to other bytes; ask the registry for the digest behind it`,
      ],
    ],
    [
      "a digest cut short",
      { canary: { version: "2.4.0", image: "shop/checkout@sha256:abc" } },
      [
        `canary.image: not an image with a digest, got "shop/checkout@sha256:abc"; expected <repository>@sha256:<64 lower-case hex>`,
      ],
    ],
    [
      "an ARN of something else",
      { canary: { version: "2.4.0", targetGroupArn: "arn:aws:s3:::bucket" } },
      [
        `canary.targetGroupArn: not a target group ARN, got "arn:aws:s3:::bucket"; expected arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>. Find it with aws elbv2 describe-target-groups`,
      ],
    ],
    [
      "a release that nothing runs",
      { canary: { version: "2.4.0" } },
      [
        "canary: nothing runs it; expected image, targetGroupArn or both. Give the image with its digest, or the ARN of the target group that serves this version",
      ],
    ],
    [
      "a canary that is the baseline",
      { canary: { version: "2.4.0", image: imageOf("a") } },
      [
        `canary: the same digest as the baseline, got "sha256:${"a".repeat(64)}"; expected another release. To finish a rollout, leave canary out; to start one, give the new image's digest`,
      ],
    ],
    ["a canary left blank", { canary: null }, ["canary: missing; expected a map"]],
  ]);

  it("take an adopted group's ARN and version for its identity", () => {
    const baseline = { version: "2.3.1", targetGroupArn: groupArn("blue") };
    expect(serviceOf({ baseline }).baseline).toEqual({ ...baseline, digest: `${groupArn("blue")}#2.3.1` });
  });

  it("take the image for the identity of an adopted group that has one", () => {
    const baseline = { version: "2.3.1", targetGroupArn: groupArn("blue"), image: imageOf("c") };
    expect(serviceOf({ baseline }).baseline).toEqual({ ...baseline, digest: `sha256:${"c".repeat(64)}` });
  });
});

describe("wave, attempt and mode", () => {
  refuses([
    [
      "a wave that is not in the plan",
      { wave: 30 },
      ["wave: not in the plan (steady), got 30; expected 0, 10, 25, 50 or 100. Or add a wave of 30 to the plan"],
    ],
    [
      "a wave without a canary",
      { canary: undefined },
      ["wave: a wave without a canary, got 10; expected 0, or no wave. Name the canary it is for"],
    ],
    [
      "a canary without a wave",
      { wave: undefined },
      ["wave: missing; expected 0, 10, 25, 50 or 100. Write wave: 0 to stage the canary without traffic"],
    ],
    ["a wave in words", { wave: "10%" }, [`wave: must be a whole number of percent, got "10%"; expected 0 to 100`]],
    ["attempt 0", { attempt: 0 }, ["attempt: must be a whole number in range, got 0; expected 1 to 1000"]],
    ["a service without a mode [B13]", { mode: undefined }, ["mode: missing; expected act or observe"]],
    [
      "an unknown mode [B13]",
      { mode: "obsrve" },
      [`mode: unknown mode, got "obsrve"; expected act or observe. Did you mean observe?`],
    ],
    [
      "an unknown source",
      { source: "promethues" },
      [`source: unknown source, got "promethues"; expected alb, emf, prometheus or datadog. Did you mean prometheus?`],
    ],
    [
      "an empty reason",
      { overrideReason: " " },
      [`overrideReason: must be a reason in words, got " "; expected one line of 1 to 256 characters`],
    ],
    [
      "a dependency group that is no name [E1]",
      { dependencyGroup: "Payments!" },
      [
        'dependencyGroup: not a group\'s name, got "Payments!"; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter',
      ],
    ],
    ["a switch in words", { retire: "yes" }, [`retire: must be a switch, got "yes"; expected true or false`]],
  ]);

  it("take a dependency group, and none where none is named [E1]", () => {
    expect(serviceOf({ dependencyGroup: "payments" }).dependencyGroup).toBe("payments");
    expect(serviceOf({})).not.toHaveProperty("dependencyGroup");
  });

  it("leave a service without canary at wave 0, attempt 1", () => {
    expect(serviceOf({ canary: undefined, wave: undefined, attempt: undefined })).toMatchObject({
      wavePercent: 0,
      attempt: 1,
    });
  });
});

describe("requests and rules", () => {
  refuses([
    [
      "a service that matches everything",
      { match: {} },
      [`match: matches everything; expected hosts, paths or both, or ruleArn. For all requests write paths: ["/*"]`],
    ],
    [
      "an empty list of hosts",
      { match: { hosts: [], paths: ["/x"] } },
      ["match.hosts: empty list; expected at least one pattern. Leave the key out for any"],
    ],
    [
      "a path without its slash",
      { match: { paths: ["checkout"] } },
      [
        `match.paths[0]: not a path pattern, got "checkout"; expected a path starting with "/" or "*", at most 128 characters`,
      ],
    ],
    [
      "more than 5 condition values, the testers' among them",
      {
        match: { hosts: ["a.example.com", "b.example.com"], paths: ["/a", "/b", "/c"] },
        testers: { header: { name: "X-T", value: "1" } },
      },
      [
        "match: too many condition values for one rule, got 6 (2 hosts, 3 paths, 1 for testers); expected at most 5. Use a wildcard, or make it two services",
      ],
    ],
    [
      "more than 5 wildcards, the cookie's among them",
      {
        match: { hosts: ["*.example.com"], paths: ["/*/a", "/*/b", "/?"] },
        testers: { cookie: { name: "qa", value: "1" } },
      },
      [
        "match: too many wildcards for one rule, got 6 (2 for the testers' cookie); expected at most 5. Spell patterns out, or make it two services",
      ],
    ],
    [
      "testers by header and cookie",
      { testers: { header: { name: "X-T", value: "1" }, cookie: { name: "qa", value: "1" } } },
      ["testers: both header and cookie; expected one of header and cookie. A rule would ask for both at once"],
    ],
    [
      "a priority with no room for three rules",
      { priority: 49_998 },
      ["priority: must be a whole number in range, got 49998; expected 1 to 49997"],
    ],
    [
      "stickiness beyond a week",
      { stickinessSeconds: 604_801 },
      ["stickinessSeconds: must be a whole number of seconds, got 604801; expected 1 to 604800"],
    ],
  ]);

  it("take exactly 5 condition values", () => {
    expect(
      serviceProblems({ match: { hosts: ["a.example.com", "b.example.com"], paths: ["/a", "/b", "/c"] } }),
    ).toEqual([]);
  });
});

describe("target groups", () => {
  refuses([
    [
      "a slow start between off and 30 s",
      { targetGroup: { slowStartSeconds: 10 } },
      [
        "targetGroup.slowStartSeconds: must be a whole number of seconds that ELBv2 allows, got 10; expected 0 (off) or 30 to 900",
      ],
    ],
    [
      "a drain beyond an hour",
      { targetGroup: { deregistrationDelaySeconds: 3_601 } },
      ["targetGroup.deregistrationDelaySeconds: must be a whole number of seconds, got 3601; expected 0 to 3600"],
    ],
    [
      "a health check that outlasts its interval",
      { targetGroup: { healthCheckIntervalSeconds: 5 } },
      ["targetGroup.healthCheckTimeoutSeconds: must be shorter than the interval, got 5; expected less than 5 seconds"],
    ],
    [
      "a target type to come",
      { targetGroup: { targetType: "lambda" } },
      [`targetGroup.targetType: not supported yet, got "lambda"; expected ip or instance`],
    ],
  ]);
});

describe("plans [A1] [A2]", () => {
  refuses([
    [
      "an unknown plan",
      { plan: "stedy" },
      [`plan: unknown plan, got "stedy"; expected steady, cautious, rapid, migration or fine. Did you mean steady?`],
    ],
    [
      "a falling plan",
      {
        plan: {
          waves: [
            { exposurePercent: 50, soak: "1h" },
            { exposurePercent: 10, soak: "1h" },
            { exposurePercent: 100, soak: "1h" },
          ],
        },
      },
      ["plan.waves[1].exposurePercent: must rise from wave to wave, got 10 after 50; expected more than 50"],
    ],
    [
      "a plan that stops short",
      { plan: { waves: [{ exposurePercent: 10, soak: "1h" }] } },
      ["plan.waves[0].exposurePercent: the last wave must be 100, got 10; expected 100"],
    ],
    [
      "a plan without waves",
      { plan: { waves: [] } },
      ["plan.waves: no waves; expected at least one, the last of 100 percent"],
    ],
    [
      "a soak without its unit",
      { plan: { preset: "steady", waves: { 10: { soak: 24 } } } },
      [
        "plan.waves.10.soak: units missing, got 24; expected a duration such as 24h, 10m or 7d. Write the unit: 24s, 24m, 24h or 24d",
      ],
    ],
    [
      "a soak of seconds",
      { plan: { preset: "steady", waves: { 10: { soak: "90s" } } } },
      [`plan.waves.10.soak: duration out of range, got "90s"; expected 1m to 90d in steps of 1m`],
    ],
    [
      "a change to a wave that the preset has not",
      { plan: { preset: "steady", waves: { 20: { soak: "1h" } } } },
      ["plan.waves.20: not a wave of steady; expected 10, 25, 50 or 100. Or list all waves without a preset"],
    ],
    [
      "a list beside a preset",
      { plan: { preset: "steady", waves: [] } },
      [
        "plan.waves: must be a map beside a preset, got an empty list; expected a map from a wave's percent to what changes, such as { 10: { soak: 48h } }. Or leave preset out and list all waves",
      ],
    ],
    [
      "a wave that opens in a way of its own [E8]",
      { plan: { preset: "steady", waves: { 10: { advance: "auto" } } } },
      ['plan.waves.10.advance: unknown value, got "auto"; expected automatic or manual'],
    ],
    [
      "a start that is no wave",
      { plan: { preset: "fine", startAtPercent: 7 } },
      ["plan.startAtPercent: not a wave of fine, got 7; expected 1, 5, 10, 25, 50, 75 or 100"],
    ],
  ]);

  it("take a preset changed field by field", () => {
    const { plan } = serviceOf({
      plan: { preset: "steady", waves: { 10: { soak: "1h", lowering: "human" }, 100: { soak: "endless" } } },
    });
    expect(plan.name).toBe("steady, changed");
    expect(plan.waves.map((wave) => [wave.exposurePercent, wave.minimumSoakMinutes, wave.lowering])).toEqual([
      [10, 60, "human"],
      [25, 1_440, "automatic"],
      [50, 1_440, "automatic"],
      [100, null, "automatic"],
    ]);
  });

  it("let the scheduled workflow open the waves that say so, of a preset and spelled out [E8]", () => {
    const changed = serviceOf({
      plan: { preset: "steady", waves: { 25: { advance: "automatic" }, 50: { advance: "manual" } } },
    }).plan;
    expect(changed.name).toBe("steady, changed");
    expect(changed.waves.map(({ advance }) => advance)).toEqual([undefined, "automatic", undefined, undefined]);
    const waves = [
      { exposurePercent: 10, soak: "1h" },
      { exposurePercent: 100, soak: "1h", advance: "automatic" },
    ];
    expect(serviceOf({ plan: { waves } }).plan.waves.map(({ advance }) => advance)).toEqual([undefined, "automatic"]);
  });

  it("take `fine` without its slow start", () => {
    const { plan } = serviceOf({ plan: { preset: "fine", startAtPercent: 10 } });
    expect(plan.waves.map((wave) => wave.exposurePercent)).toEqual([10, 25, 50, 75, 100]);
  });

  it("take waves spelled out", () => {
    const waves = [
      { exposurePercent: 10, soak: "0.5h", lookEvery: "30s", minimumRequests: 50 },
      { exposurePercent: 100, soak: "2d" },
    ];
    expect(serviceOf({ plan: { waves, watchAfter: "1d" } }).plan).toEqual({
      name: "custom",
      watchAfterMinutes: 1_440,
      waves: [
        {
          exposurePercent: 10,
          minimumSoakMinutes: 30,
          lookEverySeconds: 30,
          minimumRequests: 50,
          lowering: "automatic",
          criteria: [],
        },
        {
          exposurePercent: 100,
          minimumSoakMinutes: 2_880,
          lookEverySeconds: 300,
          minimumRequests: 1_000,
          lowering: "automatic",
          criteria: [],
        },
      ],
    });
  });
});
