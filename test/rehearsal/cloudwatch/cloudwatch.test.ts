import { describe, expect, it } from "vitest";
import { CloudWatch, type StateChange } from "../../../rehearsal/cloudwatch/cloudwatch.ts";

const start = Date.UTC(2026, 0, 5);
const step = 10_000;
const minute = 60_000;
const dimensions = { Service: "s", Release: "r" };

/** A valid plain alarm on a ten-second metric: 2 of 3 minutes above 5 errors. */
function anAlarm(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: "errors",
    comparisonOperator: "GreaterThanThreshold",
    evaluationPeriods: 3,
    datapointsToAlarm: 2,
    threshold: 5,
    treatMissingData: "notBreaching",
    namespace: "Tidegate",
    metricName: "Errors",
    statistic: "Sum",
    period: 60,
    dimensions,
    alarmActions: ["arn:alarm"],
    okActions: ["arn:ok"],
    alarmDescription: undefined,
    unit: undefined,
    ...over,
  };
}

const metric = (id: string, metricName: string, over: Record<string, unknown> = {}) => ({
  id,
  metric: { namespace: "Tidegate", metricName, period: 60, stat: "Sum", dimensions, ...over },
});

function aMathAlarm(metricQueries: unknown[], over: Record<string, unknown> = {}): Record<string, unknown> {
  const none = {
    namespace: undefined,
    metricName: undefined,
    statistic: undefined,
    period: undefined,
    dimensions: undefined,
  };
  return anAlarm({ ...none, metricQueries, ...over });
}

/** Puts `errors(at)` every 10 s, visible 10 s after the step, and evaluates; answers all changes. */
function play(
  cloudWatch: CloudWatch,
  minutes: number,
  errors: (at: number) => number | null,
  from = start,
): StateChange[] {
  const changes: StateChange[] = [];
  for (let at = from; at < from + minutes * minute; at += step) {
    const value = errors(at);
    if (value !== null) cloudWatch.putMetric("Tidegate", "Errors", dimensions, at, value, at + 2 * step);
    changes.push(...cloudWatch.evaluateAt(at + step));
  }
  return changes;
}

function refusal(act: (cloudWatch: CloudWatch) => unknown): string {
  try {
    act(new CloudWatch());
  } catch (error) {
    return error instanceof Error ? `${error.name} ${error.message}` : "";
  }
  return "taken";
}

