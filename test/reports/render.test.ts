/** Renderings of a report: the same numbers everywhere, and no text of others that becomes markup (D6). */
import { fromMarkdown } from "mdast-util-from-markdown";
import { describe, expect, it } from "vitest";
import { type SloReport, sloReport } from "../../core/slo-report.ts";
import { htmlReport } from "../../reports/html.ts";
import { markdownReport } from "../../reports/markdown.ts";
import { slackReport, slackReportLimits } from "../../reports/slack.ts";
import { sparkline } from "../../reports/sparkline.ts";
import { aReport, halfAWeek, hostileReport, someFacts } from "./a-report.ts";

/** Start tags of a page in order, attributes as written; throws where tags do not close as they opened. */
function tagsOf(html: string): { readonly name: string; readonly attributes: Readonly<Record<string, string>> }[] {
  const open: string[] = [];
  const tags: { name: string; attributes: Record<string, string> }[] = [];
  for (const [, close, name = "", attributes = ""] of html.matchAll(
    /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*\/?>/g,
  )) {
    if (close) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
      continue;
    }
    const pairs = [...attributes.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)].map(([, key = "", value = ""]) => [key, value]);
    tags.push({ name, attributes: Object.fromEntries(pairs) });
    if (!["meta", "img", "br"].includes(name)) open.push(name);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(", ")}`);
  return tags;
}

const cid = { checkout: { url: "cid:checkout@example.com" } };

describe("HTML", () => {
  it("is whole, has every style inline, loads nothing, and says what its picture shows [D6]", () => {
    const html = htmlReport(aReport(), cid);
    const tags = tagsOf(html.replace("<!DOCTYPE html>", ""));
    expect(new Set(tags.map(({ name }) => name))).toEqual(
      new Set([
        "html",
        "head",
        "meta",
        "title",
        "body",
        "h1",
        "h2",
        "h3",
        "p",
        "span",
        "ul",
        "li",
        "img",
        "table",
        "tr",
        "th",
        "td",
      ]),
    );
    expect(tags.filter(({ name }) => name === "img").map(({ attributes }) => [attributes.src, attributes.alt])).toEqual(
      [["cid:checkout@example.com", "Error budget of checkout over 28 days: 33.8 % left on 2026-11-23"]],
    );
    expect(html).not.toMatch(/https?:|<script|<link|<style|class=/);
    expect(tags.filter(({ name }) => name === "tr").length).toBe(8 + 12 + 3 + 2);
  });

  it("shows text of others as text [D6]", () => {
    const hostile = htmlReport(hostileReport(), {});
    const tags = tagsOf(hostile.replace("<!DOCTYPE html>", ""));
    expect(tags.some(({ name }) => name === "img")).toBe(false);
    expect(hostile).toContain("&lt;img src=x onerror=&quot;1&quot;&gt; &amp; &#39;|` *b* &lt;!channel&gt;");
  });
});

describe("Markdown", () => {
  it("shows text of others as text, in one line and one cell [D6]", () => {
    const text = markdownReport(hostileReport());
    expect(text).not.toMatch(/^# h/m);
    const types: string[] = [];
    const walk = (node: { type: string; children?: readonly { type: string }[] }) => {
      types.push(node.type);
      for (const child of node.children ?? []) walk(child);
    };
    walk(fromMarkdown(text));
    expect(types.filter((type) => ["html", "emphasis", "strong", "link", "image"].includes(type))).toEqual([]);
    const bars = text
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) => line.split("|").length);
    // Five, two and four columns, whatever stands in them.
    expect(new Set(bars)).toEqual(new Set([7, 4, 6]));
    expect(text).toContain("&#124;");
  });

  it("says that there is no service [D6]", () => {
    expect(markdownReport(sloReport(someFacts({ services: [] })))).toBe(
      "# Weekly SLO report 2026-W47, production\n\n2026-11-16 00:00 to 2026-11-23 00:00 UTC\n\nThere is no service.\n",
    );
  });
});

