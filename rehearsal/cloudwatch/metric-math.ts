/**
 * Metric math: expressions compiled once to closures that read one frame of values, NaN standing for "no point".
 *
 * Source: CloudWatch guide, using-metric-math.md, 2023-06. Arithmetic and comparison between series read a missing point as 0;
 * where all inputs are missing there is no point; a division by zero drops the point; IF follows its published tables (true
 * and no point in the second series is 0, false and none in the third is no point, no condition is no point). DIFF is the
 * difference to the preceding value of the series, so across a gap to the last one before it, and DIFF_TIME
 * the seconds between the two; MAX and MIN of an array are a series.
 * Assumes what the guide does not say: AND binds tighter than OR; FILL also fills a metric that has never had a point; MAX and MIN
 * of an array pass over a missing point (of AVG alone the guide says that it is read as 0); the first value of what an alarm
 * retrieves has no preceding one. MAX and MIN of one series are a number over all that was retrieved, which the guide advises
 * against in alarms: refused by name.
 */
import jsep from "jsep";
import { messageOf } from "../../core/error-message.ts";
import { InvalidRequestError, NotModelledError } from "./errors.ts";

jsep.addBinaryOp("OR", 1);
jsep.addBinaryOp("AND", 2);

/** Values of all queries at one timestamp, by place. */
export type Frame = Float64Array;
type Evaluate = (frame: Frame) => number;

/** A compiled expression, with the ids it reads. */
export interface CompiledExpression {
  readonly evaluate: Evaluate;
  readonly reads: readonly string[];
  /** Forgets preceding values. Absent: it has none, so its frames can be evaluated in any order, and each just once. */
  readonly restart?: () => void;
}

/** A scalar is the same at every timestamp and is never missing. */
type Node = { readonly kind: "scalar"; readonly value: number } | { readonly kind: "series"; readonly at: Evaluate };

type Operation = (left: number, right: number) => number;

const operations: Readonly<Record<string, Operation>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => (right === 0 ? Number.NaN : left / right),
  ">": (left, right) => (left > right ? 1 : 0),
  ">=": (left, right) => (left >= right ? 1 : 0),
  "<": (left, right) => (left < right ? 1 : 0),
  "<=": (left, right) => (left <= right ? 1 : 0),
  "==": (left, right) => (left === right ? 1 : 0),
  "!=": (left, right) => (left !== right ? 1 : 0),
  AND: (left, right) => (left !== 0 && right !== 0 ? 1 : 0),
  OR: (left, right) => (left !== 0 || right !== 0 ? 1 : 0),
};

const series = (at: Evaluate): Node => ({ kind: "series", at });
const scalar = (value: number): Node => ({ kind: "scalar", value });
const isMissing = Number.isNaN;

function applyOperation(operate: Operation, left: Node, right: Node): Node {
  if (left.kind === "scalar") {
    const constant = left.value;
    if (right.kind === "scalar") return scalar(operate(constant, right.value));
    const { at } = right;
    return series((frame) => {
      const value = at(frame);
      return isMissing(value) ? value : operate(constant, value);
    });
  }
  const leftAt = left.at;
  if (right.kind === "scalar") {
    const constant = right.value;
    return series((frame) => {
      const value = leftAt(frame);
      return isMissing(value) ? value : operate(value, constant);
    });
  }
  const rightAt = right.at;
  return series((frame) => {
    const leftValue = leftAt(frame);
    const rightValue = rightAt(frame);
    if (isMissing(leftValue)) return isMissing(rightValue) ? leftValue : operate(0, rightValue);
    return operate(leftValue, isMissing(rightValue) ? 0 : rightValue);
  });
}

const noPoint: Evaluate = () => Number.NaN;
const evaluateOf = (node: Node): Evaluate => {
  if (node.kind === "series") return node.at;
  const { value } = node;
  return () => value;
};

