/** The dashboard walked query by query. Under mocks: no Datadog has seen it. */
import { describe, expect, it } from "vitest";
import { datadogName, type ReportedSignal, reportedLabels, reportedSignals } from "../../core/signals.ts";
import { datadogDashboard } from "../../infra/index.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";

interface Request {
  readonly queries: readonly { readonly name: string; readonly query: string }[];
  readonly formulas: readonly { readonly formula: string }[];
}
interface Definition {
  readonly type: string;
  readonly title?: string;
  readonly content?: string;
  readonly query?: string;
  readonly requests?: readonly Request[];
  readonly widgets?: readonly { readonly definition: Definition }[];
}
interface Dashboard {
  readonly template_variables: readonly { readonly name: string; readonly prefix: string }[];
  readonly widgets: readonly { readonly definition: Definition }[];
}

async function declared(): Promise<Dashboard> {
  const result = await runPulumi(() => {
    datadogDashboard("dev", { environment: "dev", runbookBase: "https://wiki.example.com/runbooks/" });
  });
  return JSON.parse(String(result.the("datadog:index/dashboardJson:DashboardJson", "dev-datadog").inputs.dashboard));
}
const panelsOf = ({ widgets }: Dashboard) => widgets.flatMap(({ definition }) => definition.widgets ?? []);

describe("the environment's dashboard in Datadog", () => {
  it("has the five groups, each with its runbooks, and variables for service and release [D2, D3]", async () => {
    const dashboard = await declared();
    expect(dashboard.template_variables.map(({ name, prefix }) => [name, prefix])).toEqual([
      ["service", "service"],
      ["release", "release"],
    ]);
    expect(
      dashboard.widgets.map(({ definition }) => [definition.title, definition.widgets?.[0]?.definition.content]),
    ).toEqual([
      [
        "Rollout status",
        "Runbooks: [full-rollback](https://wiki.example.com/runbooks/full-rollback.md) · [killed](https://wiki.example.com/runbooks/killed.md)",
      ],
      [
        "Errors",
        "Runbooks: [high-error-rate](https://wiki.example.com/runbooks/high-error-rate.md) · [breaker-open](https://wiki.example.com/runbooks/breaker-open.md)",
      ],
      ["Performance", "Runbooks: [high-latency](https://wiki.example.com/runbooks/high-latency.md)"],
      ["Migration", "Runbooks: [invariant-violation](https://wiki.example.com/runbooks/invariant-violation.md)"],
      ["Objectives and budgets", "Runbooks: [high-error-rate](https://wiki.example.com/runbooks/high-error-rate.md)"],
    ]);
  });

  it("asks only for what releases report, narrowed by both variables, and shows all of it [D2, D3]", async () => {
    const charts = panelsOf(await declared()).filter(({ definition }) => definition.type === "timeseries");
    const requests = charts.flatMap(({ definition }) => definition.requests ?? []);
    const names = Object.keys(reportedSignals).map((signal) => datadogName(signal as ReportedSignal));
    const asked = new Set<string>();
    for (const { queries, formulas } of requests) {
      for (const { query, name } of queries) {
        const parts = /^(sum|avg|max|p\d\d):(tidegate\.[a-z_]+)\{([^}]*)\} by \{([^}]*)\}(\.as_count\(\))?$/.exec(
          query,
        );
        expect(parts, query).not.toBeNull();
        expect(names).toContain(parts?.[2]);
        expect(parts?.[3]).toBe("environment:dev,$service,$release");
        for (const label of parts?.[4]?.split(",") ?? []) expect(reportedLabels).toContain(label);
        expect(formulas.some(({ formula }) => new RegExp(`\\b${name}\\b`).test(formula))).toBe(true);
        asked.add(parts?.[2] ?? "");
      }
    }
    expect([...asked].toSorted()).toEqual(names.toSorted());
    for (const { definition } of charts) expect(definition.title).toMatch(/ \([a-z ]+\)$/);
  });

  it("finds monitors and budgets by the environment's tag [D3]", async () => {
    const panels = panelsOf(await declared());
    const of = (type: string) => panels.find(({ definition }) => definition.type === type)?.definition;
    expect(of("manage_status")?.query).toBe('tag:"tidegate_environment:dev"');
    expect(of("slo_list")?.requests).toEqual([
      { request_type: "slo_list", query: { query_string: "tidegate_environment:dev", limit: 100, sort: [] } },
    ]);
  });
});
