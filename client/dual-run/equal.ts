/**
 * Whether two results are the same by what is in them, as `isDeepStrictEqual` of `node:util` has it (but that one invalid date is like another),
 * within bounds, and with a third answer: of what cannot be looked into (an instance of a class, a function, a stream) it cannot tell, and says so,
 * where "the same" would be a guess.
 */
import { bytesPerValue, Effort, type Kind, keysOf, kindName, kindOf, type Members, NotUnderstood } from "./kinds.ts";

/**
 * NaN is NaN, 0 is not -0, a missing member is not one that is undefined, the order of members and of what is in a `Map` or `Set` does not matter.
 * Errors are the same when name, message and code are.
 *
 * @throws NotUnderstood where it cannot tell; whatever a getter throws
 */
export function isSameStructure(left: unknown, right: unknown): boolean {
  return new Comparing().isSame(left, right, 0);
}

interface Coded extends Error {
  readonly code?: unknown;
}

class Comparing {
  readonly #effort = new Effort();
  /** Pairs on the way down: a cycle is the same where it closes on the same pair. */
  readonly #open = new Map<unknown, unknown>();

  isSame(left: unknown, right: unknown, depth: number): boolean {
    this.#effort.spend(depth);
    if (Object.is(left, right)) return true;
    const kind = kindOf(left);
    if (kind === "primitive" || kind !== kindOf(right)) return false;
    if (this.#open.has(left)) return this.#open.get(left) === right;
    this.#open.set(left, right);
    const isSame = this.#isSameObject(kind, left as object, right as object, depth + 1);
    this.#open.delete(left);
    return isSame;
  }

  #isSameObject(kind: Kind, left: object, right: object, depth: number): boolean {
    switch (kind) {
      case "object":
      case "null-object":
        return this.#hasSameMembers(left, right, depth);
      case "array":
        return this.#isSameArray(left as unknown[], right as unknown[], depth);
      case "date":
        return (
          Object.is((left as Date).getTime(), (right as Date).getTime()) && this.#hasSameMembers(left, right, depth)
        );
      case "pattern":
        return isSamePattern(left as RegExp, right as RegExp) && this.#hasSameMembers(left, right, depth);
      case "map":
        return (
          this.#isSameMap(left as Map<unknown, unknown>, right as Map<unknown, unknown>, depth) &&
          this.#hasSameMembers(left, right, depth)
        );
      case "set":
        return (
          this.#isSameSet(left as Set<unknown>, right as Set<unknown>, depth) &&
          this.#hasSameMembers(left, right, depth)
        );
      case "buffer":
        return this.#isSameBytes(new Uint8Array(left as ArrayBuffer), new Uint8Array(right as ArrayBuffer), depth);
      case "view":
        return this.#isSameView(left as ArrayBufferView, right as ArrayBufferView, depth);
      case "error":
        return this.#isSameError(left as Coded, right as Coded, depth);
      default:
        throw new NotUnderstood("kind", kindName(left));
    }
  }

  #hasSameMembers(left: object, right: object, depth: number): boolean {
    const [leftMembers, rightMembers] = [left as Members, right as Members];
    const keys = keysOf(left);
    const rightKeys = keysOf(right);
    if (keys.length !== rightKeys.length) return false;
    for (const [index, key] of keys.entries()) {
      // Mostly in the same order; else the right one is asked for it.
      if (rightKeys[index] !== key && !Object.prototype.propertyIsEnumerable.call(right, key)) return false;
      if (!this.isSame(leftMembers[key], rightMembers[key], depth)) return false;
    }
    return true;
  }

  #isSameArray(left: unknown[], right: unknown[], depth: number): boolean {
    if (left.length !== right.length) return false;
    this.#effort.afford(left.length);
    return this.#hasSameMembers(left, right, depth);
  }

  #isSameMap(left: Map<unknown, unknown>, right: Map<unknown, unknown>, depth: number): boolean {
    if (left.size !== right.size) return false;
    const unmatched: unknown[] = [];
    for (const [key, value] of left) {
      if (kindOf(key) !== "primitive") unmatched.push([key, value]);
      else if (!right.has(key) || !this.isSame(value, right.get(key), depth)) return false;
    }
    return this.#isMatched(
      unmatched,
      [...right].filter(([key]) => kindOf(key) !== "primitive"),
      depth,
    );
  }

  #isSameSet(left: Set<unknown>, right: Set<unknown>, depth: number): boolean {
    if (left.size !== right.size) return false;
    this.#effort.spend(depth, left.size);
    const unmatched: unknown[] = [];
    for (const value of left) {
      if (kindOf(value) !== "primitive") unmatched.push(value);
      else if (!right.has(value)) return false;
    }
    return this.#isMatched(
      unmatched,
      [...right].filter((value) => kindOf(value) !== "primitive"),
      depth,
    );
  }

  /** Each has its own counterpart. The first that fits will do: what is the same as both is the same as either. */
  #isMatched(left: readonly unknown[], right: readonly unknown[], depth: number): boolean {
    const free = [...right];
    return left.every((value) => {
      const index = free.findIndex((other) => this.isSame(value, other, depth));
      if (index >= 0) free.splice(index, 1);
      return index >= 0;
    });
  }

  #isSameBytes(left: Uint8Array, right: Uint8Array, depth: number): boolean {
    if (left.length !== right.length) return false;
    this.#effort.spend(depth, left.length / bytesPerValue);
    return left.every((byte, index) => byte === right[index]);
  }

  #isSameView(left: ArrayBufferView, right: ArrayBufferView, depth: number): boolean {
    if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
    // Of NaN there are many in bits, but only one in numbers.
    if (isFloats(left) && isFloats(right)) {
      if (left.length !== right.length) return false;
      this.#effort.spend(depth, left.byteLength / bytesPerValue);
      return left.every((value: number, index: number) => Object.is(value, right[index]));
    }
    return this.#isSameBytes(bytesOf(left), bytesOf(right), depth);
  }

  #isSameError(left: Coded, right: Coded, depth: number): boolean {
    return left.name === right.name && left.message === right.message && this.isSame(left.code, right.code, depth);
  }
}

function isSamePattern(left: RegExp, right: RegExp): boolean {
  return left.source === right.source && left.flags === right.flags && left.lastIndex === right.lastIndex;
}

function isFloats(view: ArrayBufferView): view is Float32Array | Float64Array {
  return view instanceof Float32Array || view instanceof Float64Array;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
