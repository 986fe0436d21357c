import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secretsAreNotPlain } from "../../../policies/rollout/secrets-are-not-plain.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aService } from "./a-service.ts";

// Put together here, so that no scanner takes this file for a leak.
const hex32 = "0123456789abcdef".repeat(2);
const accessKeyId = `AKIA${"ABCDEFGHIJKLMNOP"}`;
const slackUrl = `https://hooks.slack.com/services/${"T00000000"}/${"B00000000"}/${"x".repeat(24)}`;
const privateKey = `-----BEGIN RSA ${"PRIVATE"} KEY-----\nabc\n-----END`;

const lambda = "aws:lambda/function:Function";
const parameter = "aws:ssm/parameter:Parameter";
const judge = (type: string, props: object): Promise<string[]> =>
  violationsOf(secretsAreNotPlain, [{ type, name: "it", props: { ...props } }]);
const variables = (given: object): object => ({ environment: { variables: given } });
const text = (what: string, place: string): string =>
  `it: a secret in plain text, got what looks like ${what} in ${place}; expected the ARN of a secret. Move it to Secrets Manager, and rotate it`;

describe("rollout-secrets-are-not-plain", () => {
  it.each([
    [lambda, variables({ PAGERDUTY_KEY: hex32 }), "a PagerDuty routing key", "environment.variables.PAGERDUTY_KEY"],
    [
      lambda,
      variables({ ROUTING_KEY: "R0ABCDEFGHIJ0123456789ABCDEFGHIJ" }),
      "a PagerDuty routing key",
      "environment.variables.ROUTING_KEY",
    ],
    [lambda, variables({ DD_API_KEY: hex32 }), "a Datadog key", "environment.variables.DD_API_KEY"],
    [lambda, variables({ DD_APP_KEY: `${hex32}01234567` }), "a Datadog key", "environment.variables.DD_APP_KEY"],
    [lambda, variables({ HOOK: slackUrl }), "a Slack webhook URL", "environment.variables.HOOK"],
    [lambda, variables({ X: accessKeyId }), "an AWS access key id", "environment.variables.X"],
    [
      lambda,
      variables({ AWS_SECRET_ACCESS_KEY: `${"aB3/".repeat(10)}` }),
      "an AWS secret access key",
      "environment.variables.AWS_SECRET_ACCESS_KEY",
    ],
    [lambda, variables({ CERT: privateKey }), "a private key", "environment.variables.CERT"],
    [lambda, variables({ G: `glsa_${"a1".repeat(16)}_abcdef01` }), "a Grafana token", "environment.variables.G"],
    [lambda, variables({ S: `xoxb-${"1".repeat(12)}-abc` }), "a Slack token", "environment.variables.S"],
    [
      lambda,
      variables({ DB_PASSWORD: "correct0horse1battery2" }),
      "a key, token or password",
      "environment.variables.DB_PASSWORD",
    ],
    [parameter, { type: "String", name: "/shop/pagerduty-key", value: hex32 }, "a PagerDuty routing key", "value"],
    [
      lambda,
      variables({ DATABASE_URL: `postgres://shop:${"correct0horse"}@db.example.com/shop` }),
      "a URL with a password",
      "environment.variables.DATABASE_URL",
    ],
    [parameter, { type: "String", name: "/shop/x", value: slackUrl }, "a Slack webhook URL", "value"],
    [
      "aws:ecs/taskDefinition:TaskDefinition",
      { containerDefinitions: JSON.stringify([{ name: "app", environment: [{ name: "DD_API_KEY", value: hex32 }] }]) },
      "a Datadog key",
      "containerDefinitions.0.environment.0.value",
    ],
    [
      "aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion",
      { content: `webhook = "${slackUrl}"` },
      "a Slack webhook URL",
      "content",
    ],
  ])("refuses in a %s: %j [E1]", async (type, props, what, place) => {
    const messages = await judge(type, props);
    expect(messages).toEqual([text(what, place)]);
    for (const secret of [hex32, slackUrl, accessKeyId, "correct0horse"]) expect(messages.join()).not.toContain(secret);
  });

  it("refuses a secret among a component's inputs [E1]", async () => {
    const service = aService({ settings: { routingKey: hex32 } });
    expect(await violationsOf(secretsAreNotPlain, [service])).toEqual([
      text("a PagerDuty routing key", "settings.routingKey").replace("it:", "checkout:"),
    ]);
  });

  it("lets what our own components declare through [E1]", async () => {
    expect(await violationsOf(secretsAreNotPlain, [aService()])).toEqual([]);
  });

  it.each([
    [lambda, variables({ PAGERDUTY_SECRET_ARN: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pd-AbCdEf" })],
    [
      lambda,
      variables({ TIDEGATE_PAGERDUTY_SECRET: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pd-AbCdEf" }),
    ],
    [lambda, variables({ PAGERDUTY_KEY: notKnownYet })],
    [lambda, { environment: notKnownYet, codeSha256: "a".repeat(43) }],
    [
      lambda,
      variables({
        TOKEN_ENDPOINT: "https://login.example.com",
        TOKEN_LIFETIME_SECONDS: "3600",
        GIT_COMMIT: `${hex32}01234567`,
      }),
    ],
    [parameter, { type: "SecureString", name: "/shop/pagerduty-key", value: hex32 }],
    [parameter, { type: "String", name: "/shop/greeting", value: "hello" }],
    [lambda, variables({ TOKEN_KEY_ID: "1234abcd-12ab-34cd-56ef-1234567890ab" })],
    ["aws:secretsmanager/secretVersion:SecretVersion", { secretString: hex32, secretId: "pagerduty-key" }],
    [
      "aws:sns/topicSubscription:TopicSubscription",
      { endpoint: `https://events.pagerduty.com/integration/${hex32}/enqueue` },
    ],
    ["pulumi:providers:aws", { accessKey: accessKeyId, secretKey: "aB3/".repeat(10) }],
    [
      "aws:lb/targetGroup:TargetGroup",
      { name: "checkout-2-4-0-1a2b3c4d-aa11bb22", tags: { "tidegate:release": "2-4-0-1a2b3c4d" } },
    ],
    [
      "aws:iam/rolePolicy:RolePolicy",
      { policy: JSON.stringify({ Statement: [{ Action: "secretsmanager:GetSecretValue", Sid: "ReadTokenOfPager" }] }) },
    ],
  ])("lets through in a %s: %j [E1]", async (type, props) => {
    expect(await judge(type, props)).toEqual([]);
  });

  it("finds a telling secret wherever it stands, and never repeats it [E1]", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[a-zA-Z]{1,8}$/), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (path, list) => {
          const value = path.reduceRight<unknown>(
            (inner, key) => ({ [key]: list ? [inner] : inner }),
            `see ${slackUrl} for it`,
          );
          const messages = await judge("aws:some/thing:Thing", Object(value));
          expect(messages).toHaveLength(1);
          expect(messages[0]).not.toContain("x".repeat(24));
        },
      ),
      { numRuns: 100, seed: 7 },
    );
  });
});
