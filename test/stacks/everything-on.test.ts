/** The whole program with every channel and watcher on: what one service comes to, and what the environment's key must let in (D9). */
import { beforeAll, describe, expect, it } from "vitest";
import { type MetricSource, objectivePresetNames } from "../../core/objectives.ts";
import type { FrozenFigure } from "../../core/watch-rules.ts";
import { parseConfig } from "../../stacks/config.ts";
import { declareEnvironment } from "../../stacks/declare-environment.ts";
import { aDeclaration, rememberingGuards } from "../helpers/builders.ts";
import { account, type PulumiRun, type RegisteredResource, runPulumi } from "../helpers/pulumi-run.ts";
import { aConfig, aService } from "./config-builders.ts";

const bundleFolder = new URL(import.meta.url).pathname;
const secret = (name: string) => `arn:aws:secretsmanager:eu-west-1:${account}:secret:${name}-AbCdEf`;
const everyChannel = {
  email: ["sre@example.com"],
  pagerduty: { escalationPolicyId: "PABC123" },
  slack: {
    webhookSecretArn: secret("webhook"),
    chatbot: { workspaceId: "T0123", criticalChannelId: "C0123", warningsChannelId: "C0456" },
  },
  grafana: {
    url: "https://grafana.example.com",
    prometheus: { uid: "prometheus" },
    tokenSecretArn: secret("grafana"),
    contactPoints: { slack: true, pagerDuty: true },
  },
  datadog: {
    site: "datadoghq.eu",
    keysSecretArn: secret("datadog"),
    notify: { critical: ["@pagerduty-web"], warning: ["@slack-alerts"] },
  },
  report: { sender: "slo@example.com", recipients: ["sre@example.com"], webhookSecretArn: secret("report") },
};
/** Of every indicator that a preset plan compares from wave to wave. */
const figures: readonly FrozenFigure[] = [
  { of: "previous-wave", percent: 10, indicator: "error-rate", value: 0.2 },
  { of: "previous-wave", percent: 10, indicator: "latency-p95", value: 120 },
];

const sources = ["emf", "prometheus", "datadog"] as const satisfies readonly MetricSource[];

const testers = { header: { name: "x-tester", value: "yes" } };

/** Services by name with every preset and source, on the plan that has the most bounds of its own. */
function everyService(): Record<string, Record<string, unknown>> {
  const rows = objectivePresetNames.flatMap((objectives) => sources.map((source) => ({ objectives, source })));
  return Object.fromEntries(
    rows.map(({ objectives, source }, index) => {
      const name = `${objectives}-${source}`;
      const match = { hosts: [`${name}.example.com`] };
      return [
        name,
        aService({ match, testers, priority: 200 + 10 * index, plan: "cautious", objectives, source, wave: 25 }),
      ];
    }),
  );
}

function declared(services: Record<string, Record<string, unknown>>) {
  const config = parseConfig(aConfig({ alerting: everyChannel }, services));
  return runPulumi(
    () =>
      declareEnvironment({
        config,
        declarations: Object.keys(services).map((service) => aDeclaration(25, { service, figures })),
        guards: rememberingGuards().binding,
        hookBundleFolder: bundleFolder,
        watchmanBundleFolder: bundleFolder,
        reportBundleFolder: bundleFolder,
        stackId: "example/tidegate/dev",
        accountId: account,
      }),
    {
      // What PagerDuty adds to what it was given.
      fail: ({ type, inputs }) => {
        if (type.endsWith(":EventOrchestrationIntegration")) {
          Object.assign(inputs, { parameters: [{ routingKey: "r".repeat(32), type: "global" }] });
        }
        return undefined;
      },
      call: ({ token, inputs }) => {
        if (token.endsWith(":getSecretVersion")) return { secretString: "a secret" };
        return token.endsWith(":getVendor") ? { id: "PVENDOR", name: inputs.name } : undefined;
      },
    },
  );
}

const serviceType = "tidegate:rollout:ProgressiveService";

/** The service that a resource is declared under; `undefined`: the environment's own. */
function ownerOf(resource: RegisteredResource, { resources }: PulumiRun<unknown>): string | undefined {
  const parents = new Map(resources.map(({ type, name, parent }) => [`${type} ${name}`, parent]));
  let place: string | undefined = resource.parent;
  while (place !== undefined && !place.startsWith(serviceType)) place = parents.get(place);
  return place?.slice(serviceType.length + 1);
}

const isGroup = ({ type }: RegisteredResource) => type === "aws:lb/targetGroup:TargetGroup";

describe("everything on", () => {
  let foundation: number;
  let one: PulumiRun<unknown>;
  beforeAll(async () => {
    one = await declared({ checkout: aService() });
    foundation = one.resources.filter((resource) => resource.custom && ownerOf(resource, one) === undefined).length;
  }, 60_000);

  it("lets every log group under the environment's key into that key's policy", () => {
    const keyArn = `arn:aws:kms:eu-west-1:${account}:dev-key`;
    const policy = JSON.parse(String(one.the("aws:kms/key:Key").inputs.policy)) as {
      Statement: { Sid: string; Condition?: { ArnEquals?: Record<string, string[]> } }[];
    };
    const statement = policy.Statement.find(({ Sid }) => Sid === "LogsOfOurFunctionsAlone");
    const encrypted = one
      .all("aws:cloudwatch/logGroup:LogGroup")
      .filter(({ inputs }) => inputs.kmsKeyId === keyArn)
      .map(({ inputs }) => `arn:aws:logs:eu-west-1:${account}:log-group:${inputs.name}`);
    expect(encrypted).toHaveLength(3);
    expect(statement?.Condition?.ArnEquals?.["kms:EncryptionContext:aws:logs:arn"]?.toSorted()).toEqual(
      encrypted.toSorted(),
    );
  });

  it("costs a service at most 45 resources, target groups of its releases counted, and the environment none [D9]", async () => {
    const run = await declared(everyService());
    const counts: Record<string, number> = {};
    for (const resource of run.resources.filter(({ custom }) => custom)) {
      const owner = ownerOf(resource, run) ?? "environment";
      counts[owner] = (counts[owner] ?? 0) + 1;
    }
    const { environment, ...services } = counts;
    expect(environment).toBe(foundation);
    expect(Object.keys(services)).toHaveLength(15);
    expect(Object.entries(services).filter(([, count]) => count > 45)).toEqual([]);
    expect(Math.max(...Object.values(services))).toBe(32);
    expect(run.resources.filter(isGroup)).toHaveLength(30);
  }, 120_000);
});
