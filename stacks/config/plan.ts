/**
 * The plan of a service (A1, A2), in one of three forms:
 *
 *     plan: steady
 *     plan: { preset: steady, waves: { 10: { soak: 48h } } }              # the preset, changed field by field
 *     plan: { waves: [{ exposurePercent: 20, soak: 1h }, { exposurePercent: 100, soak: 2d }] }
 *
 * `coolOff: 7d` lets a release that was rolled back wait before its next attempt; `0m` takes a preset's away.
 *
 * `approvals: [sre, product]` of a wave names the roles that sign before it opens (C3); no preset asks for any.
 *
 * `startAtPercent` drops a preset's waves below it (`fine` without its slow start). A wave may have bounds of its own, which replace those
 * that the preset gave it: `criteria`, see `criteria.ts`.
 */
import { z } from "zod";
import type { MetricSource } from "../../core/objectives.ts";
import {
  completeWave,
  exposuresOf,
  type Plan,
  planPresetNames,
  planPresets,
  planProblems,
  type Wave,
  type WaveCriterion,
} from "../../core/plans.ts";
import { roles } from "./approvals.ts";
import { readCriteria } from "./criteria.ts";
import {
  check,
  checkFields,
  isMap,
  leaf,
  listText,
  type Path,
  type Problems,
  unknownWord,
  wholeNumber,
  word,
} from "./problems.ts";
import { duration } from "./units.ts";

/** What a plan is read in the light of. */
export interface PlanContext {
  readonly source: MetricSource;
  readonly problems: Problems;
}

/** No end by itself: the wave ends only by an override with a reason. */
const endless = "endless";
const timed = duration({ minimum: "1m", maximum: "90d", example: "24h, 10m or 7d", step: "1m" });

/** Value: seconds, or `null` for endless. */
const soak: z.ZodType<number | null> = z.unknown().transform((value, context): number | null => {
  if (value === endless) return null;
  const result = timed.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    context.addIssue({ code: "custom", params: issue.code === "custom" ? issue.params : undefined });
  }
  return z.NEVER;
});

const waveFields = {
  lookEvery: duration({ minimum: "10s", maximum: "1d", example: "5m" }).optional(),
  minimumRequests: wholeNumber(1, 1_000_000_000, "requests").optional(),
  lowering: word(["automatic", "human"]).optional(),
  advance: word(["automatic", "manual"]).optional(),
  approvals: roles.optional(),
  criteria: z.unknown().optional(),
};

const waveSchema = z.strictObject({ exposurePercent: wholeNumber(1, 100, "percent"), soak, ...waveFields });
const changeSchema = z.strictObject({ soak: soak.optional(), ...waveFields });

const watchAfter = duration({ minimum: "0m", maximum: "365d", example: "14d", step: "1m" });
const coolOffTime = duration({ minimum: "0m", maximum: "90d", example: "7d or 0m", step: "1m" });
const customFields = { waves: z.unknown(), watchAfter: watchAfter.optional(), coolOff: coolOffTime.optional() };
const presetFields = {
  preset: word(planPresetNames, "unknown plan"),
  waves: z.unknown(),
  startAtPercent: leaf(z.number(), { wrong: "must be one of the preset's waves", expected: "a number" }).optional(),
  watchAfter: watchAfter.optional(),
  coolOff: coolOffTime.optional(),
};

function toWaveFields(written: z.output<typeof changeSchema>): Partial<Wave> {
  return {
    ...(written.soak === undefined ? {} : { minimumSoakMinutes: written.soak === null ? null : written.soak / 60 }),
    ...(written.lookEvery === undefined ? {} : { lookEverySeconds: written.lookEvery }),
    ...(written.minimumRequests === undefined ? {} : { minimumRequests: written.minimumRequests }),
    ...(written.lowering === undefined ? {} : { lowering: written.lowering }),
    // No preset advances by itself, so there is nothing that "manual" would have to take back.
    ...(written.advance === "automatic" ? { advance: written.advance } : {}),
    ...(written.approvals === undefined ? {} : { approvals: written.approvals }),
  };
}

/** A wave's own bounds; those of a wave that was not written well are read all the same, to name what is wrong in them too. */
function criteriaOf(
  wave: unknown,
  path: Path,
  context: PlanContext & { readonly isFirst: boolean },
): { readonly criteria?: readonly WaveCriterion[] } {
  if (!isMap(wave) || wave.criteria === undefined) return {};
  const criteria = readCriteria(wave.criteria, [...path, "criteria"], context);
  return criteria ? { criteria } : {};
}

