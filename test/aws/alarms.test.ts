/**
 * The alarms contract on CloudWatch, as ministack has it. Its evaluation of alarms is not AWS's (dimensions, M of N, missing
 * data), so states are set, and nothing here says how one comes about.
 */
import {
  CloudWatchClient,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { cloudWatchAlarms } from "../../hooks/aws/alarms.ts";
import { clientSettings } from "../../hooks/aws/clients.ts";
import { type AlarmsUnderTest, describeAlarmsContract } from "../contract/alarms.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

emulatorEndpoint("AWS_ENDPOINT_URL");
const client = new CloudWatchClient(clientSettings(access));

async function putMetricAlarm(alarmName: string, actionsEnabled: boolean): Promise<void> {
  await client.send(
    new PutMetricAlarmCommand({
      AlarmName: alarmName,
      ActionsEnabled: actionsEnabled,
      Namespace: "Tidegate",
      MetricName: "Errors",
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      Threshold: 1,
      ComparisonOperator: "GreaterThanThreshold",
      TreatMissingData: "missing",
    }),
  );
}

async function makeAlarms(): Promise<AlarmsUnderTest> {
  return {
    alarms: cloudWatchAlarms(client),
    now: () => Date.now(),
    minuteBorder: () => Math.floor(Date.now() / 60_000) * 60_000,
    async put({ metricName, service }, at, value) {
      const Dimensions = [{ Name: "Service", Value: service }];
      const datum = { MetricName: metricName, Dimensions, Timestamp: new Date(at), Value: value };
      await client.send(new PutMetricDataCommand({ Namespace: "Tidegate", MetricData: [datum] }));
    },
    async makeAlarmOn(alarmName, { comparisonOperator, threshold, metrics }) {
      const [metric] = Object.values(metrics);
      await client.send(
        new PutMetricAlarmCommand({
          AlarmName: alarmName,
          Namespace: "Tidegate",
          MetricName: metric?.metricName,
          Dimensions: [{ Name: "Service", Value: metric?.service }],
          Statistic: "Sum",
          Period: 60,
          EvaluationPeriods: 1,
          Threshold: threshold,
          ComparisonOperator: comparisonOperator,
        }),
      );
    },
    async makeAlarm(alarmName, kind, actionsEnabled) {
      if (kind === "metric") return putMetricAlarm(alarmName, actionsEnabled);
      const child = `${alarmName}/child`;
      await putMetricAlarm(child, true);
      await client.send(
        new PutCompositeAlarmCommand({
          AlarmName: alarmName,
          ActionsEnabled: actionsEnabled,
          AlarmRule: `ALARM("${child}")`,
        }),
      );
    },
    async setState(alarmName, state) {
      await client.send(
        new SetAlarmStateCommand({ AlarmName: alarmName, StateValue: state, StateReason: "set by a test" }),
      );
    },
    freshName: () => `tidegate/production/${freshName("checkout")}/error-rate/critical/60s`,
  };
}

// ministack drops the metrics of a math alarm and computes no expression.
describeAlarmsContract("CloudWatch on ministack", { metricMath: false }, makeAlarms);
