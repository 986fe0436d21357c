/**
 * The objectives of a service (B1, B2), in one of four forms:
 *
 *     objectives: web
 *     objectives: { preset: web, override: { latency-p95: { critical: { above: 1s } } } }   # changed field by field
 *     objectives: { openslo: slo.yaml, override: { availability: { critical: { below: "99%", response: disable } } } }
 *     objectives: [{ indicator: error-rate, critical: { above: "5%", response: disable } }]
 *
 * Whatever is said, every release is watched for healthy hosts too: a dead one shows nowhere else. What a preset names and the
 * source cannot measure stays in the list, to be named to the user later; what a person wrote and cannot be measured is refused.
 */
import { resolve } from "node:path";
import { z } from "zod";
import type { BurnSettings } from "../../core/burn-rate.ts";
import { type MetricSource, type Objective, objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { importedService } from "../open-slo/import.ts";
import {
  changeFields,
  readFields,
  readList,
  refuseBoundless,
  refuseUnmeasurable,
  withHosts,
} from "./objective-list.ts";
import { check, checkFields, isMap, type Path, type Problems, text, unknownWord, word } from "./problems.ts";

/** What objectives are read in the light of. */
export interface ObjectivesContext {
  readonly service: string;
  readonly source: MetricSource;
  /** Paths of files are relative to it. Absent: this config has no folder, and files cannot be named. */
  readonly folder?: string;
  readonly problems: Problems;
}

export interface ReadObjectives {
  readonly objectives: readonly Objective[];
  /** What an OpenSLO file says about the budget; the other forms say nothing. */
  readonly burnRate?: BurnSettings | "off";
}

function readPresetName(raw: unknown, path: Path, problems: Problems): readonly Objective[] | undefined {
  const name = check(word(objectivePresetNames, "unknown objectives"), raw, path, problems);
  return name && objectivePresets[name];
}

const filePath = text(/^[^\0]{1,1000}$/, { wrong: "not a path", expected: "a file, relative to the stack's own" });

function readFile(raw: unknown, path: Path, context: ObjectivesContext): ReadObjectives | undefined {
  const { folder, service, source, problems } = context;
  const file = check(filePath, raw, path, problems);
  if (file === undefined) return undefined;
  if (folder === undefined) {
    const wayOut = "List the objectives here instead";
    problems.add(path, { wrong: "a file, and this config was read from none", expected: "objectives", wayOut }, file);
    return undefined;
  }
  return importedService(resolve(folder, file), { service, source }, path, problems);
}

/** Changes what a preset or a file says, objective by objective. */
function readOverride(
  raw: unknown,
  base: readonly Objective[],
  path: Path,
  context: ObjectivesContext & { readonly of: string },
): readonly Objective[] {
  const { source, problems, of } = context;
  if (raw === undefined) return base;
  if (!isMap(raw)) {
    problems.add(path, { wrong: "must be a map", expected: "a map from an objective's name to what changes" }, raw);
    return base;
  }
  const changed = new Map<string, Objective>();
  for (const [name, written] of Object.entries(raw)) {
    const place = [...path, name];
    const objective = base.find((candidate) => candidate.name === name);
    if (!objective) {
      const names = base.map((candidate) => candidate.name);
      problems.add(place, unknownWord(name, names, `not in the ${of}`));
      continue;
    }
    const { indicator } = objective;
    if (refuseUnmeasurable(indicator, place, { source, problems })) continue;
    const fields = checkFields(changeFields, written, place, problems);
    if (!isMap(written)) continue;
    const result = readFields(written, fields, objective, place, { indicator, source, problems });
    if (result) changed.set(name, result);
  }
  return base.map((objective) => changed.get(objective.name) ?? objective);
}

function readMap(
  raw: Readonly<Record<string, unknown>>,
  path: Path,
  context: ObjectivesContext,
): ReadObjectives | undefined {
  const { problems } = context;
  const before = problems.texts.length;
  const fromFile = "openslo" in raw && !("preset" in raw);
  const fields = checkFields(
    fromFile ? { openslo: z.unknown(), override: z.unknown() } : { preset: z.unknown(), override: z.unknown() },
    raw,
    path,
    problems,
  ) as Readonly<Record<string, unknown>>;
  const preset = fromFile ? undefined : readPresetName(fields.preset, [...path, "preset"], problems);
  const base = fromFile ? readFile(fields.openslo, [...path, "openslo"], context) : preset && { objectives: preset };
  if (!base) return undefined;
  const of = fromFile ? "file" : "preset";
  const objectives = readOverride(fields.override, base.objectives, [...path, "override"], { ...context, of });
  if (fromFile && problems.texts.length === before) {
    refuseBoundless(objectives, path, "Add one under override, by the objective's name", problems);
  }
  return problems.texts.length > before ? undefined : { ...base, objectives: withHosts(objectives) };
}

/** Reads the objectives; `undefined` after a problem. */
export function readObjectives(raw: unknown, path: Path, context: ObjectivesContext): ReadObjectives | undefined {
  if (isMap(raw)) return readMap(raw, path, context);
  const objectives = Array.isArray(raw) ? readList(raw, path, context) : readPresetName(raw, path, context.problems);
  return objectives && { objectives };
}
