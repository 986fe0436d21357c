/** A page as people get it: what happened, where to read on, and what to type when our own command will not run (D4). */
import type { Page, RolloutRecord } from "./record.ts";
import { runbookLink } from "./runbooks.ts";
import { groupsOf, weightsFor } from "./traffic-shares.ts";

/** Where the pages of one environment come from. */
export interface PagePlace {
  readonly environment: string;
  readonly region: string;
  /** URL or folder that holds the runbooks. */
  readonly runbookBase: string;
  /** URL of the rollout's dashboard. @default none */
  readonly dashboardUrl?: string;
}

export interface PageMessage {
  readonly page: Page;
  readonly environment: string;
  readonly service: string;
  readonly region: string;
  /** Label and target, in the order in which they help. */
  readonly links: readonly { readonly label: string; readonly target: string }[];
  /** Commands that work by hand, the first one first. */
  readonly commands: readonly { readonly label: string; readonly command: string }[];
}

/**
 * Dresses a page.
 * @param record of the service; `undefined` where it cannot be read, and then the raw command has nothing to name
 */
export function pageMessageOf(
  page: Page,
  service: string,
  record: RolloutRecord | undefined,
  place: PagePlace,
): PageMessage {
  const where = `--environment ${place.environment} --region ${place.region} --service ${service}`;
  const raw = record ? rawLowering(record, place.region) : undefined;
  // There the baseline is the sick one: the line that helps everywhere else would send everybody to it.
  const isBaselineSick = page.runbook === "receiver-lost" || page.runbook === "no-other-release";
  return {
    page,
    environment: place.environment,
    service,
    region: place.region,
    links: [
      ...(page.runbook ? [{ label: "runbook", target: runbookLink(place.runbookBase, page.runbook) }] : []),
      ...(place.dashboardUrl ? [{ label: "dashboard", target: place.dashboardUrl }] : []),
    ],
    commands: [
      { label: "where it stands", command: `npx tidegate status ${where}` },
      ...(page.holdId
        ? [{ label: "snapshot", command: `npx tidegate history ${where} --snapshot ${page.holdId}` }]
        : []),
      ...(isBaselineSick || page.severity === "info"
        ? []
        : [{ label: "all traffic off the canary", command: `npx tidegate kill ${where} --reason "..."` }]),
      ...(raw && !isBaselineSick && page.severity !== "info" ? [{ label: "the same by hand", command: raw }] : []),
    ],
  };
}

/**
 * One line for a shell with the AWS CLI that gives every main rule back to the baseline, for when nothing of ours runs.
 * @returns `undefined` where the record names no main rule, or not the baseline's target group: a page must not fail for that
 */
export function rawLowering(record: RolloutRecord, region: string): string | undefined {
  const mains = record.rules.filter((rule) => rule.role === "main");
  const groups = groupsOf(record);
  if (mains.length === 0 || groups[record.baseline] === undefined) return undefined;
  const weights = weightsFor({ [record.baseline]: 100 }, groups);
  const targets = Object.entries(weights).map(([arn, weight]) => ({ TargetGroupArn: arn, Weight: weight }));
  const actions = [
    { Type: "forward", ForwardConfig: { TargetGroups: targets, TargetGroupStickinessConfig: { Enabled: false } } },
  ];
  return mains
    .map(
      ({ arn }) =>
        `aws elbv2 modify-rule --region ${shellWord(region)} --rule-arn ${shellWord(arn)} --actions ${shellWord(JSON.stringify(actions))}`,
    )
    .join("; ");
}

/** ARNs hold nothing that a shell would touch, but the record is an item of a table, and people paste this line. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
