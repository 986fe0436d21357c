/** How the budget is watched, and by whom a source is, as config has it (D1, C2, B11). */
import { describe, expect, it } from "vitest";
import { Problems } from "../../stacks/config/problems.ts";
import { checkAlarms } from "../../stacks/config/watching.ts";
import { parseConfig } from "../../stacks/config.ts";
import { foundationForConfig } from "../../stacks/foundation.ts";
import { aConfig, aFoundation, aService, problemsOf, serviceProblems } from "./config-builders.ts";

function serviceOf(changes: Record<string, unknown>) {
  const [service] = parseConfig(aConfig({}, { checkout: aService(changes) })).services;
  if (!service) throw new Error("no service");
  return service;
}

const promising = (target: string) => [
  { indicator: "availability", target, critical: { below: "1.5%", response: "disable" } },
];

describe("burnRate in config [D1]", () => {
  it.each<[unknown, unknown]>([
    [undefined, { periodDays: 28, windows: "page" }],
    ["off", undefined],
    [false, undefined],
    [{}, { periodDays: 28, windows: "page" }],
    [{ period: "30d" }, { periodDays: 30, windows: "page" }],
    [{ windows: "ticket" }, { periodDays: 28, windows: "ticket" }],
  ])("%o", (burnRate, expected) => {
    expect(serviceOf({ burnRate }).burnRate).toEqual(expected);
  });

  it("is off where no objective keeps a budget", () => {
    const objectives = [{ indicator: "latency-p99", critical: { above: "1s", response: "disable" } }];
    expect(serviceOf({ objectives })).not.toHaveProperty("burnRate");
    expect(serviceOf({ objectives: promising("100%") })).not.toHaveProperty("burnRate");
  });

  const form = "expected off, or a map such as { period: 28d, windows: page }";
  it.each<[string, unknown, string]>([
    ["a word", "on", `burnRate: neither a switch nor settings, got "on"; ${form}`],
    ["a switch that is on", true, `burnRate: neither a switch nor settings, got true; ${form}`],
    ["nothing", null, `burnRate: missing; ${form}`],
    [
      "another period",
      { period: "90d" },
      `burnRate.period: not a period that budgets are kept for, got "90d"; expected 28d or 30d`,
    ],
    [
      "a period without its unit",
      { period: 28 },
      "burnRate.period: not a period that budgets are kept for, got 28; expected 28d or 30d",
    ],
    ["other windows", { windows: "all" }, `burnRate.windows: unknown windows, got "all"; expected page or ticket`],
    ["a factor", { factor: 14.4 }, "burnRate.factor: unknown key; expected period or windows"],
  ])("refuses %s [B11]", (_title, burnRate, problem) => {
    expect(serviceProblems({ burnRate })).toEqual([`services.checkout.${problem}`]);
  });

  const wayOut = "Promise more, or leave burnRate out and the preview names what is not watched";
  it("refuses a pair that was asked for and can never fire, with the target at which it could [B11]", () => {
    expect(serviceProblems({ burnRate: { period: "30d" }, objectives: promising("93%") })).toEqual([
      `services.checkout.burnRate: the pair of 1h and 5m can never fire: 14.4 times the budget of availability, 7%, is 100.8% of the requests; expected a target of at least 93.06%, not 93%. ${wayOut}`,
    ]);
    expect(serviceProblems({ burnRate: { period: "30d" }, objectives: promising("93.06%") })).toEqual([]);
    expect(serviceProblems({ burnRate: {}, objectives: promising("92.55%") })).toEqual([
      `services.checkout.burnRate: the pair of 1h and 5m can never fire: 13.44 times the budget of availability, 7.45%, is 100.128% of the requests; expected a target of at least 92.56%, not 92.55%. ${wayOut}`,
    ]);
    expect(serviceProblems({ burnRate: {}, objectives: promising("92.56%") })).toEqual([]);
  });

  it("refuses every such pair, of an error rate too [B11]", () => {
    const objectives = [{ indicator: "error-rate", target: "20%", critical: { above: "50%", response: "disable" } }];
    expect(serviceProblems({ burnRate: { period: "30d" }, objectives })).toEqual([
      `services.checkout.burnRate: the pair of 1h and 5m can never fire: 14.4 times the budget of error-rate, 20%, is 288% of the requests; expected a target of at most 6.94% errors, not 20% errors. ${wayOut}`,
      `services.checkout.burnRate: the pair of 6h and 30m can never fire: 6 times the budget of error-rate, 20%, is 120% of the requests; expected a target of at most 16.66% errors, not 20% errors. ${wayOut}`,
    ]);
  });

  it("takes by default what could never fire: the preview names it", () => {
    expect(serviceOf({ objectives: promising("92%") }).burnRate).toEqual({ periodDays: 28, windows: "page" });
  });

  it("refuses to watch a budget that is none [B11]", () => {
    for (const objectives of [
      promising("100%"),
      [{ indicator: "latency-p99", critical: { above: "1s", response: "disable" } }],
    ]) {
      expect(serviceProblems({ burnRate: {}, objectives })).toEqual([
        "services.checkout.burnRate: no error budget to watch; expected a target of availability, success-rate or error-rate that leaves something to spend. Add such a target, or write burnRate: off",
      ]);
    }
  });
});

