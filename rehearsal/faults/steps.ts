/** The steps of an opening and of a rollback, each with the lie that could plausibly be told there. */
import type { AlarmValues } from "../../core/snapshot.ts";
import { type Calls, type Lie, type PortStep, plausible } from "./inject.ts";

/** Steps that are no port call: what Pulumi's engine does, and what EventBridge does. */
export type OutsideStep = "modify-rule" | "invoke-opening" | "alarm-event";

export interface Step {
  /** In the docs. */
  readonly title: string;
  /** What is said where a wrong answer comes, in words. */
  readonly lieText: string;
  readonly at: PortStep | OutsideStep;
}

const has = (calls: Calls, call: Calls[number]): boolean => calls.includes(call);
const hookRuns = ["alarm", "schedule"] as const;

const onHook = (call: PortStep["call"], lie: Lie, isMeant?: PortStep["isMeant"]): PortStep => ({
  actor: "hook",
  causes: hookRuns,
  call,
  lie,
  ...(isMeant ? { isMeant } : {}),
});
const onUp = (call: PortStep["call"], lie: Lie, isMeant?: PortStep["isMeant"]): PortStep => ({
  actor: "up",
  call,
  lie,
  ...(isMeant ? { isMeant } : {}),
});
const onCommit = (call: PortStep["call"], lie: Lie): PortStep => ({ actor: "hook", causes: ["opening"], call, lie });

/** The guard's first call is a read of the record of its own; the program has listed the services before. */
const inGuard = (calls: Calls): boolean => has(calls, "records.list");

const deadHosts: Lie = async () => ({ healthyCount: 0, totalCount: 0 });
/** Whoever asks about the baseline is told that it has lost its hosts. */
const lostBaseline: Lie = async ({ args, carryOut }) =>
  String(args[0]).includes("2-3-1") ? { healthyCount: 0, totalCount: 4 } : carryOut();
/** The answers of two alarms mixed up: the baseline looks as bad as the canary. */
const mixedUp: Lie = async ({ carryOut }) => {
  const values = (await carryOut()) as readonly AlarmValues[];
  return values.map((each) => {
    const key = each.alarmName.split("/").slice(4).join("/");
    const worst = values.find((other) => other.alarmName.includes("/2-4-0-") && other.alarmName.endsWith(`/${key}`));
    return { ...each, points: worst?.points ?? each.points };
  });
};

export const openingSteps: readonly Step[] = [
  {
    title: "program reads the record",
    lieText: "the record of a minute ago",
    at: onUp("records.read", plausible.stale, (calls) => !inGuard(calls)),
  },
  {
    title: "guard reads the record",
    lieText: "the record of a minute ago",
    at: onUp("records.read", plausible.stale, inGuard),
  },
  {
    title: "guard reads the rules",
    lieText: "the rules of a minute ago",
    at: onUp("traffic.readRules", plausible.stale, inGuard),
  },
  { title: "guard looks at the hosts", lieText: "no host anywhere", at: onUp("traffic.targetHealth", deadHosts) },
  {
    title: "guard looks at the alarms",
    lieText: "there are none",
    at: onUp("alarms.describe", plausible.nothing, inGuard),
  },
  {
    title: "guard reads the heartbeat",
    lieText: "a heartbeat of long ago",
    at: onUp("records.readHeartbeat", async () => 0),
  },
  {
    title: "guard writes the lease",
    lieText: "a conflict, though it was written",
    at: onUp("records.write", plausible.conflictAfterEffect),
  },
  {
    title: "guard writes the history",
    lieText: "done, though it was not",
    at: onUp("records.appendHistory", plausible.notDone),
  },
  { title: "Pulumi writes the rule", lieText: "done, though it was not", at: "modify-rule" },
  { title: "Pulumi invokes the opening", lieText: "done, though nothing ran", at: "invoke-opening" },
  {
    title: "opening reads the record",
    lieText: "the record of a minute ago",
    at: onCommit("records.read", plausible.stale),
  },
  {
    title: "opening reads the rules back",
    lieText: "the rules of a minute ago",
    at: onCommit("traffic.readRules", plausible.stale),
  },
  {
    title: "opening writes the record",
    lieText: "a conflict, though it was written",
    at: onCommit("records.write", plausible.conflictAfterEffect),
  },
  {
    title: "opening writes the history",
    lieText: "done, though it was not",
    at: onCommit("records.appendHistory", plausible.notDone),
  },
];

const afterPage = (calls: Calls): boolean => has(calls, "pager.send") || has(calls, "records.writeSnapshot");

export const rollbackSteps: readonly Step[] = [
  { title: "the alarm's event arrives", lieText: "the event of another alarm", at: "alarm-event" },
  { title: "hook lists the services", lieText: "there are none", at: onHook("records.list", plausible.nothing) },
  {
    title: "hook reads the record",
    lieText: "the record of a minute ago",
    at: onHook("records.read", plausible.stale, (calls) => !has(calls, "records.write")),
  },
  {
    title: "hook reads the rules",
    lieText: "the rules of before the wave",
    at: onHook("traffic.readRules", plausible.stale, (calls) => !has(calls, "traffic.writeRule")),
  },
  { title: "hook reads the alarms", lieText: "there are none", at: onHook("alarms.describe", plausible.nothing) },
  {
    title: "hook reads the counts",
    lieText: "nothing was measured",
    at: onHook("metrics.requestSums", plausible.noSums),
  },
  {
    title: "hook reads the alarms' values",
    lieText: "the canary's, for the baseline too",
    at: onHook("alarms.values", mixedUp),
  },
  {
    title: "hook looks at the hosts",
    lieText: "the baseline has lost all",
    at: onHook("traffic.targetHealth", lostBaseline),
  },
  {
    title: "hook writes the record",
    lieText: "a conflict, though it was written",
    at: onHook("records.write", plausible.conflictAfterEffect, (calls) => !afterPage(calls)),
  },
  {
    title: "hook writes the rule",
    lieText: "done, though it was not",
    at: onHook("traffic.writeRule", plausible.notDone),
  },
  {
    title: "hook reads the rule back",
    lieText: "the rule of a minute ago",
    at: onHook("traffic.readRules", plausible.stale, (calls) => has(calls, "traffic.writeRule")),
  },
  {
    title: "hook sends the page",
    lieText: "not taken, though it was",
    at: onHook("pager.send", plausible.notTakenThoughTaken),
  },
  {
    title: "hook writes the snapshot",
    lieText: "done, though it was not",
    at: onHook("records.writeSnapshot", plausible.notDone),
  },
  {
    title: "hook writes the history",
    lieText: "done, though it was not",
    at: onHook("records.appendHistory", plausible.notDone),
  },
  {
    title: "hook takes the page off its list",
    lieText: "a conflict, though it was written",
    at: onHook("records.write", plausible.conflictAfterEffect, afterPage),
  },
  {
    title: "hook writes its heartbeat",
    lieText: "done, though it was not",
    at: onHook("records.writeHeartbeat", plausible.notDone),
  },
];
