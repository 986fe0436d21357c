import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { BadInputError } from "../../core/bad-input.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
import { intentOf, parseConfig, readStackConfig, readStackFile, toSettings } from "../../stacks/config.ts";
import { aConfig, aService, groupArn, imageOf, listenerArn, problemsOf } from "./config-builders.ts";

describe("a config that is fine", () => {
  it("comes out whole, with every default filled in", () => {
    expect(parseConfig(aConfig())).toEqual({
      environment: "dev",
      region: "eu-west-1",
      access: { assumeRoles: [] },
      foundation: "here",
      peers: [],
      network: {
        vpcId: "vpc-01234567",
        subnetIds: ["subnet-01234567", "subnet-89abcdef"],
        internal: true,
        allowedCidrs: [],
      },
      alerting: { email: [], runbooks: "docs/runbooks" },
      services: [
        {
          name: "checkout",
          mode: "act",
          routes: [{ match: { hosts: ["shop.example.com"], paths: ["/checkout/*"] }, priority: 100 }],
          baseline: { version: "2.3.1", digest: `sha256:${"a".repeat(64)}`, image: imageOf("a") },
          canary: { version: "2.4.0", digest: `sha256:${"b".repeat(64)}`, image: imageOf("b") },
          wavePercent: 10,
          attempt: 1,
          plan: planPresets.steady,
          objectives: objectivePresets.web,
          source: "emf",
          burnRate: { periodDays: 28, windows: "page" },
          readyTimeoutSeconds: 300,
          blindMinutes: 15,
          rollbackWindowMinutes: 1_440,
          targetGroup: {
            port: 8080,
            protocol: "HTTP",
            targetType: "ip",
            healthCheckPath: "/",
            healthCheckIntervalSeconds: 10,
            healthCheckTimeoutSeconds: 5,
            healthyThresholdCount: 2,
            unhealthyThresholdCount: 2,
            slowStartSeconds: 0,
            deregistrationDelaySeconds: 300,
          },
          retire: false,
        },
      ],
    });
  });

  it("becomes the intent that core decides on", () => {
    const config = parseConfig(aConfig({}, { checkout: aService({ attempt: 2, overrideReason: "tested by hand" }) }));
    const [service] = config.services;
    if (!service) throw new Error("no service");
    expect(intentOf(config, service)).toEqual({
      environment: "dev",
      service: "checkout",
      mode: "act",
      plan: planPresets.steady,
      baseline: service.baseline,
      canary: service.canary,
      wavePercent: 10,
      attempt: 2,
      retire: false,
      overrideReason: "tested by hand",
    });
  });

  it("lists services by name, whatever their order", () => {
    const other = { match: { hosts: ["other.example.com"] }, priority: 200 };
    const config = parseConfig(aConfig({}, { zebra: aService(other), alpha: aService() }));
    expect(config.services.map((service) => service.name)).toEqual(["alpha", "zebra"]);
  });
});

