/**
 * The flag of one service (A6): its document, the alarm that AppConfig watches it with, the hook's right to take it away, and the guard on its
 * deployment. Everything beside the flag itself is as it is for the rules.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Declaration } from "../core/declaration.ts";
import { flagAlarmName } from "../core/naming.ts";
import type { WatchedAlarm } from "../core/record.ts";
import type { RecordedSplit } from "../core/split.ts";
import { FlagDocument, type FlagStrategies } from "./flag-document.ts";
import { describeReleases } from "./release-groups.ts";
import type { ServiceSettings } from "./settings.ts";
import type { DeclaredAlarm } from "./slo-alarms.ts";
import type { WaveRouter } from "./wave-router.ts";
import { type Guard, type GuardBinding, type GuardedRule, guardedWriteFrom, guardHookName } from "./write-guard.ts";

export interface ServiceFlagArgs {
  readonly name: string;
  readonly parent: pulumi.Resource;
  readonly environment: string;
  readonly settings: ServiceSettings;
  readonly declaration: Declaration;
  readonly router: Pick<WaveRouter, "groups">;
  /** Declared alarms of every release. */
  readonly alarms: readonly DeclaredAlarm[];
  /** What the hook watches of every release. */
  readonly watched: readonly WatchedAlarm[];
  readonly guard: { readonly check: Guard; readonly bind: GuardBinding["bind"] };
  /** The hook's role has the function's name. */
  readonly hookRoleName: pulumi.Input<string>;
  /** What must be in place before the flag may rise. */
  readonly after: readonly pulumi.Resource[];
  readonly strategies?: FlagStrategies;
}

export interface ServiceFlag {
  readonly document: FlagDocument;
  readonly split: pulumi.Output<RecordedSplit>;
  /** What a commit waits for. */
  readonly resources: readonly pulumi.Resource[];
}

/** Declares it; `undefined` where the service has no flag. */
export function declareServiceFlag(args: ServiceFlagArgs): ServiceFlag | undefined {
  const { name, parent, environment, settings, declaration } = args;
  const { split, flags } = declaration;
  if (split?.flag === undefined || flags === undefined) return undefined;
  const flag = split.flag;
  const tags = { "tidegate:environment": environment, "tidegate:service": settings.name };
  const alarm = declareFlagAlarm(args, tags);
  let told: (document: FlagDocument) => void = () => {};
  const made = new Promise<FlagDocument>((resolve) => {
    told = resolve;
  });
  const hooks = guardHooks(args, made);
  const document = new FlagDocument(
    `${name}-flag`,
    {
      application: `${environment}-${settings.name}`,
      environment,
      flag,
      flags,
      revision: revisionOf(declaration),
      ...(alarm ? { alarms: [{ name: alarm.alarmName, arn: alarm.arn }] } : {}),
      ...(args.strategies ? { strategies: args.strategies } : {}),
      ...(hooks ? { hooks } : {}),
      after: args.after,
      tags,
    },
    { parent },
  );
  told(document);
  const policy = new aws.iam.RolePolicy(
    `${name}-flag-hook`,
    {
      role: args.hookRoleName,
      policy: pulumi
        .all([document.arns, alarm?.arn])
        .apply(([arns, alarmArn]) => JSON.stringify(flagPolicy(arns, alarmArn))),
    },
    { parent },
  );
  return {
    document,
    split: document.place.apply((place) => ({ by: split.by, ...place })),
    resources: [document.deployment, policy],
  };
}

/** Changes with everything that may have lowered the flag without the program: whatever it said before, it is said anew. */
function revisionOf({ canary, realityGeneration }: Declaration): string {
  return `attempt ${canary?.attempt ?? 0}, generation ${realityGeneration}`;
}

/**
 * One alarm over what takes the canary to 0, for AppConfig alone: it rings nobody. A wave's own alarms are left out, which off their wave mean
 * nothing; so is what other systems watch.
 */
function declareFlagAlarm(
  { name, parent, environment, settings, declaration, watched, alarms }: ServiceFlagArgs,
  tags: Readonly<Record<string, string>>,
): aws.cloudwatch.CompositeAlarm | undefined {
  const meant = new Set(
    watched
      .filter(
        (alarm) =>
          alarm.digest === declaration.canary?.digest &&
          alarm.severity === "critical" &&
          alarm.mode === "act" &&
          alarm.response === "disable" &&
          alarm.atPercents === undefined &&
          alarm.watchedIn === undefined,
      )
      .map(({ alarmName }) => alarmName),
  );
  const declared = alarms.filter((alarm) => meant.has(alarm.name));
  if (settings.source === "prometheus" || settings.source === "datadog") return undefined;
  return new aws.cloudwatch.CompositeAlarm(
    `${name}-flag-alarm`,
    {
      alarmName: flagAlarmName(environment, settings.name),
      alarmDescription: `What takes the canary of ${settings.name} to 0; AppConfig takes a flag back on it. It rings nobody`,
      alarmRule: pulumi
        .all(declared.map(({ alarm }) => alarm.name))
        .apply((names) => (names.length === 0 ? "FALSE" : names.map((each) => `ALARM("${each}")`).join(" OR "))),
      tags: { ...tags, "tidegate:role": "flag-alarm" },
    },
    { parent },
  );
}

function guardHooks(
  { settings, declaration, router, watched, guard }: ServiceFlagArgs,
  made: Promise<FlagDocument>,
): pulumi.ResourceHookBinding | undefined {
  // A deployment of another version replaces the one before, and the engine asks before that creation, too (tried with Pulumi 3.248).
  // Never resolves in a preview, where ids may be unknown; there the hook does not run either.
  const known = new Promise<GuardedRule>((resolve) => {
    const place = pulumi.output(made).apply((document) => document.place);
    pulumi.all([place, describeReleases(router.groups)]).apply(([found, releases]) => {
      resolve({ role: "flag", flag: { place: found, percents: declaration.flags ?? {} }, alarms: watched, releases });
    });
  });
  return guard.bind(guardHookName(settings.name, "flag"), async (hookArgs) => {
    await guard.check(guardedWriteFrom(hookArgs, await known));
  });
}

/**
 * What the hook may do to this one document and no other. Deployments and versions are below what they belong to.
 * Source: Service Authorization Reference, AWS AppConfig, read 2026-11.
 */
export function flagPolicy(arns: readonly string[], alarmArn: string | undefined): object {
  const [application = "", environment = "", profile = "", strategy = ""] = arns;
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "LowerFlag",
        Effect: "Allow",
        Action: [
          "appconfig:ListDeployments",
          "appconfig:StartDeployment",
          "appconfig:StopDeployment",
          "appconfig:ListHostedConfigurationVersions",
          "appconfig:GetHostedConfigurationVersion",
          "appconfig:CreateHostedConfigurationVersion",
        ],
        Resource: [
          application,
          environment,
          `${environment}/deployment/*`,
          profile,
          `${profile}/hostedconfigurationversion/*`,
          strategy,
        ],
      },
      ...(alarmArn === undefined
        ? []
        : [
            {
              Sid: "KeepAppConfigFromTakingTheLoweringBack",
              Effect: "Allow",
              Action: ["cloudwatch:DisableAlarmActions", "cloudwatch:EnableAlarmActions"],
              Resource: alarmArn,
            },
          ]),
    ],
  };
}
