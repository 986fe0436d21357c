import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bucket, type CohortOptions, isCanary } from "../../client/cohorts.ts";

const root = join(import.meta.dirname, "../..");

interface Vector {
  readonly id: string;
  readonly times?: number;
  readonly sha256: number;
  readonly md5: number;
  readonly salted: number;
}
const published: { readonly version: number; readonly salt: string; readonly vectors: readonly Vector[] } = JSON.parse(
  readFileSync(join(root, "client/vectors/cohorts.json"), "utf8"),
);

/** Another way to the same number: the whole digest as an integer. */
function bigBucket(id: string, name: "sha256" | "md5"): number {
  const bytes = new TextEncoder().encode(id);
  return Number(BigInt(`0x${createHash(name).update(bytes).digest("hex")}`) % 100n);
}

const anyId = fc.string({ unit: "binary", minLength: 1, maxLength: 200 });
const anyUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 40 })
  .map((units) => String.fromCharCode(...units));

describe("a bucket", () => {
  it("is the published one for every vector, with SHA-256, MD5 and salt [A5]", () => {
    expect([published.version, published.vectors.length]).toEqual([1, 48]);
    for (const { id, times = 1, ...expected } of published.vectors) {
      const whole = id.repeat(times);
      expect({
        id,
        sha256: bucket(whole),
        md5: bucket(whole, { algorithm: "md5" }),
        salted: bucket(whole, { salt: published.salt }),
      }).toEqual({ id, ...expected });
    }
  });

  it("is what Python's hashlib makes of it [A5]", (context) => {
    const checked = spawnSync("python3", [join(root, "scripts/cohort-vectors.py"), "--check"], { encoding: "utf8" });
    if (checked.error) context.skip(`python3 cannot be started: ${checked.error.message}`);
    expect([checked.stdout, checked.stderr, checked.status]).toEqual(["", "", 0]);
  });

  it("is the digest's remainder by 100 for any id, lone surrogates too [A5]", () => {
    fc.assert(
      fc.property(fc.oneof(anyId, anyUnits), (id) => {
        expect(bucket(id)).toBe(bigBucket(id, "sha256"));
        expect(bucket(id, { algorithm: "md5" })).toBe(bigBucket(id, "md5"));
        expect(bucket(id, { salt: "s" })).toBe(bigBucket(`s:${id}`, "sha256"));
      }),
    );
  });

  it("is one for ids that differ by nothing but lone surrogates: they are U+FFFD to every language [A5]", () => {
    const all = ["a\ud800b", "a\udc00b", "a\udfffb", "a\ufffdb"];
    expect(new Set(all.map((id) => bucket(id))).size).toBe(1);
    expect(bucket("\ud83d\ude00")).not.toBe(bucket("\ufffd\ufffd"));
  });

  /** Of chi-squared with 99 degrees of freedom: 0.1 % of even hashes come below the one, 0.1 % above the other. */
  const tooEven = 61.1;
  const tooUneven = 148.2;
  const families: readonly (readonly [string, number, (index: number) => string])[] = [
    ["numbers one after the other", 1_000_000, (index) => String(index)],
    ["names with a number", 100_000, (index) => `user-${index}`],
    ["e-mail addresses", 100_000, (index) => `user.${index}@example.com`],
    ["identifiers of a kind", 100_000, (index) => `550e8400-e29b-41d4-a716-${index.toString(16).padStart(12, "0")}`],
  ];
  it.each(families)(
    "is taken evenly, p above 0.001: %s, %i of them [A5]",
    (_, ids, idOf) => {
      const counts = new Array<number>(100).fill(0);
      for (let index = 0; index < ids; index += 1) {
        const at = bucket(idOf(index));
        counts[at] = (counts[at] ?? Number.NaN) + 1;
      }
      const expected = ids / 100;
      const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      expect(chiSquared).toBeGreaterThan(tooEven);
      expect(chiSquared).toBeLessThan(tooUneven);
    },
    60_000,
  );

  it("takes an id of megabytes, in no more than a hash of it takes [A5]", () => {
    const id = "x".repeat(16_000_000);
    const before = process.cpuUsage();
    expect(bucket(id)).toBe(bigBucket(id, "sha256"));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(3);
  });

  const wrong: readonly (readonly [string, unknown, object | undefined, string])[] = [
    [
      "an empty id",
      "",
      undefined,
      'bucket: id: not an id, got ""; expected a text that is not empty. Who has no id belongs to the baseline',
    ],
    [
      "a number",
      42,
      undefined,
      "bucket: id: not an id, got 42; expected a text that is not empty. Who has no id belongs to the baseline",
    ],
    [
      "what has no text",
      Object.create(null),
      undefined,
      "bucket: id: not an id, got a object; expected a text that is not empty. Who has no id belongs to the baseline",
    ],
    [
      "an algorithm of another name",
      "user-1",
      { algorithm: "sha256" },
      'bucket: algorithm: not known, got "sha256"; expected sha-256 or md5. Leave it out for sha-256',
    ],
    [
      "an algorithm out of the prototype",
      "user-1",
      { algorithm: "constructor" },
      'bucket: algorithm: not known, got "constructor"; expected sha-256 or md5. Leave it out for sha-256',
    ],
    [
      "an empty salt",
      "user-1",
      { salt: "" },
      'bucket: salt: not a salt, got ""; expected a text that is not empty. Leave it out for none',
    ],
  ];
  it.each(wrong)("refuses %s [A5]", (_, id, options, message) => {
    expect(() => bucket(id as string, options as CohortOptions | undefined)).toThrow(new TypeError(message));
  });
});

