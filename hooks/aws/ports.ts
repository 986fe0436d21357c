/**
 * All ports on AWS, put together for one account, region and record table: what the program's guard and the commands use.
 */
import { randomUUID } from "node:crypto";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Clock, Pager, Ports } from "../ports.ts";
import { cloudWatchAlarms } from "./alarms.ts";
import { type AwsAccess, clientSettings } from "./clients.ts";
import { cloudWatchMetrics } from "./metrics.ts";
import { dynamoRecordStore } from "./record-store.ts";
import { elbTraffic } from "./traffic.ts";

export interface AwsPortsArgs extends AwsAccess {
  /** The environment's record table. */
  readonly tableName: string;
  /** @default one that refuses by name: a page that nobody sends must not look sent */
  readonly pager?: Pager;
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
    pager: args.pager ?? pagerNotWired,
    clock: wallClock,
    newId: randomUUID,
  };
}

const pagerNotWired: Pager = {
  async send(page) {
    throw new PagerNotWiredError(
      `page ${page.id} (${page.summary}): not sent; pages are sent by the deployed hook, which this version does not have yet`,
    );
  },
};

const wallClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};
