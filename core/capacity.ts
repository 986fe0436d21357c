/**
 * How many processes a rollback needs (B12, E6). An autoscaler follows load: it takes from a baseline what the canary has taken over, and the
 * rollback at 100 % would land on what is left. So what the baseline had before is counted when a canary gets its first traffic, noted in the
 * record, and declared as its minimum until the rollback window after the finish is over. The canary's minimum is its share of that: the
 * guard asks for as many before it opens, and no autoscaler makes hosts for load that has not come yet.
 *
 * A floor falls only while weights are at rest, whoever asks. Only of processes that the program declares: of others there is nothing to pin.
 */
import type { Intent, LiveTraffic, Notice, Step } from "./declaration.ts";
import { hostsNeeded } from "./guard-checks.ts";
import { note, type Outcome, versionOf, warning } from "./outcome.ts";
import { committedPercent, type Instant, type RolloutRecord } from "./record.ts";
import type { Release } from "./releases.ts";
import { type Splitter, weightPercentAt } from "./split.ts";
import type { Workload } from "./workloads.ts";

/** Fewest processes by digest. */
export type Capacity = Readonly<Record<string, number>>;

/** What of a service's workload a rollback hangs on. */
export interface WorkloadFacts {
  readonly minimumCount: number;
  readonly maximumCount: number;
}

/**
 * No floor falls so soon after weights moved: autoscalers look back at the load of before. Kubernetes' over 300 s
 * (`behavior.scaleDown.stabilizationWindowSeconds`, its default; API reference of autoscaling/v2, read 2026-11); three times that, since a
 * target tracking policy of ECS goes by alarms that Application Auto Scaling makes and whose span it does not promise. Unit: minutes.
 */
export const restMinutes = 15;

/** What the record keeps of a workload. Where it runs is none of it: the stack's own outputs tell (`stacks/workloads.ts`). */
export function workloadFacts({ shape: { minimumCount, maximumCount } }: Workload): WorkloadFacts {
  return { minimumCount, maximumCount };
}

/** Whether the program declares a release's processes: an image, and a target group of the program's own. */
export function runsHere({ image, targetGroupArn }: Pick<Release, "image" | "targetGroupArn">): boolean {
  return image !== undefined && targetGroupArn === undefined;
}

/** What an `up` is about to declare, as far as floors hang on it. */
export interface Declared {
  readonly step: Step;
  readonly baseline: string;
  readonly canary?: { readonly digest: string };
  readonly exposurePercent: number;
  readonly liveSet: readonly Release[];
}

/** What is real, as far as floors hang on it. */
export interface Known {
  readonly record: RolloutRecord;
  readonly live: LiveTraffic | undefined;
  /** Healthy hosts of baseline and canary by digest; one that was not read is absent. */
  readonly hosts?: Readonly<Record<string, number>>;
  readonly now: Instant;
}

/** And what splits: hosts serve requests, and where a flag splits, a canary that is exposed at all gets every one of them. */
type Divided = Known & { readonly by: Splitter };

/** Floors that an `up` declares; none where the config has no workload. */
export function capacityOf(
  { workload, split }: Pick<Intent, "workload" | "split">,
  declared: Declared,
  known: Known,
): Capacity {
  if (!workload) return {};
  const kept = known.record.capacity ?? {};
  const due = dueOf(workload, declared, { ...known, by: known.record.split?.by ?? split?.by ?? "weights" });
  const mayFall = declared.step !== "lowering" && isAtRest(known.record, known.now);
  return Object.fromEntries(
    declared.liveSet.filter(runsHere).flatMap(({ digest }) => {
      const least = due[digest] ?? 0;
      const count = mayFall ? least : Math.max(least, kept[digest] ?? 0);
      return count > 0 ? [[digest, count]] : [];
    }),
  );
}

