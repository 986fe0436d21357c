/**
 * Rules that take a canary's traffic away, each as a pure evaluator over one metric source: the peers' documented defaults and examples, and
 * our own alarms. Where a document leaves something open the model takes what is best for the peer: polls fall on the very second at which a
 * new point can be read, and all tools take as long to act on what they noticed.
 *
 * A rule gives, at each of its ticks, the highest threshold at which it would have fired by then, so one pass over a trace is its whole curve.
 */
import { evaluationIntervalSeconds, evaluationRange } from "../../core/alarms.ts";
import { fewestErrors, rarityExponent } from "../../core/chance.ts";
import { loweringResponses, type ObjectivePresetName, objectivePresets } from "../../core/objectives.ts";
import { releaseRules, type WatchRule } from "../../core/watch-rules.ts";
import { cloud } from "../../rehearsal/cloud/constants.ts";
import { type PointSource, type Seen, seenIn, stepSeconds, type Trace, visibleUntil } from "./trace.ts";

/** A tool's way of noticing. */
export interface PeerRule {
  readonly name: string;
  /** What its threshold bounds. */
  readonly unit: "percent" | "errors";
  /** The documented threshold; above it is bad. */
  readonly documented: number;
  /** Where it is documented, and when that was read. */
  readonly source: string;
  /** Fewer errors than this in `reachSeconds` never fire it, whatever the threshold; 1 where it has no floor. */
  readonly leastErrors: number;
  /** A fresh evaluator of one trace. */
  readonly evaluator: (trace: Trace, points: PointSource) => Evaluator;
}

/** One trace as a rule sees it. */
export interface Evaluator {
  /** Unit: seconds. */
  readonly everySeconds: number;
  /** Fires at `second` for every threshold below this. */
  readonly levelAt: (second: number) => number;
}

/**
 * From what a tool noticed until the weight is being written. Unit: seconds. The same for all, since no peer documents its own: it takes an event
 * or a poll, and a call.
 */
export const actSeconds = cloud.eventDeliverySeconds;

/** No rule looks farther back. Unit: seconds. */
const reachSeconds = 1_500;
const minute = 60;
const never = Number.NEGATIVE_INFINITY;

