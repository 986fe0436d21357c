/** Changed routes of a service that runs: whose requests they would take, and what may not change while a canary has traffic (E7). */
import { describe, expect, it } from "vitest";
import { type AdoptingService, adoptedConditions, judgeAdoption } from "../../core/adoption.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { Survey } from "../../core/survey.ts";
import {
  anAdopting,
  aRoute,
  aRule,
  aSurvey,
  forwardTo,
  hosts,
  inFront,
  login,
  ourRule,
  paths,
  ruleArnOf,
  shopRule,
} from "../helpers/surveys.ts";

const shop = hosts("shop.example.com");
const record = { releases: { [anAdopting().baseline.digest]: {} } } as unknown as RolloutRecord;

function judge(survey: Survey, change: Partial<AdoptingService> = {}) {
  const verdict = judgeAdoption([anAdopting({ isFirst: false, record, ...change })], survey).checkout;
  return { refusals: verdict?.refusals ?? [], notices: (verdict?.notices ?? []).map(({ text }) => text) };
}

const quiet = { refusals: [], notices: [] };
const admin = aRule(40, [shop, paths("/admin/*")], [login, forwardTo("admin")]);
const pastLogin =
  "services.checkout.match: would let requests past a login: the rule at 40 (host shop.example.com and path /admin/*) asks for one (authenticate-oidc) and would lose requests to ours, " +
  "got host shop.example.com; expected only requests that need no login there. Narrow the match, or put a rule of your own in front";

describe("a changed route", () => {
  it("is refused where a wider match would pass a login [E7]", () => {
    const survey = aSurvey({ rules: [ourRule(21, [shop, paths("/public/*")]), admin] });
    expect(judge(survey).refusals).toEqual([pastLogin]);
    expect(judge(survey, { lowers: true }).refusals).toEqual([pastLogin]);
  });

  it("is refused where an earlier priority would pass a login [E7]", () => {
    const survey = aSurvey({ rules: [admin, ourRule(101, [shop])] });
    expect(judge(survey).refusals).toEqual([pastLogin]);
  });

  it("is refused where it turns to a rule that sends elsewhere [E7]", () => {
    const other = aRule(60, [hosts("pay.example.com")], [forwardTo("payments")], { arn: ruleArnOf("pay") });
    const survey = aSurvey({ rules: [ourRule(21, [shop]), shopRule, other] });
    const routes = [aRoute({ match: { hosts: [], paths: [], ruleArn: other.arn } })];
    expect(judge(survey, { routes }).refusals).toEqual([
      "services.checkout.baseline: on another group than the rule at 60 (host pay.example.com), which forwards to payments, got blue; " +
        `expected targetGroupArn: ${forwardTo("payments").targetGroups?.[0]?.arn}. This up itself would move traffic`,
    ]);
  });

  it("is told whom it takes requests from, and is none where order and case alone differ [E7]", () => {
    const api = aRule(40, [shop, paths("/api/*")], [forwardTo("api")]);
    const public_ = aSurvey({ rules: [ourRule(21, [shop, paths("/public/*")]), api] });
    expect(judge(public_).notices).toContain(
      "checkout: requests with host shop.example.com now come to this service and not to the rule at 40 (host shop.example.com and path /api/*), which forwards to api",
    );
    const match = { hosts: ["b.com", "a.com"], paths: ["/x"] };
    const survey = aSurvey({ rules: [ourRule(21, [paths("/x"), hosts("A.com", "b.com")]), admin] });
    const exposure = { beforePercent: 10, afterPercent: 10 };
    expect(judge(survey, { routes: [aRoute({ match })], exposure })).toEqual(quiet);
  });

  it("is refused where another rule already takes all of its new requests [E7]", () => {
    const before = aRule(10, [hosts("shop.example.com")], [forwardTo("all")]);
    expect(judge(aSurvey({ rules: [before, ourRule(21, [hosts("old.example.com")])] })).refusals).toEqual([
      "services.checkout.priority: never reached: the rule at 10 (host shop.example.com) comes first, takes everything and forwards to all, got 20; expected 7 or less. Write priority: 7",
    ]);
  });

  it("may be narrower, or move where nobody comes between, however theirs has changed [E7]", () => {
    const narrow = aRoute({ match: { hosts: ["shop.example.com"], paths: ["/admin/*"] } });
    expect(judge(aSurvey({ rules: [ourRule(21, [shop]), admin] }), { routes: [narrow] }).refusals).toEqual([]);
    const moved = aSurvey({ rules: [ourRule(31, [shop]), { ...shopRule, actions: [forwardTo("red")] }] });
    expect(judge(moved, { routes: [inFront] })).toEqual(quiet);
  });
});

describe("an adopted rule that its owner changed", () => {
  const wide = aSurvey({ rules: [ourRule(21, [shop, paths("/public/*")]), admin, shopRule] });

  it("is not followed past a login [E7]", () => {
    expect(judge(wide, { routes: [inFront] }).refusals).toEqual([
      "services.checkout.priority: would take requests from the rule at 40 (host shop.example.com and path /admin/*), which comes before the adopted rule at 50 and asks for a login (authenticate-oidc) and forwards to admin, " +
        "got 20; expected ours behind it. Write priority: 47",
      pastLogin,
    ]);
  });

  it("is not followed while a lowering is pending, which nothing of theirs may stop [C1, E7]", () => {
    const service = {
      routes: [inFront],
      keepsConditions: true,
      lowers: true,
      exposure: { beforePercent: 25, afterPercent: 10 },
    };
    expect(judge(wide, service)).toEqual({
      refusals: [],
      notices: [
        "checkout: services.checkout.match.ruleArn: the adopted rule matches host shop.example.com; ours keeps host shop.example.com and path /public/* while a lowering or a hold is pending",
      ],
    });
    expect(adoptedConditions([anAdopting(service)], wide)).toEqual({ [shopRule.arn]: [shop, paths("/public/*")] });
    expect(adoptedConditions([anAdopting({ routes: [inFront] })], wide)).toEqual({ [shopRule.arn]: [shop] });
  });
});

