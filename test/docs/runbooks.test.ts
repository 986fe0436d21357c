/** The runbooks: every situation has its page, and what a page tells people to type exists. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runbooks } from "../../core/runbooks.ts";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService } from "../stacks/config-builders.ts";
import { awsProblems } from "./aws-operations.ts";
import { callsOf } from "./dry-shell.ts";
import { pageOf, plainText, type RunbookPage, readPages, runbookFolder } from "./runbook-pages.ts";

const all = readPages();
const pages = all.filter((page) => page.name !== "README");
const sections = [
  "What you see, and what it means",
  "What Tidegate has done, and will do",
  "How to go on",
  "When Tidegate does not run",
  "Do not",
  "Escalate",
];

/** Calls of a page: all its blocks in one shell, as somebody would paste them one after another. */
const calls = new Map(all.map((page) => [page.name, callsOfPage(page)]));
const callsTo = (program: string) =>
  [...calls].flatMap(([name, made]) => made.filter(([called]) => called === program).map((words) => ({ name, words })));

function callsOfPage({ name, blocks }: RunbookPage): string[][] {
  try {
    return callsOf(blocks.map(({ text }) => text).join("\n"));
  } catch (error) {
    throw new Error(`${name}.md: its blocks do not run, one after another`, { cause: error });
  }
}

describe("runbooks", () => {
  it("are exactly those that pages and alarms name [D8]", () => {
    expect(pages.map((page) => page.name)).toEqual([...runbooks].sort());
  });

  it("are all in the index, in the order of the list, under their titles [D8]", () => {
    const index = all.find((page) => page.name === "README")?.text ?? "";
    const rows = [...index.matchAll(/^\| \[([^\]]+)\]\(([^)]+)\) \| (.+) \|$/gm)].map(([, name, file, title]) => ({
      name,
      file,
      title,
    }));
    const titleOf = (name: string) => /^# (.+)$/m.exec(pages.find((page) => page.name === name)?.text ?? "")?.[1];
    expect(rows).toEqual(runbooks.map((name) => ({ name, file: `${name}.md`, title: titleOf(name) })));
  });

  it.each(pages)("$name begins with its title and the first command, and answers the six questions [D8]", (page) => {
    const [title, first] = page.nodes;
    expect(title).toMatchObject({ type: "heading", depth: 1 });
    expect(first).toMatchObject({ type: "code", lang: "bash" });
    const lines = page.blocks[0]?.text.split("\n") ?? [];
    expect([
      "export ENVIRONMENT=production REGION=eu-west-1 SERVICE=checkout AWS_PAGER= # the page says all three",
      "export ENVIRONMENT=production REGION=eu-west-1 AWS_PAGER= # the page says both",
    ]).toContain(lines[0]);
    expect(lines[1]).toMatch(/^npx tidegate /);
    expect(lines).toHaveLength(2);
    expect(page.sections).toEqual(sections);
    expect(page.nodes.filter((node) => node.type === "heading").map(plainText)).toHaveLength(1 + sections.length);
  });

  it.each(pages)("$name has AWS CLI lines for when ours does not run [D8]", (page) => {
    const raw = page.blocks.filter(({ section }) => section === "When Tidegate does not run");
    expect(raw.some(({ text }) => /\baws [a-z]/.test(text))).toBe(true);
    expect(raw.some(({ text }) => /\b(npx|pulumi) /.test(text))).toBe(false);
  });

  it.each(all)("$name links only to what exists, and to nothing outside [D8]", (page) => {
    for (const link of page.links) expect(existsSync(join(runbookFolder, link)), `${page.name}: ${link}`).toBe(true);
    expect(page.text).not.toMatch(/https?:/);
    const channels = [...page.text.matchAll(/(?<![\w/"])#[a-z][a-z-]+/g)].map(([channel]) => channel);
    expect(channels.filter((channel) => !["#alerts-critical", "#alerts-warnings"].includes(channel))).toEqual([]);
  });

  it.each(all)("$name has blocks of bash alone, and no placeholder that the shell does not know [D8]", (page) => {
    expect(page.blocks.filter(({ lang }) => lang !== "bash")).toEqual([]);
    for (const { text } of page.blocks) expect(text).not.toMatch(/<[a-z][a-z ]*>|\.\.\.|TODO|XXX/);
    expect(calls.get(page.name)?.length).toBeGreaterThan(0);
  });

  it("every aws line is an operation and options that exist [D8]", () => {
    const made = callsTo("aws");
    expect(made.length).toBeGreaterThan(80);
    expect(
      made.flatMap(({ name, words }) => awsProblems(words.slice(1)).map((problem) => `${name}: ${problem}`)),
    ).toEqual([]);
  });

  it("every npx line is tidegate, with the place it is for, and a reason where something changes [D8]", () => {
    for (const { name, words } of callsTo("npx")) {
      const [, program, command = "", ...options] = words;
      const flags = options.filter((word) => word.startsWith("--")).sort();
      const where = ["--environment", "--region", ...(["status", "drill"].includes(command) ? [] : ["--service"])];
      expect([name, program]).toEqual([name, "tidegate"]);
      expect(["status", "kill", "pause", "resume", "acknowledge", "history", "drill"]).toContain(command);
      expect([name, flags]).toEqual([name, expect.arrayContaining(where)]);
      const changes = ["kill", "pause", "resume", "acknowledge"].includes(command);
      expect([name, command, flags.includes("--reason")]).toEqual([name, command, changes]);
    }
  });

  it("a retry is config that the program takes [D8, B5]", () => {
    const made = callsTo("pulumi").map(({ words }) => words.slice(1));
    const set = made.filter(([command]) => command === "config");
    expect(new Set(set.map((words) => words.join(" ")))).toEqual(
      new Set([
        "config set --path tidegate:services.checkout.attempt 2",
        "config set --path tidegate:services.checkout.wave 10",
      ]),
    );
    expect(made.filter(([command]) => command !== "config")).toEqual(made.filter(([command]) => command === "up"));
    const changed = Object.fromEntries(
      set.map(([, , , path = "", value = ""]) => [path.split(".").at(-1), Number(value)]),
    );
    const { services } = parseConfig(aConfig({}, { checkout: aService(changed) }));
    expect(services.map(({ attempt, wavePercent }) => [attempt, wavePercent])).toEqual([[2, 10]]);
  });
});

describe("the checks on runbooks", () => {
  const callsIn = (text: string) =>
    callsOf(
      pageOf("page", text)
        .blocks.map((block) => block.text)
        .join("\n"),
    );

  it("find a variable that the page never sets", () => {
    expect(() => callsIn('```bash\naws sns publish --topic-arn "$TOPIC"\n```')).toThrow(/TOPIC: unbound variable/);
  });

  it("find an operation and an option that do not exist", () => {
    expect(awsProblems(["elbv2", "modify-rule", "--region", "eu-west-1", "--weights", "1"])).toEqual([
      "aws elbv2 modify-rule: no option --weights; expected rule-arn, actions, region, query, output",
    ]);
    expect(awsProblems(["elbv2", "modify-rules"])[0]).toMatch(
      /^aws elbv2 modify-rules: no operation that runbooks use/,
    );
    expect(awsProblems(["sns", "list-topics"])).toEqual([
      "aws sns list-topics: no --region; another region has another table",
    ]);
  });

  it("see every word as the shell makes it", () => {
    expect(callsIn('```bash\nexport A="x y"\nfor B in $(jq .); do aws s3 "$A" --b "$B"; done\n```')).toEqual([
      ["jq", "."],
      ["aws", "s3", "x y", "--b", "answer"],
    ]);
  });
});
