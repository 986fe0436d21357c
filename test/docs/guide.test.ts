/** The guides without a cloud: whether bash can read them, whether every flag exists, where they link. Followed they are in test/engine. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { commands } from "../../cli/command.ts";
import { readGuide } from "./guide-pages.ts";

const guide = readGuide("adopt");
const script = guide.steps.map((step) => step.commands).join("\n");

/** `npx tidegate …` lines with continuations joined. */
const ours = script
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line.startsWith("npx tidegate "));

describe("the adoption guide", () => {
  it("is a script that bash can read, and sets every variable that it uses [E7]", () => {
    const read = spawnSync("bash", ["-n"], { input: script, encoding: "utf8" });
    expect(read.stderr).toBe("");
    const set = [...script.matchAll(/^export (\w+)=/gm)].map(([, name]) => name);
    const used = new Set([...script.matchAll(/\$(\w+)/g)].map(([, name]) => name));
    expect([...used].filter((name) => !set.includes(name))).toEqual([]);
  });

  it("names only commands and flags that there are [E7]", () => {
    const program = commands({ out: () => {}, error: () => {}, directory: ".", colours: false });
    expect(ours.length).toBeGreaterThan(5);
    for (const line of ours) {
      const [name = "", ...words] = line.replace("npx tidegate ", "").split(/\s+/);
      const command = program.commands.find((candidate) => candidate.name() === name);
      const flags = words.filter((word) => word.startsWith("--"));
      const known = command?.options.map(({ long }) => long) ?? [];
      expect([line, flags.filter((flag) => !known.includes(flag))]).toEqual([line, []]);
    }
  });

  it("has one change of the cloud in a block, so that what it shows belongs to it [E7]", () => {
    for (const { commands: block } of guide.steps) {
      expect(block.split("\n").filter((line) => /^pulumi (up|destroy)/.test(line)).length).toBeLessThanOrEqual(1);
    }
  });

  it("asks its reader for values in the first block alone [E7]", () => {
    const [first, ...rest] = guide.steps;
    expect(first?.commands.split("\n").every((line) => line.startsWith("export "))).toBe(true);
    expect(rest.filter((step) => /arn:aws|export /.test(step.commands))).toEqual([]);
  });

  it("goes from init to leaving, and says after most steps what one sees [E7]", () => {
    expect([...new Set(guide.steps.map(({ section }) => section))]).toEqual([
      "1. Make a folder with a stack file",
      "2. Observe",
      "3. Act",
      "4. The first wave",
      "5. A rollback drill",
      "6. Go on, and finish",
      "7. Leave again",
    ]);
    expect(guide.steps.filter(({ seen }) => seen.length > 0).length).toBeGreaterThanOrEqual(8);
  });

  it("links to files that are there [E7]", () => {
    const files = guide.links.filter((link) => !link.startsWith("https://"));
    expect(files.length).toBeGreaterThan(0);
    for (const link of files) {
      const path = fileURLToPath(new URL(`../../docs/guide/${link}`, import.meta.url));
      expect([link, existsSync(path)]).toEqual([link, true]);
    }
  });
});
