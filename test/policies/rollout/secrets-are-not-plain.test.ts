import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secretsAreNotPlain } from "../../../policies/rollout/secrets-are-not-plain.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aService } from "./a-service.ts";

// Put together here, so that no scanner takes this file for a leak.
const hex32 = "0123456789abcdef".repeat(2);
const accessKeyId = `AKIA${"ABCDEFGHIJKLMNOP"}`;
const slackUrl = `https://hooks.slack.com/services/${"T00000000"}/${"B00000000"}/${"x".repeat(24)}`;
const discordUrl = `https://discord.com/api/webhooks/${"1234567890".repeat(2)}/${"aB3_".repeat(17)}`;
const privateKey = `-----BEGIN RSA ${"PRIVATE"} KEY-----\nabc\n-----END`;

const lambda = "aws:lambda/function:Function";
const parameter = "aws:ssm/parameter:Parameter";
const judge = (type: string, props: object): Promise<string[]> =>
  violationsOf(secretsAreNotPlain, [{ type, name: "it", props: { ...props } }]);
const variables = (given: object): object => ({ environment: { variables: given } });
const text = (what: string, place: string): string =>
  `it: gives a secret to a property that is not made for one, got what looks like ${what} in ${place}; expected the ARN of a secret. Move it to Secrets Manager, or list the property in exceptProperties if it gets a Pulumi secret and has no other way`;

describe("rollout-secrets-are-not-plain", () => {
  it.each<readonly [type: string, props: object, what: string, place: string]>([
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
    [lambda, variables({ DB_PASSWORD: "correct0horse1battery2" }), "a password", "environment.variables.DB_PASSWORD"],
    [lambda, variables({ DB_PASSWD: "Sommer24" }), "a password", "environment.variables.DB_PASSWD"],
    [lambda, variables({ PASSWORD: "correcthorse" }), "a password", "environment.variables.PASSWORD"],
    [
      lambda,
      variables({ KEY_PASSPHRASE: "correct horse battery" }),
      "a password",
      "environment.variables.KEY_PASSPHRASE",
    ],
    [parameter, { type: "String", name: "/shop/db-password", value: "correcthorse" }, "a password", "value"],
    ["aws:rds/instance:Instance", { snapshotPassword: "correcthorse" }, "a password", "snapshotPassword"],
    [lambda, variables({ AUTH_TOKEN: "abcdefgh0123456789ij" }), "a key or token", "environment.variables.AUTH_TOKEN"],
    ...["p", "o", "u", "s", "r"].map(
      (kind) =>
        [
          lambda,
          variables({ DEPLOY: `gh${kind}_${"aB3".repeat(12)}` }),
          "a GitHub token",
          "environment.variables.DEPLOY",
        ] as const,
    ),
    [lambda, variables({ G: `github_${"pat"}_${"aB3".repeat(12)}` }), "a GitHub token", "environment.variables.G"],
    [lambda, variables({ PAY: `sk_${"live"}_${"aB3".repeat(8)}` }), "a Stripe key", "environment.variables.PAY"],
    ...["a", "b", "p", "r", "s"].map(
      (kind) =>
        [
          lambda,
          variables({ S: `xox${kind}-${"1".repeat(12)}-abc` }),
          "a Slack token",
          "environment.variables.S",
        ] as const,
    ),
    [lambda, variables({ CHAT: discordUrl }), "a Discord webhook URL", "environment.variables.CHAT"],
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
    const secrets = [hex32, slackUrl, accessKeyId, discordUrl, "correct0horse", "correcthorse", "Sommer24", "aB3aB3"];
    for (const secret of secrets) expect(messages.join()).not.toContain(secret);
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
    ["aws:rds/instance:Instance", { password: "hG73jdk29dkLp02mxQ8zR41a" }],
    ["aws:rds/cluster:Cluster", { masterPassword: "hG73jdk29dkLp02mxQ8zR41a" }],
    ["aws:docdb/cluster:Cluster", { masterPassword: "hG73jdk29dkLp02mxQ8zR41a" }],
    ["aws:redshift/cluster:Cluster", { masterPassword: "hG73jdk29dkLp02mxQ8zR41a" }],
    ["aws:elasticache/replicationGroup:ReplicationGroup", { authToken: "hG73jdk29dkLp02mxQ8zR41a" }],
    ["aws:memorydb/user:User", { authenticationMode: { type: "password", passwords: ["hG73jdk29dkLp02mxQ8zR41a"] } }],
    ["aws:mq/broker:Broker", { users: [{ username: "shop", password: "hG73jdk29dkLp02mxQ8zR41a" }] }],
    ["aws:directoryservice/directory:Directory", { password: "hG73jdk29dkLp02mxQ8zR41a" }],
    [
      "aws:opensearch/domain:Domain",
      { advancedSecurityOptions: { masterUserOptions: { masterUserPassword: "hG73jdk29dkLp02mxQ8zR41a" } } },
    ],
    ["aws:acm/certificate:Certificate", { privateKey }],
    [
      lambda,
      variables({
        PASSWORD: "short12",
        PASSWORD_RESET_PAGE: "https://shop.example.com/reset",
        PASSWORD_LOGIN: "disabled",
        DB_PASSWORD: "{{resolve:secretsmanager:shop:SecretString:password}}",
        DB_PASSWORD_ARN: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf",
        DB_PASSWORD_PATH: "/shop/db/password",
      }),
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

  it("lets off the properties that the configuration names, on one type or on all, and no others [E1]", async () => {
    const role = "postgresql:index/role:Role";
    const given = (type: string, props: object, ...exceptProperties: string[]): Promise<string[]> =>
      violationsOf(secretsAreNotPlain, [{ type, name: "it", props: { ...props } }], { exceptProperties });
    const password = { password: "hG73jdk29dkLp02mxQ8zR41a" };
    expect(await given(role, password)).toEqual([text("a password", "password")]);
    expect(await given(role, password, "password")).toEqual([]);
    expect(await given(role, password, `${role}:password`)).toEqual([]);
    expect(await given(role, password, "mysql:index/user:User:password", "username", "passwords")).toHaveLength(1);
    const users = { users: [{ name: "a" }, { name: "b", ...password }] };
    expect(await given(role, users, "users.password")).toEqual([]);
    expect(await given(role, users, "users")).toEqual([]);
    expect(await given(role, users, "password")).toEqual([text("a password", "users.1.password")]);
    const plain = { type: "String", name: "/shop/db-password", value: "correcthorse" };
    expect(await given(parameter, plain, `${parameter}:value`)).toEqual([]);
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
