/**
 * Rule expressions of composite alarms: `ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA("c"))`, `TRUE`, `FALSE`.
 * Source: botocore cloudwatch service-2.json, PutCompositeAlarm.AlarmRule, 2026-08: at most 100 children and 500 elements.
 * Assumes what is not said there: NOT binds tighter than AND, AND tighter than OR.
 */
import { type AlarmStateValue, alarmStateValues } from "../../core/alarm-evaluation.ts";
import { InvalidRequestError, NotModelledError } from "./errors.ts";

type StateOf = (alarmName: string) => AlarmStateValue | undefined;
type Holds = (stateOf: StateOf) => boolean;

/** A compiled rule. */
export interface AlarmRule {
  /** The alarms it names, each once. */
  readonly children: readonly string[];
  readonly holds: Holds;
}

const childLimit = 100;
const elementLimit = 500;

/** Parentheses, words and names, quoted or bare; a bare name is all up to a space or parenthesis. */
const token = /\s*(?:([()])|"((?:[^"\\]|\\.)*)"|([^\s()"]+))/gy;

interface Token {
  readonly kind: "parenthesis" | "quoted" | "bare";
  readonly text: string;
}

function tokensOf(rule: string, place: string): Token[] {
  const tokens: Token[] = [];
  const text = rule.trimEnd();
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (!match)
      throw new InvalidRequestError([
        `${place}: cannot be read at character ${at + 1}, got ${text.slice(at, at + 20)}`,
      ]);
    const [, parenthesis, quoted, bare] = match;
    if (parenthesis !== undefined) tokens.push({ kind: "parenthesis", text: parenthesis });
    else if (quoted !== undefined) tokens.push({ kind: "quoted", text: quoted.replaceAll(/\\(.)/g, "$1") });
    else tokens.push({ kind: "bare", text: bare ?? "" });
  }
  return tokens;
}

class RuleParser {
  readonly children = new Set<string>();
  readonly #tokens: readonly Token[];
  readonly #place: string;
  #next = 0;

  constructor(tokens: readonly Token[], place: string) {
    this.#tokens = tokens;
    this.#place = place;
  }

  rule(): Holds {
    const holds = this.#or();
    if (this.#next < this.#tokens.length) this.#unexpected("AND, OR or the end");
    return holds;
  }

  #or(): Holds {
    let left = this.#and();
    while (this.#takeWord("OR")) {
      const before = left;
      const right = this.#and();
      left = (stateOf) => before(stateOf) || right(stateOf);
    }
    return left;
  }

  #and(): Holds {
    let left = this.#not();
    while (this.#takeWord("AND")) {
      const before = left;
      const right = this.#not();
      left = (stateOf) => before(stateOf) && right(stateOf);
    }
    return left;
  }

  #not(): Holds {
    if (this.#takeWord("NOT")) {
      const inner = this.#not();
      return (stateOf) => !inner(stateOf);
    }
    if (this.#takeWord("TRUE")) return () => true;
    if (this.#takeWord("FALSE")) return () => false;
    if (this.#takeParenthesis("(")) {
      const inner = this.#or();
      if (!this.#takeParenthesis(")")) this.#unexpected(")");
      return inner;
    }
    return this.#stateFunction();
  }

  #stateFunction(): Holds {
    const state = alarmStateValues.find((value) => this.#takeWord(value));
    if (!state) {
      const next = this.#tokens[this.#next];
      const isCall = next?.kind === "bare" && this.#tokens[this.#next + 1]?.text === "(";
      if (isCall) throw new NotModelledError([`${this.#place}: the function ${next.text}`]);
      return this.#unexpected("ALARM(), OK(), INSUFFICIENT_DATA(), NOT, TRUE, FALSE or (");
    }
    if (!this.#takeParenthesis("(")) this.#unexpected("(");
    const name = this.#tokens[this.#next];
    if (!name || name.kind === "parenthesis") return this.#unexpected("the name of an alarm");
    this.#next += 1;
    if (!this.#takeParenthesis(")")) this.#unexpected(")");
    this.children.add(name.text);
    return (stateOf) => stateOf(name.text) === state;
  }

  #takeWord(word: string): boolean {
    const next = this.#tokens[this.#next];
    if (next?.kind !== "bare" || next.text !== word) return false;
    this.#next += 1;
    return true;
  }

  #takeParenthesis(parenthesis: string): boolean {
    const next = this.#tokens[this.#next];
    if (next?.kind !== "parenthesis" || next.text !== parenthesis) return false;
    this.#next += 1;
    return true;
  }

  #unexpected(expected: string): never {
    const got = this.#tokens[this.#next]?.text ?? "the end";
    throw new InvalidRequestError([
      `${this.#place}: unexpected element ${this.#next + 1}, got ${got}; expected ${expected}`,
    ]);
  }
}

/**
 * Compiles a rule; `place` names it in messages.
 *
 * @throws NotModelledError for an unknown function (the 2025 `AT_LEAST` among them), by its name
 * @throws InvalidRequestError for a rule that cannot be read or is over CloudWatch's limits
 */
export function compileAlarmRule(rule: string, place: string): AlarmRule {
  const tokens = tokensOf(rule, place);
  if (tokens.length > elementLimit) {
    throw new InvalidRequestError([
      `${place}: too long, got ${tokens.length} elements; expected at most ${elementLimit}`,
    ]);
  }
  const parser = new RuleParser(tokens, place);
  const holds = parser.rule();
  const children = [...parser.children];
  if (children.length > childLimit) {
    throw new InvalidRequestError([
      `${place}: too many alarms, got ${children.length}; expected at most ${childLimit}`,
    ]);
  }
  return { children, holds };
}
