/** The report as Markdown: for terminals, wikis, and as the e-mail's text for who reads no HTML. */
import { markdownTable } from "markdown-table";
import type { SloReport } from "../core/slo-report.ts";
import { type ServiceSection, sectionsOf, type Table } from "./sections.ts";
import { sparkline } from "./sparkline.ts";

export function markdownReport(report: SloReport): string {
  const { title, period, services, gaps } = sectionsOf(report);
  const budgets = new Map(report.services.map(({ service, budget }) => [service, budget]));
  return [
    `# ${safe(title)}`,
    "",
    period,
    "",
    ...(services.length === 0 ? ["There is no service.", ""] : []),
    ...gapLines(gaps),
    ...services.flatMap((section) => serviceLines(section, sparkline(budgets.get(section.service)?.burnDown ?? []))),
  ].join("\n");
}

function serviceLines(section: ServiceSection, line: string): string[] {
  return [
    `## ${safe(section.service)}: ${safe(section.verdict)}`,
    "",
    ...section.recommendations.map((text) => `- ${safe(text)}`),
    "",
    safe(section.forecast),
    "",
    ...(line === "" || section.pictureText === undefined ? [] : [`\`${line}\` ${safe(section.pictureText)}`, ""]),
    ...tableLines(section.objectives),
    ...tableLines({ head: ["", ""], rows: section.facts }),
    ...titled("Rollouts", section.rollouts),
    ...titled("Incidents", section.incidents),
    ...gapLines(section.gaps),
  ];
}

function titled(title: string, table: Table): string[] {
  return table.rows.length === 0 ? [`${title}: none.`, ""] : [`### ${title}`, "", ...tableLines(table)];
}

function tableLines({ head, rows }: Table): string[] {
  if (rows.length === 0) return [];
  return [markdownTable([head.map(safe), ...rows.map((row) => row.map(safe))]), ""];
}

function gapLines(gaps: readonly string[]): string[] {
  return gaps.length === 0 ? [] : ["Not read:", "", ...gaps.map((gap) => `- ${safe(gap)}`), ""];
}

/** Text of others as text: one line, no mark begins anything. A bar is a reference, since no backslash keeps it out of a cell. */
function safe(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]<>#~]/g, (mark) => `\\${mark}`)
    .replaceAll("|", "&#124;");
}
