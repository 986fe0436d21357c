/**
 * Every physical name Tidegate gives, built and length-checked in one place, so that program, guard and hook say the same.
 *
 * Why two different things never share a name: the parts are slugs, and alarm names join them with `/`, which no slug contains.
 * A target group has no room for that, nor may it contain `--`: its name ends in a hash of service and release.
 */
import { createHash } from "node:crypto";
import type { Severity } from "./objectives.ts";
import type { Release } from "./releases.ts";

/** Longest environment name. Unit: characters. Leaves the load balancer's name well under its 32. */
export const maximumEnvironmentLength = 16;
/** Longest service name. Unit: characters. */
export const maximumServiceLength = 32;
/** Longest objective name. Unit: characters. Keeps the longest alarm name under CloudWatch's 255. */
export const maximumObjectiveLength = 40;
/** Longest alarm name. Unit: characters. Source: CloudWatch PutMetricAlarm API reference, read 2026-11. */
export const maximumAlarmNameLength = 255;
/**
 * Longest logical name of a target group. Unit: characters. ELBv2 allows 32 (letters, digits, inner hyphens), of which Pulumi's
 * autonaming takes a hyphen and 7 hex. Source: ELBv2 CreateTargetGroup API reference, read 2026-11.
 */
export const maximumTargetGroupLogicalLength = 32 - 8;

const maximumVersionSlugLength = 24;
const digestHashLength = 8;
/** 32 bits: among the 3,000 groups a region may have two meet with a chance of 1 in 1,000, and the engine then refuses loudly. */
const groupHashLength = 8;

const slugPattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** What a slug is, in words, for messages. */
export const slugRule = "lower-case letters, digits and single inner hyphens, starting with a letter";

/** Whether a text is a slug of at most `maximumLength` characters: `checkout`, `checkout-eu`. */
export function isSlug(text: string, maximumLength: number): boolean {
  return text.length <= maximumLength && slugPattern.test(text);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/-+$/, "");
}

/** Lower case, everything else to single hyphens, none at the ends, at most 24 characters. `2.4.0+B` becomes `2-4-0-b`. */
export function versionSlug(version: string): string {
  const slug = version
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return cut(slug, maximumVersionSlugLength) || "release";
}

/**
 * A release in names: readable version, then 8 hex of its digest's SHA-256. The same digest under another version text is
 * another key, so a release must keep its version text while it lives.
 */
export function releaseKey(release: Pick<Release, "version" | "digest">): string {
  return `${versionSlug(release.version)}-${sha256(release.digest).slice(0, digestHashLength)}`;
}

/**
 * Logical name of a release's target group; with Pulumi's suffix it stays within ELBv2's 32 characters.
 * As much of `<service>-<version>` as fits, then 8 hex of both: `checkout-2-4-0-…`.
 */
export function targetGroupLogicalName(service: string, key: string): string {
  const hash = sha256(`${service}/${key}`).slice(0, groupHashLength);
  const version = key.slice(0, -(digestHashLength + 1));
  return `${cut(`${service}-${version}`, maximumTargetGroupLogicalLength - groupHashLength - 1)}-${hash}`;
}

/** Logical name of the control's target group, as long as a release's: the service as far as it fits, then a hash of both. */
export function controlGroupLogicalName(service: string, key: string): string {
  const hash = sha256(`${service}/${key}`).slice(0, groupHashLength);
  const end = `-control-${hash}`;
  return `${cut(service, maximumTargetGroupLogicalLength - end.length)}${end}`;
}

/** What every alarm name of an environment starts with; the hook's event rule matches on it. */
export function alarmPrefix(environment: string): string {
  return `tidegate/${environment}/`;
}

/**
 * Physical name of one alarm of one release. `alarmKey` is `AlarmSpec.key`, and may contain slashes.
 * @throws RangeError above 255 characters, which no checked config reaches
 */
export function alarmName(environment: string, service: string, key: string, alarmKey: string): string {
  return checkedAlarmName(`${alarmPrefix(environment)}${service}/${key}/${alarmKey}`);
}

/**
 * Physical name of an alarm of the whole service, which tells people and wakes nobody else: outside `alarmPrefix`. `alarmKey` is that of a
 * rule of scope `service`, of a burn-rate window, or of a composite.
 * @throws RangeError above 255 characters, which no checked config reaches
 */
export function serviceAlarmName(environment: string, service: string, alarmKey: string): string {
  return checkedAlarmName(`tidegate-slo/${environment}/${service}/${alarmKey}`);
}

/**
 * Physical name of the composite of a service's alarms of one severity. An alarm key always has slashes, a severity none.
 * @param part counts from 1; more than one only where a rule would be too long
 */
export function compositeAlarmName(environment: string, service: string, severity: Severity, part = 1): string {
  return serviceAlarmName(environment, service, part === 1 ? severity : `${severity}-${part}`);
}

/** Physical name of the alarm that AppConfig watches a service's flag with; outside the prefix that wakes the hook, which has its parts. */
export function flagAlarmName(environment: string, service: string): string {
  return checkedAlarmName(`tidegate-flag/${environment}/${service}`);
}

function checkedAlarmName(name: string): string {
  if (name.length > maximumAlarmNameLength) {
    throw new RangeError(`alarm name ${name}: too long, got ${name.length} characters; expected at most 255`);
  }
  return name;
}

/** The parts of one of our alarm names; `undefined` for any other name. */
export function parseAlarmName(
  name: string,
): { environment: string; service: string; releaseKey: string; alarmKey: string } | undefined {
  const [owner, environment, service, key, ...rest] = name.split("/");
  if (owner !== "tidegate" || !environment || !service || !key || !rest[0]) return undefined;
  return { environment, service, releaseKey: key, alarmKey: rest.join("/") };
}

/** Name of the load balancer that an environment makes when none is adopted; at most 25 of ELBv2's 32 characters. */
export function loadBalancerName(environment: string): string {
  return `tidegate-${environment}`;
}

/** Name of the DynamoDB table with the rollout records. */
export function tableName(environment: string): string {
  return `tidegate-${environment}`;
}

/** Name of the hook's Lambda function. */
export function hookFunctionName(environment: string): string {
  return `tidegate-${environment}-hook`;
}

/** The alias that everything woken by machines goes to, and kill, pause and openings with it. */
export const hookAliasName = "live";
/**
 * The alias that acknowledges and resumes: the same code, but an ARN of its own, so that who may open a latch is another permission
 * than who may shut it.
 */
export const acknowledgeAliasName = "acknowledge";

/** Name of the function that watches the hook: it pages when the hook did not act (D4). */
export function watchmanFunctionName(environment: string): string {
  return `tidegate-${environment}-watchman`;
}

/** Name of the function that sends the SLO reports (D6). */
export function reportFunctionName(environment: string): string {
  return `tidegate-${environment}-report`;
}

/** The service that drills are for; no real service may have this name. */
export const drillService = "tidegate-drill";

/** The alarm that a drill sets off: under the prefix that wakes the hook, and on no release at all. */
export function drillAlarmName(environment: string): string {
  return alarmName(environment, drillService, "drill", "drill/critical");
}