describe("being in the canary", () => {
  afterEach(() => vi.restoreAllMocks());

  it("is being below the exposure, and never ends as it rises [A5]", () => {
    fc.assert(
      fc.property(anyId, (id) => {
        const at = bucket(id);
        for (let exposure = 0; exposure <= 100; exposure += 1) expect(isCanary(id, exposure)).toBe(exposure > at);
      }),
    );
  });

  it("is nobody at 0 and everybody at 100 [A5]", () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `user-${index}`);
    expect(ids.filter((id) => isCanary(id, 0))).toEqual([]);
    expect(ids.every((id) => isCanary(id, 100))).toBe(true);
  });

  it("goes by algorithm and salt [A5]", () => {
    // Of the published vectors: 79, 20 and 51.
    const inCanary = (exposure: number, options?: CohortOptions) => isCanary("user-1", exposure, options);
    expect([inCanary(79), inCanary(80)]).toEqual([false, true]);
    expect([inCanary(20, { algorithm: "md5" }), inCanary(21, { algorithm: "md5" })]).toEqual([false, true]);
    expect([inCanary(51, { salt: "checkout-2" }), inCanary(52, { salt: "checkout-2" })]).toEqual([false, true]);
  });

  it("is not, and is said once, with whatever cannot be answered; nothing throws [A5, B11]", () => {
    const told: unknown[] = [];
    vi.spyOn(process, "emitWarning").mockImplementation((message) => void told.push(message));
    const ask = isCanary as (...questions: unknown[]) => boolean;
    const hostile = {
      get algorithm() {
        throw new Error("boom");
      },
    };
    for (let round = 0; round < 2; round += 1) {
      for (const exposure of [Number.NaN, Number.POSITIVE_INFINITY, -1, 100.5, 101, 12.5, "50", null, undefined, 50n]) {
        expect(ask("user-2", exposure)).toBe(false);
      }
      for (const id of ["", undefined, null, 7, {}, [], Symbol("id"), Object.create(null)])
        expect(ask(id, 100)).toBe(false);
      for (const options of [{ algorithm: "sha1" }, { salt: 5 }, hostile]) {
        expect(ask("user-1", 100, options)).toBe(false);
      }
    }
    expect(told).toEqual([
      "isCanary: exposurePercent: not an exposure, got NaN; expected a whole number from 0 to 100. It is the baseline's",
      'isCanary: bucket: id: not an id, got ""; expected a text that is not empty. Who has no id belongs to the baseline. It is the baseline\'s',
      'isCanary: bucket: algorithm: not known, got "sha1"; expected sha-256 or md5. Leave it out for sha-256. It is the baseline\'s',
      "isCanary: bucket: salt: not a salt, got 5; expected a text that is not empty. Leave it out for none. It is the baseline's",
      "isCanary: boom. It is the baseline's",
    ]);
  });
});
