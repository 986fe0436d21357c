/**
 * Flag and weights turned off together, with the hook's own code and its AWS adapters: AppConfig, CloudWatch and DynamoDB as ministack has
 * them, load balancing as moto has it. And AppConfig's own rollback, on the environment's own alarm.
 */
import {
  AppConfigClient,
  CreateApplicationCommand,
  CreateConfigurationProfileCommand,
  CreateDeploymentStrategyCommand,
  CreateEnvironmentCommand,
  CreateHostedConfigurationVersionCommand,
  ListDeploymentsCommand,
  StartDeploymentCommand,
} from "@aws-sdk/client-appconfig";
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FlagPercents, flagDocument } from "../../core/flag-document.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { defaultRunbookBase } from "../../core/runbooks.ts";
import type { RecordedSplit, Splitter } from "../../core/split.ts";
import { awsPorts } from "../../hooks/aws/ports.ts";
import { kill } from "../../hooks/commands.ts";
import type { Ports } from "../../hooks/ports.ts";
import { reconcileService } from "../../hooks/reconcile.ts";
import { aFullRecord, aWatchedAlarm } from "../contract/a-record.ts";
import { makeTable } from "./a-table.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";
import { type MotoRule, makeMotoRule } from "./moto-rule.ts";

emulatorEndpoint("AWS_ENDPOINT_URL");
emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");

const appConfig = new AppConfigClient(access);
const cloudWatch = new CloudWatchClient(access);
const flag = "batch-patches-v1";
const service = "checkout";
const stable = "sha256:aaaa";
const next = "sha256:bbbb";
const alarmName = `tidegate/production/${service}/2-4-0/error-rate/critical/60s`;

interface Scene {
  readonly place: RecordedSplit;
  readonly ports: Ports;
  readonly rule: MotoRule;
  /** Deploys a document as an `up` does. */
  deploy(percents: FlagPercents, strategyId?: string): Promise<void>;
  /** Baking for an hour: what AppConfig watches its alarms in. */
  readonly slowStrategyId: string;
  readonly flagAlarm: string;
  live(): Promise<{ weights: Readonly<Record<string, number>>; flag: FlagPercents }>;
}

async function makeAlarm(AlarmName: string, state: "OK" | "ALARM"): Promise<string> {
  await cloudWatch.send(
    new PutMetricAlarmCommand({
      AlarmName,
      Namespace: "Tidegate",
      MetricName: "Errors",
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: "GreaterThanThreshold",
      TreatMissingData: "notBreaching",
    }),
  );
  await cloudWatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: state, StateReason: "a test" }));
  const found = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: [AlarmName] }));
  return found.MetricAlarms?.[0]?.AlarmArn ?? "";
}

async function makeStrategy(bakeMinutes: number): Promise<string> {
  const made = await appConfig.send(
    new CreateDeploymentStrategyCommand({
      Name: freshName("strategy"),
      DeploymentDurationInMinutes: 0,
      FinalBakeTimeInMinutes: bakeMinutes,
      GrowthFactor: 100,
      ReplicateTo: "NONE",
    }),
  );
  return made.Id ?? "";
}

/** A service with its flag at an exposure, by either splitter, and all of it live. */
async function makeScene(
  by: Splitter,
  exposurePercent: number,
  response: "disable" | "halve" = "disable",
): Promise<Scene> {
  const application = await appConfig.send(new CreateApplicationCommand({ Name: freshName("production-checkout") }));
  const ApplicationId = application.Id ?? "";
  const flagAlarm = freshName("flag-alarm");
  const alarmArn = await makeAlarm(flagAlarm, "OK");
  const made = await appConfig.send(
    new CreateEnvironmentCommand({ ApplicationId, Name: "production", Monitors: [{ AlarmArn: alarmArn }] }),
  );
  const profile = await appConfig.send(
    new CreateConfigurationProfileCommand({
      ApplicationId,
      Name: "flags",
      LocationUri: "hosted",
      Type: "AWS.AppConfig.FeatureFlags",
    }),
  );
  const place: RecordedSplit = {
    by,
    flag,
    applicationId: ApplicationId,
    environmentId: made.Id ?? "",
    profileId: profile.Id ?? "",
    strategyId: await makeStrategy(0),
    alarmName: flagAlarm,
  };
  const rule = await makeMotoRule(
    by === "weights" ? { stable: 100 - exposurePercent, next: exposurePercent } : { stable: 0, next: 100 },
  );
  const tableName = freshName("flags");
  await makeTable(new DynamoDBClient(access), tableName);
  const pages: unknown[] = [];
  const ports = awsPorts({
    ...access,
    tableName,
    place: { environment: "production", region: access.region, runbookBase: defaultRunbookBase },
    pager: {
      send: async (message) => {
        pages.push(message);
        return { deliveredTo: ["test"], failed: [] };
      },
    },
  });
  const deploy: Scene["deploy"] = async (percents, strategyId = place.strategyId) => {
    const version = await appConfig.send(
      new CreateHostedConfigurationVersionCommand({
        ApplicationId,
        ConfigurationProfileId: place.profileId,
        Content: new TextEncoder().encode(flagDocument(percents)),
        ContentType: "application/json",
      }),
    );
    await appConfig.send(
      new StartDeploymentCommand({
        ApplicationId,
        EnvironmentId: place.environmentId,
        ConfigurationProfileId: place.profileId,
        ConfigurationVersion: String(version.VersionNumber),
        DeploymentStrategyId: strategyId,
      }),
    );
  };
  await makeAlarm(alarmName, "OK");
  await ports.records.write(recordOf(place, rule, exposurePercent, response), undefined);
  return {
    place,
    ports,
    rule,
    deploy,
    slowStrategyId: await makeStrategy(60),
    flagAlarm,
    live: async () => ({ weights: await rule.weights(), flag: (await ports.flags.read(place)).percents }),
  };
}

