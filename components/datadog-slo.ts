/**
 * Declares what Datadog watches of one service (D3): a metric monitor for each rule of each live release and of the service as a whole, the
 * SLO of its error budget, and burn-rate alerts on that. Only for services whose source is `datadog`; what the queries are is
 * `core/datadog-queries.ts` and `core/datadog-budget.ts`.
 *
 * Monitors belong to a release and not to a role, as alarms do, and have the very names that alarms would have: by them the hook finds their
 * state. They act on nothing. Every message names its service for the hook, which then looks; that is faster than its own minute and no
 * surer. Bounds of one wave tell nobody by themselves: off their wave they mean nothing, and on it the hook pages for them.
 */
import { createRequire } from "node:module";
import type * as datadog from "@pulumi/datadog";
import * as pulumi from "@pulumi/pulumi";
import type { BurnRule, BurnSettings } from "../core/burn-rate.ts";
import { burnFloorQuery, burnMonitorQuery, datadogBurnRules, datadogSloOf } from "../core/datadog-budget.ts";
import { type MonitorDefinition, monitorOf, pointsDelaySeconds, whyUnsayable } from "../core/datadog-queries.ts";
import { alarmName, compositeAlarmName, serviceAlarmName } from "../core/naming.ts";
import { type Objective, type Severity, severities } from "../core/objectives.ts";
import { serviceRules, type WatchRule, watchedIn } from "../core/watch-rules.ts";
import { runbooksText } from "./alarm-inputs.ts";
import { boundText, responseWords } from "./slo-alarms.ts";
import { type ReleaseElsewhere, rulesElsewhere } from "./watched-elsewhere.ts";

export interface DatadogSloArgs {
  /** The tag `environment`. */
  readonly environment: string;
  /** The tag `service`. */
  readonly service: string;
  /** Promises of the service; those without a bound have no monitor. */
  readonly objectives: readonly Objective[];
  /** How the error budget is watched. @default it is shown and not watched */
  readonly burnRate?: BurnSettings;
  /** Every live release, in any order. */
  readonly releases: readonly ReleaseElsewhere[];
  /** Whom monitors tell, by severity: Datadog's handles, such as `@slack-alerts`. */
  readonly notify: Readonly<Record<Severity, readonly string[]>>;
  /** Name of the topic that wakes the hook, which Datadog's AWS integration publishes to. @default Datadog does not wake the hook */
  readonly hookTopicName?: string;
  /** URL or folder that messages link to. @default the product's own folder */
  readonly runbookBase?: string;
  /** URL of a dashboard that messages link to. @default none */
  readonly dashboardUrl?: string;
}

/**
 * Monitors, SLO and burn-rate alerts of one service.
 *
 * @example
 * ```ts
 * new DatadogSlo("checkout-datadog", {
 *   environment: "production",
 *   service: "checkout",
 *   objectives: objectivePresets.web,
 *   burnRate: defaultBurnSettings,
 *   releases: [{ digest: "sha256:…", releaseKey: "2-4-0-1a2b3c4d", version: "2.4.0" }],
 *   notify: { critical: ["@pagerduty-checkout"], warning: ["@slack-checkout"] },
 *   hookTopicName: "tidegate-production-hook-events",
 * });
 * ```
 */
export class DatadogSlo extends pulumi.ComponentResource {
  /** Of the releases: what the hook asks about. */
  readonly monitors: readonly datadog.Monitor[];
  /** Of the service as a whole: they tell people. */
  readonly serviceMonitors: readonly datadog.Monitor[];
  /** Absent: the objectives keep no budget. */
  readonly slo: datadog.ServiceLevelObjective | undefined;
  /** Physical names of the releases' monitors. */
  readonly monitorNames: readonly string[];

  /** @throws pulumi.ResourceError with every rule that Datadog cannot say, or that is relative to nothing */
  constructor(name: string, args: DatadogSloArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tidegate:slo:DatadogSlo", name, { service: args.service, environment: args.environment }, opts);
    const { environment, service, objectives } = args;
    const ofReleases = args.releases.flatMap((release) =>
      rulesElsewhere({ objectives, source: "datadog" }, release).map((rule) => ({ release, rule })),
    );
    const ofService = serviceRules(objectives, "datadog").filter(isDatadogs);
    this.#refuse(args, ofReleases, ofService);
    const own = { parent: this };

    this.monitorNames = ofReleases.map(({ release, rule }) => monitorNameOf(args, release, rule));
    this.monitors = ofReleases.map(({ release, rule }) =>
      metricMonitor(`${name}/${release.releaseKey}/${rule.key}`, own, {
        name: monitorNameOf(args, release, rule),
        definition: monitorOf(rule, {
          environment,
          service,
          releaseKey: release.releaseKey,
          ...(release.comparedWith === undefined ? {} : { baselineKey: release.comparedWith }),
        }),
        message: messageOf(args, rule, release.version),
        severity: rule.severity,
        tags: tagsOf(args, rule.severity, release.releaseKey),
      }),
    );
    this.serviceMonitors = ofService.map((rule) =>
      metricMonitor(`${name}/${rule.key}`, own, {
        name: serviceAlarmName(environment, service, rule.key),
        definition: monitorOf(rule, { environment, service }),
        message: messageOf(args, rule, "{{release.name}}"),
        severity: rule.severity,
        tags: tagsOf(args, rule.severity),
      }),
    );
    this.slo = declareSlo(name, own, args);
    if (this.slo && args.burnRate) declareBurnAlerts(name, own, args, args.burnRate, this.slo);
    this.registerOutputs({ service, monitorNames: this.monitorNames });
  }

