/**
 * Refuses to work in another account than the one the function was deployed for. Asked once a container, beside the first work: a lowering
 * never waits for it, whoever raises or opens a latch does.
 */

/** The credentials belong to another account. */
export class WrongAccountError extends Error {
  override readonly name = "WrongAccountError";
}

/**
 * A check that may be begun early and awaited late, or never.
 * @param accountId expected; 12 digits
 * @param lookUp the caller's account, as `callerAccount`
 * @returns a function whose promise settles once it is known: rejected with WrongAccountError, or with the error of a lookup that
 * failed; only a failed lookup is tried again by the next call
 */
export function accountGuard(accountId: string, lookUp: () => Promise<string>): () => Promise<void> {
  let checking: Promise<void> | undefined;

  async function check(): Promise<void> {
    const found = await lookUp().catch((error: unknown) => {
      checking = undefined;
      throw error;
    });
    if (found !== accountId) {
      throw new WrongAccountError(
        `TIDEGATE_ACCOUNT: the credentials belong to another account, got ${found}; expected ${accountId}. Deploy the hook with its own account's program`,
      );
    }
  }

  return () => {
    checking ??= check();
    // Whoever does not await it must not be brought down by it.
    checking.catch(() => {});
    return checking;
  };
}
