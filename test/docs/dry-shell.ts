/**
 * Runs command blocks in bash with every program that they call replaced by one that only writes down its words. So the shell itself
 * says how a line splits into words, and `set -u` finds a variable that the page never sets.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What runbooks may call besides bash itself. */
const replaced = ["aws", "jq", "npx", "pulumi"] as const;

/** Something may be made of every answer: a word in a loop, a value in an option. */
const recorder = `#!/bin/bash
IFS=$'\\x1f'
printf '%s\\x1e' "\${0##*/}\${IFS}$*" >> "$CALLS"
echo answer
`;

/** The calls of a script, as words, the program first. @throws Error with bash's own words where it fails */
export function callsOf(script: string): string[][] {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-runbook-"));
  try {
    for (const program of replaced) {
      writeFileSync(join(folder, program), recorder);
      chmodSync(join(folder, program), 0o755);
    }
    const calls = join(folder, "calls");
    const run = spawnSync("bash", ["-eu", "-o", "pipefail"], {
      input: script,
      encoding: "utf8",
      timeout: 20_000,
      env: { PATH: `${folder}:/usr/bin:/bin`, CALLS: calls, LANG: "C.UTF-8" },
    });
    if (run.status !== 0)
      throw new Error(`bash: exit ${run.status}, said ${run.stderr || run.error?.message || "nothing"}`);
    const written = existsSync(calls) ? readFileSync(calls, "utf8") : "";
    return written
      .split("\x1e")
      .filter((call) => call !== "")
      .map((call) => call.split("\x1f"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
