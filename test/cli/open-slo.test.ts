/** `tidegate openslo`, and bad input end to end: everything named at once, exit code 2, nothing printed (B1, B11). */
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runCommand } from "../../cli/command.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { openSloText } from "../../stacks/open-slo/export.ts";

const entry = fileURLToPath(new URL("../../cli/tidegate.mjs", import.meta.url));

const stack = `config:
  aws:region: eu-west-1
  tidegate:environment: dev
  tidegate:network: { vpcId: vpc-01234567, subnetIds: [subnet-01234567, subnet-89abcdef] }
  tidegate:services:
    checkout:
      mode: act
      match: { paths: ["/checkout/*"] }
      priority: 100
      baseline: { version: "1", image: shop/checkout@sha256:${"a".repeat(64)} }
      plan: steady
      objectives: { openslo: slo.yaml }
      source: emf
    search:
      mode: act
      match: { paths: ["/search/*"] }
      priority: 200
      baseline: { version: "1", image: shop/search@sha256:${"b".repeat(64)} }
      plan: steady
      objectives: batch
      source: alb
      burnRate: off
`;
const slo = openSloText("dev", [
  {
    name: "checkout",
    objectives: objectivePresets.migration,
    source: "emf",
    burnRate: { periodDays: 30, windows: "page" },
  },
]);

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

async function run(directory: string, ...words: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const surroundings = {
    out: (text: string) => out.push(text),
    error: (text: string) => errors.push(text),
    directory,
    colours: false,
  };
  const code = await runCommand(words, surroundings);
  return { code, out: out.join("\n"), errors: errors.join("\n") };
}

describe("tidegate openslo [B1]", () => {
  it("exports a stack's objectives, and imports them as config that says the same", async () => {
    const folder = folderWith({ "Pulumi.dev.yaml": stack, "slo.yaml": slo });
    const exported = await run(folder, "openslo", "export", "--stack", "dev");
    expect([exported.code, exported.errors]).toEqual([0, ""]);
    writeFileSync(join(folder, "all.yaml"), exported.out);
    const imported = await run(folder, "openslo", "import", "all.yaml");
    expect([imported.code, imported.errors]).toEqual([0, ""]);
    const { services } = parse(imported.out) as { services: Record<string, Record<string, unknown>> };
    expect(Object.keys(services)).toEqual(["checkout", "search"]);
    expect(services.checkout).toMatchObject({ source: "emf", burnRate: { period: "30d", windows: "page" } });
    expect(services.search).toMatchObject({ source: "alb", burnRate: "off" });
  });

  it("exports one service, the same text that was imported", async () => {
    const folder = folderWith({ "Pulumi.dev.yaml": stack, "slo.yaml": slo });
    const { out } = await run(folder, "openslo", "export", "--stack", "dev", "--service", "checkout");
    expect(`${out}\n`).toBe(slo);
  });

  it("says of targets alone that nothing would shut the service", async () => {
    const objectives = [{ name: "availability", indicator: "availability", target: 99.9 } as const];
    const folder = folderWith({ "slo.yaml": openSloText("dev", [{ name: "checkout", objectives, source: "alb" }]) });
    expect(await run(folder, "openslo", "import", "slo.yaml")).toEqual({
      code: 0,
      errors: "",
      out: [
        "# checkout has targets alone, so nothing would ever shut it. Add warning or critical bounds.",
        "services:",
        "  checkout:",
        "    source: alb",
        "    objectives:",
        "      - indicator: availability",
        "        target: 99.9%",
        '    burnRate: "off"',
      ].join("\n"),
    });
  });

  it("refuses what it was not given, or is not there [B11]", async () => {
    const folder = folderWith({ "Pulumi.dev.yaml": stack, "slo.yaml": slo });
    const heading = "tidegate openslo export: 1 problem, nothing was printed:\n  ";
    const errors = async (...words: string[]) => {
      const { code, out, errors: text } = await run(folder, "openslo", ...words);
      expect([code, out]).toEqual([2, ""]);
      return text;
    };
    expect(await errors("export")).toBe(`${heading}--stack: missing; expected the stack whose objectives are exported`);
    expect(await errors("export", "--stack", "prod")).toBe(
      `${heading}--stack: unknown stack, got "prod"; expected dev. Run it where those files are`,
    );
    expect(await errors("export", "--stack", "dev", "--service", "cart")).toBe(
      `${heading}--service: unknown service, got "cart"; expected checkout, search (stack dev)`,
    );
    expect(await errors("import", "nowhere.yaml")).toBe(
      `tidegate openslo import: 1 problem, nothing was printed:\n  ${join(folder, "nowhere.yaml")}: no such file; expected a YAML file`,
    );
  });
});

