/** Alarms with actions of their own say what silence means; see `props-missing-data.ts`. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known } from "../known.ts";
import { hasActions, metricAlarmType } from "../props-alarm.ts";
import { message, referenceUrl } from "../props-message.ts";
import { missingDataProblem } from "../props-missing-data.ts";

export const alarmMissingData: ResourceValidationPolicy = {
  name: "alarm-missing-data",
  description: "An alarm with actions says what missing data means, and says it by what it counts.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["cloudwatch", "alarms"],
  remediationSteps:
    "Set `treatMissingData`: notBreaching for counts of errors and for latency, breaching for host counts and for alarms on too few requests.",
  url: referenceUrl("alarm-missing-data"),
  validateResource: (args, report) => {
    if (args.type !== metricAlarmType) return;
    const props = known(args.props);
    if (!hasActions(props)) return;
    const problem = missingDataProblem(props);
    if (problem) report(message({ name: args.name, ...problem }));
  },
};
