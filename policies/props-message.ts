/** What every policy's text has in common: the form of a message, and where the policy is explained. */

/** The parts of a message. */
export interface Finding {
  /** Name of the resource. */
  readonly name: string;
  readonly wrong: string;
  readonly got: string;
  readonly expected: string;
  /** What to type or to change: a sentence without its full stop. */
  readonly wayOut: string;
}

/** One message, in the form of all our errors. */
export function message({ name, wrong, got, expected, wayOut }: Finding): string {
  return `${name}: ${wrong}, got ${got}; expected ${expected}. ${wayOut}`;
}

/** Where the reference page explains a policy. */
export function referenceUrl(policyName: string): string {
  return `docs/policies.md#${policyName}`;
}
