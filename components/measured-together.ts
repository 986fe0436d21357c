/** What of a service is measured beside what: the release that bounds are relative to, and all that carry its traffic together. */
import { isCompared } from "../core/control.ts";
import type { Declaration } from "../core/declaration.ts";
import type { MeasuredRelease } from "./alarm-inputs.ts";
import type { ReleaseGroup } from "./release-groups.ts";
import type { WatchedTogether } from "./service-alarms.ts";
import type { ServiceSurvey } from "./settings.ts";
import { targetKindOf } from "./target-kind.ts";

/** What relative bounds are measured against: the control while it serves its share, since the baseline's own group may have none then. */
export function comparedWithOf(
  declaration: Declaration,
  groups: readonly ReleaseGroup[],
  control: MeasuredRelease | undefined,
): MeasuredRelease | undefined {
  if (control && declaration.control && isCompared(declaration.control)) return measuredRelease(control);
  const baseline = groups.find(({ release }) => release.digest === declaration.baseline);
  return baseline && { releaseKey: baseline.releaseKey, targetGroupArnSuffix: baseline.arnSuffix };
}

function measuredRelease({ releaseKey: key, targetGroupArnSuffix }: MeasuredRelease): MeasuredRelease {
  return { releaseKey: key, targetGroupArnSuffix };
}

/** Every live release, and the control, as the alarms of the whole service see them. */
export function watchedTogetherOf(
  declaration: Declaration,
  groups: readonly ReleaseGroup[],
  control: MeasuredRelease | undefined,
  found: ServiceSurvey,
): WatchedTogether[] {
  const busy = new Set([declaration.baseline, declaration.canary?.digest]);
  return [
    ...groups.map(({ release, releaseKey: key, arnSuffix }) => ({
      releaseKey: key,
      targetGroupArnSuffix: arnSuffix,
      target: targetKindOf(release.targetGroupArn, found),
      hasTraffic: busy.has(release.digest),
    })),
    ...(control
      ? [
          {
            ...measuredRelease(control),
            target: targetKindOf(declaration.control?.targetGroupArn, found),
            hasTraffic: true,
          },
        ]
      : []),
  ];
}
