import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { planPresets } from "../../core/plans.ts";
import { checkMonitors } from "../../stacks/config/datadog.ts";
import { Problems } from "../../stacks/config/problems.ts";
import { parseConfig } from "../../stacks/config.ts";
import { datadogNotices, datadogSiteProblems } from "../../stacks/datadog.ts";
import { foundationForConfig } from "../../stacks/foundation.ts";
import { aConfig, aFoundation, aService, problemsOf } from "./config-builders.ts";

const keysSecretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:datadog-AbCdEf";
const notify = { critical: ["@pagerduty-shop", "@name@example.com"], warning: ["@slack-shop-alerts"] };
const reported = { checkout: aService({ source: "datadog" }) };
const problems = (datadog: unknown, services: Record<string, unknown> = reported) =>
  problemsOf(aConfig({ alerting: { datadog } }, services));

describe("Datadog in the config", () => {
  it("is a site, where its keys are, and who is told [D3]", () => {
    const datadogOf = (datadog: unknown) => parseConfig(aConfig({ alerting: { datadog } })).alerting.datadog;
    expect(datadogOf({ site: "datadoghq.eu", keysSecretArn, notify })).toEqual({
      site: "datadoghq.eu",
      keysSecretArn,
      notify,
    });
    expect(datadogOf({ site: "us5.datadoghq.com" })).toEqual({
      site: "us5.datadoghq.com",
      notify: { critical: [], warning: [] },
    });
  });

  it("is refused with every problem at once, and without showing what may be a key [D3]", () => {
    expect(
      problems({
        site: "datadoghq.de",
        keysSecretArn: "0123456789abcdef0123456789abcdef",
        apiKey: "k3y",
        app_key: "k3y",
        notify: { critical: ["slack-shop", "@a"], warning: ["@a", "@a"], info: [] },
        tags: [],
      }),
    ).toEqual([
      "alerting.datadog.apiKey: a secret in plain text; expected keysSecretArn. Revoke it, store the new one in AWS Secrets Manager and give that secret's ARN",
      "alerting.datadog.app_key: a secret in plain text; expected keysSecretArn. Revoke it, store the new one in AWS Secrets Manager and give that secret's ARN",
      "alerting.datadog.tags: unknown key; expected site, keysSecretArn or notify",
      "alerting.datadog.site: not a site of Datadog's, got a value not shown here; expected datadoghq.com, us3.datadoghq.com, us5.datadoghq.com, datadoghq.eu, ap1.datadoghq.com, ap2.datadoghq.com, uk1.datadoghq.com, ddog-gov.com or us2.ddog-gov.com. Did you mean datadoghq.eu?",
      "alerting.datadog.keysSecretArn: not the ARN of a secret, got a value not shown here; expected arn:aws:secretsmanager:<region>:<account>:secret:<name>. Store the secret with aws secretsmanager create-secret, and name it here by its ARN",
      "alerting.datadog.notify.info: unknown key; expected critical or warning",
      "alerting.datadog.notify.critical[0]: not a handle of Datadog's, got a value not shown here; expected @ and a name, such as @slack-alerts or @name@example.com",
      "alerting.datadog.notify.warning: named twice, got a value not shown here; expected each handle once",
    ]);
  });

  it("keeps its keys in the stack's own region and account [D3]", () => {
    const elsewhere = keysSecretArn.replace("eu-west-1", "us-east-1");
    expect(problems({ site: "datadoghq.eu", keysSecretArn: elsewhere })).toEqual([
      "alerting.datadog.keysSecretArn: in another region, got a value not shown here; expected eu-west-1, as aws:region says. Correct the ARN or the region",
    ]);
  });

  it("names promises that its monitors cannot say [D3]", () => {
    const found = new Problems();
    const critical = { value: -5, reference: { kind: "baseline", form: "points" }, response: "disable" } as const;
    const objectives = [{ name: "errors", indicator: "error-rate", critical }] as const;
    checkMonitors({ objectives, source: "datadog", plan: planPresets.steady }, ["services", "checkout"], found);
    expect(found.texts).toEqual([
      "services.checkout.objectives: errors/critical/300s/of-baseline: not for Datadog, got -5 points above the baseline, where silence would be bad; expected what its monitors can say. Take source emf",
    ]);
    checkMonitors({ objectives, source: "emf", plan: planPresets.steady }, [], found);
    expect(found.texts).toHaveLength(1);
  });

  it("goes from a foundation to the service stacks beside it [D3]", () => {
    const datadog = { site: "datadoghq.eu", keysSecretArn, notify };
    const shared = foundationForConfig({
      kind: "found",
      stack: "example/tidegate/base",
      outputs: aFoundation({ datadog }),
    });
    expect("alerting" in shared && shared.alerting.datadog).toEqual(datadog);
    const without = foundationForConfig({ kind: "found", stack: "example/tidegate/base", outputs: aFoundation() });
    expect("alerting" in without && "datadog" in without.alerting).toBe(false);
  });
});

