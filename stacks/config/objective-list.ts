/**
 * Objectives one by one, `[{ indicator: error-rate, critical: { above: "5%", response: disable } }]`, and what a person changes of one that
 * was there before. What a person wrote and the source cannot measure is refused by name.
 */
import { z } from "zod";
import { isSlug, maximumObjectiveLength, slugRule } from "../../core/naming.ts";
import {
  healthyHosts,
  type Indicator,
  indicators,
  isMeasurable,
  type MetricSource,
  type Objective,
  severities,
} from "../../core/objectives.ts";
import { boundText, type Context, checkOrder, readBound, readTarget } from "./bounds.ts";
import { checkFields, flag, isMap, leaf, listText, type Path, type Problems, wholeNumber, word } from "./problems.ts";
import { measureText } from "./units.ts";

export const indicatorNames = Object.keys(indicators) as Indicator[];

/** A floor that no window of a service reaches makes a rule that never speaks. */
export const mostFloor = 1_000_000;

export const changeFields = {
  target: z.unknown(),
  warning: z.unknown(),
  critical: z.unknown(),
  mode: word(["act", "observe"]).optional(),
  disableAnyway: flag.optional(),
  minimumRequests: wholeNumber(1, mostFloor, "requests").optional(),
  minimumErrors: wholeNumber(1, mostFloor, "errors").optional(),
};

const objectiveName = leaf(
  z.string().refine((name) => isSlug(name, maximumObjectiveLength)),
  { wrong: "not an objective name", expected: `at most ${maximumObjectiveLength} characters: ${slugRule}` },
);
/** Waves' own bounds are called so (core/watch-rules.ts). */
const waveNames = /^wave-/;
const listedFields = {
  name: objectiveName.optional(),
  indicator: word(indicatorNames, "unknown indicator"),
  ...changeFields,
};

/** Reads what a person wrote about one objective on top of what it was before. */
export function readFields(
  raw: Readonly<Record<string, unknown>>,
  fields: { [Key in keyof typeof changeFields]?: z.output<(typeof changeFields)[Key]> },
  base: Objective,
  path: Path,
  context: Context,
): Objective | undefined {
  const { problems } = context;
  const before = problems.texts.length;
  const target = raw.target === undefined ? base.target : readTarget(raw.target, [...path, "target"], context);
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
export function refuseUnmeasurable(
  indicator: Indicator,
  path: Path,
  { source, problems }: Omit<Context, "indicator">,
): boolean {
  if (isMeasurable(indicator, source)) return false;
  const sources = indicators[indicator].sources;
  problems.add(path, {
    wrong: `source ${source} cannot measure ${indicator}`,
    expected: listText(indicatorNames.filter((name) => isMeasurable(name, source))),
    wayOut: `Set source: ${listText(sources)}`,
  });
  return true;
}

/** How a list is read. */
export interface ListContext {
  readonly source: MetricSource;
  readonly problems: Problems;
  /** What the source cannot measure stays, as it does of a preset, to be named to the user later. @default refused */
  readonly keepsUnmeasurable?: boolean;
}

/** Reads one objective; `undefined` after a problem. */
export function readListed(raw: unknown, path: Path, context: ListContext): Objective | undefined {
  const { source, problems, keepsUnmeasurable = false } = context;
  const before = problems.texts.length;
  const fields = checkFields(listedFields, raw, path, problems);
  const { indicator, name } = fields;
  if (!indicator || !isMap(raw)) return undefined;
  if (name !== undefined && waveNames.test(name)) {
    const wayOut = "Bounds of single waves are called so; call it something else";
    problems.add(
      [...path, "name"],
      { wrong: "a name that waves' own bounds have", expected: "any other", wayOut },
      name,
    );
  }
  if (!keepsUnmeasurable && refuseUnmeasurable(indicator, [...path, "indicator"], context)) return undefined;
  const base: Objective = {
    name: name ?? indicator,
    indicator,
    ...(indicator === "invariant-violations" ? { disableAnyway: true } : {}),
  };
  if (raw.target === undefined && raw.warning === undefined && raw.critical === undefined) {
    problems.add(path, { wrong: "promises nothing", expected: "target, warning or critical" });
  }
  const objective = readFields(raw, fields, base, path, { indicator, source, problems });
  return problems.texts.length > before ? undefined : objective;
}

/** Names every objective that has the name of an earlier one. */
export function refuseSameNames(
  listed: readonly ({ readonly name: string } | undefined)[],
  path: Path,
  problems: Problems,
): void {
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
}

/** A service whose objectives only aim at something is never shut: that has to be meant, and cannot be. */
export function refuseBoundless(
  objectives: readonly Objective[],
  path: Path,
  wayOut: string,
  problems: Problems,
): void {
  if (objectives.some((objective) => objective.critical ?? objective.warning)) return;
  const wrong = "nothing would ever shut this service: no objective has a bound";
  problems.add(path, { wrong, expected: "at least one warning or critical bound", wayOut });
}

/** Every release is watched for hosts, whoever forgot them: a dead one shows nowhere else. */
export function withHosts(objectives: readonly Objective[]): readonly Objective[] {
  return objectives.some(({ indicator }) => indicator === "healthy-hosts") ? objectives : [...objectives, healthyHosts];
}

/** Reads a list; `undefined` after a problem. */
export function readList(raw: readonly unknown[], path: Path, context: ListContext): readonly Objective[] | undefined {
  const { problems } = context;
  const before = problems.texts.length;
  const listed = raw.map((entry, index) => readListed(entry, [...path, index], context));
  refuseSameNames(listed, path, problems);
  const objectives = listed.filter((objective) => objective !== undefined);
  if (problems.texts.length === before) refuseBoundless(objectives, path, "Name a preset, such as web", problems);
  return problems.texts.length > before ? undefined : withHosts(objectives);
}

/** An objective as config has it; `readListed` reads it as the same one. */
export function writtenObjective(objective: Objective): Record<string, unknown> {
  const { name, indicator, target, warning, critical, mode, disableAnyway, minimumRequests, minimumErrors } = objective;
  const isDisabledAnyway = indicator === "invariant-violations";
  const stated = {
    name: name === indicator ? undefined : name,
    indicator,
    target: target === undefined ? undefined : measureText(target, indicator),
    warning: warning && boundText(warning, indicator),
    critical: critical && boundText(critical, indicator),
    mode,
    disableAnyway: (disableAnyway ?? false) === isDisabledAnyway ? undefined : (disableAnyway ?? false),
    minimumRequests,
    minimumErrors,
  };
  return Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined));
}
