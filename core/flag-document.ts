/**
 * The document of feature flags that a release's processes read (A6), in the form of AppConfig's own flag type, and what of it counts here:
 * each flag's `enabled` and `exposurePercent`. What cannot be read exactly is refused by name; nothing is guessed into a flag that is on.
 *
 * Source of the form: https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-type-reference-feature-flags.html (read 2026-11).
 */

/** Exposure by flag. Unit: percent, 0 to 100; 0 is a flag that is off. */
export type FlagPercents = Readonly<Record<string, number>>;

/** The one version that AppConfig's flag type has. */
export const flagDocumentVersion = "1";

const keyPattern = /^[a-z][a-zA-Z\d_-]{0,63}$/;

/** What a flag's key looks like, in words. */
export const flagKeyRule =
  "a small letter, then at most 63 letters, digits, _ or -, and not a name that every JavaScript object has";

/** Whether a text can be a flag's key. Names that every object has (`constructor`) fit AppConfig's pattern and are refused all the same. */
export function isFlagKey(text: string): boolean {
  return keyPattern.test(text) && !(text in Object.prototype);
}

/** A flag document that must not be acted on; the message says all that is wrong with it. */
export class FlagDocumentError extends Error {
  override readonly name = "FlagDocumentError";
}

/**
 * The document with these flags, as JSON with a stable order of keys, so that the same flags are the same bytes.
 * @throws FlagDocumentError on a key or a percentage that no document may have
 */
export function flagDocument(percents: FlagPercents): string {
  const problems = Object.entries(percents).flatMap(([key, percent]) => [
    ...(isFlagKey(key) ? [] : [`flag ${JSON.stringify(key)}: not a key; expected ${flagKeyRule}`]),
    ...(isPercent(percent) ? [] : [`flag ${key}: not a percentage, got ${percent}; expected 0 to 100`]),
  ]);
  refuse("flag document", problems);
  const keys = Object.keys(percents).sort();
  return JSON.stringify({
    version: flagDocumentVersion,
    flags: Object.fromEntries(
      keys.map((key) => [
        key,
        {
          name: key,
          attributes: {
            exposurePercent: { constraints: { type: "number", minimum: 0, maximum: 100, required: true } },
          },
        },
      ]),
    ),
    values: Object.fromEntries(
      keys.map((key) => [key, { enabled: (percents[key] ?? 0) > 0, exposurePercent: percents[key] ?? 0 }]),
    ),
  });
}

/**
 * Exposure by flag, from a document's text. A flag that is not enabled has 0, whatever its attribute says.
 * @throws FlagDocumentError naming every problem: another version, no object, a key that is none, a flag without an exact percentage
 */
export function readFlagDocument(text: string): FlagPercents {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new FlagDocumentError("flag document: no JSON; expected what AppConfig's flag type takes", { cause: error });
  }
  if (!isMap(parsed))
    throw new FlagDocumentError(`flag document: no object, got ${kindOf(parsed)}; expected version, flags, values`);
  const { version, flags, values } = parsed;
  const problems = [
    ...Object.keys(parsed)
      .filter((key) => !["version", "flags", "values"].includes(key))
      .map((key) => `${JSON.stringify(key)}: unknown; expected version, flags and values alone`),
    ...(version === flagDocumentVersion
      ? []
      : [`version: got ${JSON.stringify(version) ?? "nothing"}; expected ${JSON.stringify(flagDocumentVersion)}`]),
    ...(isMap(flags) ? [] : [`flags: no object, got ${kindOf(flags)}`]),
    ...(isMap(values) ? [] : [`values: no object, got ${kindOf(values)}`]),
  ];
  const percents: [string, number][] = [];
  for (const key of isMap(flags) ? Object.keys(flags) : []) {
    if (!isFlagKey(key)) problems.push(`flags: ${JSON.stringify(key)} is no key; expected ${flagKeyRule}`);
  }
  for (const [key, value] of isMap(values) ? Object.entries(values) : []) {
    if (!isFlagKey(key)) problems.push(`values: ${JSON.stringify(key)} is no key; expected ${flagKeyRule}`);
    else if (!isMap(value) || typeof value.enabled !== "boolean")
      problems.push(
        `values.${key}.enabled: got ${isMap(value) ? kindOf(value.enabled) : kindOf(value)}; expected true or false`,
      );
    else if (!value.enabled) percents.push([key, 0]);
    else if (!isPercent(value.exposurePercent))
      problems.push(
        `values.${key}.exposurePercent: got ${JSON.stringify(value.exposurePercent) ?? "nothing"}; expected 0 to 100`,
      );
    else percents.push([key, value.exposurePercent]);
  }
  refuse("flag document", problems);
  return Object.fromEntries(percents);
}

function refuse(place: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new FlagDocumentError(`${place}: ${problems.join("; ")}`);
}

function isPercent(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 100;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  return value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
}