describe("a metric alarm", () => {
  it("starts blind, goes OK, alarms on 2 of 3 bad minutes and comes back [D1]", () => {
    const cloudWatch = new CloudWatch();
    cloudWatch.putMetricAlarm(anAlarm(), start);
    expect(cloudWatch.describe(["errors", "absent"])).toEqual([
      { alarmName: "errors", state: "INSUFFICIENT_DATA", updatedAt: start, actionsEnabled: true },
    ]);
    const bad = (at: number) => at >= start + 3 * minute && at < start + 5 * minute;
    const changes = play(cloudWatch, 10, (at) => (bad(at) ? 2 : 0));
    expect(changes.map(({ at, state, actions, reason }) => [(at - start) / minute, state, actions, reason])).toEqual([
      [1, "OK", ["arn:ok"], "2 of 3 GreaterThanThreshold 5: - - - - 0"],
      [5, "ALARM", ["arn:alarm"], "2 of 3 GreaterThanThreshold 5: 0 0 0 12 10"],
      [7, "OK", ["arn:ok"], "2 of 3 GreaterThanThreshold 5: 0 12 12 0 0"],
    ]);
    expect(changes[1]?.previousState).toBe("OK");
    expect(cloudWatch.describe(["errors"])[0]?.updatedAt).toBe(start + 7 * minute);
  });

  it("is looked at every 10 s when its period is shorter than a minute [D1]", () => {
    const cloudWatch = new CloudWatch();
    cloudWatch.putMetricAlarm(
      anAlarm({ period: 10, evaluationPeriods: 1, datapointsToAlarm: undefined, threshold: 0 }),
      start,
    );
    const changes = play(cloudWatch, 2, (at) => (at === start + 3 * step ? 1 : 0));
    expect(changes.map(({ at, state }) => [(at - start) / step, state])).toEqual([
      [1, "OK"],
      [5, "ALARM"],
      [6, "OK"],
    ]);
  });

  it("keeps its state when it is replaced and starts anew when it was deleted [D1]", () => {
    const cloudWatch = new CloudWatch();
    cloudWatch.putMetricAlarm(anAlarm(), start);
    play(cloudWatch, 4, () => 5);
    expect(cloudWatch.describe(["errors"])[0]?.state).toBe("ALARM");
    cloudWatch.putMetricAlarm(anAlarm({ threshold: 1_000 }), start + 4 * minute);
    expect(cloudWatch.describe(["errors"])[0]?.state).toBe("ALARM");
    cloudWatch.deleteAlarm("errors");
    expect(cloudWatch.alarmNames()).toEqual([]);
    expect(play(cloudWatch, 2, () => 5, start + 4 * minute)).toEqual([]);
    cloudWatch.putMetricAlarm(anAlarm(), start + 6 * minute);
    expect(cloudWatch.describe(["errors"])[0]?.state).toBe("INSUFFICIENT_DATA");
  });

  it("keeps a state set by hand until its next evaluation, and calls nobody with actions disabled [D1]", () => {
    const cloudWatch = new CloudWatch();
    cloudWatch.putMetricAlarm(anAlarm({ actionsEnabled: false }), start);
    play(cloudWatch, 2, () => 0);
    const at = start + 2 * minute + step;
    expect(cloudWatch.setAlarmState("errors", "ALARM", "drill", at)).toEqual([
      { alarmName: "errors", state: "ALARM", previousState: "OK", at, reason: "drill", actions: [] },
    ]);
    expect(play(cloudWatch, 1, () => 0, start + 2 * minute).map(({ state }) => state)).toEqual(["OK"]);
  });

  it("compares metric math, with expressions in any order [B9]", () => {
    const cloudWatch = new CloudWatch();
    const rate = { id: "rate", expression: "IF(m1 >= 10, 100 * errors / m1, 0)", returnData: true, label: "percent" };
    const errors = { id: "errors", expression: "m2 + 0 * m1", returnData: false };
    cloudWatch.putMetricAlarm(aMathAlarm([rate, errors, metric("m1", "Requests"), metric("m2", "Errors")]), start);
    for (let at = start; at < start + 4 * minute; at += step) {
      cloudWatch.putMetric("Tidegate", "Requests", dimensions, at, 100, at);
    }
    const changes = play(cloudWatch, 4, (at) => (at < start + minute ? null : 7));
    expect(changes.map(({ at, state, reason }) => [(at - start) / minute, state, reason])).toEqual([
      [1, "OK", "2 of 3 GreaterThanThreshold 5: - - - - 0"],
      [3, "ALARM", "2 of 3 GreaterThanThreshold 5: - - 0 7 5.83333"],
    ]);
  });

  it("leaves its state while a percentile has too few samples, where asked to [D1]", () => {
    const states = (["evaluate", "ignore"] as const).map((evaluateLowSampleCountPercentiles) => {
      const cloudWatch = new CloudWatch();
      const percentile = { statistic: undefined, extendedStatistic: "p50", evaluateLowSampleCountPercentiles };
      cloudWatch.putMetricAlarm(anAlarm({ ...percentile, treatMissingData: "breaching" }), start);
      play(cloudWatch, 2, () => 1);
      return cloudWatch.describe(["errors"])[0]?.state;
    });
    expect(states).toEqual(["ALARM", "INSUFFICIENT_DATA"]);
  });
});

describe("values of alarms", () => {
  it("are what metric math came to, of what was visible then, and disturb no evaluation [B6]", () => {
    const cloudWatch = new CloudWatch();
    const rate = { id: "rate", expression: "100 * FILL(m2, 0) / m1", returnData: true };
    cloudWatch.putMetricAlarm(aMathAlarm([rate, metric("m1", "Requests"), metric("m2", "Errors")]), start);
    for (let at = start; at < start + 4 * minute; at += minute) {
      cloudWatch.putMetric("Tidegate", "Requests", dimensions, at, 50, at);
      cloudWatch.putMetric("Tidegate", "Errors", dimensions, at, (at - start) / minute, at + 2 * minute);
    }
    const range = { from: start - minute, to: start + 4 * minute + 59_999 };
    const valuesAt = (now: number) => cloudWatch.alarmValues(["errors"], range, now)[0]?.points;
    const expected = (...values: number[]) => values.map((value, index) => ({ at: start + index * minute, value }));
    expect(valuesAt(start + 4 * minute)).toEqual(expected(0, 2, 4, 0));
    expect(valuesAt(start + 5 * minute)).toEqual(expected(0, 2, 4, 6));
    cloudWatch.evaluateAt(start + 4 * minute);
    expect(valuesAt(start + 5 * minute)).toEqual(expected(0, 2, 4, 6));
  });

  it("are of the alarm's own percentile and period, in its own direction [B6]", () => {
    const cloudWatch = new CloudWatch();
    const own = { statistic: "Maximum", period: 300, comparisonOperator: "LessThanOrEqualToThreshold" };
    cloudWatch.putMetricAlarm(anAlarm(own), start);
    for (const [minutes, value] of [
      [0, 1],
      [4, 9],
      [5, 2],
    ] as const) {
      const at = start + minutes * minute;
      cloudWatch.putMetric("Tidegate", "Errors", dimensions, at, value, at);
    }
    const range = { from: start + minute, to: start + 14 * minute };
    expect(cloudWatch.alarmValues(["errors", "none"], range, start + 14 * minute)).toEqual([
      {
        alarmName: "errors",
        threshold: 5,
        badWhen: "atMost",
        points: [
          { at: start, value: 9 },
          { at: start + 5 * minute, value: 2 },
        ],
      },
    ]);
  });
});