describe("environment, network and alerting", () => {
  const network = { vpcId: "vpc-01234567", subnetIds: ["subnet-01234567", "subnet-89abcdef"] };
  it.each<[string, unknown, string[]]>([
    [
      "an empty config",
      {},
      [
        "aws:region: missing; expected a region such as eu-west-1. pulumi config set aws:region eu-west-1",
        "environment: missing; expected at most 16 characters: lower-case letters, digits and single inner hyphens, starting with a letter. pulumi config set tidegate:environment dev",
        "network: missing; expected a map",
      ],
    ],
    [
      "one subnet",
      aConfig({ network: { ...network, subnetIds: ["subnet-01234567"] } }),
      [
        "network.subnetIds: too few subnets for a load balancer, got 1; expected at least 2. Name two in different zones, or adopt a listener with listenerArn",
      ],
    ],
    [
      "settings of a load balancer that is adopted",
      aConfig({ network: { vpcId: "vpc-01234567", listenerArn, internal: false } }),
      [
        "network.internal: belongs to a load balancer that the program makes, and listenerArn adopts one; expected one of the two. Leave internal or listenerArn out",
      ],
    ],
    [
      "an address range that is none",
      aConfig({ network: { ...network, allowedCidrs: ["10.0.0.0/33"] } }),
      [`network.allowedCidrs[0]: not an IPv4 range, got "10.0.0.0/33"; expected a range such as 10.0.0.0/8`],
    ],
    [
      "another region than the adopted listener's",
      { ...aConfig({ network: { vpcId: "vpc-01234567", listenerArn } }), aws: { region: "us-east-1" } },
      [
        `network.listenerArn: in another region, got "eu-west-1"; expected us-east-1, as aws:region says. Correct the ARN or the region`,
      ],
    ],
    [
      "a service by the name that drills go by",
      aConfig({}, { "tidegate-drill": aService() }),
      [
        `services.tidegate-drill: the name that drills go by, got "tidegate-drill"; expected any other. Call the service something else`,
      ],
    ],
    [
      "a service name that is none",
      aConfig({}, { Check_Out: aService() }),
      [
        `services.Check_Out: not a service name, got "Check_Out"; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter`,
      ],
    ],
  ])("refuse %s", (_title, raw, problems) => {
    expect(problemsOf(raw)).toEqual(problems);
  });

  it("never repeat what may be secret", () => {
    const secret = "s3cret-*value";
    const raw = aConfig(
      { alerting: secret, network: secret },
      { checkout: aService({ testers: { header: { name: "X-Canary", value: secret } }, [secret]: secret }) },
    );
    const shown = problemsOf(raw).filter((problem) => !problem.includes("unknown key"));
    expect(shown).toEqual([
      `network: must be a map, got "${secret}"; expected a map`,
      "alerting: must be a map, got a value not shown here; expected a map",
      "services.checkout.testers.header.value: not a tester value, got a value not shown here; expected 1 to 128 letters, digits and ._~+/=@:-, no wildcards",
    ]);
    const hidden = () => parseConfig(raw, { secretKeys: ["network"] });
    expect(hidden).toThrowError(/network: must be a map, got a value not shown here; expected a map/);
  });
});

describe("between services", () => {
  const other = (changes: Record<string, unknown>) =>
    aService({
      match: { hosts: ["other.example.com"] },
      priority: 200,
      baseline: { version: "1.0.0", targetGroupArn: groupArn("other-blue") },
      canary: { version: "1.1.0", targetGroupArn: groupArn("other-green") },
      ...changes,
    });

  it.each<[string, Record<string, unknown>, string[]]>([
    [
      "one target group for two releases [A3]",
      { basket: other({ canary: { version: "1.1.0", targetGroupArn: groupArn("other-blue") } }) },
      [
        `services.basket.canary.targetGroupArn: the same target group as services.basket.baseline.targetGroupArn, got "${groupArn("other-blue")}"; expected a target group of its own for each release. Give the other release's ARN, or leave it out and the program makes one`,
      ],
    ],
    [
      "one target group for two services [A3]",
      {
        basket: other({}),
        cart: other({ match: { hosts: ["cart.example.com"] }, priority: 300, canary: undefined, wave: 0 }),
      },
      [
        `services.cart.baseline.targetGroupArn: the same target group as services.basket.baseline.targetGroupArn, got "${groupArn("other-blue")}"; expected a target group of its own for each release. Give the other release's ARN, or leave it out and the program makes one`,
      ],
    ],
    [
      "requests that two services match",
      { checkout: aService(), basket: other({ match: { hosts: ["*.example.com"], paths: ["/check*", "/basket"] } }) },
      [
        "services.basket.match: overlaps services.checkout.match on host shop.example.com and *.example.com, path /checkout/* and /check*, got *.example.com, /check*, /basket; expected requests that no other service matches. Narrow one of the two",
      ],
    ],
    [
      "rules that meet",
      { checkout: aService(), basket: other({ priority: 102 }) },
      [
        "services.basket.priority: meets services.checkout.priority, which takes 100 to 102, got 102; expected at most 97 or at least 103. A service takes three priorities; steps of ten leave room",
      ],
    ],
    [
      "another account",
      {
        basket: other({
          canary: { version: "1.1.0", targetGroupArn: groupArn("other-green").replace("123456789012", "210987654321") },
        }),
      },
      [
        `services.basket.canary.targetGroupArn: in another account, got "210987654321"; expected 123456789012, as services.basket.baseline.targetGroupArn has it. One stack is one account`,
      ],
    ],
  ])("refuses %s", (_title, services, problems) => {
    expect(problemsOf(aConfig({}, services))).toEqual(problems);
  });

  it("names an overlap even where both services are broken otherwise [B11]", () => {
    const problems = problemsOf(aConfig({}, { checkout: aService({ mode: "x" }), basket: aService({ plan: 1 }) }));
    expect(problems.map((problem) => problem.split(":")[0])).toEqual([
      "services.checkout.mode",
      "services.basket.plan",
      "services.basket.match",
      "services.basket.priority",
    ]);
  });
});