describe("ten mistakes [B11]", { timeout: 60_000 }, () => {
  function tidegate(folder: string, ...words: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...words], {
      cwd: folder,
      encoding: "utf8",
      timeout: 50_000,
    });
    return { status, stdout, lines: stderr.trimEnd().split("\n") };
  }

  it("in an OpenSLO file are all named, and nothing is printed", () => {
    const bad = `apiVersion: openslo/v1
kind: SLO
metadata: { name: Errors }
spec:
  service: checkout
  budgetingMethod: Timeslices
  timeWindow: [{ duration: 1Q, calendar: { startTime: "2026-01-01 00:00:00", timeZone: UTC } }]
  indicator:
    metadata: { name: errors }
    spec:
      ratioMetric:
        counter: true
        bad: { metricSource: { type: Prometheus, spec: { query: "sum(http_errors_total)" } } }
        total: { metricSource: { type: Prometheus, spec: { query: "sum(http_requests_total)" } } }
  objectives: [{ target: 99.9, compositeWeight: 2 }]
  alerts: []
---
apiVersion: openslo/v2
kind: Service
metadata: { name: checkout, annotations: { tidegate.dev/burnrate: off } }
---
apiVersion: openslo/v1
kind: Dashboard
metadata: { name: board }
spec: {}
---
apiVersion: openslo/v1
kind: DataSource
metadata: { name: metrics }
spec: { type: Graphite }
`;
    expect(tidegate(folderWith({ "slo.yaml": bad }), "openslo", "import", "slo.yaml")).toEqual({
      status: 2,
      stdout: "",
      lines: [
        "tidegate openslo import: 11 problems, nothing was printed:",
        `  slo.yaml, document 1 (SLO Errors): metadata.name: not a name of an object, got "Errors"; expected at most 63 lower-case letters, digits and inner hyphens`,
        "  slo.yaml, document 1 (SLO Errors): spec.alerts: unknown key; expected description, service, indicator, indicatorRef, timeWindow, budgetingMethod, objectives or alertPolicies",
        `  slo.yaml, document 1 (SLO Errors): spec.budgetingMethod: not honoured: requests are counted, not slices of time, got "Timeslices"; expected Occurrences`,
        "  slo.yaml, document 1 (SLO Errors): spec.timeWindow[0].calendar: a window of the calendar, and budgets are kept for rolling ones alone; expected one rolling window of 28d or 30d",
        "  slo.yaml, document 1 (SLO Errors): spec.objectives[0].compositeWeight: not honoured: a composite SLO; objectives have no weights; expected no compositeWeight",
        "  slo.yaml, document 1 (SLO Errors): spec.objectives[0].target: target out of range, got 99.9; expected 0 to 1, 1 not included. Write targetPercent: 99.9",
        "  slo.yaml, document 1 (SLO Errors): spec.indicator.spec: metrics that are not Tidegate's own; expected exactly those that an export of the service has. docs/objectives.md lists them by indicator",
        `  slo.yaml, document 2 (Service checkout): apiVersion: another version of OpenSLO, got "openslo/v2"; expected openslo/v1`,
        `  slo.yaml, document 2 (Service checkout): metadata.annotations["tidegate.dev/burnrate"]: unknown annotation of a Service; expected tidegate.dev/objectives, tidegate.dev/source or tidegate.dev/burn-rate. Did you mean tidegate.dev/burn-rate?`,
        `  slo.yaml, document 3 (Dashboard board): kind: unknown kind, got "Dashboard"; expected DataSource, SLO, SLI, AlertPolicy, AlertCondition, AlertNotificationTarget or Service`,
        `  slo.yaml, document 4 (DataSource metrics): spec.type: metrics of another kind, got "Graphite"; expected CloudWatch, Prometheus or Datadog`,
      ],
    });
  });

  it("in a stack's objectives are all named, and nothing is rehearsed", () => {
    const bad = stack
      .replace(
        "objectives: { openslo: slo.yaml }",
        "objectives: { openslo: slo.yaml, overide: {} }\n      burnRate: { period: 90d }",
      )
      .replace(
        "objectives: batch\n",
        `objectives:
        - { indicator: eror-rate, critical: { above: "5%", response: disable } }
        - { indicator: latency-p95, critical: { above: 0.5, response: disable } }
        - { indicator: latency-p99, critical: { above: "5%", response: disable } }
        - { indicator: availability, target: "101%", critical: { below: 0.999, response: disable } }
        - { indicator: error-rate, warning: { above: "6%", response: notify }, critical: { above: "5%", response: disable, window: 4d } }
        - { name: memory, indicator: memory, critical: { above: "2x previous wave", response: disable } }
`,
      )
      .replace("source: alb", "source: promethues");
    const search = "  services.search.objectives";
    expect(tidegate(folderWith({ "Pulumi.dev.yaml": bad, "slo.yaml": slo }), "rehearse", "--stack", "dev")).toEqual({
      status: 2,
      stdout: "",
      lines: [
        "tidegate rehearse: 10 problems, nothing was run:",
        "  services.checkout.objectives.overide: unknown key; expected openslo or override. Did you mean override?",
        `  services.checkout.burnRate.period: not a period that budgets are kept for, got "90d"; expected 28d or 30d`,
        `  services.search.source: unknown source, got "promethues"; expected alb, emf, prometheus or datadog. Did you mean prometheus?`,
        `${search}[0].indicator: unknown indicator, got "eror-rate"; expected error-rate, success-rate, availability, latency-p50, latency-p95, latency-p99, healthy-hosts, invariant-violations, throughput, memory, cpu, cache-hit-ratio, rate-limit-rejects, rate-limit-reject-rate, circuit-breaker-open, circuit-breaker-recovery, dual-run-failures, fallback-rate, flag-mismatches, flag-coverage or crashes. Did you mean error-rate?`,
        `${search}[1].critical.above: units missing, got 0.5; expected a time such as "500ms" or "0.5s". Write the unit: "0.5ms" or "0.5s"`,
        `${search}[2].critical.above: wrong unit, got "5%"; expected a time such as "500ms" or "0.5s"`,
        `${search}[3].target: percentage out of range, got "101%"; expected 0% to 100%`,
        `${search}[3].critical.below: units missing, got 0.999; expected a percentage such as "99.9%". Write the unit: "99.9%" for that share of 1 or "0.999%" for that many percent`,
        `${search}[4].critical.window: beyond what CloudWatch looks back, got "4d"; expected at most 84h: CloudWatch looks back 7d, and a window is looked at twice`,
        `${search}[5].critical.above: measured against the previous wave, which only a wave's own bounds are, got "2x previous wave"; expected "1.5x baseline", "+50% of baseline" or "10%/h". Write it under criteria of a wave of the plan`,
      ],
    });
  });
});
