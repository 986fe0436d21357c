/**
 * Pictures of what an alarm looked at: its level over time, the bound and the suggested one, labelled windows behind, times in ALARM below. vega
 * draws SVG without a browser; the same recording makes the same bytes on every machine.
 */
import type { Firing, LabelledWindow } from "../core/backtest/firings.ts";
import type { Levels } from "../core/backtest/suggest.ts";
import type { AlarmResult, Backtest } from "./backtest.ts";
import { boundText } from "./words.ts";

/** Unit: pixels. */
const size = { width: 900, height: 240 } as const;
/** Points drawn; of more in one place the worst is. */
const mostPoints = 900;
const inks = {
  level: "#1f6feb",
  bound: "#b3261e",
  suggested: "#1a7f37",
  window: "#fff1c2",
  firing: "#b3261e",
  fitted: "#8c959f",
  text: "#1f2328",
  grid: "#d8dee4",
} as const;
const font = "DejaVu Sans, Arial, sans-serif";

interface Drawn {
  readonly at: number;
  readonly level: number;
}

/** The worst of each stretch, so that nothing that would ring is lost. Stretches without a point break the line. */
export function drawnLevels(
  { from, stepMs, values }: Levels,
  isAbove: boolean,
  to: number,
): (Drawn | { readonly at: number; readonly level: null })[] {
  const length = Math.min(values.length, Math.ceil((to - from) / stepMs) + 1);
  const each = Math.max(1, Math.ceil(length / mostPoints));
  return Array.from({ length: Math.ceil(length / each) }, (_, place) => {
    let worst = Number.NEGATIVE_INFINITY;
    for (let index = place * each; index < Math.min(length, (place + 1) * each); index += 1) {
      worst = Math.max(worst, values[index] ?? Number.NEGATIVE_INFINITY);
    }
    const at = from + place * each * stepMs;
    return worst === Number.NEGATIVE_INFINITY ? { at, level: null } : { at, level: isAbove ? worst : -worst };
  });
}

/** Firings nearer together than a point is wide are one mark; a year of a restless alarm has tens of thousands. */
export function drawnFirings(
  firings: readonly Firing[],
  { from, to }: { readonly from: number; readonly to: number },
): { from: number; to: number }[] {
  const nearMs = (to - from) / mostPoints;
  const drawn: { from: number; to: number }[] = [];
  for (const firing of firings) {
    const last = drawn.at(-1);
    const end = Math.min(to, firing.to ?? to);
    if (last && firing.from - last.to < nearMs) last.to = Math.max(last.to, end);
    else drawn.push({ from: Math.max(from, firing.from), to: end });
  }
  return drawn;
}

/** One alarm as SVG. */
export async function alarmSvg(alarm: AlarmResult, report: Backtest): Promise<string> {
  const { parse, View } = await import("vega");
  const view = new View(parse(specOf(alarm, report)), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

function specOf(alarm: AlarmResult, { from, to, windows, fittedUntil }: Backtest): import("vega").Spec {
  const { spec, levels, suggestion } = alarm;
  const isAbove = spec.comparison === "GreaterThanThreshold";
  const drawn = drawnLevels(levels, isAbove, to);
  const lines = [
    { value: spec.threshold, ink: inks.bound, words: `bound ${boundText(alarm, alarm.bound)}` },
    ...(suggestion.kind === "suggested"
      ? [{ value: suggestion.threshold, ink: inks.suggested, words: `suggested ${boundText(alarm, suggestion.bound)}` }]
      : []),
  ];
  const highest = Math.max(...lines.map(({ value }) => value), ...drawn.map(({ level }) => level ?? 0));
  const clipped = (at: number) => Math.min(to, Math.max(from, at));
  const spans = (all: readonly LabelledWindow[]) =>
    all.map((span) => ({ from: clipped(span.from), to: clipped(span.to) }));
  const time = (field: string) => ({ scale: "time", field });
  const words = { labelFont: font, labelColor: inks.text, titleFont: font, titleColor: inks.text };
  return {
    $schema: "https://vega.github.io/schema/vega/v6.json",
    width: size.width - 90,
    height: size.height - 70,
    padding: { left: 60, right: 30, top: 30, bottom: 40 },
    autosize: "none",
    background: "#ffffff",
    data: [
      { name: "levels", values: drawn },
      { name: "windows", values: spans(windows) },
      { name: "firings", values: drawnFirings(alarm.firings, { from, to }) },
      { name: "lines", values: lines },
      { name: "fitted", values: [{ at: fittedUntil }] },
    ],
    scales: [
      { name: "time", type: "utc", domain: [from, to], range: "width" },
      { name: "level", type: "linear", domain: [0, highest > 0 ? highest * 1.05 : 1], range: "height", nice: false },
    ],
    axes: [
      { orient: "bottom", scale: "time", format: "%d %b", tickCount: 8, ...words },
      { orient: "left", scale: "level", tickCount: 5, grid: true, gridColor: inks.grid, ...words },
    ],
    marks: [
      {
        type: "rect",
        from: { data: "windows" },
        encode: {
          enter: {
            x: time("from"),
            x2: time("to"),
            y: { value: 0 },
            y2: { field: { group: "height" } },
            fill: { value: inks.window },
          },
        },
      },
      {
        type: "rule",
        from: { data: "fitted" },
        encode: {
          enter: {
            x: time("at"),
            y: { value: 0 },
            y2: { field: { group: "height" } },
            stroke: { value: inks.fitted },
            strokeDash: { value: [2, 3] },
          },
        },
      },
      {
        type: "line",
        from: { data: "levels" },
        encode: {
          enter: {
            x: time("at"),
            y: { scale: "level", field: "level" },
            defined: { signal: "datum.level !== null" },
            stroke: { value: inks.level },
            strokeWidth: { value: 1 },
          },
        },
      },
      {
        type: "rule",
        from: { data: "lines" },
        encode: {
          enter: {
            x: { value: 0 },
            x2: { field: { group: "width" } },
            y: { scale: "level", field: "value" },
            stroke: { field: "ink" },
            strokeDash: { value: [6, 3] },
          },
        },
      },
      {
        type: "text",
        from: { data: "lines" },
        encode: {
          enter: {
            x: { field: { group: "width" }, offset: -4 },
            y: { scale: "level", field: "value", offset: -4 },
            align: { value: "right" },
            text: { field: "words" },
            fill: { field: "ink" },
            font: { value: font },
            fontSize: { value: 10 },
          },
        },
      },
      {
        type: "rect",
        from: { data: "firings" },
        encode: {
          enter: {
            x: time("from"),
            x2: time("to"),
            y: { field: { group: "height" }, offset: -5 },
            y2: { field: { group: "height" } },
            fill: { value: inks.firing },
            stroke: { value: inks.firing },
          },
        },
      },
    ],
  } as import("vega").Spec;
}
