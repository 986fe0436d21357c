/**
 * Grafana: where people and the hook reach it, its data sources, and whom its own rules tell. The provider's sign-in is no part of it
 * (`grafana:url` and `grafana:auth`, the latter set with `pulumi config set --secret`).
 */
import { z } from "zod";
import type { GrafanaConfig } from "./model.ts";
import { secretArn, withoutPlaintext } from "./plaintext.ts";
import { checkFields, flag, isMap, type Path, type Problems, text } from "./problems.ts";

/** Over TLS, since the hook sends its token there; and no sign-in inside. Unit of the length: characters. */
const url = text(/^https:\/\/[^\s/?#@]{1,200}(?:\/[^\s?#]{0,200})?$/, {
  wrong: "not the URL of a Grafana",
  expected: "https://<host>, a path after it if need be, and no sign-in in it",
});
const prometheusUrl = text(/^https?:\/\/[^\s/?#@]{1,200}(?:\/[^\s?#]{0,200})?$/, {
  wrong: "not the URL of a Prometheus",
  expected: "http(s)://<host>, as Grafana reaches it, and no sign-in in it",
  wayOut: "One that needs a sign-in: make the data source in Grafana, and name it by uid",
});
/** Source: Grafana HTTP API, data sources: letters, digits, `-` and `_`, at most 40, read 2026-11. */
const uid = text(/^[A-Za-z0-9_-]{1,40}$/, {
  wrong: "not the uid of a data source",
  expected: "1 to 40 letters, digits, - and _, as in the URL of its settings page",
});

const grafanaFields = {
  url,
  prometheus: z.unknown(),
  cloudWatch: z.unknown(),
  tokenSecretArn: secretArn.optional(),
  contactPoints: z.unknown(),
};
const prometheusFields = { uid: uid.optional(), url: prometheusUrl.optional() };
const cloudWatchFields = { uid };
const contactFields = { slack: flag.optional(), pagerDuty: flag.optional() };

/** What people write down as it is. */
const plaintext: Readonly<Record<string, string>> = {
  token: "tokenSecretArn",
  serviceAccountToken: "tokenSecretArn",
  apiKey: "tokenSecretArn",
  auth: "grafana:auth",
};

/** Channels whose secrets are known from elsewhere in `alerting`. */
export interface KnownChannels {
  /** There is a Slack webhook. */
  readonly slack: boolean;
  readonly pagerDuty: boolean;
}

/** Reads Grafana's part of alerting; `undefined` after a problem. */
export function readGrafana(
  raw: unknown,
  path: Path,
  problems: Problems,
  known: KnownChannels,
): GrafanaConfig | undefined {
  const before = problems.texts.length;
  const fields = checkFields(grafanaFields, withoutPlaintext(plaintext, raw, path, problems), path, problems);
  const prometheus = readPrometheus(fields.prometheus, [...path, "prometheus"], problems);
  const cloudWatch = readCloudWatch(fields.cloudWatch, [...path, "cloudWatch"], problems);
  const contactPoints = readContactPoints(fields.contactPoints, [...path, "contactPoints"], problems, known);
  if (problems.texts.length > before || fields.url === undefined || cloudWatch === undefined) return undefined;
  return {
    url: fields.url,
    ...(prometheus ? { prometheus } : {}),
    cloudWatch,
    ...(fields.tokenSecretArn === undefined ? {} : { tokenSecretArn: fields.tokenSecretArn }),
    contactPoints,
  };
}

function readPrometheus(raw: unknown, path: Path, problems: Problems): GrafanaConfig["prometheus"] {
  if (raw === undefined) return undefined;
  const before = problems.texts.length;
  const fields = checkFields(prometheusFields, raw, path, problems);
  if (problems.texts.length > before) return undefined;
  if (fields.uid !== undefined && fields.url === undefined) return { uid: fields.uid };
  if (fields.url !== undefined && fields.uid === undefined) return { url: fields.url };
  problems.add(path, {
    wrong: fields.uid === undefined ? "no data source" : "two data sources",
    expected: "uid of one that is there, or url of a Prometheus that the program makes one for",
  });
  return undefined;
}

/** Left out: made, with the sign-in that Grafana itself runs under. */
function readCloudWatch(raw: unknown, path: Path, problems: Problems): GrafanaConfig["cloudWatch"] | undefined {
  if (raw === undefined || raw === "make") return "make";
  if (!isMap(raw)) {
    problems.add(path, { wrong: "not a data source", expected: "make, or a map with its uid" }, raw ?? undefined);
    return undefined;
  }
  const fields = checkFields(cloudWatchFields, raw, path, problems);
  return fields.uid === undefined ? undefined : { uid: fields.uid };
}

function readContactPoints(
  raw: unknown,
  path: Path,
  problems: Problems,
  known: KnownChannels,
): GrafanaConfig["contactPoints"] {
  const fields = raw === undefined ? {} : checkFields(contactFields, raw, path, problems);
  const { slack = false, pagerDuty = false } = fields;
  if (slack && !known.slack) {
    problems.add([...path, "slack"], {
      wrong: "no webhook to tell Slack by",
      expected: "alerting.slack.webhookSecretArn beside it",
    });
  }
  if (pagerDuty && !known.pagerDuty) {
    problems.add([...path, "pagerDuty"], {
      wrong: "no routing key to call people by",
      expected: "alerting.pagerduty beside it",
    });
  }
  return { slack, pagerDuty };
}
