/**
 * The report as Slack blocks. Whole services go in while there is room; the others are named in the last block, and the e-mail has them all.
 *
 * Limits: Slack API docs, Block Kit (50 blocks a message, header 150 characters, section 3,000, image `alt_text` 2,000 and URL 3,000),
 * formatting (`&`, `<` and `>` are escaped), read 2026-11.
 */
import type { SloReport } from "../core/slo-report.ts";
import { type ServiceSection, sectionsOf, type Table } from "./sections.ts";
import { sparkline } from "./sparkline.ts";

export const slackReportLimits = { blocks: 50, header: 150, section: 3_000, altText: 2_000, url: 3_000 } as const;

type Block =
  | { readonly type: "header"; readonly text: { readonly type: "plain_text"; readonly text: string } }
  | { readonly type: "section"; readonly text: { readonly type: "mrkdwn"; readonly text: string } }
  | { readonly type: "image"; readonly image_url: string; readonly alt_text: string }
  | { readonly type: "divider" };

export interface SlackReport {
  /** For notifications, and for programs that show no blocks. */
  readonly text: string;
  readonly blocks: readonly Block[];
}

const marks = { good: ":white_check_mark:", bad: ":red_circle:", unknown: ":grey_question:" } as const;

/** @param pictureUrls by service; one without has a line of text instead */
export function slackReport(report: SloReport, pictureUrls: Readonly<Record<string, string>>): SlackReport {
  const { title, period, services, gaps } = sectionsOf(report);
  const budgets = new Map(report.services.map(({ service, budget }) => [service, budget]));
  const blocks: Block[] = [
    { type: "header", text: { type: "plain_text", text: cut(title, slackReportLimits.header) } },
    section([
      period,
      ...(services.length === 0 ? ["There is no service."] : []),
      ...gaps.map((gap) => `Not read: ${gap}`),
    ]),
  ];
  const leftOut: string[] = [];
  for (const each of services) {
    const line = sparkline(budgets.get(each.service)?.burnDown ?? []);
    const own = serviceBlocks(each, pictureUrls[each.service], line);
    // One block is kept for naming what had no room.
    if (leftOut.length > 0 || blocks.length + own.length >= slackReportLimits.blocks) leftOut.push(each.service);
    else blocks.push(...own);
  }
  if (leftOut.length > 0) blocks.push(section([`No room for ${leftOut.length} more: ${leftOut.join(", ")}.`]));
  return { text: within([title], slackReportLimits.section), blocks };
}

function serviceBlocks(each: ServiceSection, pictureUrl: string | undefined, line: string): Block[] {
  const hasPicture =
    pictureUrl !== undefined && pictureUrl.length <= slackReportLimits.url && each.pictureText !== undefined;
  return [
    { type: "divider" },
    section([
      `${marks[each.mark]} ${each.service}: ${each.verdict}`,
      ...each.recommendations.map((text) => `• ${text}`),
      each.forecast,
    ]),
    ...(hasPicture
      ? [
          {
            type: "image" as const,
            image_url: pictureUrl,
            alt_text: cut(each.pictureText ?? "", slackReportLimits.altText),
          },
        ]
      : line === ""
        ? []
        : [section([`${line} ${each.pictureText ?? ""}`.trim()])]),
    section([...rowsOf(each.objectives), ...each.facts.map(([label, value]) => `${label}: ${value}`)]),
    ...tableBlocks("Rollouts", each.rollouts),
    ...tableBlocks("Incidents", each.incidents),
    ...(each.gaps.length === 0 ? [] : [section(each.gaps.map((gap) => `Not read: ${gap}`))]),
  ];
}

function tableBlocks(title: string, table: Table): Block[] {
  return table.rows.length === 0 ? [] : [section([`${title}:`, ...rowsOf(table)])];
}

function rowsOf({ rows }: Table): string[] {
  return rows.map((row) => row.filter((text) => text !== "").join(" · "));
}

function section(lines: readonly string[]): Block {
  return { type: "section", text: { type: "mrkdwn", text: within(lines, slackReportLimits.section) } };
}

/** Even where every character is escaped one line has room. Unit: characters. */
const longestLine = 500;

/** Whole lines while there is room, escaped; what is left out is counted. */
function within(lines: readonly string[], maximumLength: number): string {
  const reserve = 40;
  let text = "";
  for (const [index, line] of lines.entries()) {
    const next = `${text}${text === "" ? "" : "\n"}${escaped(cut(line, longestLine))}`;
    if (next.length > maximumLength - reserve)
      return `${text}\n(${lines.length - index} more lines left out)`.trimStart();
    text = next;
  }
  return text;
}

/** By characters as people count them, so that no emoji is cut in two. */
function cut(text: string, maximumLength: number): string {
  if (text.length <= maximumLength) return text;
  let kept = "";
  for (const character of text) {
    if (kept.length + character.length > maximumLength - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
