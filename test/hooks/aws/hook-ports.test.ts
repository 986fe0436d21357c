import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { mockClient } from "aws-sdk-client-mock";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { accountGuard, WrongAccountError } from "../../../hooks/aws/account-guard.ts";
import {
  EnvironmentVariablesError,
  hookPortsFromEnvironment,
  watchmanPortsFromEnvironment,
} from "../../../hooks/aws/hook-ports.ts";
import { aPageMessage } from "./a-page.ts";
import { loopback } from "./loopback.ts";

const topic = (name: string) => `arn:aws:sns:eu-west-1:123456789012:${name}`;
const secretArn = (name: string) => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`;
const watchman = {
  AWS_REGION: "eu-west-1",
  TIDEGATE_ENVIRONMENT: "production",
  TIDEGATE_TABLE: "tidegate-production",
  TIDEGATE_ACCOUNT: "123456789012",
  TIDEGATE_CRITICAL_TOPIC: topic("critical"),
  TIDEGATE_RUNBOOKS: "https://example.com/runbooks",
};
const hook = { ...watchman, TIDEGATE_WARNING_TOPIC: topic("warning") };
const key = "R0ABCDEFGHIJKLMNOPQRSTUVWXYZ2345";

/** The clients are made inside, so the mocks are of the classes. */
const sns = mockClient(SNSClient);
const secretsManager = mockClient(SecretsManagerClient);
beforeEach(() => {
  sns.reset();
  secretsManager.reset();
  sns.on(PublishCommand).resolves({});
});
afterEach(() => vi.restoreAllMocks());

const published = () => sns.commandCalls(PublishCommand).map((call) => call.args[0].input.TopicArn);

describe("the hook's ports", () => {
  it("need their variables: every one that is missing or wrong is named at once, none is shown", () => {
    const wrong = {
      ...hook,
      TIDEGATE_TABLE: "",
      TIDEGATE_ACCOUNT: "12345",
      TIDEGATE_WARNING_TOPIC: undefined,
      TIDEGATE_PAGERDUTY_SECRET: key,
      TIDEGATE_PAGERDUTY_ENDPOINT: "http://events.example.com",
      TIDEGATE_DASHBOARD: "no url",
    };
    const failure = (() => {
      try {
        return hookPortsFromEnvironment(wrong);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(EnvironmentVariablesError);
    expect(String(failure)).toBe(
      [
        "EnvironmentVariablesError: environment variables: 6 problem(s), values not shown. Deploy the function with its program:",
        "  TIDEGATE_TABLE: missing or empty",
        "  TIDEGATE_ACCOUNT: must be 12 digits",
        "  TIDEGATE_DASHBOARD: Invalid URL",
        "  TIDEGATE_WARNING_TOPIC: missing or empty",
        "  TIDEGATE_PAGERDUTY_SECRET: must be the ARN of secretsmanager",
        "  TIDEGATE_PAGERDUTY_ENDPOINT: must be an https URL",
      ].join("\n"),
    );
    expect(String(failure)).not.toContain(key);
  });

  it("say where pages come from", () => {
    const { environment, ports } = hookPortsFromEnvironment({
      ...hook,
      TIDEGATE_DASHBOARD: "https://example.com/d",
    });
    expect({ environment, place: ports.place }).toEqual({
      environment: "production",
      place: {
        environment: "production",
        region: "eu-west-1",
        runbookBase: "https://example.com/runbooks",
        dashboardUrl: "https://example.com/d",
      },
    });
    expect(hookPortsFromEnvironment(hook).ports.place).not.toHaveProperty("dashboardUrl");
  });

  it("page by the topics alone where nothing else is configured, and then need them [D4]", async () => {
    const { ports } = hookPortsFromEnvironment(hook);
    expect(await ports.pager.send(aPageMessage({ severity: "warning" }), [])).toEqual({
      deliveredTo: ["sns"],
      failed: [],
    });
    expect(published()).toEqual([topic("warning")]);
    sns.on(PublishCommand).rejects(new Error("down"));
    expect(await ports.pager.send(aPageMessage(), [])).toMatchObject({
      deliveredTo: [],
      failed: [{ channel: "sns", isRequired: true }],
    });
  });

  it("page by PagerDuty, topics and Slack, and only PagerDuty is needed then [D4, D7]", async () => {
    const pagerDuty = await loopback({ status: 202 });
    const slack = await loopback({ status: 200, body: "ok" });
    const webhook = `${slack.url}/services/secretsecret`;
    const secrets: Record<string, string> = { [secretArn("pagerduty")]: key, [secretArn("slack")]: webhook };
    secretsManager.on(GetSecretValueCommand).callsFake(({ SecretId }) => ({ SecretString: secrets[SecretId] }));
    const lines: string[] = [];
    const variables = {
      ...hook,
      TIDEGATE_PAGERDUTY_SECRET: secretArn("pagerduty"),
      TIDEGATE_PAGERDUTY_ENDPOINT: pagerDuty.url,
      TIDEGATE_SLACK_SECRET: secretArn("slack"),
      AWS_SESSION_TOKEN: "a-session-token-of-odd-form",
    };
    const { ports, cleanError } = hookPortsFromEnvironment(variables, { write: (line) => void lines.push(line) });
    expect(secretsManager.calls()).toHaveLength(0);
    expect(await ports.pager.send(aPageMessage(), [])).toEqual({
      deliveredTo: ["pagerduty", "sns", "slack"],
      failed: [],
    });
    expect(pagerDuty.requests[0]?.json).toMatchObject({ routing_key: key });
    expect(slack.requests[0]?.path).toBe("/services/secretsecret");
    sns.on(PublishCommand).rejects(new Error("down"));
    expect(await ports.pager.send(aPageMessage(), ["pagerduty", "slack"])).toMatchObject({
      deliveredTo: ["pagerduty", "slack"],
      failed: [{ channel: "sns", isRequired: false }],
    });
    // Once read, a secret is known to the log, whatever its form.
    ports.telemetry.log("info", `${key} ${webhook} a-session-token-of-odd-form`);
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(["[redacted] [redacted] [redacted]"]);
    expect(cleanError(new Error(`to ${webhook}`)).message).toBe("to [redacted]");
  });
});

describe("the watchman's ports", () => {
  it("page by the critical topic alone, whatever the severity, with fewer variables [D4]", async () => {
    const { ports } = watchmanPortsFromEnvironment({ ...watchman, TIDEGATE_SLACK_SECRET: secretArn("slack") });
    await ports.pager.send(aPageMessage({ severity: "warning" }), []);
    await ports.pager.send(aPageMessage(), []);
    expect(published()).toEqual([topic("critical"), topic("critical")]);
    expect(() => watchmanPortsFromEnvironment({})).toThrow(
      [
        "environment variables: 6 problem(s), values not shown. Deploy the function with its program:",
        ...Object.keys(watchman).map((name) => `  ${name}: missing or empty`),
      ].join("\n"),
    );
  });
});

describe("what both functions ask elsewhere", () => {
  const grafana = {
    TIDEGATE_GRAFANA_URL: "https://grafana.example.com",
    TIDEGATE_GRAFANA_DATA_SOURCE: "prom",
    TIDEGATE_GRAFANA_SECRET: secretArn("grafana"),
  };
  it("is Prometheus where all of its variables are there, and no secret is read before it is asked [D2]", () => {
    expect(Object.keys(hookPortsFromEnvironment({ ...hook, ...grafana }).ports.elsewhere)).toEqual(["prometheus"]);
    expect(Object.keys(watchmanPortsFromEnvironment({ ...watchman, ...grafana }).ports.elsewhere)).toEqual([
      "prometheus",
    ]);
    expect(hookPortsFromEnvironment(hook).ports.elsewhere).toEqual({});
    expect(secretsManager.calls()).toHaveLength(0);
  });

  it("is refused where half of it is missing, or the token would go over the wire in the clear [D2]", () => {
    const { TIDEGATE_GRAFANA_SECRET: _, ...half } = grafana;
    expect(() =>
      hookPortsFromEnvironment({ ...hook, ...half, TIDEGATE_GRAFANA_URL: "http://grafana.example.com" }),
    ).toThrow(
      [
        "environment variables: 2 problem(s), values not shown. Deploy the function with its program:",
        "  TIDEGATE_GRAFANA_URL: must be an https URL",
        "  TIDEGATE_GRAFANA_SECRET: missing or empty beside TIDEGATE_GRAFANA_URL, TIDEGATE_GRAFANA_DATA_SOURCE",
      ].join("\n"),
    );
  });
});

describe("the account guard", () => {
  const scene = (...answers: (string | Error)[]) => {
    let asked = 0;
    const check = accountGuard("123456789012", async () => {
      const answer = answers[Math.min(asked, answers.length - 1)] ?? "";
      asked += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    });
    return { check, asked: () => asked };
  };

  it("asks once a container, however often it is asked itself [B4]", async () => {
    const { check, asked } = scene("123456789012");
    await Promise.all([check(), check()]);
    await check();
    expect(asked()).toBe(1);
  });

  it("refuses another account, for good [B4]", async () => {
    const { check, asked } = scene("999999999999");
    for (const _ of [1, 2]) {
      const failure = await check().then(String, (error: unknown) => error);
      expect(failure).toBeInstanceOf(WrongAccountError);
      expect(String(failure)).toBe(
        "WrongAccountError: TIDEGATE_ACCOUNT: the credentials belong to another account, got 999999999999; expected 123456789012. Deploy the hook with its own account's program",
      );
    }
    expect(asked()).toBe(1);
  });

  it("asks again after a lookup that failed, and harms nobody who did not wait for it [B4]", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const { check, asked } = scene(new Error("STS is down"), "123456789012");
    void check();
    await new Promise((resolve) => setImmediate(resolve));
    await expect(check()).resolves.toBeUndefined();
    expect(asked()).toBe(2);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("is the hook's own, with STS as its source [B4]", async () => {
    const asked: string[] = [];
    const lookUpAccount = async ({ region }: { region: string }) => {
      asked.push(region);
      return "999999999999";
    };
    const { checkAccount } = hookPortsFromEnvironment(hook, { lookUpAccount });
    expect(asked).toEqual([]);
    await expect(checkAccount()).rejects.toThrow(WrongAccountError);
    expect(asked).toEqual(["eu-west-1"]);
  });
});
