/** The SLI of OpenSLO: which metrics, in one form whatever way they were written. What they mean is `metrics.ts`. */
import { z } from "zod";
import { checkFields, flag, listText, type Path, type Problems, word } from "../config/problems.ts";
import { type Documents, description, type OpenSloObject, readObject } from "./documents.ts";
import { metricTypes } from "./metrics.ts";

/** The SLI of an SLO, inside it or named. */
export function readIndicator(
  fields: { readonly indicator?: unknown; readonly indicatorRef?: unknown },
  { problems }: OpenSloObject,
  documents: Documents,
): OpenSloObject | undefined {
  const path = ["spec", "indicator"];
  if (fields.indicator !== undefined && fields.indicatorRef !== undefined) {
    problems.add(path, { wrong: "said twice", expected: "indicator or indicatorRef" });
    return undefined;
  }
  if (fields.indicatorRef !== undefined) {
    return documents.named("SLI", fields.indicatorRef, ["spec", "indicatorRef"], problems);
  }
  if (fields.indicator === undefined) {
    problems.add(path, { wrong: "missing", expected: "indicator or indicatorRef" });
    return undefined;
  }
  return readObject(fields.indicator, "SLI", path, problems);
}

const sourceFields = {
  metricSourceRef: z.unknown(),
  type: word(metricTypes, "metrics of another kind").optional(),
  spec: z.unknown(),
};

/** A metric as it stands, with the type of its data source filled in; `undefined` after a problem. */
function readMetric(raw: unknown, path: Path, problems: Problems, documents: Documents): unknown {
  const before = problems.texts.length;
  const { metricSource } = checkFields({ metricSource: z.unknown() }, raw, path, problems);
  const at = [...path, "metricSource"];
  const fields = checkFields(sourceFields, metricSource, at, problems);
  let { type } = fields;
  if (fields.metricSourceRef !== undefined) {
    const dataSource = documents.named("DataSource", fields.metricSourceRef, [...at, "metricSourceRef"], problems);
    const named = metricTypes.find((candidate) => candidate === dataSource?.spec.type);
    if (named !== undefined && type !== undefined && type !== named) {
      problems.add([...at, "type"], { wrong: "another type than its data source's", expected: named }, type);
    }
    type ??= named;
  } else if (type === undefined && problems.texts.length === before) {
    problems.add([...at, "type"], { wrong: "missing", expected: listText(metricTypes) });
  }
  return problems.texts.length > before ? undefined : { metricSource: { type, spec: fields.spec } };
}

const ratioKeys = ["counter", "good", "bad", "total", "rawType", "raw"] as const;

/** The metrics of an SLI as they stand, whole and in one form; `undefined` after a problem. */
export function readMetrics(sli: OpenSloObject, documents: Documents): Readonly<Record<string, unknown>> | undefined {
  const { problems } = sli;
  const before = problems.texts.length;
  const at = [...sli.path, "spec"];
  const fields = { description, thresholdMetric: z.unknown(), ratioMetric: z.unknown() };
  const { thresholdMetric, ratioMetric } = checkFields(fields, sli.spec, at, problems);
  if ((thresholdMetric === undefined) === (ratioMetric === undefined)) {
    problems.add(at, { wrong: "not one metric", expected: "ratioMetric or thresholdMetric" });
    return undefined;
  }
  if (thresholdMetric !== undefined) {
    const metric = readMetric(thresholdMetric, [...at, "thresholdMetric"], problems, documents);
    return metric === undefined ? undefined : { thresholdMetric: metric };
  }
  const place = [...at, "ratioMetric"];
  const parts = checkFields(
    Object.fromEntries(ratioKeys.map((key) => [key, key === "counter" ? flag.optional() : z.unknown()])),
    ratioMetric,
    place,
    problems,
  ) as Readonly<Record<(typeof ratioKeys)[number], unknown>>;
  if (parts.raw !== undefined || parts.rawType !== undefined) {
    const wrong = "not honoured: a ratio without its counts has no low-traffic floors";
    problems.add([...place, "raw"], { wrong, expected: "good or bad, and total" });
    return undefined;
  }
  const metrics = (["good", "bad", "total"] as const).flatMap((key) =>
    parts[key] === undefined ? [] : [[key, readMetric(parts[key], [...place, key], problems, documents)] as const],
  );
  if (problems.texts.length > before) return undefined;
  return {
    ratioMetric: { ...(parts.counter === undefined ? {} : { counter: parts.counter }), ...Object.fromEntries(metrics) },
  };
}
