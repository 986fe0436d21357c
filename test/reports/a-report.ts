/** A report of one service with something of everything, from the example's files. */
import { readFileSync } from "node:fs";
import { objectivePresets } from "../../core/objectives.ts";
import { type ReportFacts, sloReport } from "../../core/slo-report.ts";
import { periodNamed } from "../../core/slo-report-periods.ts";
import { csvDays, readCsv } from "../../reports/sources/csv.ts";

const file = (name: string) => readFileSync(new URL(`../../docs/examples/report/${name}`, import.meta.url), "utf8");

export function someFacts(change: Partial<ReportFacts> = {}): ReportFacts {
  const [service] = readCsv("checkout.csv", file("checkout.csv"));
  const week = periodNamed("2026-W47");
  if (!service || !week) throw new Error("the example is gone");
  const objectives = objectivePresets.web.flatMap(({ name, indicator, target }) =>
    target === undefined ? [] : [{ name, indicator, target }],
  );
  const history: { entries: { at: string; kind: string; message: string; exposurePercent: number }[] } = JSON.parse(
    file("checkout-history.json"),
  );
  return {
    kind: "week",
    label: week.label,
    environment: "production",
    from: week.from,
    to: week.to,
    now: week.dueAt,
    gaps: [],
    services: [
      {
        service: "checkout",
        promises: { objectives, budgetPeriodDays: 28 },
        counts: service.counts,
        days: csvDays(service, objectives),
        history: history.entries.map((entry) => ({ ...entry, at: Date.parse(entry.at) })),
        holds: [],
        gaps: [],
      },
    ],
    ...change,
  };
}

/** Nothing of the weeks before, nothing after Thursday noon, and no error meanwhile. */
export function halfAWeek(): ReportFacts {
  const facts = someFacts();
  const until = facts.from + 3.5 * 86_400_000;
  const isIn = ({ at }: { readonly at: number }) => at >= facts.from && at < until;
  return {
    ...facts,
    services: facts.services.map((found) => ({
      ...found,
      counts: (found.counts ?? []).filter(isIn).map((each) => ({ ...each, errors: 0 })),
      days: Object.fromEntries(
        Object.entries(found.days ?? {}).map(([name, days]) => [
          name,
          days.filter(isIn).map((day) => (name === "latency-p95" ? { ...day, value: 1_900 } : day)),
        ]),
      ),
      history: [],
    })),
  };
}

export const aReport = () => sloReport(someFacts());

/** A report whose every text is somebody's attack on the page. */
export function hostileReport() {
  const report = aReport();
  const evil = '<img src=x onerror="1"> & \'|` *b* <!channel>\n# h';
  const [service] = report.services;
  if (!service) throw new Error("no service");
  return {
    ...report,
    gaps: [evil],
    services: [
      {
        ...service,
        service: evil,
        forecast: evil,
        recommendations: [evil],
        rollouts: service.rollouts.map((rollout) => ({ ...rollout, version: evil })),
        incidents: service.incidents.map((incident) => ({ ...incident, what: evil, acknowledgedBy: evil })),
        gaps: [evil],
      },
    ],
  };
}