function recordOf(
  place: RecordedSplit,
  rule: MotoRule,
  exposurePercent: number,
  response: "disable" | "halve",
): RolloutRecord {
  const at = Date.now() - 60_000;
  const full = aFullRecord();
  const release = (digest: string, version: string, targetGroupArn: string) => ({
    digest,
    version,
    targetGroupArn,
    targetGroupArnSuffix: `targetgroup/${version}/1`,
    adopted: false,
    knownGood: digest === stable,
  });
  const {
    stickinessSeconds: _sticky,
    control: _control,
    lease: _lease,
    previous: _previous,
    paused: _paused,
    blindSince: _blind,
    peers: _peers,
    retiredAt: _retired,
    lastIntent: _intent,
    leavingRules: _leaving,
    ...record
  } = full;
  return {
    ...record,
    revision: 1,
    source: "emf",
    rules: [{ arn: rule.arn, role: "main" }],
    alarms: [aWatchedAlarm(alarmName, { digest: next, response, settleSeconds: 60 })],
    releases: {
      [stable]: release(stable, "2.3.1", rule.groups.stable),
      [next]: release(next, "2.4.0", rule.groups.next),
    },
    baseline: stable,
    canary: {
      digest: next,
      attempt: 1,
      exposurePercent,
      waveOpenedAt: at,
      exposedSince: at,
      openedFromPercent: 0,
      servedPercents: [],
    },
    split: place,
    leaving: {},
    ceilings: { [stable]: 100, [next]: exposurePercent },
    attempts: { [next]: 1 },
    breaches: {},
    holds: {},
    outbox: [],
    openIncidents: [],
    snapshotsDue: [],
    broadcastsDue: [],
  };
}

const speak = (state: "OK" | "ALARM") =>
  cloudWatch.send(new SetAlarmStateCommand({ AlarmName: alarmName, StateValue: state, StateReason: "a test" }));

async function holdsOf({ ports }: Scene): Promise<string[]> {
  const record = await ports.records.read(service);
  return Object.values(record?.holds ?? {}).map(({ cause, targetPercent }) => `${cause} to ${targetPercent}`);
}

