/** The scripts of the workflows, run against scratch repositories and a stand-in for `gh`. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

const scripts = fileURLToPath(new URL("../../.github/scripts/", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "tidegate-workflows-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Git as it comes, without what the person who runs the tests has configured. */
const variables = {
  PATH: process.env.PATH ?? "",
  HOME: scratch,
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "t",
  GIT_AUTHOR_EMAIL: "t@example.com",
  GIT_COMMITTER_NAME: "t",
  GIT_COMMITTER_EMAIL: "t@example.com",
};
const git = (directory: string, ...args: string[]): string =>
  execFileSync("git", args, { cwd: directory, env: variables, encoding: "utf8", stdio: "pipe" }).trim();

function run(script: string, directory: string, more: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync("bash", [join(scripts, script)], {
    cwd: directory,
    env: { ...variables, ...more },
    encoding: "utf8",
  });
  return { code: status, out: stdout.trim(), stderr };
}

let count = 0;
function repository(files: Readonly<Record<string, string>>): string {
  count += 1;
  const directory = join(scratch, `${count}`);
  mkdirSync(directory);
  git(directory, "init", "--quiet", "--initial-branch", "main");
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  git(directory, "add", ".");
  git(directory, "commit", "--quiet", "--message", "first");
  return directory;
}

describe("at-tip-of-main.sh", () => {
  it("goes on at main's tip, and ends red once main has moved, was reset, or is gone [E2, E8]", () => {
    const origin = repository({ a: "1" });
    const clone = join(scratch, "clone");
    git(scratch, "clone", "--quiet", origin, clone);
    const first = git(clone, "rev-parse", "HEAD");
    // The token goes by the environment and must do no harm where none is wanted.
    expect(run("at-tip-of-main.sh", clone, { GH_TOKEN: "t" })).toEqual({
      code: 0,
      out: `${first} is the tip of main`,
      stderr: "",
    });
    git(origin, "commit", "--quiet", "--allow-empty", "--message", "the rollback of a person");
    const second = git(origin, "rev-parse", "HEAD");
    expect(run("at-tip-of-main.sh", clone)).toEqual({
      code: 1,
      out: `::error::this run is of an old commit, got ${first}; expected main's tip, ${second}. Nothing was changed. Run the workflow advance on main; do not re-run this one`,
      stderr: "",
    });
    git(origin, "branch", "--move", "main", "trunk");
    expect(run("at-tip-of-main.sh", clone)).toEqual({
      code: 1,
      out: `::error::main: not found at origin, so nobody knows whether ${first} is still what it asks for; expected its commit. Nothing was changed. Run the workflow advance on main`,
      stderr: "",
    });
    rmSync(origin, { recursive: true });
    expect(run("at-tip-of-main.sh", clone).code).not.toBe(0);
  });
});

const stackFile = `config:
  tidegate:services:
    checkout:
      wave: 10   # the line
      canary: { version: "2.0.0" }
    basket: { wave: 5, attempt: 1 }
`;

/** What the commit job does with a patch, up to the commit. */
function judged(change: (directory: string) => void, file = stackFile) {
  const directory = repository({
    "Pulumi.prod.yaml": file,
    "Pulumi.dev.yaml": file,
    ".github/scripts/one-wave-line.sh": readFileSync(join(scripts, "one-wave-line.sh"), "utf8"),
  });
  change(directory);
  git(directory, "add", "--all");
  const patch = execFileSync("git", ["diff", "--cached", "--unified=0"], { cwd: directory, env: variables });
  git(directory, "reset", "--quiet", "--hard");
  const path = join(scratch, "patch");
  writeFileSync(path, patch);
  if (patch.length > 0) git(directory, "apply", "--cached", "--unidiff-zero", path);
  const { status, stdout } = spawnSync("bash", [".github/scripts/one-wave-line.sh"], {
    cwd: directory,
    env: { ...variables, STACK: "prod" },
    encoding: "utf8",
  });
  return { code: status, out: stdout.trim() };
}
const written =
  (text: string, path = "Pulumi.prod.yaml") =>
  (directory: string) =>
    writeFileSync(join(directory, path), text);
const refused = (why: string) => ({
  code: 1,
  out: `::error::${why}; expected one line of Pulumi.prod.yaml with another wave: <percent>. Nothing was committed`,
});

