import type * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { Declaration, Notice } from "../../core/declaration.ts";
import { type EnvironmentConfig, parseConfig } from "../../stacks/config.ts";
import { declareEnvironment, hookChangeWatchName } from "../../stacks/declare-environment.ts";
import { foundationForConfig } from "../../stacks/foundation.ts";
import { placeProblems, previousUp, stackIdentity } from "../../stacks/own-place.ts";
import { type ProgramLog, program } from "../../stacks/program.ts";
import { aDeclaration, rememberingGuards } from "../helpers/builders.ts";
import { account, runPulumi } from "../helpers/pulumi-run.ts";
import { aConfig, aFoundation, aService } from "./config-builders.ts";

const bundleFolder = new URL(import.meta.url).pathname;
const environment = (): EnvironmentConfig => parseConfig(aConfig());

function capturedLog() {
  const lines: string[] = [];
  const line = (level: string) => (text: string, resource?: pulumi.Resource) => {
    lines.push(`${level} ${text}${resource ? " (under its service)" : ""}`);
  };
  const log: ProgramLog = { info: line("info"), warn: line("warn") };
  return { lines, log };
}

const heard = { email: ["sre@example.com"], runbooks: "docs/runbooks" };

function run(declaration: Declaration, isPreview: boolean, alerting: EnvironmentConfig["alerting"] = heard) {
  const { lines, log } = capturedLog();
  const ran = runPulumi(() =>
    program({
      config: { ...environment(), alerting },
      decide: async () => [declaration],
      guards: rememberingGuards().binding,
      hookBundleFolder: bundleFolder,
      watchmanBundleFolder: bundleFolder,
      stackId: "example/tidegate/dev",
      accountId: account,
      isPreview,
      log,
    }),
  );
  return { ran, lines };
}

const refused = aDeclaration(10, { refusals: ["checkout: the soak has 3 h to go", "checkout: 40 requests so far"] });

describe("program", () => {
  it("refuses an up with every reason, before any resource [B11]", async () => {
    const registered: string[] = [];
    const config = environment();
    const attempt = runPulumi(
      () =>
        program({
          config,
          decide: async () => [refused],
          guards: rememberingGuards().binding,
          hookBundleFolder: bundleFolder,
          watchmanBundleFolder: bundleFolder,
          stackId: "example/tidegate/dev",
          accountId: account,
          isPreview: false,
        }),
      {
        fail: ({ type }) => {
          if (type !== "pulumi:pulumi:Stack") registered.push(type);
          return undefined;
        },
      },
    );
    await expect(attempt).rejects.toThrow(
      [
        "this up is refused for 2 reasons; nothing was changed (stack example/tidegate/dev):",
        "  checkout: the soak has 3 h to go",
        "  checkout: 40 requests so far",
      ].join("\n"),
    );
    expect(registered).toEqual([]);
  });

  it("only warns in a preview of what an up would refuse", async () => {
    const { ran, lines } = run(refused, true);
    expect((await ran).names().length).toBeGreaterThan(22);
    expect(lines).toEqual([
      "warn this up would be refused: checkout: the soak has 3 h to go (under its service)",
      "warn this up would be refused: checkout: 40 requests so far (under its service)",
    ]);
  });

  it("tells notices under their service, warnings as warnings", async () => {
    const notices: Notice[] = [
      { kind: "pinned", severity: "warning", text: "checkout: pinned at 0 %" },
      { kind: "note", severity: "info", text: "checkout: soak served" },
    ];
    const { ran, lines } = run(aDeclaration(10, { notices }), false);
    await ran;
    expect(lines).toEqual([
      "warn checkout: pinned at 0 % (under its service)",
      "info checkout: soak served (under its service)",
    ]);
  });

  it("warns where nobody would hear of an alarm, or of anything [D4]", async () => {
    const told = async (change: Partial<EnvironmentConfig["alerting"]>) => {
      const { ran, lines } = run(aDeclaration(10), true, { email: [], runbooks: "docs/runbooks", ...change });
      await ran;
      return lines;
    };
    expect(await told({})).toEqual([
      "warn alerting: nobody is told of anything: no e-mail, no PagerDuty, no Slack. Add one before a service acts",
    ]);
    const routingKeySecretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:routing-AbCdEf";
    expect(await told({ pagerduty: { kind: "own-key", routingKeySecretArn } })).toEqual([
      "warn alerting: the hook's pages are told, and its alarms and the watchman's reach nobody: while the hook is down, nobody hears " +
        "of it. Add an e-mail, pagerduty with escalationPolicyId, or slack.chatbot",
    ]);
    expect(await told({ email: ["sre@example.com"] })).toEqual([]);
  });

  it("tells the next up where the stack lives, and others what each service serves", async () => {
    const { outputs } = await run(aDeclaration(10), false).ran;
    expect(outputs).toMatchObject({
      accountId: account,
      region: "eu-west-1",
      tableName: "tidegate-dev",
      services: {
        checkout: { exposurePercent: 10, baselineVersion: "2.3.1", canaryVersion: "2.4.0" },
      },
    });
    expect(Object.keys(outputs.services.checkout?.ruleArns ?? {})).toEqual(["main", "anchor"]);
    expect(outputs).toMatchObject({
      contractVersion: 1,
      foundation: "here",
      environment: "dev",
      hookFunctionName: "tidegate-dev-hook",
      hookAliasName: "live",
      hookArn: expect.stringContaining("live"),
      criticalTopicArn: expect.stringContaining("arn:aws:sns:eu-west-1:"),
      warningTopicArn: expect.stringContaining("arn:aws:sns:eu-west-1:"),
      loadBalancerArnSuffix: "app/tidegate-dev/00000000000000bb",
      vpcId: "vpc-01234567",
      runbooks: "docs/runbooks",
      peers: [],
      moreListenerArns: [],
      dependencyOwners: [],
    });
  });
});

