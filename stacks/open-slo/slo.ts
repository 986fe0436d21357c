/** One SLO of OpenSLO: its indicator, window and target, as far as Tidegate can keep them. */
import { z } from "zod";
import { type BudgetPeriodDays, budgetPeriodsDays, defaultBudgetPeriodDays } from "../../core/burn-rate.ts";
import { isSlug, maximumServiceLength, slugRule } from "../../core/naming.ts";
import { type Indicator, indicators } from "../../core/objectives.ts";
import { measureOf } from "../../core/watch-rules.ts";
import { checkFields, flag, isMap, leaf, listText, word } from "../config/problems.ts";
import { readable } from "../config/units.ts";
import { shorthand, shorthandSeconds } from "./burn.ts";
import { type Documents, description, type OpenSloObject } from "./documents.ts";
import { latencyUnitMilliseconds, metricTypes, type Recognised, recognise } from "./metrics.ts";
import { readIndicator, readMetrics } from "./sli.ts";

export interface ReadSlo {
  readonly object: OpenSloObject;
  readonly service: string;
  readonly periodDays: BudgetPeriodDays;
  /** Those that its metrics and its target may be. */
  readonly recognised: Recognised;
  /** As config has it. */
  readonly targetOf: (indicator: Indicator | undefined) => string | undefined;
  /** As written. */
  readonly alertPolicies?: unknown;
}

const number = leaf(z.number(), { wrong: "must be a number", expected: "a number" });
const serviceName = leaf(
  z.string().refine((name) => isSlug(name, maximumServiceLength)),
  { wrong: "not a service name", expected: `at most ${maximumServiceLength} characters: ${slugRule}` },
);

const sloFields = {
  description,
  service: serviceName,
  indicator: z.unknown(),
  indicatorRef: z.unknown(),
  timeWindow: z.unknown(),
  budgetingMethod: word(["Occurrences", "Timeslices", "RatioTimeslices"], "unknown method"),
  objectives: z.unknown(),
  alertPolicies: z.unknown(),
};

/** Fields of the specification that cannot be honoured, and why. */
const refused = {
  timeSliceTarget: "requests are counted, not slices of time",
  timeSliceWindow: "requests are counted, not slices of time",
  indicator: "a composite SLO; each SLO has one indicator",
  indicatorRef: "a composite SLO; each SLO has one indicator",
  compositeWeight: "a composite SLO; objectives have no weights",
} as const;
const targetFields = {
  displayName: z.unknown(),
  op: word(["lte", "gte", "lt", "gt"], "unknown operator").optional(),
  value: number.optional(),
  target: number.optional(),
  targetPercent: number.optional(),
  ...Object.fromEntries(Object.keys(refused).map((key) => [key, z.unknown()])),
};

function readWindow(raw: unknown, { problems }: OpenSloObject): BudgetPeriodDays | undefined {
  const path = ["spec", "timeWindow"];
  if (raw === undefined) return defaultBudgetPeriodDays;
  const expected = `one rolling window of ${listText(budgetPeriodsDays.map((days) => `${days}d`))}`;
  if (!Array.isArray(raw) || raw.length !== 1) {
    problems.add(path, { wrong: "not one window", expected }, raw ?? undefined);
    return undefined;
  }
  const before = problems.texts.length;
  const at = [...path, 0];
  const fields = { duration: shorthand, isRolling: flag.optional(), calendar: z.unknown() };
  const { duration, isRolling, calendar } = checkFields(fields, raw[0], at, problems);
  if (calendar !== undefined || isRolling === false) {
    const wrong = "a window of the calendar, and budgets are kept for rolling ones alone";
    problems.add(calendar === undefined ? [...at, "isRolling"] : [...at, "calendar"], { wrong, expected });
  } else if (isRolling === undefined && problems.texts.length === before) {
    problems.add([...at, "isRolling"], { wrong: "missing", expected: "true" });
  }
  const days = duration === undefined ? undefined : (shorthandSeconds(duration) ?? 0) / 86_400;
  const period = budgetPeriodsDays.find((candidate) => candidate === days);
  if (duration !== undefined && period === undefined && calendar === undefined) {
    problems.add([...at, "duration"], { wrong: "not a period that budgets are kept for", expected }, duration);
  }
  return problems.texts.length > before ? undefined : period;
}

interface ReadTarget {
  /** Unit: percent. */
  readonly percent: number;
  readonly op?: string;
  readonly value?: number;
}

function readTarget(raw: unknown, { problems }: OpenSloObject): ReadTarget | undefined {
  const path = ["spec", "objectives"];
  if (!Array.isArray(raw) || raw.length !== 1) {
    const complaint = {
      wrong: raw === undefined ? "missing" : "not one objective",
      expected: "a list of one: each SLO has one target",
    };
    problems.add(path, complaint, raw ?? undefined);
    return undefined;
  }
  const before = problems.texts.length;
  const at = [...path, 0];
  const read = checkFields(targetFields, raw[0], at, problems);
  for (const [key, why] of Object.entries(refused)) {
    if (isMap(raw[0]) && key in raw[0])
      problems.add([...at, key], { wrong: `not honoured: ${why}`, expected: `no ${key}` });
  }
  const { target, targetPercent, op, value } = read;
  if (target !== undefined && targetPercent !== undefined) {
    problems.add([...at, "targetPercent"], { wrong: "said twice", expected: "target or targetPercent" });
  } else if (target === undefined && targetPercent === undefined && problems.texts.length === before) {
    problems.add(at, { wrong: "aims for nothing", expected: "target or targetPercent" });
  }
  if (target !== undefined && !(target >= 0 && target < 1)) {
    const wayOut = target >= 1 && target < 100 ? { wayOut: `Write targetPercent: ${target}` } : {};
    problems.add(
      [...at, "target"],
      { wrong: "target out of range", expected: "0 to 1, 1 not included", ...wayOut },
      target,
    );
  }
  if (targetPercent !== undefined && !(targetPercent >= 0 && targetPercent < 100)) {
    problems.add(
      [...at, "targetPercent"],
      { wrong: "target out of range", expected: "0 to 100, 100 not included" },
      targetPercent,
    );
  }
  if (problems.texts.length > before) return undefined;
  const percent = targetPercent ?? readable((target ?? 0) * 100);
  return { percent, ...(op === undefined ? {} : { op }), ...(value === undefined ? {} : { value }) };
}