describe("one-wave-line.sh", () => {
  it("lets through one line whose wave rises, alone or in a map, whatever stands beside it [E8]", () => {
    expect(judged(written(stackFile.replace("wave: 10 ", "wave: 25 ")))).toEqual({
      code: 0,
      out: "Pulumi.prod.yaml: wave 10 to 25",
    });
    expect(judged(written(stackFile.replace("wave: 5", "wave: 100"))).out).toBe("Pulumi.prod.yaml: wave 5 to 100");
    const plain = "wave: 1";
    expect(judged(written("wave: 2\n"), `${plain}\n`).out).toBe("Pulumi.prod.yaml: wave 1 to 2");
    expect(judged(written("  wave: 2\r\n"), "  wave: 0\r\n").out).toBe("Pulumi.prod.yaml: wave 0 to 2");
  });

  const next = stackFile.replace("wave: 10 ", "wave: 25 ");
  const oneLine = "more than one line is changed";
  const inMore = "the line differs in more than its wave";
  it.each<[string, string, string]>([
    [
      "a line more that says wave: in a comment",
      next.replace("  wave", "  mode: observe # wave: 1\n      wave"),
      oneLine,
    ],
    ["another line that says so", next.replace('"2.0.0" }', '"6.6.6" } # wave: 1'), oneLine],
    ["two waves", next.replace("wave: 5", "wave: 10"), oneLine],
    ["a line less", stackFile.replace("      wave: 10   # the line\n", ""), oneLine],
    ["a line in place of it and one more", next.replace("# the line", "# the line\n      mode: act"), oneLine],
    ["nothing on the last line's end", `${stackFile.trimEnd()}`, oneLine],
    ["the rest of the line", next.replace("# the line", "# another line"), inMore],
    ["what comes before it", stackFile.replace("      wave: 10", "    wave: 25"), inMore],
    ["its key", stackFile.replace("wave: 10", "waves: 25"), inMore],
    ["its neighbour in a map, too", stackFile.replace("wave: 5, attempt: 1", "wave: 10, attempt: 2"), inMore],
    ["a line without a wave", stackFile.replace("2.0.0", "2.0.1"), "the line has no wave"],
    ["a word that only ends in wave", stackFile.replace("canary: {", "shockwave: 1 #"), "the line has no wave"],
    ["a fraction", stackFile.replace("wave: 10 ", "wave: 10.5 "), "the new wave is no whole percent from 1 to 100"],
    ["too much", stackFile.replace("wave: 10 ", "wave: 101 "), "the new wave is no whole percent from 1 to 100"],
    ["nothing", stackFile.replace("wave: 10 ", "wave: 0 "), "the new wave is no whole percent from 1 to 100"],
    [
      "a number in another base",
      stackFile.replace("wave: 10 ", "wave: 0x20 "),
      "the new wave is no whole percent from 1 to 100",
    ],
    [
      "a map",
      stackFile.replace("wave: 10 ", "wave: 20, mode: observe "),
      "the new wave is no whole percent from 1 to 100",
    ],
    ["a lowering", stackFile.replace("wave: 10 ", "wave: 5 "), "the wave does not rise"],
  ])("refuses %s [E8]", (_name, text, why) => {
    expect(text).not.toBe(stackFile);
    expect(judged(written(text))).toEqual(refused(why));
  });

  const alone = "not this file alone is changed";
  const notEdited = "Pulumi.prod.yaml is not just edited, but made, removed, or of another kind";
  it.each<[string, string, (directory: string) => void]>([
    ["no change", alone, () => {}],
    ["another stack's file", alone, written(next, "Pulumi.dev.yaml")],
    [
      "another file beside it",
      alone,
      (directory) => {
        written(next)(directory);
        written("x", "package.json")(directory);
      },
    ],
    [
      "a change of the very script that judges",
      alone,
      (directory) => {
        written(next)(directory);
        written("exit 0\n", ".github/scripts/one-wave-line.sh")(directory);
      },
    ],
    [
      "the file under another name",
      alone,
      (directory) => git(directory, "mv", "Pulumi.prod.yaml", "Pulumi.other.yaml"),
    ],
    ["no file any more", notEdited, (directory) => rmSync(join(directory, "Pulumi.prod.yaml"))],
    [
      "a file that may be run",
      notEdited,
      (directory) => {
        written(next)(directory);
        chmodSync(join(directory, "Pulumi.prod.yaml"), 0o755);
      },
    ],
    [
      "a link to another file",
      notEdited,
      (directory) => {
        rmSync(join(directory, "Pulumi.prod.yaml"));
        symlinkSync("Pulumi.dev.yaml", join(directory, "Pulumi.prod.yaml"));
      },
    ],
  ])("refuses %s [E8]", (_name, why, change) => {
    expect(judged(change)).toEqual(refused(why));
  });
});

