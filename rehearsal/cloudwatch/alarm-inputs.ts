/**
 * The inputs of a captured `aws.cloudwatch.MetricAlarm` or `CompositeAlarm`, checked and made plain. Whatever is not listed
 * here is refused by name: a property that the local CloudWatch skipped would make a rehearsal lie.
 */
import { z } from "zod";
import { type AlarmSettings, comparisonOperators, missingDataTreatments } from "../../core/alarm-evaluation.ts";
import { evaluationRange } from "../../core/alarms.ts";
import { InvalidRequestError, NotModelledError } from "./errors.ts";
import type { Dimensions } from "./metric-store.ts";
import { percentileReachMs } from "./series.ts";
import { parseStatistic, type Statistic } from "./statistic.ts";

export interface MetricQuery {
  readonly id: string;
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Dimensions;
  readonly statistic: Statistic;
}

export interface AlarmActions {
  readonly actionsEnabled: boolean;
  /** ARNs by the state that is entered. */
  readonly actions: {
    readonly OK: readonly string[];
    readonly ALARM: readonly string[];
    readonly INSUFFICIENT_DATA: readonly string[];
  };
}

/** A metric alarm as the local CloudWatch runs it. */
export interface MetricAlarmDefinition extends AlarmActions {
  readonly name: string;
  readonly settings: AlarmSettings;
  readonly periodSeconds: number;
  readonly metrics: readonly MetricQuery[];
  readonly expressions: readonly { readonly id: string; readonly expression: string }[];
  /** The query whose value is compared. */
  readonly returnId: string;
  /** A percentile with fewer samples than this leaves the state as it is. @default 0 (evaluate) */
  readonly lowSampleFloor: number;
}

/** A composite alarm as the local CloudWatch runs it. */
export interface CompositeAlarmDefinition extends AlarmActions {
  readonly name: string;
  readonly rule: string;
}

const arns = z.array(z.string()).optional();
/** What changes nothing about the state: text for people, and how Pulumi addresses it. */
const ofNoConsequence = {
  alarmDescription: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  region: z.string().optional(),
};
const actionShape = {
  actionsEnabled: z.boolean().default(true),
  alarmActions: arns,
  okActions: arns,
  insufficientDataActions: arns,
};
const dimensionShape = z.record(z.string(), z.string()).default({});
const queryShape = z.strictObject({
  id: z.string().regex(/^[a-z][a-zA-Z0-9_]*$/, "must start with a lower-case letter, then letters, digits and _"),
  expression: z.string().optional(),
  label: z.string().optional(),
  returnData: z.boolean().default(false),
  metric: z
    .strictObject({
      namespace: z.string(),
      metricName: z.string(),
      period: z.number(),
      stat: z.string(),
      dimensions: dimensionShape,
    })
    .optional(),
});
const alarmName = z.string().min(1).max(255);
const metricAlarmShape = z.strictObject({
  name: alarmName,
  comparisonOperator: z.enum(comparisonOperators),
  evaluationPeriods: z.number().int().min(1),
  datapointsToAlarm: z.number().int().min(1).optional(),
  threshold: z.number(),
  treatMissingData: z.enum(missingDataTreatments).default("missing"),
  evaluateLowSampleCountPercentiles: z.enum(["evaluate", "ignore"]).optional(),
  namespace: z.string().optional(),
  metricName: z.string().optional(),
  statistic: z.string().optional(),
  extendedStatistic: z.string().optional(),
  period: z.number().optional(),
  dimensions: z.record(z.string(), z.string()).optional(),
  metricQueries: z.array(queryShape).optional(),
  ...actionShape,
  ...ofNoConsequence,
});
const compositeShape = z.strictObject({ alarmName, alarmRule: z.string().min(1), ...actionShape, ...ofNoConsequence });

/** Collects what is wrong, told apart by who would refuse it. */
class Complaints {
  readonly notModelled: string[] = [];
  readonly invalid: string[] = [];

  throwIfAny(): void {
    if (this.notModelled.length > 0) throw new NotModelledError(this.notModelled);
    if (this.invalid.length > 0) throw new InvalidRequestError(this.invalid);
  }
}

