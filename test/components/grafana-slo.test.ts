/** What Grafana is told to watch. Under mocks: no provider plugin and no Grafana has seen these resources. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GrafanaSlo, type GrafanaSloArgs } from "../../components/index.ts";
import { defaultBurnSettings } from "../../core/burn-rate.ts";
import { readEvent } from "../../hooks/events.ts";
import { serviceElsewhere } from "../helpers/elsewhere.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";

const groupType = "grafana:alerting/ruleGroup:RuleGroup";
const base: GrafanaSloArgs = {
  ...serviceElsewhere,
  burnRate: defaultBurnSettings,
  grafana: { url: "https://grafana.example.com", dataSourceUid: "prom" },
};

interface Rule {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly notificationSettings: { readonly contactPoint: string; readonly groupBies: string[] };
  readonly noDataState: string;
  readonly execErrState: string;
  readonly condition: string;
  readonly datas: { readonly refId: string; readonly datasourceUid: string; readonly model: string }[];
}

async function declare(changes: Partial<GrafanaSloArgs> = {}) {
  const result = await runPulumi(() => {
    new GrafanaSlo("checkout-grafana", { ...base, ...changes });
    return {};
  });
  const group = result.the(groupType);
  return { result, group, rules: group.inputs.rules as Rule[] };
}

describe("GrafanaSlo", () => {
  it("is one rule group a service, with a rule for each bound of each release and of the service [D2]", async () => {
    const { result, group, rules } = await declare();
    expect(result.names()).toEqual([`${groupType} checkout-grafana`]);
    expect(group.inputs).toMatchObject({ name: "tidegate checkout", folderUid: "tidegate-dev", intervalSeconds: 10 });
    expect(rules.map(({ name }) => name)).toEqual([
      "tidegate/dev/checkout/2-3-1-a/error-rate/critical/300s",
      "tidegate/dev/checkout/2-3-1-a/memory-growth/critical/3600s/of-growth",
      "tidegate/dev/checkout/2-3-1-a/dual-run-failures/critical/3600s",
      "tidegate/dev/checkout/2-3-1-a/crashes/critical/60s",
      "tidegate/dev/checkout/2-4-0-b/error-rate/critical/300s",
      "tidegate/dev/checkout/2-4-0-b/latency-p95/warning/1800s/of-baseline",
      "tidegate/dev/checkout/2-4-0-b/latency-p99/critical/600s/of-baseline",
      "tidegate/dev/checkout/2-4-0-b/memory/critical/300s/of-baseline",
      "tidegate/dev/checkout/2-4-0-b/memory-growth/critical/3600s/of-growth",
      "tidegate/dev/checkout/2-4-0-b/dual-run-failures/critical/3600s",
      "tidegate/dev/checkout/2-4-0-b/crashes/critical/60s",
      "tidegate/dev/checkout/2-4-0-b/wave-error-rate/critical/60s/at-5",
      "tidegate/dev/checkout/2-4-0-b/wave-error-rate/critical/300s/at-25",
      "tidegate/dev/checkout/2-4-0-b/wave-error-rate/critical/300s/at-50",
      "tidegate-slo/dev/checkout/error-rate/warning/1800s",
      "tidegate-slo/dev/checkout/cpu/warning/1800s",
      "tidegate-slo/dev/checkout/flag-mismatches/warning/300s",
      "tidegate-slo/dev/checkout/silence",
    ]);
  });

  it("says what a rule means, tells people by its own settings, and counts failures and silence apart [D2] [D8]", async () => {
    const { rules } = await declare();
    const rule = rules.find(({ name }) => name.endsWith("2-4-0-b/memory/critical/300s/of-baseline"));
    expect(rule).toMatchObject({
      condition: "bad",
      noDataState: "OK",
      execErrState: "Error",
      labels: {
        tidegate_environment: "dev",
        tidegate_service: "checkout",
        tidegate_release: "2-4-0-b",
        severity: "critical",
      },
      annotations: {
        summary: "checkout: memory critical: memory above 2 times the baseline's (2.4.0)",
        runbook_url: "https://wiki.example.com/runbooks/high-latency.md",
        dashboard_url: "https://grafana.example.com/d/tidegate-dev-migration?var-service=checkout",
      },
      notificationSettings: {
        contactPoint: "tidegate-dev-critical",
        groupBies: ["grafana_folder", "alertname", "tidegate_service"],
      },
    });
    expect(rule?.datas.map(({ refId, datasourceUid }) => [refId, datasourceUid])).toEqual([
      ["value", "prom"],
      ["bad", "__expr__"],
    ]);
    const mean = (release: string, ago: string) => {
      const points = `tidegate_memory_megabytes{environment="dev",service="checkout",release="${release}"}[299999ms]${ago}`;
      const by = "sum by (environment, service, release)";
      return `${by} (sum_over_time(${points})) / ${by} (count_over_time(${points}))`;
    };
    const twice = (ago: string) =>
      `${mean("2-4-0-b", ago)} > ignoring (release) group_left () (2 * ((${mean("2-3-1-a", ago)}) > 0))`;
    expect(JSON.parse(rule?.datas[0]?.model ?? "")).toMatchObject({
      instant: true,
      expr: `(${twice("")}) and (${twice(" offset 300s")})`,
    });
  });

  it("lets a wave's own bound wake the hook, and tell nobody [D4]", async () => {
    const { rules } = await declare();
    const points = rules.map(({ name, notificationSettings }) => [name, notificationSettings.contactPoint] as const);
    for (const [name, point] of points) expect(point === "tidegate-dev-hook").toBe(name.includes("/at-"));
  });

  it("says its service in the message as the hook reads it [D4]", () => {
    const text = readFileSync(new URL("../../infra/grafana-dashboards.ts", import.meta.url), "utf8");
    const [, body = ""] = /messageForHook = '(.*)';/.exec(text) ?? [];
    const Message = body.replace("{{ .CommonLabels.tidegate_service }}", "checkout").replace("{{ .Status }}", "firing");
    expect(readEvent({ Records: [{ EventSource: "aws:sns", Sns: { Message } }] })).toEqual({
      kind: "look",
      services: ["checkout"],
    });
  });

  it("never touches the notification policy [D2]", async () => {
    const { result } = await declare();
    expect(result.all("grafana:alerting/notificationPolicy:NotificationPolicy")).toEqual([]);
  });
});
