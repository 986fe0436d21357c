/**
 * The survey of what an environment adopts: read once before anything is decided, and judged for every service. What follows from it is
 * `core/adoption.ts`; what the components need of it is `found`.
 */
import { nothingAdopted, type ServiceSurvey } from "../../components/settings.ts";
import { type AdoptingService, adoptedConditions } from "../../core/adoption.ts";
import type { Declaration, Reality } from "../../core/declaration.ts";
import { messageOf } from "../../core/error-message.ts";
import { loadBalancerName } from "../../core/naming.ts";
import { committedPercent, type RolloutRecord } from "../../core/record.ts";
import type { Survey, Surveyor } from "../../core/survey.ts";
import type { Ports } from "../../hooks/ports.ts";
import { listenerOfRule } from "../config/across-routes.ts";
import type { EnvironmentConfig, ServiceConfig } from "../config.ts";
import { recordedGroups } from "./recorded-groups.ts";

/** What was found before deciding. */
export type EnvironmentSurvey = { readonly found: ServiceSurvey } & (
  | { readonly kind: "nothing-adopted" }
  | {
      readonly kind: "surveyed";
      readonly survey: Survey;
      /** Services that a lowering or a hold is pending on: `found` has the conditions that their rules have live. */
      readonly keeping: ReadonlySet<string>;
    }
  | { readonly kind: "unreadable"; readonly reason: string }
);

/**
 * Reads what the services of a config adopt, groups of releases that only their records still have included; makes no call where they
 * adopt nothing. A failure is an answer: who runs already goes on without a raise.
 */
export async function surveyEnvironment(
  config: EnvironmentConfig,
  surveyor: Surveyor,
  { records }: Pick<Ports, "records">,
): Promise<EnvironmentSurvey> {
  if (!adoptsAnything(config)) return { kind: "nothing-adopted", found: nothingAdopted };
  const recorded = await Promise.all(
    config.services.map(async (service) => ({ service, record: await readOr(service.name, records) })),
  );
  const query = {
    listenerArns: unique([
      ...config.services.flatMap((service) => service.routes.flatMap((route) => listenerOf(config, route) ?? [])),
      ...recorded.flatMap(({ record }) => adoptedListeners(config, record)),
    ]),
    targetGroupArns: unique([
      ...config.services.flatMap(({ baseline, canary, control }) =>
        [baseline, canary, control].flatMap((group) => group?.targetGroupArn ?? []),
      ),
      ...recorded.flatMap(({ record }) => adoptedGroups(record)),
    ]),
  };
  let survey: Survey;
  try {
    survey = await surveyor.survey(query);
  } catch (error) {
    const reason = messageOf(error);
    const told = recorded.map(({ service, record }) => recordedGroups(config.environment, service, record));
    return { kind: "unreadable", reason, found: { ...nothingAdopted, targetGroups: Object.assign({}, ...told) } };
  }
  const keeping = new Set(recorded.filter(keepsConditions).map(({ service }) => service.name));
  return { kind: "surveyed", survey, keeping, found: foundIn(config, survey, keeping) };
}

