/** What OpenSLO documents say and Tidegate cannot honour is refused by name, all at once (B1, B11). Whole messages. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { objectivePresets } from "../../../core/objectives.ts";
import { Problems } from "../../../stacks/config/problems.ts";
import { openSloText } from "../../../stacks/open-slo/export.ts";
import { readOpenSlo } from "../../../stacks/open-slo/import.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-openslo-"));

function read(text: string) {
  const file = join(folder, "slo.yaml");
  writeFileSync(file, text);
  const problems = new Problems();
  const services = readOpenSlo(file, problems);
  return { services, problems: problems.texts };
}

const exported = ["availability", "latency-p95", "healthy-hosts"];
/** Documents: 1 the service, 2 latency, 3 availability, 4 the target. */
const whole = openSloText("production", [
  {
    name: "checkout",
    objectives: objectivePresets.web.filter(({ name }) => exported.includes(name)),
    source: "prometheus",
    burnRate: { periodDays: 28, windows: "page" },
  },
]);

/** Changes the first place where the text stands, which has to be there. */
function changed(from: string, to: string): string {
  expect(whole).toContain(from);
  return whole.replace(from, to);
}

const service = "slo.yaml, document 1 (Service checkout): ";
const latency = "slo.yaml, document 2 (SLO checkout-latency-p95): ";
const availability = "slo.yaml, document 3 (SLO checkout-availability): ";
const target = "slo.yaml, document 4 (AlertNotificationTarget tidegate-critical): ";
const condition = "spec.alertPolicies[0].spec.conditions[0]";
const ours =
  "expected one of ours with a period of 28d: gt 13.44 in 1h as page, gt 5.6 in 6h as page, gt 2.8 in 1d as ticket or gt 0.933333 in 3d as ticket";
const rolling = "expected one rolling window of 28d or 30d";

