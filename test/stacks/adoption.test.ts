/** Deciding with a survey: what refuses an `up`, what a person may override, and what happens unseen (E7). */
import { describe, expect, it } from "vitest";
import type { Survey } from "../../core/survey.ts";
import type { ServiceConfig } from "../../stacks/config.ts";
import { decideEnvironment, surveyEnvironment } from "../../stacks/decide.ts";
import {
  aGroup,
  answer,
  aRule,
  aSurvey,
  forwardTo,
  groupArnOf,
  hosts,
  listenerArn,
  login,
  ourRule,
  shopRule,
} from "../helpers/surveys.ts";
import { anAdoptedRelease, aService, v1, World } from "../helpers/world.ts";

const blue = anAdoptedRelease("1.0.0", groupArnOf("blue"));
const green = anAdoptedRelease("2.0.0", groupArnOf("green"));
const routes: ServiceConfig["routes"] = [
  { listenerArn, match: { hosts: [], paths: [], ruleArn: shopRule.arn }, priority: 20 },
];
const theirs = aSurvey({ rules: [shopRule] });
const withOurs = aSurvey({
  rules: [
    { ...ourRule(21, [hosts("shop.example.com")]), ours: { environment: "dev", service: "checkout", role: "main" } },
    shopRule,
  ],
});

function adopting(survey: Survey | Error, change: Partial<ServiceConfig> = {}): World {
  const world = new World(aService({ mode: "observe", routes, baseline: blue, ...change }));
  world.survey = () => {
    if (survey instanceof Error) throw survey;
    return survey;
  };
  return world;
}

async function adopted(change: Partial<ServiceConfig> = {}): Promise<World> {
  const world = adopting(theirs, change);
  await world.must(world.up());
  await world.reconcile();
  world.survey = () => withOurs;
  return world;
}

describe("adoption in the program", () => {
  it("adopts without moving a weight [E7]", async () => {
    const world = await adopted();
    expect(world.live(blue)).toBe(100);
    expect(world.record.releases[blue.digest]).toMatchObject({ adopted: true, targetGroupArn: groupArnOf("blue") });
  });

  it("refuses the first up with everything that is wrong, before anything changed [E7]", async () => {
    const wrong = aSurvey({
      rules: [{ ...shopRule, actions: [forwardTo("red")] }, aRule(22, [hosts("x.com")], [answer("404")])],
    });
    const world = adopting(wrong);
    expect(await world.up()).toEqual({
      kind: "refused",
      reasons: [
        `services.checkout.baseline: on another group than the rule at 50 (host shop.example.com), which forwards to red, got blue; expected targetGroupArn: ${groupArnOf("red")}. This up itself would move traffic`,
        "services.checkout.priority: 20 to 22 are not free, got the rule at 22 (host x.com); expected three free priorities in a row. Write priority: 47",
      ],
    });
    expect(world.rawRecord()).toBeUndefined();
  });

  it("adopts nothing unseen, and lets a service that runs go on without a raise [E7]", async () => {
    expect(await adopting(new Error("AccessDenied")).up()).toEqual({
      kind: "refused",
      reasons: [
        "checkout: what it adopts could not be read (AccessDenied); nothing is adopted unseen. Restore access to ELBv2 and run again",
      ],
    });
    const world = adopting(theirs, { routes: aService().routes });
    await world.must(world.up({ canary: green }));
    await world.reconcile();
    world.survey = () => {
      throw new Error("AccessDenied");
    };
    expect(await world.up({ canary: green })).toEqual({
      kind: "refused",
      reasons: [
        "checkout: what it adopts could not be read (AccessDenied), and its recorded alarms do not tell whether functions are behind blue, green; " +
          "alarms are not declared on a guess. Restore access to ELBv2 and run again; tidegate kill lowers meanwhile",
      ],
    });
    expect(await world.up({ canary: green, wavePercent: 10 })).toEqual({
      kind: "refused",
      reasons: [
        "checkout: what it adopts could not be read (AccessDenied); nothing is raised unseen. Restore access to ELBv2 and run again",
      ],
    });
  });

  it("keeps the conditions that ours has while a hold stands, whatever the owner of theirs does [C1, E7]", async () => {
    const world = await adopted({ canary: green });
    const wide = { ...shopRule, conditions: [hosts("*.example.com")] };
    const gate = aRule(40, [hosts("admin.example.com")], [login, forwardTo("admin")]);
    const [ours] = withOurs.listeners[0]?.rules ?? [];
    world.survey = () => aSurvey({ rules: [...(ours ? [ours] : []), gate, wide] });
    expect(await world.up({ canary: green })).toMatchObject({ kind: "refused" });
    await world.kill();
    expect(await world.must(world.up({ canary: green }))).toContain(
      "checkout: services.checkout.match.ruleArn: the adopted rule matches host *.example.com; ours keeps host shop.example.com while a lowering or a hold is pending",
    );
  });

  it("takes for unreadable what nobody was asked to read", async () => {
    const world = adopting(theirs);
    const [declaration] = await decideEnvironment(world.configOf({}), world.cloud.ports("up"));
    expect(declaration?.refusals).toEqual([
      "checkout: what it adopts could not be read (nobody looked); nothing is adopted unseen. Restore access to ELBv2 and run again",
    ]);
  });

  it("asks for nothing where nothing is adopted", async () => {
    const world = new World();
    const surveyor = { survey: () => Promise.reject(new Error("asked")) };
    const found = await surveyEnvironment(world.configOf({}), surveyor, world.cloud.ports("up"));
    expect(found).toEqual({ kind: "nothing-adopted", found: { conditions: {}, targetGroups: {} } });
  });

  it("asks for the groups that only the record still has, so that a release keeps its alarms [E7]", async () => {
    const world = await adopted();
    const asked: string[][] = [];
    const surveyor = {
      survey: async (query: { readonly targetGroupArns: readonly string[] }) => {
        asked.push([...query.targetGroupArns]);
        return aSurvey({ groups: [aGroup("blue", { targetType: "lambda", healthChecksEnabled: false })] });
      },
    };
    const config = world.configOf({ baseline: green });
    const { found } = await surveyEnvironment(config, surveyor, world.cloud.ports("up"));
    expect(asked).toEqual([[groupArnOf("blue"), groupArnOf("green")]]);
    expect(found.targetGroups).toEqual({ [groupArnOf("blue")]: { targetType: "lambda", healthChecksEnabled: false } });
  });

  it("says by name what a Lambda group without health checks has no alarm for [B1]", async () => {
    const lambda = aGroup("blue", { targetType: "lambda", healthChecksEnabled: false });
    const world = adopting(aSurvey({ rules: [shopRule], groups: [lambda] }));
    const config = world.configOf({});
    const ports = world.cloud.ports("up");
    const found = await surveyEnvironment(config, { survey: async (query) => world.survey(query) }, ports);
    const [declaration] = await decideEnvironment(config, ports, found);
    expect(declaration?.notices.map(({ text }) => text)).toContain(
      "checkout: not watched on 1.0.0, since its Lambda target group has no health checks: healthy-hosts",
    );
  });
});

