/** What is behind the target group of a release, as far as the program knows it. */
import { hostTargets, type TargetKind } from "../core/watch-rules.ts";
import type { ServiceSurvey } from "./settings.ts";

/** Groups that the program makes have hosts behind them; adopted ones what the survey found. */
export function targetKindOf(targetGroupArn: string | undefined, { targetGroups }: ServiceSurvey): TargetKind {
  const found = targetGroupArn === undefined ? undefined : targetGroups[targetGroupArn];
  return found === undefined
    ? hostTargets
    : { isLambda: found.targetType === "lambda", hasHealthChecks: found.healthChecksEnabled };
}
