/** Pictures and e-mails: real pixels with real letters, the same bytes each time (D6). */
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { installedPictureAssets } from "../../reports/assets.ts";
import { emailOf } from "../../reports/email.ts";
import { illustrate, svgsOf } from "../../reports/illustrate.ts";
import { burnDownSvg, pngOf } from "../../reports/picture.ts";
import { aReport } from "./a-report.ts";

/** Width, height and the colour of each pixel (`#rrggbb`) of an 8-bit RGBA PNG; written from the PNG specification. */
function pixelsOf(png: Uint8Array) {
  const bytes = Buffer.from(png);
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  expect([...bytes.subarray(24, 29)]).toEqual([8, 6, 0, 0, 0]);
  const parts: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString("latin1", at + 4, at + 8) === "IDAT")
      parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * 4;
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x += 1) {
      const left = x >= 4 ? (out[y * stride + x - 4] ?? 0) : 0;
      const up = y > 0 ? (out[(y - 1) * stride + x] ?? 0) : 0;
      const corner = x >= 4 && y > 0 ? (out[(y - 1) * stride + x - 4] ?? 0) : 0;
      const guess = left + up - corner;
      const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      const paeth = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
      const add = [0, left, up, (left + up) >> 1, paeth][filter] ?? 0;
      out[y * stride + x] = ((raw[y * (stride + 1) + 1 + x] ?? 0) + add) & 255;
    }
  }
  const at = (x: number, y: number) => `#${out.toString("hex", y * stride + x * 4, y * stride + x * 4 + 3)}`;
  const all = Array.from({ length: width * height }, (_, index) => at(index % width, Math.floor(index / width)));
  return { width, height, at, all };
}

const left = "#1f6feb";
const burnDown = (lefts: readonly number[]) => ({
  burnDown: lefts.map((leftFraction, index) => ({
    at: new Date(Date.UTC(2026, 9, 26 + index)).toISOString(),
    leftFraction,
  })),
});

describe("the picture of a burn-down", () => {
  it("has the line where the budget is, and letters [D6]", async () => {
    const svg = await burnDownSvg("Budget", burnDown([1, 1, 1, 0.5, 0.5]));
    const { width, height, at, all } = pixelsOf(await pngOf(svg, await installedPictureAssets()));
    expect([width, height]).toEqual([1_280, 440]);
    // The plot is 550 by 140 from (60, 40), drawn twice as large: whole at the top, half in the middle.
    const isLine = (x: number, y: number) => [-2, -1, 0, 1, 2].some((off) => at(x, y + off) === left);
    expect([isLine(120 + 200, 80), isLine(120 + 1_000, 80 + 140), isLine(120 + 1_000, 80)]).toEqual([
      true,
      true,
      false,
    ]);
    const dark = (from: number, to: number) =>
      all.filter(
        (colour, index) =>
          index % width > from && index % width < to && Math.floor(index / width) < 70 && colour === "#1f2328",
      ).length;
    expect(dark(0, width)).toBeGreaterThan(60);
    const wordless = pixelsOf(
      await pngOf(await burnDownSvg("", burnDown([1, 1, 1, 0.5, 0.5])), await installedPictureAssets()),
    );
    expect(wordless.all.slice(0, width * 60).every((colour) => colour === "#ffffff")).toBe(true);
  });

  it("is the same bytes twice, and escapes its title [D6]", async () => {
    const title = `<a> & "b"`;
    const [one, other] = await Promise.all([1, 2].map(() => burnDownSvg(title, burnDown([1, 0.4]))));
    expect(one).toBe(other);
    expect(one).toContain("&lt;a&gt; &amp;");
    const assets = await installedPictureAssets();
    expect(Buffer.from(await pngOf(one ?? "", assets)).equals(await pngOf(one ?? "", assets))).toBe(true);
  });

  it("shows overspending under the axis, no deeper than as much again [D6]", async () => {
    const svg = await burnDownSvg("Budget", burnDown([1, -40]));
    expect(svg).toContain("−100");
    expect(svg).not.toContain("−4,000");
  });
});

describe("the e-mail", () => {
  const address = { sender: "slo@example.com", recipients: ["a@example.com", "b@example.com"] };

  it("has text, HTML and the picture that the HTML shows, the same bytes each time [D6]", async () => {
    const { report, pictures } = await illustrate(aReport(), installedPictureAssets);
    expect(Object.keys(pictures)).toEqual(["checkout"]);
    const raw = Buffer.from(await emailOf(report, { ...address, pictures }));
    expect(raw.equals(Buffer.from(await emailOf(report, { ...address, pictures })))).toBe(true);
    const text = raw.toString("latin1");
    const [head = ""] = text.split("\r\n\r\n");
    expect(head.replace(/\r\n\s+/g, " ").split("\r\n")).toEqual([
      "Auto-Submitted: auto-generated",
      "From: Tidegate <slo@example.com>",
      "To: a@example.com, b@example.com",
      "Subject: Weekly SLO report 2026-W47, production",
      "Message-ID: <week.2026-W47.production.1795424400000@example.com>",
      "Date: Mon, 23 Nov 2026 09:00:00 +0000",
      "MIME-Version: 1.0",
      expect.stringMatching(/^Content-Type: multipart\/alternative;/),
    ]);
    expect([...text.matchAll(/^Content-Type: (\S+?);/gm)].map(([, type]) => type)).toEqual([
      "multipart/alternative",
      "text/plain",
      "multipart/related",
      "text/html",
      "image/png",
    ]);
    expect(text).toContain("Content-ID: <checkout@example.com>");
    const png = /Content-Type: image\/png[\s\S]+?\r\n\r\n([\s\S]+?)\r\n--/.exec(text)?.[1] ?? "";
    expect(Buffer.from(png, "base64").equals(Buffer.from(pictures.checkout ?? []))).toBe(true);
  });

  it("goes without a picture that cannot be drawn, and says so [D6]", async () => {
    const { report, pictures } = await illustrate(aReport(), async () => {
      throw new Error("no font");
    });
    expect([pictures, report.gaps]).toEqual([{}, ["pictures could not be drawn: no font"]]);
    expect(Object.keys(await svgsOf(report))).toEqual(["checkout"]);
  });
});
