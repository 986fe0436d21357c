/**
 * The flag document on AppConfig (A6): which version is live, and a new one all at once.
 *
 * AppConfig itself rolls a deployment back while one of the environment's alarms speaks, also one that takes a flag away: a lowering would be
 * undone by the very alarm that called for it. So the flag's own alarm is quiet while the hook deploys: "A deployment doesn't automatically roll
 * back if actions have been disabled in an associated CloudWatch alarm."
 * Source: https://docs.aws.amazon.com/appconfig/latest/userguide/monitoring-deployments.html (read 2026-11).
 *
 * An environment takes one deployment at a time, so one that is under way is stopped, which leaves the version before it.
 */
import {
  type AppConfigClient,
  CreateHostedConfigurationVersionCommand,
  type DeploymentState,
  type DeploymentSummary,
  GetHostedConfigurationVersionCommand,
  ListDeploymentsCommand,
  paginateListHostedConfigurationVersions,
  StartDeploymentCommand,
  StopDeploymentCommand,
} from "@aws-sdk/client-appconfig";
import {
  type CloudWatchClient,
  DisableAlarmActionsCommand,
  EnableAlarmActionsCommand,
} from "@aws-sdk/client-cloudwatch";
import { type FlagPercents, flagDocument, readFlagDocument } from "../../core/flag-document.ts";
import type { LiveFlags } from "../../core/observation.ts";
import type { FlagPlace } from "../../core/split.ts";
import { type Clock, FlagNotConfirmedError, type Flags } from "../ports.ts";
import { awsErrorName, call } from "./call.ts";

/** From the first call of a write to the last look at it. Unit: milliseconds. A tenth of a reconcile's minute: others wait behind it. */
export const confirmMilliseconds = 10_000;

/** Between two looks at a deployment. Unit: milliseconds. */
const pollMilliseconds = 250;

/** How often a write is begun anew where somebody else wrote meanwhile. */
const mostTries = 3;

/** More than are ever between the newest deployment and the last that completed; one page. */
const deploymentsRead = 50;

/** States in which a deployment still changes what is live. Source: AppConfig API reference, DeploymentState, read 2026-11. */
const moving: ReadonlySet<DeploymentState> = new Set<DeploymentState>([
  "VALIDATING",
  "DEPLOYING",
  "BAKING",
  "ROLLING_BACK",
]);

export interface AppConfigFlagsArgs {
  readonly appConfig: AppConfigClient;
  /** For the flag's own alarm. */
  readonly cloudWatch: CloudWatchClient;
  readonly clock: Clock;
}