describe("what the preview says of Datadog", () => {
  const noticesOf = (service: Record<string, unknown>, hasDatadog = true) => {
    const datadog = { site: "datadoghq.eu", keysSecretArn };
    const config = parseConfig(aConfig(hasDatadog ? { alerting: { datadog } } : {}, { checkout: aService(service) }));
    return config.services.flatMap((one) => datadogNotices(one, config.alerting));
  };

  it("names services that are not there, budgets of other days and pairs beyond its reach [D1, D3]", () => {
    expect(noticesOf({ source: "emf" })).toEqual([
      "checkout: not in Datadog, since its source is emf; its alarms are where its metrics are (docs/datadog.md)",
    ]);
    expect(noticesOf({ source: "datadog", burnRate: { period: "28d", windows: "ticket" } })).toEqual([
      "checkout: Datadog has no budget of 28 days: its SLO shows 30, its alerts speak as for 28",
      "checkout: burn/availability/3d is not watched: Datadog's burn-rate alerts look back 48 hours, and this one needs 72",
    ]);
    expect(noticesOf({ source: "datadog", burnRate: { period: "30d", windows: "page" } })).toEqual([]);
    expect(noticesOf({ source: "emf" }, false)).toEqual([]);
  });
});

describe("the provider's site", () => {
  const alerting = (site: string) => ({ email: [], runbooks: "docs/runbooks", datadog: { site, notify } });

  it("is the one that the hook asks, or nothing is declared [D3]", () => {
    expect(datadogSiteProblems(alerting("datadoghq.com"), undefined)).toEqual([]);
    expect(datadogSiteProblems(alerting("datadoghq.eu"), "https://api.datadoghq.eu")).toEqual([]);
    expect(datadogSiteProblems(alerting("datadoghq.eu"), undefined)).toEqual([
      "datadog:apiUrl: another site than alerting.datadog.site, got https://api.datadoghq.com/ (its default); expected https://api.datadoghq.eu/. pulumi config set datadog:apiUrl https://api.datadoghq.eu/",
    ]);
    expect(datadogSiteProblems({ email: [], runbooks: "docs/runbooks" }, "https://api.datadoghq.eu/")).toEqual([]);
  });
});

describe("a program without Datadog", () => {
  it("loads nothing of its package [D3]", () => {
    const code =
      'await import("./stacks/index.ts"); const { createRequire } = await import("node:module");' +
      'const loaded = Object.keys(createRequire(process.cwd() + "/x.js").cache).filter((file) => /@pulumi.datadog/.test(file));' +
      "console.log(loaded.length); process.exit(0);";
    const printed = execFileSync(process.execPath, ["--import", "tsx/esm", "--input-type=module", "-e", code], {
      cwd: new URL("../..", import.meta.url),
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(printed.trim()).toBe("0");
  }, 60_000);
});
