/**
 * Takes secrets out of everything that is written down: known ones by their value, others by their form or by the name they stand
 * under. Rather one harmless text too many than one key too few; what is taken out says `[redacted]`.
 */

export const redacted = "[redacted]";

/** Names of fields whose values are never written down, whatever they are. */
const secretNames =
  /^(.*[-_ ]?)?(authorization|password|passwd|secret|secret[-_]?string|secret[-_]?binary|token|routing[-_]?key|integration[-_]?key|webhook([-_]?url)?|credentials?|secret[-_]?access[-_]?key|access[-_]?key([-_]?id)?|api[-_]?key|cookie)$/i;

/** Forms of secrets. Sources: AWS IAM identifiers, PagerDuty Events v2 routing keys, Slack incoming webhooks; recalled 2026-11, not read again. */
const secretForms: readonly (readonly [RegExp, string])[] = [
  // Whole header lines and `name=value`, `"name": "value"`, in texts and in JSON inside texts.
  [/(authorization["'\\]*\s*[:=]\s*["'\\]*)[^\r\n"'\\]+/gi, `$1${redacted}`],
  [
    /((?:routing_?key|x-amz-security-token|session_?token|secret_?access_?key|access_?key_?id|password|webhook_?url|secret_?string|api_?key|x-amz-signature|x-amz-credential)["'\\]*\s*[:=]\s*["'\\]*)[^\s"'\\,;&}]+/gi,
    `$1${redacted}`,
  ],
  [
    /https(?::\/\/|%3A%2F%2F)hooks\.slack(?:-gov)?\.com(?:\/|%2F)[^\s"'\\<>)]*/gi,
    `https://hooks.slack.com/${redacted}`,
  ],
  [/(https?:\/\/)[^\s/"'@:]+:[^\s/"'@]+@/gi, `$1${redacted}@`],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, redacted],
  [/\b(?:Bearer|Basic|AWS4-HMAC-SHA256)\s+[^\s"',]+/g, redacted],
  // PagerDuty's routing keys: 32 letters and digits, both of them. Digests are longer, ids of AWS shorter or with hyphens.
  [/(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{32}(?![A-Za-z0-9])/g, redacted],
  // Secret access keys: 40 of base64, in all three kinds of characters, which a commit hash has not; in URLs with `%2F` and `%2B`.
  [
    /(?<![A-Za-z0-9/+=%])(?=[A-Z0-9/+%]*[a-z])(?=[a-z0-9/+%]*[A-Z])(?=[A-Za-z/+%]*\d)(?:[A-Za-z0-9/+]|%2[BF]){40}(?![A-Za-z0-9/+=%])/g,
    redacted,
  ],
  // Session tokens.
  [/(?<![A-Za-z0-9/+=%])(?:[A-Za-z0-9/+]|%2[BF]){100,}(?:=|%3D){0,2}/g, redacted],
];

/** Shortest known secret that is looked for by value; a shorter one would blank out ordinary words. Unit: characters. */
const minimumSecretLength = 8;
/** Unit: characters of one text, entries of one list or object, levels of nesting: one event must not fill the log. */
const limits = { text: 8_000, entries: 100, depth: 8 } as const;

/** One list of secrets, and what is written without them. */
export class Redaction {
  readonly #known = new Set<string>();

  /** @param known values that are secret from the start, empty ones left out */
  constructor(known: readonly (string | undefined)[] = []) {
    for (const secret of known) this.add(secret);
  }

  /** Adds a secret as soon as it is known. */
  add(secret: string | undefined): void {
    if (secret !== undefined && secret.length >= minimumSecretLength) this.#known.add(secret);
  }

  /** The text without secrets, and no longer than what one field may fill. */
  text(text: string): string {
    const { length } = text;
    // Cut before matching, because an event may have megabytes, and again after it, so that no secret is cut in two at the end.
    const clean = this.line(text.slice(0, 2 * limits.text));
    return length > limits.text ? `${clean.slice(0, limits.text)}… (${length} characters)` : clean;
  }

  /** The whole text without secrets, known values first: their forms may be cut by a pattern. */
  line(text: string): string {
    let clean = text;
    for (const secret of this.#known) {
      clean = clean.replaceAll(secret, redacted);
      const encoded = encodeURIComponent(secret);
      if (encoded !== secret) clean = clean.replaceAll(encoded, redacted);
    }
    for (const [form, instead] of secretForms) clean = clean.replace(form, instead);
    return clean;
  }

  /** Any value as plain data without secrets: errors with their causes, maps, circles and getters that throw included. */
  value(value: unknown): unknown {
    return this.#plain(value, 0, new Set());
  }

  /** A copy of an error that may be thrown on to a runtime that prints it. */
  error(error: unknown): Error {
    const source = error instanceof Error ? error : new Error(String(error));
    const clean = new Error(this.text(source.message));
    clean.name = this.text(source.name);
    clean.stack = this.text(source.stack ?? `${source.name}: ${source.message}`);
    return clean;
  }

  #plain(value: unknown, depth: number, above: ReadonlySet<object>): unknown {
    switch (typeof value) {
      case "string":
        return this.text(value);
      case "bigint":
      case "symbol":
      case "function":
        return this.text(String(value)).slice(0, 200);
      case "object":
        break;
      default:
        return value;
    }
    if (value === null) return value;
    if (above.has(value)) return "[circle]";
    if (depth >= limits.depth) return "[too deep]";
    const inside = new Set(above).add(value);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "[no time]" : value.toISOString();
    if (value instanceof URL) return this.text(value.href);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value) || value instanceof Set) {
      const items = [...value];
      const kept = items.slice(0, limits.entries).map((item) => this.#plain(item, depth + 1, inside));
      return items.length > kept.length ? [...kept, `[${items.length - kept.length} more]`] : kept;
    }
    return Object.fromEntries(this.#entries(value, depth, inside));
  }

  #entries(value: object, depth: number, inside: ReadonlySet<object>): [string, unknown][] {
    const entries: [string, () => unknown][] =
      value instanceof Map
        ? [...value].map(([key, inner]) => [String(key), () => inner])
        : Object.keys(value).map((key) => [key, () => Reflect.get(value, key)]);
    const own = new Set(entries.map(([key]) => key));
    // What makes an error is not enumerable.
    if (value instanceof Error) {
      for (const key of ["name", "message", "stack", "cause", "errors"]) {
        if (!own.has(key) && Reflect.get(value, key) !== undefined) entries.push([key, () => Reflect.get(value, key)]);
      }
    }
    const kept = entries.slice(0, limits.entries).map(([key, read]): [string, unknown] => {
      if (secretNames.test(key)) return [this.text(key), redacted];
      try {
        return [this.text(key), this.#plain(read(), depth + 1, inside)];
      } catch (error) {
        return [this.text(key), `[unreadable: ${this.text(String(error))}]`];
      }
    });
    return entries.length > kept.length ? [...kept, ["[more]", entries.length - kept.length]] : kept;
  }
}
