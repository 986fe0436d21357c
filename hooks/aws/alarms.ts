/**
 * Alarms from CloudWatch: states of metric and composite alarms alike (CloudWatch leaves composites out unless asked for them),
 * values of metric alarms, and states set by hand for drills.
 */
import {
  type CloudWatchClient,
  type CompositeAlarm,
  type MetricAlarm,
  paginateDescribeAlarms,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import type { AlarmState, Alarms } from "../ports.ts";
import { alarmValuesOf } from "./alarm-values.ts";
import { batches, call } from "./call.ts";

/** Names and records in one DescribeAlarms call. Source: CloudWatch API reference, read 2026-11. */
const alarmsPerCall = 100;

/** Longest reason of a state set by hand. Unit: characters. Source: CloudWatch API reference, SetAlarmState, read 2026-11. */
const maximumReasonLength = 1_023;

const states: readonly string[] = ["OK", "ALARM", "INSUFFICIENT_DATA"] satisfies AlarmState["state"][];

/** Alarms of one account and region. */
export function cloudWatchAlarms(client: CloudWatchClient): Alarms {
  async function definitions(
    doing: string,
    alarmNames: readonly string[],
    types: readonly ("MetricAlarm" | "CompositeAlarm")[],
  ) {
    const metric: MetricAlarm[] = [];
    const composite: CompositeAlarm[] = [];
    // No batch is ever empty: DescribeAlarms without names means all alarms there are.
    for (const names of batches([...new Set(alarmNames)], alarmsPerCall)) {
      const input = { AlarmNames: names, AlarmTypes: [...types] };
      await call(`alarms ${names.join(", ")}: ${doing}`, async () => {
        for await (const page of paginateDescribeAlarms({ client, pageSize: alarmsPerCall }, input)) {
          metric.push(...(page.MetricAlarms ?? []));
          composite.push(...(page.CompositeAlarms ?? []));
        }
      });
    }
    return { metric, composite };
  }

  return {
    async describe(alarmNames) {
      const { metric, composite } = await definitions("reading their states", alarmNames, [
        "MetricAlarm",
        "CompositeAlarm",
      ]);
      return [...metric, ...composite].map(stateOf);
    },

    async values(alarmNames, range) {
      const { metric } = await definitions("reading their definitions", alarmNames, ["MetricAlarm"]);
      return alarmValuesOf(client, metric, range);
    },

    async setState(alarmName, state, reason) {
      const set = new SetAlarmStateCommand({
        AlarmName: alarmName,
        StateValue: state,
        StateReason: reason.slice(0, maximumReasonLength),
      });
      await call(`alarm ${alarmName}: setting it to ${state}`, () => client.send(set));
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
