/** What may be told of an HTTP request that failed. The client's error names URL, headers and body, each of which may be a secret. */

/** The answer in ky's error; `undefined`: none came. */
export function responseOf(error: unknown): Response | undefined {
  const response = error instanceof Error && "response" in error ? error.response : undefined;
  return response instanceof Response ? response : undefined;
}

/** Why nothing came back: the system's own words (`connect ECONNREFUSED …`), never the request. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "no reason given";
  if (error.name === "TimeoutError") return "no answer in time";
  const { cause } = error;
  if (cause instanceof AggregateError) return cause.errors.map((each) => String(each?.message ?? each)).join("; ");
  return cause instanceof Error ? cause.message : error.name;
}
