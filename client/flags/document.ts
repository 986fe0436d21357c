/**
 * What a flag document says, or that it is none: read whole or refused whole, so that nothing of a broken one is ever in force.
 *
 * The shape is that of AWS AppConfig's feature flags as they are served, `{"batch-patches-v1": {"enabled": true, "exposurePercent": 25}}`,
 * which is not the one they are written in (`version`, `flags`, `values`). Source, read 2026-11:
 * https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-type-reference-feature-flags.html
 *
 * - `exposurePercent` is ours. A flag that is on without it is somebody else's, and off here: who forgets the exposure must not open to all.
 * - Other attributes are the application's, and not looked at.
 */
import { isExposure } from "../cohorts.ts";

export interface FlagValue {
  readonly isEnabled: boolean;
  /** Absent: the flag is none of a rollout. Unit: percent of ids. Range: 0 to 100, whole. */
  readonly exposurePercent?: number;
}

export type FlagDocument = ReadonlyMap<string, FlagValue>;

/** The document is none; the message has every problem, up to a few. */
export class FlagDocumentError extends Error {
  override readonly name = "FlagDocumentError";
}

/** Longer ones are refused before they are read. Unit: bytes. */
export const maximumDocumentBytes = 4_194_304;
/** More are not told of. */
const maximumProblems = 5;
/** Those of AppConfig; the same source. */
export const flagKeyPattern = /^[a-z][a-zA-Z\d_-]{0,63}$/;
export const flagKeyRule = "a lower-case letter, then letters, digits, hyphens and underscores, at most 64 characters";

/** Names that every object answers to. */
const prototypeNames: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(Object.prototype), "prototype"]);

export function isPrototypeName(name: string): boolean {
  return prototypeNames.has(name);
}

/**
 * Reads a document, from text or as a value that JSON can write.
 *
 * @throws FlagDocumentError when anything in it is wrong
 */
export function readFlagDocument(served: unknown): FlagDocument {
  const document = parsed(textOf(served));
  if (!isRecord(document)) throw new FlagDocumentError(`document: not an object, got ${shown(document)}; ${wayOut}`);
  const keys = Object.keys(document);
  const isAsWritten = ["version", "flags", "values"].some((key) => keys.includes(key) && !isFlag(document[key]));
  if (isAsWritten) {
    throw new FlagDocumentError(
      `document: as it is written, not as it is served, got the keys ${shown(keys.join(", "))}; ${wayOut}`,
    );
  }
  const problems: string[] = [];
  const flags = new Map(
    keys.map((key) => {
      const value = document[key];
      problems.push(...keyProblems(key), ...valueProblems(key, value));
      return [key, flagValue(value)];
    }),
  );
  if (problems.length > 0) {
    const untold = problems.length - maximumProblems;
    const told = problems.slice(0, maximumProblems).join("; ");
    throw new FlagDocumentError(untold > 0 ? `${told}; and ${untold} more` : told);
  }
  return flags;
}

const wayOut = 'expected {"a-flag": {"enabled": true, "exposurePercent": 25}}';

/** A text of the value as it is now: what its owner does to it later is not felt here. */
export function textOf(served: unknown): string {
  const text = typeof served === "string" ? served : JSON.stringify(served);
  // A value without text, such as undefined.
  if (typeof text !== "string") throw new FlagDocumentError(`document: nothing, got ${shown(served)}; ${wayOut}`);
  if (text.length > maximumDocumentBytes) {
    throw new FlagDocumentError(
      `document: too long, got ${text.length} characters; expected at most ${maximumDocumentBytes}. Keep what is no flag elsewhere`,
    );
  }
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FlagDocumentError(`document: not JSON, got ${shown(text)}; ${wayOut}`, { cause: error });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Members that an object has itself. */
function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function isFlag(value: unknown): boolean {
  return isRecord(value) && typeof own(value, "enabled") === "boolean";
}

function keyProblems(key: string): string[] {
  if (flagKeyPattern.test(key) && !isPrototypeName(key)) return [];
  const what = isPrototypeName(key) ? "a name that every object has" : "not a flag's key";
  return [`document: ${what}, got ${shown(key)}; expected ${flagKeyRule}`];
}

function valueProblems(key: string, value: unknown): string[] {
  const place = `flag ${shown(key)}`;
  if (!isRecord(value)) return [`${place}: not an object, got ${shown(value)}; ${wayOut}`];
  const problems = Object.keys(value)
    .filter(isPrototypeName)
    .map((name) => `${place}: a name that every object has, got ${shown(name)}; expected another`);
  if (Object.hasOwn(value, "_variants")) {
    return [
      ...problems,
      `${place}: variants are not read, got _variants; expected a flag without, or served by the agent`,
    ];
  }
  const enabled = own(value, "enabled");
  if (typeof enabled !== "boolean") {
    problems.push(`${place}: enabled: not an answer, got ${shown(enabled)}; expected true or false`);
  }
  const exposure = own(value, "exposurePercent");
  if (exposure !== undefined && !isExposure(exposure)) {
    problems.push(
      `${place}: exposurePercent: not an exposure, got ${shown(exposure)}; expected a whole number from 0 to 100`,
    );
  }
  return problems;
}

function flagValue(value: unknown): FlagValue {
  if (!isRecord(value)) return { isEnabled: false };
  const exposurePercent = own(value, "exposurePercent");
  return {
    isEnabled: own(value, "enabled") === true,
    ...(isExposure(exposurePercent) ? { exposurePercent } : {}),
  };
}

/** A value in a message, whatever it is. */
export function shown(value: unknown): string {
  try {
    if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return text.slice(0, 60);
  } catch {
    return `a ${typeof value}`;
  }
}
