/** Resource inputs as plain JSON data, so that captures can be cached, compared and shown. */
import * as pulumi from "@pulumi/pulumi";
import { NotRehearsedError } from "./errors.ts";

export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };
export type PlainInputs = Readonly<Record<string, PlainValue>>;

/** Marks special values in Pulumi's wire format; `1b47…` says that it is a secret. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/**
 * Copies a resolved value: `undefined` left out, secrets opened, archives by their path.
 * @throws NotRehearsedError on anything that is no data
 */
export async function plainValue(value: unknown, place: string): Promise<PlainValue> {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return value;
  }
  if (Array.isArray(value)) {
    return Promise.all(value.map((entry, index) => plainValue(entry, `${place}[${index}]`)));
  }
  if (value instanceof pulumi.asset.FileArchive) return { folder: await value.path };
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    const fields: Record<string, unknown> = { ...value };
    if (fields[signatureKey] === secretSignature) return plainValue(fields.value, place);
    if (signatureKey in fields) throw new NotRehearsedError(`${place}: a special value of Pulumi's, not modelled`);
    return plainFields(fields, place);
  }
  throw new NotRehearsedError(`${place}: no plain data, got ${typeof value}; expected JSON values, secrets or folders`);
}

/** The same for an object's fields. */
export async function plainFields(fields: object, place: string): Promise<Record<string, PlainValue>> {
  const plain: Record<string, PlainValue> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) plain[key] = await plainValue(value, `${place}.${key}`);
  }
  return plain;
}

/** A field of plain inputs as text. @throws NotRehearsedError when it is none */
export function textField(inputs: PlainInputs, key: string, place: string): string {
  const value = inputs[key];
  if (typeof value === "string") return value;
  throw new NotRehearsedError(`${place}: ${key}: not a text, got ${JSON.stringify(value)}; expected one`);
}
