/**
 * One look of the deployed function: which reports are due and not out, and out with them (D6). It runs every quarter of an hour, so that a
 * report that failed, or whose hour was missed, is made good by the next look; the marks keep one from going out twice.
 *
 * A channel that fails does not keep the others from getting theirs, and then the run fails, so that its alarm rings.
 */
import { oneLine } from "../core/error-message.ts";
import type { Instant } from "../core/record.ts";
import { type SloReport, sloReport } from "../core/slo-report.ts";
import { latestDue, triedForMilliseconds } from "../core/slo-report-periods.ts";
import { rolloutsIn } from "../core/slo-report-rollouts.ts";
import { type CollectPorts, collectFacts, wholeIntervals } from "./collect.ts";
import type { ReportMarks } from "./marks.ts";

/** Somewhere a report goes. */
export interface ReportChannel {
  readonly name: string;
  send(report: SloReport): Promise<void>;
}

export interface LookPorts extends CollectPorts {
  readonly environment: string;
  readonly marks: ReportMarks;
  readonly channels: readonly ReportChannel[];
  readonly now: () => Instant;
}

/** A report did not reach everybody, or could not be made. */
export class ReportFailedError extends Error {
  override readonly name = "ReportFailedError";
}

/** Metrics of the last minutes arrive late; a rollout is reported once they are in. Unit: milliseconds. */
const settleMilliseconds = 10 * 60_000;

interface Due {
  /** Names it in the marks. */
  readonly id: string;
  readonly period: Parameters<typeof collectFacts>[1];
}

/** @returns `<report> to <channel>` of all that was sent. @throws ReportFailedError after everything was tried */
export async function look(ports: LookPorts): Promise<readonly string[]> {
  const now = ports.now();
  const armedAt = await ports.marks.armedAt(now);
  const failures: string[] = [];
  const sent: string[] = [];
  const due = [...duePeriods(ports.environment, now), ...(await dueRollouts(ports, now, failures))];
  for (const { id, period, dueAt } of due) {
    if (dueAt < armedAt || dueAt > now || now - dueAt >= triedForMilliseconds) continue;
    try {
      sent.push(...(await deliver(ports, { id, period }, failures)));
    } catch (error) {
      failures.push(`report ${id}: ${oneLine(error)}`);
    }
  }
  if (failures.length > 0) {
    throw new ReportFailedError(
      [
        `reports: ${failures.length} failed, tried again at the next look:`,
        ...failures.map((each) => `  ${each}`),
      ].join("\n"),
    );
  }
  return sent;
}

function duePeriods(environment: string, now: Instant): (Due & { readonly dueAt: Instant })[] {
  return (["week", "quarter"] as const).map((kind) => {
    const { label, from, to, dueAt } = latestDue(kind, now);
    return { id: `${kind}/${label}`, period: { kind, label, environment, from, to, now }, dueAt };
  });
}

/** Rollouts that ended within the time in which a report is tried. */
async function dueRollouts(
  { records, environment }: LookPorts,
  now: Instant,
  failures: string[],
): Promise<(Due & { readonly dueAt: Instant })[]> {
  const due: (Due & { readonly dueAt: Instant })[] = [];
  for (const service of await records.list()) {
    try {
      for (const { version, startedAt, endedAt, outcome } of rolloutsIn(await records.history(service))) {
        if (endedAt === undefined || outcome === "replaced") continue;
        due.push({
          id: `rollout/${service}/${endedAt}`,
          period: {
            kind: "rollout",
            label: `${service} ${version}`,
            environment,
            service,
            now,
            ...wholeIntervals(startedAt, endedAt),
          },
          dueAt: wholeIntervals(startedAt, endedAt).to + settleMilliseconds,
        });
      }
    } catch (error) {
      failures.push(`${service}: its history cannot be read: ${oneLine(error)}`);
    }
  }
  return due;
}

async function deliver(ports: LookPorts, { id, period }: Due, failures: string[]): Promise<string[]> {
  const missing = async () => {
    const has = await ports.marks.deliveredTo(id);
    return ports.channels.filter(({ name }) => !has.has(name));
  };
  if ((await missing()).length === 0 || !(await ports.marks.claim(id, period.now))) return [];
  const sent: string[] = [];
  try {
    // Read again under the claim: another run may just have finished.
    const channels = await missing();
    if (channels.length === 0) return [];
    const facts = await collectFacts(ports, period);
    if (facts.services.length === 0 && facts.gaps.length > 0) {
      throw new ReportFailedError(`nothing could be read: ${facts.gaps.join("; ")}`);
    }
    // An environment without services has nothing to tell every week.
    if (facts.services.length === 0) return [];
    const report = sloReport(facts);
    for (const channel of channels) {
      try {
        await channel.send(report);
        await ports.marks.markDelivered(id, channel.name);
        sent.push(`${id} to ${channel.name}`);
      } catch (error) {
        failures.push(`report ${id} to ${channel.name}: ${oneLine(error)}`);
      }
    }
    return sent;
  } finally {
    await ports.marks.release(id);
  }
}
