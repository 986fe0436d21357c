/**
 * Pictures of an error budget burning down: vega draws SVG without a browser, resvg makes PNG of it with a font that comes along, since a
 * Lambda function has none. The same points make the same bytes on every machine: no clock, no random, no font of the system.
 */
import type { BudgetResult } from "../core/slo-report-budget.ts";

/** What the PNG needs beside the code: resvg as WebAssembly, and DejaVu Sans as TTF. */
export interface PictureAssets {
  readonly resvgWasm: Uint8Array;
  readonly fontTtf: Uint8Array;
}

export const pictureFontFamily = "DejaVu Sans";
/** Unit: pixels; twice that is drawn, for dense screens. */
const size = { width: 640, height: 220 } as const;
const pngWidth = 2 * size.width;
const inks = { left: "#1f6feb", even: "#8c959f", least: "#b3261e", text: "#1f2328", grid: "#d8dee4" } as const;

/** The burn-down of one budget as SVG: what is left, what an even burn would leave, and the tenth under which advances pause. */
export async function burnDownSvg(title: string, budget: Pick<BudgetResult, "burnDown">): Promise<string> {
  const { parse, View } = await import("vega");
  const view = new View(parse(burnDownSpec(title, budget)), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

let ready: Promise<typeof import("@resvg/resvg-wasm")> | undefined;

/** Draws an SVG of ours as PNG. */
export async function pngOf(svg: string, assets: PictureAssets): Promise<Uint8Array> {
  // It may be started once in a process.
  ready ??= import("@resvg/resvg-wasm").then(async (resvg) => {
    await resvg.initWasm(Uint8Array.from(assets.resvgWasm));
    return resvg;
  });
  const { Resvg } = await ready;
  const drawing = new Resvg(svg, {
    fitTo: { mode: "width", value: pngWidth },
    background: "#ffffff",
    font: { fontBuffers: [assets.fontTtf], defaultFontFamily: pictureFontFamily, sansSerifFamily: pictureFontFamily },
  });
  try {
    const image = drawing.render();
    try {
      return image.asPng();
    } finally {
      image.free();
    }
  } finally {
    drawing.free();
  }
}

function burnDownSpec(title: string, { burnDown }: Pick<BudgetResult, "burnDown">): import("vega").Spec {
  const points = burnDown.map(({ at, leftFraction }) => ({ at: Date.parse(at), left: 100 * leftFraction }));
  const from = points[0]?.at ?? 0;
  const to = points.at(-1)?.at ?? 1;
  // Overspent shows below the axis, but never so deep that the rest is a line.
  const lowest = Math.max(-100, Math.min(0, ...points.map(({ left }) => left)));
  const values = points.map((point) => ({ ...point, left: Math.max(lowest, point.left) }));
  const ends = (atStart: number, atEnd: number) => [
    { at: from, left: atStart },
    { at: to, left: atEnd },
  ];
  const line = (data: string, ink: string, more: Readonly<Record<string, { readonly value: unknown }>>) => ({
    type: "line" as const,
    from: { data },
    encode: {
      enter: {
        x: { scale: "time", field: "at" },
        y: { scale: "left", field: "left" },
        stroke: { value: ink },
        ...more,
      },
    },
  });
  const words = {
    labelFont: pictureFontFamily,
    labelColor: inks.text,
    titleFont: pictureFontFamily,
    titleColor: inks.text,
  };
  return {
    $schema: "https://vega.github.io/schema/vega/v6.json",
    width: size.width - 90,
    height: size.height - 80,
    padding: { left: 60, right: 30, top: 40, bottom: 40 },
    autosize: "none",
    background: "#ffffff",
    title: { text: title, font: pictureFontFamily, fontSize: 13, color: inks.text, anchor: "start", offset: 12 },
    data: [
      { name: "left", values },
      { name: "even", values: ends(100, 0) },
      { name: "least", values: ends(10, 10) },
    ],
    scales: [
      { name: "time", type: "utc", domain: [from, to], range: "width" },
      { name: "left", type: "linear", domain: [lowest, 100], range: "height", nice: false },
    ],
    axes: [
      { orient: "bottom", scale: "time", format: "%d %b", tickCount: 7, ...words },
      {
        orient: "left",
        scale: "left",
        title: "left, %",
        tickCount: 5,
        grid: true,
        gridColor: inks.grid,
        ...words,
      },
    ],
    marks: [
      line("even", inks.even, { strokeDash: { value: [4, 4] } }),
      line("least", inks.least, { strokeDash: { value: [2, 3] } }),
      line("left", inks.left, { strokeWidth: { value: 2.5 }, interpolate: { value: "step-after" } }),
    ],
  } as import("vega").Spec;
}
