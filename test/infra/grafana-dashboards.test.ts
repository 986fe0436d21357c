/** Grafana once for the environment. Under mocks: no provider plugin and no Grafana has seen these resources. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../core/objectives.ts";
import { definitionOf } from "../../infra/grafana/dashboards.ts";
import { GrafanaDashboards, type GrafanaDashboardsArgs } from "../../infra/index.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";

const base: GrafanaDashboardsArgs = {
  environment: "dev",
  region: "eu-west-1",
  url: "https://grafana.example.com",
  runbookBase: "https://wiki.example.com/tidegate",
  services: [{ name: "checkout", objectives: objectivePresets.web }],
  prometheus: { url: "http://prometheus:9090" },
  cloudWatch: "make",
  eventsTopicArn: "arn:aws:sns:eu-west-1:123456789012:tidegate-dev-hook-events",
  tells: {},
};
const declare = (changes: Partial<GrafanaDashboardsArgs> = {}) =>
  runPulumi(() => {
    new GrafanaDashboards("dev", { ...base, ...changes });
    return {};
  });

describe("GrafanaDashboards", () => {
  it("is a folder, data sources that are to be made, three contact points and five dashboards [D2]", async () => {
    const result = await declare();
    expect(result.names().toSorted()).toEqual(
      [
        "grafana:oss/folder:Folder dev-grafana-folder",
        "grafana:oss/dataSource:DataSource dev-grafana-prometheus",
        "grafana:oss/dataSource:DataSource dev-grafana-cloudwatch",
        "grafana:alerting/contactPoint:ContactPoint dev-grafana-hook",
        "grafana:alerting/contactPoint:ContactPoint dev-grafana-critical",
        "grafana:alerting/contactPoint:ContactPoint dev-grafana-warning",
        "grafana:oss/dashboard:Dashboard dev-grafana-rollouts",
        "grafana:oss/dashboard:Dashboard dev-grafana-errors",
        "grafana:oss/dashboard:Dashboard dev-grafana-performance",
        "grafana:oss/dashboard:Dashboard dev-grafana-migration",
        "grafana:oss/dashboard:Dashboard dev-grafana-slo",
      ].toSorted(),
    );
  });

  it("adopts data sources by uid, and shows nothing of Prometheus where there is none [D2]", async () => {
    const { prometheus: _, ...without } = base;
    const result = await runPulumi(() => {
      new GrafanaDashboards("dev", { ...without, cloudWatch: { uid: "cw" } });
      return {};
    });
    expect(result.all("grafana:oss/dataSource:DataSource")).toEqual([]);
    for (const { inputs } of result.all("grafana:oss/dashboard:Dashboard")) {
      expect(String(inputs.configJson)).not.toMatch(/prometheus/i);
    }
  });

  it("calls people for what is critical alone, and keeps keys secret [D4]", async () => {
    const tells = {
      slackWebhook: pulumi.secret("https://hooks.slack.example/T/B/s"),
      pagerDutyKey: pulumi.secret("k".repeat(32)),
    };
    const result = await runPulumi(() => {
      const { contactPoints } = new GrafanaDashboards("dev", { ...base, tells });
      return {
        keyIsSecret: pulumi.output(pulumi.isSecret(contactPoints.critical.pagerduties)),
        urlIsSecret: pulumi.output(pulumi.isSecret(contactPoints.warning.slacks)),
      };
    });
    expect(result.outputs).toEqual({ keyIsSecret: true, urlIsSecret: true });
    const of = (name: string) =>
      Object.keys(result.the("grafana:alerting/contactPoint:ContactPoint", name).inputs).sort();
    expect(of("dev-grafana-hook")).toEqual(["name", "sns"]);
    expect(of("dev-grafana-critical")).toEqual(["name", "pagerduties", "slacks", "sns"]);
    expect(of("dev-grafana-warning")).toEqual(["name", "slacks", "sns"]);
  });

  it("draws lines at bounds that all services agree on, on the right side [D2]", async () => {
    const result = await declare();
    const json = JSON.parse(
      String(result.the("grafana:oss/dashboard:Dashboard", "dev-grafana-performance").inputs.configJson),
    );
    const steps = (title: string) =>
      json.panels.find((panel: { title: string }) => panel.title === title).fieldConfig.defaults.thresholds?.steps;
    expect(steps("latency p95")).toEqual([
      { value: null, color: "transparent" },
      { value: 2_500, color: "orange" },
      { value: 3_000, color: "red" },
    ]);
    expect(steps("cache hit ratio")).toEqual([
      { value: null, color: "orange" },
      { value: 70, color: "transparent" },
    ]);
    expect(steps("latency p99")).toBeUndefined();
  });

  it("draws none where services differ, and says all bounds beside the panels [D2]", () => {
    const { rows, notes } = definitionOf("errors", {
      ...base,
      cloudWatchUid: "cw",
      services: [...base.services, { name: "cart", objectives: objectivePresets.production }],
    });
    const panel = rows.flatMap(({ panels }) => panels).find(({ title }) => title === "error rate");
    expect(panel?.bounds).toBeUndefined();
    expect(notes.split("\n").filter((line) => line.includes("| error-rate |"))).toEqual([
      "| checkout | error-rate | 0.5 percent | 1 percent, notify | 1 percent, disable |",
      "| cart | error-rate | 2 percent | 5 percent, notify | 10 percent, disable |",
    ]);
  });

  it("loads nothing of Grafana in a program without one [D2]", async () => {
    const script =
      'await import("./stacks/declare-environment.ts"); const { createRequire } = await import("node:module"); ' +
      "const cache = createRequire(import.meta.url).cache; console.log(Object.keys(cache).filter((file) => /@pulumiverse.grafana|foundation-sdk/.test(file)).length);";
    const { stdout } = await promisify(execFile)("npx", ["tsx", "--input-type=module", "-e", script], {
      cwd: new URL("../..", import.meta.url).pathname,
    });
    expect(stdout.trim()).toBe("0");
  }, 60_000);
});
