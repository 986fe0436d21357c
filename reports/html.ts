/**
 * The report as HTML for mail programs and browsers: styles inline, no script, no sheet, nothing loaded from elsewhere, every text escaped.
 * A picture is an `img` with what it shows in words, or the drawing itself where the reader is a browser.
 */
import type { SloReport } from "../core/slo-report.ts";
import { type ServiceSection, sectionsOf, type Table } from "./sections.ts";

/** Where a service's picture is: a URL (`cid:…` in mails), or SVG that is put into the page. */
export type Picture = { readonly url: string } | { readonly svg: string };

const font = "font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:20px;color:#1f2328";
const cell = "border:1px solid #d0d7de;padding:4px 8px;text-align:left;vertical-align:top";
const colours = { good: "#1a7f37", bad: "#b3261e", unknown: "#6e5a00" } as const;

/** A whole document. @param pictures by service */
export function htmlReport(report: SloReport, pictures: Readonly<Record<string, Picture>>): string {
  const { title, period, services, gaps } = sectionsOf(report);
  return [
    "<!DOCTYPE html>",
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title></head>`,
    `<body style="margin:0;padding:16px;background:#ffffff;${font}">`,
    `<h1 style="font-size:20px;line-height:26px;margin:0 0 4px">${escaped(title)}</h1>`,
    paragraph(period),
    ...(services.length === 0 ? [paragraph("There is no service.")] : []),
    ...list("Not read:", gaps),
    ...services.flatMap((section) => serviceHtml(section, pictures[section.service])),
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function serviceHtml(section: ServiceSection, picture: Picture | undefined): string[] {
  return [
    `<h2 style="font-size:17px;line-height:22px;margin:24px 0 4px">${escaped(section.service)}: <span style="color:${colours[section.mark]}">${escaped(section.verdict)}</span></h2>`,
    ...list("", section.recommendations),
    paragraph(section.forecast),
    ...(picture === undefined || section.pictureText === undefined ? [] : [pictureHtml(picture, section.pictureText)]),
    ...table(section.objectives),
    ...table({ head: [], rows: section.facts }),
    ...titled("Rollouts", section.rollouts),
    ...titled("Incidents", section.incidents),
    ...list("Not read:", section.gaps),
  ];
}

function pictureHtml(picture: Picture, text: string): string {
  if ("svg" in picture) {
    return `<div role="img" aria-label="${escaped(text)}" style="margin:8px 0">${picture.svg}</div>`;
  }
  return `<img src="${escaped(picture.url)}" alt="${escaped(text)}" width="640" style="display:block;max-width:100%;margin:8px 0">`;
}

function titled(title: string, rows: Table): string[] {
  if (rows.rows.length === 0) return [paragraph(`${title}: none.`)];
  return [`<h3 style="font-size:15px;line-height:20px;margin:16px 0 4px">${escaped(title)}</h3>`, ...table(rows)];
}

function table({ head, rows }: Table): string[] {
  if (rows.length === 0) return [];
  const row = (tag: "th" | "td", texts: readonly string[]) =>
    `<tr>${texts.map((text) => `<${tag} style="${cell}">${escaped(text)}</${tag}>`).join("")}</tr>`;
  return [
    '<table style="border-collapse:collapse;margin:8px 0">',
    ...(head.length === 0 ? [] : [row("th", head)]),
    ...rows.map((texts) => row("td", texts)),
    "</table>",
  ];
}

function list(title: string, texts: readonly string[]): string[] {
  if (texts.length === 0) return [];
  return [
    ...(title === "" ? [] : [paragraph(title)]),
    '<ul style="margin:4px 0;padding-left:20px">',
    ...texts.map((text) => `<li>${escaped(text)}</li>`),
    "</ul>",
  ];
}

function paragraph(text: string): string {
  return `<p style="margin:4px 0">${escaped(text)}</p>`;
}

/** Safe as text and inside a quoted attribute. */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
