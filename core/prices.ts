/**
 * What AWS charges, for estimates (D9). List prices of us-east-1, without free tiers, tiers for large amounts, or discounts: the same
 * everywhere, so that two stacks compare; other regions are up to about a third dearer, and the estimate says so.
 */

/** One price with where it was read. Unit: US dollars. */
export interface Price {
  readonly dollars: number;
  readonly per: string;
  readonly source: string;
}

/** When the prices were read. */
export const pricesReadOn = "2026-11-21";
/** The region whose list prices these are. */
export const pricesRegion = "us-east-1";

const cloudWatch = "aws.amazon.com/cloudwatch/pricing";
const lambda = "aws.amazon.com/lambda/pricing";
const dynamo = "aws.amazon.com/dynamodb/pricing/on-demand";

export const prices = {
  alarmMetric: { dollars: 0.1, per: "metric that an alarm reads, a month", source: cloudWatch },
  highResolutionAlarmMetric: {
    dollars: 0.3,
    per: "metric that an alarm with a period under 60 s reads, a month",
    source: cloudWatch,
  },
  compositeAlarm: { dollars: 0.5, per: "composite alarm, a month", source: cloudWatch },
  customMetric: { dollars: 0.3, per: "custom metric, a month (first 10,000)", source: cloudWatch },
  metricRead: { dollars: 0.000_01, per: "metric asked for by GetMetricData", source: cloudWatch },
  apiCall: { dollars: 0.000_01, per: "other CloudWatch API call", source: cloudWatch },
  logGigabyte: { dollars: 0.5, per: "GB of logs taken in", source: cloudWatch },
  trace: { dollars: 0.000_005, per: "trace recorded", source: "aws.amazon.com/xray/pricing" },
  lambdaRun: { dollars: 0.000_000_2, per: "run of a function", source: lambda },
  lambdaGigabyteSecond: { dollars: 0.000_013_333_4, per: "GB-second on arm64", source: lambda },
  tableWrite: { dollars: 0.000_000_625, per: "write request unit, on demand", source: dynamo },
  tableRead: {
    dollars: 0.000_000_125,
    per: "read request unit, on demand (a consistent one is two of an item under 4 KB)",
    source: dynamo,
  },
  key: { dollars: 1, per: "KMS key, a month", source: "aws.amazon.com/kms/pricing" },
  secret: { dollars: 0.4, per: "secret, a month", source: "aws.amazon.com/secrets-manager/pricing" },
  loadBalancerHour: {
    dollars: 0.0225,
    per: "hour of an application load balancer, without its capacity units",
    source: "aws.amazon.com/elasticloadbalancing/pricing",
  },
} as const satisfies Record<string, Price>;
export type PricedItem = keyof typeof prices;

/** 365 days / 12. */
export const hoursPerMonth = 730;
