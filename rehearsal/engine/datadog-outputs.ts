/** What Datadog answers to a creation, as far as the program uses it. Ids are made up and go nowhere. */
import type { Asked, Created } from "./aws-outputs.ts";

/** @param own hex digits that are this resource's own, told apart by use */
export function datadogCreations(
  own: (asked: Asked, use: string, length: number) => string,
): Readonly<Record<string, (asked: Asked) => Created>> {
  const hex = (asked: Asked): string => own(asked, "id", 32);
  return {
    // A number, as composites name it in their queries.
    "datadog:index/monitor:Monitor": (asked) => ({
      id: String(Number.parseInt(own(asked, "id", 8), 16)),
      outputs: {},
    }),
    "datadog:index/serviceLevelObjective:ServiceLevelObjective": (asked) => ({ id: hex(asked), outputs: {} }),
    "datadog:index/dashboardJson:DashboardJson": (asked) => {
      const id = hex(asked).replace(/^(...)(...)(...).*$/, "$1-$2-$3");
      return { id, outputs: { url: `/dashboard/${id}` } };
    },
  };
}
