/** Leaving: whoever gets the requests once our rules are gone must send them where they go today (E7). */
import { describe, expect, it } from "vitest";
import { type AdoptingService, judgeLeaving, judgeShrinking } from "../../core/adoption.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { Survey } from "../../core/survey.ts";
import {
  anAdopting,
  answer,
  aRoute,
  aRule,
  aSurvey,
  forwardTo,
  groupArnOf,
  hosts,
  inFront,
  login,
  ourRule,
  paths,
  shopRule,
} from "../helpers/surveys.ts";

const shop = hosts("shop.example.com");

/** A service whose release is on a group. */
function running(name: string, adopted = true, change: Partial<AdoptingService> = {}): AdoptingService {
  const digest = `${groupArnOf(name)}#2.0.0`;
  const release = {
    digest,
    version: "2.0.0",
    targetGroupArn: groupArnOf(name),
    targetGroupArnSuffix: "",
    adopted,
    knownGood: true,
  };
  const record = { baseline: digest, releases: { [digest]: release } } as unknown as RolloutRecord;
  return anAdopting({ isFirst: false, record, routes: [inFront], ...change });
}

const leave = (survey: Survey, service: AdoptingService) => judgeLeaving(service, [service], survey);
const theirs = (...names: string[]) =>
  aSurvey({ rules: [ourRule(21, [shop]), { ...shopRule, actions: [forwardTo(...names)] }] });

describe("leaving", () => {
  it("is fine where theirs sends everything to the baseline's group [E7]", () => {
    expect(leave(theirs("blue"), running("blue"))).toEqual([]);
  });

  it("is refused after a finished rollout that theirs knows nothing of [E7]", () => {
    expect(leave(theirs("blue"), running("green"))).toEqual([
      "services.checkout.retire: once our rules are gone, the rule at 50 (host shop.example.com) gets requests of this service and forwards to blue, " +
        "got baseline 2.0.0 on green; expected a rule that forwards to green alone. Change that rule first, or say overrideReason",
    ]);
    expect(leave(theirs("green"), running("green"))).toEqual([]);
  });

  it("is refused where theirs splits, asks for a login, answers by itself, or is gone [E7]", () => {
    const told = (survey: Survey) =>
      leave(survey, running("blue")).map((text) => /requests of this service and (.*), got/.exec(text)?.[1]);
    const rule = (actions: Parameters<typeof aRule>[2]) =>
      aSurvey({ rules: [ourRule(21, [shop]), { ...shopRule, actions }] });
    expect(told(theirs("blue", "green"))).toEqual(["forwards to blue (weight 1) and green (weight 1)"]);
    expect(told(rule([login, forwardTo("blue")]))).toEqual([
      "asks for a login (authenticate-oidc) and forwards to blue",
    ]);
    expect(told(rule([answer("503")]))).toEqual(["answers 503"]);
    expect(told(aSurvey({ rules: [ourRule(21, [shop])] }))).toEqual(["answers 404"]);
  });

  it("looks at every rule that would get some of the requests, and at none behind one that gets all [E7]", () => {
    const survey = aSurvey({
      rules: [
        ourRule(21, [shop]),
        aRule(30, [hosts("*.example.com"), paths("/legal/*")], [forwardTo("legal")]),
        aRule(40, [hosts("*.example.com")], [forwardTo("blue")]),
        aRule(45, [shop], [forwardTo("never")]),
      ],
    });
    expect(leave(survey, running("blue", true, { routes: [aRoute()] }))).toEqual([
      "services.checkout.retire: once our rules are gone, the rule at 30 (host *.example.com and path /legal/*) gets requests of this service and forwards to legal, " +
        "got baseline 2.0.0 on blue; expected a rule that forwards to blue alone. Change that rule first, or say overrideReason",
    ]);
  });

  it("sees that a rule of another Tidegate service of the config takes over [E7]", () => {
    const checkout = running("blue", true, {
      routes: [aRoute({ match: { hosts: ["shop.example.com"], paths: ["/checkout/*"] } })],
    });
    const search = running("green", true, {
      name: "search",
      routes: [aRoute({ place: "services.search", priority: 60 })],
    });
    const survey = (group: string) =>
      aSurvey({
        rules: [
          ourRule(21, [shop, paths("/checkout/*")]),
          { ...ourRule(61, [shop], "search"), actions: [forwardTo(group)] },
          aRule("default", [], [forwardTo("blue")]),
        ],
      });
    expect(judgeLeaving(checkout, [checkout, search], survey("green"))).toEqual([
      "services.checkout.retire: once our rules are gone, the rule at 61 (host shop.example.com) gets requests of this service and forwards to green, " +
        "got baseline 2.0.0 on blue; expected a rule that forwards to blue alone. Change that rule first, or say overrideReason",
    ]);
    expect(judgeLeaving(checkout, [checkout, search], survey("blue"))).toEqual([]);
  });

  it("is refused while the program makes the baseline's group [E7]", () => {
    expect(leave(theirs("blue"), running("blue", false))).toEqual([
      "services.checkout.retire: the program makes the target group of baseline 2.0.0 and takes it away with the service, so nobody can take over, " +
        "got blue; expected a baseline on a group of your own. Make one such a group first (baseline.targetGroupArn, replaceBaselineReason), or say overrideReason",
    ]);
  });

  it("asks nothing on a load balancer that Tidegate made", () => {
    const own = aSurvey({ rules: [ourRule(21, [shop])] });
    const [listener] = own.listeners;
    const made = listener && [
      { ...listener, loadBalancerArn: listener.loadBalancerArn.replace("/web/", "/tidegate-production/") },
    ];
    expect(leave({ ...own, listeners: made ?? [] }, running("blue", false, { routes: [aRoute()] }))).toEqual([]);
  });
});

describe("a route less, or a narrower one", () => {
  const api = hosts("api.example.com");
  const apiRoute = aRoute({
    place: "services.checkout.moreRoutes[0]",
    match: { hosts: ["api.example.com"], paths: [] },
    priority: 30,
  });
  const theirApi = aRule(70, [api], [forwardTo("blue")]);
  const survey = aSurvey({ rules: [ourRule(21, [shop]), ourRule(31, [api]), shopRule, theirApi] });
  const shrink = (service: AdoptingService, found: Survey) => judgeShrinking(service, [service], found);

  it("is refused after a finished rollout that theirs knows nothing of [E7]", () => {
    const refusal = [
      "services.checkout: not every request with host api.example.com has a route any more, then the rule at 70 (host api.example.com) gets some and forwards to blue, " +
        "got baseline 2.0.0 on green; expected a rule that forwards to green alone. Keep the route, change that rule first, or say overrideReason",
    ];
    expect(shrink(running("green"), survey)).toEqual(refusal);
    const narrow = { ...apiRoute, match: { ...apiRoute.match, paths: ["/v2/*"] } };
    expect(shrink(running("green", true, { routes: [inFront, narrow] }), survey)).toEqual(refusal);
  });

  it("is fine while a route has the requests, at whatever priority, and where theirs leads to the baseline [E7]", () => {
    expect(shrink(running("green", true, { routes: [inFront, apiRoute] }), survey)).toEqual([]);
    expect(shrink(running("green", true, { routes: [inFront, { ...apiRoute, priority: 60 }] }), survey)).toEqual([]);
    expect(shrink(running("blue"), survey)).toEqual([]);
  });

  it("sees who comes between where the route moves behind [E7]", () => {
    const routes = [inFront, { ...apiRoute, priority: 80 }];
    expect(shrink(running("green", true, { routes }), survey)).toHaveLength(1);
  });
});
