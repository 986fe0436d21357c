/** Logs are kept long enough for a post-mortem, and not for ever by oversight. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known, numberAt, settingsOf, unknown } from "../known.ts";
import { message, referenceUrl } from "../props-message.ts";

interface Settings {
  readonly minimumDays: number;
}

/** A month: post-mortems are written within two weeks, and their actions are checked within four. */
const defaults: Settings = { minimumDays: 30 };

export const logRetention: ResourceValidationPolicy = {
  name: "log-retention",
  description: "A log group says how long it keeps its logs, and keeps them long enough.",
  enforcementLevel: "advisory",
  severity: "low",
  tags: ["logs"],
  remediationSteps: "Set `retentionInDays` on the log group. Not set, or 0, it keeps logs and their cost for ever.",
  url: referenceUrl("log-retention"),
  configSchema: {
    properties: {
      minimumDays: {
        type: "integer",
        minimum: 1,
        maximum: 3_653,
        default: defaults.minimumDays,
        description: "Shortest time that logs are kept, in days.",
      },
    },
  },
  validateResource: (args, report) => {
    if (args.type !== "aws:cloudwatch/logGroup:LogGroup") return;
    const { minimumDays } = settingsOf(args, defaults);
    const days = numberAt(known(args.props), "retentionInDays");
    if (days === unknown || (days !== undefined && days >= minimumDays)) return;
    report(
      message({
        name: args.name,
        wrong: "logs are not kept as long as they are needed, or for ever",
        got: days === undefined ? "no retentionInDays" : `${days} days`,
        expected: `at least ${minimumDays} days`,
        wayOut: `Set retentionInDays to ${minimumDays} or more`,
      }),
    );
  },
};
