/**
 * Alarm states from CloudWatch, metric and composite alarms alike. (CloudWatch leaves composites out unless asked for them.)
 */
import {
  type CloudWatchClient,
  type CompositeAlarm,
  type MetricAlarm,
  paginateDescribeAlarms,
} from "@aws-sdk/client-cloudwatch";
import type { AlarmState, Alarms } from "../ports.ts";
import { batches, call } from "./call.ts";

/** Names and records in one DescribeAlarms call. Source: CloudWatch API reference, read 2026-11. */
const alarmsPerCall = 100;

const states: readonly string[] = ["OK", "ALARM", "INSUFFICIENT_DATA"] satisfies AlarmState["state"][];

/** Alarm states of one account and region. */
export function cloudWatchAlarms(client: CloudWatchClient): Alarms {
  return {
    async describe(alarmNames) {
      const found: AlarmState[] = [];
      // No batch is ever empty: DescribeAlarms without names means all alarms there are.
      for (const names of batches([...new Set(alarmNames)], alarmsPerCall)) {
        const input = { AlarmNames: names, AlarmTypes: ["MetricAlarm" as const, "CompositeAlarm" as const] };
        const alarms = await call(`alarms ${names.join(", ")}: reading their states`, async () => {
          const all: (MetricAlarm | CompositeAlarm)[] = [];
          for await (const page of paginateDescribeAlarms({ client, pageSize: alarmsPerCall }, input)) {
            all.push(...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? []));
          }
          return all;
        });
        found.push(...alarms.map(stateOf));
      }
      return found;
    },
  };
}

/**
 * `updatedAt` is when the state last became another one; StateUpdatedTimestamp moves with every re-evaluation note too, which
 * would make an old alarm look new.
 */
function stateOf(alarm: MetricAlarm | CompositeAlarm): AlarmState {
  const { AlarmName, StateValue, ActionsEnabled } = alarm;
  const updated = alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp;
  if (AlarmName === undefined || updated === undefined || !isState(StateValue) || ActionsEnabled === undefined) {
    throw new TypeError(
      `alarm ${AlarmName}: DescribeAlarms answered half, got state ${StateValue}, updated ${updated}, actions enabled ${ActionsEnabled}; expected all three`,
    );
  }
  return { alarmName: AlarmName, state: StateValue, updatedAt: updated.getTime(), actionsEnabled: ActionsEnabled };
}

function isState(value: string | undefined): value is AlarmState["state"] {
  return value !== undefined && states.includes(value);
}
