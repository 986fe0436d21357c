/**
 * Sign-offs of a service (C3), each a line that a person adds in a pull request:
 *
 *     approvals:
 *       - { wave: 25, role: sre, by: "<name>", at: 2026-11-22T10:00:00Z, release: 2.4.0, attempt: 1 }
 *
 * Read here: whether it is a signature at all. Whether it counts for the wave about to open is the gate's business (`core/gate/approvals.ts`),
 * so that a signature of last month stops no `up`.
 */
import { z } from "zod";
import type { Approval } from "../../core/gate/evidence.ts";
import { isSlug, slugRule } from "../../core/naming.ts";
import { checkFields, leaf, type Path, type Problems, text, wholeNumber } from "./problems.ts";

const maximumRoleLength = 32;

/** A role that may be asked to sign: `sre`, `product`, `security`. */
export const role: z.ZodType<string> = leaf(
  z.string().refine((name) => isSlug(name, maximumRoleLength)),
  { wrong: "not a role", expected: `at most ${maximumRoleLength} characters: ${slugRule}` },
);

/** Roles of a wave; one named twice asks for two people. */
export const roles: z.ZodType<string[]> = z.array(role).max(10, "more than 10 roles");

/** ISO 8601 with its zone: without one, two machines would read two instants. The schema's value is in milliseconds since the epoch. */
export const instant: z.ZodType<number> = leaf(
  z.unknown().transform((value, context) => {
    // YAML's own time stamps come as text or as a date, by whoever read the file.
    const written = value instanceof Date ? value.toISOString() : value;
    const at =
      typeof written === "string" &&
      /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(written)
        ? Date.parse(written)
        : Number.NaN;
    if (!Number.isNaN(at)) return at;
    context.addIssue({ code: "custom" });
    return z.NEVER;
  }),
  { wrong: "not an instant", expected: "a time with its zone such as 2026-11-22T10:00:00Z" },
);

const fields = {
  wave: wholeNumber(1, 100, "percent"),
  role,
  by: text(/^(?=.*\S)[^\r\n]{1,100}$/, { wrong: "not a name", expected: "who signs, one line of 1 to 100 characters" }),
  at: instant,
  release: leaf(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/), (value) =>
    typeof value === "number"
      ? { wrong: "a number", expected: `a text such as "2.30"`, wayOut: "Put the version in quotes" }
      : { wrong: "not a version", expected: "the version of the release that is signed for" },
  ),
  digest: text(/^\S{1,2048}$/, {
    wrong: "not a digest",
    expected: "the digest that the canary's image ends with",
  }).optional(),
  attempt: wholeNumber(1, 1_000),
};

/** Reads the signatures; `undefined` where none is given, or after a problem. */
export function readApprovals(raw: unknown, path: Path, problems: Problems): readonly Approval[] | undefined {
  if (raw === undefined) return undefined;
  if (!Array.isArray(raw)) {
    const wayOut = "Put a hyphen before each";
    problems.add(path, { wrong: "must be a list", expected: "a list of signatures", wayOut }, raw);
    return undefined;
  }
  const before = problems.texts.length;
  const approvals = raw.flatMap((written: unknown, index): Approval[] => {
    const { wave, role, by, at, release, digest, attempt } = checkFields(fields, written, [...path, index], problems);
    if (wave === undefined || role === undefined || by === undefined || at === undefined) return [];
    if (release === undefined || attempt === undefined) return [];
    const bytes = digest === undefined ? {} : { digest };
    return [{ wavePercent: wave, role, by, at, version: release, ...bytes, attempt }];
  });
  return problems.texts.length > before ? undefined : approvals;
}
