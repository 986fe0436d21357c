/**
 * Questions to a person at a terminal, one at a time, on standard error: standard output is the answer's. Without a terminal nothing is
 * asked, and what is missing is named at once with the flag that says it.
 */
import { RefusedError } from "../failures.ts";

export interface Choice<T> {
  readonly name: string;
  readonly value: T;
  /** Shown below the list while it is the one pointed at. */
  readonly description?: string;
}

export interface Questions {
  select<T>(message: string, choices: readonly Choice<T>[]): Promise<T>;
  /** @param problem says what is wrong with an answer; `undefined`: nothing */
  input(message: string, fallback: string | undefined, problem: (text: string) => string | undefined): Promise<string>;
  confirm(message: string): Promise<boolean>;
}

/** The real ones. An interrupted question ends the command. */
export function terminalQuestions(): Questions {
  const context = { output: process.stderr };
  return {
    async select(message, choices) {
      const { default: select } = await import("@inquirer/select");
      return uninterrupted(select({ message, choices: [...choices], pageSize: 12, loop: false }, context));
    },
    async input(message, fallback, problem) {
      const { default: input } = await import("@inquirer/input");
      const settings = { message, ...(fallback === undefined ? {} : { default: fallback }) };
      return uninterrupted(input({ ...settings, validate: (text) => problem(text.trim()) ?? true }, context));
    },
    async confirm(message) {
      const { default: confirm } = await import("@inquirer/confirm");
      return uninterrupted(confirm({ message, default: true }, context));
    },
  };
}

async function uninterrupted<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === "ExitPromptError")
      throw new RefusedError("tidegate init: interrupted; nothing was written");
    throw error;
  }
}
