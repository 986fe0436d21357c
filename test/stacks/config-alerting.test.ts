import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService, problemsOf } from "./config-builders.ts";

const secretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pagerduty-AbCdEf";
const chatbot = { workspaceId: "T0123ABCD", criticalChannelId: "C0CRITICAL", warningsChannelId: "C0WARNINGS" };
const alertingOf = (alerting: unknown) => parseConfig(aConfig({ alerting })).alerting;
const problems = (alerting: unknown, service: Record<string, unknown> = {}) =>
  problemsOf(aConfig({ alerting }, { checkout: aService(service) }));

describe("alerting that is fine", () => {
  it("makes PagerDuty's side, where somebody is named to call [D4]", () => {
    expect(
      alertingOf({
        email: ["oncall@example.com"],
        runbooks: "https://wiki.example.com/tidegate",
        dashboard: "https://grafana.example.com/d/rollouts?orgId=1",
        pagerduty: { escalationPolicyId: "PABC123", owners: { payments: "PDEF456" } },
        slack: { webhookSecretArn: secretArn, chatbot },
      }),
    ).toEqual({
      email: ["oncall@example.com"],
      runbooks: "https://wiki.example.com/tidegate",
      dashboard: "https://grafana.example.com/d/rollouts?orgId=1",
      pagerduty: {
        kind: "made",
        escalationPolicyId: "PABC123",
        owners: { payments: "PDEF456" },
        groupAlerts: true,
      },
      slack: { webhookSecretArn: secretArn, chatbot },
    });
  });

  it("takes a routing key of one's own, by where it is kept [D4]", () => {
    expect(alertingOf({ pagerduty: { routingKeySecretArn: secretArn } })).toEqual({
      email: [],
      runbooks: "docs/runbooks",
      pagerduty: { kind: "own-key", routingKeySecretArn: secretArn },
    });
  });

  it("hands the owner of a dependency on, whoever it is where no owners are given [B10]", () => {
    const ownerOf = (alerting: unknown) =>
      parseConfig(aConfig({ alerting }, { checkout: aService({ dependencyOwner: "payments" }) })).services[0]
        ?.dependencyOwner;
    expect(ownerOf({ pagerduty: { escalationPolicyId: "PABC123", owners: { payments: "PDEF456" } } })).toBe("payments");
    expect(ownerOf({ pagerduty: { routingKeySecretArn: secretArn } })).toBe("payments");
    expect(ownerOf(undefined)).toBe("payments");
  });
});

