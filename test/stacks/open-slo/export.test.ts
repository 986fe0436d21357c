/** Exports are OpenSLO v1, in the words of the specification; the rest is in annotations (B1). */
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { metricSources, type Objective, objectivePresetNames, objectivePresets } from "../../../core/objectives.ts";
import { openSloDocuments, openSloText } from "../../../stacks/open-slo/export.ts";
import { openSloSchema } from "./schema.ts";

const isValid = new Ajv({ allErrors: true, strict: false }).compile(openSloSchema);

function problemsOf(documents: readonly unknown[]): unknown[] {
  return documents.flatMap((document) => (isValid(document) ? [] : [{ document, errors: isValid.errors }]));
}

const metric = (type: string, spec: unknown) => ({ metricSource: { type, spec } });

function sliOf(objective: Objective, source: (typeof metricSources)[number]): unknown {
  const [, slo] = openSloDocuments("production", [{ name: "checkout", objectives: [objective], source }]);
  const spec = slo?.spec as { indicator: { spec: unknown }; objectives: unknown };
  return [spec.indicator.spec, spec.objectives];
}

describe("an export [B1]", () => {
  it("is valid OpenSLO v1, for every preset and source", () => {
    for (const preset of objectivePresetNames) {
      for (const source of metricSources) {
        for (const burnRate of [undefined, { periodDays: 30, windows: "ticket" } as const]) {
          const service = {
            name: "checkout",
            objectives: objectivePresets[preset],
            source,
            ...(burnRate ? { burnRate } : {}),
          };
          const documents = openSloDocuments("production", [service]);
          expect(problemsOf(documents)).toEqual([]);
          const written = parseAllDocuments(openSloText("production", [service])).map((document) => document.toJS());
          expect(written).toEqual(documents);
        }
      }
    }
  });

  it("is read the same by YAML of version 1.1, in which a bare off is a switch", () => {
    const text = openSloText("production", [{ name: "checkout", objectives: objectivePresets.web, source: "emf" }]);
    expect(text).toContain('tidegate.dev/burn-rate: "off"');
    const [newer, older] = (["1.2", "1.1"] as const).map((version) =>
      parseAllDocuments(text, { version }).map((document) => document.toJS()),
    );
    expect(older).toEqual(newer);
  });

  it("would fail the schema with any field more", () => {
    const [service] = openSloDocuments("production", [
      { name: "checkout", objectives: objectivePresets.web, source: "emf" },
    ]);
    expect(problemsOf([{ ...service, status: {} }])).toHaveLength(1);
  });

  it("has room for the longest names", () => {
    const name = "c".repeat(32);
    const objectives: Objective[] = [{ name: "o".repeat(40), indicator: "availability", target: 99.9 }];
    const burnRate = { periodDays: 28, windows: "ticket" } as const;
    const documents = openSloDocuments("production", [{ name, objectives, source: "emf", burnRate }]);
    expect(problemsOf(documents)).toEqual([]);
    expect(documents[1]).toMatchObject({ metadata: { name: `${name}-objective-1` } });
  });

  const availability: Objective = { name: "availability", indicator: "availability", target: 99.9 };
  it.each([
    [
      "alb",
      "CloudWatch",
      {
        namespace: "AWS/ApplicationELB",
        metricNames: ["HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount"],
        dimensions: ["LoadBalancer", "TargetGroup"],
        statistic: "Sum",
      },
      {
        namespace: "AWS/ApplicationELB",
        metricNames: ["RequestCount"],
        dimensions: ["LoadBalancer", "TargetGroup"],
        statistic: "Sum",
      },
    ],
    [
      "emf",
      "CloudWatch",
      { namespace: "Tidegate", metricNames: ["Errors"], dimensions: { Service: "checkout" }, statistic: "Sum" },
      { namespace: "Tidegate", metricNames: ["Requests"], dimensions: { Service: "checkout" }, statistic: "Sum" },
    ],
    [
      "prometheus",
      "Prometheus",
      { query: `sum(rate(tidegate_errors_total{environment="production",service="checkout"}[{{.window}}]))` },
      { query: `sum(rate(tidegate_requests_total{environment="production",service="checkout"}[{{.window}}]))` },
    ],
    [
      "datadog",
      "Datadog",
      { query: "sum:tidegate.errors{environment:production,service:checkout}.as_count()" },
      { query: "sum:tidegate.requests{environment:production,service:checkout}.as_count()" },
    ],
  ] as const)("names the metrics of %s, good or bad and all", (source, type, bad, total) => {
    expect(sliOf(availability, source)).toEqual([
      {
        ratioMetric: { counter: source === "prometheus", bad: metric(type, bad), total: metric(type, total) },
      },
      [{ targetPercent: 99.9 }],
    ]);
  });

  it("says a latency in the unit of its metric: seconds of the load balancer, milliseconds of all others", () => {
    const latency: Objective = { name: "latency-p95", indicator: "latency-p95", target: 500 };
    const said = metricSources.map((source) => (sliOf(latency, source) as unknown[])[1]);
    expect(said).toEqual([
      [{ op: "lte", value: 0.5, targetPercent: 95 }],
      [{ op: "lte", value: 500, targetPercent: 95 }],
      [{ op: "lte", value: 500, targetPercent: 95 }],
      [{ op: "lte", value: 500, targetPercent: 95 }],
    ]);
  });

  it("says what may go wrong by what must go well", () => {
    const rejects: Objective = { name: "rejects", indicator: "rate-limit-reject-rate", target: 1 };
    expect((sliOf(rejects, "emf") as unknown[])[1]).toEqual([{ targetPercent: 99 }]);
  });

  it("keeps in the service's annotation what OpenSLO has no words for", () => {
    const memory: Objective = {
      name: "memory",
      indicator: "memory",
      critical: { value: 2, reference: { kind: "baseline", form: "factor" }, response: "disable" },
    };
    const [service, ...rest] = openSloDocuments("production", [
      { name: "checkout", objectives: [availability, memory], source: "emf" },
    ]);
    expect(service).toEqual({
      apiVersion: "openslo/v1",
      kind: "Service",
      metadata: {
        name: "checkout",
        annotations: {
          "tidegate.dev/source": "emf",
          "tidegate.dev/objectives": `["availability",{"indicator":"memory","critical":{"above":"2x baseline","response":"disable"}}]`,
          "tidegate.dev/burn-rate": "off",
        },
      },
      spec: {},
    });
    expect(rest).toHaveLength(1);
  });
});
