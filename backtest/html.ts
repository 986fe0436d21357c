/** A backtest as a page: styles inline, no script, nothing loaded from elsewhere, every text escaped, a picture of each alarm. */
import type { AlarmResult, Backtest } from "./backtest.ts";
import { alarmSvg } from "./picture.ts";
import { durationText, falseText, figure, outcomeText, ruleText, suggestionTexts, timeText } from "./words.ts";

const font = "font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:20px;color:#1f2328";
const cell = "border:1px solid #d0d7de;padding:4px 8px;text-align:left;vertical-align:top";
/** Firings in a table; the JSON has all. */
const mostFirings = 200;

export async function htmlBacktest(report: Backtest): Promise<string> {
  const { source, from, to, series, alarms, notReplayed, notes, windows } = report;
  const title = `Backtest, ${timeText(from)} to ${timeText(to)}`;
  const sections: string[] = [];
  for (const alarm of alarms) sections.push(...alarmHtml(alarm, report, await alarmSvg(alarm, report)));
  return [
    "<!DOCTYPE html>",
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title></head>`,
    `<body style="margin:0;padding:16px;background:#ffffff;${font}">`,
    `<h1 style="font-size:20px;line-height:26px;margin:0 0 4px">${escaped(title)}</h1>`,
    paragraph(
      `Source ${source}. ${figure((to - from) / 86_400_000)} days, ${windows.length} labelled windows. All alarms together: ${falseText(report.together)}.`,
    ),
    table(
      ["series", "is", "points", "every", "set right or aside"],
      series.map((one) => [
        one.from,
        `${one.quantity} (${one.unit})`,
        String(one.values.length),
        `${one.stepMs / 1_000} s`,
        one.notes.join("; "),
      ]),
    ),
    list("Mind:", notes),
    paragraph(
      "In the pictures: blue what the alarm looks at, red its bound and, at the bottom, when it rang, green the suggested bound, yellow the labelled windows, dotted where the held-out third begins.",
    ),
    ...sections,
    list(
      "Not replayed:",
      notReplayed.map(({ key, why }) => `${key}: ${why}`),
    ),
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function alarmHtml(alarm: AlarmResult, report: Backtest, svg: string): string[] {
  const { spec, firings } = alarm;
  const described = `${spec.key}: ${ruleText(alarm)}. ${falseText(alarm)}.`;
  return [
    `<h2 style="font-size:17px;line-height:22px;margin:24px 0 4px">${escaped(spec.key)}</h2>`,
    paragraph(`${ruleText(alarm)}; response ${spec.response}. ${falseText(alarm)}.`),
    `<div role="img" aria-label="${escaped(described)}" style="margin:8px 0">${svg}</div>`,
    list("", suggestionTexts(alarm, report)),
    table(
      ["labelled window", "outcome"],
      report.windows.map(({ from, to }, place) => {
        const outcome = alarm.windows[place];
        return [`${timeText(from)} to ${timeText(to)}`, outcome ? outcomeText(outcome) : ""];
      }),
    ),
    table(
      ["rang", "for", "window"],
      firings
        .slice(0, mostFirings)
        .map(({ from, to, window }) => [
          timeText(from),
          to === undefined ? "to the end" : durationText((to - from) / 1_000),
          window === undefined ? "none: false" : String(window + 1),
        ]),
    ),
    ...(firings.length > mostFirings ? [paragraph(`And ${firings.length - mostFirings} times more.`)] : []),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const row = (tag: "th" | "td", texts: readonly string[]) =>
    `<tr>${texts.map((text) => `<${tag} style="${cell}">${escaped(text)}</${tag}>`).join("")}</tr>`;
  return [
    `<table style="border-collapse:collapse;margin:8px 0">`,
    row("th", head),
    ...rows.map((texts) => row("td", texts)),
    "</table>",
  ].join("\n");
}

function list(title: string, texts: readonly string[]): string {
  if (texts.length === 0) return "";
  const items = texts.map((text) => `<li>${escaped(text)}</li>`).join("");
  return `${title === "" ? "" : paragraph(title)}<ul style="margin:4px 0;padding-left:20px">${items}</ul>`;
}

const paragraph = (text: string): string => `<p style="margin:4px 0">${escaped(text)}</p>`;

/** Safe as text and inside a quoted attribute. */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
