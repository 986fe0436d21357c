/** Runbooks: every alarm has one, every one is a page in the product's folder, and links do not depend on slashes. */
import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type Indicator, indicators } from "../../core/objectives.ts";
import { defaultRunbookBase, runbookLink, runbookOf, runbooks } from "../../core/runbooks.ts";

describe("runbooks", () => {
  it("have a page each, and no page without a name [D8]", async () => {
    const pages = (await readdir(defaultRunbookBase)).filter((file) => file.endsWith(".md") && file !== "README.md");
    expect(pages.sort()).toEqual(runbooks.map((name) => `${name}.md`).sort());
  });

  it("are named for every indicator [D8]", () => {
    const byRunbook = new Map<string, string[]>();
    for (const indicator of Object.keys(indicators) as Indicator[]) {
      byRunbook.set(runbookOf(indicator), [...(byRunbook.get(runbookOf(indicator)) ?? []), indicator]);
    }
    expect(Object.fromEntries(byRunbook)).toEqual({
      "high-error-rate": [
        "error-rate",
        "success-rate",
        "availability",
        "cache-hit-ratio",
        "rate-limit-rejects",
        "rate-limit-reject-rate",
        "fallback-rate",
      ],
      "high-latency": ["latency-p50", "latency-p95", "latency-p99", "memory", "cpu"],
      "no-healthy-hosts": ["healthy-hosts", "crashes"],
      "invariant-violation": ["invariant-violations", "dual-run-failures", "flag-mismatches", "flag-coverage"],
      "no-data": ["throughput"],
      "breaker-open": ["circuit-breaker-open", "circuit-breaker-recovery"],
    });
  });

  it.each([
    ["docs/runbooks", "docs/runbooks/killed.md"],
    ["docs/runbooks/", "docs/runbooks/killed.md"],
    ["https://wiki.example.com/tidegate//", "https://wiki.example.com/tidegate/killed.md"],
  ])("are linked under %s [D8]", (base, link) => {
    expect(runbookLink(base, "killed")).toBe(link);
  });
});
