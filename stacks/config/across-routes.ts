/** What must hold between the routes of a stack: on one listener no request and no priority is claimed twice. */
import { matchOverlap } from "./overlap.ts";
import { type Path, type Problems, pathText } from "./problems.ts";
import type { ReadRoute } from "./route.ts";
import type { ReadService } from "./service.ts";

/** A route with the service it belongs to, and its listener where that is known. */
interface OwnedRoute extends ReadRoute {
  readonly service: Path;
  /** The route's own or the environment's; absent: a listener that the program makes, or that another stack names. */
  readonly listener: string | undefined;
}

/** Names everything that two routes claim both, and routes that cannot belong together. */
export function checkRoutes(
  services: readonly ReadService[],
  listenerArn: string | undefined,
  problems: Problems,
): void {
  for (const service of services) checkOneLoadBalancer(service, listenerArn, problems);
  const routes = services.flatMap(({ path, routes: own }) =>
    own.map((route): OwnedRoute => ({ ...route, service: path, listener: route.listenerArn ?? listenerArn })),
  );
  for (const route of routes) checkAdoptedRule(route, problems);
  routes.forEach((right, index) => {
    for (const left of routes.slice(0, index)) {
      if (left.listener !== right.listener) continue;
      checkMatches(left, right, problems);
      checkPriorities(left, right, problems);
    }
  });
}

/** `app/<name>/<id>` of a listener's or a rule's ARN. */
function balancerOf(arn: string): string {
  return arn.split("/").slice(1, 4).join("/");
}

function checkOneLoadBalancer({ routes }: ReadService, listenerArn: string | undefined, problems: Problems): void {
  const [first, ...more] = routes;
  const own = first?.listenerArn ?? listenerArn;
  for (const route of more) {
    const other = route.listenerArn ?? listenerArn;
    if (own === other || (own !== undefined && other !== undefined && balancerOf(own) === balancerOf(other))) continue;
    problems.add(
      [...route.path, "listenerArn"],
      {
        wrong: "on another load balancer than the service's first route",
        expected: own === undefined ? "the environment's own listener" : `a listener of ${balancerOf(own)}`,
        wayOut: "A target group hangs on one load balancer alone; make it two services",
      },
      other === undefined ? "the environment's own listener" : balancerOf(other),
    );
  }
}

/** The listener that a rule hangs on: `…:listener-rule/app/a/1/2/3` hangs on `…:listener/app/a/1/2`. */
export function listenerOfRule(ruleArn: string): string {
  return ruleArn.replace(":listener-rule/", ":listener/").split("/").slice(0, -1).join("/");
}

function checkAdoptedRule({ path, match, listener }: OwnedRoute, problems: Problems): void {
  if (match?.ruleArn === undefined) return;
  const hangsOn = listenerOfRule(match.ruleArn);
  if (listener === undefined || listener === hangsOn) return;
  problems.add(
    [...path, "match", "ruleArn"],
    {
      wrong: "a rule of another listener than the route's",
      expected: `one of ${listener}`,
      wayOut: `Write listenerArn: ${hangsOn} beside match`,
    },
    match.ruleArn,
  );
}

function describePatterns([one, other]: readonly [string, string]): string {
  return one === other ? one : `${one} and ${other}`;
}

function checkMatches(left: OwnedRoute, right: OwnedRoute, problems: Problems): void {
  if (!left.match || !right.match) return;
  const isSameService = left.service === right.service;
  if (left.match.ruleArn !== undefined && left.match.ruleArn === right.match.ruleArn) {
    problems.add(
      [...right.path, "match", "ruleArn"],
      {
        wrong: `the same rule as ${pathText(left.path)}.match.ruleArn`,
        expected: "a rule of its own for each route",
        wayOut: isSameService ? "Leave one of the two out" : "One rule's requests are one service's",
      },
      right.match.ruleArn,
    );
    return;
  }
  const overlap = matchOverlap(left.match, right.match);
  if (!overlap) return;
  // Routes of one service lead to the same releases at the same weights, so that only one which never matches is a mistake.
  if (isSameService && JSON.stringify(left.match) !== JSON.stringify(right.match)) return;
  problems.add([...right.path, "match"], {
    wrong: `overlaps ${pathText(left.path)}.match on host ${describePatterns(overlap.host)}, path ${describePatterns(overlap.path)}, got ${[...right.match.hosts, ...right.match.paths].join(", ")}`,
    expected: isSameService ? "requests that no other route matches" : "requests that no other service matches",
    wayOut: isSameService ? "Leave one of the two out" : "Narrow one of the two",
  });
}

function checkPriorities(left: OwnedRoute, right: OwnedRoute, problems: Problems): void {
  if (left.priority === undefined || right.priority === undefined) return;
  if (Math.abs(left.priority - right.priority) > 2) return;
  problems.add(
    [...right.path, "priority"],
    {
      wrong: `meets ${pathText(left.path)}.priority, which takes ${left.priority} to ${left.priority + 2}`,
      expected: `at most ${left.priority - 3} or at least ${left.priority + 3}`,
      wayOut: `A ${left.service === right.service ? "route" : "service"} takes three priorities; steps of ten leave room`,
    },
    right.priority,
  );
}
