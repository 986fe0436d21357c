/** How a command ends that was not carried out: one class for each exit code that is not success or bad input. */

/** Exit 3: nothing was changed. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/** Exit 1 with a message alone: it went wrong half-way or nobody knows how far it went, and the message says what to do. */
export class CommandFailedError extends Error {
  override readonly name = "CommandFailedError";
}