describe("the step that asks the gate", () => {
  const workflow = parse(readFileSync(join(scripts, "../workflows/auto-advance.yml"), "utf8"));
  const step: { readonly run: string } = workflow.jobs.decide.steps.find(({ id }: { id?: string }) => id === "advance");

  /** The step with a `tidegate advance` that prints and ends like this, and edits the file if it says so. */
  function asked(outcome: string | undefined, code: number) {
    const directory = repository({ "Pulumi.prod.yaml": stackFile });
    const bin = join(directory, "bin");
    mkdirSync(bin);
    const prints = outcome === undefined ? "" : JSON.stringify({ outcome });
    const edits = outcome === "advanced" ? "sed -i 's/wave: 10/wave: 25/' Pulumi.prod.yaml" : ":";
    writeFileSync(join(bin, "npx"), `#!/usr/bin/env bash\necho '${prints}'\n${edits}\nexit ${code}\n`, { mode: 0o755 });
    const output = join(bin, "output");
    writeFileSync(output, "");
    const { status } = spawnSync("bash", ["-c", step.run], {
      cwd: directory,
      env: {
        ...variables,
        PATH: `${bin}:${variables.PATH}`,
        STACK: "prod",
        RUNNER_TEMP: bin,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: join(bin, "summary"),
      },
    });
    const [said = "", , ...patch] = readFileSync(output, "utf8").trim().split("\n");
    return [status, said, patch.filter((line) => /^[+-] /.test(line)).length];
  }

  it.each<[string | undefined, number, unknown[]]>([
    ["advanced", 0, [0, "outcome=advanced", 2]],
    ["nothing", 0, [0, "outcome=nothing", 0]],
    ["held", 3, [0, "outcome=held", 0]],
    ["asked", 1, [0, "outcome=asked", 0]],
    // What does not go together, and what is no answer.
    ["advanced", 1, [1, "", 0]],
    ["held", 0, [1, "", 0]],
    ["asked", 3, [3, "", 0]],
    [undefined, 1, [1, "", 0]],
    [undefined, 2, [2, "", 0]],
    [undefined, 0, [1, "", 0]],
  ])("makes of %s with exit code %i what the next jobs go by [E8]", (outcome, code, expected) => {
    expect(asked(outcome, code)).toEqual(expected);
  });
});

describe("is-up-under-way.sh", () => {
  /** Answers with a run of the workflow in that state, if any, and keeps what it was asked. */
  function withGh(standing?: { readonly workflow: string; readonly status: string }, code = 0) {
    count += 1;
    const bin = join(scratch, `gh-${count}`);
    mkdirSync(bin);
    const match = standing ? `*"/${standing.workflow}/runs?status=${standing.status}&"*` : "no-such-path";
    writeFileSync(
      join(bin, "gh"),
      `#!/usr/bin/env bash\nprintf '%s\\n' "$*" >> ${bin}/asked\ncase "$2" in ${match}) echo 41;; esac\nexit ${code}\n`,
      { mode: 0o755 },
    );
    const ended = run("is-up-under-way.sh", scratch, {
      PATH: `${bin}:${variables.PATH}`,
      GITHUB_REPOSITORY: "acme/shop",
      GITHUB_RUN_ID: "42",
      GH_TOKEN: "t",
    });
    return { ...ended, asked: readFileSync(join(bin, "asked"), "utf8").trim().split("\n") };
  }

  it.each([
    ["advance.yml", "waiting"],
    ["auto-advance.yml", "in_progress"],
    ["advance.yml", "queued"],
  ])("is green while a run of %s is %s [E8]", (workflow, status) => {
    const { code, out } = withGh({ workflow, status });
    expect([code, out]).toEqual([
      0,
      `run 41 of ${workflow} is ${status}: it opens the wave, or waits for its approval`,
    ]);
  });

  it("is red where none is, having asked of each workflow and state, itself left out [E8]", () => {
    const { code, out, asked } = withGh();
    expect([code, out]).toEqual([
      1,
      "::error::main asks for a wave that is not open, and no up is under way: the last one failed, or was cut off or refused. Its log says why; when that is mended, run the workflow advance on main",
    ]);
    expect(asked).toHaveLength(10);
    expect(asked[0]).toBe(
      "api repos/acme/shop/actions/workflows/advance.yml/runs?status=queued&per_page=100 --jq [.workflow_runs[].id | select(. != 42)] | .[0] // empty",
    );
  });

  it("is red where GitHub does not answer [E8]", () => {
    expect(withGh(undefined, 4).code).toBe(4);
  });
});
