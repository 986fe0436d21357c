/** Plain inputs of one resource, read with a type; what is not of it is refused by name. */
import type { PlainInputs, PlainValue } from "../../../rehearsal/engine/plain-inputs.ts";

export class Inputs {
  constructor(
    private readonly fields: PlainInputs,
    readonly place: string,
  ) {}

  get keys(): string[] {
    return Object.keys(this.fields);
  }

  has(key: string): boolean {
    return this.fields[key] !== undefined && this.fields[key] !== null;
  }

  text(key: string): string {
    return this.textIf(key) ?? this.refuse(key, "a text");
  }

  textIf(key: string): string | undefined {
    const value = this.fields[key];
    return value === undefined || typeof value === "string" ? value : this.refuse(key, "a text");
  }

  number(key: string): number {
    return this.numberIf(key) ?? this.refuse(key, "a number");
  }

  numberIf(key: string): number | undefined {
    const value = this.fields[key];
    return value === undefined || typeof value === "number" ? value : this.refuse(key, "a number");
  }

  flag(key: string): boolean {
    const value = this.fields[key];
    if (value === undefined) return false;
    return typeof value === "boolean" ? value : this.refuse(key, "true or false");
  }

  texts(key: string): string[] {
    const value = this.fields[key] ?? [];
    if (!isList(value)) return this.refuse(key, "a list");
    return value.map((entry) => (typeof entry === "string" ? entry : this.refuse(key, "texts")));
  }

  /** Objects of a list; one object alone is a list of one. */
  list(key: string): Inputs[] {
    const value = this.fields[key];
    if (value === undefined) return [];
    const entries = isList(value) ? value : [value];
    return entries.map((entry, index) =>
      isFields(entry) ? new Inputs(entry, `${this.place}.${key}[${index}]`) : this.refuse(key, "objects"),
    );
  }

  object(key: string): Inputs | undefined {
    return this.list(key)[0];
  }

  /** A map of texts. */
  map(key: string): Record<string, string> {
    const value = this.fields[key];
    if (value === undefined) return {};
    if (!isFields(value)) return this.refuse(key, "a map");
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, String(entry)]));
  }

  /** As AWS's APIs take tags. */
  get tags(): { Key: string; Value: string }[] {
    return Object.entries(this.map("tags")).map(([Key, Value]) => ({ Key, Value }));
  }

  private refuse(key: string, expected: string): never {
    throw new TypeError(`${this.place}.${key}: got ${JSON.stringify(this.fields[key])}; expected ${expected}`);
  }
}

function isList(value: PlainValue): value is readonly PlainValue[] {
  return Array.isArray(value);
}

function isFields(value: PlainValue): value is PlainInputs {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
