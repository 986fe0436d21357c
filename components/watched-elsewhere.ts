/**
 * What another system than CloudWatch watches of a service, as plain data: its live releases, and what the hook must know of each rule. A rule
 * has the very name that an alarm would have, whichever system it is in (D2, D3).
 */
import { settleSeconds } from "../core/alarms.ts";
import { isCompared } from "../core/control.ts";
import { canaryContext, type Declaration } from "../core/declaration.ts";
import { alarmName, releaseKey } from "../core/naming.ts";
import { ruleExpression } from "../core/promql.ts";
import type { WatchedAlarm } from "../core/record.ts";
import { type RuleContext, releaseRules, type WatchRule, watchedIn } from "../core/watch-rules.ts";
import type { ServiceSettings } from "./settings.ts";

/** A live release, as another system names it. */
export interface ReleaseElsewhere {
  readonly digest: string;
  /** What it calls itself: the label or tag `release`. */
  readonly releaseKey: string;
  /** Readable version, for messages. */
  readonly version: string;
  /** Where the release is the canary: its plan, exposure and figures. @default it is not the canary */
  readonly canary?: NonNullable<RuleContext["canary"]>;
  /** What the canary is compared with: its baseline, or the baseline's control while that has a share. @default it is not the canary */
  readonly comparedWith?: string;
}

/** Every live release of a declaration, in its order. */
export function releasesElsewhere(declaration: Declaration, plan: ServiceSettings["plan"]): ReleaseElsewhere[] {
  const baseline = declaration.liveSet.find(({ digest }) => digest === declaration.baseline);
  const { control } = declaration;
  const comparedWith =
    control && isCompared(control) ? control.releaseKey : baseline === undefined ? undefined : releaseKey(baseline);
  return declaration.liveSet.map((release) => {
    const canary = canaryContext(declaration, plan, release.digest);
    return {
      digest: release.digest,
      releaseKey: releaseKey(release),
      version: release.version,
      ...(canary ? { canary } : {}),
      ...(canary && comparedWith !== undefined ? { comparedWith } : {}),
    };
  });
}

/** The rules of one release that its service's own source watches; empty where that is CloudWatch. */
export function rulesElsewhere(
  { objectives, source }: Pick<ServiceSettings, "objectives" | "source">,
  { canary }: Pick<ReleaseElsewhere, "canary">,
): readonly WatchRule[] {
  return releaseRules(objectives, source, canary ? { canary } : {}).filter(
    (rule) => watchedIn(rule, source) !== "cloudwatch",
  );
}

/** What the hook must know of every rule of a service that CloudWatch does not watch. */
export function watchedElsewhere(
  environment: string,
  settings: Pick<ServiceSettings, "name" | "objectives" | "source" | "mode" | "plan">,
  declaration: Declaration,
): WatchedAlarm[] {
  const { name: service, objectives, source, mode } = settings;
  if (source !== "prometheus" && source !== "datadog") return [];
  return releasesElsewhere(declaration, settings.plan).flatMap((release) =>
    rulesElsewhere(settings, release).map((rule): WatchedAlarm => {
      const objective = objectives.find((candidate) => candidate.name === rule.objective);
      return {
        alarmName: alarmName(environment, service, release.releaseKey, rule.key),
        digest: release.digest,
        objective: rule.objective,
        indicator: rule.indicator,
        severity: rule.severity,
        response: rule.response,
        mode: objective?.mode ?? mode,
        disableAnyway: objective?.disableAnyway ?? false,
        settleSeconds: settleSeconds(rule, source),
        ...(rule.atPercents ? { atPercents: rule.atPercents } : {}),
        watchedIn: source,
        ...(source === "prometheus" ? { query: queryOf(environment, service, release, rule) } : {}),
      };
    }),
  );
}

/** The PromQL of a rule of one release. */
export function queryOf(
  environment: string,
  service: string,
  { releaseKey: key, comparedWith }: ReleaseElsewhere,
  rule: WatchRule,
): string {
  return ruleExpression(rule, {
    environment,
    service,
    releaseKey: key,
    ...(comparedWith === undefined ? {} : { baselineKey: comparedWith }),
  });
}
