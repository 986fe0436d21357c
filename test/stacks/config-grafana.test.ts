import { describe, expect, it } from "vitest";
import { parseConfig } from "../../stacks/config.ts";
import { elsewhereOf } from "../../stacks/elsewhere.ts";
import { aConfig, problemsOf } from "./config-builders.ts";

const secret = (name: string) => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`;
const url = "https://grafana.example.com";
const alertingOf = (alerting: unknown) => parseConfig(aConfig({ alerting })).alerting;
const problems = (alerting: unknown) => problemsOf(aConfig({ alerting }));

describe("alerting.grafana that is fine", () => {
  it("takes a URL alone, and makes CloudWatch's data source [D2]", () => {
    expect(alertingOf({ grafana: { url } }).grafana).toEqual({
      url,
      cloudWatch: "make",
      contactPoints: { slack: false, pagerDuty: false },
    });
  });

  it("takes data sources that are there, and whom Grafana tells by secrets that are known [D2]", () => {
    const alerting = {
      slack: { webhookSecretArn: secret("slack") },
      pagerduty: { escalationPolicyId: "PABC123" },
      grafana: {
        url: `${url}/ops`,
        prometheus: { uid: "prom-1" },
        cloudWatch: { uid: "cw_1" },
        tokenSecretArn: secret("grafana"),
        contactPoints: { slack: true, pagerDuty: true },
      },
    };
    expect(alertingOf(alerting).grafana).toEqual(alerting.grafana);
  });

  it("tells the hook where to ask, once there is a data source and a token [D2]", () => {
    const grafana = { url, prometheus: { url: "http://prometheus:9090" }, tokenSecretArn: secret("grafana") };
    expect(elsewhereOf(alertingOf({ grafana }), "dev")).toEqual({
      prometheus: { url, dataSourceUid: "tidegate-dev-prometheus", tokenSecretArn: secret("grafana") },
    });
    expect(elsewhereOf(alertingOf({ grafana: { url, prometheus: { uid: "p" } } }), "dev")).toEqual({});
  });
});

describe("alerting.grafana that is refused", () => {
  const cases: [unknown, string[]][] = [
    [{}, ["alerting.grafana.url: missing; expected https://<host>, a path after it if need be, and no sign-in in it"]],
    [
      { url: "http://grafana.example.com" },
      [
        "alerting.grafana.url: not the URL of a Grafana, got a value not shown here; expected https://<host>, a path after it if need be, and no sign-in in it",
      ],
    ],
    [{ url: "https://admin:secret@grafana.example.com", token: "glsa_x", auth: "glsa_y", datasource: 1 }, []],
    [
      { url, prometheus: { uid: "a", url: "http://p" } },
      [
        "alerting.grafana.prometheus: two data sources; expected uid of one that is there, or url of a Prometheus that the program makes one for",
      ],
    ],
    [
      { url, prometheus: {} },
      [
        "alerting.grafana.prometheus: no data source; expected uid of one that is there, or url of a Prometheus that the program makes one for",
      ],
    ],
    [
      { url, cloudWatch: "adopt" },
      [
        "alerting.grafana.cloudWatch: not a data source, got a value not shown here; expected make, or a map with its uid",
      ],
    ],
    [
      { url, contactPoints: { slack: true, pagerDuty: true } },
      [
        "alerting.grafana.contactPoints.slack: no webhook to tell Slack by; expected alerting.slack.webhookSecretArn beside it",
        "alerting.grafana.contactPoints.pagerDuty: no routing key to call people by; expected alerting.pagerduty beside it",
      ],
    ],
  ];
  it.each(cases)("names every problem of %j at once [B11]", (grafana, expected) => {
    const found = problems({ grafana });
    if (expected.length > 0) expect(found).toEqual(expected);
    else {
      expect(found).toHaveLength(4);
      expect(found.join("\n")).not.toMatch(/glsa_|secret@/);
    }
  });
});
