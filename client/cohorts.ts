/**
 * Who is in the canary (A5): an id falls into one of 100 buckets, the same one on every host and in every language, and is in the canary
 * while its bucket is below the exposure. Raising the exposure moves nobody out.
 *
 * The rule, for other languages: take the id as UTF-8, each lone surrogate as U+FFFD; hash it with SHA-256; read the whole digest as one
 * big-endian integer; the bucket is the remainder by 100. `vectors/cohorts.json` has ids with their buckets to check against.
 *
 * Nothing is kept of an id: each question is one hash, by Node's own crypto (`crypto.hash`, since 20.12). A browser does not have it:
 * ask on the server, or follow the rule with what it has.
 */
import { hash } from "node:crypto";

export type CohortAlgorithm = "sha-256" | "md5";

export interface CohortOptions {
  /** `md5` is for migrations that started with it. It is absent from Node in FIPS mode. @default "sha-256" */
  readonly algorithm?: CohortAlgorithm;
  /**
   * Put in front of the id with a colon between, so that others go first. A rollout keeps its salt to the end.
   * @default none: the same people go first each time
   */
  readonly salt?: string;
}

const bucketCount = 100;

/** What Node calls them. */
const nodeNames: ReadonlyMap<unknown, string> = new Map([
  ["sha-256", "sha256"],
  ["md5", "md5"],
]);
const defaultName = "sha256";

/**
 * A digest (one character a byte, four bytes at a time) as a big-endian integer, remainder by 100; a BigInt would take longer than the hash.
 * The factors are what 256 to the power of 4, 3, 2 and 1 leaves by 100.
 */
function remainder(digest: string): number {
  let rest = 0;
  for (let at = 0; at < digest.length; at += 4) {
    const high = digest.charCodeAt(at) * 16 + digest.charCodeAt(at + 1) * 36;
    const low = digest.charCodeAt(at + 2) * 56 + digest.charCodeAt(at + 3);
    rest = (rest * 96 + high + low) % bucketCount;
  }
  return rest;
}

/**
 * Which bucket an id is in. Range: 0 to 99, whole.
 *
 * @throws TypeError for an id that is no text or empty, an algorithm that is not known, or a salt that is no text
 */
export function bucket(id: string, options?: CohortOptions): number {
  if (typeof id !== "string" || id === "") {
    throw new TypeError(
      `bucket: id: not an id, got ${shown(id)}; expected a text that is not empty. Who has no id belongs to the baseline`,
    );
  }
  if (options === undefined) return remainder(hash(defaultName, id, "binary"));
  const { algorithm = "sha-256", salt } = options;
  const name = nodeNames.get(algorithm);
  if (name === undefined) {
    throw new TypeError(
      `bucket: algorithm: not known, got ${shown(algorithm)}; expected sha-256 or md5. Leave it out for sha-256`,
    );
  }
  if (salt !== undefined && (typeof salt !== "string" || salt === "")) {
    throw new TypeError(
      `bucket: salt: not a salt, got ${shown(salt)}; expected a text that is not empty. Leave it out for none`,
    );
  }
  return remainder(hash(name, salt === undefined ? id : `${salt}:${id}`, "binary"));
}

/** Whether it is a percentage that buckets can tell apart. */
export function isExposure(exposurePercent: unknown): exposurePercent is number {
  return Number.isInteger(exposurePercent) && Number(exposurePercent) >= 0 && Number(exposurePercent) <= bucketCount;
}

/**
 * Whether an id is in the canary at this exposure. Never throws, since it stands in the way of requests: what cannot be answered is the
 * baseline, and said once in a process warning.
 *
 * @param exposurePercent Unit: percent of ids. Range: 0 to 100, whole, as a plan's waves are
 */
export function isCanary(id: string, exposurePercent: number, options?: CohortOptions): boolean {
  if (!isExposure(exposurePercent)) {
    warnOnce(
      "exposure",
      `isCanary: exposurePercent: not an exposure, got ${shown(exposurePercent)}; expected a whole number from 0 to 100. It is the baseline's`,
    );
    return false;
  }
  try {
    return bucket(id, options) < exposurePercent;
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const [, part = ""] = error instanceof TypeError ? what.split(":") : [];
    warnOnce(part, `isCanary: ${what}. It is the baseline's`);
    return false;
  }
}

const warned = new Set<string>();

function warnOnce(key: string, message: string): void {
  if (warned.has(key)) return;
  warned.add(key);
  process.emitWarning(message, { type: "TidegateWarning", code: "TIDEGATE_COHORTS" });
}

/** A value in a message, whatever it is. */
function shown(value: unknown): string {
  try {
    return (typeof value === "string" ? JSON.stringify(value) : String(value)).slice(0, 60);
  } catch {
    return `a ${typeof value}`;
  }
}
