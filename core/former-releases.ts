/**
 * Releases that a service had: where their metrics are. What they spent of the error budget was spent, whoever serves today (C2), and a
 * quarter's report counts them too (D6).
 */
import { releaseKey } from "./naming.ts";
import type { Instant, RolloutRecord } from "./record.ts";

/** A release, or a control, that left. */
export interface FormerRelease {
  /** What it called itself in metrics. */
  readonly releaseKey: string;
  /** ARN suffix `targetgroup/<name>/<id>`, the CloudWatch dimension. */
  readonly targetGroupArnSuffix: string;
  /** When it left. */
  readonly until: Instant;
}

/** As long as a quarter, and the days until its report is out. Unit: days. */
const rememberedDays = 100;
/** A record is read every minute, and one that is too large cannot be written: the oldest go first. */
const mostRemembered = 100;

/** What is to be remembered after a change. `undefined`: nothing. */
export function formerAfter(
  before: RolloutRecord,
  after: Pick<RolloutRecord, "releases" | "control">,
  now: Instant,
): readonly FormerRelease[] | undefined {
  const stays = new Set(seenIn(after).map(({ targetGroupArnSuffix }) => targetGroupArnSuffix));
  const left = seenIn(before)
    .filter(({ targetGroupArnSuffix }) => !stays.has(targetGroupArnSuffix))
    .map((place) => ({ ...place, until: now }));
  const remembered = [...(before.former ?? []), ...left]
    .filter(({ until }) => until > now - rememberedDays * 86_400_000)
    .slice(-mostRemembered);
  return remembered.length === 0 ? undefined : remembered;
}

/**
 * Where metrics of a service's releases and its control are, those that left included, each once.
 * @param from releases that left before have nothing to tell and are left out. @default none is
 */
export function metricPlaces(
  record: RolloutRecord,
  from: Instant = Number.NEGATIVE_INFINITY,
): readonly Omit<FormerRelease, "until">[] {
  const former = (record.former ?? []).filter(({ until }) => until >= from);
  return [...seenIn(record), ...former.map(({ until: _until, ...place }) => place)];
}

function seenIn({ releases, control }: Pick<RolloutRecord, "releases" | "control">): Omit<FormerRelease, "until">[] {
  return [
    ...Object.values(releases).map((release) => ({
      releaseKey: releaseKey(release),
      targetGroupArnSuffix: release.targetGroupArnSuffix,
    })),
    ...(control ? [{ releaseKey: control.releaseKey, targetGroupArnSuffix: control.targetGroupArnSuffix }] : []),
  ];
}
