import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../cli/command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

describe("the README", { timeout: 60_000 }, () => {
  it("shows the figures that npm start closes with [E3]", async () => {
    const lines: string[] = [];
    const code = await runCommand(["story"], {
      out: (text) => lines.push(...text.split("\n")),
      error: (text) => lines.push(text),
      directory: root,
      colours: false,
    });
    expect(code).toBe(0);
    const from = lines.indexOf("What it comes to");
    const figures = lines.slice(from, from + 4);
    expect(figures[0]).toBe("What it comes to");
    expect(readme).toContain(`<!-- figures: npm start -->\n\`\`\`\n${figures.join("\n")}\n\`\`\``);
  });

  it("names only scripts, files and decisions that exist", () => {
    const scripts = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).scripts;
    for (const [, script] of readme.matchAll(/npm run ([a-z:]+)/g)) expect(Object.keys(scripts)).toContain(script);
    for (const [, path] of readme.matchAll(/\]\((docs\/[^)]+)\)/g)) {
      expect(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8").length).toBeGreaterThan(0);
    }
  });
});
