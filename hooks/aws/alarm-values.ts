/** What metric alarms' own expressions came to, many alarms in one GetMetricData call. */
import type { CloudWatchClient, MetricAlarm } from "@aws-sdk/client-cloudwatch";
import type { AlarmValues } from "../../core/snapshot.ts";
import { type AskedAlarm, alarmQueries } from "./alarm-queries.ts";
import { call } from "./call.ts";
import { alignedRange, pointsOf, queriesPerCall, readMetricData, type TimeRange } from "./metric-data.ts";

/**
 * Values of the alarms, in their order.
 * @throws AlarmUnreadableError, MetricUnreadableError, AwsCallError: a snapshot says what it lacks rather than show half
 */
export async function alarmValuesOf(
  client: CloudWatchClient,
  alarms: readonly MetricAlarm[],
  range: TimeRange,
): Promise<AlarmValues[]> {
  const asked = alarms.map((alarm, index) => alarmQueries(alarm, `a${index}`));
  const found = new Map<AskedAlarm, AlarmValues["points"]>();
  for (const periodSeconds of new Set(asked.map((alarm) => alarm.periodSeconds))) {
    const group = asked.filter((alarm) => alarm.periodSeconds === periodSeconds);
    const aligned = alignedRange(range, periodSeconds);
    if (aligned.from === aligned.to) continue;
    for (const batch of wholeAlarmBatches(group)) {
      const names = batch.map((alarm) => alarm.alarmName).join(", ");
      const results = await call(`alarms ${names}: reading their values`, () =>
        readMetricData(
          client,
          batch.flatMap((alarm) => alarm.queries),
          aligned,
        ),
      );
      for (const alarm of batch) {
        found.set(alarm, pointsOf(`values of alarm ${alarm.alarmName}`, results.get(alarm.returnId) ?? []));
      }
    }
  }
  return asked.map((alarm) => ({
    alarmName: alarm.alarmName,
    threshold: alarm.threshold,
    badWhen: alarm.badWhen,
    points: found.get(alarm) ?? [],
  }));
}

/** Batches within the queries of one call; an alarm's queries stay together, for its expression reads them. */
function wholeAlarmBatches(alarms: readonly AskedAlarm[]): AskedAlarm[][] {
  const result: AskedAlarm[][] = [];
  let room = 0;
  for (const alarm of alarms) {
    const batch = result.at(-1);
    if (batch === undefined || alarm.queries.length > room) {
      result.push([alarm]);
      room = queriesPerCall - alarm.queries.length;
    } else {
      batch.push(alarm);
      room -= alarm.queries.length;
    }
  }
  return result;
}
