/**
 * The drill: an alarm of nobody's is set off, and what comes back through EventBridge must reach people as a page. It shows that the
 * path works before a night when it has to, and touches no traffic.
 */

import { messageOf } from "../core/error-message.ts";
import { drillAlarmName, drillService } from "../core/naming.ts";
import { pageMessageOf } from "../core/page-message.ts";
import type { Instant, Page } from "../core/record.ts";
import { oneError, PageNotDeliveredError } from "./deliver.ts";
import type { DrillState, Ports } from "./ports.ts";

/** A drill that did not come through is overdue after this: a week, and a day for a schedule that was late. Unit: milliseconds. */
export const drillOverdueMilliseconds = 8 * 24 * 60 * 60_000;

/** Starts the clock of an environment that has none, so that a drill that never ran is missed too. */
export async function armDrill(ports: Ports): Promise<DrillState> {
  const state = await ports.records.readDrill();
  if (state) return state;
  const armed = { armedAt: ports.clock.now() };
  await ports.records.writeDrill(armed);
  return armed;
}

/** Sets the drill's alarm off. @returns when, which names the drill */
export async function startDrill(ports: Ports): Promise<Instant> {
  const state = await armDrill(ports);
  const startedAt = ports.clock.now();
  // Written first: the alarm's event may be back before this run ends.
  await ports.records.writeDrill({ ...state, startedAt });
  await ports.alarms.setState(
    drillAlarmName(ports.place.environment),
    "ALARM",
    "Tidegate drill: shows that alarm, hook and page work. No traffic is touched",
  );
  return startedAt;
}

/** The drill's alarm came back: sends the page, and resolves it at once. @returns one line for people */
export async function drillArrived(ports: Ports): Promise<string> {
  const state = await ports.records.readDrill();
  const startedAt = state?.startedAt;
  if (!state || startedAt === undefined || (state.arrivedAt ?? 0) >= startedAt) {
    return "the drill's alarm changed its state, and no drill is waiting for it";
  }
  const page = drillPage(ports, startedAt);
  await send(ports, page);
  await ports.records.writeDrill({ ...state, arrivedAt: ports.clock.now() });
  ports.telemetry.metric("DrillArrived", 1);
  await send(ports, { ...page, id: `${page.id}-over`, action: "resolve", summary: `${page.summary}, over` });
  return `the drill of ${new Date(startedAt).toISOString()} came through`;
}

function drillPage(ports: Ports, startedAt: Instant): Page {
  const { environment } = ports.place;
  const at = ports.clock.now();
  return {
    id: `drill-${startedAt}`,
    dedupKey: `tidegate/${environment}/${drillService}/${startedAt}`,
    // It shows the path, and wakes nobody for it.
    severity: "warning",
    summary: `Tidegate ${environment}: DRILL, nothing is wrong`,
    detail: `alarm to page took ${((at - startedAt) / 1_000).toFixed(1)} s; no traffic was touched`,
    at,
    runbook: "drill-missing",
  };
}

async function send(ports: Ports, page: Page): Promise<void> {
  const { commands, ...message } = pageMessageOf(page, drillService, undefined, ports.place);
  const command = `npx tidegate drill --environment ${ports.place.environment} --region ${ports.place.region}`;
  const delivery = await ports.pager.send({ ...message, commands: [{ label: "once more", command }] }, []);
  // A drill is for every channel: one that nobody depends on is still one that people read.
  const failures = delivery.failed.map(
    ({ channel, error }) =>
      new PageNotDeliveredError(`drill: not taken by ${channel}: ${messageOf(error)}`, { cause: error }),
  );
  if (failures.length > 0) throw oneError(failures);
}
