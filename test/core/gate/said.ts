import type { SoakEvidence } from "../../../core/gate/evidence.ts";
import { type JudgeOptions, judge } from "../../../core/gate/judge.ts";
import type { Verdict } from "../../../core/gate/verdict.ts";
import type { Instant, RolloutRecord } from "../../../core/record.ts";

/** What the gate says, without what is met. */
export type Said = Omit<Verdict, "findings">;

export function said(
  record: RolloutRecord,
  digest: string,
  evidence: SoakEvidence,
  now: Instant,
  overrideReason?: string,
): Said {
  const options: JudgeOptions = overrideReason === undefined ? {} : { overrideReason };
  const { findings: _met, ...rest } = judge(record, digest, evidence, now, options);
  return rest;
}
