import { describe, expect, it } from "vitest";
import { datadogDifferences, monitorOf, whyUnsayable } from "../../core/datadog-queries.ts";
import { cloudWatchCourses } from "./cloudwatch-course.ts";
import { disagreements, type Spoken, type Tolerance } from "./compare.ts";
import { monitorStates } from "./datadog-evaluator.ts";
import { type Course, courseOf, everySecondsOf } from "./reference.ts";
import { type NamedRule, namedRules } from "./rules.ts";
import {
  type AgreementSeries,
  agreementPlace,
  baselineKey,
  canaryKey,
  makeSeries,
  releasesOf,
  type SeriesName,
  seriesNames,
} from "./series.ts";

/** Every series with one seed, and three more of the most telling ones. */
const cases = [
  ...seriesNames.map((name) => ({ name, seed: 1 })),
  ...(["healthy", "error-burst", "gaps", "just-enough-requests"] as const).map((name) => ({ name, seed: 2 })),
];
/** Made once: what the oracle has measured of one is kept with it. */
const made = new Map(cases.map(({ name, seed }) => [`${name} ${seed}`, makeSeries(name, seed)]));
function seriesOf(name: SeriesName, seed: number): AgreementSeries {
  return made.get(`${name} ${seed}`) ?? makeSeries(name, seed);
}

const ofCloudWatch = namedRules("emf");
const ofDatadog = namedRules("datadog");

function differing(
  rules: readonly NamedRule[],
  series: AgreementSeries,
  spokenOf: (named: NamedRule, course: Course) => Spoken,
  toleranceOf: (named: NamedRule) => Tolerance,
): string[] {
  return rules.flatMap((named) => {
    const course = courseOf(named.rule, series);
    return disagreements(course, spokenOf(named, course), toleranceOf(named)).map((text) => `${named.name}: ${text}`);
  });
}

/** A machine that does other things, too. */
const patience = { timeout: 120_000 };

describe("CloudWatch's alarms and the rules' own words agree about when each fires", patience, () => {
  it.each(cases)("on $name, seed $seed [B1, D1]", ({ name, seed }) => {
    const series = seriesOf(name, seed);
    const spoken = cloudWatchCourses(ofCloudWatch, series);
    const hasGaps = releasesOf(series).some(({ steps }) => steps.some((step) => !step || step.values.requests === 0));
    // `looks-further-back`: where the newest windows have no point, CloudWatch looks at two older ones. Counts have points only where
    // something was counted.
    const toleranceOf = ({ rule }: NamedRule): Tolerance =>
      hasGaps || rule.measure.kind === "sum" ? { endsLateSeconds: 2 * rule.periodSeconds } : {};
    expect(differing(ofCloudWatch, series, (named) => spoken.get(named.name) ?? [], toleranceOf)).toEqual([]);
  });
});

describe("Datadog's monitors and the rules' own words agree about when each fires", patience, () => {
  const sayable = ofDatadog.filter(({ rule }) => whyUnsayable(rule) === undefined);

  it("can say every rule of source datadog [D3]", () => {
    expect(ofDatadog.filter(({ rule }) => whyUnsayable(rule) !== undefined).map(({ name }) => name)).toEqual([]);
  });

  it.each(cases)("on $name, seed $seed [B1, D3]", ({ name, seed }) => {
    const series = seriesOf(name, seed);
    const spokenOf = ({ rule }: NamedRule, { verdicts }: Course): Spoken => {
      const monitor = monitorOf(rule, { ...agreementPlace, releaseKey: canaryKey, baselineKey });
      const states = monitorStates(monitor, series);
      // How late the points are is not asked here: the window that the monitor looks at is compared with the same one of the rule. Those
      // that wait for whole windows are compared as they are.
      const isRolled = differences(rule).includes("whole-windows-late");
      const late = isRolled ? 0 : monitor.evaluationDelaySeconds / everySecondsOf(rule);
      return verdicts.map((_verdict, index) => states[index + late] === "ALERT");
    };
    const toleranceOf = ({ rule }: NamedRule): Tolerance => {
      const named = differences(rule);
      const window = rule.periodSeconds;
      return {
        ...(named.includes("quiet-sooner") ? { endsEarlySeconds: (rule.evaluationPeriods - 1) * window } : {}),
        ...(named.includes("whole-windows-late") ? { startsLateSeconds: window + 60, endsLateSeconds: window } : {}),
        // A hump in the hour before makes the mean of the growths larger than the growth of the means.
        ...(rule.reference?.kind === "growth" ? { startsEarlySeconds: 180, endsLateSeconds: 900 } : {}),
      };
    };
    expect(differing(sayable, series, spokenOf, toleranceOf)).toEqual([]);
  });
});

function differences(rule: NamedRule["rule"]): string[] {
  return datadogDifferences.filter(({ of }) => of(rule)).map(({ name }) => name);
}

describe("what is compared", () => {
  const courses = seriesNames.map((name) => {
    const series = seriesOf(name, 1);
    return { name, courses: ofCloudWatch.map((named) => ({ named, course: courseOf(named.rule, series) })) };
  });

  it("has every rule speak somewhere, and every rule keep silent somewhere [B1]", () => {
    const verdictsOf = (ruleName: string) =>
      courses
        .flatMap((entry) => entry.courses.filter(({ named }) => named.name === ruleName))
        .map(({ course }) => course.verdicts);
    const never = ofCloudWatch.filter(({ name }) => !verdictsOf(name).some((verdicts) => verdicts.includes("bad")));
    const always = ofCloudWatch.filter(({ name }) => !verdictsOf(name).some((verdicts) => verdicts.includes("good")));
    expect([never.map(({ name }) => name), always.map(({ name }) => name)]).toEqual([[], []]);
  });

  it("is told apart: next to nothing of it is too near to a bound to ask [B1]", () => {
    const all = courses.flatMap((entry) => entry.courses.flatMap(({ course }) => course.verdicts));
    expect(all.filter((verdict) => verdict === "near").length / all.length).toBeLessThan(0.02);
  });

  it("lets nothing speak on a healthy release, restarted, warming up or not, or on too few requests [B9]", () => {
    const quiet = courses.filter(({ name }) => ["healthy", "restarts", "warm-up"].includes(name));
    const speaking = quiet.flatMap((entry) => entry.courses.filter(({ course }) => course.verdicts.includes("bad")));
    // "Any error" of plan migration's first wave is any error, also of a healthy release.
    const anyError = "plan migration: wave-error-rate/critical/60s/at-5";
    expect([...new Set(speaking.map(({ named }) => named.name))]).toEqual([anyError]);
    const few = courses.find(({ name }) => name === "too-few-requests");
    const ratios = few?.courses.filter(
      ({ named: { rule } }) => rule.measure.kind === "ratio" && rule.requestFloor > 1 && rule.periodSeconds <= 300,
    );
    expect(ratios?.filter(({ course }) => course.verdicts.includes("bad")).map(({ named }) => named.name)).toEqual([]);
  });
});
