/** One answer after another: what a flag says, else what a person says, else a problem that names the flag. */
import { BadInputError } from "../../core/bad-input.ts";
import type { Choice, Questions } from "./questions.ts";

/** An answer that a person writes. */
export interface TextAnswer {
  /** With its dashes. */
  readonly flag: string;
  readonly given: string | undefined;
  readonly question: string;
  /** Offered at the terminal; without one the answer is still missing. */
  readonly suggestion?: string;
  /** Taken where nobody is there to ask; only where no answer could be wrong. */
  readonly fallback?: string;
  /** What is allowed, as the end of `expected …`. */
  readonly expected: string;
  readonly isValid: (text: string) => boolean;
}

/** An answer out of a list. */
export interface ChoiceAnswer<T> {
  readonly flag: string;
  readonly given: string | undefined;
  readonly question: string;
  readonly choices: readonly Choice<T>[];
  readonly expected: string;
  /** Whether one choice alone is still a question. @default false: it is taken */
  readonly asksAlways?: boolean;
  /** What is wrong with a flag's text that means none of the choices. @default "not found" */
  readonly wrong?: (text: string) => string;
  /** What a flag's text means; `undefined`: none of the choices. */
  readonly read: (text: string) => T | undefined;
}

export class Answers {
  readonly problems: string[] = [];
  private readonly questions: Questions | undefined;

  /** @param questions absent: nobody can be asked */
  constructor(questions: Questions | undefined) {
    this.questions = questions;
  }

  /** Whether a person answers: what is wrong is then told at once, and not with the rest. */
  get isAsking(): boolean {
    return this.questions !== undefined;
  }

  async text(answer: TextAnswer): Promise<string | undefined> {
    const { flag, given, expected, isValid } = answer;
    if (given !== undefined) {
      if (isValid(given)) return given;
      this.problems.push(`${flag}: not usable, got ${JSON.stringify(given)}; expected ${expected}`);
      return undefined;
    }
    if (this.questions && this.problems.length === 0) {
      const said = await this.questions.input(answer.question, answer.suggestion ?? answer.fallback, (text) =>
        isValid(text) ? undefined : `expected ${expected}`,
      );
      return said.trim();
    }
    if (answer.fallback !== undefined) return answer.fallback;
    this.problems.push(`${flag}: missing; expected ${expected}${tried(answer.suggestion)}`);
    return undefined;
  }

  async choice<T>(answer: ChoiceAnswer<T>): Promise<T | undefined> {
    const { flag, given, expected, choices } = answer;
    if (given !== undefined) {
      const found = answer.read(given);
      if (found === undefined) {
        const wrong = answer.wrong?.(given) ?? "not found";
        this.problems.push(`${flag}: ${wrong}, got ${JSON.stringify(given)}; expected ${expected}${listed(choices)}`);
      }
      return found;
    }
    const [only, ...more] = choices;
    if (only && more.length === 0 && !answer.asksAlways) return only.value;
    if (only && this.questions && this.problems.length === 0) return this.questions.select(answer.question, choices);
    this.problems.push(`${flag}: missing; expected ${expected}${listed(choices)}`);
    return undefined;
  }

  /** Yes, by flag or by a person. */
  async agreed(isGiven: boolean, question: string): Promise<boolean> {
    if (isGiven) return true;
    if (this.questions && this.problems.length === 0) return this.questions.confirm(question);
    this.problems.push(
      "--yes: missing; expected it where there is no terminal to ask at. Or look first with --dry-run",
    );
    return false;
  }

  /** @throws BadInputError with everything that is missing or wrong so far */
  throwIfAny(): void {
    if (this.problems.length === 0) return;
    const count = this.problems.length === 1 ? "1 problem" : `${this.problems.length} problems`;
    throw new BadInputError(`tidegate init: ${count}, nothing was written:`, this.problems);
  }
}

function listed(choices: readonly Choice<unknown>[]): string {
  return choices.map(({ name }) => `\n    ${name}`).join("");
}

function tried(suggestion: string | undefined): string {
  return suggestion === undefined ? "" : `, such as ${suggestion}`;
}
