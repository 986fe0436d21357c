/**
 * Who is told, by channel. Secrets are named by where they are kept, never written down: a key in a config file is in every clone of the
 * repository. Nothing that was written here is repeated in a message but e-mail addresses, since any of it may be a key in the wrong place.
 */
import { z } from "zod";
import { isSlug, maximumServiceLength, slugRule } from "../../core/naming.ts";
import { defaultRunbookBase } from "../../core/runbooks.ts";
import { readDatadog } from "./datadog.ts";
import { readGrafana } from "./grafana.ts";
import type { AlertingConfig, PagerDutyConfig, SlackConfig } from "./model.ts";
import { secretArn, withoutPlaintext } from "./plaintext.ts";
import { check, checkFields, flag, isMap, type Path, type Problems, text } from "./problems.ts";
import { readReport } from "./report.ts";

const email = text(/^[^\s@<>"]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/, {
  wrong: "not an e-mail address",
  expected: "name@example.com",
});
/** Alarm descriptions end after 1,024 characters, and a composite's may hold five links. Unit: characters. */
const maximumLinkBaseLength = 120;
const runbooks = text(
  new RegExp(`^(?=.{1,${maximumLinkBaseLength}}$)(?:https?://[^\\s?#]+|[\\w.-]+(?:/[\\w.-]+)*/?)$`),
  {
    wrong: "not a place for runbooks",
    expected: `a URL or a folder of at most ${maximumLinkBaseLength} characters, such as https://wiki.example.com/tidegate`,
  },
);
const dashboard = text(/^https?:\/\/\S{1,500}$/, {
  wrong: "not a URL",
  expected: "https://… of at most 500 characters",
});
const pagerDutyId = text(/^[A-Z0-9]{5,20}$/, {
  wrong: "not a PagerDuty id",
  expected: "the id at the end of its page's URL, such as PABC123",
});
const workspaceId = text(/^T[A-Z0-9]{2,20}$/, {
  wrong: "not the id of a Slack workspace",
  expected: "T…, as the AWS console shows it once the workspace is authorised",
});
const channelId = text(/^[CG][A-Z0-9]{2,20}$/, {
  wrong: "not the id of a Slack channel",
  expected: "C… or G…, the end of the channel's link",
});

const alertingFields = {
  email: z.array(email).optional(),
  runbooks: runbooks.optional(),
  dashboard: dashboard.optional(),
  pagerduty: z.unknown(),
  slack: z.unknown(),
  grafana: z.unknown(),
  datadog: z.unknown(),
  report: z.unknown(),
};

/** What a channel needs that people write down as it is, and where it belongs. */
const plaintext: Readonly<Record<"pagerduty" | "slack", Readonly<Record<string, string>>>> = {
  pagerduty: { routingKey: "routingKeySecretArn", integrationKey: "routingKeySecretArn", apiToken: "pagerduty:token" },
  slack: { webhook: "webhookSecretArn", webhookUrl: "webhookSecretArn", token: "webhookSecretArn" },
};

function readOwners(raw: unknown, path: Path, problems: Problems): Readonly<Record<string, string>> {
  if (raw === undefined) return {};
  if (!isMap(raw)) {
    problems.add(
      path,
      { wrong: "must be a map", expected: "a map from owner to the id of their service" },
      raw ?? undefined,
    );
    return {};
  }
  const owners: Record<string, string> = {};
  for (const [owner, written] of Object.entries(raw)) {
    if (!isSlug(owner, maximumServiceLength)) {
      const expected = `at most ${maximumServiceLength} characters: ${slugRule}`;
      problems.add([...path, owner], { wrong: "not an owner's name", expected });
    }
    const id = check(pagerDutyId, written, [...path, owner], problems);
    if (id !== undefined) owners[owner] = id;
  }
  return owners;
}

const pagerDutyFields = {
  escalationPolicyId: pagerDutyId.optional(),
  owners: z.unknown(),
  groupAlerts: flag.optional(),
  routingKeySecretArn: secretArn.optional(),
};

