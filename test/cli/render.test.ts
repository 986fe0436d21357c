import { describe, expect, it } from "vitest";
import { bar, columns, elapsedText, grouped, renderReport, wrap } from "../../cli/render.ts";
import { builtInScenarios, rehearse } from "../../rehearsal/index.ts";
import { rehearsalConfig } from "../../rehearsal/run/table-config.ts";

describe("a report in the terminal", () => {
  it("stays within 100 columns, without colours where none are wanted [E3]", { timeout: 30_000 }, async () => {
    const report = await rehearse({ config: rehearsalConfig, stack: "dev", scenario: builtInScenarios["error-spike"] });
    const lines = renderReport(report, { colours: false });
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(columns);
    expect(lines.join("\n")).not.toContain("\u001b");
    expect(lines.some((line) => /^\d\d:\d\d:\d\d +\+0:\d\d:\d\d ███·{7} {2}25 % fault {7}/.test(line))).toBe(true);
    const coloured = renderReport(report, { colours: true }).join("\n");
    expect(coloured).toContain("\u001b[");
  });

  it("draws any share above 0 as at least one cell", () => {
    expect([0, 1, 5, 50, 99, 100].map(bar)).toEqual([
      "··········",
      "█·········",
      "█·········",
      "█████·····",
      "██████████",
      "██████████",
    ]);
  });

  it("tells elapsed time in hours, and from a day on in days", () => {
    expect([0, 65_000, 86_399_000, 86_400_000, 277_380_000].map(elapsedText)).toEqual([
      "+0:00:00",
      "+0:01:05",
      "+23:59:59",
      "+1d 00:00",
      "+3d 05:03",
    ]);
  });

  it("groups thousands the same in every locale", () => {
    expect([0, 999, 1_000, 1_234_567].map(grouped)).toEqual(["0", "999", "1,000", "1,234,567"]);
  });

  it("breaks at blanks, and words longer than a line inside", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("a abcdefghij b", 4)).toEqual(["a", "abcd", "efgh", "ij b"]);
  });
});
