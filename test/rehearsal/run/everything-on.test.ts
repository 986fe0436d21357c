/** Stacks with every channel and every other system configured: they rehearse as any other, and `cost` says what it has no price for. */
import { describe, expect, it } from "vitest";
import { estimateOf } from "../../../cli/cost.ts";
import { makeLocalCloud } from "../../../rehearsal/cloud/local-cloud.ts";
import type { CloudEvent } from "../../../rehearsal/cloud/types.ts";
import { builtInScenarios, rehearse } from "../../../rehearsal/index.ts";
import { rehearseInFull } from "../../../rehearsal/run/rehearse.ts";
import { type EnvironmentConfig, parseConfig } from "../../../stacks/config.ts";
import { aConfig, aService } from "../../stacks/config-builders.ts";

const secret = (name: string) => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}`;
const grafana = {
  url: "https://grafana.example.com",
  prometheus: { url: "http://prometheus.example.com:9090" },
  cloudWatch: "make",
  tokenSecretArn: secret("grafana"),
  contactPoints: { slack: true, pagerDuty: true },
};
const datadog = {
  site: "datadoghq.eu",
  keysSecretArn: secret("datadog"),
  notify: { critical: ["@pagerduty-shop"], warning: ["@slack-shop"] },
};
const channels = {
  email: ["sre@example.com"],
  runbooks: "https://wiki.example.com/tidegate",
  dashboard: "https://grafana.example.com/d/shop",
  slack: {
    webhookSecretArn: secret("slack"),
    chatbot: { workspaceId: "T0123ABC", criticalChannelId: "C0CRIT", warningsChannelId: "C0WARN" },
  },
  report: { sender: "slo@example.com", recipients: ["lead@example.com"], webhookSecretArn: secret("report") },
};
const madeService = { escalationPolicyId: "PABC123", owners: { payments: "PDEF456" } };

function stack(alerting: object, service: object): EnvironmentConfig {
  return parseConfig(
    aConfig({ alerting: { ...channels, ...alerting } }, { checkout: aService({ plan: "rapid", wave: 5, ...service }) }),
  );
}

const stacks = {
  // Grafana is told the routing key of the service that the program makes.
  prometheus: stack(
    { pagerduty: madeService, grafana, datadog },
    { source: "prometheus", control: {}, burnRate: { windows: "ticket" }, dependencyOwner: "payments" },
  ),
  // It is told one's own, and adopts its data sources.
  datadog: stack(
    {
      pagerduty: { routingKeySecretArn: secret("pagerduty") },
      grafana: { ...grafana, prometheus: { uid: "prom" }, cloudWatch: { uid: "cw" } },
      datadog,
    },
    { source: "datadog", control: {}, burnRate: { windows: "ticket" } },
  ),
};
type Watched = keyof typeof stacks;

const told: Readonly<Record<Watched, string>> = {
  prometheus:
    "source prometheus is rehearsed on emf: the same rules, watched by CloudWatch here. Grafana's own evaluation and delay, its notifications, and the hook's reading of its states are not modelled",
  datadog:
    "source datadog is rehearsed on emf: the same rules, watched by CloudWatch here. Datadog's own evaluation and delay, its notifications, and the hook's reading of its states are not modelled",
};

describe.each(["prometheus", "datadog"] as const)("a stack with everything on, watched by %s", (source) => {
  const options = { config: stacks[source], stack: "dev", compareWithoutHook: false };

  it("finishes a healthy release, and says what is not modelled [D2, D3, E3]", { timeout: 60_000 }, async () => {
    const report = await rehearse({
      ...options,
      scenario: builtInScenarios.healthy,
      overrideReason: "what the gate has seen is not asked here",
    });
    expect(report).toMatchObject({ outcome: "completed", hold: null, refused: [], notModelled: told[source] });
  });

  it("rolls an error spike back [D2, D3, E3]", { timeout: 60_000 }, async () => {
    const report = await rehearse({ ...options, scenario: builtInScenarios["error-spike"] });
    expect(report).toMatchObject({ outcome: "rolled-back", hold: { cause: "breach", response: "disable" } });
    expect(report.secondsFaultToZero ?? Number.POSITIVE_INFINITY).toBeLessThan(300);
  });

  it("has a price for all that AWS charges, and names the rest [D9]", async () => {
    const { lines, unpriced } = await estimateOf(stacks[source]);
    expect(new Set(unpriced.map(({ type }) => type.split(":")[0]))).toEqual(
      new Set(source === "prometheus" ? ["datadog", "grafana", "pagerduty"] : ["datadog", "grafana"]),
    );
    expect(unpriced.filter(({ why }) => why === "no price is known for it")).toEqual([]);
    expect(lines.map(({ what }) => what)).toContain("tidegate-dev-report: runs");
  });
});

describe("the SLO report in a rehearsal", () => {
  it("is reached by its clock each quarter of an hour: its alarms ring once, before it was heard of [D6]", {
    timeout: 60_000,
  }, async () => {
    const events: CloudEvent[] = [];
    await rehearseInFull({ ...options(), scenario: builtInScenarios.healthy }, (made) => {
      const cloud = makeLocalCloud(made);
      cloud.onEvent((event) => events.push(event));
      return cloud;
    });
    const ofReport = events.flatMap((event) =>
      event.kind === "alarm" && event.alarmName.startsWith("tidegate-dev-report")
        ? [`${event.alarmName.slice("tidegate-dev-report-".length)} ${event.state}`]
        : [],
    );
    expect(ofReport).toEqual(["errors OK", "missing ALARM", "missing OK"]);
  });

  function options() {
    return { config: stacks.prometheus, stack: "dev", compareWithoutHook: false, aftermath: false };
  }
});
