import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GrafanaRule, grafanaRulesOf } from "../../../components/grafana-slo.ts";
import { objectivePresets } from "../../../core/objectives.ts";
import { planPresets } from "../../../core/plans.ts";
import { grafanaDashboards } from "../../../infra/grafana/dashboards.ts";
import { openMetricsText } from "../../agreement/prometheus-series.ts";
import { agreementPlace, baselineKey, canaryKey, makeSeries, seriesStartAt } from "../../agreement/series.ts";
import { panelsOf, seriesOf, type WalkedDashboard, withVariables } from "../../helpers/grafana-walk.ts";
import { checkRules, type RunningPrometheus, startPrometheus } from "./promtool.ts";

const { environment, service } = agreementPlace;
const dashboards = Object.values(
  grafanaDashboards({
    environment,
    region: "eu-west-1",
    url: "https://grafana.example.com",
    runbookBase: "docs/runbooks",
    cloudWatchUid: "cloudwatch",
    prometheusUid: "prometheus",
    services: [],
  }),
).map((text): WalkedDashboard => JSON.parse(text));

const rules: GrafanaRule[] = Object.values(objectivePresets).flatMap((objectives) =>
  (["cautious", "migration"] as const).flatMap((plan) =>
    grafanaRulesOf({
      environment,
      service,
      objectives,
      burnRate: { periodDays: 28, windows: "ticket" },
      releases: [
        { digest: "sha256:a", releaseKey: baselineKey, version: "2.3.1" },
        {
          digest: "sha256:b",
          releaseKey: canaryKey,
          version: "2.4.0",
          canary: { plan: planPresets[plan], exposurePercent: 25, figures: [] },
          comparedWith: baselineKey,
        },
      ],
    }),
  ),
);

/** Everything that a panel or an annotation asks Prometheus, with Grafana's variables filled in. */
const asked: { readonly what: string; readonly expression: string; readonly isAnnotation: boolean }[] =
  dashboards.flatMap((dashboard) => [
    ...panelsOf(dashboard).flatMap((panel) =>
      (panel.targets ?? []).flatMap(({ expr }) =>
        expr === undefined
          ? []
          : [{ what: `${dashboard.title}, ${panel.title}`, expression: expr, isAnnotation: false }],
      ),
    ),
    ...dashboard.annotations.list.flatMap(({ name, expr }) =>
      expr === undefined ? [] : [{ what: `${dashboard.title}, ${name}`, expression: expr, isAnnotation: true }],
    ),
  ]);

const variables = { service, __rate_interval: "1m" };
/** An hour in, every window but the longest is full; releases begin to report at the start. */
const fullAt = seriesStartAt + 3_600_000;
const startedAt = seriesStartAt + 60_000;

async function emptyPanels(prometheus: RunningPrometheus): Promise<string[]> {
  const found = await Promise.all(
    asked.map(async ({ what, expression, isAnnotation }) => {
      const result = await prometheus.query(withVariables(expression, variables), isAnnotation ? startedAt : fullAt);
      return result.length > 0 && result.every(({ points }) => points.every(([, value]) => value !== "NaN"))
        ? []
        : [what];
    }),
  );
  return found.flat();
}

async function emptyRules(prometheus: RunningPrometheus): Promise<string[]> {
  const selectors = new Map(
    rules.flatMap(({ name, expression }) =>
      seriesOf(expression).map(({ metric, labels }) => [
        `${metric}${JSON.stringify(labels)}`,
        { name, metric, labels },
      ]),
    ),
  );
  const found = await Promise.all(
    [...selectors.values()].map(async ({ name, metric, labels }) => {
      const matchers = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
      const result = await prometheus.query(`${metric}{${matchers.join(",")}}`, fullAt);
      return result.length > 0 ? [] : [`${name}: ${metric}`];
    }),
  );
  return found.flat();
}

describe("Grafana's queries in a real Prometheus", () => {
  let prometheus: RunningPrometheus;
  const text = openMetricsText(makeSeries("healthy", 1));
  beforeAll(async () => {
    prometheus = await startPrometheus(text);
  }, 60_000);
  afterAll(() => prometheus.stop());

  it("takes every rule of every preset [D2]", async () => {
    const unique = [...new Map(rules.map((rule) => [rule.expression, rule])).values()];
    const { ok, output } = await checkRules(
      unique.map(({ expression }, index) => ({ name: `rule${index}`, expression })),
    );
    expect(output).toContain(`SUCCESS: ${unique.length} rules found`);
    expect(ok).toBe(true);
  });

  it("shows something in every panel and annotation that asks it [D2]", async () => {
    expect(asked.length).toBeGreaterThan(25);
    expect(await emptyPanels(prometheus)).toEqual([]);
  });

  it("has every series that a rule reads [D2]", async () => {
    expect(await emptyRules(prometheus)).toEqual([]);
  });

  it("leaves panels and rules empty where a metric is taken away [D2]", async () => {
    const without = text
      .split("\n")
      .filter((line) => !line.includes("tidegate_cache_misses"))
      .join("\n");
    const poorer = await startPrometheus(without);
    try {
      expect(await emptyRules(poorer)).toHaveLength(1);
    } finally {
      await poorer.stop();
    }
    const leaner = await startPrometheus(
      text
        .split("\n")
        .filter((line) => !line.includes("tidegate_memory_megabytes"))
        .join("\n"),
    );
    try {
      expect(await emptyPanels(leaner)).toEqual(["Tidegate rehearsal: Performance, memory"]);
    } finally {
      await leaner.stop();
    }
  }, 60_000);

  it("keeps every rule of a healthy service quiet, but any error at 5 % [B9]", async () => {
    const firing = await Promise.all(
      rules.map(async ({ name, expression }) =>
        (await prometheus.query(expression, fullAt)).length > 0 ? [name] : [],
      ),
    );
    const quiet = [...new Set(firing.flat())].filter((name) => !name.includes("wave-error-rate/critical/60s/at-5"));
    expect(quiet).toEqual([]);
  });
});