describe("flag and weights on the emulators", { timeout: 60_000 }, () => {
  beforeAll(() => makeAlarm(alarmName, "OK"), 60_000);
  beforeEach(() => speak("OK"));

  it.each([
    ["the flag", "flag", { next: 100 }, { [flag]: 25 }],
    ["weights", "weights", { stable: 75, next: 25 }, { [flag]: 100 }],
  ] as const)("turns both off in one rollback where %s splits [A6]", async (_who, by, weights, flags) => {
    const scene = await makeScene(by, 25);
    await scene.deploy(flags);
    await reconcileService(scene.ports, service);
    expect(await scene.live()).toEqual({ weights, flag: flags });
    expect(await holdsOf(scene)).toEqual([]);

    await speak("ALARM");
    await reconcileService(scene.ports, service);
    expect(await scene.live()).toEqual({ weights: { stable: 100 }, flag: { [flag]: 0 } });
    expect(await holdsOf(scene)).toEqual(["breach to 0"]);
    const [alarm] =
      (await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: [scene.flagAlarm] }))).MetricAlarms ?? [];
    expect(alarm?.ActionsEnabled).toBe(true);
  });

  it("turns both off where a person kills [A6, B4]", async () => {
    const scene = await makeScene("flag", 50);
    await scene.deploy({ [flag]: 50 });
    await kill(scene.ports, service, { by: "an operator", reason: "errors at the till" });
    expect(await scene.live()).toEqual({ weights: { stable: 100 }, flag: { [flag]: 0 } });
  });

  it("lowers the flag alone where half is asked for, and stops what is being deployed meanwhile [A6, B2]", async () => {
    const scene = await makeScene("flag", 50, "halve");
    await scene.deploy({ [flag]: 50 }, scene.slowStrategyId);
    await speak("ALARM");
    await reconcileService(scene.ports, service);
    expect(await scene.live()).toEqual({ weights: { next: 100 }, flag: { [flag]: 25 } });
    const { Items = [] } = await appConfig.send(
      new ListDeploymentsCommand({
        ApplicationId: scene.place.applicationId,
        EnvironmentId: scene.place.environmentId,
      }),
    );
    expect(Items.map(({ State }) => State).sort()).toEqual(["COMPLETE", "ROLLED_BACK"]);
    expect((await scene.ports.records.read(service))?.flagDueSince).toBeDefined();
    await reconcileService(scene.ports, service);
    expect((await scene.ports.records.read(service))?.flagDueSince).toBeUndefined();
  });

  it("takes the weights where the flag cannot be lowered [A6]", async () => {
    const scene = await makeScene("flag", 50, "halve");
    await scene.deploy({ [flag]: 50 });
    const record = await scene.ports.records.read(service);
    if (!record?.split) throw new Error("no record");
    const split = { ...record.split, strategyId: "gone1234" };
    await scene.ports.records.write({ ...record, split, revision: record.revision + 1 }, record.revision);
    await speak("ALARM");
    await expect(reconcileService(scene.ports, service)).rejects.toThrow(/gone1234 could not be found/);
    expect((await scene.live()).weights).toEqual({ stable: 100 });
    expect(await holdsOf(scene)).toEqual(["breach to 25", "flag-failed to 0"]);
  });

  it("sees AppConfig's own rollback, holds, and raises nothing again [A6]", async () => {
    const scene = await makeScene("flag", 25);
    await scene.deploy({ [flag]: 10 });
    await scene.deploy({ [flag]: 25 }, scene.slowStrategyId);
    await reconcileService(scene.ports, service);
    expect(await holdsOf(scene)).toEqual([]);
    await cloudWatch.send(
      new SetAlarmStateCommand({ AlarmName: scene.flagAlarm, StateValue: "ALARM", StateReason: "a test" }),
    );
    await reconcileService(scene.ports, service);
    expect(await scene.live()).toEqual({ weights: { next: 100 }, flag: { [flag]: 10 } });
    expect(await holdsOf(scene)).toEqual(["unexplained-lowering to 10"]);
    await reconcileService(scene.ports, service);
    expect(await scene.live()).toEqual({ weights: { next: 100 }, flag: { [flag]: 10 } });
    expect((await scene.ports.records.read(service))?.canary?.exposurePercent).toBe(10);
  });

  it("takes the weights where AppConfig brings back what the hook took away [A6]", async () => {
    const scene = await makeScene("flag", 50, "halve");
    await scene.deploy({ [flag]: 50 });
    // Emulated, an alarm's disabled actions stop no rollback: what a service without them, or a bug in them, would do.
    await cloudWatch.send(
      new SetAlarmStateCommand({ AlarmName: scene.flagAlarm, StateValue: "ALARM", StateReason: "a test" }),
    );
    await speak("ALARM");
    await expect(reconcileService(scene.ports, service)).rejects.toThrow(/ROLLED_BACK/);
    expect((await scene.live()).weights).toEqual({ stable: 100 });
    expect(await holdsOf(scene)).toEqual(["breach to 25", "flag-failed to 0"]);
  });
});

describe("flags on AppConfig", { timeout: 60_000 }, () => {
  it("are none where nothing was ever deployed, and named where the document is not ours [A6]", async () => {
    const scene = await makeScene("flag", 25);
    expect(await scene.ports.flags.read(scene.place)).toEqual({ percents: {}, mostPercents: {} });
    await appConfig.send(
      new CreateHostedConfigurationVersionCommand({
        ApplicationId: scene.place.applicationId,
        ConfigurationProfileId: scene.place.profileId,
        Content: new TextEncoder().encode('{"version":"2","flags":{},"values":{"__proto__":{"enabled":true}}}'),
        ContentType: "application/json",
      }),
    );
    await appConfig.send(
      new StartDeploymentCommand({
        ApplicationId: scene.place.applicationId,
        EnvironmentId: scene.place.environmentId,
        ConfigurationProfileId: scene.place.profileId,
        ConfigurationVersion: "1",
        DeploymentStrategyId: scene.place.strategyId,
      }),
    );
    await expect(scene.ports.flags.read(scene.place)).rejects.toThrow(
      'flag document: version: got "2"; expected "1"; values: "__proto__" is no key',
    );
  });
});
