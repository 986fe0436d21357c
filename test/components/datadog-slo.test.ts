/** What Datadog is told to watch. Under mocks: no provider plugin and no Datadog has seen these resources. */
import { describe, expect, it } from "vitest";
import { DatadogSlo, type DatadogSloArgs, ProgressiveService } from "../../components/index.ts";
import { defaultBurnSettings } from "../../core/burn-rate.ts";
import { objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { type planPresetNames, planPresets } from "../../core/plans.ts";
import { readEvent } from "../../hooks/events.ts";
import { datadogFor } from "../../stacks/datadog.ts";
import { aDeclaration, newRelease, oldRelease, someSettings } from "../helpers/builders.ts";
import { canaryElsewhere, oldElsewhere, serviceElsewhere } from "../helpers/elsewhere.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";
import { previousWaveFigures, serviceArgs } from "../helpers/service-args.ts";

const monitorType = "datadog:index/monitor:Monitor";
const sloType = "datadog:index/serviceLevelObjective:ServiceLevelObjective";
const base: DatadogSloArgs = {
  ...serviceElsewhere,
  notify: { critical: ["@pagerduty-checkout"], warning: ["@slack-checkout"] },
  hookTopicName: "tidegate-dev-hook-events",
  dashboardUrl: "https://app.datadoghq.eu/dashboard/abc",
};
const declare = (changes: Partial<DatadogSloArgs> = {}) =>
  runPulumi(() => {
    const { monitorNames } = new DatadogSlo("checkout-datadog", { ...base, ...changes });
    return { monitorNames };
  });

describe("DatadogSlo", () => {
  it("watches each release by itself under the names that alarms would have, and the service as a whole [D3]", async () => {
    const result = await declare();
    expect(result.outputs.monitorNames.toSorted()).toEqual(
      [
        "2-3-1-a/crashes/critical/60s",
        "2-3-1-a/dual-run-failures/critical/3600s",
        "2-3-1-a/error-rate/critical/300s",
        "2-3-1-a/memory-growth/critical/3600s/of-growth",
        "2-4-0-b/crashes/critical/60s",
        "2-4-0-b/dual-run-failures/critical/3600s",
        "2-4-0-b/error-rate/critical/300s",
        "2-4-0-b/latency-p95/warning/1800s/of-baseline",
        "2-4-0-b/latency-p99/critical/600s/of-baseline",
        "2-4-0-b/memory-growth/critical/3600s/of-growth",
        "2-4-0-b/memory/critical/300s/of-baseline",
        "2-4-0-b/wave-error-rate/critical/300s/at-25",
        "2-4-0-b/wave-error-rate/critical/300s/at-50",
        "2-4-0-b/wave-error-rate/critical/60s/at-5",
      ].map((key) => `tidegate/dev/checkout/${key}`),
    );
    const names = result.all(monitorType).map(({ inputs }) => String(inputs.name));
    expect(names.filter((name) => name.startsWith("tidegate-slo/")).toSorted()).toEqual([
      "tidegate-slo/dev/checkout/cpu/warning/1800s",
      "tidegate-slo/dev/checkout/error-rate/warning/1800s",
      "tidegate-slo/dev/checkout/flag-mismatches/warning/300s",
    ]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("says what a monitor means, and how the hook finds it [D3]", async () => {
    const result = await declare();
    const { inputs } = result.the(monitorType, "2-4-0-b/crashes/critical/60s");
    expect(inputs).toEqual({
      name: "tidegate/dev/checkout/2-4-0-b/crashes/critical/60s",
      type: "query alert",
      query: "sum(last_1m):sum:tidegate.crashes{environment:dev,service:checkout,release:2-4-0-b}.as_count() > 0",
      monitorThresholds: { critical: "0" },
      evaluationDelay: 60,
      requireFullWindow: false,
      onMissingData: "show_no_data",
      includeTags: false,
      priority: "1",
      tags: [
        "tidegate_environment:dev",
        "tidegate_service:checkout",
        "tidegate_severity:critical",
        "tidegate_release:2-4-0-b",
      ],
      message: [
        "{{#is_alert}}checkout 2.4.0: objective crashes, critical: crashes above 0 count. Response previous-wave: exposure goes back one wave.{{/is_alert}}{{#is_recovery}}Over: checkout 2.4.0: objective crashes, critical: crashes above 0 count. Response previous-wave: exposure goes back one wave.{{/is_recovery}}",
        "Runbook: https://wiki.example.com/runbooks/no-healthy-hosts.md",
        "Dashboard: https://app.datadoghq.eu/dashboard/abc",
        '{"tidegate_service":"checkout"}',
        "@pagerduty-checkout @sns-tidegate-dev-hook-events",
      ].join("\n"),
    });
    const relative = result.the(monitorType, "latency-p99/critical/600s/of-baseline").inputs;
    expect(relative.evaluationDelay).toBe(600);
    expect(String(relative.query)).toContain("release:2-3-1-a");
  });

  it("wakes the hook by messages that the hook understands, whatever Datadog puts around them [D3]", async () => {
    const { inputs } = (await declare()).the(monitorType, "2-4-0-b/crashes/critical/60s");
    for (const message of [
      String(inputs.message),
      `%%%\n${inputs.message}\n%%%`,
      JSON.stringify({ body: inputs.message }),
    ]) {
      const event = { Records: [{ EventSource: "aws:sns", Sns: { Message: message } }] };
      expect(readEvent(event)).toEqual({ kind: "look", services: ["checkout"] });
    }
  });

  it("lets the bound of one wave speak to the hook alone, and what tells people not to it [D3]", async () => {
    const result = await declare();
    const lastLines = (name: string) => String(result.the(monitorType, name).inputs.message).split("\n").slice(3);
    expect(lastLines("wave-error-rate/critical/60s/at-5")).toEqual([
      '{"tidegate_service":"checkout"}',
      "@sns-tidegate-dev-hook-events",
    ]);
    expect(lastLines("checkout-datadog/cpu/warning/1800s")).toEqual(["@slack-checkout"]);
  });

  it("wakes nobody where there is no topic and nobody is named [D3]", async () => {
    const { hookTopicName: _, dashboardUrl: __, ...bare } = base;
    const result = await runPulumi(() => {
      new DatadogSlo("checkout-datadog", { ...bare, notify: { critical: [], warning: [] } });
    });
    const { message } = result.the(monitorType, "2-4-0-b/crashes/critical/60s").inputs;
    expect(String(message).split("\n")).toHaveLength(2);
    expect(String(message)).not.toContain("@");
  });

  it("shows the error budget, and watches how fast it goes where that was asked for [D1, D3]", async () => {
    const shown = await declare({ objectives: objectivePresets.web });
    expect(shown.the(sloType).inputs).toMatchObject({
      name: "tidegate-slo/dev/checkout/slo/availability",
      type: "metric",
      thresholds: [{ timeframe: "30d", target: 99.95 }],
      timeframe: "30d",
      targetThreshold: 99.95,
    });
    expect(shown.all(monitorType).filter(({ inputs }) => inputs.type !== "query alert")).toEqual([]);

    const watched = await declare({ objectives: objectivePresets.web, burnRate: { periodDays: 30, windows: "page" } });
    const burning = watched.all(monitorType).filter(({ inputs }) => inputs.type === "slo alert");
    expect(burning.map(({ inputs }) => [inputs.query, inputs.monitorThresholds])).toEqual([
      [
        'burn_rate("tidegate-slo/dev/checkout/slo/availability").over("30d").long_window("1h").short_window("5m") > 14.4',
        { critical: "14.4" },
      ],
      [
        'burn_rate("tidegate-slo/dev/checkout/slo/availability").over("30d").long_window("6h").short_window("30m") > 6',
        { critical: "6" },
      ],
    ]);
    const composite = watched.the(monitorType, "/burn/critical").inputs;
    const key = (name: string) => `tidegate-slo/dev/checkout/burn/availability/${name}`;
    expect(composite).toMatchObject({
      name: "tidegate-slo/dev/checkout/critical",
      type: "composite",
      query: `(${key("1h")} && ${key("1h/floor")}) || (${key("6h")} && ${key("6h/floor")})`,
    });
    expect(String(composite.message)).toContain("@pagerduty-checkout");
    for (const { inputs } of burning) expect(String(inputs.message)).not.toContain("@");
  });

  it("refuses what Datadog cannot say and what is relative to nothing, all at once [D3]", async () => {
    const { comparedWith: _, ...alone } = canaryElsewhere;
    const objectives = [
      { name: "odd", indicator: "error-rate", critical: { value: 1, response: "disable", windowSeconds: 90 } },
      {
        name: "memory",
        indicator: "memory",
        critical: { value: 2, reference: { kind: "baseline", form: "factor" }, response: "disable" },
      },
    ] as const;
    const steady = { ...alone, canary: { plan: planPresets.steady, exposurePercent: 10, figures: [] } };
    await expect(declare({ objectives, releases: [oldElsewhere, steady] })).rejects.toThrow(
      "service checkout: bounds that Datadog cannot watch, got odd/critical/90s (a window of 90 s; Datadog's windows are whole minutes), " +
        "memory/critical/300s/of-baseline (relative to nothing); expected what its monitors can say. Take another source, or give comparedWith",
    );
  });
});

/** A service with two live releases, testers, target groups that the program makes, and Datadog. */
function aService(
  objectives: (typeof objectivePresetNames)[number],
  plan: (typeof planPresetNames)[number],
  percent: number,
) {
  const notify = { critical: [], warning: [] };
  return runPulumi(() => {
    const settings = someSettings({
      objectives: objectivePresets[objectives],
      source: "datadog",
      plan: planPresets[plan],
      burnRate: defaultBurnSettings,
      testers: { header: { name: "x-canary", value: "1" } },
    });
    const elsewhere = datadogFor({ email: [], runbooks: "docs/runbooks", datadog: { site: "datadoghq.com", notify } });
    const declaration = aDeclaration(percent, { figures: previousWaveFigures });
    new ProgressiveService("checkout", serviceArgs(settings, declaration, { elsewhere }));
  });
}

describe("a service that reports to Datadog", () => {
  // The other plans have no bounds of their own.
  it.each(["cautious", "migration"] as const)(
    "is at most 45 cloud resources with two releases on plan %s, burn rates and testers [D3, D9]",
    async (plan) => {
      const counted: Record<string, number> = {};
      for (const preset of objectivePresetNames) {
        counted[preset] = (await aService(preset, plan, 50)).resources.filter(({ custom }) => custom).length;
      }
      for (const count of Object.values(counted)) expect(count).toBeLessThanOrEqual(45);
    },
    60_000,
  );

  it("tells the hook of every monitor by its name, and watches hosts in CloudWatch [D3]", async () => {
    const result = await aService("migration", "migration", 25);
    const opening = result.the("aws:lambda/invocation:Invocation").inputs;
    const { alarms } = JSON.parse(String(opening.input)) as { alarms: { alarmName: string; watchedIn?: string }[] };
    const monitors = result.all(monitorType).map(({ inputs }) => String(inputs.name));
    expect(
      alarms
        .filter(({ watchedIn }) => watchedIn === "datadog")
        .map(({ alarmName }) => alarmName)
        .toSorted(),
    ).toEqual(monitors.filter((name) => name.startsWith("tidegate/")).toSorted());
    expect(
      alarms.filter(({ watchedIn }) => watchedIn === undefined).map(({ alarmName }) => alarmName.split("/")[4]),
    ).toEqual(["healthy-hosts", "healthy-hosts"]);
  });

  it("has its monitors before traffic rises [D3]", async () => {
    const result = await aService("batch", "steady", 25);
    const main = result.the("aws:lb/listenerRule:ListenerRule", "main");
    const names = result.all(monitorType).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(0);
    const ofReleases = names.filter(
      (name) => name.includes(releaseKeyIn(newRelease.version)) || name.includes(releaseKeyIn(oldRelease.version)),
    );
    for (const name of ofReleases) expect(main.dependsOn).toContain(name);
  });
});

function releaseKeyIn(version: string): string {
  return version.replaceAll(".", "-");
}