  #refuse(
    { service }: DatadogSloArgs,
    ofReleases: readonly { readonly release: ReleaseElsewhere; readonly rule: WatchRule }[],
    ofService: readonly WatchRule[],
  ): void {
    const unsayable = [...ofReleases.map(({ rule }) => rule), ...ofService].flatMap((rule) => {
      const why = whyUnsayable(rule);
      return why === undefined ? [] : [`${rule.key} (${why})`];
    });
    const alone = ofReleases
      .filter(({ release, rule }) => rule.reference?.kind === "baseline" && release.comparedWith === undefined)
      .map(({ rule }) => `${rule.key} (relative to nothing)`);
    const refused = [...new Set([...unsayable, ...alone])];
    if (refused.length === 0) return;
    throw new pulumi.ResourceError(
      `service ${service}: bounds that Datadog cannot watch, got ${refused.join(", ")}; expected what its monitors can say. ` +
        "Take another source, or give comparedWith",
      this,
      true,
    );
  }
}

const load = createRequire(import.meta.url);

/** Datadog's package, loaded where there is a Datadog alone: no other preview waits for it. */
function datadogPackage(): typeof datadog {
  return load("@pulumi/datadog");
}

function isDatadogs(rule: WatchRule): boolean {
  return watchedIn(rule, "datadog") === "datadog";
}

function monitorNameOf(
  { environment, service }: Pick<DatadogSloArgs, "environment" | "service">,
  { releaseKey }: ReleaseElsewhere,
  { key }: WatchRule,
): string {
  return alarmName(environment, service, releaseKey, key);
}

/** `key:value`, which is how Datadog's tags are; the hook finds a service's monitors by the second. */
function tagsOf({ environment, service }: DatadogSloArgs, severity: Severity, releaseKey?: string): string[] {
  return [
    `tidegate_environment:${environment}`,
    `tidegate_service:${service}`,
    `tidegate_severity:${severity}`,
    ...(releaseKey === undefined ? [] : [`tidegate_release:${releaseKey}`]),
  ];
}

interface Declared {
  readonly name: string;
  readonly definition: MonitorDefinition;
  readonly message: string;
  readonly severity: Severity;
  readonly tags: string[];
}

/** Datadog's priorities: 1 is the highest of five. */
const priorities: Readonly<Record<Severity, string>> = { critical: "1", warning: "3" };

function metricMonitor(logicalName: string, opts: pulumi.CustomResourceOptions, declared: Declared): datadog.Monitor {
  const { name, definition, message, severity, tags } = declared;
  return new (datadogPackage().Monitor)(
    logicalName,
    {
      name,
      type: "query alert",
      query: definition.query,
      monitorThresholds: { critical: String(definition.threshold) },
      evaluationDelay: definition.evaluationDelaySeconds,
      requireFullWindow: definition.requireFullWindow,
      onMissingData: definition.onMissingData,
      includeTags: false,
      message,
      priority: priorities[severity],
      tags,
    },
    opts,
  );
}

function messageOf(args: DatadogSloArgs, rule: WatchRule, version: string): string {
  const { service, notify, runbookBase } = args;
  const { objective, severity, response, atPercents, indicator } = rule;
  const where = atPercents ? ` at ${atPercents.join(", ")} % exposure` : "";
  const what = `${service} ${version}: objective ${objective}, ${severity}${where}: ${boundText(rule)}`;
  return message(args, {
    what: `${what}. Response ${response}: ${responseWords[response]}.`,
    links: runbooksText(runbookBase, [indicator]),
    // A bound of one wave speaks to the hook alone, which knows the wave.
    handles: atPercents ? [] : notify[severity],
    // What lowers nothing need not wake what lowers.
    wakesHook: rule.scope === "release",
  });
}

interface MessageParts {
  readonly what: string;
  readonly links: string;
  readonly handles: readonly string[];
  readonly wakesHook: boolean;
}

