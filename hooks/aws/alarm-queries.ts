/**
 * A metric alarm's definition as the queries that ask for its own values: the very metrics and expressions that CloudWatch
 * compares, under ids that several alarms of one call cannot share. What cannot be asked like that is refused by name.
 */
import type { MetricAlarm, MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import type { AlarmValues } from "../../core/snapshot.ts";

/** An alarm that this version cannot ask for its values. */
export class AlarmUnreadableError extends Error {
  override readonly name = "AlarmUnreadableError";
}

/** One alarm, ready to be asked. */
export interface AskedAlarm {
  readonly alarmName: string;
  readonly threshold: number;
  readonly badWhen: AlarmValues["badWhen"];
  readonly periodSeconds: number;
  readonly queries: readonly MetricDataQuery[];
  /** The query whose values are compared with the threshold. */
  readonly returnId: string;
}

const directions: Readonly<Record<string, AlarmValues["badWhen"]>> = {
  GreaterThanThreshold: "above",
  GreaterThanOrEqualToThreshold: "atLeast",
  LessThanThreshold: "below",
  LessThanOrEqualToThreshold: "atMost",
};

/** Functions that read more than the ids they name; several alarms in one call would see each other's metrics. */
const wideFunctions = /\b(METRICS|SEARCH|SELECT|ANOMALY_DETECTION_BAND|SERVICE_QUOTA|LAMBDA|DB_PERF_INSIGHTS)\b/;

/**
 * The queries of one alarm.
 * @param prefix makes its ids its own; lower-case letter first, as CloudWatch wants
 * @throws AlarmUnreadableError
 */
export function alarmQueries(alarm: MetricAlarm, prefix: string): AskedAlarm {
  const { AlarmName: alarmName, Threshold: threshold, ComparisonOperator: comparison } = alarm;
  const refuse = (found: string, expected: string) =>
    new AlarmUnreadableError(`alarm ${alarmName}: its values cannot be asked for, got ${found}; expected ${expected}`);
  if (alarmName === undefined) throw refuse("no name", "a name");
  const badWhen = comparison === undefined ? undefined : directions[comparison];
  if (badWhen === undefined || alarm.ThresholdMetricId !== undefined) {
    throw refuse(`the comparison ${comparison}`, `one of ${Object.keys(directions).join(", ")} with a fixed threshold`);
  }
  if (threshold === undefined) throw refuse("no threshold", "a number");
  const common = { alarmName, threshold, badWhen };
  const math = alarm.Metrics ?? [];
  if (math.length === 0) return { ...common, ...plainQuery(alarm, prefix, refuse) };
  return { ...common, ...mathQueries(math, prefix, refuse) };
}

type Refuse = (found: string, expected: string) => AlarmUnreadableError;
type Asked = Pick<AskedAlarm, "periodSeconds" | "queries" | "returnId">;

function plainQuery(alarm: MetricAlarm, prefix: string, refuse: Refuse): Asked {
  const { Namespace, MetricName, Dimensions = [], Period, Unit } = alarm;
  const Stat = alarm.Statistic ?? alarm.ExtendedStatistic;
  if (Namespace === undefined || MetricName === undefined || Period === undefined || Stat === undefined) {
    throw refuse(
      `namespace ${Namespace}, metric ${MetricName}, period ${Period}, statistic ${Stat}`,
      "all four, or metric math",
    );
  }
  const metric = { Namespace, MetricName, Dimensions };
  const stat = { Metric: metric, Period, Stat, ...(Unit === undefined ? {} : { Unit }) };
  return {
    periodSeconds: Period,
    returnId: prefix,
    queries: [{ Id: prefix, MetricStat: stat, ReturnData: true }],
  };
}

function mathQueries(math: readonly MetricDataQuery[], prefix: string, refuse: Refuse): Asked {
  const ids = new Set(math.map((query) => query.Id ?? ""));
  const rename = (id: string) => `${prefix}_${id}`;
  const returned = math.filter((query) => query.ReturnData !== false).map((query) => query.Id ?? "");
  const [returnId] = returned;
  if (returnId === undefined || returned.length > 1) {
    throw refuse(`${returned.length} queries that return data (${returned.join(", ")})`, "exactly one");
  }
  const periods = new Set(math.flatMap((query) => query.MetricStat?.Period ?? query.Period ?? []));
  const [periodSeconds] = periods;
  if (periodSeconds === undefined || periods.size > 1) {
    throw refuse(`periods of ${[...periods].join(", ") || "none"} s`, "one period for all its metrics");
  }
  const queries = math.map(({ Id = "", Expression, MetricStat, AccountId }): MetricDataQuery => {
    if (Expression !== undefined && wideFunctions.test(Expression)) {
      throw refuse(`the expression ${Expression}`, "arithmetic over the alarm's own metrics");
    }
    return {
      Id: rename(Id),
      ReturnData: Id === returnId,
      ...(MetricStat === undefined ? {} : { MetricStat }),
      ...(AccountId === undefined ? {} : { AccountId }),
      ...(Expression === undefined ? {} : { Expression: renamed(Expression, ids, rename), Period: periodSeconds }),
    };
  });
  return { periodSeconds, queries, returnId: rename(returnId) };
}

/** The expression with its ids renamed; function names and words such as `REPEAT` are upper case, so no id is one. */
function renamed(expression: string, ids: ReadonlySet<string>, rename: (id: string) => string): string {
  return expression.replace(/(?<![A-Za-z0-9_.])[A-Za-z_][A-Za-z0-9_]*/g, (word) =>
    ids.has(word) ? rename(word) : word,
  );
}
