/** What a guard is made for, and how it refuses. */
import type { Declaration } from "../core/declaration.ts";
import type { Plan } from "../core/plans.ts";

/** The write is refused; the message is what the person running `up` reads. */
export class GuardRefusedError extends Error {
  override readonly name = "GuardRefusedError";
}

export interface GuardOptions {
  readonly declaration: Declaration;
  /** The plan that this `up` declares: the alarms to be judged are its own, and the record may still have another. */
  readonly plan: Plan;
  /** Names the stack in leases. */
  readonly takenBy: string;
  /** How long to wait for healthy canary hosts. Unit: seconds. */
  readonly readyTimeoutSeconds: number;
  /** Asked at the last moment: does the hook's function change in this same up? */
  readonly hookChanges: () => boolean;
}

/** Every reason at once. @throws GuardRefusedError */
export function refuse(options: GuardOptions, problems: readonly string[]): never {
  throw new GuardRefusedError(
    [
      `${options.declaration.service}: the rule was not written (other resources of this up may have changed):`,
      ...problems.map((problem) => `  ${problem}`),
    ].join("\n"),
  );
}
