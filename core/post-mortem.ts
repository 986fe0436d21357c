/** A draft of the post-mortem of one rollback (B6), as Markdown: what is known is filled in, what only people know is asked for. */
import type { HistoryEntry, Hold, Instant, RolloutRecord } from "./record.ts";
import type { AlarmValues, Snapshot } from "./snapshot.ts";

/** A day from the rollback. Unit: milliseconds. Source: seed 000's post-mortem rule, requirement B6. */
export const postMortemDueMilliseconds = 24 * 60 * 60_000;

export interface PostMortemArgs {
  readonly hold: Hold;
  readonly record: RolloutRecord;
  /** Absent: none was taken. */
  readonly snapshot: Snapshot | undefined;
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
}

/** History from this long before the hold belongs to it. Unit: milliseconds. */
const beforeMilliseconds = 60 * 60_000;

export function postMortem({ hold, record, snapshot, history }: PostMortemArgs): string {
  const told = history.filter((entry) => entry.at >= hold.at - beforeMilliseconds);
  const version = (snapshot?.record ?? record).releases[hold.digest]?.version ?? hold.digest;
  return [
    `# ${record.service}: ${hold.detail}`,
    "",
    `Draft, due ${iso(hold.at + postMortemDueMilliseconds)}.`,
    "",
    `- Environment: ${record.environment}`,
    `- Release: ${version} (${hold.digest}), attempt ${hold.attempt}`,
    `- Hold: ${hold.id}, ${hold.cause}, ${hold.response} to ${hold.targetPercent} %, ${iso(hold.at)}`,
    hold.acknowledged
      ? `- Acknowledged: ${iso(hold.acknowledged.at)} by ${hold.acknowledged.by}: ${hold.acknowledged.reason}`
      : "- Acknowledged: not yet",
    "",
    "## What users saw",
    "",
    "To be written: who was affected, how, for how long.",
    "",
    "## Timeline (UTC)",
    "",
    ...(told.length === 0
      ? ["Nothing is recorded."]
      : ["| when | exposure | what |", "| --- | --- | --- |", ...told.map(timelineRow)]),
    "",
    "## What was measured",
    "",
    ...measured(snapshot),
    "",
    "## Why it happened",
    "",
    "To be written: the cause in the release, and why nothing before production showed it.",
    "",
    "## What worked, what did not",
    "",
    "To be written: detection, rollback, pages, runbook.",
    "",
    "## What changes",
    "",
    "- To be written: action, owner, date.",
    "",
  ].join("\n");
}

function timelineRow(entry: HistoryEntry): string {
  return `| ${iso(entry.at)} | ${entry.exposurePercent} % | ${entry.kind}: ${entry.message.replaceAll("|", "\\|").replaceAll("\n", " ")} |`;
}

function measured(snapshot: Snapshot | undefined): string[] {
  if (!snapshot) return ["No snapshot was taken."];
  const rows = (snapshot.values ?? [])
    .filter((values) => values.points.length > 0)
    .map(
      (values) =>
        `| ${values.alarmName} | ${bound(values)} | ${values.points.map(({ value }) => round(value)).join(", ")} |`,
    );
  return [
    ...(rows.length === 0
      ? ["No alarm had points."]
      : ["| alarm | bad when | newest points, oldest first |", "| --- | --- | --- |", ...rows]),
    ...(snapshot.gaps.length === 0 ? [] : ["", `Not read: ${snapshot.gaps.join("; ")}`]),
  ];
}

function bound({ badWhen, threshold }: AlarmValues): string {
  const words = { above: "above", atLeast: "at least", below: "below", atMost: "at most" } as const;
  return `${words[badWhen]} ${threshold}`;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

function iso(at: Instant): string {
  return new Date(at).toISOString();
}
