/**
 * A backtest (E4): what the alarms of some objectives would have done on recorded metrics, judged against labelled windows, and the bounds that
 * the recording itself would suggest. Pure: series and windows in, one plain report out.
 *
 * Everything that could not be replayed is in the report by name; a backtest that has nothing to replay is refused.
 */
import { type AlarmSpec, alarmOf, alarmsFor, serviceAlarmsFor, settleSeconds } from "../core/alarms.ts";
import { type Judged, judgeFirings, type LabelledWindow, together, weekMs } from "../core/backtest/firings.ts";
import { quantities } from "../core/backtest/quantities.ts";
import type { MeasuredSeries } from "../core/backtest/recorded.ts";
import { type Fitted, fittedBound, fittedUntil, type Levels, measuredMs } from "../core/backtest/suggest.ts";
import { BadInputError } from "../core/bad-input.ts";
import { instantText } from "../core/instant-text.ts";
import { indicators, type Objective } from "../core/objectives.ts";
import type { Instant } from "../core/record.ts";
import { hostTargets, watchRules } from "../core/watch-rules.ts";
import {
  obstacle,
  type ReplayedAlarm,
  type ReplaySource,
  readBy,
  replay,
  type SeriesByQuantity,
  takenAsNone,
} from "./replay.ts";

export interface Asked {
  readonly objectives: readonly Objective[];
  readonly source: ReplaySource;
  readonly series: SeriesByQuantity;
  readonly windows: readonly LabelledWindow[];
  /** False alarms that a suggested bound may have while it is fitted. Unit: a week. */
  readonly falseAlarmsAWeek: number;
}

/** False alarms of a part of the recording. */
export type Counted = Pick<Judged, "falseAlarms" | "outsideWeeks" | "aWeek" | "atMostAWeek">;

function counted({ firings: _, windows: __, ...counts }: Judged): Counted {
  return counts;
}

/** A bound that the recording suggests. */
export interface Suggestion {
  readonly kind: "suggested";
  /** As the alarm compares it. */
  readonly threshold: number;
  /** As an objective says it, in the indicator's unit. */
  readonly bound: number;
  readonly quantiles: Fitted["quantiles"];
  readonly isFloor: boolean;
  /** What the alarm with this bound did, by the evaluator. */
  readonly fitted: Counted;
  readonly heldOut: Counted;
  /** The held-out third has no more false alarms than were allowed. */
  readonly holds: boolean;
  /** Over all of the recording: labelled windows that it still sees. */
  readonly windowsSeen: number;
}

export interface AlarmResult extends Judged {
  readonly spec: AlarmSpec;
  /** In the indicator's unit. */
  readonly bound: number;
  readonly suggestion: Suggestion | { readonly kind: "none"; readonly why: string };
  readonly levels: Levels;
}

export interface Backtest {
  readonly source: ReplaySource;
  readonly from: Instant;
  readonly to: Instant;
  readonly fittedUntil: Instant;
  readonly falseAlarmsAWeek: number;
  readonly series: readonly MeasuredSeries[];
  readonly windows: readonly LabelledWindow[];
  readonly alarms: readonly AlarmResult[];
  /** Any of the alarms. */
  readonly together: Judged;
  readonly notReplayed: readonly { readonly key: string; readonly why: string }[];
  /** What was taken for granted. */
  readonly notes: readonly string[];
}