describe("OpenSLO that cannot be honoured [B1] [B11]", () => {
  it("is none of what an export has", () => {
    expect(read(whole).problems).toEqual([]);
  });

  it.each<[string, string, string, string[]]>([
    [
      "another version",
      "apiVersion: openslo/v1\nkind: SLO",
      "apiVersion: openslo/v1alpha\nkind: SLO",
      [`${latency}apiVersion: another version of OpenSLO, got "openslo/v1alpha"; expected openslo/v1`],
    ],
    [
      "an unknown kind",
      "kind: Service",
      "kind: Servise",
      [
        `slo.yaml, document 1 (Servise checkout): kind: unknown kind, got "Servise"; expected DataSource, SLO, SLI, AlertPolicy, AlertCondition, AlertNotificationTarget or Service. Did you mean Service?`,
      ],
    ],
    [
      "an unknown field",
      "budgetingMethod: Occurrences",
      "budgetingMethod: Occurrences\n  budget: 3",
      [
        `${latency}spec.budget: unknown key; expected description, service, indicator, indicatorRef, timeWindow, budgetingMethod, objectives or alertPolicies`,
      ],
    ],
    [
      "slices of time",
      "budgetingMethod: Occurrences",
      "budgetingMethod: Timeslices",
      [
        `${latency}spec.budgetingMethod: not honoured: requests are counted, not slices of time, got "Timeslices"; expected Occurrences`,
      ],
    ],
    [
      "a window of the calendar",
      "    - duration: 28d\n      isRolling: true",
      "    - duration: 1M\n      calendar: { startTime: 2020-01-21 12:30:00, timeZone: UTC }",
      [
        `${latency}spec.timeWindow[0].calendar: a window of the calendar, and budgets are kept for rolling ones alone; ${rolling}`,
      ],
    ],
    [
      "another period",
      "duration: 28d",
      "duration: 90d",
      [`${latency}spec.timeWindow[0].duration: not a period that budgets are kept for, got "90d"; ${rolling}`],
    ],
    [
      "two periods in one service",
      "duration: 28d",
      "duration: 30d",
      [`${availability}spec.timeWindow: another window than the first SLO's, got "28d"; expected 30d`],
    ],
    [
      "weights and slices of an objective",
      "      targetPercent: 95\n",
      "      targetPercent: 95\n      compositeWeight: 2\n      timeSliceTarget: 0.9\n      timeSliceWindow: 1m\n      indicatorRef: x\n",
      [
        `${latency}spec.objectives[0].timeSliceTarget: not honoured: requests are counted, not slices of time; expected no timeSliceTarget`,
        `${latency}spec.objectives[0].timeSliceWindow: not honoured: requests are counted, not slices of time; expected no timeSliceWindow`,
        `${latency}spec.objectives[0].indicatorRef: not honoured: a composite SLO; each SLO has one indicator; expected no indicatorRef`,
        `${latency}spec.objectives[0].compositeWeight: not honoured: a composite SLO; objectives have no weights; expected no compositeWeight`,
      ],
    ],
    [
      "several objectives in one SLO",
      "    - targetPercent: 99.95",
      "    - targetPercent: 99.95\n    - targetPercent: 99",
      [
        `${availability}spec.objectives: not one objective, got a list of 2; expected a list of one: each SLO has one target`,
      ],
    ],
    [
      "percent where a share of 1 belongs",
      "targetPercent: 99.95",
      "target: 99.95",
      [
        `${availability}spec.objectives[0].target: target out of range, got 99.95; expected 0 to 1, 1 not included. Write targetPercent: 99.95`,
      ],
    ],
    [
      "a share of 1 where percent belong",
      "targetPercent: 99.95",
      "targetPercent: 0.9995",
      [
        `${availability}metadata.annotations["tidegate.dev/objective"].target: a share of 1 with a percent sign, got "0.9995%"; expected more than 1%. Write "99.95%" if that is the share meant`,
      ],
    ],
    [
      "a target that leaves nothing",
      "targetPercent: 99.95",
      "targetPercent: 100",
      [
        `${availability}spec.objectives[0].targetPercent: target out of range, got 100; expected 0 to 100, 100 not included`,
      ],
    ],
    [
      "both kinds of target",
      "targetPercent: 99.95",
      "target: 0.9995\n      targetPercent: 99.95",
      [`${availability}spec.objectives[0].targetPercent: said twice; expected target or targetPercent`],
    ],
    [
      "no target",
      "targetPercent: 99.95",
      "displayName: high",
      [`${availability}spec.objectives[0]: aims for nothing; expected target or targetPercent`],
    ],
    [
      "another percentile",
      "targetPercent: 95",
      "targetPercent: 90",
      [
        `${latency}spec.objectives[0].target: not a share that latency is watched at, got 90; expected 50, 95 or 99 percent`,
      ],
    ],
    [
      "another operator",
      "op: lte",
      "op: lt",
      [`${latency}spec.objectives[0].op: not honoured, got "lt"; expected lte`],
    ],
    [
      "a latency of nothing",
      "value: 2000",
      "value: 0",
      [`${latency}spec.objectives[0].value: must be above zero, got 0; expected milliseconds, as the metric has them`],
    ],
    [
      "a latency that the histogram does not tell from a smaller one",
      "value: 2000",
      "value: 30000",
      [
        `${latency}metadata.annotations["tidegate.dev/objective"].target: nothing is ever above it: the histogram of source prometheus ends at 30000ms, got "30000ms"; expected less than 30000ms. Take a smaller one, or source emf`,
      ],
    ],
    [
      "a bound that the histogram does not tell from a smaller one",
      `"above":"3000ms"`,
      `"above":"60s"`,
      [
        `${latency}metadata.annotations["tidegate.dev/objective"].critical.above: nothing is ever above it: the histogram of source prometheus ends at 30000ms, got "60s"; expected less than 30000ms. Take a smaller one, or source emf`,
      ],
    ],
    [
      "metrics of somebody else",
      "tidegate_errors_total{",
      "http_errors_total{",
      [
        `${availability}spec.indicator.spec: metrics that are not Tidegate's own; expected exactly those that an export of the service has. docs/objectives.md lists them by indicator`,
      ],
    ],
    [
      "metrics of another service",
      `tidegate_errors_total{environment="production",service="checkout"}`,
      `tidegate_errors_total{environment="production",service="basket"}`,
      [
        `${availability}spec.indicator.spec: metrics that are not Tidegate's own; expected exactly those that an export of the service has. docs/objectives.md lists them by indicator`,
      ],
    ],
    [
      "metrics of another environment in one of two queries",
      `tidegate_errors_total{environment="production"`,
      `tidegate_errors_total{environment="dev"`,
      [
        `${availability}spec.indicator.spec: metrics that are not Tidegate's own; expected exactly those that an export of the service has. docs/objectives.md lists them by indicator`,
      ],
    ],
    [
      "another kind of data source",
      "type: Prometheus",
      "type: Redshift",
      [
        `${latency}spec.indicator.spec.thresholdMetric.metricSource.type: metrics of another kind, got "Redshift"; expected CloudWatch, Prometheus or Datadog`,
      ],
    ],
    [
      "a ratio without counts",
      "        bad:",
      "        rawType: failure\n        bad:",
      [
        `${availability}spec.indicator.spec.ratioMetric.raw: not honoured: a ratio without its counts has no low-traffic floors; expected good or bad, and total`,
      ],
    ],
    [
      "a factor of another period",
      "threshold: 13.44",
      "threshold: 14.4",
      [
        `${availability}${condition}.spec.condition: not a condition that is watched, got gt 14.4 in 1h as page; ${ours}`,
      ],
    ],
    [
      "another window",
      "lookbackWindow: 1h",
      "lookbackWindow: 2h",
      [
        `${availability}${condition}.spec.condition: not a condition that is watched, got gt 13.44 in 2h as page; ${ours}`,
      ],
    ],
    [
      "an alert on too little",
      "op: gt",
      "op: lte",
      [
        `${availability}${condition}.spec.condition: not a condition that is watched, got lte 13.44 in 1h as page; ${ours}`,
      ],
    ],
    [
      "an alert that waits",
      "alertAfter: 0m",
      "alertAfter: 5m",
      [
        `${availability}${condition}.spec.condition.alertAfter: not honoured, got "5m"; expected 0m, or nothing. The second window of the pair says how lasting it must be`,
      ],
    ],
    [
      "a condition of one window",
      `              annotations:\n                tidegate.dev/short-window: 5m\n`,
      "",
      [
        `${availability}${condition}.metadata.annotations["tidegate.dev/short-window"]: the budget must have burnt as fast in a second, short window too, which is not said; expected 5m`,
      ],
    ],
    [
      "another short window",
      "tidegate.dev/short-window: 5m",
      "tidegate.dev/short-window: 10m",
      [
        `${availability}${condition}.metadata.annotations["tidegate.dev/short-window"]: another short window, got "10m"; expected 5m`,
      ],
    ],
    [
      "a severity of somebody else",
      "severity: page",
      "severity: sev1",
      [`${availability}${condition}.spec.severity: unknown severity, got "sev1"; expected page or ticket`],
    ],
    [
      "an alert for want of data",
      "alertWhenNoData: false",
      "alertWhenNoData: true",
      [`${availability}spec.alertPolicies[0].spec.alertWhenNoData: not honoured, got true; expected false`],
    ],
    [
      "an alert that never ends",
      "        alertWhenResolved: true\n",
      "",
      [`${availability}spec.alertPolicies[0].spec.alertWhenResolved: missing; expected true`],
    ],
    [
      "a target that is said elsewhere",
      "  target: tidegate-critical",
      "  target: slack",
      [
        `${target}spec.target: not whom page alerts go to, got "slack"; expected tidegate-critical. Who that is, alerting in the stack config says`,
      ],
    ],
    [
      "a target that is not there",
      "targetRef: tidegate-critical",
      "targetRef: on-call",
      [
        `${availability}spec.alertPolicies[0].spec.notificationTargets[0].targetRef: no AlertNotificationTarget of that name, got "on-call"; expected tidegate-critical`,
      ],
    ],
    [
      "an unknown annotation of ours",
      "tidegate.dev/source: prometheus",
      "tidegate.dev/sorce: prometheus",
      [
        `${service}metadata.annotations["tidegate.dev/sorce"]: unknown annotation of a Service; expected tidegate.dev/objectives, tidegate.dev/source or tidegate.dev/burn-rate. Did you mean tidegate.dev/source?`,
      ],
    ],
    [
      "a source that its metrics are not of",
      "tidegate.dev/source: prometheus",
      "tidegate.dev/source: emf",
      [
        `${service}metadata.annotations["tidegate.dev/source"]: another metric source than its SLOs have, got "emf"; expected prometheus`,
      ],
    ],
    [
      "a bound without its unit",
      `"below":"99.9%"`,
      `"below":99.9`,
      [
        `${availability}metadata.annotations["tidegate.dev/objective"].warning.below: units missing, got 99.9; expected a percentage such as "99.9%". Write the unit: "99.9%"`,
      ],
    ],
    [
      "an indicator that the metrics are not",
      `'{"indicator":"availability"`,
      `'{"indicator":"latency-p99"`,
      [
        `${availability}metadata.annotations["tidegate.dev/objective"].indicator: not what the SLO's metrics and target are, got "latency-p99"; expected availability, success-rate or error-rate`,
      ],
    ],
    [
      "an objective that is nowhere",
      `["latency-p95","availability"`,
      `["latency-p95","availabilty"`,
      [
        `${service}metadata.annotations["tidegate.dev/objectives"][1]: no SLO is this objective, got "availabilty"; expected latency-p95 or availability`,
      ],
    ],
    [
      "policies of a budget that is not watched",
      "tidegate.dev/source: prometheus",
      "tidegate.dev/source: prometheus\n    tidegate.dev/burn-rate: off",
      [
        `${availability}spec.alertPolicies: alert policies of an SLO whose budget is not watched; expected no alert policies`,
      ],
    ],
  ])("%s", (_title, from, to, problems) => {
    expect(read(changed(from, to)).problems).toEqual(problems);
  });

  it("half of the pairs that belong together", () => {
    const half = whole.replace(
      / {4}- kind: AlertPolicy\n {6}metadata:\n {8}name: checkout-availability-6h[\s\S]*?targetRef: tidegate-critical\n/,
      "",
    );
    expect(half).not.toBe(whole);
    expect(read(half).problems).toEqual([
      `${availability}spec.alertPolicies: not all pairs of windows that belong together, got a list of 1; expected gt 13.44 in 1h as page and gt 5.6 in 6h as page; or gt 13.44 in 1h as page, gt 5.6 in 6h as page, gt 2.8 in 1d as ticket and gt 0.933333 in 3d as ticket`,
    ]);
  });

  it("how to sign in, without repeating it", () => {
    const source =
      "apiVersion: openslo/v1\nkind: DataSource\nmetadata: { name: metrics }\nspec: { type: Prometheus, connectionDetails: { password: s3cret } }\n";
    expect(read(`${whole}---\n${source}`).problems).toEqual([
      "slo.yaml, document 5 (DataSource metrics): spec.connectionDetails: not honoured; expected nothing. How to sign in, alerting and the AWS settings of the stack say",
    ]);
  });

  it("what is no OpenSLO at all, or no YAML", () => {
    expect(read("- 1\n---\nfoo\n").problems).toEqual([
      "slo.yaml, document 1: apiVersion: no OpenSLO document; expected a map with apiVersion: openslo/v1",
      "slo.yaml, document 2: apiVersion: no OpenSLO document; expected a map with apiVersion: openslo/v1",
    ]);
    expect(read("a: [\n---\nb: !!x 1\n").problems).toEqual([
      "slo.yaml:2: malformed YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
      "slo.yaml:3: malformed YAML: Unresolved tag: tag:yaml.org,2002:x",
    ]);
    expect(read("---\n").problems).toEqual(["slo.yaml: nothing in it; expected YAML documents"]);
    expect(read("apiVersion: openslo/v1\nkind: Service\nmetadata: { name: checkout }\nspec: {}\n").problems).toEqual([
      "slo.yaml: no SLO in it; expected at least one",
    ]);
  });
});

