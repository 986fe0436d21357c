/** An alarm spoke: look at its service now. The event itself decides nothing; it may be late, doubled or out of order. */
import type { Ports } from "./ports.ts";
import { reconcileService } from "./reconcile.ts";

/** The service in `tidegate/<environment>/<service>/…`; `undefined` for a name that is not ours. */
export function serviceOfAlarm(alarmName: string): string | undefined {
  const [product, environment, service] = alarmName.split("/");
  return product === "tidegate" && environment && service ? service : undefined;
}

/** @throws Error naming an alarm that is not ours: an event rule that lets such through is misconfigured */
export async function onAlarmEvent(ports: Ports, alarmName: string): Promise<void> {
  const service = serviceOfAlarm(alarmName);
  if (service === undefined) {
    throw new Error(
      `alarm "${alarmName}": not one of ours; expected tidegate/<environment>/<service>/…. Look at the event rule's prefix`,
    );
  }
  await reconcileService(ports, service);
}