function applyIf(condition: Node, whenTrue: Node, whenFalse: Node | undefined): Node {
  if (condition.kind === "scalar") return condition.value !== 0 ? whenTrue : (whenFalse ?? series(noPoint));
  const conditionAt = condition.at;
  const trueAt = evaluateOf(whenTrue);
  const falseAt = whenFalse ? evaluateOf(whenFalse) : noPoint;
  return series((frame) => {
    const decided = conditionAt(frame);
    // Both at every frame: a DIFF in the branch that is not taken must see its value all the same.
    const value = trueAt(frame);
    const otherwise = falseAt(frame);
    if (isMissing(decided)) return decided;
    if (decided === 0) return otherwise;
    return isMissing(value) ? 0 : value;
  });
}

function applyFill(filled: Node, filler: Node): Node {
  if (filled.kind === "scalar") return filled;
  const filledAt = filled.at;
  const fillerAt = evaluateOf(filler);
  return series((frame) => {
    const value = filledAt(frame);
    const filler = fillerAt(frame);
    return isMissing(value) ? filler : value;
  });
}

function applyExtreme(pick: Operation, arms: readonly Evaluate[]): Node {
  return series((frame) => {
    let most = Number.NaN;
    for (const at of arms) {
      const value = at(frame);
      if (!isMissing(value)) most = isMissing(most) ? value : pick(most, value);
    }
    return most;
  });
}

/** One expression on its way from text to closure. */
class Compiler {
  readonly reads = new Set<string>();
  readonly restarts: (() => void)[] = [];
  readonly #place: string;
  readonly #placeOf: ReadonlyMap<string, number>;
  readonly #periodSeconds: number;

  constructor(place: string, placeOf: ReadonlyMap<string, number>, periodSeconds: number) {
    this.#place = place;
    this.#placeOf = placeOf;
    this.#periodSeconds = periodSeconds;
  }

  compile(node: jsep.Expression): Node {
    switch (node.type) {
      case "Literal":
        if (typeof node.value !== "number") return this.notModelled(`the literal ${String(node.raw)}`);
        return scalar(node.value);
      case "Identifier":
        return this.#identifier(String(node.name));
      case "UnaryExpression": {
        const { operator, argument } = node as jsep.UnaryExpression;
        if (operator !== "-") return this.notModelled(`the operator ${operator}`);
        return applyOperation((left, right) => left - right, scalar(0), this.compile(argument));
      }
      case "BinaryExpression": {
        const { operator, left, right } = node as jsep.BinaryExpression;
        const operate = Object.hasOwn(operations, operator) ? operations[operator] : undefined;
        if (!operate) return this.notModelled(`the operator ${operator}`, operatorHint(operator));
        return applyOperation(operate, this.compile(left), this.compile(right));
      }
      case "CallExpression":
        return this.#call(node as jsep.CallExpression);
      default:
        return this.notModelled(`a ${node.type}`);
    }
  }