describe("declareEnvironment", () => {
  const args = (changes: Partial<Parameters<typeof declareEnvironment>[0]> = {}) => ({
    config: environment(),
    declarations: [aDeclaration(10)],
    guards: rememberingGuards().binding,
    hookBundleFolder: bundleFolder,
    watchmanBundleFolder: bundleFolder,
    stackId: "example/tidegate/dev",
    accountId: account,
    ...changes,
  });

  it("refuses decisions that do not match the services", async () => {
    const declarations = [aDeclaration(10, { service: "search" })];
    await expect(runPulumi(() => declareEnvironment(args({ declarations })))).rejects.toThrow(
      "services: config and decisions do not match, got a difference in checkout, search; expected one decision for each service",
    );
  });

  it("registers the same resources for the same arguments", async () => {
    const [left, right] = [
      await runPulumi(() => declareEnvironment(args())),
      await runPulumi(() => declareEnvironment(args())),
    ];
    const told = ({ resources }: typeof left) =>
      resources.map(({ type, name, inputs }) => JSON.stringify([type, name, inputs])).sort();
    expect(told(right)).toEqual(told(left));
  });

  it("costs 45 resources for the environment, whatever the number of services [D9]", async () => {
    const services = {
      checkout: aService(),
      search: aService({ match: { hosts: ["search.example.com"] }, priority: 200 }),
    };
    const declarations = [aDeclaration(10), aDeclaration(0, { service: "search" })];
    const two = await runPulumi(() =>
      declareEnvironment(args({ config: parseConfig(aConfig({}, services)), declarations })),
    );
    const one = await runPulumi(() => declareEnvironment(args()));
    const perService = two.names().length - one.names().length;
    expect({ foundation: one.names().length - perService, perService }).toEqual({ foundation: 45, perService: 28 });
  });

  it("makes a raise wait for the hook's code and tells the guard that it changes", async () => {
    const guards = rememberingGuards();
    const result = await runPulumi(() => declareEnvironment(args({ guards: guards.binding })));
    expect(result.the("aws:lb/listenerRule:ListenerRule", "-main").dependsOn).toContain("dev-alias");
    expect(guards.hookChanges.map((changes) => changes())).toEqual([false]);
    await guards.callbacks.get(hookChangeWatchName)?.({ urn: "", id: "", name: "", type: "" });
    expect(guards.hookChanges.map((changes) => changes())).toEqual([true]);
  });
});

