/**
 * Prometheus in the agreement: Debian's `promtool test rules` runs every expression of `core/promql.ts` on the seeded series, and each must fire
 * exactly when the oracle is sure that its rule is bad. No tolerance: what is near a bound is left out, and how much that is, is bounded.
 */
import { describe, expect, it } from "vitest";
import { burnRules } from "../../../core/burn-rate.ts";
import type { Objective } from "../../../core/objectives.ts";
import { burnExpression, ruleExpression } from "../../../core/promql.ts";
import { promtoolInput } from "../../agreement/prometheus-series.ts";
import { type Course, courseOf } from "../../agreement/reference.ts";
import { type NamedRule, namedRules } from "../../agreement/rules.ts";
import {
  agreementPlace,
  baselineKey,
  canaryKey,
  makeSeries,
  type SeriesName,
  seriesNames,
} from "../../agreement/series.ts";
import { type PromtoolMoment, type PromtoolRule, type PromtoolTest, testRules } from "./promtool.ts";

const { environment, service } = agreementPlace;
const place = { ...agreementPlace, releaseKey: canaryKey, baselineKey };
const seed = 1;
const named = namedRules("prometheus");
/** Several presets say the same: what has one expression is one alert in promtool, and is held to each of its rules. */
const alertOf = new Map(named.map(({ name, rule }) => [ruleExpression(rule, place), name]));

interface Asked extends NamedRule {
  readonly expression: string;
  readonly course: Course;
}
const known = new Map<string, readonly Asked[]>();
/** What the oracle says of every rule on a series; worked out once. */
function askedOn(name: SeriesName): readonly Asked[] {
  const found = known.get(name) ?? oracleOn(name);
  known.set(name, found);
  return found;
}
function oracleOn(name: SeriesName): readonly Asked[] {
  const series = makeSeries(name, seed);
  return named.map(({ name: ruleName, rule }) => {
    const expression = ruleExpression(rule, place);
    return { name: alertOf.get(expression) ?? ruleName, rule, expression, course: courseOf(rule, series) };
  });
}

const says = (verdict: "bad" | "good") => (asked: Asked) => asked.course.verdicts.includes(verdict);

/** Every rule where it speaks first, where it speaks last, and all of them where they are the least sure to be silent. */
const forAll: readonly SeriesName[] = ["healthy", "warm-up", "gaps", "restarts-and-errors"];
const speaking = new Map<SeriesName, Set<string>>();
for (const { name } of named) {
  const index = named.findIndex((other) => other.name === name);
  const places = seriesNames.filter((series) => askedOn(series)[index]?.course.verdicts.includes("bad"));
  const own = places.filter((series) => !forAll.includes(series));
  for (const series of new Set([own[0], own.at(-1)])) {
    if (series !== undefined) speaking.set(series, (speaking.get(series) ?? new Set()).add(name));
  }
}

function choiceOn(name: SeriesName): Asked[] {
  const chosen = speaking.get(name);
  return askedOn(name).filter((_asked, index) => forAll.includes(name) || chosen?.has(named[index]?.name ?? ""));
}
const chosenSeries = seriesNames.filter((name) => choiceOn(name).length > 0);

function momentsOf({ name, rule, course: { verdicts, everySeconds } }: Asked): PromtoolMoment[] {
  const labels: Readonly<Record<string, string>> =
    rule.scope === "service" ? { environment, service } : { environment, service, release: canaryKey };
  return verdicts.flatMap((verdict, index) =>
    verdict === "near"
      ? []
      : [{ atSeconds: (index + 1) * everySeconds, rule: name, firing: verdict === "bad" ? [labels] : [] }],
  );
}

/** Where promtool saw something else, a line for each; empty: it agrees. */
async function differing(rules: readonly PromtoolRule[], test: PromtoolTest): Promise<string[]> {
  const { ok, output } = await testRules(rules, [test]);
  if (ok) return [];
  const lines = [...output.matchAll(/alertname: *(.+?), time: *(\w+?),? *\n\s*exp:(.*?)\n\s*got:/gs)].map(
    ([, name, at, expected]) => `${name} at ${at}: ${expected?.includes("Labels") ? "is quiet" : "speaks"}`,
  );
  return lines.length > 0 ? lines : [output];
}

/** A machine that does other things, too. */
const patience = { timeout: 240_000 };