describe("a composite alarm", () => {
  const composite = (alarmRule: string, over = {}) => ({
    alarmName: "any",
    alarmRule,
    alarmActions: ["arn:page"],
    ...over,
  });

  it("follows its children at once, through composites on composites [D1]", () => {
    const cloudWatch = new CloudWatch();
    cloudWatch.putMetricAlarm(anAlarm({ name: "a/1" }), start);
    cloudWatch.putMetricAlarm(anAlarm({ name: "b" }), start);
    cloudWatch.putCompositeAlarm(composite('ALARM("a/1") AND NOT (OK(b) OR FALSE)'), start);
    cloudWatch.putCompositeAlarm(composite("ALARM(any) AND TRUE", { alarmName: "top" }), start);
    expect(
      cloudWatch.setAlarmState("a/1", "ALARM", "drill", start).map((change) => `${change.alarmName} ${change.state}`),
    ).toEqual(["a/1 ALARM", "any ALARM", "top ALARM"]);
    const [, , top] = cloudWatch.setAlarmState("b", "OK", "drill", start);
    expect(top).toMatchObject({ alarmName: "top", state: "OK", reason: "ALARM(any) AND TRUE" });
  });

  it("keeps its children from being deleted [D1]", () => {
    const cloudWatch = new CloudWatch();
    cloudWatch.putMetricAlarm(anAlarm(), start);
    cloudWatch.putCompositeAlarm(composite("ALARM(errors)"), start);
    expect(() => cloudWatch.deleteAlarm("errors")).toThrow("alarm errors: cannot be deleted, any depends on it");
    cloudWatch.deleteAlarm("any");
    cloudWatch.deleteAlarm("errors");
  });

  it("refuses absent children, cycles and what is no rule, by name [E3]", () => {
    const rule = (text: string) =>
      refusal((cloudWatch) => {
        cloudWatch.putMetricAlarm(anAlarm({ name: "a" }), start);
        cloudWatch.putCompositeAlarm(composite("ALARM(a)"), start);
        cloudWatch.putCompositeAlarm(composite(text), start);
      })
        .split("\n  ")
        .slice(1);
    expect([
      rule("ALARM(a) OR OK(z) AND OK(y)"),
      rule("ALARM(any)"),
      rule("AT_LEAST(2, ALARM, (a, b))"),
      rule("ALARM(a) ALARM(a)"),
      rule("ALARM(a"),
      rule('ALARM("a'),
      rule("NOT"),
    ]).toEqual([
      ["alarm any: alarmRule: no such alarm, got z", "alarm any: alarmRule: no such alarm, got y"],
      ["alarm any: alarmRule: depends on itself"],
      ["alarm any: alarmRule: the function AT_LEAST"],
      ["alarm any: alarmRule: unexpected element 5, got ALARM; expected AND, OR or the end"],
      ["alarm any: alarmRule: unexpected element 4, got the end; expected )"],
      ['alarm any: alarmRule: cannot be read at character 7, got "a'],
      [
        "alarm any: alarmRule: unexpected element 2, got the end; expected ALARM(), OK(), INSUFFICIENT_DATA(), NOT, TRUE, FALSE or (",
      ],
    ]);
    expect(
      refusal((cloudWatch) => cloudWatch.putCompositeAlarm(composite("TRUE", { actionsSuppressor: {} }), start)),
    ).toBe("NotModelledError the local CloudWatch does not model this:\n  alarm any: the property actionsSuppressor");
  });
});

