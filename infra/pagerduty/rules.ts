/** What PagerDuty does with a page, as plain data: whose it is, and whether it wakes anyone. */
import type { OrchestrationRule, RouteAction, SeverityAction } from "./resources.ts";

/** A text in PagerDuty's condition language. Owners are slugs, so there is nothing to escape. */
const quoted = (text: string): string => `'${text}'`;

/** A page that names the owner of a dependency goes to that owner's service; every other page to the environment's own (B10). */
export function ownerRules(owners: Readonly<Record<string, string>>): OrchestrationRule<RouteAction>[] {
  return Object.entries(owners)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([owner, serviceId]) => ({
      label: `dependency of ${owner}`,
      conditions: [{ expression: `event.custom_details.owner matches ${quoted(owner)}` }],
      actions: { routeTo: serviceId },
    }));
}

/** Only what says of itself that it can wait, waits. */
export const severityRules: readonly OrchestrationRule<SeverityAction>[] = [
  {
    label: "warnings wake nobody",
    conditions: [
      { expression: `event.severity matches ${quoted("warning")}` },
      { expression: `event.severity matches ${quoted("info")}` },
    ],
    actions: { severity: "warning" },
  },
];

/** Critical is whatever is no warning: CloudWatch's alarms come without a severity, and only critical ones are sent. */
export const otherwise: SeverityAction = { severity: "critical" };