/** Refuses what a ratio's target has too much and a threshold's too little, and finds the indicators that the target can be of. */
function fitting(
  { indicators: candidates, source }: Recognised,
  { percent, op, value }: ReadTarget,
  { problems }: OpenSloObject,
): readonly Indicator[] {
  const at = ["spec", "objectives", 0];
  const before = problems.texts.length;
  const [first] = candidates;
  const measure = first && measureOf(first, source);
  if (measure?.kind !== "percentile") {
    if (op !== undefined) problems.add([...at, "op"], { wrong: "belongs to a thresholdMetric", expected: "no op" }, op);
    if (value !== undefined)
      problems.add([...at, "value"], { wrong: "belongs to a thresholdMetric", expected: "no value" }, value);
    return problems.texts.length > before ? [] : candidates;
  }
  const unit = latencyUnitMilliseconds(source) === 1 ? "milliseconds" : "seconds";
  if (op !== "lte")
    problems.add([...at, "op"], { wrong: op === undefined ? "missing" : "not honoured", expected: "lte" }, op);
  if (value === undefined || !(value > 0)) {
    problems.add(
      [...at, "value"],
      { wrong: value === undefined ? "missing" : "must be above zero", expected: `${unit}, as the metric has them` },
      value,
    );
  }
  const fits = candidates.filter((indicator) => indicator === `latency-p${percent}`);
  if (fits.length === 0) {
    const shares = candidates.map((indicator) => Number(indicator.replace("latency-p", "")));
    problems.add(
      [...at, "target"],
      { wrong: "not a share that latency is watched at", expected: `${listText(shares)} percent` },
      percent,
    );
  }
  return problems.texts.length > before ? [] : fits;
}

function targetText(
  indicator: Indicator | undefined,
  { source }: Recognised,
  { percent, value = 0 }: ReadTarget,
): string | undefined {
  if (!indicator) return undefined;
  if (indicators[indicator].unit === "milliseconds") return `${readable(value * latencyUnitMilliseconds(source))}ms`;
  return `${indicators[indicator].badSide === "above" ? readable(100 - percent) : percent}%`;
}

/** Reads one SLO; `undefined` after a problem. */
export function readSlo(object: OpenSloObject, documents: Documents): ReadSlo | undefined {
  const { problems } = object;
  const fields = checkFields(sloFields, object.spec, ["spec"], problems);
  const { service, budgetingMethod } = fields;
  if (budgetingMethod !== undefined && budgetingMethod !== "Occurrences") {
    const wrong = "not honoured: requests are counted, not slices of time";
    problems.add(["spec", "budgetingMethod"], { wrong, expected: "Occurrences" }, budgetingMethod);
  }
  const periodDays = readWindow(fields.timeWindow, object);
  const target = readTarget(fields.objectives, object);
  const sli = readIndicator(fields, object, documents);
  const metrics = sli && readMetrics(sli, documents);
  if (!metrics || service === undefined) return undefined;
  const known = recognise(metrics, service);
  if (!known) {
    const expected = "exactly those that an export of the service has";
    const wayOut = "docs/objectives.md lists them by indicator";
    sli.problems.add([...sli.path, "spec"], { wrong: "metrics that are not Tidegate's own", expected, wayOut });
    return undefined;
  }
  const fits = target ? fitting(known, target, object) : [];
  if (!target || fits.length === 0 || periodDays === undefined || budgetingMethod !== "Occurrences") return undefined;
  return {
    object,
    service,
    periodDays,
    recognised: { source: known.source, indicators: fits },
    targetOf: (indicator) => targetText(indicator, known, target),
    ...(fields.alertPolicies === undefined ? {} : { alertPolicies: fields.alertPolicies }),
  };
}

/** Checks the fields of objects that others name, whoever does. Connection details may be secrets, and are not repeated. */
export function checkReusable(documents: Documents): void {
  for (const { spec, problems } of documents.of("DataSource")) {
    const fields = { description, type: word(metricTypes, "metrics of another kind"), connectionDetails: z.unknown() };
    const { connectionDetails } = checkFields(fields, spec, ["spec"], problems);
    if (connectionDetails === undefined || (isMap(connectionDetails) && Object.keys(connectionDetails).length === 0))
      continue;
    const wayOut = "How to sign in, alerting and the AWS settings of the stack say";
    problems.add(["spec", "connectionDetails"], { wrong: "not honoured", expected: "nothing", wayOut });
  }
  for (const sli of documents.of("SLI")) readMetrics(sli, documents);
  for (const { spec, problems } of documents.of("Service")) checkFields({ description }, spec, ["spec"], problems);
  for (const { spec, problems } of documents.of("AlertNotificationTarget")) {
    checkFields({ description, target: z.unknown() }, spec, ["spec"], problems);
  }
}
