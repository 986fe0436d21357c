/**
 * What a stack costs a month (D9): every declared resource is priced, is free for a stated reason, or is named as not priced; nothing is
 * taken for free because nobody thought of it. What resources cost by being used (the hook's runs and reads, the metrics that releases
 * report) is estimated beside it from assumptions that are said.
 *
 * Targets, workloads, traffic and data transfer are the service's own and not counted.
 */
import type { Plan } from "./plans.ts";
import { hoursPerMonth, type PricedItem, prices } from "./prices.ts";
import { cloudWatchName, type ReportedSignal, reportedNamespace } from "./signals.ts";

/** A resource as declared, as far as its price needs it. */
export interface DeclaredResource {
  readonly type: string;
  readonly name: string;
  /** Plain as far as they are known when the program runs; unknown ones are simply not numbers, texts or lists. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** A service as far as its use of the hook depends on it. */
export interface CostedService {
  readonly name: string;
  readonly source: string;
  /** Its soaks say how long a canary has traffic. */
  readonly plan: { readonly waves: readonly Pick<Plan["waves"][number], "minimumSoakMinutes">[] };
}

/** One line of the bill. */
export interface CostLine {
  /** Absent: of the environment. */
  readonly service?: string;
  readonly what: string;
  readonly item: PricedItem;
  /** How many units of the price, a month. */
  readonly units: number;
  /** Unit: US dollars a month. */
  readonly dollars: number;
  /** `declared`: charged for being there; `used`: an estimate of what it does. */
  readonly kind: "declared" | "used";
}

export interface CostEstimate {
  readonly lines: readonly CostLine[];
  /** Resources that have a price which this list does not know, by type. */
  readonly unpriced: readonly { readonly type: string; readonly count: number; readonly why: string }[];
  readonly assumptions: readonly string[];
}

/** Types that cost nothing by being there, each with the reason. */
const free: Readonly<Record<string, string>> = {
  "aws:lb/listenerRule:ListenerRule": "in the load balancer's capacity units",
  "aws:lb/targetGroup:TargetGroup": "in the load balancer's capacity units",
  "aws:lb/listener:Listener": "in the load balancer's hour",
  "aws:lambda/invocation:Invocation": "one run an up",
  "aws:lambda/permission:Permission": "no charge",
  "aws:lambda/alias:Alias": "no charge",
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": "no charge",
  "aws:iam/role:Role": "no charge",
  "aws:iam/rolePolicy:RolePolicy": "no charge",
  "aws:cloudwatch/logGroup:LogGroup": "priced by what the functions write",
  "aws:cloudwatch/eventRule:EventRule": "AWS's own events and schedules are free",
  "aws:cloudwatch/eventTarget:EventTarget": "AWS's own events and schedules are free",
  "aws:scheduler/schedule:Schedule": "far under its smallest charge",
  "aws:sns/topic:Topic": "a few messages a day",
  "aws:sns/topicPolicy:TopicPolicy": "no charge",
  "aws:sns/topicSubscription:TopicSubscription": "a few messages a day",
  "aws:sqs/queue:Queue": "empty while all is well",
  "aws:sqs/queuePolicy:QueuePolicy": "no charge",
  "aws:kms/alias:Alias": "no charge",
  "aws:secretsmanager/secretVersion:SecretVersion": "in the secret's price",
  "aws:ec2/securityGroup:SecurityGroup": "no charge",
  "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": "no charge",
  "aws:dynamodb/table:Table": "priced by its use; a record is a few KB",
  "aws:s3/bucket:Bucket": "some MB of reports a year",
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "no charge",
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "no charge",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "no charge",
};

/** Packages whose prices are a contract with somebody else. */
const contracts: Readonly<Record<string, string>> = {
  pagerduty: "by the seats of your PagerDuty plan",
  grafana: "by your Grafana: nothing where you run it, by series and users in Grafana Cloud",
  datadog: "by your Datadog plan: custom metrics are charged by the hundred",
  kubernetes: "a workload",
};

/** What the middleware always reports of a release, whether or not an alarm reads it. */
const alwaysReported: readonly ReportedSignal[] = ["requests", "errors", "latency", "memory-megabytes", "cpu-percent"];

/** Once a minute. */
const everyMinute = hoursPerMonth * 60;
/** Log lines of the functions. Unit: bytes a run. Assumed: their metrics, and a line or two. */
const logBytesPerRun = 1_500;
/** Processes of a release that report. Assumed; each writes a line every 10 s. */
const reportingProcesses = 2;
/** One line of the middleware. Unit: bytes. A busy release with 100 latency bins and five metrics writes about so much; a test measures it. */
export const reportedLineBytes = 3_000;

/** How a function of ours is used, whatever happens: by the end of its name. */
interface Use {
  readonly runsPerMonth: number;
  /** Unit: seconds. Assumed: calls of 50 ms each, and histories of all services for a report. */
  readonly runSeconds: number;
  /** CloudWatch is asked for the alarms' states. */
  readonly callsPerRun: number;
  /** Of its own, in every month. */
  readonly metrics: number;
}
const uses: Readonly<Record<string, Use>> = {
  hook: { runsPerMonth: everyMinute, runSeconds: 0.5, callsPerRun: 1, metrics: 2 },
  watchman: { runsPerMonth: everyMinute, runSeconds: 0.5, callsPerRun: 1, metrics: 1 },
  report: { runsPerMonth: hoursPerMonth * 4, runSeconds: 5, callsPerRun: 0, metrics: 0 },
};

/** Where the hook's own metrics are charged: a custom metric costs the hours in which it has points. */
export const hookMetricUse: Readonly<
  Record<string, "always" | "while a canary is declared" | "while exposed" | "rarely">
> = {
  ReconcileFinished: "always",
  ReconcileMilliseconds: "always",
  WatchmanFindings: "always",
  ExposurePercent: "while a canary is declared",
  CanaryErrorRatePercent: "while exposed",
  ReconcileFailed: "rarely",
  Decisions: "rarely",
  RollbackMilliseconds: "rarely",
  PagesSent: "rarely",
  PagesUndelivered: "rarely",
  DrillArrived: "rarely",
};

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function serviceOf({ inputs }: DeclaredResource): string | undefined {
  const service = fieldsOf(inputs.tags)["tidegate:service"];
  return isText(service) ? service : undefined;
}

/** Every metric that an alarm reads: namespace, name, dimensions, period. */
function metricsOf({
  inputs,
}: DeclaredResource): { readonly fields: Readonly<Record<string, unknown>>; readonly periodSeconds: number }[] {
  if (Array.isArray(inputs.metricQueries)) {
    return inputs.metricQueries.flatMap((query: unknown) => {
      const { metric } = fieldsOf(query);
      if (metric === undefined) return [];
      const fields = fieldsOf(metric);
      return [{ fields, periodSeconds: Number(fields.period ?? 60) }];
    });
  }
  return [{ fields: inputs, periodSeconds: Number(inputs.period ?? 60) }];
}

function lineOf(line: Omit<CostLine, "dollars">): CostLine {
  return { ...line, dollars: line.units * prices[line.item].dollars };
}

function declared(resource: DeclaredResource): CostLine[] | undefined {
  const service = serviceOf(resource);
  const of = service === undefined ? {} : { service };
  const one = (what: string, item: PricedItem, units = 1): CostLine[] => [
    lineOf({ ...of, what, item, units, kind: "declared" }),
  ];
  switch (resource.type) {
    case "aws:cloudwatch/metricAlarm:MetricAlarm": {
      const metrics = metricsOf(resource);
      const fast = metrics.filter(({ periodSeconds }) => periodSeconds < 60).length;
      return [
        ...(fast < metrics.length ? one("alarms", "alarmMetric", metrics.length - fast) : []),
        ...(fast > 0 ? one("alarms by the ten seconds", "highResolutionAlarmMetric", fast) : []),
      ];
    }
    case "aws:cloudwatch/compositeAlarm:CompositeAlarm":
      return one("composite alarms", "compositeAlarm");
    case "aws:kms/key:Key":
      return one("key", "key");
    case "aws:secretsmanager/secret:Secret":
      return one("secrets", "secret");
    case "aws:lb/loadBalancer:LoadBalancer":
      return one("load balancer", "loadBalancerHour", hoursPerMonth);
    case "aws:lambda/function:Function":
      return ofFunction(resource);
    default:
      return undefined;
  }
}

/** What a function costs that runs on a schedule, whatever happens. */
function ofFunction({ name, inputs }: DeclaredResource): CostLine[] | undefined {
  const named = isText(inputs.name) ? inputs.name : name;
  const use = uses[named.split("-").at(-1) ?? ""];
  if (!use) return undefined;
  const { runsPerMonth, runSeconds, callsPerRun, metrics } = use;
  const gigabytes = Number(inputs.memorySize ?? 128) / 1_024;
  const used = (what: string, item: PricedItem, units: number) =>
    units === 0 ? [] : [lineOf({ what: `${named}: ${what}`, item, units, kind: "used" })];
  return [
    ...used("runs", "lambdaRun", runsPerMonth),
    ...used("time", "lambdaGigabyteSecond", runsPerMonth * runSeconds * gigabytes),
    ...used("logs", "logGigabyte", (runsPerMonth * logBytesPerRun) / 1e9),
    ...used("alarm states it reads", "apiCall", runsPerMonth * callsPerRun),
    ...used("metrics of its own", "customMetric", metrics),
    ...used("traces", "trace", inputs.tracingConfig === undefined ? 0 : runsPerMonth),
  ];
}

/** Custom metrics of releases that report to CloudWatch: what alarms read, and what the middleware always writes. */
function reportedMetrics(resources: readonly DeclaredResource[]): CostLine[] {
  const names = new Map<string, Map<string, Set<string>>>();
  for (const resource of resources) {
    if (resource.type !== "aws:cloudwatch/metricAlarm:MetricAlarm") continue;
    for (const { fields } of metricsOf(resource)) {
      const { Service: service, Release: release } = fieldsOf(fields.dimensions);
      if (fields.namespace !== reportedNamespace || !isText(service) || !isText(release)) continue;
      const releases = names.get(service) ?? new Map<string, Set<string>>();
      const metrics = releases.get(release) ?? new Set(alwaysReported.map(cloudWatchName));
      metrics.add(String(fields.metricName));
      releases.set(release, metrics);
      names.set(service, releases);
    }
  }
  return [...names].flatMap(([service, releases]) => {
    const metrics = [...releases.values()].reduce((sum, { size }) => sum + size, 0);
    const lines = (hoursPerMonth * 360 * reportingProcesses * releases.size * reportedLineBytes) / 1e9;
    return [
      lineOf({ service, what: "metrics that releases report", item: "customMetric", units: metrics, kind: "used" }),
      lineOf({ service, what: "log lines that carry them", item: "logGigabyte", units: lines, kind: "used" }),
    ];
  });
}

/** How long a canary has traffic in a month. Unit: hours. */
export function exposedHours(plan: CostedService["plan"]): number {
  const minutes = plan.waves.reduce((sum, wave) => sum + (wave.minimumSoakMinutes ?? 0), 0);
  return Math.min(hoursPerMonth, minutes / 60);
}

/** What the hook does for one service: two metrics of its own, and the counts that it reads while a canary has traffic. */
function ofService({ name: service, source, plan }: CostedService): CostLine[] {
  const hours = exposedHours(plan);
  const readsPerMinute = source === "emf" ? 4 : 3;
  const used = (what: string, item: PricedItem, units: number) => lineOf({ service, what, item, units, kind: "used" });
  return [
    used("the hook's own metrics of it", "customMetric", 1 + hours / hoursPerMonth),
    used("counts that the hook reads", "metricRead", hours * 60 * readsPerMinute),
    used("its heartbeat", "tableWrite", everyMinute),
    used("its record, read every minute", "tableRead", 2 * everyMinute),
  ];
}

/** Sums lines that say the same thing. */
function summed(lines: readonly CostLine[]): CostLine[] {
  const byKey = new Map<string, CostLine>();
  for (const line of lines) {
    const key = [line.service ?? "", line.kind, line.what, line.item].join("\n");
    const before = byKey.get(key);
    byKey.set(
      key,
      before ? { ...before, units: before.units + line.units, dollars: before.dollars + line.dollars } : line,
    );
  }
  const order = (line: CostLine) => [line.service ?? "", line.kind, line.what].join("\n");
  return [...byKey.values()].sort((left, right) => (order(left) < order(right) ? -1 : 1));
}

/**
 * The bill of a month, as if everything stayed as it is declared now.
 * @param services those of the stack; each is taken to roll out one release a month by its plan
 */
export function estimateCost(resources: readonly DeclaredResource[], services: readonly CostedService[]): CostEstimate {
  const lines: CostLine[] = [];
  const unpriced = new Map<string, { count: number; why: string }>();
  for (const resource of resources) {
    const { type } = resource;
    const priced = declared(resource);
    if (priced) lines.push(...priced);
    else if (!(type in free) && !isComponent(type)) {
      const [owner = ""] = type.split(":");
      const before = unpriced.get(type);
      const why = contracts[owner] ?? "no price is known for it";
      unpriced.set(type, { count: (before?.count ?? 0) + 1, why });
    }
  }
  lines.push(...reportedMetrics(resources), ...services.flatMap(ofService));
  return {
    lines: summed(lines),
    unpriced: [...unpriced]
      .map(([type, { count, why }]) => ({ type, count, why }))
      .sort((left, right) => (left.type < right.type ? -1 : 1)),
    assumptions: [
      "everything stays for the whole month as it is declared now, both releases of a rollout included",
      "one release a month goes through its plan's soaks; meanwhile the hook reads counts every minute",
      `${reportingProcesses} processes a release, each with a line of ${reportedLineBytes} bytes every 10 s, where source is emf`,
      `a run of hook and watchman takes ${uses.hook?.runSeconds} s, one of the report ${uses.report?.runSeconds} s`,
      "no free tier, no discounts; targets, workloads, traffic and data transfer are the service's own",
    ],
  };
}

/** Components are nothing in any cloud. */
function isComponent(type: string): boolean {
  return type.startsWith("tidegate:") || type.startsWith("pulumi:");
}

/** Dollars a month of a service, of the environment (`undefined`), or of everything. */
export function dollarsOf(
  estimate: CostEstimate,
  of: { readonly service?: string | undefined } | "everything",
): number {
  return estimate.lines
    .filter((line) => of === "everything" || line.service === of.service)
    .reduce((sum, { dollars }) => sum + dollars, 0);
}

/** `$6.71`; never less than it is. */
export function dollarsText(dollars: number): string {
  return `$${(Math.ceil(dollars * 100 - 1e-9) / 100).toFixed(2)}`;
}