describe("leaving", () => {
  const moved = {
    ...withOurs,
    listeners: withOurs.listeners.map((listener) => ({
      ...listener,
      rules: listener.rules.map((rule) =>
        rule.arn === shopRule.arn ? { ...rule, actions: [forwardTo("red")] } : rule,
      ),
    })),
  };
  const refusal =
    "services.checkout.retire: once our rules are gone, the rule at 50 (host shop.example.com) gets requests of this service and forwards to red, " +
    "got baseline 1.0.0 on blue; expected a rule that forwards to blue alone. Change that rule first, or say overrideReason";

  it("retires where theirs takes over as it is [E7]", async () => {
    const world = await adopted();
    await world.must(world.up({ retire: true }));
    expect(world.record.retiredAt).toBeDefined();
  });

  it("is refused where it would move traffic, unless a person says why, which is recorded [E7]", async () => {
    const world = await adopted();
    world.survey = () => moved;
    expect(await world.up({ retire: true })).toEqual({ kind: "refused", reasons: [refusal] });
    expect(await world.must(world.up({ retire: true, overrideReason: "the shop closes" }))).toEqual([
      `${refusal}. OVERRIDDEN (the shop closes)`,
    ]);
    expect(world.cloud.history.map(({ message }) => message)).toContain("gate overridden: the shop closes");
    expect(world.record.retiredAt).toBeDefined();
  });

  it("is refused while nobody can see who takes over [E7]", async () => {
    const world = await adopted({ routes: aService().routes });
    world.survey = () => {
      throw new Error("AccessDenied");
    };
    expect(await world.up({ retire: true })).toEqual({
      kind: "refused",
      reasons: [
        "checkout: what it adopts could not be read (AccessDenied), and its recorded alarms do not tell whether functions are behind blue; " +
          "alarms are not declared on a guess. Restore access to ELBv2 and run again; tidegate kill lowers meanwhile",
        "services.checkout.retire: who takes over could not be read; expected a readable listener. Restore access to ELBv2, or say overrideReason",
      ],
    });
  });

  it("is no matter of adoption where the program makes load balancer and group [A4]", async () => {
    const world = new World(aService({ baseline: v1 }));
    await world.must(world.up());
    await world.must(world.up({ retire: true }));
    expect(world.record.retiredAt).toBeDefined();
  });
});
