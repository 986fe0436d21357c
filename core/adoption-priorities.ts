/** Finding three priorities in a row that nobody has, where a route's rules do what the config means. */
import { othersOf, prioritiesOf, type SurveyedRoute } from "./adoption-model.ts";
import { conditionsCover, conditionsOverlap } from "./rule-conditions.ts";

/** Rule priorities end at 50,000. Source: ELBv2 CreateRule API reference, read 2026-11. */
const highestFirst = 49_998;

/**
 * A priority that the route could have: in front of the adopted rule, as close as possible; else the one nearest to what is written that
 * no covering rule comes before.
 * @returns `undefined` where there is no room
 */
export function freePriority(route: SurveyedRoute, all: readonly SurveyedRoute[]): number | undefined {
  const taken = new Set<number>();
  for (const rule of route.listener.rules) {
    // Our own rules too: one that moves or goes does so after the new one has come.
    if (typeof rule.priority === "number") taken.add(rule.priority);
  }
  for (const other of all) {
    if (other.listener === route.listener && other.place !== route.place) {
      for (const priority of prioritiesOf(other)) taken.add(priority);
    }
  }
  const others = othersOf(route, all).filter((rule) => rule.arn !== route.match.ruleArn);
  const before = (adopted: number) => {
    const inFront = others.flatMap(({ priority, conditions }) =>
      typeof priority === "number" && priority < adopted && conditionsOverlap(conditions, route.conditions)
        ? [priority]
        : [],
    );
    return Math.max(0, ...inFront);
  };
  const covering = others.flatMap(({ priority, conditions }) =>
    typeof priority === "number" && conditionsCover(conditions, route.conditions) ? [priority] : [],
  );
  const adopted = route.adopted?.priority;
  const last = typeof adopted === "number" ? adopted - 2 : Math.min(highestFirst, ...covering.map((at) => at - 2));
  const first = typeof adopted === "number" ? before(adopted) : 1;
  const wanted = typeof adopted === "number" ? last : Math.min(route.priority, last);
  for (let distance = 0; distance <= highestFirst; distance += 1) {
    for (const candidate of distance === 0 ? [wanted] : [wanted - distance, wanted + distance]) {
      if (candidate < Math.max(1, first) || candidate > last) continue;
      if (prioritiesOf({ priority: candidate }).every((priority) => !taken.has(priority))) return candidate;
    }
  }
  return undefined;
}

/** Three priorities, the last of them free too. */
export function inFrontOf(priority: number): string {
  return priority > 3 ? `${priority - 3} or less` : "room for three priorities in front of it";
}

/** The way out of a priority that will not do. */
export function writePriority(route: SurveyedRoute, all: readonly SurveyedRoute[]): string {
  const free = freePriority(route, all);
  return free === undefined
    ? "There are no three free priorities in a row: make room with aws elbv2 set-rule-priorities"
    : `Write priority: ${free}`;
}