/** Flag documents in the AppConfig of one account and region. */
export function appConfigFlags({ appConfig, cloudWatch, clock }: AppConfigFlagsArgs): Flags {
  /** Newest first. */
  async function deployments(place: FlagPlace): Promise<DeploymentSummary[]> {
    const answer = await call(`${words(place)}: reading its deployments`, () =>
      appConfig.send(
        new ListDeploymentsCommand({
          ApplicationId: place.applicationId,
          EnvironmentId: place.environmentId,
          MaxResults: deploymentsRead,
        }),
      ),
    );
    return (answer.Items ?? []).toSorted((left, right) => (right.DeploymentNumber ?? 0) - (left.DeploymentNumber ?? 0));
  }

  async function documentOf(place: FlagPlace, version: string | undefined): Promise<FlagPercents> {
    if (version === undefined) return {};
    const answer = await call(`${words(place)}: reading version ${version}`, () =>
      appConfig.send(
        new GetHostedConfigurationVersionCommand({
          ApplicationId: place.applicationId,
          ConfigurationProfileId: place.profileId,
          VersionNumber: Number(version),
        }),
      ),
    );
    return readFlagDocument(new TextDecoder().decode(answer.Content));
  }

  async function look(place: FlagPlace): Promise<Looked> {
    const all = await deployments(place);
    const under = all.find(({ State }) => State !== undefined && moving.has(State));
    const complete = all.find(({ State }) => State === "COMPLETE");
    const before = await documentOf(place, complete?.ConfigurationVersion);
    if (!under) return { newest: all[0], under, flags: { percents: before, mostPercents: before } };
    const next = await documentOf(place, under.ConfigurationVersion);
    const percents = under.State === "ROLLING_BACK" ? before : next;
    return { newest: all[0], under, flags: { percents, mostPercents: higherOf(before, next) } };
  }

  async function newVersion(place: FlagPlace, percents: FlagPercents): Promise<string> {
    const { applicationId: ApplicationId, profileId: ConfigurationProfileId } = place;
    const numbers = await call(`${words(place)}: reading its versions`, async () => {
      const found: number[] = [];
      const pages = paginateListHostedConfigurationVersions(
        { client: appConfig },
        { ApplicationId, ConfigurationProfileId },
      );
      for await (const page of pages) found.push(...(page.Items ?? []).map(({ VersionNumber = 0 }) => VersionNumber));
      return found;
    });
    const made = await call(`${words(place)}: writing a version`, () =>
      appConfig.send(
        new CreateHostedConfigurationVersionCommand({
          ApplicationId,
          ConfigurationProfileId,
          Content: new TextEncoder().encode(flagDocument(percents)),
          ContentType: "application/json",
          Description: "Lowered by the Tidegate hook",
          // Somebody else's version in between refuses this one: their flags are looked at first.
          ...(numbers.length > 0 ? { LatestVersionNumber: Math.max(...numbers) } : {}),
        }),
      ),
    );
    if (made.VersionNumber === undefined)
      throw new FlagNotConfirmedError(`${words(place)}: the new version has no number`);
    return String(made.VersionNumber);
  }

  /** What is under way is stopped, and waited for until it moves nothing any more. */
  async function stop(place: FlagPlace, number: number, isBaking: boolean, until: number): Promise<void> {
    try {
      await call(`${words(place)}: stopping deployment ${number}`, () =>
        appConfig.send(
          new StopDeploymentCommand({
            ApplicationId: place.applicationId,
            EnvironmentId: place.environmentId,
            DeploymentNumber: number,
            // Of one that completed meanwhile it would bring back what was before, so only where nothing else stops it.
            ...(isBaking ? { AllowRevert: true } : {}),
          }),
        ),
      );
    } catch (error) {
      // It ended by itself meanwhile.
      if (awsErrorName(error) !== "BadRequestException") throw error;
    }
    await waitUntil(place, number, until, `deployment ${number} to stop`, (state) => !moving.has(state));
  }

  async function waitUntil(
    place: FlagPlace,
    number: number,
    until: number,
    what: string,
    isDone: (state: DeploymentState) => boolean,
  ): Promise<void> {
    for (;;) {
      const found = (await deployments(place)).find(({ DeploymentNumber }) => DeploymentNumber === number);
      const state = found?.State;
      if (state !== undefined && isDone(state)) return;
      const isOver = state === undefined || !moving.has(state);
      if (isOver || clock.now() + pollMilliseconds > until) {
        throw new FlagNotConfirmedError(
          `${words(place)}: waited for ${what}, got ${state ?? "no such deployment"}; nobody knows who has which flags`,
        );
      }
      await clock.sleep(pollMilliseconds);
    }
  }

  async function deploy(place: FlagPlace, percents: FlagPercents, until: number): Promise<void> {
    const { under, newest } = await look(place);
    const isOurs =
      under?.State !== "ROLLING_BACK" &&
      under?.ConfigurationVersion !== undefined &&
      isSame(await documentOf(place, under.ConfigurationVersion), percents);
    if (under?.DeploymentNumber !== undefined && isOurs)
      return waitUntil(place, under.DeploymentNumber, until, "COMPLETE", (state) => state === "COMPLETE");
    if (under?.DeploymentNumber !== undefined)
      await stop(place, under.DeploymentNumber, under.State === "BAKING", until);
    const version = await newVersion(place, percents);
    const started = await call(`${words(place)}: deploying version ${version}`, () =>
      appConfig.send(
        new StartDeploymentCommand({
          ApplicationId: place.applicationId,
          EnvironmentId: place.environmentId,
          ConfigurationProfileId: place.profileId,
          DeploymentStrategyId: place.strategyId,
          ConfigurationVersion: version,
          Description: `Lowered by the Tidegate hook after deployment ${newest?.DeploymentNumber ?? 0}`,
        }),
      ),
    );
    await waitUntil(place, started.DeploymentNumber ?? 0, until, "COMPLETE", (state) => state === "COMPLETE");
  }

  async function alarmActions(place: FlagPlace, areOn: boolean): Promise<void> {
    const { alarmName } = place;
    if (alarmName === undefined) return;
    const AlarmNames = [alarmName];
    await call(`alarm ${alarmName}: turning its actions ${areOn ? "on" : "off"}`, () =>
      areOn
        ? cloudWatch.send(new EnableAlarmActionsCommand({ AlarmNames }))
        : cloudWatch.send(new DisableAlarmActionsCommand({ AlarmNames })),
    );
  }

  return {
    read: async (place) => (await look(place)).flags,
    async write(place, percents) {
      const until = clock.now() + confirmMilliseconds;
      // Without it the deployment may still come through, and what comes of it is looked at either way.
      const quieted = await outcome(() => alarmActions(place, false));
      try {
        for (let tries = 1; ; tries += 1) {
          try {
            await deploy(place, percents, until);
            break;
          } catch (error) {
            const isRetried = awsErrorName(error) === "ConflictException" && tries < mostTries && clock.now() < until;
            if (!isRetried) throw error;
          }
        }
        const { flags } = await look(place);
        const above = Object.entries(flags.mostPercents).filter(([flag, percent]) => percent > (percents[flag] ?? 0));
        if (above.length > 0) {
          throw new FlagNotConfirmedError(
            `${words(place)}: read back ${above.map(([flag, percent]) => `${flag} at ${percent} %`).join(", ")} after writing ${JSON.stringify(percents)}`,
          );
        }
      } finally {
        // The next write and every `up` turn them on again, should this fail; said, it would hide that the flag is down.
        if (quieted === undefined) await outcome(() => alarmActions(place, true));
      }
    },
  };
}

interface Looked {
  readonly newest: DeploymentSummary | undefined;
  readonly under: DeploymentSummary | undefined;
  readonly flags: LiveFlags;
}

async function outcome(act: () => Promise<void>): Promise<unknown> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return error;
  }
}

function higherOf(left: FlagPercents, right: FlagPercents): FlagPercents {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return Object.fromEntries([...keys].map((key) => [key, Math.max(left[key] ?? 0, right[key] ?? 0)]));
}

function isSame(left: FlagPercents, right: FlagPercents): boolean {
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => left[key] === right[key]);
}

function words({ flag, applicationId, environmentId }: FlagPlace): string {
  return `flag ${flag} (AppConfig application ${applicationId}, environment ${environmentId})`;
}
