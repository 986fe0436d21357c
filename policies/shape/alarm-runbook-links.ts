/** Whoever an alarm wakes finds out from the alarm itself what to do. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known, settingsOf, textAt, unknown } from "../known.ts";
import { compositeAlarmType, hasActions, metricAlarmType } from "../props-alarm.ts";
import { message, referenceUrl } from "../props-message.ts";

interface Settings {
  readonly bases: readonly string[];
}

/** Tidegate's own alarms link into its own folder until a URL is configured. */
const defaults: Settings = { bases: ["docs/runbooks/"] };

export const alarmRunbookLinks: ResourceValidationPolicy = {
  name: "alarm-runbook-links",
  description: "The description of an alarm with actions links to a runbook.",
  enforcementLevel: "advisory",
  severity: "low",
  tags: ["cloudwatch", "alarms", "runbooks"],
  remediationSteps: "Put the URL of the page that says what to do into alarmDescription.",
  url: referenceUrl("alarm-runbook-links"),
  configSchema: {
    properties: {
      bases: {
        type: "array",
        items: { type: "string", minLength: 1 },
        default: [...defaults.bases],
        description: "Beginnings of links that count beside http:// and https://, such as a folder of the repository.",
      },
    },
  },
  validateResource: (args, report) => {
    if (args.type !== metricAlarmType && args.type !== compositeAlarmType) return;
    const props = known(args.props);
    if (!hasActions(props)) return;
    const { bases } = settingsOf(args, defaults);
    const description = textAt(props, "alarmDescription");
    if (description === unknown) return;
    const text = description ?? "";
    if (/\bhttps?:\/\/\S+/.test(text) || bases.some((base) => new RegExp(`${escaped(base)}\\S`).test(text))) return;
    report(
      message({
        name: args.name,
        wrong: "alarmDescription links to no runbook",
        got: text === "" ? "nothing" : JSON.stringify(text),
        expected: `an http(s) URL${bases.length > 0 ? `, or a path under ${bases.join(" or ")}` : ""}`,
        wayOut: "Add the address of the page that says what to do",
      }),
    );
  },
};

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
