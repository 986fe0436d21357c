/**
 * How one gets into an AWS account, as settings of Pulumi's AWS provider say it: read once here, for stack config (`aws:` keys) and for
 * providers in other people's programs alike, so that whatever the provider acts with, the SDK reads with. A setting that the SDK cannot
 * follow is refused by name: records read with other credentials than rules are written with could be another environment's.
 */

/** A role that is assumed. Source of the fields: provider `aws` 7.48, `assumeRoles`; STS AssumeRole API reference, read 2026-11. */
export interface AssumedRole {
  readonly roleArn: string;
  /** @default made up by whoever assumes it */
  readonly sessionName?: string;
  readonly externalId?: string;
  /** Unit: seconds. Range: 900 to 43,200. @default AWS's: an hour */
  readonly durationSeconds?: number;
  /** Narrows what the session may do; JSON. */
  readonly policy?: string;
  readonly policyArns?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly transitiveTagKeys?: readonly string[];
  readonly sourceIdentity?: string;
}

/** What credentials are made of. */
export interface SignIn {
  /** Of the shared AWS config. @default what the environment, the profile named there or the machine gives */
  readonly profile?: string;
  /** Instead of a profile; secrets. */
  readonly keys?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
  /** Assumed one after the other, the first with the profile's, the keys' or the ambient credentials. */
  readonly assumeRoles: readonly AssumedRole[];
  /** Region whose STS is asked. @default the region acted in */
  readonly stsRegion?: string;
}

/** One setting that is wrong, or that cannot be followed; no value in it, since some are secrets. */
export interface SignInProblem {
  readonly key: readonly (string | number)[];
  readonly wrong: string;
  readonly expected: string;
  readonly wayOut: string;
}

/** Settings that name another cloud, other credentials or another way to them than the SDK is told. */
const refused: Readonly<Record<string, string>> = {
  assumeRole: "Provider 7 and later take assumeRoles, a list: write the role as its one entry",
  assumeRoleWithWebIdentity: "Set AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN",
  assumeRoleWithWebIdentities: "Set AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN",
  ec2MetadataServiceEndpoint: "Set AWS_EC2_METADATA_SERVICE_ENDPOINT",
  ec2MetadataServiceEndpointMode: "Set AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
  endpoints: "Set AWS_ENDPOINT_URL",
  sharedConfigFiles: "Set AWS_CONFIG_FILE",
  sharedCredentialsFiles: "Set AWS_SHARED_CREDENTIALS_FILE",
  useDualstackEndpoint: "Set AWS_USE_DUALSTACK_ENDPOINT",
  useFipsEndpoint: "Set AWS_USE_FIPS_ENDPOINT",
};

/** Settings of which keys are made; where they would stand in a stack's file, they are refused. */
const keySettings: Readonly<Record<string, string>> = {
  accessKey: "Set AWS_ACCESS_KEY_ID",
  secretKey: "Set AWS_SECRET_ACCESS_KEY",
  token: "Set AWS_SESSION_TOKEN",
};

/** Settings that change neither the account nor who acts in it: checks, tags, retries, the way through the network. */
const harmless: ReadonlySet<string> = new Set([
  "allowedAccountIds",
  "customCaBundle",
  "defaultTags",
  "forbiddenAccountIds",
  "httpProxy",
  "httpsProxy",
  "ignoreTags",
  "insecure",
  "maxRetries",
  "noProxy",
  "region",
  "retryMode",
  "s3UsEast1RegionalEndpoint",
  "s3UsePathStyle",
  "skipCredentialsValidation",
  "skipMetadataApiCheck",
  "skipRegionValidation",
  "skipRequestingAccountId",
  "tagPolicyCompliance",
  "tokenBucketRateLimiterCapacity",
  "userAgents",
  // Pulumi's own, on every provider.
  "pluginDownloadURL",
  "version",
]);

const readHere = new Set(["profile", "assumeRoles", "stsRegion", ...Object.keys(keySettings)]);

const cannotFollow = "cannot be followed by the AWS SDK, which reads records and rules";

/**
 * Reads the settings of a provider.
 * @param settings plain values, by the provider's own names; `undefined` and `null` are not set. Booleans that are off and empty lists count
 *   as not set, too
 * @param keys whether access keys may be among them
 */
export function readSignIn(
  settings: Readonly<Record<string, unknown>>,
  keys: "taken" | "refused",
): { readonly signIn: SignIn; readonly problems: readonly SignInProblem[] } {
  const problems: SignInProblem[] = [];
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => isSet(value)));
  for (const key of Object.keys(given)) {
    const wayOut = refused[key] ?? (keys === "refused" ? keySettings[key] : undefined);
    if (wayOut !== undefined) problems.push({ key: [key], wrong: cannotFollow, expected: "no such setting", wayOut });
    else if (!harmless.has(key) && !readHere.has(key)) {
      const wrong = "not a setting that this version knows, and it might name other credentials";
      problems.push({ key: [key], wrong, expected: "no such setting", wayOut: "Leave it out" });
    }
  }
  const text = (key: string) => readText(given[key], [key], problems);
  const profile = text("profile");
  const stsRegion = text("stsRegion");
  const found = keys === "taken" ? readKeys(given, problems) : undefined;
  if (found && profile !== undefined) {
    const wrong = "a profile beside access keys";
    problems.push({ key: ["profile"], wrong, expected: "one of the two", wayOut: "Leave one out" });
  }
  return {
    signIn: {
      ...(profile === undefined ? {} : { profile }),
      ...(found ? { keys: found } : {}),
      assumeRoles: readRoles(given.assumeRoles, problems),
      ...(stsRegion === undefined ? {} : { stsRegion }),
    },
    problems,
  };
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "false" || value === "") return false;
  return !(Array.isArray(value) && value.length === 0);
}

