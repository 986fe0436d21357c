/** `drill`: sets the drill's alarm off through the hook and waits until its page was sent (D4). It touches no traffic. */
import { oneLine } from "../core/error-message.ts";
import type { Instant } from "../core/record.ts";
import { runbookLink } from "../core/runbooks.ts";
import type { DrillState, Ports } from "../hooks/ports.ts";
import { callHook, patienceMilliseconds } from "./call-hook.ts";
import type { Surroundings } from "./command.ts";
import { RefusedError } from "./failures.ts";
import { type DrillJson, isoOrNull, jsonText, whereJson } from "./json.ts";
import { begin, type Operation, type OperatorFlags } from "./operation.ts";

/** An alarm set by hand reaches the hook within seconds; twice a minute is surely too late. Unit: milliseconds. */
const limitMilliseconds = 120_000;
/** Unit: milliseconds. */
const pollMilliseconds = 2_000;

export async function drillCommand(flags: OperatorFlags, surroundings: Surroundings): Promise<void> {
  const operation = await begin("drill", flags, surroundings, () => undefined);
  const ports = await operation.connection.ports();
  const before = await stateBefore(ports);
  const reply = await callHook(operation.connection, operation.outside.timers, {
    alias: "live",
    event: { kind: "tidegate:drill" },
    limitMilliseconds: patienceMilliseconds,
    done: "drill-started",
  });
  const runbookBase = ports.place.runbookBase;
  if (reply.kind !== "done") {
    const why = reply.kind === "failed" ? reply.why : `the hook refuses: ${reply.message}`;
    return finish(operation, { problem: `not started: ${why}`, runbook: runbookLink(runbookBase, "hook-failing") });
  }
  if (!operation.asksJson)
    operation.note(`${reply.message}; waiting for its page, at most ${limitMilliseconds / 1_000} s`);
  finish(operation, await arrival(ports, before, runbookLink(runbookBase, "drill-missing")));
}

/** How a drill ended. */
interface Ending {
  /** Absent: this drill was never seen in the record. */
  readonly startedAt?: Instant;
  readonly arrivedAt?: Instant;
  /** Absent: it came through. */
  readonly problem?: string;
  readonly runbook?: string;
}

/** @throws RefusedError where it did not come through, after the JSON object was printed */
function finish({ asksJson, out, place }: Operation, { startedAt, arrivedAt, problem, runbook }: Ending): void {
  const seconds = startedAt === undefined || arrivedAt === undefined ? null : (arrivedAt - startedAt) / 1_000;
  const json: DrillJson = {
    command: "drill",
    ...whereJson(place),
    outcome: problem === undefined ? "arrived" : "missing",
    startedAt: isoOrNull(startedAt),
    arrivedAt: isoOrNull(arrivedAt),
    secondsFromAlarmToPage: seconds,
    runbook: runbook ?? null,
  };
  if (asksJson) out(jsonText(json));
  if (problem !== undefined) throw new RefusedError(`drill of ${place.environment}: ${problem}. Go on with ${runbook}`);
  if (!asksJson)
    out(`drill of ${place.environment}: ${seconds?.toFixed(1)} s from alarm to page; no traffic was touched`);
}

async function stateBefore(ports: Ports): Promise<DrillState | undefined> {
  try {
    return await ports.records.readDrill();
  } catch (error) {
    throw new RefusedError(
      `drill: its state cannot be read, so nobody could say whether it came through: ${oneLine(error)}`,
    );
  }
}

/** Looks until this drill (not the one before) has come through. */
async function arrival(ports: Ports, before: DrillState | undefined, runbook: string): Promise<Ending> {
  const until = ports.clock.now() + limitMilliseconds;
  while (true) {
    const read = await readState(ports);
    const { startedAt, arrivedAt } = read.state ?? {};
    const isNew = startedAt !== undefined && startedAt !== before?.startedAt;
    if (isNew && arrivedAt !== undefined && arrivedAt >= startedAt) return { startedAt, arrivedAt };
    if (ports.clock.now() >= until) {
      const why = read.failure === undefined ? "" : ` (its state cannot be read: ${read.failure})`;
      const problem = `no page within ${limitMilliseconds / 1_000} s${why}`;
      return { ...(isNew ? { startedAt } : {}), problem, runbook };
    }
    await ports.clock.sleep(pollMilliseconds);
  }
}

/** One read that fails is no reason to stop looking. */
async function readState(
  ports: Ports,
): Promise<{ readonly state?: DrillState | undefined; readonly failure?: string }> {
  try {
    return { state: await ports.records.readDrill() };
  } catch (error) {
    return { failure: oneLine(error) };
  }
}