describe("what is not known", () => {
  const rendered = (report: SloReport) =>
    [htmlReport(report, cid), markdownReport(report), JSON.stringify(slackReport(report, {}))] as const;
  const [found] = someFacts().services;
  if (!found) throw new Error("no service in the facts");
  const { promises, service } = found;

  it.each([
    ["was not read", { gaps: ["requests and errors: denied"] }],
    ["was read and is empty", { gaps: [], counts: [], days: {} }],
    [
      "is hours without a request",
      { gaps: [], counts: [{ at: 1_795_000_000_000, seconds: 3_600, requests: 0, errors: 0 }] },
    ],
  ])("is shown as such wherever a report goes, with no share, line or picture of it, when it %s [D6]", (_, known) => {
    const silent = { service, ...(promises ? { promises } : {}), history: [], holds: [], ...known };
    for (const text of rendered(sloReport(someFacts({ services: [silent] })))) {
      expect(text).toContain("not everything could be measured");
      expect(text).toContain("do not take silence for health");
      expect(text).not.toMatch(/100 %|\bmet\b(?! *\|)(?!<)|[█▇▆▅▄▃▂▁]|<img|white_check_mark|#1a7f37/);
    }
  });

  it("shows half a week of good days as half a week, wherever a report goes [D6]", () => {
    const report = sloReport(halfAWeek());
    const [html, markdown, slack] = rendered(report);
    expect(markdown).toContain(
      "## checkout: not everything could be measured, 100 % of the error budget left (projected)",
    );
    expect(markdown).toMatch(
      /\| availability +\| at least 99\.95 % +\| 100 % on 4 of 7 days +\| 4 of 4 +\| met where measured \|/,
    );
    expect(slack).toContain("availability · at least 99.95 % · 100 % on 4 of 7 days · 4 of 4 · met where measured");
    expect(slack).toContain(":grey_question: checkout");
    expect(html).toContain("100 % on 4 of 7 days");
    expect(html).not.toContain("#1a7f37");
    for (const text of [html, markdown, slack]) {
      expect(text).toContain(
        "measured on fewer than the 7 days of this period: error-rate on 4, latency-p95 on 4, availability on 4",
      );
      expect(text).toContain(
        "2324 errors, or 20.2 min of everything failing; projected from what is known since 2026-11-16 00:00 UTC",
      );
      expect(text).toContain("100 % left on 2026-11-23, projected");
    }
  });
});

describe("Slack", () => {
  it("is these blocks, with a line of text where there is no picture [D6]", () => {
    expect(slackReport(aReport(), {})).toEqual({
      text: "Weekly SLO report 2026-W47, production",
      blocks: [
        { type: "header", text: { type: "plain_text", text: "Weekly SLO report 2026-W47, production" } },
        section("2026-11-16 00:00 to 2026-11-23 00:00 UTC"),
        { type: "divider" },
        section(
          ":red_circle: checkout: 2 of 7 objectives missed, 33.8 % of the error budget left",
          "• latency-p95 missed its target: 2140 ms on its worst day against 2000 ms.",
          "• availability missed its target: 99.929 % against 99.95 %.",
          "• 1 rollback: drafts of the post-mortems are in npx tidegate history --service checkout --post-mortem &lt;hold&gt;.",
          "• Something could not be read, see below; do not take silence for health.",
          "At the burn of the last 24 hours (0.406 times what is allowed) what is left is spent by 2026-12-16, if no older error leaves the 28 days before.",
        ),
        section("█████████▇▇▇▇▇▇▇▇▇▆▆▆▆▆▆▄▄▃▃▃ Error budget of checkout over 28 days: 33.8 % left on 2026-11-23"),
        section(
          "error-rate · at most 0.5 % · 0.071 % · 7 of 7 · met",
          "latency-p95 · at most 2000 ms · 2140 ms on the worst day · 6 of 7 · MISSED",
          "availability · at least 99.95 % · 99.929 % · 6 of 7 · MISSED",
          "circuit-breaker-open · at most 0 s · not measured · 0 of 0 · ?",
          "circuit-breaker-recovery · at most 30 s · 8 s on the worst day · 7 of 7 · met",
          "cache-hit-ratio · at least 80 % · 86 % on the worst day · 7 of 7 · met",
          "rate-limit-reject-rate · at most 1 % · 0.3 % on the worst day · 7 of 7 · met",
          "error budget: availability 99.95 % over 28 days: 4756 errors of 9511292 requests, or 20.2 min of everything failing",
          "spent: 3150 errors, 66.2 %",
          "left: 33.8 %",
          "burn rate: 0.406 (24 h)",
          "waves opened: 5",
          "rollouts finished: 1",
          "rollbacks: 1",
          "success rate: 50 %",
          "mean canary duration: 60.7 min",
          "MTTR from the decision on (target under 15 min): 1 s, met",
          "criticals handled in 30 min: 1 of 1",
          "incidents still open: 0",
        ),
        section(
          "Rollouts:",
          "2.4.0 · 2026-11-17 08:00 · finished · 100 % · 90 min",
          "2.5.0 · 2026-11-18 08:10 · rolled back · 25 % · 31.4 min",
        ),
        section("Incidents:", "2026-11-18 08:41 · error-rate (critical) of 2.5.0: disable · 1 s · 1 s"),
        section("Not read: not measured in this period: circuit-breaker-open"),
      ],
    });
  });

  it("has a picture where there is a URL that Slack takes [D6]", () => {
    const url = "https://bucket.s3.eu-west-1.amazonaws.com/a.png?X-Amz-Signature=1";
    const blocks = slackReport(aReport(), { checkout: url }).blocks;
    expect(blocks.filter(({ type }) => type === "image")).toEqual([
      { type: "image", image_url: url, alt_text: "Error budget of checkout over 28 days: 33.8 % left on 2026-11-23" },
    ]);
    const long = slackReport(aReport(), { checkout: `https://a.example/${"x".repeat(3_000)}` });
    expect(long.blocks.some(({ type }) => type === "image")).toBe(false);
  });

  it("stays within Slack's limits whatever there is, and names what had no room [D6]", () => {
    const report = aReport();
    const [service] = report.services;
    if (!service) throw new Error("no service");
    const [incident] = service.incidents;
    if (!incident) throw new Error("no incident");
    const many: SloReport = {
      ...report,
      label: "x".repeat(400),
      services: Array.from({ length: 30 }, (_, index) => ({
        ...service,
        service: `service-${index}`,
        incidents: Array.from({ length: 200 }, () => ({ ...incident, what: "&<>".repeat(1_500) })),
      })),
    };
    const { blocks } = slackReport(many, {});
    expect(blocks.length).toBeLessThanOrEqual(slackReportLimits.blocks);
    for (const block of blocks) {
      if ("text" in block) expect(block.text.text.length).toBeLessThanOrEqual(block.type === "header" ? 150 : 3_000);
      if ("text" in block) expect(block.text.text.length).toBeGreaterThan(0);
    }
    expect(JSON.stringify(blocks.at(-1))).toContain("No room for 24 more: service-");
    expect(JSON.stringify(slackReport(hostileReport(), {}))).not.toContain("<!channel>");
  });
});

describe("the line of text", () => {
  it("is whole at the top, spent at the bottom, and ends with the newest [D6]", () => {
    const of = (...lefts: number[]) => sparkline(lefts.map((leftFraction) => ({ leftFraction })));
    expect([of(1, 0.5, 0), of(1, -3), of(2, 0.99), of(1), of()]).toEqual(["█▅▁", "█▁", "██", "", ""]);
    const long = of(...Array.from({ length: 92 }, (_, index) => (index === 91 ? 0 : 1)));
    expect([long.length, long.at(-1), long.at(-2)]).toEqual([31, "▁", "█"]);
  });
});

function section(...lines: string[]) {
  return { type: "section", text: { type: "mrkdwn", text: lines.join("\n") } };
}