/** Nothing where a record cannot be read, which is told elsewhere. */
async function readOr(service: string, records: Ports["records"]): Promise<RolloutRecord | undefined> {
  try {
    const record = await records.read(service);
    return record?.retiredAt === undefined ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Adopted groups of the releases that are live by the record. */
function adoptedGroups(record: RolloutRecord | undefined): string[] {
  const groups = [...Object.values(record?.releases ?? {}), ...(record?.control ? [record.control] : [])];
  return groups.flatMap(({ adopted, targetGroupArn }) => (adopted ? [targetGroupArn] : []));
}

/** Listeners of others on which the record has main rules, those of routes that the config gave up included. */
function adoptedListeners({ environment }: EnvironmentConfig, record: RolloutRecord | undefined): string[] {
  const own = `/app/${loadBalancerName(environment)}/`;
  return (record?.rules ?? [])
    .filter(({ role, arn }) => role === "main" && arn.includes(":listener-rule/app/") && !arn.includes(own))
    .map(({ arn }) => listenerOfRule(arn));
}

/** An `up` that lowers, or that a hold pins, must not hang on what others did to their rules. */
function keepsConditions({
  service,
  record,
}: {
  readonly service: ServiceConfig;
  readonly record: RolloutRecord | undefined;
}): boolean {
  if (!record) return false;
  const isHeld = Object.values(record.holds).some((hold) => !hold.acknowledged);
  const committed = committedPercent(record);
  const asked = service.canary?.digest === record.canary?.digest ? service.wavePercent : 0;
  const isFinish = record.canary !== undefined && service.baseline.digest === record.canary.digest;
  return isHeld || Object.keys(record.breaches).length > 0 || (asked < committed && !isFinish);
}

/** What deciding takes where nobody looked: all is well only where nothing is adopted. */
export function notSurveyed(config: EnvironmentConfig): EnvironmentSurvey {
  return adoptsAnything(config)
    ? { kind: "unreadable", reason: "nobody looked", found: nothingAdopted }
    : { kind: "nothing-adopted", found: nothingAdopted };
}

function adoptsAnything(config: EnvironmentConfig): boolean {
  return config.services.some((service) => adopts(config, service));
}

/** Whether a service stands on anything that its program does not make. */
export function adopts(config: EnvironmentConfig, { routes, baseline, canary, control }: ServiceConfig): boolean {
  return (
    routes.some((route) => listenerOf(config, route) !== undefined || route.match.ruleArn !== undefined) ||
    [baseline, canary, control].some((group) => group?.targetGroupArn !== undefined)
  );
}

function listenerOf(
  { network }: EnvironmentConfig,
  { listenerArn }: ServiceConfig["routes"][number],
): string | undefined {
  return listenerArn ?? network.listenerArn;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

function foundIn(config: EnvironmentConfig, survey: Survey, keeping: ReadonlySet<string>): ServiceSurvey {
  const services = config.services.map((service) => ({
    name: service.name,
    environment: config.environment,
    routes: routesOf(config, service),
    keepsConditions: keeping.has(service.name),
  }));
  return {
    conditions: adoptedConditions(services, survey),
    targetGroups: Object.fromEntries(
      survey.targetGroups.map(({ arn, targetType, healthChecksEnabled }) => [arn, { targetType, healthChecksEnabled }]),
    ),
  };
}

function routesOf(config: EnvironmentConfig, service: ServiceConfig): AdoptingService["routes"] {
  return service.routes.map((route, index) => {
    const listenerArn = listenerOf(config, route);
    return {
      place: `services.${service.name}${index === 0 ? "" : `.moreRoutes[${index - 1}]`}`,
      namesListener: route.listenerArn !== undefined,
      ...(listenerArn === undefined ? {} : { listenerArn }),
      match: route.match,
      priority: route.priority,
    };
  });
}

/** A service in the words that adoption is judged in. */
export function adoptingService(
  config: EnvironmentConfig,
  service: ServiceConfig,
  reality: Reality,
  { step, exposurePercent }: Pick<Declaration, "step" | "exposurePercent">,
  adopted: EnvironmentSurvey,
): AdoptingService {
  const record = reality.kind === "record" && reality.record.retiredAt === undefined ? reality.record : undefined;
  return {
    name: service.name,
    environment: config.environment,
    mode: service.mode,
    routes: routesOf(config, service),
    ...(service.testers ? { testers: "header" in service.testers ? "header" : "cookie" } : {}),
    baseline: service.baseline,
    ...(service.canary ? { canary: service.canary } : {}),
    ...(service.control ? { control: service.control } : {}),
    ownTargetType: service.targetGroup.targetType,
    isFirst: record === undefined && reality.kind !== "unknown",
    raises: step === "opening" || step === "replace-baseline",
    lowers: step === "lowering",
    exposure: { beforePercent: record ? committedPercent(record) : exposurePercent, afterPercent: exposurePercent },
    keepsConditions: adopted.kind === "surveyed" && adopted.keeping.has(service.name),
    ...(record ? { record } : {}),
  };
}

/** Adopted groups of a service, those of its record included, of which nothing tells what is behind them. */
export function untoldGroups(
  { baseline, canary, control, record }: AdoptingService,
  { targetGroups }: ServiceSurvey,
): string[] {
  const named = [baseline, canary, control].flatMap((group) => group?.targetGroupArn ?? []);
  return unique([...named, ...adoptedGroups(record)]).filter((arn) => targetGroups[arn] === undefined);
}
