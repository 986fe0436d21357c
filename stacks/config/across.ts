/** What must hold between services, and between services and environment: nothing is claimed by two of them. */
import type { Release } from "../../core/releases.ts";
import type { AlertingConfig, MatchConfig } from "./model.ts";
import { matchOverlap } from "./overlap.ts";
import { type Path, type Problems, pathText, unknownWord } from "./problems.ts";
import type { ReadService } from "./service.ts";

function adoptedGroups(service: ReadService): { arn: string; place: Path }[] {
  const roles: [string, Release | undefined][] = [
    ["baseline", service.baseline],
    ["canary", service.canary],
  ];
  return roles.flatMap(([role, release]) =>
    release?.targetGroupArn ? [{ arn: release.targetGroupArn, place: [...service.path, role, "targetGroupArn"] }] : [],
  );
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

interface Pair {
  readonly left: ReadService;
  readonly right: ReadService;
}

function pairsOf(services: readonly ReadService[]): Pair[] {
  return services.flatMap((left, index) => services.slice(index + 1).map((right) => ({ left, right })));
}

function describePatterns([one, other]: readonly [string, string]): string {
  return one === other ? one : `${one} and ${other}`;
}

function matchText(match: MatchConfig): string {
  return [...match.hosts, ...match.paths].join(", ");
}

function checkMatches({ left, right }: Pair, problems: Problems): void {
  if (!left.match || !right.match) return;
  const overlap = matchOverlap(left.match, right.match);
  if (!overlap) return;
  problems.add([...right.path, "match"], {
    wrong: `overlaps ${pathText(left.path)}.match on host ${describePatterns(overlap.host)}, path ${describePatterns(overlap.path)}, got ${matchText(right.match)}`,
    expected: "requests that no other service matches",
    wayOut: "Narrow one of the two",
  });
}

function checkPriorities({ left, right }: Pair, problems: Problems): void {
  if (left.priority === undefined || right.priority === undefined) return;
  if (Math.abs(left.priority - right.priority) > 2) return;
  problems.add(
    [...right.path, "priority"],
    {
      wrong: `meets ${pathText(left.path)}.priority, which takes ${left.priority} to ${left.priority + 2}`,
      expected: `at most ${left.priority - 3} or at least ${left.priority + 3}`,
      wayOut: "A service takes three priorities; steps of ten leave room",
    },
    right.priority,
  );
}

/** Secrets are read where the hook is: in its region and account. */
function secretsOf({ pagerduty, slack }: AlertingConfig): { arn: string; place: Path }[] {
  const routingKey = pagerduty?.kind === "own-key" ? pagerduty.routingKeySecretArn : undefined;
  return [
    ...(routingKey === undefined ? [] : [{ arn: routingKey, place: ["alerting", "pagerduty", "routingKeySecretArn"] }]),
    ...(slack?.webhookSecretArn === undefined
      ? []
      : [{ arn: slack.webhookSecretArn, place: ["alerting", "slack", "webhookSecretArn"] }]),
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
    ...services.flatMap(adoptedGroups),
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
  for (const pair of pairsOf(services)) {
    checkMatches(pair, problems);
    checkPriorities(pair, problems);
  }
  checkOwners(services, environment, problems);
  checkDependencyOwners(services, environment.alerting, problems);
}
