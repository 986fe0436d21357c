/** The peers' models and our own fast path: the very alarms in the rehearsal's CloudWatch say the same as the path that the curve is drawn by. */
import { describe, expect, it } from "vitest";
import {
  errorRules,
  firstFirings,
  highestLevel,
  ourLevel,
  type PeerRule,
  peerRules,
  tidegate,
} from "../../../bench/peers/rules.ts";
import {
  drawTrace,
  type PointSource,
  seenIn,
  stepSeconds,
  type Trace,
  visibleUntil,
} from "../../../bench/peers/trace.ts";
import { type AlarmSpec, alarmOf } from "../../../core/alarms.ts";
import { cloudWatchName, reportedNamespace } from "../../../core/signals.ts";
import { CloudWatch } from "../../../rehearsal/cloudwatch/cloudwatch.ts";
import { countOf } from "../../../rehearsal/cloudwatch/statistic.ts";
import { traffic } from "../../../rehearsal/traffic/constants.ts";

/** A trace of given counts a minute, spread evenly over its steps; for hand-made cases. */
function traceOf(minutes: readonly { readonly requests: number; readonly errors: number }[]): Trace {
  const steps = minutes.length * 6;
  const trace = {
    steps,
    requests: new Float64Array(steps + 1),
    answered: new Float64Array(steps + 1),
    unanswered: new Float64Array(steps + 1),
  };
  for (let step = 0; step < steps; step += 1) {
    const minute = minutes[Math.floor(step / 6)] ?? { requests: 0, errors: 0 };
    trace.requests[step + 1] = (trace.requests[step] ?? 0) + minute.requests / 6;
    trace.answered[step + 1] = (trace.answered[step] ?? 0) + minute.errors / 6;
  }
  return trace;
}

const named = (part: string): PeerRule => {
  const rule = peerRules.find(({ name }) => name.includes(part));
  if (!rule) throw new Error(`no peer named ${part}`);
  return rule;
};
const good = { requests: 600, errors: 0 };
const bad = { requests: 600, errors: 60 };

describe("what a source shows [B3]", () => {
  it("shows the load balancer's minutes two minutes late and whole", () => {
    expect([180, 190, 239, 240].map((second) => visibleUntil("alb", second))).toEqual([60, 60, 60, 120]);
  });

  it("shows points of 10 s 10 s late", () => {
    expect([20, 30, 180].map((second) => visibleUntil("emf", second))).toEqual([10, 20, 170]);
  });

  it("has no point where nothing can be seen yet", () => {
    expect(seenIn(traceOf([good, bad]), "alb", { from: 60, to: 120, now: 180 }, true)).toBeUndefined();
  });
});

describe("the peers' rules", () => {
  const trace = traceOf([good, good, bad, ...Array.from({ length: 40 }, () => bad)]);
  /** The first bad minute is that from 120 to 180; its point can be read at 300. */
  const first = (rule: PeerRule, threshold = rule.documented) => firstFirings(rule, trace, "alb", 120, [threshold])[0];

  it("ends at the first bad point with Argo's failureLimit left out", () => {
    expect(first(named("left out"))).toBe(300);
  });

  it("ends at the fourth failed measurement in Argo's CloudWatch example", () => {
    expect(first(named("CloudWatch example"))).toBe(480);
  });

  it("ends at the tenth failed check of Flagger", () => {
    expect(first(named("Flagger"))).toBe(840);
  });

  it("counts Flagger's failed checks over the whole canary, not in a row", () => {
    const scattered = traceOf(Array.from({ length: 40 }, (_, minute) => (minute % 2 === 0 ? bad : good)));
    expect(firstFirings(named("Flagger"), scattered, "alb", 0, [1])[0]).toBe(19 * 60 + 120);
  });

  it("ends at one minute with an error by CDK's alarm, and at the second one by ECS's", () => {
    expect([first(named("CodeDeploy")), first(named("ECS"))]).toEqual([300, 360]);
  });

  it("never fires at a threshold that nothing is above", () => {
    expect(peerRules.map((rule) => first(rule, 100))).toEqual(peerRules.map(() => undefined));
  });

  it("cites where each rule is documented, and when that was read", () => {
    expect(
      peerRules.filter(
        ({ source }) => !/\S+\.(md|go|html)|usage\/|README/.test(source) || !/read 20\d\d-\d\d/.test(source),
      ),
    ).toEqual([]);
  });
});