/** The greatest values so far, at most `count` of them. */
class Greatest {
  readonly #values: number[] = [];
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  /** @returns the last of them, or `never` while there are fewer */
  add(value: number): number {
    const values = this.#values;
    let place = values.length;
    while (place > 0 && (values[place - 1] ?? 0) < value) place -= 1;
    values.splice(place, 0, value);
    if (values.length > this.#count) values.pop();
    return values.length === this.#count ? (values[this.#count - 1] ?? never) : never;
  }
}

const percentOf = ({ errors, requests }: Seen): number => (100 * errors) / requests;

/** Checks every minute that are counted and never forgotten: so many bad ones end the canary. */
function countedChecks(needed: number, valueAt: (trace: Trace, points: PointSource, second: number) => number) {
  return (trace: Trace, points: PointSource): Evaluator => {
    const greatest = new Greatest(needed);
    return { everySeconds: minute, levelAt: (second) => greatest.add(valueAt(trace, points, second)) };
  };
}

/** Error rate of the newest minute that can be seen. Unit: percent. */
function newestMinute(trace: Trace, points: PointSource, now: number): number {
  const to = visibleUntil(points, now);
  const seen = seenIn(trace, points, { from: to - minute, to, now }, false);
  return seen ? percentOf(seen) : never;
}

/** The worst of the periods of 300 s, aligned to the clock, that began in the newest 15 minutes. Unit: percent. */
function worstPeriod(trace: Trace, points: PointSource, now: number): number {
  let worst = never;
  for (let from = Math.ceil((now - 900) / 300) * 300; from < now; from += 300) {
    const seen = seenIn(trace, points, { from, to: from + 300, now }, false);
    if (seen) worst = Math.max(worst, percentOf(seen));
  }
  return worst;
}

interface AlarmWindow {
  readonly periodSeconds: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
}

/** M of the newest N points that there are in CloudWatch's evaluation range (`core/alarm-evaluation.ts`; what is missing is not bad). */
function alarmLevel(
  { periodSeconds, evaluationPeriods, datapointsToAlarm }: AlarmWindow,
  second: number,
  pointOf: (from: number, to: number) => number | undefined,
): number {
  const points: number[] = [];
  for (let age = 0; age < evaluationRange(evaluationPeriods) && points.length < evaluationPeriods; age += 1) {
    const to = second - age * periodSeconds;
    const value = pointOf(to - periodSeconds, to);
    if (value !== undefined) points.push(value);
  }
  return points.sort((left, right) => right - left)[datapointsToAlarm - 1] ?? never;
}

/** An alarm on the count of the targets' 5xx by the minute; the metric is there only where it is above 0. */
function countAlarm(periods: number) {
  const window: AlarmWindow = { periodSeconds: minute, evaluationPeriods: periods, datapointsToAlarm: periods };
  return (trace: Trace, points: PointSource): Evaluator => ({
    everySeconds: minute,
    levelAt: (second) =>
      alarmLevel(window, second, (from, to) => {
        const errors = seenIn(trace, points, { from, to, now: second }, false)?.errors ?? 0;
        return errors > 0 ? errors : undefined;
      }),
  });
}

/** Our rules that take traffic away for errors, of a preset. */
export function errorRules(preset: ObjectivePresetName, points: PointSource): readonly WatchRule[] {
  return releaseRules(objectivePresets[preset], points).filter(
    ({ indicator, response, reference }) => indicator === "error-rate" && loweringResponses.has(response) && !reference,
  );
}

/** The highest bound of which so many errors are beyond chance: what is usual follows from the bound (`core/chance.ts`). Unit: percent. */
function highestBoundBeyondChance({ errors, requests }: Seen): number {
  const usualPercent = 100 / (requests * (10 ** (rarityExponent / errors) - 1));
  return usualPercent * rarityExponent * Math.LN10;
}

/** One of our rules on one trace: floors, windows and M of N exactly as its alarm has them; `test/bench/` holds it against the alarm. */
export function ourLevel(rule: WatchRule, trace: Trace, points: PointSource, second: number): number {
  return alarmLevel(rule, second, (from, to) => {
    const seen = seenIn(trace, points, { from, to, now: second }, true);
    if (!seen) return undefined;
    if (seen.requests < rule.requestFloor || seen.errors < rule.errorFloor) return 0;
    return rule.usualPercent === undefined
      ? percentOf(seen)
      : Math.min(percentOf(seen), highestBoundBeyondChance(seen));
  });
}

function ours(trace: Trace, points: PointSource): Evaluator {
  const rules = errorRules("web", points).map((rule) => ({
    rule,
    every: evaluationIntervalSeconds(rule.periodSeconds),
  }));
  return {
    everySeconds: Math.min(...rules.map(({ every }) => every)),
    levelAt: (second) =>
      Math.max(
        never,
        ...rules.map(({ rule, every }) => (second % every === 0 ? ourLevel(rule, trace, points, second) : never)),
      ),
  };
}

/** Tidegate as preset `web` watches errors. */
export const tidegate: PeerRule = {
  name: "Tidegate, preset `web`",
  unit: "percent",
  documented: 1,
  source: "core/objectives.ts, docs/objectives.md",
  leastErrors: fewestErrors,
  evaluator: ours,
};

/** The peers. A threshold is the one number that each one's curve runs over; everything else is as documented. */
export const peerRules: readonly PeerRule[] = [
  {
    name: "Flagger, `threshold: 10`",
    unit: "percent",
    documented: 1,
    source:
      "request-success-rate min 99, interval 1m: docs.flagger.app/usage/metrics; `interval` × `threshold` of 1m × 10: fluxcd/flagger docs/gitbook/usage/deployment-strategies.md; failed checks are counted over the whole canary: pkg/controller/scheduler.go; read 2026-11",
    leastErrors: 1,
    evaluator: countedChecks(10, newestMinute),
  },
  {
    name: "Argo Rollouts, CloudWatch example",
    unit: "percent",
    documented: 1,
    source:
      "all values ≤ 0.01 of 300 s periods over 15m, interval 1m, failureLimit 3: argoproj/argo-rollouts docs/analysis/cloudwatch.md, read 2026-11",
    leastErrors: 1,
    evaluator: countedChecks(4, worstPeriod),
  },
  {
    name: "Argo Rollouts, `failureLimit` left out",
    unit: "percent",
    documented: 5,
    source:
      "failureLimit 0 by default: analysis/analysis.go; success rate ≥ 0.95: docs/features/analysis.md; asked every minute for the newest minute, which is the best that it can do; read 2026-11",
    leastErrors: 1,
    evaluator: countedChecks(1, newestMinute),
  },
  {
    name: "CodeDeploy, CDK's alarm",
    unit: "errors",
    documented: 0.5,
    source:
      "TARGET_5XX_COUNT ≥ 1 in 1 of 1 minutes: example of aws-cdk-lib/aws-codedeploy README (also HttpCodeTarget, CDK API 2.274.0), read 2026-11; AWS says not how often alarms are polled, so at once",
    leastErrors: 1,
    evaluator: countAlarm(1),
  },
  {
    name: "ECS deployment alarms",
    unit: "errors",
    documented: 0.5,
    source:
      "any alarm of one's own in ALARM: ECS developer guide, deployment-alarm-failure.html, which names no threshold; 2 of 2 periods as in the example of CDK's DeploymentAlarmConfig, by the minute; read 2026-11",
    leastErrors: 1,
    evaluator: countAlarm(2),
  },
];

/** Highest level of a whole trace: it is ended at every threshold below. */
export function highestLevel(rule: PeerRule, trace: Trace, points: PointSource): number {
  const { everySeconds, levelAt } = rule.evaluator(trace, points);
  let highest = never;
  for (let second = everySeconds; second <= trace.steps * stepSeconds; second += everySeconds) {
    if (errorsIn(trace, second - reachSeconds, second) < rule.leastErrors) continue;
    const level = levelAt(second);
    if (level > highest) highest = level;
  }
  return highest;
}

/** Without errors nothing is above any threshold, and most minutes of a healthy release have none. */
function errorsIn({ answered, unanswered }: Trace, from: number, to: number): number {
  const [low, high] = [Math.max(0, from) / stepSeconds, to / stepSeconds];
  return (answered[high] ?? 0) - (answered[low] ?? 0) + ((unanswered[high] ?? 0) - (unanswered[low] ?? 0));
}

/**
 * Seconds at which a rule fires first from `fromSecond` on, for each threshold (ascending); `undefined`: not in this trace.
 * What it noticed before counts as far as the rule itself remembers it.
 */
export function firstFirings(
  rule: PeerRule,
  trace: Trace,
  points: PointSource,
  fromSecond: number,
  thresholds: readonly number[],
): (number | undefined)[] {
  const { everySeconds, levelAt } = rule.evaluator(trace, points);
  const fired: (number | undefined)[] = thresholds.map(() => undefined);
  let next = 0;
  for (let second = everySeconds; second <= trace.steps * stepSeconds; second += everySeconds) {
    const level = levelAt(second);
    if (second < fromSecond) continue;
    while (next < thresholds.length && level > (thresholds[next] ?? 0)) {
      fired[next] = second;
      next += 1;
    }
    if (next === thresholds.length) break;
  }
  return fired;
}
