/**
 * Alarms that act through a composite alarm say what silence means, too; see `props-missing-data.ts`. Which alarms those are only the
 * whole stack shows.
 */
import type { StackValidationPolicy } from "@pulumi/policy";
import { known, settingsOf } from "../known.ts";
import { actingComposites, hasActions, metricAlarmType } from "../props-alarm.ts";
import { tagOf } from "../props-alb.ts";
import { message, referenceUrl } from "../props-message.ts";
import { missingDataProblem } from "../props-missing-data.ts";

interface Settings {
  /** Whether Tidegate's own alarms are left to Tidegate. */
  readonly trustTidegate: boolean;
}

/** A release that reports nothing is found by the hook, which compares it with what the load balancer counts (docs/decisions/0002). */
const defaults: Settings = { trustTidegate: true };

export const compositeAlarmMissingData: StackValidationPolicy = {
  name: "composite-alarm-missing-data",
  description: "An alarm that acts through a composite alarm says what missing data means, by what it counts.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["cloudwatch", "alarms"],
  remediationSteps:
    "Set `treatMissingData` on the alarm that the composite names: notBreaching for counts of errors and for latency, breaching for host counts and for alarms on too few requests.",
  url: referenceUrl("composite-alarm-missing-data"),
  configSchema: {
    properties: {
      trustTidegate: {
        type: "boolean",
        default: defaults.trustTidegate,
        description:
          "Whether alarms tagged tidegate:role=alarm may take silence for good whatever they count: the hook finds silent releases itself.",
      },
    },
  },
  validateStack: (args, report) => {
    const { trustTidegate } = settingsOf(args, defaults);
    for (const alarm of args.resources) {
      if (alarm.type !== metricAlarmType) continue;
      const props = known(alarm.props);
      // Those with actions of their own are judged by alarm-missing-data, before they are made.
      if (hasActions(props)) continue;
      const [composite] = actingComposites(alarm, args.resources);
      if (!composite) continue;
      const problem = missingDataProblem(props);
      if (!problem) continue;
      if (trustTidegate && tagOf(props, "tidegate:role") === "alarm" && problem.got === "notBreaching") continue;
      const wrong = `${problem.wrong} and acts through ${composite.name}`;
      report(message({ name: alarm.name, ...problem, wrong }), alarm.urn);
    }
  },
};
