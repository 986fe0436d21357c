import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { parseConfig, readStackFile } from "../../stacks/config.ts";
import { foundationForConfig } from "../../stacks/foundation.ts";
import { aConfig, aFoundation, aService, listenerArn, problemsOf } from "./config-builders.ts";

/** A service stack's config: no network, no alerting. */
const beside = (changes: Record<string, unknown> = {}, services?: Record<string, unknown>) =>
  aConfig({ network: undefined, foundation: "base", ...changes }, services);
const found = (changes = {}) => ({
  foundation: foundationForConfig({ kind: "found", stack: "example/tidegate/base", outputs: aFoundation(changes) }),
});

describe("a service stack's config", () => {
  it("has network, links and peers of its foundation [E7]", () => {
    const config = parseConfig(beside(), found({ peers: ["us-east-1"], dashboard: "https://grafana.example.com/d/1" }));
    expect(config).toMatchObject({
      environment: "dev",
      foundation: "base",
      peers: ["us-east-1"],
      network: { vpcId: "vpc-01234567", subnetIds: [], listenerArn, internal: true, allowedCidrs: [] },
      alerting: {
        email: [],
        runbooks: "https://wiki.example.com/runbooks",
        dashboard: "https://grafana.example.com/d/1",
      },
    });
    expect(config.services.map(({ name }) => name)).toEqual(["checkout"]);
  });

  it("takes what Pulumi.yaml puts in place of nothing for nothing [E7]", () => {
    expect(problemsOf(beside({ network: {}, alerting: {}, peers: [], takeOver: {} }), found())).toEqual([]);
    expect(problemsOf(aConfig({ network: {} }))).toEqual(["network: missing; expected a map"]);
    expect(problemsOf(aConfig({ services: {} }))).toEqual([]);
    expect(problemsOf(aConfig({ services: undefined }))).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    [
      "what belongs to the foundation",
      { network: { vpcId: "vpc-01234567" }, alerting: { email: ["a@example.com"] }, peers: ["us-east-1"] },
      [
        "network: the foundation's, and this stack declares services beside one, got a map; expected no such setting. Set it in stack base, or take foundation out",
        "alerting: the foundation's, and this stack declares services beside one; expected no such setting. Set it in stack base, or take foundation out",
        "peers: the foundation's, and this stack declares services beside one, got a list of 1; expected no such setting. Set it in stack base, or take foundation out",
      ].map((text) => text.replace(/, got (a map|a list of 1)/, "")),
    ],
    [
      "another environment",
      { environment: "prod" },
      [
        `environment: not where its foundation is (base), got "prod"; expected dev. Correct it, or name that environment's foundation`,
      ],
    ],
    [
      "a name that is none",
      { foundation: "a/b" },
      [
        `foundation: not the name of a stack, got "a/b"; expected here, <stack> or <organisation>/<project>/<stack>. Leave it out, and this stack makes its own record table and hook`,
      ],
    ],
    [
      "a service on a listener out of the hook's reach",
      {
        services: {
          checkout: aService({ listenerArn: listenerArn.replace("fedcba9876543210", "aaaaaaaaaaaaaaaa") }),
        },
      },
      [
        `services.checkout.listenerArn: a listener that the foundation's hook may not lower rules of, got "${listenerArn.replace("fedcba9876543210", "aaaaaaaaaaaaaaaa")}"; expected ${listenerArn}. Add it to network.moreListenerArns of the foundation's stack, and run pulumi up there first`,
      ],
    ],
    [
      "a take-over that names nothing",
      { takeOver: { basket: "example/tidegate/old", checkout: "old" } },
      [
        `takeOver.basket: not a service here; expected checkout`,
        `takeOver.checkout: not the full name of a stack, got "old"; expected <organisation>/<project>/<stack>. The refusal without takeOver names it`,
      ],
    ],
  ])("refuses %s [E7, B11]", (_name, changes, problems) => {
    expect(problemsOf(beside(changes), found())).toEqual(problems);
  });

  it("takes a listener that the foundation names for its services [E7]", () => {
    const other = listenerArn.replace("fedcba9876543210", "aaaaaaaaaaaaaaaa");
    const services = { checkout: aService({ listenerArn: other }) };
    expect(problemsOf(beside({}, services), found({ moreListenerArns: [other] }))).toEqual([]);
    expect(
      parseConfig(aConfig({ network: { vpcId: "vpc-01234567", listenerArn, moreListenerArns: [other] } })).network,
    ).toMatchObject({ moreListenerArns: [other] });
  });

  it("refuses another region once, however many ARNs are the foundation's [E7]", () => {
    expect(problemsOf({ ...beside(), aws: { region: "us-east-1" } }, found())).toEqual([
      `aws:region: not where its foundation is (base), got "us-east-1"; expected eu-west-1. Correct it, or name that environment's foundation`,
    ]);
  });

  it("refuses an owner whom the foundation does not route to [B10]", () => {
    const services = { checkout: aService({ dependencyOwner: "paymens" }) };
    expect(problemsOf(beside({}, services), found({ dependencyOwners: ["payments", "search"] }))).toEqual([
      `services.checkout.dependencyOwner: none of the foundation's owners, got "paymens"; expected payments or search. Did you mean payments?`,
    ]);
  });

  it("names why the foundation could not be read beside its own problems [B11]", () => {
    const problems = ["foundation: stack example/tidegate/base has no outputs"];
    expect(problemsOf(beside({ environment: "Dev" }), { foundation: { problems } })).toEqual([
      expect.stringContaining("environment: not an environment name"),
      "foundation: stack example/tidegate/base has no outputs",
    ]);
    expect(problemsOf(beside())).toEqual([
      `foundation: another stack, of which nothing was read, got "base"; expected here, or that stack's outputs or file. This is a fault of whoever reads the config`,
    ]);
  });
});

