/** What the gate says (B8): four verdicts, each out of findings that can be argued with one by one. */

/** From the best to the worst; several findings come to the worst of theirs. */
export const verdictKinds = ["promote", "monitor", "cannot-tell", "roll-back"] as const;
export type VerdictKind = (typeof verdictKinds)[number];

/** Which of the gate's rules a finding is of, in the order in which they are told. */
export const gateRules = [
  "hold",
  "pause",
  "cool-off",
  "change-freeze",
  "approvals",
  "checks",
  "ladder",
  "breach",
  "alarm",
  "soak",
  "requests",
  "visibility",
  "criteria",
  "errors",
  "latency",
  "health-score",
  "error-budget",
  "figures",
] as const;
export type GateRule = (typeof gateRules)[number];

/** One rule's word. */
export interface Finding {
  readonly rule: GateRule;
  /** `promote`: it was asked and is met. `monitor`: it waits for time or a person. */
  readonly verdict: VerdictKind;
  /** Of `cannot-tell` alone: whether nothing was measured or too little. */
  readonly measured?: "nothing" | "too-little";
  /** What was found and what is expected, with its numbers. */
  readonly text: string;
  /** An `overrideReason` lifts this rule: it is told, and stops nothing. @default false: no reason does */
  readonly isOverridden?: boolean;
}

/** B8: the worst of the findings. `cannot-tell` says whether nothing was measured or too little. */
export interface Verdict {
  readonly kind: VerdictKind;
  readonly measured?: "nothing" | "too-little";
  /** Why it is not `promote`; empty where it is. */
  readonly reasons: readonly string[];
  /** All of them, met ones included, in the order of `gateRules`. */
  readonly findings: readonly Finding[];
}

/** What the gate was asked about. Units: percent. */
export type GateQuestion =
  | { readonly kind: "wave"; readonly fromPercent: number; readonly toPercent: number }
  | { readonly kind: "finish"; readonly version: string };

/** The gate's word, and on what. */
export interface AskedVerdict extends Verdict {
  readonly asked: GateQuestion;
}

/** Puts findings together: the worst that is not overridden decides. */
export function verdictOf(findings: readonly Finding[]): Verdict {
  const told = [...findings].sort((left, right) => gateRules.indexOf(left.rule) - gateRules.indexOf(right.rule));
  const counted = told.filter(({ isOverridden }) => !isOverridden);
  const rank = ({ verdict }: Finding): number => verdictKinds.indexOf(verdict);
  const kind = verdictKinds[Math.max(0, ...counted.map(rank))] ?? "cannot-tell";
  const blind = counted.filter(({ verdict }) => verdict === "cannot-tell");
  const reasons = counted
    .filter(({ verdict }) => verdict !== "promote")
    .sort((left, right) => rank(right) - rank(left))
    .map(({ text }) => text);
  if (kind !== "cannot-tell") return { kind, reasons, findings: told };
  const measured = blind.some((finding) => finding.measured === "nothing") ? "nothing" : "too-little";
  return { kind, measured, reasons, findings: told };
}

/** A rule that was asked and is met. */
export function met(rule: GateRule, text: string): Finding {
  return { rule, verdict: "promote", text };
}

/** A rule that nothing, or too little, was measured for. */
export function cannotTell(rule: GateRule, measured: "nothing" | "too-little", text: string): Finding {
  return { rule, verdict: "cannot-tell", measured, text };
}
