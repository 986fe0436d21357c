import { describe, expect, it } from "vitest";
import { awsGuardBinding } from "../../components/aws-guard.ts";
import { type GuardBinding, ProgressiveService, type ServiceSettings } from "../../components/index.ts";
import type { Declaration } from "../../core/declaration.ts";
import { objectivePresets } from "../../core/objectives.ts";
import type { FrozenFigure } from "../../core/watch-rules.ts";
import {
  aDeclaration,
  aRelease,
  newRelease,
  oldRelease,
  rememberingGuards,
  someSettings,
} from "../helpers/builders.ts";
import { account, type PulumiRun, type RunOptions, region, runPulumi } from "../helpers/pulumi-run.ts";
import { elb, serviceArgs } from "../helpers/service-args.ts";

const rule = "aws:lb/listenerRule:ListenerRule";
const groupArns = {
  [oldRelease.digest]: `${elb}:targetgroup/checkout-2-3-1-9e0fab5c/00000000000000aa`,
  [newRelease.digest]: `${elb}:targetgroup/checkout-2-4-0-aaacd3e0/00000000000000aa`,
};
const describedReleases = [oldRelease, newRelease].map((release) => ({
  ...release,
  targetGroupArn: groupArns[release.digest],
  targetGroupArnSuffix: groupArns[release.digest]?.replace(`${elb}:`, ""),
  adopted: false,
}));

interface Case {
  readonly declaration?: Declaration;
  readonly settings?: Partial<ServiceSettings>;
  readonly guards?: GuardBinding;
  readonly options?: RunOptions;
}

function declareService(settings: ServiceSettings, declaration: Declaration, guards: GuardBinding): ProgressiveService {
  return new ProgressiveService(settings.name, serviceArgs(settings, declaration, { guards }));
}

function run({ declaration, settings, guards, options }: Case = {}): Promise<PulumiRun<unknown>> {
  return runPulumi(() => {
    const service = declareService(
      someSettings(settings),
      declaration ?? aDeclaration(10),
      guards ?? rememberingGuards().binding,
    );
    return service.outputs;
  }, options);
}

/** Weights by version, out of a rule's inputs. */
function weightsOf(result: PulumiRun<unknown>, name: string): Record<string, unknown> {
  const [action] = result.the(rule, name).inputs.actions as [
    { forward: { targetGroups: { arn: string; weight: number }[] } },
  ];
  return Object.fromEntries(action.forward.targetGroups.map(({ arn, weight }) => [arn.split("/")[1], weight]));
}

function stickinessOf(result: PulumiRun<unknown>): unknown {
  const [action] = result.the(rule, "-main").inputs.actions as [{ forward: { stickiness?: unknown } }];
  return action.forward.stickiness;
}

