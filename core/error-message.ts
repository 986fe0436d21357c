/** What is told of anything that was thrown: errors by their message, everything else as text. */

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same on one line, however many an error had. */
export function oneLine(error: unknown): string {
  return messageOf(error).replace(/\s+/g, " ").trim();
}