/** What each release needs whatever was before: the receiver of a rollback all, who has a share its part of that. */
function dueOf(workload: WorkloadFacts, declared: Declared, known: Divided): Capacity {
  const { record, now } = known;
  const kept = record.capacity ?? {};
  const receiver = record.baseline;
  const { previous } = record;
  const due: Record<string, number> = {};
  if (previous && previous.until > now) {
    due[previous.digest] = Math.max(kept[previous.digest] ?? 0, grownWith(workload, receiver, known));
  }
  const isReplaced = declared.step === "replace-baseline";
  const exposedPercent = Math.max(committedPercent(record), declared.exposurePercent, livePercent(known));
  if (exposedPercent > 0 || isReplaced) due[receiver] = fullSize(workload, declared, known);
  else if (isHeld(record)) due[receiver] = kept[receiver] ?? 0;
  const riser = isReplaced ? declared.baseline : declared.canary?.digest;
  if (riser === undefined || riser === receiver || declared.step === "finish") return due;
  const exposure = isReplaced ? 100 : Math.max(declared.exposurePercent, shareOf(record, riser));
  const sharePercent = weightPercentAt(known.by, exposure);
  if (sharePercent > 0) {
    // The previous release may be tried again inside its own window.
    due[riser] = Math.max(due[riser] ?? 0, hostsNeeded(sharePercent, fullSize(workload, declared, known)));
  }
  return due;
}

function shareOf(record: RolloutRecord, digest: string): number {
  return record.canary?.digest === digest ? committedPercent(record) : 0;
}

/** What live gives to others than the baseline, whatever the record says. Unit: percent. */
function livePercent({ record, live }: Known): number {
  return live ? 100 - (live.shares[record.baseline] ?? 0) : 0;
}

/** Processes of the one release that has all traffic: whoever would take it back needs as many. Nothing is known while it is split. */
function grownWith({ maximumCount }: WorkloadFacts, digest: string, { record, hosts = {}, by }: Divided): number {
  const committed = weightPercentAt(by, committedPercent(record));
  const percent = digest === record.baseline ? 100 - committed : weightPercentAt(by, shareOf(record, digest));
  return percent === 100 ? Math.min(hosts[digest] ?? 0, maximumCount) : 0;
}

/**
 * What the baseline needs to take everything. Counted at an opening; later ones may raise it: where it has grown above its floor, load asked
 * for that at the share that it still has. At 100 % every `up` counts the canary, which the day's load makes grow. Never more than the
 * config's maximum, which the autoscaler would not go over for anybody.
 */
function fullSize(workload: WorkloadFacts, { step }: Declared, known: Divided): number {
  const { record } = known;
  const baselineHosts = known.hosts?.[record.baseline] ?? 0;
  const floor = committedPercent(record) > 0 ? (record.capacity?.[record.baseline] ?? 0) : 0;
  const grown = grownWith(workload, record.canary?.digest ?? "", known);
  const atLeast = Math.max(floor, workload.minimumCount, grown);
  if (!counts(step) || baselineHosts <= atLeast) return atLeast;
  const ownPercent = 100 - weightPercentAt(known.by, committedPercent(record)) - (record.control?.sharePercent ?? 0);
  const whole = ownPercent > 0 ? Math.ceil((100 * baselineHosts) / ownPercent) : baselineHosts;
  return Math.max(atLeast, Math.min(whole, workload.maximumCount));
}

/** Steps at which the baseline's hosts are counted: traffic is about to leave it. */
export function counts(step: Step): boolean {
  return step === "opening" || step === "replace-baseline";
}

/** No weights have moved lately, and nobody has the right to move them. */
function isAtRest({ lease, canary, leaving }: RolloutRecord, now: Instant): boolean {
  if (lease && lease.expiresAt > now) return false;
  const moves = [canary?.waveOpenedAt, canary?.weightsLeftAt, ...Object.values(leaving)];
  return moves.every((at) => at === undefined || now - at >= restMinutes * 60_000);
}

/** Whether a rollback may still need what the record has counted. */
function isNeeded(known: Known): boolean {
  const { record, now } = known;
  const { lease, previous, capacity = {} } = record;
  if (isExposed(known) || (lease && lease.expiresAt > now)) return true;
  if (Object.keys(capacity).length === 0) return false;
  const isReturnable = previous !== undefined && previous.until > now && capacity[previous.digest] !== undefined;
  return isReturnable || isHeld(record) || !isAtRest(record, now);
}

