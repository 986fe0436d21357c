/** Smoke and load checks as the gate's input (E5): what passes, what says nothing, and what k6's files really say. */
import { describe, expect, it } from "vitest";
import { readCheckResult } from "../../../core/gate/check-result.ts";
import { checkFindings } from "../../../core/gate/checks.ts";
import type { CheckResult } from "../../../core/gate/evidence.ts";

const now = Date.UTC(2026, 0, 5, 10);
const minute = 60_000;
const passed: CheckResult = { name: "smoke", version: "2.4.0", endedAt: now - 30 * minute, isPassed: true, failed: [] };

const findings = (...results: CheckResult[]) =>
  checkFindings({ version: "2.4.0", asked: [{ name: "smoke", maximumAgeMinutes: 60 }], results }, now);

describe("a check before a wave", () => {
  it("is met by a result of this release that is young enough [E5]", () => {
    expect(findings(passed)).toEqual([
      {
        rule: "checks",
        verdict: "promote",
        text: "check smoke passed (against 2.4.0, ended at 2026-01-05T09:30:00.000Z)",
      },
    ]);
    expect(findings({ ...passed, endedAt: now - 60 * minute })[0]?.verdict).toBe("promote");
    expect(findings({ ...passed, endedAt: now + 5 * minute })[0]?.verdict).toBe("promote");
    expect(checkFindings(undefined, now)).toEqual([]);
  });

  it("is worse where it failed, and says what failed [E5]", () => {
    const when = "against 2.4.0, ended at 2026-01-05T09:30:00.000Z";
    expect(findings({ ...passed, isPassed: false, failed: ["home page", "checks rate>0.99"] })).toEqual([
      {
        rule: "checks",
        verdict: "roll-back",
        text: `check smoke did not pass (${when}); failed: home page, checks rate>0.99`,
      },
    ]);
    expect(findings({ ...passed, isPassed: false })[0]?.text).toBe(
      `check smoke did not pass (${when}); nothing in it passed`,
    );
  });

  it.each<[string, CheckResult[], string]>([
    ["none", [], "check smoke has 0 results; expected one. Run it"],
    ["two", [passed, passed], "check smoke has 2 results; expected one. Run it"],
    [
      "an unreadable one",
      [{ name: "smoke", unreadable: "results/smoke.json: no JSON" }],
      "the result of check smoke cannot be used (results/smoke.json: no JSON). Run it again",
    ],
    [
      "another release's",
      [{ ...passed, version: "2.3.9" }],
      "check smoke was run against release 2.3.9; expected 2.4.0. Run it against that",
    ],
    [
      "one that is too old",
      [{ ...passed, endedAt: now - 60 * minute - 1 }],
      "check smoke ended 60 min ago; expected at most 60 min. Run it again",
    ],
    [
      "one of the future",
      [{ ...passed, endedAt: now + 5 * minute + 1 }],
      "check smoke says that it ended at 2026-01-05T10:05:00.001Z, which is still to come. Set its clock, and run it again",
    ],
    [
      "one without an instant",
      [{ ...passed, endedAt: Number.NaN }],
      "check smoke says that it ended at no instant, which is still to come. Set its clock, and run it again",
    ],
  ])("cannot tell from %s [E5, B8]", (_what, results, text) => {
    expect(findings(...results)).toEqual([{ rule: "checks", verdict: "cannot-tell", measured: "nothing", text }]);
  });
});

const stamp = { release: "2.4.0", endedAt: "2026-01-05T09:30:00Z" };
const good = { name: "smoke", version: "2.4.0", endedAt: now - 30 * minute };
const k6 = {
  tidegate: stamp,
  state: { testRunDurationMs: 60_000 },
  metrics: {
    http_req_duration: {
      type: "trend",
      contains: "time",
      values: { "p(95)": 120 },
      thresholds: { "p(95)<500": { ok: true } },
    },
    http_reqs: { type: "counter", contains: "default", values: { count: 600, rate: 10 } },
  },
  root_group: {
    name: "",
    path: "",
    checks: [{ name: "status is 200", path: "::status is 200", passes: 600, fails: 0 }],
    groups: [{ name: "cart", checks: [{ name: "has a total", passes: 10, fails: 0 }], groups: [] }],
  },
};

