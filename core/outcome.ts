/** What a decision about a service's exposure comes down to, and the pieces that both halves of the declaration use. */
import type { Notice, Step } from "./declaration.ts";
import { verdictText } from "./gate/finding-words.ts";
import type { AskedVerdict, GateQuestion, Verdict } from "./gate/verdict.ts";
import { committedPercent, type RolloutRecord } from "./record.ts";

/** What a decision about the exposure comes down to. */
export interface Outcome {
  readonly step: Step;
  readonly baseline: string;
  readonly canary?: { readonly digest: string; readonly attempt: number };
  readonly shares: Readonly<Record<string, number>>;
  readonly exposurePercent: number;
  readonly intent?: { readonly digest: string; readonly attempt: number; readonly wave: number };
  /** As `Declaration.verdict`. */
  readonly verdict?: AskedVerdict;
}

/** Everything stays as the record has it, and no intent is recorded. */
export function stay(record: RolloutRecord): Outcome {
  const exposurePercent = committedPercent(record);
  return {
    step: "none",
    baseline: record.baseline,
    ...(record.canary ? { canary: { digest: record.canary.digest, attempt: record.canary.attempt } } : {}),
    shares: sharesAt(record, exposurePercent),
    exposurePercent,
  };
}

/** The outcome with what the gate said of it, where it was asked. */
export function judged(outcome: Outcome, verdict: AskedVerdict | undefined): Outcome {
  return verdict === undefined ? outcome : { ...outcome, verdict };
}

/**
 * What the gate says, which every preview tells whole, met findings included: each can be argued with.
 * @param verdict `undefined`: it was not asked yet
 */
export function tellVerdict(
  service: string,
  question: GateQuestion,
  verdict: Verdict | undefined,
  notices: Notice[],
): AskedVerdict | undefined {
  if (verdict === undefined) return undefined;
  const word = { ...verdict, asked: question };
  notices.push(note("gate", verdictText(service, word)));
  return word;
}

/** Shares of the record's two releases at an exposure. */
export function sharesAt(
  record: RolloutRecord,
  exposurePercent: number,
  canary = record.canary?.digest,
): Record<string, number> {
  const shares: Record<string, number> = {};
  if (exposurePercent < 100) shares[record.baseline] = 100 - exposurePercent;
  if (canary !== undefined && exposurePercent > 0) shares[canary] = exposurePercent;
  return shares;
}

export function versionOf(record: RolloutRecord, digest: string): string {
  return record.releases[digest]?.version ?? digest;
}

export function warning(kind: Notice["kind"], text: string): Notice {
  return { kind, severity: "warning", text };
}

export function note(kind: Notice["kind"], text: string): Notice {
  return { kind, severity: "info", text };
}