/** Pulumi captures optional inputs as `undefined`; those are not there. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  const present = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(present.map(([key, inner]) => [key, withoutUndefined(inner)]));
}

function parse<T>(shape: z.ZodType<T>, inputs: unknown, place: string): T {
  const result = shape.safeParse(withoutUndefined(inputs));
  if (result.success) return result.data;
  const complaints = new Complaints();
  for (const issue of result.error.issues) {
    const path = issue.path.map(String).join(".");
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys)
        complaints.notModelled.push(`${place}: the property ${path ? `${path}.` : ""}${key}`);
    } else if (issue.code === "invalid_value") {
      complaints.notModelled.push(`${place}: ${path}: ${issue.message}`);
    } else {
      complaints.invalid.push(`${place}: ${path}: ${issue.message}`);
    }
  }
  complaints.throwIfAny();
  throw result.error;
}

function actionsOf(inputs: z.output<z.ZodObject<typeof actionShape>>): AlarmActions {
  return {
    actionsEnabled: inputs.actionsEnabled,
    actions: {
      OK: inputs.okActions ?? [],
      ALARM: inputs.alarmActions ?? [],
      INSUFFICIENT_DATA: inputs.insufficientDataActions ?? [],
    },
  };
}

type MetricAlarmInputs = z.output<typeof metricAlarmShape>;

/** What an alarm watches, from either form of its inputs. */
interface Watched {
  readonly metrics: MetricQuery[];
  readonly periods: number[];
  readonly expressions: { id: string; expression: string }[];
  readonly returnId: string;
}

function statisticOf(name: string, place: string, complaints: Complaints): Statistic {
  const statistic = parseStatistic(name);
  if (statistic) return statistic;
  complaints.notModelled.push(
    `${place}: the statistic ${name}; expected Sum, Minimum, Maximum, Average, SampleCount or pNN`,
  );
  return { kind: "Sum" };
}

function watchedByPlainForm(inputs: MetricAlarmInputs, place: string, complaints: Complaints): Watched {
  const { namespace, metricName, period, statistic, extendedStatistic, dimensions } = inputs;
  for (const [key, value] of Object.entries({ namespace, metricName, period })) {
    if (value === undefined) complaints.invalid.push(`${place}: ${key}: missing; expected it, or metricQueries`);
  }
  if ((statistic === undefined) === (extendedStatistic === undefined)) {
    complaints.invalid.push(`${place}: expected either statistic or extendedStatistic`);
  }
  const metric: MetricQuery = {
    id: "m1",
    namespace: namespace ?? "",
    metricName: metricName ?? "",
    dimensions: dimensions ?? {},
    statistic: statisticOf(statistic ?? extendedStatistic ?? "Sum", place, complaints),
  };
  return { metrics: [metric], periods: [period ?? 60], expressions: [], returnId: "m1" };
}

function watchedByQueries(inputs: MetricAlarmInputs, place: string, complaints: Complaints): Watched {
  for (const key of ["namespace", "metricName", "period", "statistic", "extendedStatistic", "dimensions"] as const) {
    if (inputs[key] !== undefined) complaints.invalid.push(`${place}: ${key}: not beside metricQueries`);
  }
  const queries = inputs.metricQueries ?? [];
  const metrics: MetricQuery[] = [];
  const periods: number[] = [];
  const expressions: { id: string; expression: string }[] = [];
  const ids = new Set<string>();
  for (const { id, expression, metric } of queries) {
    if (ids.has(id)) complaints.invalid.push(`${place}: metricQueries: the id ${id} is there twice`);
    ids.add(id);
    if ((expression === undefined) === (metric === undefined)) {
      complaints.invalid.push(`${place}: metricQueries ${id}: expected either expression or metric`);
    } else if (expression !== undefined) {
      expressions.push({ id, expression });
    } else if (metric !== undefined) {
      const { namespace, metricName, dimensions, stat, period } = metric;
      const statistic = statisticOf(stat, `${place}: metricQueries ${id}`, complaints);
      metrics.push({ id, namespace, metricName, dimensions, statistic });
      periods.push(period);
    }
  }
  if (metrics.length === 0 || metrics.length > 10) {
    complaints.invalid.push(`${place}: metricQueries: number of metrics, got ${metrics.length}; expected 1 to 10`);
  }
  if (new Set(periods).size > 1) {
    complaints.invalid.push(
      `${place}: metricQueries: different periods, got ${periods.join(", ")}; expected one for all`,
    );
  }
  const returned = queries.filter((query) => query.returnData);
  if (returned.length !== 1) {
    complaints.invalid.push(`${place}: metricQueries: returnData is true ${returned.length} times; expected once`);
  }
  return { metrics, periods, expressions, returnId: returned[0]?.id ?? "" };
}