/** The line that names the service is for the hook, which finds it in whatever Datadog puts around it; see `hooks/events.ts`. */
function message(args: DatadogSloArgs, { what, links, handles, wakesHook }: MessageParts): string {
  const { service, hookTopicName, dashboardUrl } = args;
  const wakes = wakesHook && hookTopicName !== undefined;
  const told = [...handles, ...(wakes ? [`@sns-${hookTopicName}`] : [])];
  return [
    `{{#is_alert}}${what}{{/is_alert}}{{#is_recovery}}Over: ${what}{{/is_recovery}}`,
    links,
    ...(dashboardUrl === undefined ? [] : [`Dashboard: ${dashboardUrl}`]),
    ...(wakes ? [JSON.stringify({ tidegate_service: service })] : []),
    ...(told.length === 0 ? [] : [told.join(" ")]),
  ].join("\n");
}

function declareSlo(
  name: string,
  opts: pulumi.CustomResourceOptions,
  args: DatadogSloArgs,
): datadog.ServiceLevelObjective | undefined {
  const { environment, service, objectives } = args;
  const slo = datadogSloOf(objectives, { environment, service });
  if (!slo) return undefined;
  return new (datadogPackage().ServiceLevelObjective)(
    `${name}/budget`,
    {
      name: serviceAlarmName(environment, service, `slo/${slo.objective}`),
      type: "metric",
      description: `${service}: error budget of the objective ${slo.objective}, all releases together`,
      query: { numerator: slo.numerator, denominator: slo.denominator },
      thresholds: [{ timeframe: slo.timeframe, target: slo.targetPercent }],
      timeframe: slo.timeframe,
      targetThreshold: slo.targetPercent,
      tags: [`tidegate_environment:${environment}`, `tidegate_service:${service}`],
    },
    opts,
  );
}

/** For each pair its alert and its floor, which tell nobody; for each severity one composite that does. */
function declareBurnAlerts(
  name: string,
  opts: pulumi.CustomResourceOptions,
  args: DatadogSloArgs,
  settings: BurnSettings,
  slo: datadog.ServiceLevelObjective,
): void {
  const { environment, service } = args;
  const { rules } = datadogBurnRules(args.objectives, settings);
  const terms = rules.map((rule) => ({ rule, term: burnTerm(name, opts, args, rule, slo) }));
  for (const severity of severities) {
    const own = terms.filter(({ rule }) => rule.severity === severity);
    const [first] = own;
    if (!first) continue;
    const pairs = own.map(({ rule }) => `${rule.factor} times over ${rule.longSeconds / 3_600} h`);
    new (datadogPackage().Monitor)(
      `${name}/burn/${severity}`,
      {
        name: compositeAlarmName(environment, service, severity),
        type: "composite",
        query: pulumi.all(own.map(({ term }) => term)).apply((parts) => parts.join(" || ")),
        message: message(args, {
          what: `${service}: the error budget of ${first.rule.objective} burns too fast, ${severity}: ${pairs.join(" or ")}.`,
          links: runbooksText(args.runbookBase, ["error-rate"]),
          handles: args.notify[severity],
          wakesHook: false,
        }),
        includeTags: false,
        priority: priorities[severity],
        tags: tagsOf(args, severity),
      },
      opts,
    );
  }
}

/** @returns the part of a composite's query that one pair is */
function burnTerm(
  name: string,
  opts: pulumi.CustomResourceOptions,
  args: DatadogSloArgs,
  rule: BurnRule,
  slo: datadog.ServiceLevelObjective,
): pulumi.Output<string> {
  const { environment, service } = args;
  const silent = `${service}: part of the alert on its error budget; it tells nobody by itself.`;
  const burning = new (datadogPackage().Monitor)(
    `${name}/${rule.key}`,
    {
      name: serviceAlarmName(environment, service, rule.key),
      type: "slo alert",
      query: slo.id.apply((id) => burnMonitorQuery(rule, id)),
      monitorThresholds: { critical: String(rule.factor) },
      includeTags: false,
      message: silent,
      tags: tagsOf(args, rule.severity),
    },
    opts,
  );
  const busy = metricMonitor(`${name}/${rule.key}/floor`, opts, {
    name: serviceAlarmName(environment, service, `${rule.key}/floor`),
    definition: {
      query: burnFloorQuery(rule, { environment, service }),
      threshold: 0,
      evaluationDelaySeconds: pointsDelaySeconds,
      requireFullWindow: false,
      onMissingData: "show_no_data",
    },
    message: silent,
    severity: "warning",
    tags: tagsOf(args, rule.severity),
  });
  return pulumi.interpolate`(${burning.id} && ${busy.id})`;
}
