/** The policies of all functions, linted by parliament against AWS's own list of actions and resources. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { hookPolicy } from "../../infra/hook-policy.ts";
import { type Policy, type PolicyRole, policyExceptions } from "../../infra/policy-statements.ts";
import { sloReportPolicy } from "../../infra/slo-report-policy.ts";
import { watchmanPolicy } from "../../infra/watchman-policy.ts";

const arn = (service: string, resource: string): string => `arn:aws:${service}:eu-west-1:123456789012:${resource}`;
const shared = {
  tableArn: arn("dynamodb", "table/tidegate-dev"),
  logGroupArn: arn("logs", "log-group:/aws/lambda/tidegate-dev-hook"),
  keyArn: arn("kms", "key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
};
const policies: Readonly<Record<PolicyRole, Policy>> = {
  hook: hookPolicy({
    ...shared,
    peerTableArns: [shared.tableArn.replace("eu-west-1", "us-east-1")],
    moreListenerArns: [],
    deadLetterArn: arn("sqs", "tidegate-dev-hook-dead-letters"),
    listenerArn: arn("elasticloadbalancing", "listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"),
    topicArns: [arn("sns", "tidegate-dev-critical"), arn("sns", "tidegate-dev-warnings")],
    secretArns: [arn("secretsmanager", "secret:pagerduty-AbCdEf"), arn("secretsmanager", "secret:slack-GhIjKl")],
    drillAlarmArn: arn("cloudwatch", "alarm:tidegate/dev/tidegate-drill/drill/drill/critical"),
  }),
  watchman: watchmanPolicy({
    ...shared,
    criticalTopicArn: arn("sns", "tidegate-dev-critical"),
    secretArns: [arn("secretsmanager", "secret:grafana-JkLmNo")],
  }),
  report: sloReportPolicy({
    tableArn: shared.tableArn,
    logGroupArn: shared.logGroupArn,
    sesArnBase: arn("ses", "").slice(0, -1),
    sender: "slo@example.com",
    secretArns: [arn("secretsmanager", "secret:webhook-PqRsTu")],
    bucketArn: "arn:aws:s3:::tidegate-dev-report-pictures",
  }),
};

interface Finding {
  readonly issue: string;
  readonly detail: unknown;
}

/** Runs parliament on a policy. */
async function lint(policy: Policy): Promise<Finding[]> {
  const { TIDEGATE_PYTHON: python, PYTHONPATH: modules = "", PATH = "" } = process.env;
  if (!python) throw new Error("TIDEGATE_PYTHON: not set; expected a Python that has parliament. Run npm run test:aws");
  const script = fileURLToPath(new URL("lint-policies.py", import.meta.url));
  const text = await new Promise<string>((resolve, reject) => {
    const child = execFile(python, [script], { env: { PATH, PYTHONPATH: modules } }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
    child.stdin?.end(JSON.stringify({ policy }));
  });
  const found: Readonly<Record<string, Finding[]>> = JSON.parse(text);
  return found.policy ?? [];
}

/**
 * What parliament gets wrong. A rule of an application load balancer is `listener-rule/app/…` and one of a network load balancer
 * `listener-rule/net/…`; a policy for the one need not name the other. Source: Service Authorization Reference, "Elastic Load Balancing V2",
 * read 2026-11.
 */
const falseFindings: readonly string[] = [
  'RESOURCE_MISMATCH {"action":"elasticloadbalancing:ModifyRule","required_format":"arn:*:elasticloadbalancing:*:*:listener-rule/net/*/*/*/*"}',
];

/** What is wrong beyond the exceptions: parliament names actions that are allowed on "*" though they could be on less. */
async function problemsOf(role: PolicyRole, policy: Policy): Promise<string[]> {
  const excepted = new Set(policyExceptions.flatMap(({ actions }) => actions[role] ?? []));
  // A lone "*" is no finding to parliament.
  const wild = policy.Statement.flatMap(({ Action }) => Action).filter((action) => action.includes("*"));
  const found = (await lint(policy)).flatMap(({ issue, detail }) =>
    [detail].flat().map((one) => ({ issue, action: typeof one === "string" ? one : JSON.stringify(one) })),
  );
  const beyond = found
    .filter(({ issue, action }) => issue !== "RESOURCE_STAR" || !excepted.has(action))
    .map(({ issue, action }) => `${issue} ${action}`)
    .filter((finding) => !falseFindings.includes(finding));
  return [...wild.map((action) => `wildcard ${action}`), ...beyond];
}

const roles = ["hook", "watchman", "report"] as const;

describe.each(roles)("the policy of the %s", (role) => {
  it("has nothing that parliament objects to beyond the listed exceptions [D7]", async () => {
    expect(await problemsOf(role, policies[role])).toEqual([]);
  });

  it("would be caught with an action too many, a resource too many, or one of the wrong kind [D7]", async () => {
    const withStatement = (action: string, resource: string): Policy => ({
      ...policies[role],
      Statement: [
        ...policies[role].Statement,
        { Sid: "OneTooMany", Effect: "Allow", Action: action, Resource: resource },
      ],
    });
    expect(await problemsOf(role, withStatement("*", "*"))).toEqual(["wildcard *"]);
    const balancing = await problemsOf(role, withStatement("elasticloadbalancing:*", "*"));
    expect(balancing).toEqual(
      expect.arrayContaining(["wildcard elasticloadbalancing:*", "RESOURCE_STAR elasticloadbalancing:DeleteRule"]),
    );
    expect(await problemsOf(role, withStatement("sns:Publish", "*"))).toEqual(["RESOURCE_STAR sns:Publish"]);
    expect(await problemsOf(role, withStatement("sns:Publish", shared.tableArn))).toEqual([
      'RESOURCE_MISMATCH {"action":"sns:Publish","required_format":"arn:*:sns:*:*:*"}',
    ]);
    expect(await problemsOf(role, withStatement("sns:Publlish", "*"))).toEqual([
      expect.stringMatching(/^UNKNOWN_ACTION /),
    ]);
  });
});
