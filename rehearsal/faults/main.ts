/** `npm run faults`: prints the matrix; with `--check` says instead whether the docs still say the same. */
import "../../core/stack-traces.ts";
import { readFileSync } from "node:fs";
import { computeMatrix } from "./matrix.ts";
import { renderMatrix } from "./render.ts";

const [flag, ...more] = process.argv.slice(2);
if ((flag !== undefined && flag !== "--check") || more.length > 0) {
  console.error(
    `npm run faults: unknown argument, got ${process.argv.slice(2).join(" ")}; expected --check or nothing`,
  );
  process.exit(2);
}
const rows = await computeMatrix();
const broken = rows.filter(({ outcome }) => outcome.broken.length > 0);
for (const { of, step, kind, outcome } of broken)
  console.error(`${of}, ${step?.title ?? "nothing wrong"}, ${kind ?? ""}: ${outcome.broken.join("; ")}`);
const text = renderMatrix(rows);
if (flag === "--check") {
  const kept = readFileSync(new URL("../../docs/fault-matrix.md", import.meta.url), "utf8").trimEnd();
  const known = new Set(kept.split("\n"));
  const differing = text.split("\n").filter((line) => !known.has(line));
  for (const line of differing) console.error(`docs/fault-matrix.md does not have: ${line}`);
  if (text !== kept) process.exitCode = 1;
} else console.log(text);
if (broken.length > 0) process.exitCode = 1;
