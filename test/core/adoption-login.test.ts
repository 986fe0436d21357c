/** Whatever rules somebody has: an adoption that is not refused lets no request past a login that it had to pass before (E7). */
import fc from "fast-check";
import { expect, it } from "vitest";
import { judgeAdoption } from "../../core/adoption.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { SurveyedCondition, SurveyedRule } from "../../core/survey.ts";
import {
  anAdopting,
  answer,
  aRoute,
  aRule,
  aSurvey,
  forwardTo,
  hosts,
  inFront,
  login,
  ourRule,
  paths,
  shopRule,
} from "../helpers/surveys.ts";

interface Request {
  readonly host: string;
  readonly path: string;
}

const requests: readonly Request[] = ["a.com", "b.com", "x.a.com"].flatMap((host) =>
  ["/", "/x", "/x/y"].map((path) => ({ host, path })),
);
const regexOf = (pattern: string) =>
  new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".")}$`);

function matches(conditions: readonly SurveyedCondition[], { host, path }: Request): boolean {
  return conditions.every(({ field, values }) =>
    values.some((value) => regexOf(value).test(field === "host-header" ? host : path)),
  );
}

const hostList = fc.uniqueArray(fc.constantFrom("a.com", "b.com", "*.com", "*.a.com", "?.com"), {
  minLength: 1,
  maxLength: 2,
});
const pathList = fc.uniqueArray(fc.constantFrom("/", "/*", "/x", "/x*", "/x/?"), { minLength: 1, maxLength: 2 });
const conditions = fc
  .record({ host: fc.option(hostList), path: fc.option(pathList) })
  .map(({ host, path }) => [...(host ? [hosts(...host)] : []), ...(path ? [paths(...path)] : [])])
  .filter((found) => found.length > 0);
const actions = fc.constantFrom([forwardTo("blue")], [forwardTo("red")], [login, forwardTo("blue")], [answer("403")]);
const rules = fc
  .uniqueArray(fc.record({ priority: fc.integer({ min: 1, max: 40 }), conditions, actions }), {
    selector: ({ priority }) => priority,
    maxLength: 6,
  })
  .map((list) => list.map((rule) => aRule(rule.priority, rule.conditions, rule.actions)));

/** The rule that gets a request. */
function taker(listed: readonly SurveyedRule[], request: Request): SurveyedRule | undefined {
  const order = (rule: SurveyedRule) => (rule.priority === "default" ? Number.POSITIVE_INFINITY : rule.priority);
  return listed.toSorted((left, right) => order(left) - order(right)).find((rule) => matches(rule.conditions, request));
}

const needsLogin = (rule: SurveyedRule | undefined) => rule?.actions.some(({ type }) => type === login.type) ?? false;

it("lets no request past a login, whatever the other rules are [E7]", { timeout: 120_000 }, () => {
  let adopted = 0;
  fc.assert(
    fc.property(
      rules,
      actions,
      fc.boolean(),
      conditions,
      fc.integer({ min: 1, max: 45 }),
      (others, last, adoptsRule, own, priority) => {
        const theirs = { ...shopRule, priority: 41, conditions: own };
        const before = [...others, ...(adoptsRule ? [theirs] : []), aRule("default", [], last)];
        const match = {
          hosts: own.flatMap(({ field, values }) => (field === "host-header" ? values : [])),
          paths: own.flatMap(({ field, values }) => (field === "path-pattern" ? values : [])),
        };
        const routes = [{ ...(adoptsRule ? inFront : aRoute({ match })), priority }];
        const verdict = judgeAdoption([anAdopting({ routes })], aSurvey({ rules: before })).checkout;
        if (!verdict || verdict.refusals.length > 0) return;
        adopted += 1;
        const ours = aRule(priority + 1, own, [forwardTo("blue")], { arn: "ours" });
        for (const request of requests) {
          if (taker([...before, ours], request)?.arn !== "ours") continue;
          expect(needsLogin(taker(before, request))).toBe(false);
        }
      },
    ),
    { numRuns: 3_000 },
  );
  expect(adopted).toBeGreaterThan(300);
});

it("lets no request past a login by a change of a route that runs, be it match, adopted rule or priority [E7]", {
  timeout: 120_000,
}, () => {
  const record = { releases: { [anAdopting().baseline.digest]: {} } } as unknown as RolloutRecord;
  let changed = 0;
  fc.assert(
    fc.property(
      rules,
      fc.boolean(),
      conditions,
      conditions,
      fc.integer({ min: 1, max: 45 }),
      fc.option(fc.integer({ min: 1, max: 45 })),
      fc.boolean(),
      (others, adoptsRule, was, own, priority, from, lowers) => {
        const wasAt = from ?? priority;
        const theirs = { ...shopRule, priority: 41, conditions: own };
        const foreign = [...others, ...(adoptsRule ? [theirs] : []), aRule("default", [], [answer("404")])];
        const before = [...foreign.filter((rule) => rule.priority !== wasAt + 1), ourRule(wasAt + 1, was)];
        const match = {
          hosts: own.flatMap(({ field, values }) => (field === "host-header" ? values : [])),
          paths: own.flatMap(({ field, values }) => (field === "path-pattern" ? values : [])),
        };
        const routes = [{ ...(adoptsRule ? inFront : aRoute({ match })), priority }];
        const service = anAdopting({ routes, isFirst: false, record, lowers });
        const verdict = judgeAdoption([service], aSurvey({ rules: before })).checkout;
        if (!verdict || verdict.refusals.length > 0) return;
        changed += 1;
        const ours = aRule(priority + 1, own, [forwardTo("blue")], { arn: "ours" });
        const after = [...before.filter((rule) => rule.ours === undefined), ours];
        for (const request of requests) {
          if (taker(after, request)?.arn !== "ours") continue;
          expect(needsLogin(taker(before, request))).toBe(false);
        }
      },
    ),
    { numRuns: 3_000 },
  );
  expect(changed).toBeGreaterThan(300);
});

it("moves no request to another group by standing in front of a rule [E7]", { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(rules, conditions, fc.integer({ min: 1, max: 45 }), (others, own, priority) => {
      const theirs = { ...shopRule, priority: 41, conditions: own };
      const before = [...others, theirs, aRule("default", [], [answer("404")])];
      const routes = [{ ...inFront, priority }];
      const verdict = judgeAdoption([anAdopting({ routes })], aSurvey({ rules: before })).checkout;
      if (!verdict || verdict.refusals.length > 0) return;
      const ours = aRule(priority + 1, own, [forwardTo("blue")], { arn: "ours" });
      for (const request of requests) {
        expect(taker([...before, ours], request)?.actions).toEqual(taker(before, request)?.actions);
      }
    }),
    { numRuns: 3_000 },
  );
});