describe("promtool and the rules' own words agree about when each fires", patience, () => {
  it.each(chosenSeries)("on %s [B1, D2]", async (name) => {
    const chosen = choiceOn(name);
    const rules = [...new Map(chosen.map((asked) => [asked.name, asked])).values()];
    const input = promtoolInput(makeSeries(name, seed));
    const moments = chosen.flatMap(momentsOf);
    expect(await differing(rules, { name, seriesSeconds: 10, input, moments })).toEqual([]);
  });

  it("has every rule speak in some of them, and every rule keep silent in some [B1]", () => {
    const chosen = chosenSeries.flatMap(choiceOn);
    const with_ = (verdict: "bad" | "good") => new Set(chosen.filter(says(verdict)).map(({ name }) => name));
    const all = [...new Set(alertOf.values())];
    expect(all.length).toBeGreaterThan(40);
    expect(all.filter((name) => !with_("bad").has(name))).toEqual([]);
    expect(all.filter((name) => !with_("good").has(name))).toEqual([]);
  });

  it("leaves out next to nothing as too near to a bound to ask [B1]", () => {
    const verdicts = chosenSeries.flatMap((name) => choiceOn(name).flatMap(({ course }) => course.verdicts));
    expect(verdicts.filter((verdict) => verdict === "near").length / verdicts.length).toBeLessThan(0.02);
  });

  it("is no comparison that passes whatever a rule says: thresholds off by half are seen [B1]", async () => {
    const chosen = choiceOn("gaps").filter(says("bad"));
    const rules = [...new Map(chosen.map((asked) => [asked.name, asked])).values()].map(({ name, rule }) => ({
      name,
      expression: ruleExpression({ ...rule, threshold: rule.threshold + 50, requestFloor: 0 }, place),
    }));
    const input = promtoolInput(makeSeries("gaps", seed));
    const moments = chosen.flatMap(momentsOf);
    const found = await differing(rules, { name: "off", seriesSeconds: 10, input, moments });
    const missed = rules.filter(({ name }) => !found.some((line) => line.startsWith(`${name} at `)));
    expect(missed).toEqual([]);
  });
});

describe("burn rates in promtool", patience, () => {
  const minutes = 7 * 60;
  const at = (minute: number, rule: PromtoolRule, isFiring: boolean): PromtoolMoment => ({
    atSeconds: minute * 60,
    rule: rule.name,
    firing: isFiring ? [{ environment, service }] : [],
  });
  const counters = (errorsEachMinute: (minute: number) => number) => {
    let errors = 0;
    const values = Array.from({ length: minutes + 1 }, (_none, minute) => {
      if (minute > 0) errors += errorsEachMinute(minute - 1);
      return errors;
    });
    const labels = `{environment="${environment}",service="${service}",release="${canaryKey}"}`;
    return [
      { series: `tidegate_requests_total${labels}`, values: `0+1000x${minutes}` },
      { series: `tidegate_errors_total${labels}`, values: values.join(" ") },
    ];
  };
  const objectives: Objective[] = [{ name: "availability", indicator: "availability", target: 99.9 }];
  const pairs = burnRules(objectives, "prometheus", { periodDays: 30, windows: "page" }).rules.map((rule) => ({
    name: rule.key,
    expression: burnExpression(rule, { environment, service }),
    thresholdPercent: rule.thresholdPercent,
  }));
  const [hour, sixHours] = pairs;
  if (!hour || !sixHours) throw new Error("no pairs");
  const agrees = async (errorsEachMinute: (minute: number) => number, moments: readonly PromtoolMoment[]) =>
    expect(
      await differing(pairs, {
        name: "burn",
        seriesSeconds: 60,
        input: counters(errorsEachMinute),
        moments,
      }),
    ).toEqual([]);

  it("are those of 14.4 and 6 times 0.1 % [D1]", () => {
    expect(pairs.map(({ name, thresholdPercent }) => [name, thresholdPercent])).toEqual([
      ["burn/availability/1h", 1.44],
      ["burn/availability/6h", 0.6],
    ]);
  });

  it("page for 2 % errors once the hour holds 1.44 % of them, and are quiet five minutes after the last [D1, B9]", async () => {
    // From minute 180 on for an hour and a half: 43 minutes of 2 % are 1.43 % of the hour, 44 are 1.47 %.
    await agrees(
      (minute) => (minute >= 180 && minute < 270 ? 20 : 0),
      [
        at(179, hour, false),
        at(222, hour, false),
        at(225, hour, true),
        at(269, hour, true),
        // 1.44 % of five minutes at 2 % of them: four minutes.
        at(270, hour, true),
        at(272, hour, false),
        at(275, hour, false),
        at(300, hour, false),
      ],
    );
  });

  it("speak of a slow burn in the long pair alone, and of what stays under both thresholds in none [D1]", async () => {
    // 0.8 % all along.
    await agrees(() => 8, [at(400, hour, false), at(400, sixHours, true), at(120, hour, false)]);
    await agrees(() => 5, [at(400, hour, false), at(400, sixHours, false)]);
  });

  it("say nothing of too few errors in the short window [B9]", async () => {
    // Nine errors in five minutes: a tenth is the floor, in either window. Of 1,000 requests a minute they are 0.18 %.
    const rule = { name: "burn/few", expression: hour.expression.replaceAll("> 1.44", "> 0.01") };
    const few = { name: "few", seriesSeconds: 60, input: counters((minute) => (minute % 5 === 0 ? 9 : 0)) };
    expect(await differing([rule], { ...few, moments: [at(123, rule, false)] })).toEqual([]);
    const enough = { name: "enough", seriesSeconds: 60, input: counters((minute) => (minute % 5 === 0 ? 12 : 0)) };
    expect(await differing([rule], { ...enough, moments: [at(123, rule, true)] })).toEqual([]);
  });
});
