/**
 * What `--json` prints: one object on standard output. Fields are never renamed or dropped, only added; instants are ISO 8601 in UTC,
 * shares percent, ages seconds. What there is not is `null`. Where nothing was
 * done, since something is wrong with the input or nobody could be asked, there is no object: what went wrong is on standard error alone.
 * `gate` and `advance` say no with exit 1, and print what they found all the same.
 */
import type { Instant } from "../core/record.ts";
import type { Place } from "./place.ts";

/** `kill`, `pause`, `resume`, `acknowledge`. */
export interface ChangeJson {
  readonly command: string;
  readonly environment: string;
  readonly region: string;
  readonly service: string;
  /** `refused`: nothing was changed, exit 3. */
  readonly outcome: "done" | "refused";
  /** Who did it: the deployed hook, or this machine with the operator's own credentials. `null`: nobody. */
  readonly through: "hook" | "here" | null;
  readonly message: string;
  /** Who is recorded as having said so. */
  readonly by: string;
  readonly reason: string;
  /** Why the hook did not do it; `null` where it did. */
  readonly hookFailure: string | null;
  /** `kill` without a usable record: what is live, for a choice with `--to`. `null`: the record was used. */
  readonly withoutRecord: {
    readonly why: string;
    readonly accountId: string | null;
    readonly rules: readonly { readonly ruleArn: string; readonly weights: Readonly<Record<string, number>> }[];
  } | null;
}

/** `drill`. */
export interface DrillJson {
  readonly command: "drill";
  readonly environment: string;
  readonly region: string;
  /** `missing`: no page within the limit, exit 3. */
  readonly outcome: "arrived" | "missing";
  readonly startedAt: string | null;
  readonly arrivedAt: string | null;
  readonly secondsFromAlarmToPage: number | null;
  readonly runbook: string | null;
}

/** `history`. */
export interface HistoryJson {
  readonly environment: string;
  readonly region: string;
  readonly service: string;
  /** Entries in all, before `--since` and `--limit`. */
  readonly total: number;
  /** Newest last. */
  readonly entries: readonly {
    readonly at: string;
    readonly kind: string;
    readonly message: string;
    readonly exposurePercent: number;
  }[];
}

export function whereJson({ environment, region }: Place): { readonly environment: string; readonly region: string } {
  return { environment, region };
}

export function iso(at: Instant): string {
  return new Date(at).toISOString();
}

export function isoOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : iso(at);
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
