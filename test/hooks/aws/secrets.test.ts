import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { mockClient } from "aws-sdk-client-mock";
import { describe, expect, it } from "vitest";
import {
  managedSecret,
  routingKey,
  SecretShapeError,
  secretLifetimeMilliseconds,
  slackWebhook,
  withSecret,
} from "../../../hooks/aws/secrets.ts";

const secretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pagerduty-AbCdEf";
const first = "R0ABCDEFGHIJKLMNOPQRSTUVWXYZ2345";
const second = "R1ABCDEFGHIJKLMNOPQRSTUVWXYZ2345";

function scene(kind = routingKey) {
  const client = new SecretsManagerClient({ region: "eu-west-1" });
  const mock = mockClient(client);
  let at = 0;
  const heard: string[] = [];
  const secret = managedSecret(
    { region: "eu-west-1", secretArn, kind, now: () => at, onValue: (value) => void heard.push(value) },
    async () => ({ client, GetSecretValueCommand }),
  );
  const reads = () => mock.commandCalls(GetSecretValueCommand).length;
  const wait = (milliseconds: number) => {
    at += milliseconds;
  };
  return { mock, secret, heard, reads, wait };
}

describe("a secret of Secrets Manager", () => {
  it("is read when first needed, kept five minutes, and told to the logs before anyone uses it [D7]", async () => {
    const { mock, secret, heard, reads, wait } = scene();
    mock
      .on(GetSecretValueCommand)
      .resolvesOnce({ SecretString: `${first}\n` })
      .resolves({ SecretString: second });
    expect(reads()).toBe(0);
    expect(await Promise.all([secret.read(), secret.read()])).toEqual([first, first]);
    wait(secretLifetimeMilliseconds - 1);
    expect(await secret.read()).toBe(first);
    expect(reads()).toBe(1);
    expect(mock.commandCalls(GetSecretValueCommand)[0]?.args[0].input).toEqual({ SecretId: secretArn });
    wait(1);
    expect(await secret.read()).toBe(second);
    expect(reads()).toBe(2);
    expect(heard).toEqual([first, second]);
  });

  it("stays as it was where Secrets Manager does not answer: an old key is better than none [D4]", async () => {
    const { mock, secret, wait } = scene();
    mock.on(GetSecretValueCommand).resolvesOnce({ SecretString: first }).rejects(new Error("down"));
    await secret.read();
    wait(secretLifetimeMilliseconds);
    expect(await secret.read()).toBe(first);
    await expect(secret.readAgain()).rejects.toThrow(
      `secret ${secretArn}: reading the PagerDuty routing key failed, got Error: down`,
    );
  });

  it("throws where there never was one, and asks again the next time [D4]", async () => {
    const { mock, secret } = scene();
    mock.on(GetSecretValueCommand).rejectsOnce(new Error("down")).resolves({ SecretString: first });
    await expect(secret.read()).rejects.toThrow("got Error: down");
    expect(await secret.read()).toBe(first);
  });

  it.each([
    [
      routingKey,
      "not-a-routing-key",
      "is no PagerDuty routing key (not shown); expected 32 letters and digits as the whole secret string",
    ],
    [routingKey, `{"key":"${first}"}`, "is no PagerDuty routing key (not shown)"],
    [
      slackWebhook,
      "https://evil.example.com/services/x",
      "is no Slack webhook URL (not shown); expected an https://hooks.slack.com/… URL as the whole secret string",
    ],
    [slackWebhook, "http://hooks.slack.com/services/x", "is no Slack webhook URL (not shown)"],
  ])("is refused without being shown where its shape is wrong: %o [D7]", async (kind, value, message) => {
    const { mock, secret } = scene(kind);
    mock.on(GetSecretValueCommand).resolves({ SecretString: value });
    const failure = await secret.read().then(String, (error: unknown) => error);
    expect(failure).toBeInstanceOf(SecretShapeError);
    expect(String(failure)).toContain(message);
    expect(String(failure)).not.toContain(value);
  });

  it("is refused where it is binary or empty [D7]", async () => {
    const { mock, secret, heard } = scene();
    mock.on(GetSecretValueCommand).resolvesOnce({}).resolves({ SecretString: " " });
    await expect(secret.read()).rejects.toThrow(SecretShapeError);
    await expect(secret.read()).rejects.toThrow(SecretShapeError);
    expect(heard).toEqual([]);
  });

  it("may be a webhook of Slack, GovSlack, or loopback in tests [D4]", () => {
    const urls = [
      "https://hooks.slack.com/services/T/B/x",
      "https://hooks.slack-gov.com/services/T/B/x",
      "http://127.0.0.1:9/x",
    ];
    expect(urls.map(slackWebhook.isValid)).toEqual([true, true, true]);
  });
});

describe("using a secret that was refused", () => {
  const refusal = new Error("refused");
  const isRefusal = (error: unknown) => error === refusal;
  const tried = async (fresh: string | Error, use: (value: string) => Promise<string>) => {
    let reads = 0;
    const used: string[] = [];
    const readAgain = async () => {
      reads += 1;
      if (fresh instanceof Error) throw fresh;
      return fresh;
    };
    const result = await withSecret(
      { read: async () => "old", readAgain },
      (value) => {
        used.push(value);
        return use(value);
      },
      isRefusal,
    ).catch((error: unknown) => error);
    return { result, reads, used };
  };
  const onlyNew = async (value: string) => {
    if (value === "old") throw refusal;
    return `used ${value}`;
  };

  it("reads it anew and uses it once more, so that a rotation heals itself [D4]", async () => {
    expect(await tried("new", onlyNew)).toEqual({ result: "used new", reads: 1, used: ["old", "new"] });
  });

  it("gives up where it has not changed or cannot be read, with what was refused [D4]", async () => {
    expect(await tried("old", onlyNew)).toEqual({ result: refusal, reads: 1, used: ["old"] });
    expect(await tried(new Error("down"), onlyNew)).toEqual({ result: refusal, reads: 1, used: ["old"] });
  });

  it("reads nothing anew for any other failure [D4]", async () => {
    const other = new Error("timeout");
    expect(await tried("new", () => Promise.reject(other))).toEqual({ result: other, reads: 0, used: ["old"] });
  });
});
