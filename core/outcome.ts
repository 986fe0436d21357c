/** What a decision about a service's exposure comes down to, and the pieces that both halves of the declaration use. */
import type { Notice, Step } from "./declaration.ts";
import { committedPercent, type RolloutRecord } from "./record.ts";

/** What a decision about the exposure comes down to. */
export interface Outcome {
  readonly step: Step;
  readonly baseline: string;
  readonly canary?: { readonly digest: string; readonly attempt: number };
  readonly shares: Readonly<Record<string, number>>;
  readonly exposurePercent: number;
  readonly intent?: { readonly digest: string; readonly attempt: number; readonly wave: number };
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