  #identifier(id: string): Node {
    const place = this.#placeOf.get(id);
    if (place === undefined) {
      throw new InvalidRequestError([
        `${this.#place}: reads an id that no query has, got ${id}; expected one of ${[...this.#placeOf.keys()].join(", ")}`,
      ]);
    }
    this.reads.add(id);
    return series((frame) => frame[place] ?? Number.NaN);
  }

  #call(node: jsep.CallExpression): Node {
    const name = node.callee.type === "Identifier" ? String(node.callee.name) : node.callee.type;
    const [first, second, third, ...rest] = node.arguments;
    if (name === "IF") {
      if (!first || !second || rest.length > 0) return this.#wrongArguments("IF", "2 or 3", node.arguments.length);
      const otherwise = third ? this.compile(third) : undefined;
      return applyIf(this.compile(first), this.compile(second), otherwise);
    }
    if (name === "FILL") {
      if (!first || !second || third) return this.#wrongArguments("FILL", "2", node.arguments.length);
      const word = second.type === "Identifier" ? String(second.name) : "";
      if (word === "REPEAT" || word === "LINEAR") return this.notModelled(`FILL with ${word}`);
      return applyFill(this.compile(first), this.compile(second));
    }
    if (name === "DIFF" || name === "DIFF_TIME") {
      if (!first || second) return this.#wrongArguments(name, "1", node.arguments.length);
      const of = this.compile(first);
      if (of.kind === "scalar") return this.notModelled(`${name} of a number`);
      return name === "DIFF" ? this.#difference(of.at) : this.#timeDifference(of.at);
    }
    if (name === "LOG10") {
      if (!first || second) return this.#wrongArguments(name, "1", node.arguments.length);
      const of = this.compile(first);
      return of.kind === "scalar" ? scalar(Math.log10(of.value)) : series((frame) => Math.log10(of.at(frame)));
    }
    if (name === "MAX" || name === "MIN") {
      if (!first || second) return this.#wrongArguments(name, "1", node.arguments.length);
      return this.#extreme(name, first);
    }
    return this.notModelled(`the function ${name}`);
  }

  #difference(at: Evaluate): Node {
    let preceding = Number.NaN;
    this.restarts.push(() => {
      preceding = Number.NaN;
    });
    return series((frame) => {
      const value = at(frame);
      if (isMissing(value)) return value;
      const difference = value - preceding;
      preceding = value;
      return difference;
    });
  }

  /** Frames come one a period, so the time between two points is how many frames lie between them. */
  #timeDifference(at: Evaluate): Node {
    let frames = 0;
    let precedingFrame = Number.NaN;
    this.restarts.push(() => {
      frames = 0;
      precedingFrame = Number.NaN;
    });
    return series((frame) => {
      frames += 1;
      if (isMissing(at(frame))) return Number.NaN;
      const seconds = (frames - precedingFrame) * this.#periodSeconds;
      precedingFrame = frames;
      return seconds;
    });
  }

  #extreme(name: "MAX" | "MIN", array: jsep.Expression): Node {
    if (array.type !== "ArrayExpression") return this.notModelled(`${name} of one series, which is a number`);
    const arms = (array as jsep.ArrayExpression).elements.flatMap((element) => {
      const node = element && this.compile(element);
      if (node?.kind === "scalar") this.notModelled(`${name} of an array with a number`);
      return node?.kind === "series" ? [node.at] : [];
    });
    if (arms.length === 0) return this.notModelled(`${name} of an empty array`);
    return applyExtreme(name === "MAX" ? Math.max : Math.min, arms);
  }

  #wrongArguments(name: string, expected: string, got: number): never {
    throw new InvalidRequestError([
      `${this.#place}: wrong number of arguments for ${name}, got ${got}; expected ${expected}`,
    ]);
  }

  notModelled(what: string, hint = ""): never {
    throw new NotModelledError([
      `${this.#place}: ${what}; expected + - * / comparisons AND OR IF FILL DIFF DIFF_TIME LOG10 MAX MIN${hint}`,
    ]);
  }
}

function operatorHint(operator: string): string {
  if (operator === "&&") return ". Write AND";
  if (operator === "||") return ". Write OR";
  return "";
}

/**
 * Compiles one expression; `placeOf` says where in the frame each id's value stands, `place` names it in messages. Frames are given one a
 * period, oldest first, where a point hangs on those before it.
 *
 * @throws NotModelledError for a function, operator or literal that is not modelled, by its name
 * @throws InvalidRequestError for a syntax error, an unknown id, or a result that is no time series
 */
export function compileExpression(
  expression: string,
  placeOf: ReadonlyMap<string, number>,
  place: string,
  periodSeconds = 60,
): CompiledExpression {
  let parsed: jsep.Expression;
  try {
    parsed = jsep(expression);
  } catch (error) {
    const detail = messageOf(error);
    throw new InvalidRequestError([`${place}: cannot be parsed (${detail}), got ${expression}`], { cause: error });
  }
  const compiler = new Compiler(place, placeOf, periodSeconds);
  const node = compiler.compile(parsed);
  if (node.kind === "scalar") {
    throw new InvalidRequestError([`${place}: is a number, got ${expression}; expected a time series`]);
  }
  const { at } = node;
  const evaluate: Evaluate = (frame) => {
    const value = at(frame);
    // An overflow is no value that CloudWatch could store.
    return Number.isFinite(value) ? value : Number.NaN;
  };
  const { restarts } = compiler;
  const restart = () => {
    for (const forget of restarts) forget();
  };
  return { evaluate, reads: [...compiler.reads], ...(restarts.length > 0 ? { restart } : {}) };
}
