/** What must hold between services, and between services and environment: nothing is claimed by two of them. */
import type { Release } from "../../core/releases.ts";
import { checkRoutes } from "./across-routes.ts";
import type { AlertingConfig } from "./model.ts";
import { type Path, type Problems, pathText, unknownWord } from "./problems.ts";
import type { ReadService } from "./service.ts";

function adoptedGroups(service: ReadService): { arn: string; place: Path }[] {
  const roles: [string, Pick<Release, "targetGroupArn"> | undefined][] = [
    ["baseline", service.baseline],
    ["canary", service.canary],
    ["control", service.control],
  ];
  return roles.flatMap(([role, group]) =>
    group?.targetGroupArn ? [{ arn: group.targetGroupArn, place: [...service.path, role, "targetGroupArn"] }] : [],
  );
}

function adoptedRoutes({ routes }: ReadService): { arn: string; place: Path }[] {
  return routes.flatMap(({ path, listenerArn, match }) => [
    ...(listenerArn === undefined ? [] : [{ arn: listenerArn, place: [...path, "listenerArn"] }]),
    ...(match?.ruleArn === undefined ? [] : [{ arn: match.ruleArn, place: [...path, "match", "ruleArn"] }]),
  ]);
}

function checkTargetGroups(services: readonly ReadService[], problems: Problems): void {
  const owners = new Map<string, Path>();
  for (const { arn, place } of services.flatMap(adoptedGroups)) {
    const owner = owners.get(arn);
    if (!owner) {
      owners.set(arn, place);
      continue;
    }
    problems.add(
      place,
      {
        wrong: `the same target group as ${pathText(owner)}`,
        expected: "a target group of its own for each release",
        wayOut: "Give the other release's ARN, or leave it out and the program makes one",
      },
      arn,
    );
  }
}

/** What services are checked against. */
interface Surroundings {
  readonly region?: string;
  readonly listenerArn?: string;
  readonly alerting: AlertingConfig;
}

/** Secrets are read where the hook is: in its region and account. */
function secretsOf({ pagerduty, slack, datadog }: AlertingConfig): { arn: string; place: Path }[] {
  const routingKey = pagerduty?.kind === "own-key" ? pagerduty.routingKeySecretArn : undefined;
  return [
    ...(routingKey === undefined ? [] : [{ arn: routingKey, place: ["alerting", "pagerduty", "routingKeySecretArn"] }]),
    ...(slack?.webhookSecretArn === undefined
      ? []
      : [{ arn: slack.webhookSecretArn, place: ["alerting", "slack", "webhookSecretArn"] }]),
    ...(datadog?.keysSecretArn === undefined
      ? []
      : [{ arn: datadog.keysSecretArn, place: ["alerting", "datadog", "keysSecretArn"] }]),
  ];
}

/** A page for an owner whom nobody routes would go to whoever is on call, and look as if it had gone to the owner. */
function checkDependencyOwners(
  services: readonly ReadService[],
  { pagerduty }: AlertingConfig,
  problems: Problems,
): void {
  const owners = pagerduty?.kind === "made" ? Object.keys(pagerduty.owners) : [];
  if (owners.length === 0) return;
  for (const { path, dependencyOwner } of services) {
    if (dependencyOwner === undefined || owners.includes(dependencyOwner)) continue;
    problems.add(
      [...path, "dependencyOwner"],
      unknownWord(dependencyOwner, owners, "none of alerting.pagerduty.owners"),
      dependencyOwner,
    );
  }
}

/** Region and account of an ARN. */
function ownerOf(arn: string): { region: string; account: string } {
  const [, , , region = "", account = ""] = arn.split(":");
  return { region, account };
}

function checkOwners(services: readonly ReadService[], environment: Surroundings, problems: Problems): void {
  const { listenerArn, alerting } = environment;
  const all: readonly { arn: string; place: Path }[] = [
    ...(listenerArn ? [{ arn: listenerArn, place: ["network", "listenerArn"] }] : []),
    ...services.flatMap((service) => [...adoptedRoutes(service), ...adoptedGroups(service)]),
    ...secretsOf(alerting),
  ];
  const account = all[0] && ownerOf(all[0].arn).account;
  for (const { arn, place } of all) {
    const owner = ownerOf(arn);
    if (environment.region && owner.region !== environment.region) {
      const expected = `${environment.region}, as aws:region says`;
      problems.add(
        place,
        { wrong: "in another region", expected, wayOut: "Correct the ARN or the region" },
        owner.region,
      );
    }
    if (account && owner.account !== account) {
      const expected = `${account}, as ${pathText(all[0]?.place ?? [])} has it`;
      problems.add(place, { wrong: "in another account", expected, wayOut: "One stack is one account" }, owner.account);
    }
  }
}

/** Names everything that two parts of the config claim both. */
export function checkAcross(services: readonly ReadService[], environment: Surroundings, problems: Problems): void {
  checkTargetGroups(services, problems);
  checkRoutes(services, environment.listenerArn, problems);
  checkOwners(services, environment, problems);
  checkDependencyOwners(services, environment.alerting, problems);
}
