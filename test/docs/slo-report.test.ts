/** The page on reports: its example is what the command prints, byte for byte (D6). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runCommand } from "../../cli/command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

it("the example of the page is what its command prints, without any account [D6]", async () => {
  const page = readFileSync(`${root}/docs/slo-report.md`, "utf8");
  const line = /^npx tidegate (report .+)$/m.exec(page)?.[1] ?? "";
  const example = /<!-- example -->\n````markdown\n([\s\S]*?)````\n$/.exec(page)?.[1];
  const said: string[] = [];
  const surroundings = { out: (text: string) => said.push(text), error: () => {}, directory: root, colours: false };
  expect(await runCommand(line.split(" "), surroundings)).toBe(0);
  expect(`${said.join("\n")}\n`).toBe(example);
  expect(example?.length).toBeGreaterThan(3_000);
});
