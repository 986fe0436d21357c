/**
 * The survey of what an environment adopts: read once before anything is decided, and judged for every service. What follows from it is
 * `core/adoption.ts`; what the components need of it is `found`.
 */
import { nothingAdopted, type ServiceSurvey } from "../../components/settings.ts";
import { type AdoptingService, adoptedConditions } from "../../core/adoption.ts";
import type { Declaration, Reality } from "../../core/declaration.ts";
import type { Survey, Surveyor } from "../../core/survey.ts";
import type { Ports } from "../../hooks/ports.ts";
import type { EnvironmentConfig, ServiceConfig } from "../config.ts";

/** What was found before deciding. */
export type EnvironmentSurvey = { readonly found: ServiceSurvey } & (
  | { readonly kind: "nothing-adopted" }
  | { readonly kind: "surveyed"; readonly survey: Survey }
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
  const query = {
    listenerArns: unique(
      config.services.flatMap((service) => service.routes.flatMap((route) => listenerOf(config, route) ?? [])),
    ),
    targetGroupArns: unique([
      ...config.services.flatMap(({ baseline, canary }) =>
        [baseline, canary].flatMap((release) => release?.targetGroupArn ?? []),
      ),
      ...(await Promise.all(config.services.map((service) => recordedGroups(service.name, records)))).flat(),
    ]),
  };
  let survey: Survey;
  try {
    survey = await surveyor.survey(query);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "unreadable", reason, found: nothingAdopted };
  }
  return { kind: "surveyed", survey, found: foundIn(config, survey) };
}

/** Adopted groups of the releases that are live by the record; none where it cannot be read, which is told elsewhere. */
async function recordedGroups(service: string, records: Ports["records"]): Promise<string[]> {
  try {
    const record = await records.read(service);
    return Object.values(record?.releases ?? {}).flatMap(({ adopted, targetGroupArn }) =>
      adopted ? [targetGroupArn] : [],
    );
  } catch {
    return [];
  }
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
export function adopts(config: EnvironmentConfig, { routes, baseline, canary }: ServiceConfig): boolean {
  return (
    routes.some((route) => listenerOf(config, route) !== undefined || route.match.ruleArn !== undefined) ||
    [baseline, canary].some((release) => release?.targetGroupArn !== undefined)
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

function foundIn(config: EnvironmentConfig, survey: Survey): ServiceSurvey {
  const services = config.services.map((service) => ({
    name: service.name,
    environment: config.environment,
    routes: routesOf(config, service),
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
  { step }: Pick<Declaration, "step">,
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
    ownTargetType: service.targetGroup.targetType,
    isFirst: record === undefined && reality.kind !== "unknown",
    raises: step === "opening" || step === "replace-baseline",
    ...(record ? { record } : {}),
  };
}
