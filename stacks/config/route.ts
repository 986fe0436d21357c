/**
 * The routes of a service: one listener rule's worth of requests each. The first stands among the service's own keys, further ones
 * under `moreRoutes`; all are on listeners of one load balancer, because a service has one set of target groups, and a group hangs on
 * one load balancer alone.
 */

import { z } from "zod";
import { listenerArnPattern } from "../../core/aws-patterns.ts";
import { checkQuotas, readMatch } from "./match.ts";
import type { MatchConfig, RouteConfig, TestersConfig } from "./model.ts";
import { checkFields, type Path, type Problems, text, wholeNumber } from "./problems.ts";

/** Rule priorities end at 50,000, and a route takes three. Source: ELBv2 CreateRule API reference, read 2026-11. */
export const maximumPriority = 49_997;

/** Shape of every listener ARN that may be adopted. */
export const listenerArn = text(listenerArnPattern, {
  wrong: "not the ARN of an application load balancer's listener",
  expected: "arn:aws:elasticloadbalancing:<region>:<account>:listener/app/<name>/<id>/<id>",
  wayOut: "Find it with aws elbv2 describe-listeners",
});

/** The keys of a route, wherever it stands. */
export const routeFields = {
  listenerArn: listenerArn.optional(),
  match: z.unknown(),
  priority: wholeNumber(1, maximumPriority),
};

/** What could be read of a route, for the checks across services. */
export interface ReadRoute {
  /** Where its keys stand. */
  readonly path: Path;
  readonly listenerArn?: string;
  readonly match?: MatchConfig;
  readonly priority?: number;
}

interface RouteFields {
  readonly listenerArn?: string;
  readonly match?: unknown;
  readonly priority?: number;
}

/** Reads one route out of fields that `routeFields` has checked. */
export function readRoute(
  fields: RouteFields,
  testing: TestersConfig | undefined,
  path: Path,
  problems: Problems,
): ReadRoute {
  const match = readMatch(fields.match, [...path, "match"], problems);
  if (match) checkQuotas(match, testing, path, problems);
  return {
    path,
    ...(fields.listenerArn === undefined ? {} : { listenerArn: fields.listenerArn }),
    ...(match ? { match } : {}),
    ...(fields.priority === undefined ? {} : { priority: fields.priority }),
  };
}

/** Reads `moreRoutes`, in the order written. */
export function readMoreRoutes(
  raw: unknown,
  testing: TestersConfig | undefined,
  path: Path,
  problems: Problems,
): ReadRoute[] {
  if (raw === undefined) return [];
  if (!Array.isArray(raw) || raw.length === 0) {
    problems.add(
      path,
      {
        wrong: Array.isArray(raw) ? "empty list" : "must be a list",
        expected: "a list of maps with match, priority and, for another listener, listenerArn",
        wayOut: "Leave it out for a service with one route",
      },
      Array.isArray(raw) ? undefined : raw,
    );
    return [];
  }
  return raw.map((written, index) => {
    const place = [...path, index];
    return readRoute(checkFields(routeFields, written, place, problems), testing, place, problems);
  });
}

/** The routes as the rest of the program takes them; `undefined` where one is incomplete. */
export function completeRoutes(routes: readonly ReadRoute[]): RouteConfig[] | undefined {
  const complete = routes.flatMap(({ listenerArn: arn, match, priority }): RouteConfig[] =>
    match && priority !== undefined ? [{ ...(arn === undefined ? {} : { listenerArn: arn }), match, priority }] : [],
  );
  return complete.length === routes.length ? complete : undefined;
}
