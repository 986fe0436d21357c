/** A report as lines of at most 100 columns: clock, elapsed time, exposure as a bar, what happened. UTC, whatever the machine's zone. */
import { styleText } from "node:util";
import type { RehearsalReport, TimelineEntry, TimelineKind } from "../rehearsal/index.ts";

export const columns = 100;
const barCells = 10;
/** Names of the closing figures. */
const nameColumns = 38;
/** Clock 8, elapsed 9, bar 10, percent 5, kind 11, a blank after each. */
const messageStart = 8 + 1 + 9 + 1 + barCells + 1 + 5 + 1 + 11 + 1;

type Colour = "red" | "green" | "yellow" | "cyan" | "dim";

const colourOf: Partial<Record<TimelineKind, Colour>> = {
  fault: "red",
  breach: "red",
  notice: "yellow",
  detected: "red",
  hold: "yellow",
  held: "yellow",
  page: "yellow",
  refused: "yellow",
  pinned: "yellow",
  rollback: "green",
  lowered: "green",
  zero: "green",
  opening: "cyan",
  finish: "cyan",
  note: "dim",
  commit: "dim",
};

interface Look {
  readonly colours: boolean;
}

function paint(look: Look, colour: Colour | "bold", text: string): string {
  return look.colours ? styleText(colour, text, { validateStream: false }) : text;
}

/** Breaks at blanks, and inside words that are longer than a line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    let rest = word;
    if (line !== "" && line.length + 1 + rest.length > width) {
      lines.push(line);
      line = "";
    }
    while (line === "" && rest.length > width) {
      lines.push(rest.slice(0, width));
      rest = rest.slice(width);
    }
    line = line === "" ? rest : `${line} ${rest}`;
  }
  return line === "" ? lines : [...lines, line];
}

/** A digest is 71 characters of which a reader needs none; its first eight tell releases apart. */
function shorten(message: string): string {
  return message.replace(/(?:[\w.\-/:]+@)?sha256:([0-9a-f]{8})[0-9a-f]{56}/g, "sha256:$1…");
}

export function bar(exposurePercent: number): string {
  const filled = exposurePercent === 0 ? 0 : Math.max(1, Math.round((exposurePercent / 100) * barCells));
  return "█".repeat(filled) + "·".repeat(barCells - filled);
}

/** `+0:03:20`, or `+2d 03:20` from a day on. */
export function elapsedText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  if (hours >= 24) return `+${Math.floor(hours / 24)}d ${two(hours % 24)}:${two(minutes)}`;
  return `+${hours}:${two(minutes)}:${two(seconds % 60)}`;
}

/** The timeline alone; `since` is where elapsed times start. */
export function renderTimeline(entries: readonly TimelineEntry[], since: number, look: Look): string[] {
  const lines: string[] = [];
  for (const entry of entries) {
    // The weights tell the same a line earlier; JSON has both.
    if (entry.kind === "commit") continue;
    const elapsed = elapsedText(Date.parse(entry.at) - since).padStart(9);
    const percent = `${entry.exposurePercent} %`.padStart(5);
    const kind = entry.kind.padEnd(11);
    const colour = colourOf[entry.kind];
    const [first = "", ...rest] = wrap(shorten(entry.message), columns - messageStart);
    const shown = colour ? paint(look, colour, kind) : kind;
    lines.push(`${entry.at.slice(11, 19)} ${elapsed} ${bar(entry.exposurePercent)} ${percent} ${shown} ${first}`);
    for (const more of rest) lines.push(`${" ".repeat(messageStart)}${more}`);
  }
  return lines;
}

/** A whole report: what it is, the timeline, and the figures it ends with. */
export function renderReport(report: RehearsalReport, look: Look): string[] {
  const since = Date.parse(report.timeline[0]?.at ?? new Date(0).toISOString());
  return [
    paint(look, "bold", `${report.service} (stack ${report.stack}), scenario ${report.scenario}`),
    `In virtual time from ${report.timeline[0]?.at.slice(0, 10) ?? "nowhere"}; clock in UTC, bar and percent: traffic of the new release.`,
    ...(report.notModelled === null
      ? []
      : wrap(`NOT MODELLED: ${report.notModelled}.`, columns).map((line) => paint(look, "yellow", line))),
    "",
    ...renderTimeline(report.timeline, since, look),
    "",
    ...renderFigures(report, look),
  ];
}

/** The closing figures, a line each. */
export function renderFigures(report: RehearsalReport, look: Look): string[] {
  const figure = (name: string, value: string) => `  ${name.padEnd(nameColumns)} ${value}`;
  const seconds = (from: string | null, to: string | null) =>
    from === null || to === null ? "–" : `${Math.round((Date.parse(to) - Date.parse(from)) / 1_000)} s`;
  const lines = [paint(look, "bold", `Outcome of the first attempt: ${report.outcome}`)];
  if (report.faultAt !== null) {
    lines.push(figure("from fault to decision", seconds(report.faultAt, report.detectedAt)));
    lines.push(figure("from fault to zero exposure", seconds(report.faultAt, report.exposureZeroAt)));
  }
  lines.push(figure("requests of the new release", grouped(report.requests)));
  lines.push(figure("bad ones among them", grouped(report.badRequests)));
  if (report.badRequestsWithoutHook !== null)
    lines.push(figure("bad ones with the hook off, same span", grouped(report.badRequestsWithoutHook)));
  lines.push(figure("pages", `${report.pages.length}`));
  if (report.hold) lines.push(...wrapped("hold", `${report.hold.id}: ${report.hold.detail}`));
  lines.push(figure("virtual time", elapsedText(report.virtualSeconds * 1_000).slice(1)));
  return lines;
}

function wrapped(name: string, value: string): string[] {
  const indent = nameColumns + 3;
  const [first = "", ...rest] = wrap(shorten(value), columns - indent);
  return [`  ${name.padEnd(nameColumns)} ${first}`, ...rest.map((line) => `${" ".repeat(indent)}${line}`)];
}

/** 12345 as 12,345, in any locale. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}