/** @throws BadInputError where nothing can be replayed, or a series is of no use */
export function backtest(asked: Asked): Backtest {
  const { objectives, source, series, windows, falseAlarmsAWeek } = asked;
  const specs = [...alarmsFor(objectives, source), ...serviceAlarmsFor(objectives, source, [hostTargets])];
  const obstacles = new Map(specs.map((spec) => [spec, obstacle(spec, series, source)]));
  const replayable = specs.filter((spec) => obstacles.get(spec) === undefined);
  const notReplayed = [
    ...specs.flatMap((spec) => {
      const why = obstacles.get(spec);
      return why === undefined ? [] : [{ key: spec.key, why }];
    }),
    ...watchRules(objectives, source).unwatched.map(({ objective, severity, why }) => ({
      key: `${objective}/${severity}`,
      why,
    })),
  ];
  const all = [...series.values()];
  refuseUseless(all, specs, replayable, notReplayed, source);
  const used = all.filter(({ quantity }) => replayable.some((spec) => readBy(spec, source).includes(quantity)));
  const period = periodOf(used, countedWhereAny(replayable));
  const replayed = replay(replayable, series, source, period);
  const slackOf = (spec: AlarmSpec) => settleSeconds(spec, source) * 1_000;
  const judged = (one: ReplayedAlarm, within: { readonly from: Instant; readonly to: Instant } = period) => {
    const slackMs = slackOf(one.spec);
    return judgeFirings(one.firings, windows, within, slackMs, measuredMs(one.levels, windows, slackMs, within));
  };

  const fits = replayed.map(({ spec, levels }) =>
    fittedBound(levels, {
      period,
      windows,
      slackMs: slackOf(spec),
      falseAlarmsAWeek,
      isAbove: spec.comparison === "GreaterThanThreshold",
      ...leastOf(spec, series),
    }),
  );
  // The evaluator has the last word on what a suggested bound would have done.
  const changed = replayed.map(({ spec }, place) => {
    const fit = fits[place];
    return fit === undefined || typeof fit === "string"
      ? spec
      : alarmOf({ ...spec.rule, threshold: fit.threshold }, source);
  });
  const again = replay(changed, series, source, period);
  const until = fittedUntil(period);
  const alarms = replayed.map((one, place): AlarmResult => {
    const { spec, levels } = one;
    const fit = fits[place];
    const other = again[place];
    const base = { ...judged(one), spec, levels, bound: boundOf(spec, spec.threshold) };
    if (fit === undefined || typeof fit === "string" || !other) {
      return { ...base, suggestion: { kind: "none", why: typeof fit === "string" ? fit : "it was not replayed" } };
    }
    const heldOut = counted(judged(other, { from: until, to: period.to }));
    const suggestion: Suggestion = {
      kind: "suggested",
      threshold: fit.threshold,
      bound: boundOf(spec, fit.threshold),
      quantiles: fit.quantiles,
      isFloor: fit.isFloor,
      fitted: counted(judged(other, { from: period.from, to: until })),
      heldOut,
      holds: heldOut.falseAlarms <= falseAlarmsAWeek * heldOut.outsideWeeks,
      windowsSeen: judged(other).windows.filter(({ kind }) => kind === "seen").length,
    };
    return { ...base, suggestion };
  });
  const slowestMs = Math.max(0, ...replayable.map(slackOf));
  const none = new Set(replayable.flatMap((spec) => takenAsNone(spec, series, source)));
  return {
    source,
    ...period,
    fittedUntil: until,
    falseAlarmsAWeek,
    series: all,
    windows,
    alarms,
    together: judgeFirings(
      together(replayed.map(({ firings }) => firings)),
      windows,
      period,
      slowestMs,
      Math.max(...replayed.map(({ levels }) => measuredMs(levels, windows, slowestMs, period))),
    ),
    notReplayed,
    notes: [
      ...[...none].map((quantity) => `${quantity}: no series, so taken as none`),
      ...partNotes(used, period),
      ...cutNotes(used, period),
      ...(windows.length === 0 ? ["no labelled windows: every alarm counts as a false one"] : []),
      ...(period.to - period.from < weekMs ? ["less than a week: what is said of a week is drawn out of it"] : []),
    ],
  };
}

function refuseUseless(
  all: readonly MeasuredSeries[],
  specs: readonly AlarmSpec[],
  replayable: readonly AlarmSpec[],
  notReplayed: Backtest["notReplayed"],
  source: ReplaySource,
): void {
  const watched = new Set(specs.flatMap((spec) => readBy(spec, source)));
  const problems = all
    .filter(({ quantity }) => !watched.has(quantity))
    .map(
      ({ from, quantity }) =>
        `${from}: nothing watches ${quantity}, got objectives that read ${list(watched)} with --source ${source}; expected a series of those. Leave it out, or choose other objectives or another source`,
    );
  if (replayable.length === 0) {
    problems.push(
      `--objectives: none of their alarms can be replayed; expected at least one.${notReplayed.map(({ key, why }) => `\n    ${key}: ${why}`).join("")}`,
    );
  }
  if (problems.length > 0) {
    throw new BadInputError(
      `tidegate backtest: ${problems.length} problem${problems.length === 1 ? "" : "s"}, nothing was replayed:`,
      problems,
    );
  }
}

