/**
 * What is behind adopted groups where nobody could look: as far as the record's own alarms tell. They were declared for one kind of
 * targets; a kind that would declare others is not it, and where two kinds that are left differ, nothing is told.
 */
import type { ServiceSurvey } from "../../components/settings.ts";
import { alarmsFor } from "../../core/alarms.ts";
import { alarmName, parseAlarmName, releaseKey } from "../../core/naming.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { stableJson } from "../../core/stable-json.ts";
import type { TargetKind } from "../../core/watch-rules.ts";
import type { ServiceConfig } from "../config.ts";

const kinds: readonly TargetKind[] = [
  { isLambda: false, hasHealthChecks: true },
  { isLambda: true, hasHealthChecks: true },
  { isLambda: true, hasHealthChecks: false },
];

/** Groups that the program makes have hosts for targets, and health checks. */
const madeByTheProgram = { targetType: "ip", healthChecksEnabled: true } as const;

/** Kinds of the record's adopted groups by ARN; a group of which nothing is told is absent. */
export function recordedGroups(
  environment: string,
  { name, objectives, source }: Pick<ServiceConfig, "name" | "objectives" | "source">,
  record: RolloutRecord | undefined,
): ServiceSurvey["targetGroups"] {
  const told: Record<string, ServiceSurvey["targetGroups"][string]> = {};
  for (const release of Object.values(record?.releases ?? {})) {
    if (!record || !release.adopted) continue;
    // The control's are of the same digest, and of another group.
    const names = record.alarms
      .filter(
        ({ digest, alarmName: of }) =>
          digest === release.digest && parseAlarmName(of)?.releaseKey === releaseKey(release),
      )
      .map((alarm) => alarm.alarmName);
    const explaining = kinds.flatMap((kind) => {
      const specs = alarmsFor(objectives, source, kind, canaryOf(record, release.digest));
      const declared = specs.map(({ key }) => alarmName(environment, name, releaseKey(release), key));
      return stableJson(declared.toSorted()) === stableJson(names.toSorted())
        ? [{ kind, specs: stableJson(specs) }]
        : [];
    });
    const [only] = explaining;
    if (!only || names.length === 0 || explaining.some(({ specs }) => specs !== only.specs)) continue;
    const { isLambda, hasHealthChecks } = only.kind;
    told[release.targetGroupArn] = { targetType: isLambda ? "lambda" : "ip", healthChecksEnabled: hasHealthChecks };
  }
  // The same release on the same kind of targets, or it was refused when it was declared.
  const control = record?.control;
  const twin = record && control?.adopted ? record.releases[record.baseline] : undefined;
  const kind = twin?.adopted ? told[twin.targetGroupArn] : twin && madeByTheProgram;
  if (control && kind) told[control.targetGroupArn] = kind;
  return told;
}

/** The canary has bounds that no other release has. */
function canaryOf({ canary, plan }: RolloutRecord, digest: string) {
  if (canary?.digest !== digest) return undefined;
  return { plan, exposurePercent: canary.exposurePercent, figures: canary.figures ?? [] };
}
