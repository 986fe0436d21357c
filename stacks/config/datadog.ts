/**
 * Datadog: where its account is, where the hook finds its keys, and whom monitors name. The provider's own sign-in is no part of it
 * (`datadog:apiKey` and `datadog:appKey`, set with `pulumi config set --secret`).
 */
import { z } from "zod";
import { whyUnsayable } from "../../core/datadog-queries.ts";
import { type RuleContext, watchedIn, watchRules } from "../../core/watch-rules.ts";
import type { DatadogConfig, ServiceConfig } from "./model.ts";
import { secretArn, withoutPlaintext } from "./plaintext.ts";
import { checkFields, type Path, type Problems, pathText, text, word } from "./problems.ts";

/** Sites of Datadog, as they stand in `api.<site>`. Source: Datadog API reference, "Create a monitor", read 2026-11. */
export const datadogSites = [
  "datadoghq.com",
  "us3.datadoghq.com",
  "us5.datadoghq.com",
  "datadoghq.eu",
  "ap1.datadoghq.com",
  "ap2.datadoghq.com",
  "uk1.datadoghq.com",
  "ddog-gov.com",
  "us2.ddog-gov.com",
] as const;

/** People and channels: `@slack-alerts`, `@pagerduty-web`, `@name@example.com`. */
const handle = text(/^@[A-Za-z0-9][\w.@+/-]{0,199}$/, {
  wrong: "not a handle of Datadog's",
  expected: "@ and a name, such as @slack-alerts or @name@example.com",
});
/** A monitor's message has room for a few. */
const handles = z.array(handle);
const maximumHandles = 10;

const datadogFields = {
  site: word(datadogSites, "not a site of Datadog's"),
  keysSecretArn: secretArn.optional(),
  notify: z.unknown(),
};
const notifyFields = { critical: handles.optional(), warning: handles.optional() };

/** What people write down as it is. */
const plaintext: Readonly<Record<string, string>> = Object.fromEntries(
  ["apiKey", "appKey", "api_key", "app_key", "applicationKey", "keys"].map((key) => [key, "keysSecretArn"]),
);

/** Reads Datadog's part of alerting; `undefined` after a problem. */
export function readDatadog(raw: unknown, path: Path, problems: Problems): DatadogConfig | undefined {
  const before = problems.texts.length;
  const fields = checkFields(datadogFields, withoutPlaintext(plaintext, raw, path, problems), path, problems);
  const notify = readNotify(fields.notify, [...path, "notify"], problems);
  if (problems.texts.length > before || fields.site === undefined) return undefined;
  return {
    site: fields.site,
    ...(fields.keysSecretArn === undefined ? {} : { keysSecretArn: fields.keysSecretArn }),
    notify,
  };
}

function readNotify(raw: unknown, path: Path, problems: Problems): DatadogConfig["notify"] {
  if (raw === undefined) return { critical: [], warning: [] };
  const fields = checkFields(notifyFields, raw, path, problems);
  for (const severity of ["critical", "warning"] as const) {
    const named = fields[severity] ?? [];
    const repeated = named.find((name, index) => named.indexOf(name) !== index);
    if (repeated !== undefined) {
      problems.add([...path, severity], { wrong: "named twice", expected: "each handle once" }, repeated);
    }
    if (named.length > maximumHandles) {
      problems.add(
        [...path, severity],
        {
          wrong: "too many handles",
          expected: `at most ${maximumHandles}`,
          wayOut: "Make a team handle of them in Datadog",
        },
        named.length,
      );
    }
  }
  return { critical: fields.critical ?? [], warning: fields.warning ?? [] };
}

/** Refuses promises that Datadog is to watch and cannot say; what it says otherwise is in docs/datadog.md. */
export function checkMonitors(
  service: Pick<ServiceConfig, "objectives" | "source" | "plan">,
  path: Path,
  problems: Problems,
): void {
  const { objectives, source, plan } = service;
  if (source !== "datadog") return;
  // The most that a service is ever watched for: a canary beside its baseline.
  const canary: RuleContext["canary"] = { plan, exposurePercent: 1, figures: [] };
  const refused = watchRules(objectives, source, { canary })
    .rules.filter((rule) => watchedIn(rule, source) === "datadog")
    .flatMap((rule) => {
      const why = whyUnsayable(rule);
      return why === undefined ? [] : [`${rule.key}: not for Datadog, got ${why}; expected what its monitors can say`];
    });
  for (const text of refused) problems.texts.push(`${pathText([...path, "objectives"])}: ${text}. Take source emf`);
}