describe("placeProblems", () => {
  const here = { accountId: account, region: "eu-west-1", tableName: "tidegate-dev", foundation: "here" };

  it("lets a new stack and the stack's own place through", () => {
    expect(placeProblems({ previous: {}, current: here })).toEqual([]);
    expect(placeProblems({ previous: here, current: here })).toEqual([]);
  });

  it("names everything that is not where the stack lives", () => {
    const elsewhere = {
      accountId: "999999999999",
      region: "us-east-1",
      tableName: "tidegate-prod",
      foundation: "example/tidegate/base",
    };
    expect(placeProblems({ previous: elsewhere, current: here, providerAccountId: "888888888888" })).toEqual([
      `AWS account: not where this stack lives, got ${account}; expected 999999999999. Use credentials of the stack's account`,
      "aws:region: not where this stack lives, got eu-west-1; expected us-east-1. Set it back; another region is another stack",
      "record table: not where this stack lives, got tidegate-dev; expected tidegate-prod. Set tidegate:environment back; another " +
        "environment is another stack",
      "tidegate:foundation: not where this stack lives, got here; expected example/tidegate/base. Set it back: this up would make or delete a whole " +
        "foundation. Services move to another stack by tidegate:takeOver there",
      `AWS account: Pulumi's provider and the AWS SDK act in different ones, got 888888888888 and ${account}; expected the same. Give both their ` +
        "credentials by aws:profile and aws:assumeRoles, or by the environment alone",
    ]);
  });

  it("refuses another account than the foundation's [E7]", () => {
    const current = { ...here, foundation: "example/tidegate/base" };
    expect(placeProblems({ previous: {}, current, foundationAccountId: "999999999999" })).toEqual([
      `AWS account: not where the foundation is (example/tidegate/base), got ${account}; expected 999999999999. Use credentials of the foundation's account`,
    ]);
  });
});

describe("previousUp", () => {
  const asked: unknown[] = [];
  const read = (answer: Record<string, unknown>) =>
    runPulumi(() => previousUp(stackIdentity()), {
      call: ({ token, inputs }) => {
        asked.push([token, inputs]);
        return answer;
      },
    });

  it("reads the stack's own outputs without leaving a resource", async () => {
    const place = {
      accountId: account,
      region: "eu-west-1",
      tableName: "tidegate-dev",
      foundation: "example/tidegate/base",
    };
    const workload = { kind: "kubernetes", cluster: "0c4f", namespace: "shop" };
    const result = await read({ outputs: { ...place, services: { search: {}, checkout: { workload } } } });
    expect(result.outputs).toEqual({ place, services: ["checkout", "search"], workloads: { checkout: workload } });
    expect(result.resources).toEqual([]);
    expect(asked).toEqual([["pulumi:pulumi:readStackOutputs", { name: "example/tidegate/test" }]]);
    expect((await read({ outputs: {} })).outputs).toEqual({ place: {}, services: [], workloads: {} });
  });

  it("takes a stack of a version that knew no other stacks for one with its foundation", async () => {
    const place = { accountId: account, region: "eu-west-1", tableName: "tidegate-dev" };
    expect((await read({ outputs: place })).outputs.place).toEqual({ ...place, foundation: "here" });
  });

  it("stops where the answer has no outputs, or a place that cannot be read [E6]", async () => {
    await expect(read({})).rejects.toThrow("stack example/tidegate/test: its own outputs could not be read");
    await expect(read({ outputs: { services: { checkout: { workload: { kind: "nomad" } } } } })).rejects.toThrow(
      "stack example/tidegate/test: its own outputs do not say where service checkout runs, got something else under workload; expected kind and cluster. Run pulumi stack output services",
    );
  });
});