function readPagerDuty(raw: unknown, path: Path, problems: Problems): PagerDutyConfig | undefined {
  const before = problems.texts.length;
  const known = withoutPlaintext(plaintext.pagerduty, raw, path, problems);
  const fields = checkFields(pagerDutyFields, known, path, problems);
  const owners = readOwners(fields.owners, [...path, "owners"], problems);
  const written = isMap(known) ? Object.keys(known) : [];
  const brings = written.includes("routingKeySecretArn");
  const made = ["escalationPolicyId", "owners", "groupAlerts"].filter((key) => written.includes(key));
  if (brings) {
    for (const key of made) {
      problems.add([...path, key], {
        wrong: "belongs to a service that the program makes, and routingKeySecretArn brings one's own",
        expected: "one of the two",
        wayOut: `Leave ${key} or routingKeySecretArn out`,
      });
    }
  } else if (problems.texts.length === before && fields.escalationPolicyId === undefined) {
    problems.add(path, {
      wrong: "nobody to call",
      expected: "escalationPolicyId or routingKeySecretArn",
      wayOut: "Name who is called, or where the routing key of a service of your own is kept",
    });
  }
  if (problems.texts.length > before) return undefined;
  const { escalationPolicyId, routingKeySecretArn } = fields;
  if (routingKeySecretArn !== undefined) return { kind: "own-key", routingKeySecretArn };
  if (escalationPolicyId === undefined) return undefined;
  return { kind: "made", escalationPolicyId, owners, groupAlerts: fields.groupAlerts ?? true };
}

const slackFields = { webhookSecretArn: secretArn.optional(), chatbot: z.unknown() };
const chatbotFields = { workspaceId, criticalChannelId: channelId, warningsChannelId: channelId };

function readSlack(raw: unknown, path: Path, problems: Problems): SlackConfig | undefined {
  const before = problems.texts.length;
  const fields = checkFields(slackFields, withoutPlaintext(plaintext.slack, raw, path, problems), path, problems);
  const hasChatbot = fields.chatbot !== undefined;
  const chatbot = hasChatbot ? checkFields(chatbotFields, fields.chatbot, [...path, "chatbot"], problems) : {};
  const { webhookSecretArn } = fields;
  if (problems.texts.length === before && webhookSecretArn === undefined && !hasChatbot) {
    problems.add(path, { wrong: "no way there", expected: "webhookSecretArn, chatbot or both" });
  }
  if (problems.texts.length > before) return undefined;
  const { workspaceId: workspace, criticalChannelId, warningsChannelId } = chatbot;
  return {
    ...(webhookSecretArn === undefined ? {} : { webhookSecretArn }),
    ...(workspace && criticalChannelId && warningsChannelId
      ? { chatbot: { workspaceId: workspace, criticalChannelId, warningsChannelId } }
      : {}),
  };
}

/** Reads alerting; nothing given means that nobody is told but in the record and the previews. */
export function readAlerting(raw: unknown, path: Path, problems: Problems): AlertingConfig {
  if (raw === undefined) return { email: [], runbooks: defaultRunbookBase };
  const fields = checkFields(alertingFields, raw, path, problems);
  const given = (key: "pagerduty" | "slack" | "grafana" | "datadog" | "report") => isMap(raw) && raw[key] !== undefined;
  const pagerduty = given("pagerduty") ? readPagerDuty(fields.pagerduty, [...path, "pagerduty"], problems) : undefined;
  const slack = given("slack") ? readSlack(fields.slack, [...path, "slack"], problems) : undefined;
  // A channel that was tried and came to nothing has been complained about.
  const known = {
    slack: slack?.webhookSecretArn !== undefined || (given("slack") && !slack),
    pagerDuty: given("pagerduty"),
  };
  const grafana = given("grafana") ? readGrafana(fields.grafana, [...path, "grafana"], problems, known) : undefined;
  const report = given("report") ? readReport(fields.report, [...path, "report"], problems) : undefined;
  const datadog = given("datadog") ? readDatadog(fields.datadog, [...path, "datadog"], problems) : undefined;
  return {
    email: fields.email ?? [],
    runbooks: fields.runbooks ?? defaultRunbookBase,
    ...(fields.dashboard === undefined ? {} : { dashboard: fields.dashboard }),
    ...(pagerduty ? { pagerduty } : {}),
    ...(slack ? { slack } : {}),
    ...(grafana ? { grafana } : {}),
    ...(datadog ? { datadog } : {}),
    ...(report ? { report } : {}),
  };
}
