/** Alarm events as AWS documents them. Source: CloudWatch user guide, "Alarm events and EventBridge", read 2026-11. */
import { accountId, region } from "./places.ts";

/** What EventBridge hands to its targets when an alarm changes its state. */
export function stateChangeEvent(
  alarmName: string,
  state: "OK" | "ALARM" | "INSUFFICIENT_DATA",
  at: Date = new Date(),
): Record<string, unknown> {
  const timestamp = at.toISOString().replace("Z", "+0000");
  return {
    version: "0",
    id: "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "detail-type": "CloudWatch Alarm State Change",
    source: "aws.cloudwatch",
    account: accountId,
    time: at.toISOString().replace(/\.\d+Z$/, "Z"),
    region,
    resources: [`arn:aws:cloudwatch:${region}:${accountId}:alarm:${alarmName}`],
    detail: {
      alarmName,
      configuration: { description: "error rate", metrics: [] },
      previousState: { timestamp, value: state === "ALARM" ? "OK" : "ALARM", reason: "Threshold Crossed" },
      state: {
        value: state,
        timestamp,
        reason: "Threshold Crossed: 2 out of the last 3 datapoints were greater than the threshold (1.0)",
        reasonData: JSON.stringify({ version: "1.0", threshold: 1 }),
      },
    },
  };
}

/** What an alarm with a Lambda action invokes the function with. */
export function directActionEvent(alarmName: string, state: "OK" | "ALARM", at: Date = new Date()): object {
  const timestamp = at.toISOString().replace("Z", "+0000");
  return {
    source: "aws.cloudwatch",
    alarmArn: `arn:aws:cloudwatch:${region}:${accountId}:alarm:${alarmName}`,
    accountId,
    time: timestamp,
    region,
    alarmData: {
      alarmName,
      state: { value: state, reason: "Threshold Crossed", timestamp },
      previousState: { value: state === "ALARM" ? "OK" : "ALARM", reason: "Threshold Crossed", timestamp },
      configuration: { description: "error rate", metrics: [] },
    },
  };
}
