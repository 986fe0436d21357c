/**
 * Bounds that one wave has of its own, on top of the service's objectives (A2, B1):
 *
 *     criteria:
 *       - rollback: { indicator: error-rate, above: "+5 points over previous wave", response: disable }
 *       - advance: { indicator: latency-p95, atMost: "500ms" }      # what should be high: atLeast
 *
 * `rollback` says what is bad, as bounds of objectives do; `advance` says what must hold, the value itself included.
 */
import { z } from "zod";
import { type Indicator, indicators, type MetricSource, responses } from "../../core/objectives.ts";
import type { CriterionWatch, WaveCriterion } from "../../core/plans.ts";
import { checkWindow, readBound, readThreshold, thresholdText } from "./bounds.ts";
import { indicatorNames, mostFloor, refuseUnmeasurable } from "./objective-list.ts";
import { checkFields, isMap, type Path, type Problems, wholeNumber, word } from "./problems.ts";
import { duration, durationText } from "./units.ts";

/** Telling people takes no traffic away. */
const rollbackResponses = responses.filter((response) => response !== "notify");

const floorFields = {
  minimumRequests: wholeNumber(1, mostFloor, "requests").optional(),
  minimumErrors: wholeNumber(1, mostFloor, "errors").optional(),
};
const rollbackFields = {
  indicator: word(indicatorNames, "unknown indicator"),
  above: z.unknown(),
  below: z.unknown(),
  response: z.unknown(),
  window: z.unknown(),
  ...floorFields,
};
const advanceFields = {
  indicator: word(indicatorNames, "unknown indicator"),
  atMost: z.unknown(),
  atLeast: z.unknown(),
  window: duration({ minimum: "10s", maximum: "365d", example: "5m", step: "10s" }).optional(),
  ...floorFields,
};

/** What criteria are read in the light of. */
export interface CriteriaContext {
  readonly source: MetricSource;
  readonly problems: Problems;
  /** The first wave has nothing before it that it could be measured against. */
  readonly isFirst: boolean;
}

function floorsOf(fields: { minimumRequests?: number | undefined; minimumErrors?: number | undefined }) {
  const { minimumRequests, minimumErrors } = fields;
  return {
    ...(minimumRequests === undefined ? {} : { minimumRequests }),
    ...(minimumErrors === undefined ? {} : { minimumErrors }),
  } satisfies Partial<CriterionWatch>;
}

function windowText(seconds: number | undefined): string {
  return seconds === undefined ? "" : ` in ${durationText(seconds)}`;
}

/** What both kinds share: an indicator that the source carries. */
function measurable(indicator: Indicator | undefined, path: Path, context: CriteriaContext): indicator is Indicator {
  return indicator !== undefined && !refuseUnmeasurable(indicator, [...path, "indicator"], context);
}

function boundContext(indicator: Indicator, { source, problems, isFirst }: CriteriaContext) {
  const place = isFirst ? ("first-wave" as const) : ("wave" as const);
  return { indicator, source, problems, place };
}

function readRollback(raw: unknown, path: Path, context: CriteriaContext): WaveCriterion | undefined {
  const before = context.problems.texts.length;
  const fields = checkFields(rollbackFields, raw, path, context.problems);
  const { indicator } = fields;
  if (!isMap(raw) || !measurable(indicator, path, context)) return undefined;
  const { minimumRequests: _requests, minimumErrors: _errors, indicator: _indicator, ...written } = raw;
  const known = Object.fromEntries(Object.entries(written).filter(([key]) => key in rollbackFields));
  const bound = readBound(known, undefined, path, {
    ...boundContext(indicator, context),
    responses: rollbackResponses,
  });
  if (!bound || context.problems.texts.length > before) return undefined;
  const side = indicators[indicator].badSide;
  return {
    kind: "rollback",
    text: `${indicator} ${side} ${thresholdText(bound, indicator)}${windowText(bound.windowSeconds)}`,
    watch: { indicator, bound, ...floorsOf(fields) },
  };
}

