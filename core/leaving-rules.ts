/**
 * Rules that a service's config gave up. A commit keeps them in the record, for Pulumi deletes them after it, or fails to; only once the
 * load balancer does not have them any more does the record forget them.
 */
import type { RolloutRecord } from "./record.ts";

/**
 * Forgets the leaving rules that are gone.
 * @param there whether a rule was there when all of the record's were read; one that could not be read counts as there
 * @returns the very same record when nothing is gone; else one with the same revision
 */
export function withoutGoneRules(record: RolloutRecord, there: (arn: string) => boolean): RolloutRecord {
  const { leavingRules = [], ...rest } = record;
  const left = leavingRules.filter(there);
  if (left.length === leavingRules.length) return record;
  const gone = new Set(leavingRules.filter((arn) => !there(arn)));
  const rules = record.rules.filter(({ arn }) => !gone.has(arn));
  return { ...rest, rules, ...(left.length === 0 ? {} : { leavingRules: left }) };
}

/** The rules that the last description has. */
export function declaredRules({ rules, leavingRules = [] }: RolloutRecord): RolloutRecord["rules"] {
  return rules.filter(({ arn }) => !leavingRules.includes(arn));
}