/** Nobody has looked into it yet: whichever release it is about, the one that serves keeps what it has. */
function isHeld({ holds }: RolloutRecord): boolean {
  return Object.values(holds).some((hold) => hold.acknowledged === undefined);
}

/** A group belongs to what registers in it: Kubernetes' controller takes all else out of it, before it has anything of its own. */
function addedProblems(place: string, known: Known): string[] {
  const { record } = known;
  const baselineHosts = known.hosts?.[record.baseline];
  const served = record.releases[record.baseline];
  if (!served || served.adopted || (baselineHosts === 0 && !isExposed(known))) return [];
  const hosts = baselineHosts === undefined ? "hosts that could not be counted" : `${baselineHosts} healthy hosts`;
  return [
    `${place}: added to releases that are served already, got ${served.version} with ${hosts} of others; expected a service that had it from its first up. Declare the service anew with it, under another name`,
  ];
}

function isExposed(known: Known): boolean {
  return committedPercent(known.record) > 0 || livePercent(known) > 0;
}

/**
 * What of the config would take processes from a rollback. Refused by name; a lowering is not kept from going on by a count, and declares
 * what was kept.
 * @returns reasons go into `refusals`, what is pinned and what nothing keeps into `notices`
 */
export function capacityAsk(
  intent: Intent,
  { step }: Pick<Outcome, "step">,
  known: Known,
  notices: Notice[],
  refusals: string[],
): void {
  const { record } = known;
  const { workload, service } = intent;
  const place = `${service}.workload`;
  if (workload && record.workload === undefined) {
    refusals.push(...addedProblems(place, known));
  } else if (workload && record.workload && isNeeded(known)) {
    const less = fewer(workload, record.workload, record);
    if (step === "lowering") notices.push(...less.map((text) => warning("pinned", `${place}.${text}`)));
    else refusals.push(...less.map((text) => `${place}.${text}`));
  }
  if (!workload || !counts(step) || refusals.length > 0) return;
  const { adopted, version } = record.releases[record.baseline] ?? { adopted: false, version: record.baseline };
  if (adopted) {
    notices.push(
      warning(
        "note",
        `${service}: nothing here keeps ${version} at its size while another release has its traffic: its target group is adopted, and what runs behind it is not this program's. Keep its minimum yourself until the rollback window is over`,
      ),
    );
  } else if (known.hosts?.[record.baseline] === undefined) {
    refusals.push(
      `${place}: the hosts of ${version} could not be counted, so nobody knows how many a rollback needs; expected its target group to be readable. Restore access to ELBv2 (DescribeTargetHealth), then run up again`,
    );
  }
}

/** Counts under what a rollback needs, or under what was asked for when it was counted. */
function fewer(asked: WorkloadFacts, before: WorkloadFacts, record: RolloutRecord): string[] {
  const kept = Object.entries(record.capacity ?? {});
  const [most] = kept.toSorted(([, left], [, right]) => right - left);
  const texts: string[] = [];
  const until = "Set it back until the rollback window is over";
  if (asked.minimumCount < before.minimumCount) {
    texts.push(
      `minimumCount: fewer while a rollback may need them, got ${asked.minimumCount}; expected at least ${before.minimumCount}. ${until}`,
    );
  }
  if (most && asked.maximumCount < most[1]) {
    texts.push(
      `maximumCount: fewer than ${versionOf(record, most[0])} needs to take the traffic back, got ${asked.maximumCount}; expected at least ${most[1]}. ${until}`,
    );
  }
  return texts;
}

/** What an opening says of floors; nothing where there are none. */
export function capacityNotice(
  service: string,
  { step, canary, baseline }: Pick<Declared, "step" | "canary" | "baseline">,
  capacity: Capacity,
  record: RolloutRecord,
): Notice[] {
  const receivers = capacity[record.baseline];
  if (!counts(step) || receivers === undefined) return [];
  const riser = step === "opening" ? canary?.digest : baseline;
  const own = riser === undefined ? undefined : capacity[riser];
  const beside = own === undefined ? "" : `, the release that gets its traffic at ${own} or more`;
  return [
    note(
      "note",
      `${service}: keeps ${versionOf(record, record.baseline)} at ${receivers} processes or more until a rollback cannot need them${beside}`,
    ),
  ];
}