describe("ProgressiveService", () => {
  it("declares rules, groups, alarms and one opening, and nothing else [A1, D1]", async () => {
    const result = await run();
    const alarms = ["error-rate/critical/60s", "error-rate/critical/300s"].concat([
      "error-rate/warning/300s",
      "latency-p99/warning/300s",
      "healthy-hosts/critical/60s",
    ]);
    const releases = ["checkout-2-3-1-9f447b1b", "checkout-2-4-0-794d2c98"];
    expect(result.names().sort()).toEqual(
      [
        ...["main", "anchor", "tester"].map((role) => `${rule} checkout-${role}`),
        "aws:lb/targetGroup:TargetGroup checkout-2-3-1-9e0fab5c",
        "aws:lb/targetGroup:TargetGroup checkout-2-4-0-aaacd3e0",
        ...releases.flatMap((release) =>
          alarms.map((alarm) => `aws:cloudwatch/metricAlarm:MetricAlarm ${release}/${alarm}`),
        ),
        ...["critical", "warning"].map(
          (level) => `aws:cloudwatch/compositeAlarm:CompositeAlarm checkout-service/${level}`,
        ),
        "aws:lambda/invocation:Invocation checkout-opening",
      ].sort(),
    );
    const components = result.resources.filter(({ custom }) => !custom).map(({ type, name }) => `${type} ${name}`);
    expect(components.sort()).toEqual([
      "tidegate:rollout:ProgressiveService checkout",
      "tidegate:rollout:WaveOpening checkout",
      "tidegate:slo:ServiceAlarms checkout-service",
      "tidegate:slo:SloAlarms checkout-2-3-1-9f447b1b",
      "tidegate:slo:SloAlarms checkout-2-4-0-794d2c98",
      "tidegate:traffic:WaveRouter checkout",
    ]);
  });

  it("costs 18 cloud resources with two releases on batch and alb [D9]", async () => {
    expect((await run()).names()).toHaveLength(18);
  });

  it.each([
    { exposure: 0, main: { "checkout-2-3-1": 100 } },
    { exposure: 10, main: { "checkout-2-3-1": 90, "checkout-2-4-0": 10 } },
    { exposure: 100, main: { "checkout-2-4-0": 100 } },
  ])("gives the main rule only groups with traffic at exposure $exposure [A3]", async ({ exposure, main }) => {
    const result = await run({ declaration: aDeclaration(exposure) });
    const byVersion = Object.fromEntries(
      Object.entries(weightsOf(result, "-main")).map(([name, weight]) => [nameToVersion(result, name), weight]),
    );
    expect(byVersion).toEqual(main);
    expect(Object.values(byVersion).reduce((sum: number, weight) => sum + Number(weight), 0)).toBe(100);
    expect(Object.values(weightsOf(result, "-anchor"))).toEqual([1, 1]);
  });

  it("puts the tester rule before the main rule before the anchor rule [A7]", async () => {
    const result = await run();
    const shapes = ["-tester", "-main", "-anchor"].map((name) => {
      const { priority, conditions, tags } = result.the(rule, name).inputs;
      return { priority, conditions, tags };
    });
    const hosts = { hostHeader: { values: ["shop.example.com"] } };
    const paths = { pathPattern: { values: ["/checkout/*"] } };
    const mark = { httpHeader: { httpHeaderName: "x-tester", values: ["yes"] } };
    const tags = (role: string) => ({
      "tidegate:environment": "dev",
      "tidegate:service": "checkout",
      "tidegate:role": role,
    });
    expect(shapes).toEqual([
      { priority: 100, conditions: [hosts, paths, mark], tags: tags("tester") },
      { priority: 101, conditions: [hosts, paths], tags: tags("main") },
      { priority: 102, conditions: [{ sourceIp: { values: ["192.0.2.1/32"] } }], tags: tags("anchor") },
    ]);
  });

  it("leads testers by cookie to the declared release [A7]", async () => {
    const settings = { testers: { cookie: { name: "beta", value: "on" } } };
    const result = await run({ settings, declaration: aDeclaration(0, { testersReach: oldRelease.digest }) });
    expect(result.the(rule, "-tester").inputs.conditions).toContainEqual({
      httpHeader: { httpHeaderName: "Cookie", values: ["*beta=on*"] },
    });
    expect(
      Object.entries(weightsOf(result, "-tester")).map(([name, weight]) => [nameToVersion(result, name), weight]),
    ).toEqual([["checkout-2-3-1", 100]]);
  });

  it("says stickiness aloud where a service has it: on while both carry traffic, off otherwise", async () => {
    const settings = { stickinessSeconds: 600 };
    expect(stickinessOf(await run({ settings }))).toEqual({ enabled: true, duration: 600 });
    const lowering = aDeclaration(10, { step: "lowering", stickinessAllowed: false });
    expect(stickinessOf(await run({ settings, declaration: lowering }))).toEqual({ enabled: false, duration: 600 });
    expect(stickinessOf(await run())).toBeUndefined();
  });

  it("waits for the control's alarms too when it opens: they tell a dependency's failure from the canary's [B10]", async () => {
    const control = { digest: oldRelease.digest, releaseKey: "2-3-1-9f447b1b-control", sharePercent: 10 };
    const result = await run({ declaration: aDeclaration(10, { control }) });
    const ofControl = result
      .all("aws:cloudwatch/metricAlarm:MetricAlarm")
      .flatMap(({ name }) => (name.includes("-control/") ? [name] : []));
    expect(ofControl.length).toBeGreaterThan(0);
    const { dependsOn } = result.the(rule, "-main");
    expect(ofControl.filter((name) => !dependsOn.includes(name))).toEqual([]);
  });

  it("waits for the alarms of both releases when it opens, and for none when it lowers", async () => {
    const opening = (await run()).the(rule, "-main").dependsOn;
    expect(opening.filter((name) => name.includes("error-rate/critical/60s"))).toHaveLength(2);
    const lowered = await run({ declaration: aDeclaration(10, { step: "lowering" }) });
    expect(lowered.the(rule, "-main").dependsOn.filter((name) => name.includes("/critical"))).toEqual([]);
    expect(lowered.the(rule, "-main").dependsOn).toContain("checkout-anchor");
  });

  it("opens last: after every rule and every alarm", async () => {
    const result = await run();
    const { dependsOn } = result.the("aws:lambda/invocation:Invocation");
    const before = result.names().filter((name) => /ListenerRule|MetricAlarm/.test(name));
    expect(before.map((name) => name.split(" ")[1]).filter((name) => !dependsOn.includes(name ?? ""))).toEqual([]);
  });

  it("changes exactly the main rule and the opening when a wave changes [A1]", async () => {
    const before = await run({ declaration: aDeclaration(10) });
    const after = await run({ declaration: aDeclaration(25, { fromPercent: 10 }) });
    expect(changed(before, after)).toEqual(["checkout-main", "checkout-opening"]);
  });

  it("changes nothing at all when an opening is followed by an idle up", async () => {
    const opened = await run({ declaration: aDeclaration(10) });
    const recorded = { mode: someSettings().mode, plan: someSettings().plan, openedFromPercent: 0 };
    const idle = await run({ declaration: aDeclaration(10, { step: "none", fromPercent: 10, recorded }) });
    const inputsOf = (result: PulumiRun<unknown>) =>
      result.resources.map((each) => JSON.stringify([each.type, each.name, each.inputs])).sort();
    expect(inputsOf(idle)).toEqual(inputsOf(opened));
  });

  it("tells the hook the budget's days with what is promised, and an idle up the same bytes [C2, D6]", async () => {
    const settings = { burnRate: { periodDays: 30, windows: "page" } } as const;
    const inputOf = async (declaration: Declaration, given: Partial<ServiceSettings> = settings) =>
      String(
        (await run({ settings: given, declaration })).the("aws:lambda/invocation:Invocation", "checkout-opening").inputs
          .input,
      );
    const recorded = { mode: someSettings().mode, plan: someSettings().plan, openedFromPercent: 0 };
    const opened = await inputOf(aDeclaration(10));
    expect(await inputOf(aDeclaration(10, { step: "none", fromPercent: 10, recorded }))).toBe(opened);
    const { promises, former } = JSON.parse(opened);
    expect([promises.budgetPeriodDays, promises.objectives.length, former]).toEqual([30, 7, undefined]);
    // Without a target there is nothing to promise, and no empty fact of it.
    const none = someSettings().objectives.map(({ target: _target, ...objective }) => objective);
    expect("promises" in JSON.parse(await inputOf(aDeclaration(10), { objectives: none }))).toBe(false);
  });

  it("leaves rules and alarms alone when the canary becomes the baseline", async () => {
    const full = aDeclaration(100);
    const finish: Declaration = {
      ...full,
      step: "finish",
      liveSet: [newRelease, oldRelease],
      baseline: newRelease.digest,
      previous: oldRelease.digest,
      exposurePercent: 0,
      canary: undefined,
      intent: undefined,
    };
    expect(changed(await run({ declaration: full }), await run({ declaration: finish }))).toEqual(["checkout-opening"]);
  });

  it("describes the service to the hook in bytes that do not depend on key order", async () => {
    const declaration = aDeclaration(10);
    const reversed = Object.fromEntries(Object.entries(declaration).reverse()) as unknown as Declaration;
    const inputOf = async (given: Declaration) =>
      (await run({ declaration: given })).the("aws:lambda/invocation:Invocation").inputs.input;
    const input = await inputOf(declaration);
    expect(input).toBe(await inputOf(reversed));
    const description = JSON.parse(String(input));
    expect(Object.keys(description)).toEqual(Object.keys(description).sort());
    const ruleArn = (role: string) => `${elb}:listener-rule/app/edge/1/2/checkout-${role}`;
    expect({ ...description, plan: description.plan.name, alarms: description.alarms.length }).toEqual({
      kind: "tidegate:opening",
      schemaVersion: 1,
      environment: "dev",
      service: "checkout",
      mode: "act",
      source: "alb",
      plan: "steady",
      rules: ["main", "anchor", "tester"].map((role) => ({ arn: ruleArn(role), role })),
      alarms: 10,
      loadBalancerArnSuffix: "app/edge/1",
      blindMinutes: 15,
      rollbackWindowMinutes: 1440,
      releases: describedReleases,
      baseline: oldRelease.digest,
      canary: { digest: newRelease.digest, attempt: 1 },
      exposurePercent: 10,
      intent: { digest: newRelease.digest, attempt: 1, wave: 10 },
      realityGeneration: 0,
      takenBy: "example/tidegate/dev",
      retire: false,
      targetGroup: someSettings().targetGroup,
      promises: {
        objectives: [
          { name: "error-rate", indicator: "error-rate", target: 1 },
          { name: "latency-p50", indicator: "latency-p50", target: 50 },
          { name: "latency-p95", indicator: "latency-p95", target: 150 },
          { name: "latency-p99", indicator: "latency-p99", target: 500 },
          { name: "invariant-violations", indicator: "invariant-violations", target: 0 },
          { name: "throughput", indicator: "throughput", target: 10_000 },
          { name: "availability", indicator: "availability", target: 99.9 },
        ],
      },
    });
  });

  it("describes figures while there are some, and watches a last wave by them instead of by the baseline [B8]", async () => {
    const figures: readonly FrozenFigure[] = [{ of: "baseline", percent: 50, indicator: "latency-p99", value: 300 }];
    const settings = { objectives: objectivePresets["canary-relative"] };
    const alarmsAt = async (exposure: number, changes: Partial<Declaration>) => {
      const result = await run({ settings, declaration: aDeclaration(exposure, changes) });
      const description = JSON.parse(String(result.the("aws:lambda/invocation:Invocation").inputs.input));
      const keys = result
        .all("aws:cloudwatch/metricAlarm:MetricAlarm")
        .flatMap(({ name }) => (name.includes("latency-p99") ? [name] : []));
      return [description.figures, keys];
    };
    const key = "checkout-2-4-0-794d2c98/latency-p99/critical/300s";
    expect(await alarmsAt(50, {})).toEqual([undefined, [`${key}/of-baseline`]]);
    expect(await alarmsAt(100, { figures })).toEqual([figures, [`${key}/of-baseline-at-50`]]);
    expect(await alarmsAt(100, {})).toEqual([undefined, []]);
  });

  it("compares the canary with the control while that serves a share, and with the baseline else [B1, C1]", async () => {
    const settings = { objectives: objectivePresets["canary-relative"], source: "emf" as const };
    const comparedWith = async (sharePercent: number, lost: { lostAt?: number } = {}) => {
      const control = { digest: oldRelease.digest, releaseKey: "2-3-1-9f447b1b-control", sharePercent, ...lost };
      const result = await run({ settings, declaration: aDeclaration(10, { control }) });
      const { metricQueries } = result.the("aws:cloudwatch/metricAlarm:MetricAlarm", "/of-baseline").inputs;
      return (metricQueries as { id: string; metric?: { dimensions: Record<string, string> } }[])
        .filter(({ id }) => id.startsWith("baseline"))
        .flatMap(({ metric }) => metric?.dimensions.Release ?? []);
    };
    expect(await comparedWith(10)).toEqual(["2-3-1-9f447b1b-control", "2-3-1-9f447b1b-control"]);
    expect(await comparedWith(0)).toEqual(["2-3-1-9f447b1b", "2-3-1-9f447b1b"]);
    // Where the hook only observes, a control without hosts keeps its share.
    expect(await comparedWith(10, { lostAt: 1 })).toEqual(["2-3-1-9f447b1b", "2-3-1-9f447b1b"]);
  });

  it("tells the hook who owns what the service depends on, where that is known [B10]", async () => {
    const result = await run({ settings: { dependencyOwner: "payments" } });
    const { input } = result.the("aws:lambda/invocation:Invocation").inputs;
    expect(JSON.parse(String(input))).toMatchObject({ dependencyOwner: "payments" });
  });

  it("adopts a target group without touching it [E7]", async () => {
    const targetGroupArn = `${elb}:targetgroup/shop-blue/0123456789abcdef`;
    const adopted = { ...oldRelease, targetGroupArn };
    const result = await run({ declaration: aDeclaration(10, { liveSet: [adopted, newRelease] }) });
    expect(result.all("aws:lb/targetGroup:TargetGroup")).toHaveLength(1);
    expect(weightsOf(result, "-main")).toHaveProperty("shop-blue", 90);
    const { releases } = JSON.parse(String(result.the("aws:lambda/invocation:Invocation").inputs.input));
    expect(releases[0]).toMatchObject({
      adopted: true,
      targetGroupArn,
      targetGroupArnSuffix: "targetgroup/shop-blue/0123456789abcdef",
    });
  });

  it("keeps making the group of a release that comes from the record with its ARN", async () => {
    const recorded = { ...oldRelease, targetGroupArn: `${elb}:targetgroup/made/1`, adopted: false };
    const result = await run({ declaration: aDeclaration(10, { liveSet: [recorded, newRelease] }) });
    expect(result.all("aws:lb/targetGroup:TargetGroup")).toHaveLength(2);
  });

  it("refuses an adopted group with cookies of its own, of the application too (q)", async () => {
    const targetGroupArn = `${elb}:targetgroup/shop-blue/0123456789abcdef`;
    const call: RunOptions["call"] = ({ token }) =>
      token === "aws:lb/getTargetGroup:getTargetGroup"
        ? { arn: targetGroupArn, stickiness: { enabled: true, type: "app_cookie" } }
        : undefined;
    const declaration = aDeclaration(10, { liveSet: [{ ...oldRelease, targetGroupArn }, newRelease] });
    await expect(run({ declaration, options: { call } })).rejects.toThrow(
      /release 2\.3\.1: target group \S+ has stickiness of its own, got app_cookie; expected none, because a cookie beats a weight/,
    );
  });

  it("refuses a sixth release on a rule and says how long to wait", async () => {
    const liveSet = [oldRelease, newRelease, ..."cdef".split("").map((letter, at) => aRelease(`3.0.${at}`, letter))];
    await expect(run({ declaration: aDeclaration(10, { liveSet }) })).rejects.toThrow(
      "service checkout: too many live releases for one rule, got 6 (2.3.1, 2.4.0, 3.0.0, 3.0.1, 3.0.2, 3.0.3); expected at most 5. " +
        "Wait until one may go: a release that has lost its traffic goes 2 minutes later, the previous one 1440 minutes after the " +
        "finish; then run again",
    );
  });

  it("names every fault at once: condition values and shares", async () => {
    const settings = { routes: [{ match: { hosts: ["a", "b", "c"], paths: ["/1", "/2"] }, priority: 100 }] };
    const declaration = aDeclaration(10, { shares: { [oldRelease.digest]: 80, [newRelease.digest]: 10 } });
    await expect(run({ settings, declaration })).rejects.toThrow(
      [
        "service checkout.match: too many condition values, got 6 (the testers' mark included); expected 1 to 5. " +
          "Use a wildcard, or split the service",
        `service checkout: shares must be whole percents above 0 that sum to 100, got ${JSON.stringify(declaration.shares)}`,
      ].join("\n"),
    );
  });

  it("keeps two services apart", async () => {
    const result = await runPulumi(() => {
      const guards = rememberingGuards().binding;
      declareService(someSettings(), aDeclaration(10), guards);
      const routes = [{ match: { hosts: ["search.example.com"], paths: [] }, priority: 200 }];
      declareService(someSettings({ name: "search", routes }), aDeclaration(0, { service: "search" }), guards);
    });
    expect(new Set(result.names()).size).toBe(36);
    const alarmNames = result.all("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ inputs }) => inputs.name);
    expect(new Set(alarmNames).size).toBe(alarmNames.length);
  });

  it("parents every child and registers outputs for policies", async () => {
    const result = await run();
    expect(
      result.resources.filter(({ parent }) => parent?.startsWith("pulumi:pulumi:Stack")).map(({ name }) => name),
    ).toEqual(["checkout"]);
    expect(result.componentOutputs.checkout).toBeDefined();
  });
});

describe("the guard on rules", () => {
  it("shows the guard what Pulumi is about to write, ARNs resolved", async () => {
    const guards = rememberingGuards();
    const result = await run({ guards: guards.binding, settings: { stickinessSeconds: 600 } });
    expect([...guards.callbacks.keys()].sort()).toEqual(["hold check for checkout", "hold check for checkout testers"]);
    const main = result.the(rule, "-main");
    const common = { urn: "urn", name: main.name, type: rule, newInputs: main.inputs };
    await guards.callbacks.get("hold check for checkout")?.({ ...common, id: "" });
    await guards.callbacks.get("hold check for checkout")?.({
      ...common,
      id: "arn:rule",
      oldInputs: {},
      oldOutputs: {},
    });
    const [create, update] = guards.writes;
    expect({ ...create, alarms: create?.alarms.length }).toEqual({
      operation: "create",
      role: "main",
      weights: { [groupArns[oldRelease.digest] ?? ""]: 90, [groupArns[newRelease.digest] ?? ""]: 10 },
      stickinessSeconds: 600,
      targetGroupArns: groupArns,
      alarms: 10,
      releases: describedReleases,
    });
    expect(update).toEqual({ ...create, operation: "update", ruleArn: "arn:rule" });
  });

  it("lets the guard's refusal through", async () => {
    const guards = rememberingGuards(() => {
      throw new Error("held since yesterday");
    });
    const result = await run({ guards: guards.binding });
    const main = result.the(rule, "-main");
    const args = { urn: "urn", id: "", name: main.name, type: rule, newInputs: main.inputs };
    await expect(guards.callbacks.get("hold check for checkout")?.(args)).rejects.toThrow("held since yesterday");
  });

  it("ties the AWS guard to main and tester rule, and to no other resource", async () => {
    const result = await run({
      guards: awsGuardBinding({ region, environment: "dev", signIn: { assumeRoles: [] }, providerAccountId: account }),
    });
    expect(result.resources.filter(({ hooks }) => hooks.length > 0).map(({ name, hooks }) => [name, hooks])).toEqual([
      ["checkout-main", ["hold check for checkout"]],
      ["checkout-tester", ["hold check for checkout testers"]],
    ]);
  });
});

function nameToVersion(result: PulumiRun<unknown>, group: string): string {
  const made = result.the("aws:lb/targetGroup:TargetGroup", group);
  return `checkout-${String((made.inputs.tags as Record<string, string>)["tidegate:release"]).replace(/-[0-9a-f]{8}$/, "")}`;
}

/** Names of custom resources whose inputs differ, or that only one of the runs has. */
function changed(before: PulumiRun<unknown>, after: PulumiRun<unknown>): string[] {
  const inputsOf = (result: PulumiRun<unknown>) =>
    new Map(
      result.resources
        .filter(({ custom }) => custom)
        .map(({ name, type, inputs }) => [`${type} ${name}`, JSON.stringify(inputs)]),
    );
  const [old, fresh] = [inputsOf(before), inputsOf(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((key) => old.get(key) !== fresh.get(key))
    .map((key) => key.split(" ")[1] ?? key)
    .sort();
}
