/**
 * The two ways the local CloudWatch says no. What it does not model it refuses by name, so that a rehearsal never shows a
 * green light for something it skipped.
 */
class RefusalError extends Error {
  /** Each `<alarm and property>: <what is wrong>, got <value>; expected <allowed>`. */
  readonly problems: readonly string[];

  constructor(heading: string, problems: readonly string[], options?: ErrorOptions) {
    super([heading, ...problems.map((problem) => `  ${problem}`)].join("\n"), options);
    this.problems = problems;
  }
}

/** CloudWatch may know it, the local one does not. */
export class NotModelledError extends RefusalError {
  override readonly name = "NotModelledError";

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super("the local CloudWatch does not model this:", problems, options);
  }
}

/** CloudWatch itself would refuse it, or it makes no sense in virtual time. */
export class InvalidRequestError extends RefusalError {
  override readonly name = "InvalidRequestError";

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super("CloudWatch would refuse this:", problems, options);
  }
}
