/**
 * A copy that shares nothing with the original, so that what one implementation does to its input neither reaches the other nor the caller.
 * Not `structuredClone`: that takes the class off an instance, makes a `Uint8Array` of a `Buffer` and needs a microsecond for a number. What
 * cannot be copied whole is not copied.
 */
import { bytesPerValue, Effort, type Kind, keysOf, kindName, kindOf, type Members, NotUnderstood } from "./kinds.ts";

/**
 * Copies a value by what is in it; cycles and shared parts stay what they are. Getters are read, as `structuredClone` does; frozen things come out
 * thawed.
 *
 * @throws NotUnderstood for a kind that cannot be copied, or beyond the bounds; whatever a getter throws
 */
export function copyOf<Value>(value: Value): Value {
  // A copy is of the type of what it copies; only its parts are written without types.
  return kindOf(value) === "primitive" ? value : (new Copying().of(value, 0) as Value);
}

/** Input of a call: what one argument shares with another, their copies share. */
export function copyOfAll<Values extends readonly unknown[]>(values: Values): Values {
  return values.every((value) => kindOf(value) === "primitive") ? values : copyOf(values);
}

class Copying {
  readonly #copies = new Map<unknown, unknown>();
  readonly #effort = new Effort();

  of(value: unknown, depth: number): unknown {
    this.#effort.spend(depth);
    const kind = kindOf(value);
    if (kind === "primitive") return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    return this.#new(kind, value as object, depth);
  }

  #new(kind: Kind, value: object, depth: number): unknown {
    switch (kind) {
      case "object":
        return this.#filled(value, {}, depth);
      case "null-object":
        return this.#filled(value, Object.create(null), depth);
      case "array":
        return this.#array(value as unknown[], depth);
      case "date":
        return this.#filled(value, new Date((value as Date).getTime()), depth);
      case "pattern":
        return this.#filled(value, patternOf(value as RegExp), depth);
      case "map":
        return this.#map(value as Map<unknown, unknown>, depth);
      case "set":
        return this.#set(value as Set<unknown>, depth);
      case "buffer":
        return this.#buffer(value as ArrayBuffer, depth);
      case "view":
        return this.#view(value as ArrayBufferView, depth);
      default:
        throw new NotUnderstood("kind", kindName(value));
    }
  }

  #filled(value: object, copy: object, depth: number): object {
    this.#copies.set(value, copy);
    const [from, to] = [value as Members, copy as Members];
    for (const key of keysOf(value)) {
      const part = this.of(from[key], depth + 1);
      // To assign `__proto__` would set the prototype.
      if (key !== "__proto__") to[key] = part;
      else Object.defineProperty(copy, key, { value: part, writable: true, enumerable: true, configurable: true });
    }
    return copy;
  }

  #array(value: unknown[], depth: number): object {
    this.#effort.afford(value.length);
    return this.#filled(value, new Array(value.length), depth);
  }

  #map(value: Map<unknown, unknown>, depth: number): object {
    this.#effort.afford(value.size);
    const copy = new Map();
    this.#filled(value, copy, depth);
    for (const [key, part] of value) copy.set(this.of(key, depth + 1), this.of(part, depth + 1));
    return copy;
  }

  #set(value: Set<unknown>, depth: number): object {
    this.#effort.afford(value.size);
    const copy = new Set();
    this.#filled(value, copy, depth);
    for (const part of value) copy.add(this.of(part, depth + 1));
    return copy;
  }

  #buffer(value: ArrayBuffer, depth: number): object {
    this.#effort.spend(depth, value.byteLength / bytesPerValue);
    const copy = value.slice(0);
    this.#copies.set(value, copy);
    return copy;
  }

  /** Only the part that is looked at: a small `Buffer` is a view of a pool that others have, too. */
  #view(value: ArrayBufferView, depth: number): object {
    this.#effort.spend(depth, value.byteLength / bytesPerValue);
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    const copy = viewOf(value, bytes);
    this.#copies.set(value, copy);
    return copy;
  }
}

function patternOf({ source, flags, lastIndex }: RegExp): RegExp {
  const copy = new RegExp(source, flags);
  copy.lastIndex = lastIndex;
  return copy;
}

const views: readonly { readonly prototype: unknown; new (buffer: ArrayBuffer): object }[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

function viewOf(value: ArrayBufferView, { buffer }: Uint8Array<ArrayBuffer>): object {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof Buffer === "function" && prototype === Buffer.prototype) return Buffer.from(buffer);
  const View = views.find((view) => view.prototype === prototype);
  if (!View) throw new NotUnderstood("kind", kindName(value));
  return new View(buffer);
}
