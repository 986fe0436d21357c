/** Whose metrics the gate reads: the canary's, and those of what it is compared with. */
import { isCompared } from "../../core/control.ts";
import { releaseKey } from "../../core/naming.ts";
import { committedPercent, type RolloutRecord } from "../../core/record.ts";

/** Where the metrics of a release, or of its copy, are. */
export interface MeasuredRelease {
  /** What it calls itself in what it reports. */
  readonly releaseKey: string;
  readonly targetGroupArn: string;
  readonly targetGroupArnSuffix: string;
}

/** A release of the record by its digest. */
export function measuredRelease(record: RolloutRecord, digest: string | undefined): MeasuredRelease | undefined {
  const release = digest === undefined ? undefined : record.releases[digest];
  return release && { ...release, releaseKey: releaseKey(release) };
}

/** The baseline, for which its control stands where that has traffic of its own. */
export function measuredBaseline(record: RolloutRecord): MeasuredRelease | undefined {
  return comparedControl(record) ?? measuredRelease(record, record.baseline);
}

/** What has traffic beside the canary. `undefined`: at 100 % nobody has. */
export function besideCanary(
  record: RolloutRecord,
): { readonly is: "baseline" | "control"; readonly release: MeasuredRelease } | undefined {
  if (committedPercent(record) >= 100) return undefined;
  const control = comparedControl(record);
  if (control) return { is: "control", release: control };
  const release = measuredRelease(record, record.baseline);
  return release && { is: "baseline", release };
}

function comparedControl({ control, baseline }: RolloutRecord): MeasuredRelease | undefined {
  return control && isCompared(control) && control.digest === baseline ? control : undefined;
}