function readAdvance(raw: unknown, path: Path, context: CriteriaContext): WaveCriterion | undefined {
  const { problems } = context;
  const before = problems.texts.length;
  const bad = isMap(raw) ? (["above", "below"] as const).filter((key) => key in raw) : [];
  const fields = checkFields(
    advanceFields,
    isMap(raw) ? Object.fromEntries(Object.entries(raw).filter(([key]) => key !== "above" && key !== "below")) : raw,
    path,
    problems,
  );
  const { indicator, window } = fields;
  if (!isMap(raw) || !measurable(indicator, path, context)) return undefined;
  const key = indicators[indicator].badSide === "above" ? "atMost" : "atLeast";
  const other = key === "atMost" ? "atLeast" : "atMost";
  for (const wrong of [...bad, ...(other in raw ? [other] : [])]) {
    const complaint = {
      wrong: `what must hold of ${indicator} is ${key} a value`,
      expected: key,
      wayOut: `Write ${key}`,
    };
    problems.add([...path, wrong], complaint);
  }
  const judged = boundContext(indicator, context);
  const threshold =
    key in raw || (bad.length === 0 && !(other in raw)) ? readThreshold(raw[key], [...path, key], judged) : undefined;
  if (window !== undefined) {
    checkWindow({ seconds: window, raw: raw.window }, threshold?.reference, [...path, "window"], judged);
  }
  if (!threshold || problems.texts.length > before) return undefined;
  return {
    kind: "advance",
    text: `${indicator} ${key === "atMost" ? "at most" : "at least"} ${thresholdText(threshold, indicator)}${windowText(window)}`,
    watch: {
      indicator,
      bound: { ...threshold, response: "freeze", ...(window === undefined ? {} : { windowSeconds: window }) },
      ...floorsOf(fields),
    },
  };
}

/** Reads the criteria of one wave; `undefined` after a problem. */
export function readCriteria(raw: unknown, path: Path, context: CriteriaContext): readonly WaveCriterion[] | undefined {
  const { problems } = context;
  const before = problems.texts.length;
  if (!Array.isArray(raw)) {
    const expected = "a list such as [{ rollback: { … } }, { advance: { … } }]";
    problems.add(path, { wrong: raw === null ? "missing" : "must be a list", expected }, raw ?? undefined);
    return undefined;
  }
  const places = new Map<string, string>();
  const criteria = raw.flatMap((entry: unknown, index): WaveCriterion[] => {
    const place = [...path, index];
    const fields = checkFields({ rollback: z.unknown(), advance: z.unknown() }, entry, place, problems) as Readonly<
      Record<string, unknown>
    >;
    if (!isMap(entry)) return [];
    if (!("rollback" in entry) && !("advance" in entry)) {
      problems.add(place, { wrong: "says nothing", expected: "rollback, advance or both" });
      return [];
    }
    const read = [
      "rollback" in entry ? readRollback(fields.rollback, [...place, "rollback"], context) : undefined,
      "advance" in entry ? readAdvance(fields.advance, [...place, "advance"], context) : undefined,
    ].filter((criterion) => criterion !== undefined);
    for (const criterion of read) refuseTwice(criterion, place, places, problems);
    return read;
  });
  return problems.texts.length > before ? undefined : criteria;
}

/** Two bounds of one kind on one indicator would be one alarm of one name. */
function refuseTwice(
  { kind, watch }: WaveCriterion,
  place: Path,
  places: Map<string, string>,
  problems: Problems,
): void {
  const key = [kind, watch?.indicator, watch?.bound.reference?.kind ?? "fixed"].join("/");
  const first = places.get(key);
  if (first === undefined) {
    places.set(key, `criteria[${place.at(-1)}]`);
    return;
  }
  const wayOut = "Keep the stricter one";
  problems.add([...place, kind], {
    wrong: `the same bound as ${first} of ${watch?.indicator}`,
    expected: "one of each",
    wayOut,
  });
}
