/**
 * The objectives of a service (B1, B2), in one of three forms:
 *
 *     objectives: web
 *     objectives: { preset: web, override: { latency-p95: { critical: { above: 1s } } } }   # changed field by field
 *     objectives: [{ indicator: error-rate, critical: { above: "5%", response: disable } }]
 *
 * A list is watched for healthy hosts too, as every release is: a dead one shows nowhere else. What a preset names and the
 * source cannot measure stays in the list, to be named to the user later; what a person wrote and cannot be measured is refused.
 */
import { z } from "zod";
import { isSlug, maximumObjectiveLength, slugRule } from "../../core/naming.ts";
import {
  type Indicator,
  indicators,
  isMeasurable,
  type MetricSource,
  type Objective,
  objectivePresetNames,
  objectivePresets,
  severities,
} from "../../core/objectives.ts";
import { type Context, checkOrder, readBound, readMeasure } from "./bounds.ts";
import {
  check,
  checkFields,
  flag,
  isMap,
  leaf,
  listText,
  type Path,
  type Problems,
  unknownWord,
  wholeNumber,
  word,
} from "./problems.ts";

const indicatorNames = Object.keys(indicators) as Indicator[];

const changeFields = {
  target: z.unknown(),
  warning: z.unknown(),
  critical: z.unknown(),
  mode: word(["act", "observe"]).optional(),
  disableAnyway: flag.optional(),
  minimumRequests: wholeNumber(1, 1_000_000_000, "requests").optional(),
  minimumErrors: wholeNumber(1, 1_000_000_000, "errors").optional(),
};

const objectiveName = leaf(
  z.string().refine((name) => isSlug(name, maximumObjectiveLength)),
  { wrong: "not an objective name", expected: `at most ${maximumObjectiveLength} characters: ${slugRule}` },
);
const listedFields = {
  name: objectiveName.optional(),
  indicator: word(indicatorNames, "unknown indicator"),
  ...changeFields,
};

/** Reads what a person wrote about one objective on top of what it was before. */
function readFields(
  raw: Readonly<Record<string, unknown>>,
  fields: { [Key in keyof typeof changeFields]?: z.output<(typeof changeFields)[Key]> },
  base: Objective,
  path: Path,
  context: Context,
): Objective | undefined {
  const { problems } = context;
  const before = problems.texts.length;
  const target = raw.target === undefined ? base.target : readMeasure(raw.target, [...path, "target"], context);
  const bounds = Object.fromEntries(
    severities.map((severity) => [
      severity,
      raw[severity] === undefined
        ? base[severity]
        : readBound(raw[severity], base[severity], [...path, severity], context),
    ]),
  );
  const { mode, disableAnyway, minimumRequests, minimumErrors } = fields;
  const stated = { target, ...bounds, mode, disableAnyway, minimumRequests, minimumErrors };
  const given = Object.entries(stated).filter(([, value]) => value !== undefined);
  const objective: Objective = { ...base, ...Object.fromEntries(given) };
  checkOrder(objective, path, problems);
  return problems.texts.length > before ? undefined : objective;
}

/** Whether the source measures it; what a person wrote out and cannot be measured is refused by name. */
function refuseUnmeasurable(
  indicator: Indicator,
  path: Path,
  { source, problems }: Omit<Context, "indicator">,
): boolean {
  if (isMeasurable(indicator, source)) return false;
  const sources = indicators[indicator].sources;
  problems.add(path, {
    wrong: `source ${source} cannot measure ${indicator}`,
    expected: listText(indicatorNames.filter((name) => isMeasurable(name, source))),
    wayOut: sources.length > 0 ? `Set source: ${listText(sources)}` : "No source can measure it yet; leave it out",
  });
  return true;
}

