/**
 * What a person wrote and cannot be used: config, scenario, recorded traffic. Every problem at once, in the writer's words.
 */
export class BadInputError extends Error {
  override readonly name = "BadInputError";
  /** Each `<path or place>: <what is wrong>, got <value>; expected <allowed>. <one way out>`. */
  readonly problems: readonly string[];

  constructor(heading: string, problems: readonly string[]) {
    super([heading, ...problems.map((problem) => `  ${problem}`)].join("\n"));
    this.problems = problems;
  }
}
