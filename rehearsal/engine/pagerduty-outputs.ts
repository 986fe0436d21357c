/** What PagerDuty answers to a creation or a look-up, as far as the program uses it. Ids and keys are made up and go nowhere. */
import type { Asked, Created } from "./aws-outputs.ts";

/** @param own hex digits that are this resource's own, told apart by use */
export function pagerDutyCreations(
  own: (asked: Asked, use: string, length: number) => string,
): Readonly<Record<string, (asked: Asked) => Created>> {
  const plain = (asked: Asked): Created => ({ id: `P${own(asked, "id", 6).toUpperCase()}`, outputs: {} });
  const key = (asked: Asked): string => own(asked, "key", 32);
  return {
    "pagerduty:index/service:Service": plain,
    "pagerduty:index/alertGroupingSetting:AlertGroupingSetting": plain,
    "pagerduty:index/eventOrchestration:EventOrchestration": plain,
    "pagerduty:index/eventOrchestrationRouter:EventOrchestrationRouter": plain,
    "pagerduty:index/eventOrchestrationService:EventOrchestrationService": plain,
    "pagerduty:index/serviceIntegration:ServiceIntegration": (asked) => ({
      ...plain(asked),
      outputs: { integrationKey: key(asked) },
    }),
    "pagerduty:index/eventOrchestrationIntegration:EventOrchestrationIntegration": (asked) => ({
      ...plain(asked),
      outputs: { parameters: [{ routingKey: key(asked), type: "global" }] },
    }),
  };
}

/** The one look-up: a vendor by its name. */
export const vendorLookUp = "pagerduty:index/getVendor:getVendor";
export const madeUpVendor = { id: "PVENDOR", name: "Amazon CloudWatch", type: "api" } as const;