function readText(value: unknown, key: SignInProblem["key"], problems: SignInProblem[]): string | undefined {
  if (!isSet(value)) return undefined;
  if (typeof value === "string") return value;
  problems.push({ key, wrong: "must be a text", expected: "a text", wayOut: "Correct it, or leave it out" });
  return undefined;
}

function readKeys(given: Readonly<Record<string, unknown>>, problems: SignInProblem[]): SignIn["keys"] {
  const accessKeyId = readText(given.accessKey, ["accessKey"], problems);
  const secretAccessKey = readText(given.secretKey, ["secretKey"], problems);
  const sessionToken = readText(given.token, ["token"], problems);
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  if (accessKeyId === undefined && secretAccessKey === undefined && sessionToken === undefined) return undefined;
  const missing = accessKeyId === undefined ? "accessKey" : "secretKey";
  const wrong = "missing beside the other half of the keys";
  problems.push({ key: [missing], wrong, expected: "accessKey and secretKey", wayOut: "Give both, or none" });
  return undefined;
}

const listRule = "a list of maps, each with roleArn";
const roleArn = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;

function readRoles(value: unknown, problems: SignInProblem[]): readonly AssumedRole[] {
  if (!isSet(value)) return [];
  if (!Array.isArray(value)) {
    const wayOut = "pulumi config set --path 'aws:assumeRoles[0].roleArn' <arn>";
    problems.push({ key: ["assumeRoles"], wrong: "must be a list", expected: listRule, wayOut });
    return [];
  }
  return value.flatMap((entry: unknown, index) => readRole(entry, ["assumeRoles", index], problems) ?? []);
}

const texts = ["sessionName", "externalId", "policy", "sourceIdentity"] as const;
const lists = ["policyArns", "transitiveTagKeys"] as const;
const roleFields = new Set<string>(["roleArn", "duration", "tags", ...texts, ...lists]);

function readRole(entry: unknown, key: SignInProblem["key"], problems: SignInProblem[]): AssumedRole | undefined {
  if (!isRecord(entry)) {
    problems.push({ key, wrong: "must be a map", expected: listRule, wayOut: "Give the role's ARN as roleArn" });
    return undefined;
  }
  for (const field of Object.keys(entry)) {
    if (roleFields.has(field) || !isSet(entry[field])) continue;
    problems.push({ key: [...key, field], wrong: cannotFollow, expected: "no such field", wayOut: "Leave it out" });
  }
  const arn = entry.roleArn;
  if (typeof arn !== "string" || !roleArn.test(arn)) {
    const expected = "arn:aws:iam::<account>:role/<name>";
    const wrong = isSet(arn) ? "not the ARN of a role" : "missing";
    problems.push({ key: [...key, "roleArn"], wrong, expected, wayOut: "aws iam get-role shows it" });
    return undefined;
  }
  const durationSeconds = readDuration(entry.duration, [...key, "duration"], problems);
  const tags = readTags(entry.tags, [...key, "tags"], problems);
  const words = texts.flatMap((field) => {
    const text = readText(entry[field], [...key, field], problems);
    return text === undefined ? [] : [[field, text] as const];
  });
  const many = lists.flatMap((field) => {
    const list = readList(entry[field], [...key, field], problems);
    return list === undefined ? [] : [[field, list] as const];
  });
  return {
    roleArn: arn,
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    ...(tags === undefined ? {} : { tags }),
    ...Object.fromEntries(words),
    ...Object.fromEntries(many),
  };
}

const secondsOf: Readonly<Record<string, number>> = { h: 3_600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 };

/** Go's notation, as the provider takes it: `1h30m`. */
function readDuration(value: unknown, key: SignInProblem["key"], problems: SignInProblem[]): number | undefined {
  if (!isSet(value)) return undefined;
  const written = String(value);
  const parts = [...written.matchAll(/(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)/g)];
  const whole = parts.map(([part]) => part).join("") === written && parts.length > 0;
  const seconds = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (secondsOf[unit ?? ""] ?? 0), 0);
  if (whole && Number.isInteger(seconds) && seconds >= 900 && seconds <= 43_200) return seconds;
  const wrong = "not a length of a session";
  problems.push({ key, wrong, expected: "15m to 12h, whole seconds", wayOut: "Leave it out for an hour" });
  return undefined;
}

function readList(value: unknown, key: SignInProblem["key"], problems: SignInProblem[]): readonly string[] | undefined {
  if (!isSet(value)) return undefined;
  if (Array.isArray(value) && value.every((entry): entry is string => typeof entry === "string")) return value;
  problems.push({ key, wrong: "must be a list of texts", expected: "a list of texts", wayOut: "Correct it" });
  return undefined;
}

function readTags(
  value: unknown,
  key: SignInProblem["key"],
  problems: SignInProblem[],
): Readonly<Record<string, string>> | undefined {
  if (!isSet(value)) return undefined;
  if (isRecord(value)) {
    const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
    if (entries.length === Object.keys(value).length) return Object.fromEntries(entries);
  }
  problems.push({ key, wrong: "must be a map of texts", expected: "a map of texts", wayOut: "Quote its values" });
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
