/**
 * Who may write listeners may do only what is named. The hook's role, and any role that can move traffic, is what an attacker or a bug
 * would use; a `*` in it grants what AWS adds next year, too.
 *
 * Judged on the document alone: in a preview it is often not known yet, but it always is at `up` before the provider is called.
 */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { type Known, known, listAt, settingsOf, shown, textAt, unknown } from "../known.ts";
import {
  allowsListenerWrites,
  broadManagedPolicy,
  coversEveryListener,
  documentsOf,
  isLambdaRole,
  type PolicyDocument,
  texts,
} from "../props-iam.ts";
import { type Finding, message, referenceUrl } from "../props-message.ts";

interface Settings {
  readonly exceptResources: readonly string[];
}

const defaults: Settings = { exceptResources: [] };

/** Physical name of the hook's role, which has to stay narrow in documents that write no listener, too; see `core/naming.ts`. */
const hookRole = /^tidegate-.+-hook$/;

function problemsOf(path: string, statement: Known): Omit<Finding, "name">[] {
  if (textAt(statement, "Effect") !== "Allow") return [];
  const sid = textAt(statement, "Sid");
  const where = `${path}${typeof sid === "string" ? ` statement ${sid}` : ""}`;
  const broad = texts(statement, "Action").filter((action) => action.includes("*") || action.includes("?"));
  const everywhere = texts(statement, "Resource").filter(coversEveryListener);
  const exceptions = listAt(statement, "NotAction");
  const spared = listAt(statement, "NotResource");
  return [
    ...(broad.length > 0
      ? [
          {
            wrong: `${where} allows actions by wildcard in a role that may move traffic`,
            got: broad.join(", "),
            expected: "actions by their whole names, such as elasticloadbalancing:ModifyRule",
            wayOut: "Name the actions that the code calls",
          },
        ]
      : []),
    ...(exceptions === unknown || exceptions.length > 0
      ? [
          {
            wrong: `${where} allows everything but what it lists in a role that may move traffic`,
            got: `NotAction ${shown(exceptions)}`,
            expected: "Action with whole names",
            wayOut: "Replace NotAction by the actions that the code calls",
          },
        ]
      : []),
    ...(allowsListenerWrites(statement) && (everywhere.length > 0 || spared === unknown || spared.length > 0)
      ? [
          {
            wrong: `${where} allows to change every listener of the account`,
            got:
              everywhere.length > 0
                ? `Resource ${everywhere.map((pattern) => `"${pattern}"`).join(", ")}`
                : "NotResource",
            expected: "the ARNs of the rules that are its own, such as …:listener-rule/app/<name>/<id>/<listener>/*",
            wayOut: "Name the listener whose rules it may change",
          },
        ]
      : []),
  ];
}

function mustBeNarrow(document: PolicyDocument, role: Known): boolean {
  return document.statements.some(allowsListenerWrites) || (typeof role === "string" && hookRole.test(role));
}

export const listenerWriterActions: ResourceValidationPolicy = {
  name: "listener-writer-actions",
  description:
    "A role that may change listeners, the hook's above all, names its actions and its listeners: no wildcard.",
  enforcementLevel: "mandatory",
  severity: "high",
  tags: ["iam", "least-privilege"],
  remediationSteps:
    'List each action by its whole name, and give actions that change listeners the ARNs of the rules they are for. Reads that IAM knows no resource for (Describe…) may keep the resource "*".',
  url: referenceUrl("listener-writer-actions"),
  configSchema: {
    properties: {
      exceptResources: {
        type: "array",
        items: { type: "string" },
        default: [],
        description: "Names of policies and roles in the program that are let off, such as a deployment role's.",
      },
    },
  },
  validateResource: (args, report) => {
    const { exceptResources } = settingsOf(args, defaults);
    if (exceptResources.includes(args.name)) return;
    const props = known(args.props);
    for (const document of documentsOf(args.type, props)) {
      if ("unreadable" in document) {
        report(
          message({
            name: args.name,
            wrong: `${document.path} is no policy document`,
            got: JSON.stringify(document.unreadable),
            expected: "JSON",
            wayOut: "Write it with JSON.stringify or pulumi.jsonStringify",
          }),
        );
        continue;
      }
      if (!mustBeNarrow(document, textAt(props, "role") ?? textAt(props, "name"))) continue;
      for (const statement of document.statements) {
        for (const problem of problemsOf(document.path, statement)) report(message({ name: args.name, ...problem }));
      }
    }
    if (!isLambdaRole(args.type, props)) return;
    const managed = listAt(props, "managedPolicyArns");
    for (const arn of managed === unknown ? [] : managed) {
      const broad = broadManagedPolicy(arn);
      if (broad === undefined) continue;
      report(
        message({
          name: args.name,
          wrong: "a function's role may change every listener of the account",
          got: broad,
          expected: "a policy of its own with whole names of actions",
          wayOut: `Take ${broad} out of managedPolicyArns`,
        }),
      );
    }
  },
};
