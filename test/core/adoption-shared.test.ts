/** Adopted groups to which other rules forward too: a canary of which others live is refused, a baseline of which they live is told (E7). */
import { describe, expect, it } from "vitest";
import { type AdoptingService, judgeAdoption } from "../../core/adoption.ts";
import type { SurveyedRule } from "../../core/survey.ts";
import {
  anAdopting,
  aRoute,
  aRule,
  aSurvey,
  forwardTo,
  groupArnOf,
  hosts,
  inFront,
  ourRule,
  paths,
  ruleArnOf,
  shopRule,
} from "../helpers/surveys.ts";

const green = { digest: `${groupArnOf("green")}#2.0.0`, version: "2.0.0", targetGroupArn: groupArnOf("green") };
const admin = hosts("admin.example.com");

function judge(rules: readonly SurveyedRule[], change: Partial<AdoptingService> = {}) {
  const verdict = judgeAdoption([anAdopting({ routes: [inFront], canary: green, ...change })], aSurvey({ rules }));
  const { refusals = [], notices = [] } = verdict.checkout ?? {};
  return { refusals, notices: notices.map(({ severity, text }) => `${severity}: ${text}`) };
}

const quiet = { refusals: [], notices: [] };
const served =
  "services.checkout.canary.targetGroupArn: green serves other requests already, got the rule at 60 (host admin.example.com), which forwards to green; " +
  "expected a group that no other rule forwards to: these requests would get the release whatever its wave. Make a group of its own for the release";

describe("a canary's group", () => {
  it("is refused where another rule forwards to it, behind ours or before [E7]", () => {
    expect(judge([shopRule, aRule(60, [admin], [forwardTo("green")])])).toEqual({ refusals: [served], notices: [] });
    expect(judge([shopRule, aRule(6, [admin], [forwardTo("green")])]).refusals).toEqual([
      served.replace("at 60", "at 6"),
    ]);
  });

  it("is refused with the number of other rules, and with their split [E7]", () => {
    const rules = [
      shopRule,
      aRule(60, [admin], [forwardTo("red", "green")]),
      aRule(70, [paths("/a")], [forwardTo("green")]),
    ];
    expect(judge(rules).refusals).toEqual([
      served.replace("which forwards to green;", "which forwards to red (weight 1) and green (weight 1) (and 1 more);"),
    ]);
  });

  it("is refused where another Tidegate service forwards to it [E7]", () => {
    const other = { ...ourRule(60, [admin], "admin"), actions: [forwardTo("green")] };
    expect(judge([shopRule, other]).refusals).toEqual([
      served.replace("example.com), which", "example.com) of Tidegate's service admin in production, which"),
    ]);
  });

  it("is fine where weight 0 names it, or nobody does [E7]", () => {
    const weightless = {
      type: "forward",
      targetGroups: [
        { arn: groupArnOf("red"), weight: 1 },
        { arn: groupArnOf("green"), weight: 0 },
      ],
    };
    expect(judge([shopRule, aRule(60, [admin], [weightless])])).toEqual(quiet);
    expect(judge([shopRule])).toEqual(quiet);
  });

  it("is fine where our own rules and the rule behind them forward to it: the next release in the group of the last but one [E7]", () => {
    const ours = { ...ourRule(21, [hosts("shop.example.com")]), actions: [forwardTo("blue", "green")] };
    const theirs = { ...shopRule, actions: [forwardTo("green")] };
    const running = { isFirst: false, raises: true };
    expect(judge([ours, theirs], running)).toEqual(quiet);
    expect(judge([ours, theirs], { ...running, routes: [aRoute()] })).toEqual(quiet);
    const everything = aRoute({ match: { hosts: [], paths: ["/*"] } });
    const catchAll = { ...ours, conditions: [paths("/*")] };
    const defaultRule = aRule("default", [], [forwardTo("green")]);
    expect(judge([catchAll, defaultRule], { ...running, routes: [everything] })).toEqual(quiet);
  });

  it("is refused where a wider rule behind ours keeps requests of its own [E7]", () => {
    const wide = aRule("default", [], [forwardTo("green")]);
    expect(judge([shopRule, wide]).refusals).toEqual([
      served.replace("the rule at 60 (host admin.example.com)", "the default rule"),
    ]);
  });
});

describe("a baseline's group", () => {
  it("is told where another rule forwards to it [E7]", () => {
    expect(judge([shopRule, aRule(60, [admin], [forwardTo("blue")])])).toEqual({
      refusals: [],
      notices: [
        "warning: checkout: the rule at 60 (host admin.example.com) forwards to blue too: its requests do not move with the waves, and the load balancer counts them with the baseline's",
      ],
    });
  });

  it("says nothing of the rule from which the requests are taken, adopted or not [E7]", () => {
    const routes = [aRoute()];
    expect(judge([shopRule], { routes })).toEqual(quiet);
    expect(judge([aRule("default", [], [forwardTo("blue")])], { routes })).toEqual(quiet);
    expect(judge([{ ...shopRule, arn: ruleArnOf("wide"), conditions: [hosts("*.example.com")] }], { routes })).toEqual(
      quiet,
    );
  });
});
