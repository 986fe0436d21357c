/** What Grafana answers to a creation, as far as the program uses it. Ids are made up and go nowhere. */
import type { Asked, Created } from "./aws-outputs.ts";

/** Grafana's first organization, whose number stands before a uid. */
const organization = "1";

/** @param own hex digits that are this resource's own, told apart by use */
export function grafanaCreations(
  own: (asked: Asked, use: string, length: number) => string,
): Readonly<Record<string, (asked: Asked) => Created>> {
  /** The uid asked for, or one that Grafana makes. */
  const plain = (asked: Asked): Created => {
    const { uid: given } = asked.inputs;
    const uid = typeof given === "string" ? given : own(asked, "uid", 14);
    return { id: `${organization}:${uid}`, outputs: { uid } };
  };
  return {
    "grafana:oss/folder:Folder": plain,
    "grafana:oss/dataSource:DataSource": plain,
    "grafana:oss/dashboard:Dashboard": plain,
    "grafana:alerting/contactPoint:ContactPoint": (asked) => ({ ...plain(asked), outputs: {} }),
    "grafana:alerting/ruleGroup:RuleGroup": (asked) => ({ ...plain(asked), outputs: {} }),
  };
}