describe("a check's file", () => {
  it("is what k6's handleSummary was given, or a few lines of one's own [E5]", () => {
    expect(readCheckResult("smoke", k6)).toEqual({ ...good, isPassed: true, failed: [] });
    expect(readCheckResult("smoke", { tidegate: stamp, passed: true })).toEqual({
      ...good,
      isPassed: true,
      failed: [],
    });
    expect(readCheckResult("smoke", { tidegate: stamp, passed: false, failed: ["home page"] })).toEqual({
      ...good,
      isPassed: false,
      failed: ["home page"],
    });
  });

  it("names every threshold and check of k6 that failed, in groups too [E5]", () => {
    const inner = { name: "cart", checks: [{ name: "has a total", passes: 9, fails: 1 }], groups: [] };
    expect(
      readCheckResult("smoke", {
        ...k6,
        metrics: { http_req_duration: { thresholds: { "p(95)<500": { ok: false }, "p(99)<900": { ok: true } } } },
        root_group: {
          checks: [{ name: "status is 200", passes: 599, fails: 1 }],
          groups: [{ name: "shop", groups: [inner] }],
        },
      }),
    ).toEqual({
      ...good,
      isPassed: false,
      failed: ["http_req_duration p(95)<500", "status is 200", "shop / cart / has a total"],
    });
  });

  it("has proved nothing without a threshold or a check, and with one that never ran [E5]", () => {
    expect(readCheckResult("smoke", { tidegate: stamp, metrics: { http_reqs: { values: { count: 600 } } } })).toEqual({
      ...good,
      isPassed: false,
      failed: [],
    });
    const idle = { checks: [{ name: "status is 200", passes: 0, fails: 0 }] };
    expect(readCheckResult("smoke", { tidegate: stamp, root_group: idle })).toEqual({
      ...good,
      isPassed: false,
      failed: ["status is 200"],
    });
  });

  const ofSummaryExport = {
    tidegate: stamp,
    metrics: { http_req_duration: { "p(95)": 120, thresholds: { "p(95)<500": false } } },
    root_group: { checks: { "status is 200": { name: "status is 200", passes: 1, fails: 0 } } },
  };
  it.each<[string, unknown, string]>([
    ["nothing", null, "no map, got nothing; expected a JSON object"],
    ["a list", [k6], "no map, got a list; expected a JSON object"],
    [
      "a summary without a stamp",
      { ...k6, tidegate: undefined },
      "tidegate: missing, got nothing; expected { release, endedAt } beside what k6's handleSummary was given",
    ],
    [
      "a release that is no text",
      { ...k6, tidegate: { ...stamp, release: 2.3 } },
      "tidegate.release: not a release, got 2.3; expected its version as a text",
    ],
    [
      "an instant without a zone",
      { ...k6, tidegate: { ...stamp, endedAt: "2026-01-05T09:30:00" } },
      'tidegate.endedAt: not an instant, got "2026-01-05T09:30:00"; expected one such as 2026-11-22T10:00:00Z',
    ],
    ["a stamp alone", { tidegate: stamp }, "neither passed nor k6's metrics and root_group; expected one of the two"],
    [
      "an outcome that is no switch",
      { tidegate: stamp, passed: "yes" },
      'passed: not a switch, got "yes"; expected true or false',
    ],
    [
      "a pass beside what failed",
      { tidegate: stamp, passed: true, failed: ["home page"] },
      "passed: contradicts failed, got true beside 1 that failed; expected one of the two",
    ],
    [
      "names that are none",
      { tidegate: stamp, passed: false, failed: "home page" },
      'failed: not a list of names, got "home page"; expected one such as ["home page"]',
    ],
    [
      "k6's --summary-export, where true means failed",
      ofSummaryExport,
      "threshold http_req_duration p(95)<500: the form of k6's --summary-export, in which true means failed; expected { ok }. Write the file in handleSummary",
    ],
    [
      "k6's machine-readable summary, which has no thresholds",
      { tidegate: stamp, version: "1.0.0", results: { checks: { results: [] }, metrics: [] } },
      "the form of k6's --new-machine-readable-summary, which does not tell thresholds; expected the other one. Run k6 with --new-machine-readable-summary=false",
    ],
    [
      "metrics that are a list",
      { tidegate: stamp, metrics: [] },
      "metrics: no map, got a list; expected k6's metrics by name",
    ],
    [
      "a threshold that does not say",
      { tidegate: stamp, metrics: { m: { thresholds: { "rate>0": {} } } } },
      "threshold m rate>0: does not say ok, got a map; expected { ok: true } or { ok: false }",
    ],
    [
      "checks that are a map",
      { tidegate: stamp, root_group: { checks: {} } },
      "root_group: checks: no list, got a map; expected what handleSummary was given",
    ],
    [
      "counts that are none",
      { tidegate: stamp, root_group: { groups: [{ name: "cart", checks: [{ name: "x", passes: 1, fails: -1 }] }] } },
      "root_group / cart: no check, got a map; expected one with name, passes and fails",
    ],
  ])("is refused by name where it is %s [E5]", (_what, raw, unreadable) => {
    expect(readCheckResult("smoke", raw)).toEqual({ name: "smoke", unreadable });
  });

  it("is refused, and not followed, where groups nest without end [E5]", () => {
    let group: unknown = { checks: [{ name: "x", passes: 1, fails: 0 }] };
    for (let depth = 0; depth < 5_000; depth += 1) group = { name: "g", groups: [group] };
    expect(readCheckResult("smoke", { tidegate: stamp, root_group: group })).toEqual({
      name: "smoke",
      unreadable: "root_group: more than 50 groups in groups; expected fewer",
    });
  });
});
