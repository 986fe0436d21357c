/**
 * How the rules of several routes are told apart. The first route's names have no ending, which are the names that a service with one
 * route has; a further route is named by listener and
 * priority, which nobody shares: a change of order changes nothing, and a change of the match is an update in place. Another priority is
 * another rule, which comes before the old one goes.
 */
import { createHash } from "node:crypto";
import { stableJson } from "../core/stable-json.ts";
import { conditionValueCount, maximumConditionValues } from "./rule-shapes.ts";
import type { Route, ServiceSurvey, Testers } from "./settings.ts";

/** A route with the end of its rules' names. */
export interface NamedRoute {
  readonly route: Route;
  /** Empty for the first, else a hyphen and 8 hex. */
  readonly suffix: string;
}

/** The routes with their names, in the order given. */
export function namedRoutes(routes: readonly Route[]): NamedRoute[] {
  return routes.map((route, index) => ({ route, suffix: index === 0 ? "" : `-${routeHash(route)}` }));
}

/** Not of the match: a rule of another name would come before the old one goes, at a priority that is not free yet. */
function routeHash({ listenerArn, priority }: Route): string {
  return createHash("sha256")
    .update(stableJson([listenerArn ?? "", priority]))
    .digest("hex")
    .slice(0, 8);
}

/** What is wrong with the routes of a service, in the words of its config. */
export function routeProblems(
  args: { readonly service: string; readonly routes: readonly Route[]; readonly testers?: Testers },
  found: ServiceSurvey,
  isPreview: boolean,
): string[] {
  const problems: string[] = [];
  const named = namedRoutes(args.routes);
  named.forEach(({ route, suffix }, index) => {
    const place = `service ${args.service}${index === 0 ? "" : `.moreRoutes[${index - 1}]`}.match`;
    if (named.slice(1, index).some((other) => other.suffix === suffix)) {
      problems.push(
        `${place}: the same listener and priority as another route, got ${route.priority}; expected priorities of its own. Leave one out`,
      );
    }
    const values = conditionValueCount(route.match, found, args.testers);
    if (values === undefined) {
      // A preview tells it beside everything else; see `core/adoption.ts`.
      if (isPreview) return;
      problems.push(
        `${place}.ruleArn: the conditions of the adopted rule are not known, got ${route.match.ruleArn}; ` +
          "expected them in found. Give what a survey found of the rule",
      );
    } else if (values > maximumConditionValues || values === (args.testers ? 1 : 0)) {
      problems.push(
        `${place}: ${values > maximumConditionValues ? "too many condition values" : "no condition"}, got ${values} (the testers' mark included); ` +
          `expected 1 to ${maximumConditionValues}. Use a wildcard, or split the service`,
      );
    }
  });
  return problems;
}
