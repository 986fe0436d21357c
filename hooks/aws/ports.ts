/**
 * All ports on AWS, put together for one account, region and record table: what the program's guard and the commands use as they are,
 * and the deployed functions with a pager and telemetry of their own (`hook-ports.ts`).
 */
import { randomUUID } from "node:crypto";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { PagePlace } from "../../core/page-message.ts";
import { type ElsewhereSettings, elsewherePorts } from "../elsewhere/elsewhere.ts";
import type { Clock, Flags, Pager, Ports, Telemetry } from "../ports.ts";
import { silentTelemetry } from "../telemetry.ts";
import { cloudWatchAlarms } from "./alarms.ts";
import { type AwsAccess, clientSettings } from "./clients.ts";
import { cloudWatchMetrics } from "./metrics.ts";
import { dynamoPeers } from "./peers.ts";
import { dynamoRecordStore } from "./record-store.ts";
import { elbTraffic } from "./traffic.ts";

export interface AwsPortsArgs extends AwsAccess {
  /** The environment's record table. */
  readonly tableName: string;
  /** Where pages say that they come from. */
  readonly place: PagePlace;
  /** How to ask the systems that watch beside CloudWatch. @default none: what they watch cannot be read, and says so */
  readonly elsewhere?: ElsewhereSettings;
  /** Hears secrets before they are used, so that logs know what to leave out. @default nobody: nothing is logged */
  readonly onSecret?: (value: string) => void;
  /** @default one that refuses by name: a page that nobody sends must not look sent */
  readonly pager?: Pager;
  /** @default silent: the program and the commands have their own output */
  readonly telemetry?: Telemetry;
}

/** Nobody is there to send a page. */
export class PagerNotWiredError extends Error {
  override readonly name = "PagerNotWiredError";
}

/** The AWS ports. Makes no call by itself. */
export function awsPorts(args: AwsPortsArgs): Ports {
  const settings = clientSettings(args);
  const cloudWatch = new CloudWatchClient(settings);
  return {
    records: dynamoRecordStore(new DynamoDBClient(settings), { tableName: args.tableName }),
    traffic: elbTraffic(new ElasticLoadBalancingV2Client(settings)),
    alarms: cloudWatchAlarms(cloudWatch),
    metrics: cloudWatchMetrics(cloudWatch),
    peers: dynamoPeers(args),
    elsewhere: elsewherePorts(args.elsewhere ?? {}, {
      ...args,
      now: wallClock.now,
      onSecret: args.onSecret ?? (() => {}),
    }),
    flags: flagsWhenAsked(settings, cloudWatch),
    pager: args.pager ?? pagerNotWired,
    telemetry: args.telemetry ?? silentTelemetry,
    place: args.place,
    clock: wallClock,
    newId: randomUUID,
  };
}

/** Loaded with the first flag: a service without one does not wait for another client. */
function flagsWhenAsked(settings: ReturnType<typeof clientSettings>, cloudWatch: CloudWatchClient): Flags {
  let loaded: Promise<Flags> | undefined;
  const load = async (): Promise<Flags> => {
    const [{ AppConfigClient }, { appConfigFlags }] = await Promise.all([
      import("@aws-sdk/client-appconfig"),
      import("./flags.ts"),
    ]);
    return appConfigFlags({ appConfig: new AppConfigClient(settings), cloudWatch, clock: wallClock });
  };
  const flags = (): Promise<Flags> => {
    loaded ??= load();
    return loaded;
  };
  return {
    read: async (place) => (await flags()).read(place),
    write: async (place, percents) => (await flags()).write(place, percents),
  };
}

const pagerNotWired: Pager = {
  async send({ page }) {
    throw new PagerNotWiredError(
      `page ${page.id} (${page.summary}): not sent from here; pages are sent by the deployed hook, which finds this one in the record within a minute`,
    );
  },
};

const wallClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};