describe("sources that another system watches [B1] [B11]", () => {
  const secret = (name: string) => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}`;
  const grafana = { url: "https://grafana.example.com" };
  const prometheus = { uid: "metrics" };
  const tokenSecretArn = secret("grafana");
  const datadog = { site: "datadoghq.eu" };
  const problem = (source: string, rest: string) =>
    `services.checkout.source: nobody here watches it, got "${source}"; expected ${rest}`;

  it.each<[string, Record<string, unknown>, string[]]>([
    ["prometheus", {}, ["alerting.grafana. Add it, with prometheus and tokenSecretArn, or take source emf"]],
    ["prometheus", { grafana }, ["alerting.grafana.prometheus. Name the data source that has the service's metrics"]],
    [
      "prometheus",
      { grafana: { ...grafana, prometheus } },
      ["alerting.grafana.tokenSecretArn. Without a token the hook cannot ask whether a rule is firing"],
    ],
    ["prometheus", { grafana: { ...grafana, prometheus, tokenSecretArn } }, []],
    ["datadog", {}, ["alerting.datadog. Add it, with keysSecretArn, or take source emf"]],
    [
      "datadog",
      { datadog },
      ["alerting.datadog.keysSecretArn. Without keys the hook cannot ask whether a monitor is firing"],
    ],
    ["datadog", { datadog: { ...datadog, keysSecretArn: secret("datadog") } }, []],
  ])("%s needs that system, and what the hook needs to ask it: %o", (source, alerting, missing) => {
    const raw = aConfig({ alerting }, { checkout: aService({ source }) });
    expect(problemsOf(raw)).toEqual(missing.map((rest) => problem(source, rest)));
  });

  it("is one problem where the system was written badly", () => {
    const raw = aConfig(
      { alerting: { datadog: { sit: "datadoghq.eu" } } },
      { checkout: aService({ source: "datadog" }) },
    );
    expect(problemsOf(raw).filter((text) => text.startsWith("services"))).toEqual([]);
    expect(problemsOf(raw)).not.toEqual([]);
  });

  it("says that the foundation has to have it, where that is another stack", () => {
    const foundation = foundationForConfig({ kind: "found", stack: "base", outputs: aFoundation() });
    const raw = {
      aws: { region: "eu-west-1" },
      tidegate: { environment: "dev", foundation: "base", services: { checkout: aService({ source: "datadog" }) } },
    };
    expect(problemsOf(raw, { foundation })).toEqual([
      problem("datadog", "alerting.datadog in the foundation's stack. Add it, with keysSecretArn, or take source emf"),
    ]);
  });
});

describe("alarms that CloudWatch would not take [B11]", () => {
  it("are named while the config is read", () => {
    const service = serviceOf({ objectives: "web", source: "alb", burnRate: "off" });
    const problems = new Problems();
    checkAlarms(service, ["services", "checkout"], problems);
    expect(problems.texts).toEqual([]);
    checkAlarms({ ...service, control: {} }, ["services", "checkout"], problems, 1);
    expect(problems.texts).toEqual([
      "services.checkout.objectives: alarm availability/warning/300s: reads too many metrics, got 12; expected at most 10. Watch fewer releases at once: leave the control out",
    ]);
  });
});
