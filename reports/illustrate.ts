/** Pictures of all budgets of a report. One that cannot be drawn is a gap that the report names, never a reason not to send it. */
import { oneLine } from "../core/error-message.ts";
import type { SloReport } from "../core/slo-report.ts";
import { burnDownSvg, type PictureAssets, pngOf } from "./picture.ts";
import { sectionsOf } from "./sections.ts";

/** More would make a mail that some programs cut; the tables are all there. */
export const mostPictures = 20;

/** SVG by service. */
export async function svgsOf(report: SloReport): Promise<Readonly<Record<string, string>>> {
  const svgs: Record<string, string> = {};
  const sections = new Map(sectionsOf(report).services.map((section) => [section.service, section]));
  for (const { service, budget } of report.services) {
    const text = sections.get(service)?.pictureText;
    if (budget && text !== undefined && Object.keys(svgs).length < mostPictures)
      svgs[service] = await burnDownSvg(text, budget);
  }
  return svgs;
}

export interface Illustrated {
  /** The report, and in its gaps what kept pictures from being drawn. */
  readonly report: SloReport;
  /** PNG by service. */
  readonly pictures: Readonly<Record<string, Uint8Array>>;
}

export async function illustrate(report: SloReport, assets: () => Promise<PictureAssets>): Promise<Illustrated> {
  try {
    const pictures: Record<string, Uint8Array> = {};
    const files = await assets();
    for (const [service, svg] of Object.entries(await svgsOf(report))) pictures[service] = await pngOf(svg, files);
    return { report, pictures };
  } catch (error) {
    return { report: withGap(report, `pictures could not be drawn: ${oneLine(error)}`), pictures: {} };
  }
}

export function withGap(report: SloReport, gap: string): SloReport {
  return { ...report, gaps: [...report.gaps, gap] };
}