describe("while the canary has traffic", () => {
  const exposure = { beforePercent: 10, afterPercent: 10 };
  const second = aRoute({
    place: "services.checkout.moreRoutes[0]",
    match: { hosts: ["api.example.com"], paths: [] },
    priority: 30,
  });
  const comes =
    "services.checkout.moreRoutes[0]: no rule of ours stands at 31 yet, and the canary has traffic, got 10 %; expected a route that comes " +
    "while no canary has any. Finish or take the canary to 0 first";

  it("no route comes, not with an opening or a finish either [A4]", () => {
    const survey = aSurvey({ rules: [ourRule(21, [shop])] });
    const routes = [aRoute(), second];
    expect(judge(survey, { routes, exposure }).refusals).toEqual([comes]);
    expect(judge(survey, { routes, exposure: { beforePercent: 0, afterPercent: 10 } }).refusals).toEqual([comes]);
    expect(judge(survey, { routes, exposure: { beforePercent: 10, afterPercent: 0 } }).refusals).toEqual([comes]);
    expect(judge(survey, { routes }).refusals).toEqual([]);
  });

  it("a rule that somebody deleted stops no lowering of the others [C1]", () => {
    const survey = aSurvey({ rules: [ourRule(21, [shop])] });
    const routes = [aRoute(), second];
    const lowering = { routes, lowers: true, exposure: { beforePercent: 25, afterPercent: 10 } };
    expect(judge(survey, lowering).refusals).toEqual([]);
    expect(judge(survey, lowering).notices).toContain(
      `${comes.replace("10 %", "25 %")} (the next raise will be refused)`,
    );
    expect(judge(survey, { ...lowering, exposure: { beforePercent: 25, afterPercent: 0 } }).refusals).toEqual([]);
  });

  it("no match changes, neither ours nor with an adopted rule [A4]", () => {
    const survey = aSurvey({ rules: [ourRule(21, [hosts("old.example.com")]), shopRule] });
    const text = (wayOut: string) =>
      "services.checkout.match: changes while the canary has traffic (10 %), from host old.example.com, got host shop.example.com; " +
      `expected a change while no canary has any. ${wayOut}`;
    expect(judge(survey, { exposure }).refusals).toEqual([
      text("Leave it as it was for now, or take the canary to 0 first"),
    ]);
    expect(judge(survey, { exposure, routes: [inFront] }).refusals).toEqual([
      text("Write hosts and paths as ours has them for now, or take the canary to 0 first"),
    ]);
  });
});

describe("rules of ours in the way", () => {
  const anchor = { ...ourRule(22, [{ field: "source-ip", values: ["192.0.2.1/32"] }], "checkout", "anchor") };
  const rules = [ourRule(21, [shop]), anchor, ourRule(31, [hosts("api.example.com")])];
  const api = (priority: number) =>
    aRoute({ place: "services.checkout.moreRoutes[0]", match: { hosts: ["api.example.com"], paths: [] }, priority });

  it("are none where every rule stands where it is [A3]", () => {
    expect(judge(aSurvey({ rules }), { routes: [aRoute(), api(30)] })).toEqual(quiet);
  });

  it("are named where the first route and another exchange their priorities [A3]", () => {
    const routes = [aRoute({ priority: 30 }), api(20)];
    expect(judge(aSurvey({ rules }), { routes }).refusals).toEqual([
      "services.checkout.priority: rules of ours stand there that move or go in this very up, got the main rule of checkout at 31; " +
        "expected priorities that nobody has, for the new rules come first. Write priority: 28, or free this one in an up before",
      "services.checkout.moreRoutes[0].priority: rules of ours stand there that move or go in this very up, got the main rule of checkout at 21; " +
        "expected priorities that nobody has, for the new rules come first. Write priority: 18, or free this one in an up before",
    ]);
  });

  it("are named where a priority moves by one into its own neighbour, or to another service's [A3]", () => {
    expect(judge(aSurvey({ rules }), { routes: [aRoute({ priority: 21 }), api(30)] }).refusals[0]).toContain(
      "got the anchor rule of checkout at 22",
    );
    const verdicts = judgeAdoption(
      [
        anAdopting({ isFirst: false, record, routes: [aRoute({ priority: 50 })] }),
        anAdopting({
          name: "search",
          routes: [aRoute({ place: "services.search", match: { hosts: ["s.com"], paths: [] }, priority: 20 })],
        }),
      ],
      aSurvey({ rules: rules.slice(0, 2) }),
    );
    expect(verdicts.search?.refusals).toEqual([
      "services.search.priority: rules of ours stand there that move or go in this very up, got the main rule of checkout at 21, the anchor rule of checkout at 22; " +
        "expected priorities that nobody has, for the new rules come first. Write priority: 18, or free this one in an up before",
    ]);
  });

  it("are none for a further route that moves to a free place [A3]", () => {
    expect(judge(aSurvey({ rules }), { routes: [aRoute(), api(40)] }).refusals).toEqual([]);
  });
});
