/**
 * Smoke and load checks whose results waves wait for (E5):
 *
 *     checks: [{ name: smoke, file: results/smoke.json, before: [10], maximumAge: 24h }]
 *
 * The file may be missing: that is what the gate says then, and no reason why other changes should not go through.
 */
import { resolve } from "node:path";
import { z } from "zod";
import { isSlug, slugRule } from "../../core/naming.ts";
import { exposuresOf, type Plan } from "../../core/plans.ts";
import type { CheckConfig } from "./model.ts";
import { check, checkFields, leaf, listText, type Path, type Problems, text, wholeNumber } from "./problems.ts";
import { duration } from "./units.ts";

const maximumNameLength = 32;

const fields = {
  name: leaf(
    z.string().refine((name) => isSlug(name, maximumNameLength)),
    { wrong: "not a check's name", expected: `at most ${maximumNameLength} characters: ${slugRule}` },
  ),
  file: text(/^[^\0]{1,1000}$/, { wrong: "not a path", expected: "a JSON file, relative to the stack's own" }),
  before: z.unknown(),
  maximumAge: duration({ minimum: "1m", maximum: "30d", example: "24h", step: "1m" }).optional(),
};

/** A day: what was checked yesterday was checked in another estate. Unit: minutes. */
const defaultMaximumAgeMinutes = 24 * 60;

/** What checks are read in the light of. */
export interface ChecksContext {
  /** `undefined` after a problem with it. */
  readonly plan: Plan | undefined;
  /** Paths of files are relative to it. Absent: this config has no folder, and files cannot be named. */
  readonly folder?: string;
  readonly problems: Problems;
}

/** Reads the checks; `undefined` where none is given, or after a problem. */
export function readChecks(raw: unknown, path: Path, context: ChecksContext): readonly CheckConfig[] | undefined {
  const { plan, folder, problems } = context;
  if (raw === undefined) return undefined;
  if (!Array.isArray(raw)) {
    problems.add(
      path,
      { wrong: "must be a list", expected: "a list of checks", wayOut: "Put a hyphen before each" },
      raw,
    );
    return undefined;
  }
  const before = problems.texts.length;
  const names: string[] = [];
  const checks = raw.flatMap((written: unknown, index): CheckConfig[] => {
    const place = [...path, index];
    const { name, file, before: waves, maximumAge } = checkFields(fields, written, place, problems);
    if (name !== undefined && names.includes(name))
      problems.add([...place, "name"], { wrong: "named twice", expected: "each check once" }, name);
    if (name !== undefined) names.push(name);
    if (file !== undefined && folder === undefined) {
      const wayOut = "Leave the check out here";
      problems.add(
        [...place, "file"],
        { wrong: "a file, and this config was read from none", expected: "no file", wayOut },
        file,
      );
    }
    const wavePercents = readWaves(waves, [...place, "before"], plan, problems);
    if (name === undefined || file === undefined || folder === undefined || !wavePercents) return [];
    const maximumAgeMinutes = maximumAge === undefined ? defaultMaximumAgeMinutes : maximumAge / 60;
    return [{ name, file, path: resolve(folder, file), wavePercents, maximumAgeMinutes }];
  });
  return problems.texts.length > before ? undefined : checks;
}

/** Waves that ask for it; the first where none is said. */
function readWaves(
  raw: unknown,
  path: Path,
  plan: Plan | undefined,
  problems: Problems,
): readonly number[] | undefined {
  if (raw === undefined) return plan && exposuresOf(plan).slice(0, 1);
  const waves = check(z.array(wholeNumber(1, 100, "percent")), raw, path, problems);
  if (!waves) return undefined;
  if (waves.length === 0) {
    const wayOut = "Leave before out for the first wave";
    problems.add(path, { wrong: "no waves, so nothing would wait for it", expected: "at least one", wayOut });
    return undefined;
  }
  const exposures = plan && exposuresOf(plan);
  for (const [index, wave] of waves.entries()) {
    if (exposures && !exposures.includes(wave))
      problems.add([...path, index], { wrong: "not in the plan", expected: listText(exposures) }, wave);
    else if (waves.indexOf(wave) < index)
      problems.add([...path, index], { wrong: "named twice", expected: "each wave once" }, wave);
  }
  return waves;
}