describe("alerting is refused", () => {
  it.each([
    [
      "for every secret in plain text, without showing it",
      {
        pagerduty: { routingKey: "R0UT1NGKEY", apiToken: "u+t0ken", escalationPolicyId: "PABC123" },
        slack: { webhookUrl: "https://hooks.slack.com/services/T/B/s3cret", chatbot },
      },
      [
        "alerting.pagerduty.routingKey: a secret in plain text; expected routingKeySecretArn. Revoke it, store the new one in AWS Secrets Manager and give that secret's ARN",
        "alerting.pagerduty.apiToken: a secret in plain text; expected pagerduty:token. Use pulumi config set --secret pagerduty:token",
        "alerting.slack.webhookUrl: a secret in plain text; expected webhookSecretArn. Revoke it, store the new one in AWS Secrets Manager and give that secret's ARN",
      ],
    ],
    [
      "for a secret where its ARN belongs",
      {
        pagerduty: { routingKeySecretArn: "0123456789abcdef0123456789abcdef" },
        slack: { webhookSecretArn: "https://x" },
      },
      [
        "alerting.pagerduty.routingKeySecretArn: not the ARN of a secret, got a value not shown here; expected arn:aws:secretsmanager:<region>:<account>:secret:<name>. Store the secret with aws secretsmanager create-secret, and name it here by its ARN",
        "alerting.slack.webhookSecretArn: not the ARN of a secret, got a value not shown here; expected arn:aws:secretsmanager:<region>:<account>:secret:<name>. Store the secret with aws secretsmanager create-secret, and name it here by its ARN",
      ],
    ],
    [
      "for a service of one's own and one that the program makes at once",
      { pagerduty: { routingKeySecretArn: secretArn, escalationPolicyId: "PABC123", groupAlerts: false } },
      [
        "alerting.pagerduty.escalationPolicyId: belongs to a service that the program makes, and routingKeySecretArn brings one's own; expected one of the two. Leave escalationPolicyId or routingKeySecretArn out",
        "alerting.pagerduty.groupAlerts: belongs to a service that the program makes, and routingKeySecretArn brings one's own; expected one of the two. Leave groupAlerts or routingKeySecretArn out",
      ],
    ],
    [
      "for channels that lead to nobody",
      { pagerduty: {}, slack: {} },
      [
        "alerting.pagerduty: nobody to call; expected escalationPolicyId or routingKeySecretArn. Name who is called, or where the routing key of a service of your own is kept",
        "alerting.slack: no way there; expected webhookSecretArn, chatbot or both",
      ],
    ],
    [
      "for channels that are no maps",
      { pagerduty: null, slack: "xoxb" },
      [
        "alerting.pagerduty: missing; expected a map",
        "alerting.slack: must be a map, got a value not shown here; expected a map",
      ],
    ],
    [
      "for ids that are none, every one at once",
      {
        runbooks: "not a place",
        dashboard: "grafana",
        pagerduty: { escalationPolicyId: "on call", owners: { Payments: "x" } },
        slack: { chatbot: { workspaceId: "shop", criticalChannelId: "#alerts" } },
      },
      [
        "alerting.runbooks: not a place for runbooks, got a value not shown here; expected a URL or a folder of at most 120 characters, such as https://wiki.example.com/tidegate",
        "alerting.dashboard: not a URL, got a value not shown here; expected https://… of at most 500 characters",
        "alerting.pagerduty.escalationPolicyId: not a PagerDuty id, got a value not shown here; expected the id at the end of its page's URL, such as PABC123",
        "alerting.pagerduty.owners.Payments: not an owner's name; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter",
        "alerting.pagerduty.owners.Payments: not a PagerDuty id, got a value not shown here; expected the id at the end of its page's URL, such as PABC123",
        "alerting.slack.chatbot.workspaceId: not the id of a Slack workspace, got a value not shown here; expected T…, as the AWS console shows it once the workspace is authorised",
        "alerting.slack.chatbot.criticalChannelId: not the id of a Slack channel, got a value not shown here; expected C… or G…, the end of the channel's link",
        "alerting.slack.chatbot.warningsChannelId: missing; expected C… or G…, the end of the channel's link",
      ],
    ],
    [
      "for a secret that the hook could not read where it is",
      { pagerduty: { routingKeySecretArn: secretArn.replace("eu-west-1", "us-east-1") } },
      [
        "alerting.pagerduty.routingKeySecretArn: in another region, got a value not shown here; expected eu-west-1, as aws:region says. Correct the ARN or the region",
      ],
    ],
    [
      "for an unknown key",
      { pagerduty: { escalationPolicy: "PABC123" }, mail: [] },
      [
        "alerting.mail: unknown key; expected email, runbooks, dashboard, pagerduty, slack, grafana, datadog or report. Did you mean email?",
        "alerting.pagerduty.escalationPolicy: unknown key; expected escalationPolicyId, owners, groupAlerts or routingKeySecretArn. Did you mean escalationPolicyId?",
      ],
    ],
  ])("%s", (_title, alerting, expected) => {
    expect(problems(alerting)).toEqual(expected);
  });

  it("for an owner whom nobody routes [B10]", () => {
    const alerting = {
      pagerduty: { escalationPolicyId: "PABC123", owners: { payments: "PDEF456", search: "PXYZ789" } },
    };
    expect(problems(alerting, { dependencyOwner: "paymants" })).toEqual([
      `services.checkout.dependencyOwner: none of alerting.pagerduty.owners, got "paymants"; expected payments or search. Did you mean payments?`,
    ]);
    expect(problems(alerting, { dependencyOwner: "Payments Team" })).toEqual([
      `services.checkout.dependencyOwner: not an owner's name, got "Payments Team"; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter`,
    ]);
  });

  it("without a word of what was written, wherever a secret was put", () => {
    const secret = "c0ffeec0ffeec0ffeec0ffeec0ffee42";
    const places = [
      ["runbooks"],
      ["dashboard"],
      ["pagerduty", "routingKey"],
      ["pagerduty", "integrationKey"],
      ["pagerduty", "escalationPolicyId"],
      ["pagerduty", "routingKeySecretArn"],
      ["pagerduty", "owners", "payments"],
      ["slack", "webhook"],
      ["slack", "token"],
      ["slack", "webhookSecretArn"],
      ["slack", "chatbot", "workspaceId"],
    ];
    fc.assert(
      fc.property(fc.subarray(places, { minLength: 1 }), (chosen) => {
        const alerting: Record<string, unknown> = {};
        for (const path of chosen) put(alerting, path, `https:// ${secret}`);
        const said = problems(alerting);
        expect(said.length).toBeGreaterThanOrEqual(chosen.length > 0 ? 1 : 0);
        expect(said.join("\n")).not.toContain(secret);
      }),
    );
  });
});

function put(into: Record<string, unknown>, [key = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  const inner = { ...((into[key] as Record<string, unknown> | undefined) ?? {}) };
  into[key] = inner;
  put(inner, rest, value);
}
