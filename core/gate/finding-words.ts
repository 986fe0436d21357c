/**
 * A verdict as people read it, one finding a line; and that text read back, since a preview carries messages and nothing else. Both are
 * here so that neither changes without the other.
 */
import {
  type AskedVerdict,
  type Finding,
  type GateQuestion,
  type GateRule,
  gateRules,
  type Verdict,
  type VerdictKind,
} from "./verdict.ts";

/** What a finding comes to. `lifted`: it is not met, and an `overrideReason` lets the release go on all the same. */
export const findingWords = ["met", "waits", "cannot tell", "worse", "lifted"] as const;
export type FindingWord = (typeof findingWords)[number];

/** One finding as it is told. */
export interface ToldFinding {
  readonly word: FindingWord;
  readonly rule: GateRule;
  readonly text: string;
}

/** The gate's word as a preview tells it. */
export interface ToldVerdict {
  readonly kind: VerdictKind;
  /** Of `cannot-tell` alone. */
  readonly measured?: "nothing" | "too-little";
  /** What it was asked about, as `questionWords`. */
  readonly asked: string;
  readonly findings: readonly ToldFinding[];
}

export function findingWord({ verdict, isOverridden }: Finding): FindingWord {
  if (verdict === "promote") return "met";
  if (isOverridden === true) return "lifted";
  switch (verdict) {
    case "monitor":
      return "waits";
    case "cannot-tell":
      return "cannot tell";
    case "roll-back":
      return "worse";
  }
}

/** `promote`, `cannot tell (too-little measured)`. */
export function kindWords({ kind, measured }: Pick<Verdict, "kind" | "measured">): string {
  if (kind === "cannot-tell") return `cannot tell (${measured ?? "nothing"} measured)`;
  return kind === "roll-back" ? "roll back" : kind;
}

/** `waits: soak: soak at 10 % served 5 of 10 min`, on one line whatever the text has. */
export function findingLine(finding: Finding): string {
  return `${findingWord(finding)}: ${finding.rule}: ${finding.text.replace(/\s+/g, " ").trim()}`;
}

/** `10 % to 25 %`, `finishing 2.0.0`. */
export function questionWords(question: GateQuestion): string {
  return question.kind === "finish"
    ? `finishing ${question.version}`
    : `${question.fromPercent} % to ${question.toPercent} %`;
}

/** What a preview says of a service's gate: the verdict, and every finding below it. */
export function verdictText(service: string, verdict: AskedVerdict): string {
  const lines = verdict.findings.map((finding) => `  ${findingLine(finding)}`);
  return [`${service}: the gate says ${kindWords(verdict)} (${questionWords(verdict.asked)}):`, ...lines].join("\n");
}

const heading =
  /^\S+: the gate says (?:(promote|monitor|roll back)|cannot tell \((nothing|too-little) measured\)) \((.+)\):$/;
const line = new RegExp(`^ {2}(${findingWords.join("|")}): (${gateRules.join("|")}): (.+)$`);

/** @returns `undefined` where the text is no such text, or any of its lines has another form: half of the findings would hide the rest */
export function readVerdictText(text: string): ToldVerdict | undefined {
  const [first = "", ...rest] = text.trimEnd().split("\n");
  const said = heading.exec(first);
  if (!said) return undefined;
  const [, kind, measured, asked = ""] = said;
  const findings: ToldFinding[] = [];
  for (const each of rest) {
    const found = line.exec(each);
    const word = findingWords.find((candidate) => candidate === found?.[1]);
    const rule = gateRules.find((candidate) => candidate === found?.[2]);
    if (!found || !word || !rule) return undefined;
    findings.push({ word, rule, text: found[3] ?? "" });
  }
  if (measured === "nothing" || measured === "too-little") return { kind: "cannot-tell", measured, asked, findings };
  return { kind: kind === "promote" || kind === "monitor" ? kind : "roll-back", asked, findings };
}