describe("where a config comes from", () => {
  const directory = mkdtempSync(join(tmpdir(), "stack-"));
  function fileWith(text: string): string {
    const path = join(directory, "Pulumi.mine.yaml");
    writeFileSync(path, text);
    return path;
  }

  it.each(["dev", "prod"])("reads the %s stack as shipped", (stack) => {
    const { config, raw } = readStackFile(join(import.meta.dirname, `../../Pulumi.${stack}.yaml`));
    expect(config.services.map((service) => [service.name, service.mode])).toEqual([["checkout", "act"]]);
    expect(parseConfig(raw)).toEqual(config);
  });

  it("gives Pulumi's settings the same config", () => {
    const { config, raw } = readStackFile(join(import.meta.dirname, "../../Pulumi.dev.yaml"));
    pulumi.runtime.setAllConfig(toSettings(raw));
    expect(readStackConfig()).toEqual(config);
  });

  it("fails the program with a RunError of every problem", () => {
    pulumi.runtime.setAllConfig({ "tidegate:environment": "dev", "tidegate:services": "{}", "tidegate:netwrk": "{}" });
    let thrown: unknown;
    try {
      readStackConfig();
    } catch (error) {
      thrown = error;
    }
    expect(pulumi.RunError.isInstance(thrown)).toBe(true);
    expect(thrown instanceof Error && thrown.message).toBe(
      [
        `config "tidegate" has 3 problems (stack ${pulumi.getStack()}):`,
        "  aws:region: missing; expected a region such as eu-west-1. pulumi config set aws:region eu-west-1",
        "  netwrk: unknown key; expected environment, foundation, peers, network, alerting, services, takeOver, ladder or freezes. Did you mean network?",
        "  network: missing; expected a map",
      ].join("\n"),
    );
  });

  it.each([
    [
      "malformed YAML by its line",
      "config:\n  aws:region: eu-west-1\n  tidegate:network: { vpcId: vpc-1\n",
      [
        "Pulumi.mine.yaml:4: malformed YAML: Flow map in block collection must be sufficiently indented and end with a }",
      ],
    ],
    [
      "a file without config",
      "encryptionsalt: v1\n",
      ["Pulumi.mine.yaml: no config; expected a map under config:. Copy Pulumi.dev.yaml"],
    ],
  ])("names %s", (_title, text, problems) => {
    let thrown: unknown;
    try {
      readStackFile(fileWith(text));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(BadInputError);
    expect(thrown instanceof BadInputError && thrown.problems).toEqual(problems);
  });

  it("names encrypted values once, and the other problems beside them", () => {
    const text = [
      "config:",
      "  aws:region: eu-west-1",
      "  plain: 1",
      "  tidegate:environment: { secure: v1:abc }",
      "  tidegate:network: { vpcId: vpc-01234567, subnetIds: [subnet-01234567, subnet-89abcdef] }",
      "  tidegate:services: []",
    ].join("\n");
    expect(() => readStackFile(fileWith(text))).toThrowError(
      [
        `config "tidegate" has 3 problems (stack mine):`,
        "  config.plain: a key without a namespace; expected tidegate:plain or <provider>:plain",
        "  environment: an encrypted value, which is not decrypted here; expected a plain value. Try it with a copy of the file that has a stand-in",
        "  services: must be a map, got an empty list; expected a map from service name to service",
      ].join("\n"),
    );
  });

  it("names a file that is not there", () => {
    const path = join(directory, "Pulumi.none.yaml");
    expect(() => readStackFile(path)).toThrowError(
      `config "tidegate" has 1 problem (stack none):\n  ${path}: no such file; expected a YAML file`,
    );
  });
});