describe("alarms that are refused", () => {
  const put = (inputs: unknown) => refusal((cloudWatch) => cloudWatch.putMetricAlarm(inputs, start)).split("\n");

  it("names every property and value that is not modelled [E3]", () => {
    expect(
      put(anAlarm({ unit: "Count", thresholdMetricId: "t", comparisonOperator: "LessThanLowerThreshold" })),
    ).toEqual([
      "NotModelledError the local CloudWatch does not model this:",
      '  alarm errors: comparisonOperator: Invalid option: expected one of "GreaterThanThreshold"|"GreaterThanOrEqualToThreshold"|"LessThanThreshold"|"LessThanOrEqualToThreshold"',
      "  alarm errors: the property unit",
      "  alarm errors: the property thresholdMetricId",
    ]);
    expect(put(anAlarm({ statistic: "tm90" }))[1]).toBe(
      "  alarm errors: the statistic tm90; expected Sum, Minimum, Maximum, Average, SampleCount or pNN",
    );
    expect(put(aMathAlarm([{ ...metric("m1", "Errors"), accountId: "1", returnData: true }]))[1]).toBe(
      "  alarm errors: the property metricQueries.0.accountId",
    );
    expect(
      put(anAlarm({ statistic: undefined, extendedStatistic: "p99", period: 3_600, evaluationPeriods: 72 }))[1],
    ).toBe("  alarm errors: an evaluation range of 266400 s; expected at most 262800 s at this period and statistic");
  });

  it("names everything CloudWatch itself refuses, at once [E3]", () => {
    expect(put(anAlarm({ datapointsToAlarm: 4, period: 45, extendedStatistic: "p99" }))).toEqual([
      "InvalidRequestError CloudWatch would refuse this:",
      "  alarm errors: expected either statistic or extendedStatistic",
      "  alarm errors: datapointsToAlarm: got 4; expected at most evaluationPeriods, 3",
      "  alarm errors: period: got 45; expected 10, 20, 30 or a multiple of 60 seconds",
    ]);
    expect(put(anAlarm({ evaluationPeriods: 1_441 }))[1]).toBe(
      "  alarm errors: period × evaluationPeriods: got 86460 s; expected at most 86400 s",
    );
    const eleven = Array.from({ length: 11 }, (_, index) =>
      metric(`m${index}`, "Errors", { period: index === 0 ? 60 : 300 }),
    );
    expect(
      put(aMathAlarm([...eleven, { id: "m1", expression: "m0", metric: metric("x", "Y").metric }], { period: 60 })),
    ).toEqual([
      "InvalidRequestError CloudWatch would refuse this:",
      "  alarm errors: period: not beside metricQueries",
      "  alarm errors: metricQueries: the id m1 is there twice",
      "  alarm errors: metricQueries m1: expected either expression or metric",
      "  alarm errors: metricQueries: number of metrics, got 11; expected 1 to 10",
      `  alarm errors: metricQueries: different periods, got 60${", 300".repeat(10)}; expected one for all`,
      "  alarm errors: metricQueries: returnData is true 0 times; expected once",
    ]);
    expect(
      put(
        aMathAlarm([
          metric("m1", "A"),
          { id: "e1", expression: "e2", returnData: true },
          { id: "e2", expression: "e1 + m1" },
        ]),
      )[1],
    ).toBe("  alarm errors: expressions read each other, got e1 → e2 → e1");
    expect(put(anAlarm({ name: undefined }))[1]).toContain("an alarm without a name: name:");
  });

  it("refuses to go back in time or between steps, and alarms that are not there [E3]", () => {
    const cloudWatch = new CloudWatch();
    cloudWatch.evaluateAt(start);
    expect(() => cloudWatch.evaluateAt(start - step)).toThrow(
      `evaluateAt: got ${start - step}; expected a multiple of 10000 ms`,
    );
    expect(() => cloudWatch.evaluateAt(start + 1)).toThrow("expected a multiple of 10000 ms");
    expect(() => cloudWatch.deleteAlarm("x")).toThrow("alarm x: no such alarm");
    expect(() => cloudWatch.setAlarmState("x", "OK", "", start)).toThrow("alarm x: no such alarm");
  });
});

describe("request sums", () => {
  it("gives visible sums by period, oldest first, without the empty ones [B9]", () => {
    const cloudWatch = new CloudWatch();
    for (const at of [0, 10, 70, 190]) {
      cloudWatch.putMetric("Tidegate", "Requests", dimensions, start + at * 1_000, 4, start + (at + 20) * 1_000);
    }
    const query = { id: "q", namespace: "Tidegate", metricName: "Requests", dimensions } as const;
    const range = { from: start + 5_000, to: start + 4 * minute + 1, periodSeconds: 60 };
    expect(cloudWatch.requestSums([query], range, start + 200_000)).toEqual({
      q: [
        { at: start, sum: 8 },
        { at: start + minute, sum: 4 },
      ],
    });
    expect(() => cloudWatch.requestSums([query], { ...range, periodSeconds: 90 }, start)).toThrow(
      "periodSeconds: got 90",
    );
  });
});
