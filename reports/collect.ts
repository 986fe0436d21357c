/** Collects the facts of a report: records, histories and figures of every service. What cannot be read is a gap that the report names. */
import { errorBudgetOf } from "../core/burn-rate.ts";
import { oneLine } from "../core/error-message.ts";
import type { Instant, RolloutRecord } from "../core/record.ts";
import type { ReportFacts, ServiceFactsFound } from "../core/slo-report.ts";
import type { RecordStore } from "../hooks/ports.ts";
import type { ReportSource, TimeSpan } from "./sources/source.ts";

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** A rollout of minutes is not told by the hour; figures this fine are kept 63 days (CloudWatch guide, read 2026-11). Unit: milliseconds. */
const longestFine = 3 * dayMs;
/** Of a longer one the end is read finely all the same: what ended it was there. Unit: milliseconds. */
const fineEnd = 6 * hourMs;

export interface CollectPorts {
  readonly records: Pick<RecordStore, "list" | "read" | "history">;
  /** Where a service's figures are. @throws Error with the reason where nobody can be asked */
  readonly sourceOf: (record: RolloutRecord) => ReportSource;
}

/** Facts of all services, or of one. @throws whatever keeps the list of services from being read: there is no report without it */
export async function collectFacts(
  ports: CollectPorts,
  wanted: Pick<ReportFacts, "kind" | "label" | "environment" | "from" | "to" | "now"> & { readonly service?: string },
): Promise<ReportFacts> {
  const { service, ...period } = wanted;
  const names = service === undefined ? await ports.records.list() : [service];
  const found: ServiceFactsFound[] = [];
  const gaps: string[] = [];
  // One after the other: a report has time, and CloudWatch's calls a second are the hook's as well.
  for (const name of names) {
    try {
      const facts = await collectService(ports, name, period);
      if (facts) found.push(facts);
    } catch (error) {
      gaps.push(`${name}: ${oneLine(error)}`);
    }
  }
  return { ...period, services: found, gaps };
}

/** `undefined`: nothing is kept of it, or it was retired before the period began. */
async function collectService(
  { records, sourceOf }: CollectPorts,
  service: string,
  { kind, from, to }: Pick<ReportFacts, "kind" | "from" | "to">,
): Promise<ServiceFactsFound | undefined> {
  const record = await records.read(service);
  if (!record || (record.retiredAt !== undefined && record.retiredAt < from)) return undefined;
  const gaps: string[] = [];
  const attempt = async <Value>(what: string, read: () => Promise<Value>): Promise<Value | undefined> => {
    try {
      return await read();
    } catch (error) {
      gaps.push(`${what}: ${oneLine(error)}`);
      return undefined;
    }
  };
  const history = await attempt("its history", () => records.history(service));
  const { promises } = record;
  const asked = promises && { record, promises, from, to };
  const budget = promises && errorBudgetOf(promises.objectives.map((promise) => ({ ...promise })));
  const windowMs = budget && kind !== "quarter" ? (promises?.budgetPeriodDays ?? 0) * dayMs : 0;
  const fine = kind === "rollout" ? fineSpans(from, to) : [];
  const counts =
    asked &&
    (await attempt("requests and errors", async () =>
      sourceOf(record).counts({
        ...asked,
        from: Math.min(from, to - windowMs),
        fine,
      }),
    ));
  const days = asked && (await attempt("values by the day", async () => sourceOf(record).days(asked)));
  return {
    service,
    ...(promises ? { promises } : {}),
    ...(counts ? { counts } : {}),
    ...(days ? { days: days.values } : {}),
    history: history ?? [],
    holds: Object.values(record.holds),
    versions: Object.fromEntries(Object.values(record.releases).map(({ digest, version }) => [digest, version])),
    gaps: [...gaps, ...(days?.gaps ?? [])],
  };
}

/** What of a rollout is read by five minutes: all of a short one, else its end, and its first hour where that began before it. */
function fineSpans(from: Instant, to: Instant): readonly TimeSpan[] {
  if (to - from <= longestFine) return [{ from, to }];
  return [...(from % hourMs === 0 ? [] : [{ from, to: from + 1 }]), { from: to - fineEnd, to }];
}

/** Whole intervals of five minutes around both instants, the one in which it ended included: a report's period ends before `to`. */
export function wholeIntervals(from: Instant, to: Instant): { readonly from: Instant; readonly to: Instant } {
  const step = 300_000;
  return { from: Math.floor(from / step) * step, to: (Math.floor(to / step) + 1) * step };
}
