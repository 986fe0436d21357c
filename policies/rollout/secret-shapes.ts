/**
 * What a secret in plain text looks like. Some say so themselves, by a prefix that nothing else has; PagerDuty's and Datadog's keys are
 * bare hex or letters and digits, and only the name beside them tells.
 *
 * Sources, read 2026-11: "IAM identifiers" (AWS IAM user guide) for access keys; Slack, "Sending messages using incoming webhooks" and
 * "Token types"; Grafana, "Service accounts" (`glsa_`) and "Access policies" (`glc_`); PagerDuty, "Events API v2 overview" (32
 * characters); Datadog, "API and application keys" (32 and 40 hex); GitHub, "About authentication to GitHub", token formats; Stripe, "API
 * keys"; Discord, "Webhook resource".
 */
import { type Known, unknown } from "../known.ts";

/** A secret that was found; never the secret itself. */
export interface FoundSecret {
  /** Where, such as `environment.variables.PAGERDUTY_KEY`. */
  readonly path: string;
  /** What it looks like, such as `a Slack webhook URL`. */
  readonly what: string;
}

/** Unmistakable anywhere, in the middle of a text, too. */
const tellingShapes: readonly { readonly what: string; readonly shape: RegExp }[] = [
  { what: "an AWS access key id", shape: /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])/ },
  { what: "a private key", shape: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/ },
  {
    what: "a Slack webhook URL",
    shape: /https:\/\/hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/\S{8}/,
  },
  { what: "a Slack token", shape: /(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10}/ },
  { what: "a Grafana token", shape: /(?<![A-Za-z0-9])(?:glsa|glc)_[A-Za-z0-9_+/=]{20}/ },
  { what: "a GitHub token", shape: /(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22})/ },
  { what: "a Stripe key", shape: /(?<![A-Za-z0-9])(?:sk|rk)_live_[A-Za-z0-9]{16}/ },
  {
    what: "a Discord webhook URL",
    shape: /https:\/\/(?:\w+\.)?discord(?:app)?\.com\/api\/(?:v\d+\/)?webhooks\/\d+\/\S{8}/,
  },
  {
    what: "a URL with a password",
    shape: /[a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:[^\s/@]{4,}@/i,
  },
  {
    what: "a PagerDuty integration URL",
    shape: /https:\/\/events\.(?:eu\.)?pagerduty\.com\/integration\/[A-Za-z0-9]{20}/,
  },
];

/** Told by the name beside them alone. */
const namedShapes: readonly { readonly what: string; readonly name: RegExp; readonly shape: RegExp }[] = [
  {
    what: "a PagerDuty routing key",
    name: /pager.?duty|routing.?key|integration.?key|service.?key/i,
    shape: /^(?=.*[0-9])[A-Za-z0-9]{32}$/,
  },
  { what: "a PagerDuty API token", name: /pager.?duty|\bpd.?(?:api|token)/i, shape: /^[A-Za-z0-9_+-]{20}$/ },
  { what: "a Datadog key", name: /datadog|^dd_|dd.?(?:api|app)/i, shape: /^(?:[0-9a-f]{32}|[0-9a-f]{40})$/ },
  {
    what: "an AWS secret access key",
    name: /secret.?(?:access.?)?key/i,
    shape: /^(?=.*[0-9+/])(?=.*[A-Z])[A-Za-z0-9+/]{40}$/,
  },
  {
    what: "a password",
    name: /passw(?:or)?d|passphrase/i,
    // No reference, no address, no word for how a password is asked for.
    shape: /^(?!arn:|\{\{|\$\{|[a-z][a-z0-9+.-]*:\/\/)(?!(?:disabled|required|optional)$)[^{}]{8,}$/i,
  },
  {
    what: "a key or token",
    name: /(?:api|app|access|auth|signing|encryption|private).?key|token|webhook|client.?secret|^secret$|_secret$/i,
    // Long, without a space, and with letters and digits: no word, no name, no ARN, no URL without a path.
    shape: /^(?=.*[0-9])(?=.*[A-Za-z])(?!arn:)(?!.*:\/\/[^/]*\/?$)[^\s"{}]{20,}$/,
  },
];

/** Names that end so hold where a secret is, not what it is. */
const pointers = /(?:arn|arns|name|names|id|ids|path|ref|version|length|days|seconds|minutes|hash|sha256|digest|url)$/i;

/**
 * Every secret under these properties. Values that are not known yet are not looked at: `up` knows them.
 * @param skipped paths of properties to leave out with all that is in them, list positions left out: `users.password`
 */
export function secretsIn(value: Known, skipped: ReadonlySet<string> = new Set()): FoundSecret[] {
  return search(value, [], undefined, skipped);
}

function search(
  value: Known,
  path: readonly string[],
  name: string | undefined,
  skipped: ReadonlySet<string>,
): FoundSecret[] {
  if (value === unknown || value === null || value === undefined || isSkipped(path, skipped)) return [];
  if (typeof value === "string") return inText(value, path, name, skipped);
  if (typeof value !== "object") return [];
  if (Array.isArray(value)) {
    return value.flatMap((entry, index) => search(entry, [...path, String(index)], name, skipped));
  }
  const entries = Object.entries(value);
  // A container's variables and most tags are lists of { name, value }.
  const label = entries.flatMap(([key, entry]) =>
    /^(?:name|key)$/i.test(key) && typeof entry === "string" ? [entry] : [],
  )[0];
  return entries.flatMap(([key, entry]) => {
    const told = label !== undefined && /^value$/i.test(key) ? label : key;
    return search(entry, [...path, key], told, skipped);
  });
}

function isSkipped(path: readonly string[], skipped: ReadonlySet<string>): boolean {
  return skipped.has(path.filter((step) => !/^\d+$/.test(step)).join("."));
}

function inText(
  text: string,
  path: readonly string[],
  name: string | undefined,
  skipped: ReadonlySet<string>,
): FoundSecret[] {
  const place = path.join(".");
  const telling = tellingShapes.find(({ shape }) => shape.test(text));
  if (telling) return [{ path: place, what: telling.what }];
  const inner = parsed(text);
  if (inner !== undefined) return search(inner, path, undefined, skipped);
  if (name === undefined || pointers.test(name)) return [];
  const named = namedShapes.find((candidate) => candidate.name.test(name) && candidate.shape.test(text));
  return named ? [{ path: place, what: named.what }] : [];
}

/** Container definitions, configuration and policies come as JSON in a text. */
function parsed(text: string): Known | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Known;
  } catch {
    return undefined;
  }
}
