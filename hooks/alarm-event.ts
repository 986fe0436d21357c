/** An alarm spoke: look at its service now. The event itself decides nothing; it may be late, doubled or out of order. */
import { drillService } from "../core/naming.ts";
import { drillArrived } from "./drill.ts";
import type { Ports } from "./ports.ts";
import { reconcileService } from "./reconcile.ts";

/** The service in `tidegate/<environment>/<service>/…`; `undefined` for a name that is not ours. */
export function serviceOfAlarm(alarmName: string): string | undefined {
  const [product, environment, service] = alarmName.split("/");
  return product === "tidegate" && environment && service ? service : undefined;
}

/**
 * @returns one line for people
 * @throws Error naming an alarm that is not ours, or of another environment: an event rule that lets such through is misconfigured
 */
export async function onAlarmEvent(ports: Ports, alarmName: string): Promise<string> {
  const service = serviceOfAlarm(alarmName);
  const prefix = `tidegate/${ports.place.environment}/`;
  if (service === undefined || !alarmName.startsWith(prefix)) {
    throw new Error(
      `alarm "${alarmName.slice(0, 300)}": not one of ours; expected ${prefix}<service>/…. Look at the event rule's prefix`,
    );
  }
  if (service === drillService) return drillArrived(ports);
  const what = await reconcileService(ports, service);
  if (what === "retired") return `${service} is retired; ${alarmName} changes nothing`;
  if (what === "unknown") {
    // A first `up` makes alarms before it commits the record; one that speaks already means that nobody watches this service.
    const [alarm] = await ports.alarms.describe([alarmName]);
    if (alarm?.state === "ALARM") {
      throw new Error(
        `${service}: ${alarmName} speaks, and there is no record of the service; restore the table, or kill with --to`,
      );
    }
    return `${service} has no record yet, and ${alarmName} does not speak`;
  }
  return `${service} was looked at, because ${alarmName} spoke`;
}
