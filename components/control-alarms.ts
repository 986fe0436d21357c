/**
 * The control's own alarms: part of the baseline's users are on it, so people are told of it, and a dependency's outage shows in it when the
 * baseline's own group has no traffic (B10). They lower nothing; see `controlObjectives`.
 */
import type * as pulumi from "@pulumi/pulumi";
import { controlObjectives } from "../core/control.ts";
import type { DeclaredControl } from "../core/declaration.ts";
import type { WatchedAlarm } from "../core/record.ts";
import type { MeasuredRelease } from "./alarm-inputs.ts";
import type { ServiceSettings, ServiceSurvey } from "./settings.ts";
import { SloAlarms, watchedAlarmsOf } from "./slo-alarms.ts";
import { targetKindOf } from "./target-kind.ts";

/** Of which control, in which service. */
export interface WatchedControl {
  readonly environment: string;
  readonly settings: ServiceSettings;
  /** @default there is none */
  readonly control: DeclaredControl | undefined;
  readonly found: ServiceSurvey;
}

/** What the hook is told of them. */
export function watchedAlarmsOfControl({ control, ...args }: WatchedControl): WatchedAlarm[] {
  return control ? watchedAlarmsOf(plainArgs({ ...args, control })) : [];
}

/** Declares them; none where there is no control. */
export function declareControlAlarms(
  parent: pulumi.Resource,
  name: string,
  {
    control,
    ...args
  }: WatchedControl & {
    /** As its metrics name it. */
    readonly measured: MeasuredRelease | undefined;
    /** Version text of the release that it is a copy of. */
    readonly version: string | undefined;
    readonly loadBalancerArnSuffix: pulumi.Input<string>;
    readonly runbookBase?: string;
  },
): SloAlarms[] {
  const { measured, version, loadBalancerArnSuffix, runbookBase } = args;
  if (!control || !measured) return [];
  const alarms = new SloAlarms(
    `${name}-${control.releaseKey}`,
    {
      ...plainArgs({ ...args, control }),
      version: `${version ?? control.digest} (control)`,
      targetGroupArnSuffix: measured.targetGroupArnSuffix,
      loadBalancerArnSuffix,
      ...(runbookBase === undefined ? {} : { runbookBase }),
    },
    { parent },
  );
  return [alarms];
}

function plainArgs({ environment, settings, control, found }: WatchedControl & { readonly control: DeclaredControl }) {
  const { digest, releaseKey, targetGroupArn } = control;
  return {
    environment,
    service: settings.name,
    digest,
    releaseKey,
    objectives: controlObjectives(settings.objectives),
    source: settings.source,
    mode: "observe",
    target: targetKindOf(targetGroupArn, found),
  } as const;
}