describe("a service stack's file", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-stacks-"));
  const write = (stack: string, { aws, tidegate }: ReturnType<typeof aConfig>) => {
    const path = join(folder, `Pulumi.${stack}.yaml`);
    const entries = [
      ...Object.entries(aws).map(([key, value]) => [`aws:${key}`, value]),
      ...Object.entries(tidegate).map(([key, value]) => [`tidegate:${key}`, value]),
    ].filter(([, value]) => value !== undefined);
    writeFileSync(path, stringify({ config: Object.fromEntries(entries) }));
    return path;
  };

  it("is read with its foundation's beside it [E3, E7]", () => {
    write("base", aConfig({ services: {}, alerting: { email: ["sre@example.com"] } }));
    const { config } = readStackFile(write("shop", beside({ foundation: "example/tidegate/base" })));
    expect(config).toMatchObject({
      foundation: "example/tidegate/base",
      network: { subnetIds: ["subnet-01234567", "subnet-89abcdef"] },
      alerting: { email: ["sre@example.com"] },
    });
  });

  it("is refused without it, and where it is no foundation, in a circle too [E7, B11]", () => {
    const lone = write("lone", beside({ foundation: "gone" }));
    expect(() => readStackFile(lone)).toThrow(
      `foundation: stack gone is read from Pulumi.gone.yaml beside this file, which has problems of its own: ${join(folder, "Pulumi.gone.yaml")}: no such file; expected a YAML file`,
    );
    write("left", beside({ foundation: "right" }));
    expect(() => readStackFile(write("right", beside({ foundation: "left" })))).toThrow(
      `foundation: Pulumi.left.yaml has its foundation elsewhere itself, got "left"; expected a stack that is one. Name that one, right`,
    );
    expect(() => readStackFile(write("self", beside({ foundation: "self" })))).toThrow(
      `foundation: Pulumi.self.yaml has its foundation elsewhere itself, got "self"; expected a stack that is one. Leave it out`,
    );
  });
});
