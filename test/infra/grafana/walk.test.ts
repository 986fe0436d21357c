import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type GrafanaRule, grafanaRulesOf } from "../../../components/grafana-slo.ts";
import { objectivePresets } from "../../../core/objectives.ts";
import { planPresets } from "../../../core/plans.ts";
import {
  cloudWatchName,
  prometheusName,
  type ReportedSignal,
  reportedLabels,
  reportedSignals,
} from "../../../core/signals.ts";
import { hookMetrics } from "../../../hooks/ports.ts";
import { grafanaDashboards } from "../../../infra/grafana/dashboards.ts";
import {
  dashboardProblems,
  type Emitted,
  expressionProblems,
  panelsOf,
  type WalkedDashboard,
} from "../../helpers/grafana-walk.ts";

const signals = Object.keys(reportedSignals) as ReportedSignal[];

/** What ALB emits by target group and load balancer. Source: "CloudWatch metrics for your Application Load Balancer", read 2026-11. */
const balancerMetrics = [
  "RequestCount",
  "HTTPCode_Target_5XX_Count",
  "TargetResponseTime",
  "TargetConnectionErrorCount",
  "LambdaUserError",
  "LambdaInternalError",
  "HealthyHostCount",
];

/** Metrics that the hook's own code emits, by whether the call names a service. */
function hookDimensions(): Map<string, string[][]> {
  const folder = new URL("../../../hooks/", import.meta.url);
  const found = new Map<string, string[][]>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
    const text = readFileSync(new URL(file, folder), "utf8");
    for (const [, name = "", rest = ""] of text.matchAll(/telemetry\s*\.metric\(\s*"(\w+)",([^;]*)\);/g)) {
      const set = /\bservice\s*$/.test(rest.trim()) ? ["Environment", "Service"] : ["Environment"];
      found.set(`Tidegate/Hook/${name}`, [...(found.get(`Tidegate/Hook/${name}`) ?? []), set]);
    }
  }
  return found;
}

const emitted: Emitted = {
  prometheus: new Map(
    signals.map((signal) => {
      const name = prometheusName(signal);
      const isHistogram = reportedSignals[signal].kind === "distribution";
      return [isHistogram ? `${name}_bucket` : name, [...reportedLabels, ...(isHistogram ? ["le"] : [])]];
    }),
  ),
  cloudWatch: new Map<string, readonly (readonly string[])[]>([
    ...signals.map((signal) => [`Tidegate/${cloudWatchName(signal)}`, [["Service", "Release"]]] as const),
    ...balancerMetrics.map((name) => [`AWS/ApplicationELB/${name}`, [["TargetGroup", "LoadBalancer"]]] as const),
    ...hookDimensions(),
  ]),
};

const services = Object.entries(objectivePresets).map(([name, objectives]) => ({ name, objectives }));
const dashboards = Object.values(
  grafanaDashboards({
    environment: "production",
    region: "eu-west-1",
    url: "https://grafana.example.com",
    runbookBase: "https://wiki.example.com/tidegate",
    cloudWatchUid: "cloudwatch",
    prometheusUid: "prometheus",
    services,
  }),
).map((text): WalkedDashboard => JSON.parse(text));

const rules = services.flatMap(({ name: service, objectives }) =>
  (["cautious", "migration"] as const).flatMap((plan): GrafanaRule[] =>
    grafanaRulesOf({
      environment: "production",
      service,
      objectives,
      burnRate: { periodDays: 28, windows: "ticket" },
      releases: [
        { digest: "sha256:a", releaseKey: "2-3-1-00000000", version: "2.3.1" },
        {
          digest: "sha256:b",
          releaseKey: "2-4-0-11111111",
          version: "2.4.0",
          canary: { plan: planPresets[plan], exposurePercent: 25, figures: [] },
          comparedWith: "2-3-1-00000000",
        },
      ],
    }),
  ),
);

function problems(of: Emitted): string[] {
  return [
    ...dashboards.flatMap((dashboard) => dashboardProblems(dashboard, of)),
    ...rules.flatMap(({ name, expression }) =>
      expressionProblems(expression, of).map((problem) => `rule ${name}: ${problem}`),
    ),
  ];
}

describe("the walk over everything in Grafana", () => {
  it("finds that every panel, variable, annotation and rule reads what is really emitted [D2]", () => {
    expect(problems(emitted)).toEqual([]);
  });

  it("finds every metric that is taken away and that something reads [D2]", () => {
    const read = new Set<string>();
    for (const name of emitted.prometheus.keys()) {
      const prometheus = new Map([...emitted.prometheus].filter(([other]) => other !== name));
      if (problems({ ...emitted, prometheus }).length > 0) read.add(name);
    }
    for (const name of emitted.cloudWatch.keys()) {
      const cloudWatch = new Map([...emitted.cloudWatch].filter(([other]) => other !== name));
      if (problems({ ...emitted, cloudWatch }).length > 0) read.add(name);
    }
    const all = [...emitted.prometheus.keys(), ...emitted.cloudWatch.keys()];
    // Nobody reads how many dual runs there were, what functions refused (their own dashboards are Lambda's), and pages.
    expect(all.filter((name) => !read.has(name))).toEqual([
      "tidegate_dual_runs_total",
      "Tidegate/DualRuns",
      "AWS/ApplicationELB/LambdaUserError",
      "AWS/ApplicationELB/LambdaInternalError",
      "Tidegate/Hook/PagesSent",
      "Tidegate/Hook/PagesUndelivered",
    ]);
  });

  it("finds a dimension and a label that no point has [D2]", () => {
    const cloudWatch = new Map([...emitted.cloudWatch, ["Tidegate/Requests", [["Service"]]] as const]);
    expect(problems({ ...emitted, cloudWatch })[0]).toBe(
      "Tidegate production: Rollout status, requests: $release: Tidegate/Requests has no points by Release, Service",
    );
    const prometheus = new Map([...emitted.prometheus, ["tidegate_requests_total", ["service", "release"]] as const]);
    expect(problems({ ...emitted, prometheus })[0]).toBe(
      "Tidegate production: Rollout status, requests: tidegate_requests_total has no label environment",
    );
  });

  it("knows every metric of the hook from the hook's own code [D7]", () => {
    const named = [...hookDimensions().keys()].map((name) => name.replace("Tidegate/Hook/", ""));
    expect([...new Set(named)].sort()).toEqual(Object.keys(hookMetrics).sort());
  });

  it("has every indicator on some dashboard [D2]", () => {
    const titles = dashboards.flatMap((dashboard) =>
      panelsOf(dashboard).map(({ title }) => title?.replace(/: \$.*/, "")),
    );
    for (const { objectives } of services) {
      for (const { indicator } of objectives) expect(titles).toContain(indicator.replaceAll("-", " "));
    }
  });
});