const list = (words: Iterable<string>): string =>
  quantities.filter((known) => [...words].includes(known)).join(", ") || "nothing";

/** Quantities that alarms read as none where they have no point: parts of shares, and sums. */
function countedWhereAny(specs: readonly AlarmSpec[]): ReadonlySet<string> {
  const measures = specs.map(({ rule }) => rule.measure);
  const wholes = new Set<string>(measures.flatMap((measure) => (measure.kind === "ratio" ? measure.whole : [])));
  const parts = measures.flatMap((measure): readonly string[] => {
    if (measure.kind === "sum") return measure.signals;
    return measure.kind === "ratio" ? measure.part : [];
  });
  return new Set(parts.filter((part) => !wholes.has(part)));
}

/** What all series cover; one that has points only where something was counted says nothing of where it begins. */
function periodOf(
  used: readonly MeasuredSeries[],
  whereAny: ReadonlySet<string>,
): { readonly from: Instant; readonly to: Instant } {
  const whole = used.filter(({ isSparse, quantity }) => !isSparse && !whereAny.has(quantity));
  const telling = whole.length > 0 ? whole : used;
  const from = Math.max(...telling.map(({ ends, stepMs }) => (ends[0] ?? 0) - stepMs));
  const to = Math.min(...telling.map(({ ends }) => ends.at(-1) ?? 0));
  if (from < to) return { from, to };
  throw new BadInputError("tidegate backtest: 1 problem, nothing was replayed:", [
    `--series: no time that all of them cover, got ${telling.map((one) => `${one.from} from ${instantText((one.ends[0] ?? 0) - one.stepMs)} to ${instantText(one.ends.at(-1) ?? 0)}`).join(", ")}; expected the same time`,
  ]);
}

/** An alarm reads counts that are not there as none; a recording that begins late looks just the same. */
function partNotes(
  used: readonly MeasuredSeries[],
  { from, to }: { readonly from: Instant; readonly to: Instant },
): string[] {
  return used
    .filter(({ ends, stepMs }) => (ends[0] ?? 0) - stepMs > from || (ends.at(-1) ?? 0) < to)
    .map(
      ({ from: name, ends, stepMs }) =>
        `${name}: from ${instantText((ends[0] ?? 0) - stepMs)} to ${instantText(ends.at(-1) ?? 0)} only: outside of that it is read as none`,
    );
}

function cutNotes(
  used: readonly MeasuredSeries[],
  { from, to }: { readonly from: Instant; readonly to: Instant },
): string[] {
  return used.flatMap(({ from: name, ends, stepMs }) => {
    const outside = ends.reduce((count, end) => count + (end - stepMs < from || end > to ? 1 : 0), 0);
    return outside === 0 ? [] : [`${name}: ${outside} points outside what all series cover: left out`];
  });
}

/** A success rate is watched as what is missing of it. */
function boundOf({ indicator, rule }: AlarmSpec, threshold: number): number {
  const isInverted = indicators[indicator].badSide === "below" && rule.comparison === "above";
  return Number((isInverted ? 100 - threshold : threshold).toPrecision(12));
}

/** The smallest share that floors let an alarm see: as many errors as it asks for, of the most requests that a window ever had. */
function leastOf(spec: AlarmSpec, series: SeriesByQuantity): { readonly leastThreshold?: number } {
  const { measure, comparison } = spec.rule;
  if (measure.kind === "sum") return comparison === "above" ? { leastThreshold: 0 } : {};
  if (measure.kind !== "ratio" || comparison !== "above") return {};
  const wholes = measure.whole.flatMap((signal) => (signal === "latency" ? [] : (series.get(signal) ?? [])));
  const most = wholes.reduce(
    (sum, one) =>
      sum + one.values.reduce((max, value) => Math.max(max, value), 0) * ((spec.periodSeconds * 1_000) / one.stepMs),
    0,
  );
  return most > 0 ? { leastThreshold: (100 * Math.max(1, spec.errorFloor)) / most } : {};
}
