/**
 * The ports of the deployed functions, out of their environment variables: all of AWS, pages, telemetry. The hook tells people by every
 * channel that is configured; the watchman by the critical topic alone, because it is there for when the rest is broken.
 */
import * as z from "zod/mini";
import type { PagePlace } from "../../core/page-message.ts";
import type { ElsewhereSettings } from "../elsewhere/elsewhere.ts";
import type { HandlerParts } from "../handle.ts";
import { type PageChannel, pagerOver } from "../pager.ts";
import { text } from "../zod.ts";
import { accountGuard } from "./account-guard.ts";
import type { AwsAccess } from "./clients.ts";
import { pagerDutyChannel } from "./pagerduty-channel.ts";
import { awsPorts } from "./ports.ts";
import { Redaction } from "./redaction.ts";
import { managedSecret, routingKey, type SecretKind, slackWebhook } from "./secrets.ts";
import { slackChannel } from "./slack-channel.ts";
import { snsChannel } from "./sns-channel.ts";
import { deployedTelemetry } from "./telemetry.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

/** All that a deployed function needs; the watchman takes a part of it. */
export type DeployedPorts = HandlerParts;

const arn = (service: string) =>
  z
    .string()
    .check(z.regex(new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]+:\\d{12}:\\S+$`), `must be the ARN of ${service}`));
const account = z.string().check(z.regex(/^\d{12}$/, "must be 12 digits"));
/** Loopback is for tests; anything else would send the key in the clear. */
const endpoint = z.string().check(z.regex(/^(https:\/\/\S+|http:\/\/127\.0\.0\.1:\d+)$/, "must be an https URL"));

const watchmanVariables = {
  AWS_REGION: text,
  TIDEGATE_ENVIRONMENT: text,
  TIDEGATE_TABLE: text,
  TIDEGATE_ACCOUNT: account,
  TIDEGATE_CRITICAL_TOPIC: arn("sns"),
  TIDEGATE_RUNBOOKS: text,
  TIDEGATE_DASHBOARD: z.optional(z.url()),
  TIDEGATE_GRAFANA_URL: z.optional(endpoint),
  TIDEGATE_GRAFANA_DATA_SOURCE: z.optional(text),
  TIDEGATE_GRAFANA_SECRET: z.optional(arn("secretsmanager")),
  TIDEGATE_DATADOG_SITE: z.optional(text),
  TIDEGATE_DATADOG_SECRET: z.optional(arn("secretsmanager")),
};
const watchmanSchema = z.object(watchmanVariables);
const hookSchema = z.object({
  ...watchmanVariables,
  TIDEGATE_WARNING_TOPIC: arn("sns"),
  TIDEGATE_PAGERDUTY_SECRET: z.optional(arn("secretsmanager")),
  TIDEGATE_PAGERDUTY_ENDPOINT: z._default(endpoint, "https://events.pagerduty.com"),
  TIDEGATE_SLACK_SECRET: z.optional(arn("secretsmanager")),
});

/** The function was deployed without what it needs. */
export class EnvironmentVariablesError extends Error {
  override readonly name = "EnvironmentVariablesError";
}

/** Every problem at once; values are not repeated, since somebody may have put a key where its ARN belongs. */
function parse<Schema extends z.ZodMiniObject>(schema: Schema, variables: Variables): z.output<Schema> {
  // An empty variable is one that is not set: that is how templates leave one out.
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = schema.safeParse(set);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => {
      const name = issue.path.join(".");
      return `  ${name}: ${name in set ? issue.message : "missing or empty"}`;
    }),
    ...halfGiven(set),
  ];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new EnvironmentVariablesError(
    [
      `environment variables: ${problems.length} problem(s), values not shown. Deploy the function with its program:`,
      ...problems,
    ].join("\n"),
  );
}

/** What is of use together alone: half of it would leave rules unread that somebody thinks are. */
const together = [
  ["TIDEGATE_GRAFANA_URL", "TIDEGATE_GRAFANA_DATA_SOURCE", "TIDEGATE_GRAFANA_SECRET"],
  ["TIDEGATE_DATADOG_SITE", "TIDEGATE_DATADOG_SECRET"],
] as const;

function halfGiven(set: Variables): string[] {
  return together.flatMap((names) => {
    const given = names.filter((name) => name in set);
    if (given.length === 0) return [];
    return names
      .filter((name) => !given.includes(name))
      .map((name) => `  ${name}: missing or empty beside ${given.join(", ")}`);
  });
}

function elsewhereIn(parsed: z.output<typeof watchmanSchema>): ElsewhereSettings {
  const { TIDEGATE_GRAFANA_URL: url, TIDEGATE_GRAFANA_DATA_SOURCE: dataSourceUid } = parsed;
  const { TIDEGATE_GRAFANA_SECRET: tokenSecretArn, TIDEGATE_DATADOG_SITE: site } = parsed;
  const { TIDEGATE_DATADOG_SECRET: keysSecretArn } = parsed;
  return {
    ...(url !== undefined && dataSourceUid !== undefined && tokenSecretArn !== undefined
      ? { prometheus: { url, dataSourceUid, tokenSecretArn } }
      : {}),
    ...(site !== undefined && keysSecretArn !== undefined ? { datadog: { site, keysSecretArn } } : {}),
  };
}

/** Parts that tests replace. */
export interface DeployedSeams {
  readonly now?: () => number;
  readonly write?: (line: string) => void;
  readonly lookUpAccount?: (access: AwsAccess) => Promise<string>;
}

/**
 * The hook's ports: PagerDuty where its secret is configured, the alert topics always, Slack where its secret is configured.
 * @throws EnvironmentVariablesError
 */
export function hookPortsFromEnvironment(variables: Variables, seams: DeployedSeams = {}): DeployedPorts {
  const parsed = parse(hookSchema, variables);
  const access = { region: parsed.AWS_REGION };
  return deployed(variables, parsed, seams, (redaction, now) => {
    const redact = (words: string) => redaction.text(words);
    const secret = (secretArn: string, kind: SecretKind) =>
      managedSecret({ ...access, secretArn, kind, now, onValue: (value) => redaction.add(value) });
    const { TIDEGATE_PAGERDUTY_SECRET: pagerDutyArn, TIDEGATE_SLACK_SECRET: slackArn } = parsed;
    const channels: PageChannel[] = [
      snsChannel({
        ...access,
        topics: { critical: parsed.TIDEGATE_CRITICAL_TOPIC, warning: parsed.TIDEGATE_WARNING_TOPIC },
        isRequired: pagerDutyArn === undefined,
      }),
    ];
    const checks: Record<string, () => Promise<unknown>> = {};
    if (pagerDutyArn !== undefined) {
      const key = secret(pagerDutyArn, routingKey);
      checks["PagerDuty key"] = () => key.readAgain();
      channels.unshift(pagerDutyChannel({ endpoint: parsed.TIDEGATE_PAGERDUTY_ENDPOINT, routingKey: key, redact }));
    }
    if (slackArn !== undefined) {
      const webhookUrl = secret(slackArn, slackWebhook);
      checks["Slack webhook"] = () => webhookUrl.readAgain();
      channels.push(slackChannel({ webhookUrl, redact }));
    }
    return { channels, checks };
  });
}

/**
 * The watchman's ports: the critical topic alone, whatever the severity.
 * @throws EnvironmentVariablesError
 */
export function watchmanPortsFromEnvironment(variables: Variables, seams: DeployedSeams = {}): DeployedPorts {
  const parsed = parse(watchmanSchema, variables);
  const topic = parsed.TIDEGATE_CRITICAL_TOPIC;
  return deployed(variables, parsed, seams, () => ({
    channels: [
      snsChannel({ region: parsed.AWS_REGION, topics: { critical: topic, warning: topic }, isRequired: true }),
    ],
    checks: {},
  }));
}

function deployed(
  variables: Variables,
  parsed: z.output<typeof watchmanSchema>,
  seams: DeployedSeams,
  channelsWith: (
    redaction: Redaction,
    now: () => number,
  ) => { readonly channels: readonly PageChannel[]; readonly checks: DeployedPorts["selfTests"] },
): DeployedPorts {
  const { now = () => Date.now(), write, lookUpAccount = askSts } = seams;
  const { AWS_REGION: region, TIDEGATE_ENVIRONMENT: environment, TIDEGATE_ACCOUNT: accountId } = parsed;
  const redaction = new Redaction([variables.AWS_SECRET_ACCESS_KEY, variables.AWS_SESSION_TOKEN]);
  const own = deployedTelemetry({ environment, redaction, variables, now, ...(write === undefined ? {} : { write }) });
  const place: PagePlace = {
    environment,
    region,
    runbookBase: parsed.TIDEGATE_RUNBOOKS,
    ...(parsed.TIDEGATE_DASHBOARD === undefined ? {} : { dashboardUrl: parsed.TIDEGATE_DASHBOARD }),
  };
  const { channels, checks } = channelsWith(redaction, now);
  return {
    environment,
    ports: awsPorts({
      region,
      tableName: parsed.TIDEGATE_TABLE,
      place,
      elsewhere: elsewhereIn(parsed),
      onSecret: (value) => redaction.add(value),
      pager: pagerOver(channels),
      telemetry: own.telemetry,
    }),
    checkAccount: accountGuard(accountId, () => lookUpAccount({ region })),
    selfTests: checks,
    begin: own.begin,
    flush: own.flush,
    cleanError: (error) => redaction.error(error),
  };
}

/** Loaded when asked: what lowers traffic does not wait for the STS client to load. */
async function askSts(access: AwsAccess): Promise<string> {
  const { callerAccount } = await import("./caller-account.ts");
  return callerAccount(access);
}
