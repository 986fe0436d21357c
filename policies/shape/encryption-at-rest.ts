/** What is kept is encrypted: records, notifications and queued events carry names of customers' hosts and of releases. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { flagAt, isGiven, type KnownMap, known, settingsOf, unknown } from "../known.ts";
import { message, referenceUrl } from "../props-message.ts";

const kinds = ["table", "topic", "queue", "log-group"] as const;
type Kind = (typeof kinds)[number];

interface Settings {
  readonly kinds: readonly Kind[];
}

/** Log groups are left out: CloudWatch Logs encrypts every one by itself; add them to ask for a key of one's own. */
const defaults: Settings = { kinds: ["table", "topic", "queue"] };

interface Rule {
  readonly kind: Kind;
  readonly isEncrypted: (props: KnownMap) => boolean;
  /** What to set. */
  readonly property: string;
}

function isOn(value: boolean | typeof unknown | undefined): boolean {
  return value === true || value === unknown;
}

const rules: Readonly<Record<string, Rule>> = {
  "aws:dynamodb/table:Table": {
    kind: "table",
    isEncrypted: (props) => isOn(flagAt(props, "serverSideEncryption", "enabled")),
    property: "serverSideEncryption: { enabled: true }",
  },
  "aws:sns/topic:Topic": {
    kind: "topic",
    isEncrypted: (props) => isGiven(props, "kmsMasterKeyId"),
    property: "kmsMasterKeyId",
  },
  "aws:sqs/queue:Queue": {
    kind: "queue",
    isEncrypted: (props) => isOn(flagAt(props, "sqsManagedSseEnabled")) || isGiven(props, "kmsMasterKeyId"),
    property: "sqsManagedSseEnabled: true or kmsMasterKeyId",
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    kind: "log-group",
    isEncrypted: (props) => isGiven(props, "kmsKeyId"),
    property: "kmsKeyId",
  },
};

export const encryptionAtRest: ResourceValidationPolicy = {
  name: "encryption-at-rest",
  description: "Tables, topics and queues are encrypted, and the program says so.",
  enforcementLevel: "advisory",
  severity: "medium",
  tags: ["encryption"],
  remediationSteps:
    "Set serverSideEncryption on the table, kmsMasterKeyId on the topic, sqsManagedSseEnabled or kmsMasterKeyId on the queue, kmsKeyId on the log group.",
  url: referenceUrl("encryption-at-rest"),
  configSchema: {
    properties: {
      kinds: {
        type: "array",
        items: { type: "string", enum: [...kinds] },
        uniqueItems: true,
        default: [...defaults.kinds],
        description: "What has to be encrypted with a setting of its own.",
      },
    },
  },
  validateResource: (args, report) => {
    const rule = rules[args.type];
    if (!rule || !settingsOf(args, defaults).kinds.includes(rule.kind)) return;
    if (rule.isEncrypted(known(args.props))) return;
    report(
      message({
        name: args.name,
        wrong: `the ${rule.kind.replace("-", " ")} has no encryption of its own`,
        got: "none",
        expected: rule.property,
        wayOut: `Set ${rule.property}`,
      }),
    );
  },
};