function readListed(raw: unknown, path: Path, source: MetricSource, problems: Problems): Objective | undefined {
  const before = problems.texts.length;
  const fields = checkFields(listedFields, raw, path, problems);
  const { indicator } = fields;
  if (!indicator || !isMap(raw)) return undefined;
  if (refuseUnmeasurable(indicator, [...path, "indicator"], { source, problems })) return undefined;
  const base: Objective = {
    name: fields.name ?? indicator,
    indicator,
    ...(indicator === "invariant-violations" ? { disableAnyway: true } : {}),
  };
  if (raw.target === undefined && raw.warning === undefined && raw.critical === undefined) {
    problems.add(path, { wrong: "promises nothing", expected: "target, warning or critical" });
  }
  const objective = readFields(raw, fields, base, path, { indicator, source, problems });
  return problems.texts.length > before ? undefined : objective;
}

function readList(
  raw: readonly unknown[],
  path: Path,
  source: MetricSource,
  problems: Problems,
): Objective[] | undefined {
  const before = problems.texts.length;
  const listed = raw.map((entry, index) => readListed(entry, [...path, index], source, problems));
  const objectives = listed.filter((objective) => objective !== undefined);
  listed.forEach((objective, index) => {
    const first = listed.findIndex((other) => other !== undefined && other.name === objective?.name);
    if (!objective || first === index) return;
    const wrong = `the same name as ${path.at(-1)}[${first}]`;
    problems.add(
      [...path, index, "name"],
      { wrong, expected: "a name of its own", wayOut: "Give it a name" },
      objective.name,
    );
  });
  const complete = problems.texts.length === before;
  if (complete && !objectives.some((objective) => objective.critical ?? objective.warning)) {
    const wrong = "nothing would ever shut this service: no objective has a bound";
    problems.add(path, {
      wrong,
      expected: "at least one warning or critical bound",
      wayOut: "Name a preset: web or batch",
    });
  }
  if (problems.texts.length > before) return undefined;
  const hosts = objectivePresets.web.filter((objective) => objective.indicator === "healthy-hosts");
  return objectives.some((objective) => objective.indicator === "healthy-hosts")
    ? objectives
    : [...objectives, ...hosts];
}

function readPresetName(raw: unknown, path: Path, problems: Problems): readonly Objective[] | undefined {
  const name = check(word(objectivePresetNames, "unknown objectives"), raw, path, problems);
  return name && objectivePresets[name];
}

function readOverridden(
  raw: unknown,
  path: Path,
  source: MetricSource,
  problems: Problems,
): readonly Objective[] | undefined {
  const before = problems.texts.length;
  const fields = checkFields({ preset: z.unknown(), override: z.unknown() }, raw, path, problems);
  const preset = readPresetName(fields.preset, [...path, "preset"], problems);
  if (fields.override !== undefined && !isMap(fields.override)) {
    const expected = "a map from an objective's name to what changes";
    problems.add([...path, "override"], { wrong: "must be a map", expected }, fields.override);
  }
  if (!preset) return undefined;
  const changed = new Map<string, Objective>();
  for (const [name, written] of Object.entries(isMap(fields.override) ? fields.override : {})) {
    const place = [...path, "override", name];
    const base = preset.find((objective) => objective.name === name);
    if (!base) {
      problems.add(
        place,
        unknownWord(
          name,
          preset.map((objective) => objective.name),
          "not in the preset",
        ),
      );
      continue;
    }
    if (refuseUnmeasurable(base.indicator, place, { source, problems })) continue;
    const change = checkFields(changeFields, written, place, problems);
    if (!isMap(written)) continue;
    const objective = readFields(written, change, base, place, { indicator: base.indicator, source, problems });
    if (objective) changed.set(name, objective);
  }
  return problems.texts.length > before
    ? undefined
    : preset.map((objective) => changed.get(objective.name) ?? objective);
}

/** Reads the objectives; `undefined` after a problem. */
export function readObjectives(
  raw: unknown,
  source: MetricSource,
  path: Path,
  problems: Problems,
): readonly Objective[] | undefined {
  if (Array.isArray(raw)) return readList(raw, path, source, problems);
  if (isMap(raw)) return readOverridden(raw, path, source, problems);
  return readPresetName(raw, path, problems);
}