describe("a service stack", () => {
  const foundation = { stack: "example/tidegate/base", outputs: aFoundation() };
  const config = parseConfig(
    { ...aConfig({ network: undefined, foundation: "base" }) },
    { foundation: foundationForConfig({ kind: "found", ...foundation }) },
  );
  const declare = (guards = rememberingGuards()) =>
    runPulumi(() =>
      declareEnvironment({
        config,
        declarations: [aDeclaration(10)],
        guards: guards.binding,
        foundation,
        stackId: "example/tidegate/shop",
        accountId: account,
      }),
    );

  it("declares its services alone, on the foundation's listener, hook and topics [E7]", async () => {
    const result = await declare();
    expect(result.names().length).toBe(28);
    expect(result.the("aws:lb/listenerRule:ListenerRule", "-main").inputs.listenerArn).toBe(
      foundation.outputs.listenerArn,
    );
    expect(result.the("aws:lambda/invocation:Invocation").inputs).toMatchObject({
      functionName: "tidegate-dev-hook",
      qualifier: "live",
    });
    const actions = new Set(
      result.all("aws:cloudwatch/metricAlarm:MetricAlarm").flatMap(({ inputs }) => inputs.alarmActions ?? []),
    );
    expect(
      [...actions].filter(
        (arn) => arn !== foundation.outputs.criticalTopicArn && arn !== foundation.outputs.warningTopicArn,
      ),
    ).toEqual([]);
    expect(result.outputs).toMatchObject({
      foundation: "example/tidegate/base",
      tableName: "tidegate-dev",
      region: "eu-west-1",
    });
    expect(Object.keys(result.outputs)).toEqual([
      "foundation",
      "environment",
      "accountId",
      "region",
      "tableName",
      "services",
    ]);
  });

  it("has no hook that could change in its up [E7]", async () => {
    const guards = rememberingGuards();
    const result = await declare(guards);
    expect(guards.hookChanges.map((changes) => changes())).toEqual([false]);
    expect([...guards.callbacks.keys()]).not.toContain(hookChangeWatchName);
    expect(result.the("aws:lb/listenerRule:ListenerRule", "-main").dependsOn).not.toContain("dev-alias");
  });

  it("needs no bundles, and a foundation does", async () => {
    await expect(
      runPulumi(() =>
        declareEnvironment({
          config: environment(),
          declarations: [aDeclaration(10)],
          guards: rememberingGuards().binding,
          stackId: "example/tidegate/dev",
          accountId: account,
        }),
      ),
    ).rejects.toThrow("foundation: its functions were not bundled, got no folder; expected those of hook and watchman");
  });
});

describe("reasons against the whole stack", () => {
  const attempt = (isPreview: boolean, log: ProgramLog) =>
    runPulumi(() =>
      program({
        config: { ...environment(), services: [], alerting: heard },
        decide: async () => [],
        refusals: async () => ["services.checkout: is live but no longer in the config"],
        guards: rememberingGuards().binding,
        hookBundleFolder: bundleFolder,
        watchmanBundleFolder: bundleFolder,
        stackId: "example/tidegate/dev",
        accountId: account,
        isPreview,
        log,
      }),
    );

  it("refuse an up that has no service left to hang them on [B11]", async () => {
    await expect(attempt(false, capturedLog().log)).rejects.toThrow(
      "this up is refused for 1 reason; nothing was changed (stack example/tidegate/dev):\n  services.checkout: is live but no longer in the config",
    );
  });

  it("are told in a preview", async () => {
    const { lines, log } = capturedLog();
    await attempt(true, log);
    expect(lines).toEqual(["warn this up would be refused: services.checkout: is live but no longer in the config"]);
  });
});