function checkReach(definition: MetricAlarmDefinition, place: string, complaints: Complaints): void {
  const { periodSeconds, settings } = definition;
  const known = [10, 20, 30].includes(periodSeconds) || (periodSeconds > 0 && periodSeconds % 60 === 0);
  if (!known) {
    complaints.invalid.push(`${place}: period: got ${periodSeconds}; expected 10, 20, 30 or a multiple of 60 seconds`);
    return;
  }
  const windowSeconds = periodSeconds * settings.evaluationPeriods;
  const capSeconds = periodSeconds < 3_600 ? 86_400 : 604_800;
  if (windowSeconds > capSeconds) {
    complaints.invalid.push(
      `${place}: period × evaluationPeriods: got ${windowSeconds} s; expected at most ${capSeconds} s`,
    );
  }
  const rangeMs = evaluationRange(settings.evaluationPeriods) * periodSeconds * 1_000;
  const keptMs = periodSeconds < 60 ? 3 * 3_600_000 : 15 * 86_400_000;
  const percentile = definition.metrics.some((metric) => metric.statistic.kind === "percentile");
  const percentileMs = periodSeconds < 60 ? percentileReachMs.tenSeconds : percentileReachMs.minutes;
  const reachMs = percentile ? Math.min(keptMs, percentileMs) : keptMs;
  if (rangeMs > reachMs) {
    complaints.notModelled.push(
      `${place}: an evaluation range of ${rangeMs / 1_000} s; expected at most ${reachMs / 1_000} s at this period and statistic`,
    );
  }
}

/**
 * Samples under which `evaluateLowSampleCountPercentiles: ignore` ignores a percentile.
 * Source: CloudWatch guide, "Percentile-based CloudWatch alarms and low data samples", 2023-06: 10 / (1 - p), below p50 10 / p.
 */
function sampleFloorOf(percent: number): number {
  const far = percent >= 50 ? 100 - percent : percent;
  return far <= 0 ? 0 : 1_000 / far;
}

function lowSampleFloorOf(inputs: MetricAlarmInputs, place: string, complaints: Complaints): number {
  if (inputs.evaluateLowSampleCountPercentiles === undefined) return 0;
  const statistic = parseStatistic(inputs.extendedStatistic ?? "");
  if (statistic?.kind !== "percentile") {
    complaints.invalid.push(
      `${place}: evaluateLowSampleCountPercentiles: expected only beside an extendedStatistic pNN`,
    );
    return 0;
  }
  return inputs.evaluateLowSampleCountPercentiles === "ignore" ? sampleFloorOf(statistic.percent) : 0;
}

/**
 * A metric alarm from captured inputs, with every problem at once.
 *
 * @throws NotModelledError naming each property, statistic or value that the local CloudWatch lacks
 * @throws InvalidRequestError for what CloudWatch itself refuses
 */
export function readMetricAlarm(inputs: unknown): MetricAlarmDefinition {
  const place = placeOf(inputs, "name");
  const parsed = parse(metricAlarmShape, inputs, place);
  const complaints = new Complaints();
  const watched = parsed.metricQueries
    ? watchedByQueries(parsed, place, complaints)
    : watchedByPlainForm(parsed, place, complaints);
  const { evaluationPeriods } = parsed;
  const datapointsToAlarm = parsed.datapointsToAlarm ?? evaluationPeriods;
  if (datapointsToAlarm > evaluationPeriods) {
    complaints.invalid.push(
      `${place}: datapointsToAlarm: got ${datapointsToAlarm}; expected at most evaluationPeriods, ${evaluationPeriods}`,
    );
  }
  // Source: CloudWatch guide, 2023-06: alarms on AWS/DynamoDB always ignore missing data, whatever is asked.
  const alwaysIgnores = watched.metrics.some((metric) => metric.namespace === "AWS/DynamoDB");
  const definition: MetricAlarmDefinition = {
    name: parsed.name,
    settings: {
      evaluationPeriods,
      datapointsToAlarm,
      threshold: parsed.threshold,
      comparison: parsed.comparisonOperator,
      treatMissingData: alwaysIgnores ? "ignore" : parsed.treatMissingData,
    },
    periodSeconds: watched.periods[0] ?? 60,
    metrics: watched.metrics,
    expressions: watched.expressions,
    returnId: watched.returnId,
    lowSampleFloor: lowSampleFloorOf(parsed, place, complaints),
    ...actionsOf(parsed),
  };
  checkReach(definition, place, complaints);
  complaints.throwIfAny();
  return definition;
}

/** A composite alarm from captured inputs. @throws NotModelledError, InvalidRequestError as `readMetricAlarm` */
export function readCompositeAlarm(inputs: unknown): CompositeAlarmDefinition {
  const parsed = parse(compositeShape, inputs, placeOf(inputs, "alarmName"));
  return { name: parsed.alarmName, rule: parsed.alarmRule, ...actionsOf(parsed) };
}

function placeOf(inputs: unknown, key: string): string {
  const name = typeof inputs === "object" && inputs !== null ? Reflect.get(inputs, key) : undefined;
  return typeof name === "string" ? `alarm ${name}` : "an alarm without a name";
}