const dimensions = { Service: "checkout", Release: "canary", TargetGroup: "canary", LoadBalancer: "front" };

function alarmInputs(spec: AlarmSpec): unknown {
  const returned = spec.expressions.at(-1)?.id;
  return {
    name: spec.key,
    comparisonOperator: spec.comparison,
    threshold: spec.threshold,
    evaluationPeriods: spec.evaluationPeriods,
    datapointsToAlarm: spec.datapointsToAlarm,
    treatMissingData: spec.treatMissingData,
    metricQueries: [
      ...spec.metrics.map(({ id, namespace, metricName, statistic }) => ({
        id,
        returnData: false,
        metric: { namespace, metricName, stat: statistic, period: spec.periodSeconds, dimensions },
      })),
      ...spec.expressions.map(({ id, expression }) => ({ id, expression, returnData: id === returned })),
    ],
  };
}

/** Puts what the load balancer or the release itself would publish of one base period. */
function publish(
  cloudWatch: CloudWatch,
  trace: Trace,
  source: PointSource,
  epoch: number,
  from: number,
  to: number,
): void {
  const sum = (counts: Float64Array) => (counts[to / stepSeconds] ?? 0) - (counts[from / stepSeconds] ?? 0);
  const visibleAt = epoch + (to + traffic.metricDelaySeconds[source]) * 1_000;
  const put = (namespace: string, name: string, count: number) => {
    const value = countOf(count);
    if (value) cloudWatch.putMetric(namespace, name, dimensions, epoch + from * 1_000, value, visibleAt);
  };
  const [requests, answered, unanswered] = [sum(trace.requests), sum(trace.answered), sum(trace.unanswered)];
  if (source === "alb") {
    put("AWS/ApplicationELB", "RequestCount", requests);
    put("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", answered);
    put("AWS/ApplicationELB", "TargetConnectionErrorCount", unanswered);
  } else {
    put(reportedNamespace, cloudWatchName("requests"), requests - unanswered);
    put(reportedNamespace, cloudWatchName("errors"), answered);
  }
}

describe("our own alarms on the fast path", () => {
  const epoch = Date.UTC(2026, 0, 5);
  const cases = (["alb", "emf"] as const).flatMap((source) =>
    [5, 25].flatMap((canaryRatePerSecond) =>
      [0.02, 0.2].map((addedFraction) => ({ source, canaryRatePerSecond, addedFraction })),
    ),
  );

  it.each(cases)(
    "are in ALARM when CloudWatch says so: $source, $canaryRatePerSecond/s, +$addedFraction [D1]",
    ({ source, canaryRatePerSecond, addedFraction }) => {
      const incident = { fromSecond: 930, addedFraction };
      const trace = drawTrace("agreement", { canaryRatePerSecond, hours: 0.5, incident });
      const cloudWatch = new CloudWatch();
      const rules = errorRules("web", source);
      const specs = rules.map((rule) => alarmOf(rule, source));
      for (const spec of specs) cloudWatch.putMetricAlarm(alarmInputs(spec), epoch);
      const state = new Map<string, string>();
      const baseSeconds = source === "alb" ? 60 : stepSeconds;
      let differences = 0;
      let alarms = 0;
      for (let second = stepSeconds; second <= 1_800; second += stepSeconds) {
        if (second % baseSeconds === 0) publish(cloudWatch, trace, source, epoch, second - baseSeconds, second);
        for (const change of cloudWatch.evaluateAt(epoch + second * 1_000)) state.set(change.alarmName, change.state);
        rules.forEach((rule) => {
          if (rule.periodSeconds >= 60 && second % 60 !== 0) return;
          const isAlarm = ourLevel(rule, trace, source, second) > rule.threshold;
          if (isAlarm) alarms += 1;
          if (isAlarm !== (state.get(rule.key) === "ALARM")) differences += 1;
        });
      }
      expect({ differences, hasFired: alarms > 0 }).toEqual({ differences: 0, hasFired: true });
    },
  );

  it("say at their highest level what any threshold would have said", () => {
    const trace = drawTrace("level", {
      canaryRatePerSecond: 25,
      hours: 2,
      incident: { fromSecond: 3_600, addedFraction: 0.05 },
    });
    const level = highestLevel(tidegate, trace, "alb");
    expect(
      firstFirings(tidegate, trace, "alb", 0, [level * 0.999, level * 1.001]).map((second) => second !== undefined),
    ).toEqual([true, false]);
  });
});