function readSpelledOut(raw: Readonly<Record<string, unknown>>, path: Path, context: PlanContext): Plan | undefined {
  const { problems } = context;
  const before = problems.texts.length;
  const { watchAfter, coolOff } = checkFields(customFields, raw, path, problems);
  const written = check(z.array(waveSchema), raw.waves, [...path, "waves"], problems);
  if (written?.length === 0) {
    problems.add([...path, "waves"], { wrong: "no waves", expected: "at least one, the last of 100 percent" });
  }
  for (const { index, text } of planProblems(written ?? [])) {
    problems.add([...path, "waves", index, "exposurePercent"], { wrong: text });
  }
  const own = (Array.isArray(raw.waves) ? raw.waves : []).map((wave: unknown, index) =>
    criteriaOf(wave, [...path, "waves", index], { ...context, isFirst: index === 0 }),
  );
  if (!written || problems.texts.length > before) return undefined;
  const waves = written.map((wave, index) =>
    completeWave({
      minimumSoakMinutes: null,
      ...toWaveFields(wave),
      ...own[index],
      exposurePercent: wave.exposurePercent,
    }),
  );
  return { name: "custom", waves, watchAfterMinutes: (watchAfter ?? 0) / 60, ...coolOffOf(coolOff) };
}

function readChangedPreset(raw: Readonly<Record<string, unknown>>, path: Path, context: PlanContext): Plan | undefined {
  const { problems } = context;
  const before = problems.texts.length;
  const { preset: name, startAtPercent, watchAfter, coolOff } = checkFields(presetFields, raw, path, problems);
  if (!name) return undefined;
  const preset = planPresets[name];
  const exposures = exposuresOf(preset);
  if (startAtPercent !== undefined && !exposures.includes(startAtPercent)) {
    const complaint = { wrong: `not a wave of ${name}`, expected: listText(exposures) };
    problems.add([...path, "startAtPercent"], complaint, startAtPercent);
  }
  const kept = preset.waves.filter((wave) => wave.exposurePercent >= (startAtPercent ?? 0));

  const wavesPath = [...path, "waves"];
  const changes = new Map<string, Partial<Wave>>();
  if (raw.waves !== undefined && !isMap(raw.waves)) {
    const expected = "a map from a wave's percent to what changes, such as { 10: { soak: 48h } }";
    problems.add(
      wavesPath,
      { wrong: "must be a map beside a preset", expected, wayOut: "Or leave preset out and list all waves" },
      raw.waves,
    );
  } else {
    const known = kept.map((wave) => String(wave.exposurePercent));
    for (const [percent, written] of Object.entries(raw.waves ?? {})) {
      if (!known.includes(percent)) {
        problems.add([...wavesPath, percent], {
          ...unknownWord(percent, known, `not a wave of ${name}`),
          wayOut: "Or list all waves without a preset",
        });
        continue;
      }
      const change = check(changeSchema, written, [...wavesPath, percent], problems);
      const isFirst = percent === known[0];
      const own = criteriaOf(written, [...wavesPath, percent], { ...context, isFirst });
      if (change) changes.set(percent, { ...toWaveFields(change), ...own });
    }
  }
  if (problems.texts.length > before) return undefined;
  return {
    name: changes.size > 0 || startAtPercent !== undefined ? `${name}, changed` : name,
    waves: kept.map((wave) => ({ ...wave, ...changes.get(String(wave.exposurePercent)) })),
    watchAfterMinutes: watchAfter === undefined ? preset.watchAfterMinutes : watchAfter / 60,
    ...(coolOff === undefined ? coolOffOf((preset.coolOffMinutes ?? 0) * 60) : coolOffOf(coolOff)),
  };
}

/** None is no fact: a plan without keeps the description that it had. */
function coolOffOf(seconds: number | undefined): Pick<Plan, "coolOffMinutes"> {
  return seconds === undefined || seconds === 0 ? {} : { coolOffMinutes: seconds / 60 };
}

/** Reads a plan; `undefined` after a problem. */
export function readPlan(raw: unknown, path: Path, context: PlanContext): Plan | undefined {
  const { problems } = context;
  if (isMap(raw)) return "preset" in raw ? readChangedPreset(raw, path, context) : readSpelledOut(raw, path, context);
  if (Array.isArray(raw)) {
    problems.add(path, {
      wrong: "a bare list",
      expected: `{ waves: [...] }, or a preset (${planPresetNames.join(", ")})`,
    });
    return undefined;
  }
  const name = check(word(planPresetNames, "unknown plan"), raw, path, problems);
  return name && planPresets[name];
}
