import type * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { PagerDutyRouting, type PagerDutyRoutingArgs } from "../../../infra/index.ts";
import { type PulumiRun, runPulumi } from "../../helpers/pulumi-run.ts";
import { arn, criticalTopicArn, keyArn } from "../places.ts";

const deadLetterArn = arn("sqs", "tidegate-dev-hook-dead-letters");
const routingKey = "r".repeat(32);
const integrationKey = "i".repeat(32);
const asked: unknown[] = [];

/** What PagerDuty adds to what it was given. */
function answer({ type, inputs }: pulumi.runtime.MockResourceArgs): undefined {
  const made: Readonly<Record<string, object>> = {
    "pagerduty:index/serviceIntegration:ServiceIntegration": { integrationKey },
    "pagerduty:index/eventOrchestrationIntegration:EventOrchestrationIntegration": {
      parameters: [{ routingKey, type: "global" }],
    },
  };
  Object.assign(inputs, made[type]);
}

const declare = (changes: Partial<PagerDutyRoutingArgs> = {}) =>
  runPulumi(
    () =>
      new PagerDutyRouting("dev", {
        environment: "dev",
        escalationPolicyId: "PABC123",
        criticalTopicArn,
        deadLetterArn,
        keyArn,
        ...changes,
      }).routingKeySecretArn,
    {
      fail: answer,
      call: ({ token, inputs }) => {
        asked.push([token, inputs]);
        return { id: "PVENDOR" };
      },
    },
  );
const the = (result: PulumiRun<unknown>, type: string) => result.the(`pagerduty:index/${type}`).inputs;
/** Pulumi's wire form of a secret. */
const secret = (value: string) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

describe("PagerDutyRouting", () => {
  it("wakes somebody for critical, and for a warning nobody [D4]", async () => {
    const result = await declare();
    expect(the(result, "service:Service")).toEqual({
      name: "Tidegate dev",
      description: "Rollouts that were lowered, frozen or need a person",
      escalationPolicy: "PABC123",
      autoResolveTimeout: "null",
      acknowledgementTimeout: "1800",
      alertCreation: "create_alerts_and_incidents",
      incidentUrgencyRule: { type: "constant", urgency: "severity_based" },
    });
    expect(the(result, "eventOrchestrationService:EventOrchestrationService")).toEqual({
      service: "Tidegate dev",
      enableEventOrchestrationForService: true,
      sets: [
        {
          id: "start",
          rules: [
            {
              label: "warnings wake nobody",
              conditions: [
                { expression: "event.severity matches 'warning'" },
                { expression: "event.severity matches 'info'" },
              ],
              actions: { severity: "warning" },
            },
          ],
        },
      ],
      catchAll: { actions: { severity: "critical" } },
    });
  });

  it("makes one incident of a rollout, unless the plan has no grouping [D4]", async () => {
    expect(the(await declare(), "alertGroupingSetting:AlertGroupingSetting")).toEqual({
      name: "Tidegate dev: one incident a rollout",
      type: "content_based",
      services: ["Tidegate dev"],
      config: { aggregate: "all", fields: ["group"], timeWindow: 86_400 },
    });
    const without = await declare({ groupAlerts: false });
    expect(without.all("pagerduty:index/alertGroupingSetting:AlertGroupingSetting")).toEqual([]);
  });

  it("sends a page about a dependency to its owner, and never any to nobody [B10]", async () => {
    const result = await declare({ owners: { search: "PSEARCH", payments: "PPAY123" } });
    expect(the(result, "eventOrchestrationRouter:EventOrchestrationRouter")).toEqual({
      eventOrchestration: "Tidegate dev",
      set: {
        id: "start",
        rules: [
          {
            label: "dependency of payments",
            conditions: [{ expression: "event.custom_details.owner matches 'payments'" }],
            actions: { routeTo: "PPAY123" },
          },
          {
            label: "dependency of search",
            conditions: [{ expression: "event.custom_details.owner matches 'search'" }],
            actions: { routeTo: "PSEARCH" },
          },
        ],
      },
      catchAll: { actions: { routeTo: "Tidegate dev" } },
    });
    const alone = await declare();
    expect(the(alone, "eventOrchestrationRouter:EventOrchestrationRouter").set).toEqual({ id: "start", rules: [] });
  });

  it("keeps the routing key in a secret of the environment's key, and nowhere in the open [D4]", async () => {
    const result = await declare();
    expect(result.the("aws:secretsmanager/secret:Secret").inputs).toMatchObject({ kmsKeyId: keyArn });
    expect(result.the("aws:secretsmanager/secretVersion:SecretVersion").inputs.secretString).toEqual(
      secret(routingKey),
    );
    expect(result.outputs).toBe(arn("secretsmanager", "dev-pagerduty-key"));
    const open = result.resources
      .filter(({ type }) => type !== "aws:secretsmanager/secretVersion:SecretVersion")
      .map(({ inputs }) => JSON.stringify(inputs));
    expect(open.filter((inputs) => inputs.includes(routingKey))).toEqual([]);
  });

  it("has critical alarms reach PagerDuty without the hook; what it does not take is a dead letter [D4]", async () => {
    asked.length = 0;
    const result = await declare();
    expect(asked).toEqual([["pagerduty:index/getVendor:getVendor", { name: "Cloudwatch" }]]);
    expect(the(result, "serviceIntegration:ServiceIntegration")).toMatchObject({
      service: "Tidegate dev",
      vendor: "PVENDOR",
    });
    expect(result.the("aws:sns/topicSubscription:TopicSubscription").inputs).toEqual({
      topic: criticalTopicArn,
      protocol: "https",
      endpoint: secret(`https://events.pagerduty.com/integration/${integrationKey}/enqueue`),
      endpointAutoConfirms: true,
      filterPolicy: '{"environment":[{"exists":false}]}',
      redrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterArn }),
    });
  });
});
