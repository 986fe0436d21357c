/** What a service promises: the objectives of its config that have a target, which reports judge. */
import type { Objective } from "./objectives.ts";
import type { Promises } from "./record.ts";

/** Each with its own floors, so that a report judges a budget as it is judged before an opening. */
export function promisedObjectives(objectives: readonly Objective[]): Promises["objectives"] {
  return objectives.flatMap(({ name, indicator, target, minimumRequests, minimumErrors }) =>
    target === undefined
      ? []
      : [
          {
            name,
            indicator,
            target,
            ...(minimumRequests === undefined ? {} : { minimumRequests }),
            ...(minimumErrors === undefined ? {} : { minimumErrors }),
          },
        ],
  );
}
