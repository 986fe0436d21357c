/** The docs table as Markdown, and the check that arithmetic and simulation say the same. */
import {
  notInTable,
  presetsNotInTable,
  steadyEndAfterFaultMinutes,
  type TablePlan,
  type TableRow,
  type TableRun,
  tablePlans,
  tableSeeds,
} from "./table.ts";

/** Rows whose runs say something else than the arithmetic; empty when they agree. */
export function contradictionsOf(rows: readonly TableRow[]): string[] {
  return rows.flatMap(({ of, sight, runs }) => {
    const name = `${of.plan} ${of.scenario} ${of.preset} ${of.source} wave ${of.wavePercent ?? "-"}`;
    const told: string[] = [];
    runs.forEach((run, index) => {
      const seed = index + 1;
      if (run.isFalseRollback) told.push(`${name} seed ${seed}: lowered without a fault`);
      if (sight?.isSeen === false && run.detectedAtPercent !== null && run.detectedAtPercent <= (of.wavePercent ?? 0))
        told.push(
          `${name} seed ${seed}: seen at ${run.detectedAtPercent} %, which arithmetic says cannot be (${sight.reason})`,
        );
      if (sight?.isSeen && run.detectionSeconds === null)
        told.push(`${name} seed ${seed}: not seen, which arithmetic says it must be`);
    });
    return told;
  });
}

const introduction: readonly string[] = [
  "# What comes of every scenario",
  "",
  "Made by `npx tidegate rehearse --table > docs/rehearsal-table.md` (about a quarter of an hour); do not edit it. Tests recompute some",
  "rows with all their seeds, and check every row's place and every *cannot be seen here*.",
  "",
  "Read a row as: this goes wrong with the new release in that wave, on the rehearsal's own traffic (50 requests a second on average).",
  "A fault is twice the critical bound and stays. *Cannot be seen here* is arithmetic from the alarms' floors; the runs agree with it.",
  "Pages to on-call are those of severity critical; warnings are not counted. Where seeds differ, each value has how many it came to.",
  "Waves are opened with an `overrideReason` here, as soon as their minimum soak is over, save for `low-traffic` and `metrics-outage`; how long the",
  "gate by itself waits to have seen enough is in [gate-calibration.md](gate-calibration.md).",
  "It is a model: the README says what a rehearsal does not prove.",
  "",
  "Not in the table, since preset, source and wave do not decide what comes of them (`npx tidegate rehearse --scenario NAME` plays one):",
  "",
  ...Object.entries(notInTable).map(([scenario, reason]) => `- \`${scenario}\`: ${reason}`),
  "",
  "Nor are these presets, and the sources `prometheus` and `datadog`, which are rehearsed on `emf` and would say the same:",
  "",
  ...Object.entries(presetsNotInTable).map(([preset, reason]) => `- \`${preset}\`: ${reason}`),
  "",
];

/** The table. Whoever prints it says first whether it agrees with itself (`contradictionsOf`). */
export function renderTable(rows: readonly TableRow[]): string {
  const sections = tablePlans
    .filter((plan) => rows.some((row) => row.of.plan === plan))
    .flatMap((plan) => [...planHeading(plan, rows), ...rows.filter((row) => row.of.plan === plan).map(renderRow), ""]);
  return [...introduction, ...sections].join("\n").trimEnd();
}

function planHeading(plan: TablePlan, rows: readonly TableRow[]): string[] {
  const seedCount = Math.max(...rows.filter((row) => row.of.plan === plan).map((row) => row.runs.length));
  const span =
    plan === "steady"
      ? ` The first attempt is looked at ${steadyEndAfterFaultMinutes} minutes after the fault; without a fault, to its end.`
      : "";
  return [
    `## Plan \`${plan}\`, seeds 1 to ${seedCount}${seedCount < tableSeeds[plan] ? ` (of ${tableSeeds[plan]})` : ""}`,
    "",
    `Detection: from the first bad request to the hook's decision, the worst of all seeds.${span}`,
    "",
    "| scenario | preset | source | fault in wave | final exposure | hold | pages to on-call | worst detection |",
    "|---|---|---|---|---|---|---|---|",
  ];
}

/** One line of the table. */
export function renderRow({ of, sight, runs }: TableRow): string {
  const wave = of.wavePercent === undefined ? "–" : `${of.wavePercent} %`;
  const cells = [
    of.scenario,
    of.preset,
    of.source,
    wave,
    tally(runs, (run) => `${run.exposurePercent} %`),
    tally(runs, (run) => run.hold ?? "none"),
    tally(runs, (run) => String(run.pageCount)),
    detectionCell(of.wavePercent, sight, runs),
  ];
  return `| ${cells.join(" | ")} |`;
}

function detectionCell(wavePercent: number | undefined, sight: TableRow["sight"], runs: readonly TableRun[]): string {
  if (!sight) return "–";
  const seconds = runs.flatMap((run) => run.detectionSeconds ?? []);
  const worst = seconds.length === 0 ? "" : `${Math.max(...seconds)} s`;
  if (!sight.isSeen) {
    const later = seconds.length === 0 ? "" : `; seen in a later wave, at worst after ${worst}`;
    return `cannot be seen here: ${sight.reason}${later}`;
  }
  const afterNext = runs.filter((run) => (run.detectedAtPercent ?? 0) > (wavePercent ?? 100)).length;
  return afterNext === 0 ? worst : `${worst} (${afterNext} of ${runs.length} after the next wave had opened)`;
}

/** One value where all runs agree, else each with how many runs have it, most first. */
function tally(runs: readonly TableRun[], shown: (run: TableRun) => string): string {
  const counts = new Map<string, number>();
  for (const run of runs) counts.set(shown(run), (counts.get(shown(run)) ?? 0) + 1);
  const [only] = counts.keys();
  if (counts.size === 1) return only ?? "";
  return [...counts]
    .sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1))
    .map(([value, count]) => `${value} (${count}×)`)
    .join(", ");
}
