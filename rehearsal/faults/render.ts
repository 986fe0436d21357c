/** The matrix as Markdown. */
import { faultKinds, faultMeanings } from "./kinds.ts";
import type { MatrixRow } from "./matrix.ts";

const introduction: readonly string[] = [
  "# What every fault on the way comes to",
  "",
  "Made by `npm run --silent faults > docs/fault-matrix.md` (about a minute and a half); do not edit it. Tests recompute a part of it, and",
  "`npm run faults -- --check` the whole.",
  "",
  "Each row is one run of the whole rehearsal, seed 1, preset `batch`, source `emf`, plan `rapid`: the step goes wrong in the way named, all",
  "else works, and people do only what pages and refusals tell them (after five minutes; `kill` where the release still has traffic). In an",
  "opening from 5 % to 25 % the fault begins with the `up`, is mended after 16 minutes, the `up` is run again, and then the release turns bad:",
  "it must still be rolled back, and not be raised again. In a rollback from 25 % to 0 % the fault begins when the release's alarm speaks,",
  "about a minute and a half after the first bad request, and is mended half an hour later. *To target* is the time from the `up`, or from the",
  "first bad request, until exposure is for good at or under what the release may have; *highest after* is the most it had later; *bad time* is",
  "how long it had more than that (an opening's lease lets a share stand for ten minutes that is never committed). *Woke* names what woke",
  "somebody: the hook's page, an alarm of the hook or of the release, the watchman; `-` where whoever ran the `up` was told at the terminal.",
  "An oracle judges every run from live weights and pages alone, and the order of all calls is checked; **BROKEN** would stand in a row that",
  "breaks a promise. It is a model: the README says what a rehearsal does not prove.",
  "",
];

/** The whole document. */
export function renderMatrix(rows: readonly MatrixRow[]): string {
  const kinds = faultKinds.map((kind) => `- *${kind}*: ${faultMeanings[kind]}`);
  return [
    ...introduction,
    ...kinds,
    "",
    ...section("An opening", "opening", rows),
    ...section("A rollback", "rollback", rows),
  ]
    .join("\n")
    .trimEnd();
}

function section(title: string, of: MatrixRow["of"], rows: readonly MatrixRow[]): string[] {
  return [
    `## ${title}`,
    "",
    "| step | fault | what happened | to target | highest after | bad time | woke | by hand |",
    "|---|---|---|---|---|---|---|---|",
    ...rows.filter((row) => row.of === of).map(renderRow),
    "",
  ];
}

/** One line. */
export function renderRow({ step, kind, variant, outcome }: MatrixRow): string {
  const { happened, secondsToTarget, highestAfterPercent, badSeconds, pagedBy, byHand, broken } = outcome;
  const fault =
    kind === undefined
      ? "none"
      : kind === "wrong answer"
        ? `wrong answer: ${step?.lieText}`
        : variant === undefined
          ? kind
          : `${kind} (${variant})`;
  const cells = [
    step?.title ?? "–",
    fault,
    broken.length === 0 ? happened : `**BROKEN**: ${broken.join("; ")}. ${happened}`,
    secondsToTarget === null ? "–" : `${secondsToTarget} s`,
    `${highestAfterPercent} %`,
    `${badSeconds} s`,
    pagedBy.join(", ") || "-",
    byHand.join(", ") || "-",
  ];
  return `| ${cells.map((cell) => cell.replace(/\|/g, "/")).join(" | ")} |`;
}