describe("OpenSLO of somebody else's hand [B1]", () => {
  const sli = (value: string) => `apiVersion: openslo/v1
kind: SLO
metadata: { name: latency, labels: { team: [shop] } }
spec:
  service: checkout
  description: fast enough
  indicatorRef: request-latency
  timeWindow: [{ duration: 4w, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ displayName: fast, op: lte, value: ${value}, target: 0.95 }]
---
apiVersion: openslo/v1
kind: SLI
metadata: { name: request-latency }
spec:
  thresholdMetric:
    metricSource:
      metricSourceRef: balancer
      spec: { namespace: AWS/ApplicationELB, dimensions: [LoadBalancer, TargetGroup], metricNames: [TargetResponseTime] }
---
apiVersion: openslo/v1
kind: DataSource
metadata: { name: balancer }
spec: { type: CloudWatch }
`;

  it("takes seconds from a load balancer's metric, which has them: 0.5 is 500 ms", () => {
    expect(read(sli("0.5"))).toEqual({
      problems: [],
      services: [
        {
          service: "checkout",
          source: "alb",
          objectives: [{ name: "latency-p95", indicator: "latency-p95", target: 500 }],
        },
      ],
    });
  });

  it("reads policies, conditions and targets that are documents of their own", () => {
    const condition = (name: string, threshold: number, long: string, short: string) => `apiVersion: openslo/v1
kind: AlertCondition
metadata: { name: ${name}, annotations: { tidegate.dev/short-window: ${short} } }
spec: { severity: page, condition: { kind: burnrate, op: gt, threshold: ${threshold}, lookbackWindow: ${long} } }
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: { name: ${name} }
spec:
  alertWhenBreaching: true
  alertWhenResolved: true
  conditions: [{ conditionRef: ${name} }]
  notificationTargets: [{ targetRef: pager }]
`;
    const cloudWatch = (metric: string) =>
      `metricSource: { type: CloudWatch, spec: { namespace: Tidegate, metricNames: [${metric}], statistic: Sum, dimensions: { Service: checkout } } }`;
    const text = `apiVersion: openslo/v1
kind: SLO
metadata: { name: availability }
spec:
  service: checkout
  indicator:
    metadata: { name: errors }
    spec: { ratioMetric: { bad: { ${cloudWatch("Errors")} }, total: { ${cloudWatch("Requests")} } } }
  timeWindow: [{ duration: 30d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.999 }]
  alertPolicies: [{ alertPolicyRef: fast }, { alertPolicyRef: slow }]
---
${condition("fast", 14.4, "1h", "5m")}---
${condition("slow", 6, "6h", "30m")}---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: { name: pager }
spec: { target: tidegate-critical }
`;
    expect(read(text)).toEqual({
      problems: [],
      services: [
        {
          service: "checkout",
          source: "emf",
          objectives: [{ name: "availability", indicator: "availability", target: 99.9 }],
          burnRate: { periodDays: 30, windows: "page" },
        },
      ],
    });
  });
});
