/**
 * The person on call: hears what wakes somebody, whichever way it comes, and some minutes later kills by hand where the release still has
 * traffic. Knows nothing but what a page says.
 */
import type { Instant } from "../../core/record.ts";
import type { CloudEvent, LocalCloud } from "../cloud/types.ts";

/** What woke them. */
export interface Woken {
  readonly at: Instant;
  readonly by: string;
}

/** Whether an event wakes somebody, and what it says; the topic's name tells critical ones apart, as people subscribed to it. */
export function wokenBy(event: CloudEvent): Woken | undefined {
  if (event.kind === "page" && event.page.severity === "critical" && event.page.action !== "resolve") {
    return { at: event.at, by: `${event.by}: ${event.page.summary}` };
  }
  const isAlarm = event.kind === "notification" && event.state === "ALARM" && event.recipients.length > 0;
  if (isAlarm && event.topicArn.endsWith("-critical")) return { at: event.at, by: `alarm: ${event.alarmName}` };
  return undefined;
}

/** Calls back whenever somebody is woken. */
export function onWoken(cloud: LocalCloud, callBack: (woken: Woken) => void): void {
  cloud.onEvent((event) => {
    const woken = wokenBy(event);
    if (woken) callBack(woken);
  });
}
