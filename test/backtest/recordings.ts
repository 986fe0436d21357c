/** Recordings for tests: files in a folder of their own, and the command run on them. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../cli/command.ts";

export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-backtest-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly error: string;
}

/** `tidegate backtest …` in a folder. */
export async function runBacktest(directory: string, ...words: string[]): Promise<Ran> {
  const out: string[] = [];
  const error: string[] = [];
  const exitCode = await runCommand(["backtest", ...words], {
    out: (text) => out.push(text),
    error: (text) => error.push(text),
    directory,
    colours: false,
  });
  return { exitCode, out: out.join("\n"), error: error.join("\n") };
}

/** A CSV by the minute from a time on. */
export function csvOf(
  columns: readonly string[],
  rows: readonly (readonly (number | string)[])[],
  from = "2026-01-05T00:00:00Z",
  stepSeconds = 60,
): string {
  const start = Date.parse(from);
  const at = (row: number) => new Date(start + row * stepSeconds * 1_000).toISOString();
  return [["timestamp", ...columns].join(","), ...rows.map((cells, row) => [at(row), ...cells].join(","))].join("\n");
}
