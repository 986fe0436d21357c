/** Several routes and adopted rules as resources: names that keep, weights that are the same everywhere (A3, E7). */
import { describe, expect, it } from "vitest";
import { nothingAdopted, type Route, type ServiceSurvey, WaveRouter } from "../../components/index.ts";
import type { SurveyedCondition } from "../../core/survey.ts";
import { newRelease, oldRelease, rememberingGuards, someSettings } from "../helpers/builders.ts";
import { type PulumiRun, type RunOptions, runPulumi } from "../helpers/pulumi-run.ts";

const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
const ruleArn = `${elb}:listener-rule/app/edge/1/2/3`;
const otherListener = `${elb}:listener/app/edge/1/9`;
const rule = "aws:lb/listenerRule:ListenerRule";
const shop: Route = { match: { hosts: ["shop.example.com"], paths: [] }, priority: 100 };
const api: Route = { listenerArn: otherListener, match: { hosts: ["api.example.com"], paths: [] }, priority: 200 };
const legacy: Route = { match: { hosts: ["old.example.com"], paths: [] }, priority: 300 };
const adopted: Route = { match: { hosts: [], paths: [], ruleArn }, priority: 100 };

async function run(
  routes: readonly Route[],
  found: ServiceSurvey = nothingAdopted,
  options: RunOptions = {},
  hookNames: string[] = [],
) {
  return runPulumi(() => {
    const { binding, callbacks } = rememberingGuards();
    const router = new WaveRouter("checkout", {
      environment: "dev",
      service: "checkout",
      listenerArn: `${elb}:listener/app/edge/1/2`,
      vpcId: "vpc-1",
      routes,
      found,
      testers: { header: { name: "x-tester", value: "yes" } },
      releases: [oldRelease, newRelease],
      shares: { [oldRelease.digest]: 90, [newRelease.digest]: 10 },
      testersReach: newRelease.digest,
      stickinessAllowed: true,
      targetGroup: someSettings().targetGroup,
      rollbackWindowMinutes: 1_440,
      guard: { check: async () => {}, bind: binding.bind.bind(binding), alarms: [] },
    });
    hookNames.push(...callbacks.keys());
    return router.rules.map(({ role, route }) => `${role}${route}`);
  }, options);
}

const rulesOf = (result: PulumiRun<unknown>) =>
  Object.fromEntries(result.all(rule).map(({ name, inputs }) => [name, JSON.stringify(inputs)]));
const only = (result: PulumiRun<unknown>, pattern: RegExp) => result.all(rule).filter(({ name }) => pattern.test(name));

describe("several routes", () => {
  it("have a main and a tester rule each, and one anchor together [A3]", async () => {
    const hookNames: string[] = [];
    const result = await run([shop, api], nothingAdopted, {}, hookNames);
    expect(Object.keys(rulesOf(result)).sort()).toEqual([
      "checkout-anchor",
      "checkout-main",
      "checkout-main-2b979e4b",
      "checkout-tester",
      "checkout-tester-2b979e4b",
    ]);
    expect(hookNames).toEqual([
      "hold check for checkout",
      "hold check for checkout route 2b979e4b",
      "hold check for checkout testers",
      "hold check for checkout route 2b979e4b testers",
    ]);
    const [main, more] = only(result, /-main/).map(({ inputs }) => inputs);
    expect(more?.actions).toEqual(main?.actions);
    expect([main?.priority, more?.priority]).toEqual([101, 201]);
    expect([main?.listenerArn, more?.listenerArn]).toEqual([`${elb}:listener/app/edge/1/2`, otherListener]);
    expect(more?.conditions).toEqual([{ hostHeader: { values: ["api.example.com"] } }]);
  });

  it("leave the first route's rules as they are, and each other's, in whatever order [A3]", async () => {
    const alone = rulesOf(await run([shop]));
    const both = rulesOf(await run([shop, api, legacy]));
    expect(both).toMatchObject(alone);
    expect(rulesOf(await run([shop, legacy, api]))).toEqual(both);
  });

  it("keep their names when their match changes, and have others at another priority [A3]", async () => {
    const names = async (route: Route) => only(await run([shop, route]), /-main-/).map(({ name }) => name);
    const before = await names(api);
    expect(await names({ ...api, match: { hosts: ["api2.example.com"], paths: ["/v2/*"] } })).toEqual(before);
    expect(await names({ ...api, priority: 300 })).not.toEqual(before);
  });

  it("do not wait for each other, so that one that fails keeps none from being lowered [B11]", async () => {
    const result = await run([shop, api]);
    for (const { dependsOn } of only(result, /-main/)) {
      expect(dependsOn.filter((name) => /-main|-tester/.test(name))).toEqual([]);
      expect(dependsOn).toContain("checkout-anchor");
    }
  });

  it("are refused twice, and too full, by place [B11]", async () => {
    const full = { match: { hosts: ["a", "b", "c", "d", "e"], paths: [] }, priority: 400 };
    const same = { ...api, match: { hosts: ["old.example.com"], paths: [] } };
    await expect(run([shop, api, same, full])).rejects.toThrow(
      [
        "service checkout.moreRoutes[1].match: the same listener and priority as another route, got 200; expected priorities of its own. Leave one out",
        "service checkout.moreRoutes[2].match: too many condition values, got 6 (the testers' mark included); expected 1 to 5. Use a wildcard, or split the service",
      ].join("\n"),
    );
  });
});

describe("an adopted rule", () => {
  const conditions: SurveyedCondition[] = [
    { field: "host-header", values: ["shop.example.com"] },
    { field: "http-header", httpHeaderName: "x-plan", values: ["gold"] },
    { field: "query-string", values: [], queryStrings: [{ key: "v", value: "1" }, { value: "2" }] },
  ];
  const found: ServiceSurvey = { conditions: { [ruleArn]: conditions }, targetGroups: {} };

  it("has its conditions repeated to the letter, and is itself no resource [E7]", async () => {
    const result = await run([adopted], found);
    expect(only(result, /-main/)[0]?.inputs.conditions).toEqual([
      { hostHeader: { values: ["shop.example.com"] } },
      { httpHeader: { httpHeaderName: "x-plan", values: ["gold"] } },
      { queryStrings: [{ key: "v", value: "1" }, { value: "2" }] },
    ]);
    expect(JSON.stringify(result.resources)).not.toContain(ruleArn);
  });

  it("fails an up that does not know its conditions [E7]", async () => {
    await expect(run([adopted])).rejects.toThrow(
      `service checkout.match.ruleArn: the conditions of the adopted rule are not known, got ${ruleArn}; expected them in found. Give what a survey found of the rule`,
    );
  });

  it("matches nobody in a preview that does not know its conditions, so that everything else is told [E7]", async () => {
    const result = await run([adopted], nothingAdopted, { preview: true });
    expect(only(result, /-main/)[0]?.inputs.conditions).toEqual([{ sourceIp: { values: ["192.0.2.1/32"] } }]);
  });
});
