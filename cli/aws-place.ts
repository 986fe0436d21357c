/**
 * The real outside of the operator's commands: terminal, clock, shared AWS config, and one AWS environment behind the SDK. Everything
 * that speaks to AWS for these commands is wired here.
 *
 * Each client is loaded when it is first used: a kill through the hook loads two, and no adapter.
 */
import { createInterface } from "node:readline/promises";
import type { InvokeCommandOutput, LambdaClient } from "@aws-sdk/client-lambda";
import { acknowledgeAliasName, hookAliasName, hookFunctionName, tableName } from "../core/naming.ts";
import { defaultRunbookBase } from "../core/runbooks.ts";
import type { AwsCredentials as Credentials } from "../hooks/aws/clients.ts";
import type { Ports } from "../hooks/ports.ts";
import {
  type Access,
  type Caller,
  type Connection,
  type HookAlias,
  HookCallError,
  NoCredentialsError,
  type Outside,
  type Terminal,
} from "./outside.ts";

type Variables = Outside["variables"];

const aliasNames: Readonly<Record<HookAlias, string>> = { live: hookAliasName, acknowledge: acknowledgeAliasName };

/** How long a connection may take; the whole call has a limit of its own. Unit: milliseconds. */
const connectTimeoutMilliseconds = 1_000;

/** Errors with which Lambda refuses a call before anything runs. Source: Lambda API reference, Invoke, read 2026-11. */
const refusals: ReadonlySet<string> = new Set([
  "ResourceNotFoundException",
  "AccessDeniedException",
  "TooManyRequestsException",
  "InvalidParameterValueException",
  "ResourceNotReadyException",
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "ExpiredTokenException",
  "KMSAccessDeniedException",
]);

/** Terminal, clock and AWS as this process has them. */
export function realOutside(variables: Variables = process.env): Outside {
  const terminal = processTerminal();
  return {
    variables,
    terminal,
    timers: {
      now: () => Date.now(),
      after: (milliseconds, act) => {
        const timer = setTimeout(act, milliseconds);
        return () => clearTimeout(timer);
      },
    },
    profileRegion,
    connect: (access) => awsConnection(access, variables, terminal),
  };
}

/** Questions go to standard error: standard output is the answer's, and may be piped. */
function processTerminal(): Terminal {
  return {
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    async confirm(question) {
      const { default: confirm } = await import("@inquirer/confirm");
      try {
        return await confirm({ message: question, default: false }, { output: process.stderr });
      } catch (error) {
        if (error instanceof Error && error.name === "ExitPromptError") return false;
        throw error;
      }
    },
  };
}

/** The SDK reads the shared config itself, files named by AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE included. */
async function profileRegion(profile: string | undefined): Promise<string | undefined> {
  const { STSClient } = await import("@aws-sdk/client-sts");
  const client = new STSClient(profile === undefined ? {} : { profile });
  try {
    return await client.config.region();
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}

function awsConnection(access: Access, variables: Variables, terminal: Terminal): Connection {
  let found: Promise<Credentials> | undefined;
  const credentials = async () => {
    found ??= credentialsOf(access, variables, terminal);
    return found;
  };
  const settings = async () => ({
    region: access.region,
    credentials: await credentials(),
    requestHandler: { connectionTimeout: connectTimeoutMilliseconds },
  });
  let lambda: Promise<LambdaClient> | undefined;
  const lambdaClient = async () => {
    lambda ??= Promise.all([settings(), import("@aws-sdk/client-lambda")]).then(
      // One try: the way round the hook is faster than a second one, and a command must not run twice unseen.
      ([common, sdk]) => new sdk.LambdaClient({ ...common, maxAttempts: 1 }),
    );
    return lambda;
  };
  let ports: Promise<Ports> | undefined;
  return {
    async signIn() {
      try {
        // Loaded here, where nothing is limited: the second that STS has is for its answer.
        const [{ accessKeyId }] = await Promise.all([
          credentials().then((find) => find()),
          import("@aws-sdk/client-sts"),
        ]);
        return { accessKeyId };
      } catch (error) {
        throw new NoCredentialsError(noCredentialsWords(error, access), { cause: error });
      }
    },
    async caller(signal) {
      const [common, { GetCallerIdentityCommand, STSClient }] = await Promise.all([
        settings(),
        import("@aws-sdk/client-sts"),
      ]);
      const client = new STSClient({ ...common, maxAttempts: 2 });
      const asked = client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
      // What comes next is a call of the hook, nearly always: its client loads while STS thinks.
      lambdaClient().catch(() => {});
      return callerOf(await asked);
    },
    async invoke(alias, event, signal) {
      return invoke(await lambdaClient(), access, alias, "RequestResponse", event, signal);
    },
    async figures() {
      const [common, { CloudWatchClient }, { cloudWatchMetrics }, { cloudWatchSource }] = await Promise.all([
        settings(),
        import("@aws-sdk/client-cloudwatch"),
        import("../hooks/aws/metrics.ts"),
        import("../reports/sources/cloudwatch.ts"),
      ]);
      const client = new CloudWatchClient(common);
      return cloudWatchSource(client, cloudWatchMetrics(client));
    },
    async reach(alias, signal) {
      await invoke(await lambdaClient(), access, alias, "DryRun", undefined, signal);
    },
    ports() {
      ports ??= portsOf(access, credentials);
      return ports;
    },
  };
}

/**
 * The AWS CLI's order: keys in the environment win over AWS_PROFILE, `--profile` wins over both; then SSO, shared config with assumed
 * roles, container and instance roles. The SDK alone would let AWS_PROFILE win over keys.
 */
export async function credentialsOf(access: Access, variables: Variables, terminal: Terminal): Promise<Credentials> {
  const { fromEnv, fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
  const hasKeys = Boolean(variables.AWS_ACCESS_KEY_ID) && Boolean(variables.AWS_SECRET_ACCESS_KEY);
  if (access.profile === undefined && hasKeys) return fromEnv();
  const chain = fromNodeProviderChain({
    ...(access.profile === undefined ? {} : { profile: access.profile }),
    clientConfig: { region: access.region },
    // It would warn on standard error that both are set; which one wins is said above.
    logger: silentLogger,
    ...(terminal.isInteractive ? { mfaCodeProvider: askForCode } : {}),
  });
  // Asked once a command, by whichever client comes first: a second question for a code would ask for the same one.
  let once: ReturnType<Credentials> | undefined;
  return () => {
    once ??= chain();
    return once;
  };
}

const silentLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function askForCode(serial: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`MFA code for ${serial}: `)).trim();
  } finally {
    lines.close();
  }
}

export function noCredentialsWords(error: unknown, { profile }: Pick<Access, "profile">): string {
  const said = error instanceof Error ? error.message.replace(/\s+/g, " ").replace(/\.$/, "") : String(error);
  const whose = profile === undefined ? "AWS credentials" : `AWS credentials of profile ${profile}`;
  return `${whose}: not found, got ${said}; expected what the AWS CLI would find. Try aws sts get-caller-identity, then aws sso login or --profile`;
}

function callerOf({ Arn, Account }: { readonly Arn?: string; readonly Account?: string }): Caller {
  if (Arn === undefined || Account === undefined || !/^\d{12}$/.test(Account))
    throw new Error(
      `STS GetCallerIdentity: no caller in the answer, got ${Arn} in ${Account}; expected an ARN and 12 digits`,
    );
  return { arn: Arn, accountId: Account };
}

async function invoke(
  client: LambdaClient,
  { environment }: Access,
  alias: HookAlias,
  type: "RequestResponse" | "DryRun",
  event: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const { InvokeCommand } = await import("@aws-sdk/client-lambda");
  const name = `the hook (${hookFunctionName(environment)}:${aliasNames[alias]})`;
  const command = new InvokeCommand({
    FunctionName: hookFunctionName(environment),
    Qualifier: aliasNames[alias],
    InvocationType: type,
    ...(event === undefined ? {} : { Payload: Buffer.from(JSON.stringify(event)) }),
  });
  let answer: InvokeCommandOutput;
  try {
    answer = await client.send(command, { abortSignal: signal });
  } catch (error) {
    const { name: kind, message } = error instanceof Error ? error : new Error(String(error));
    throw new HookCallError(`${name}: not called, got ${kind}: ${message.replace(/\s+/g, " ")}`, {
      mayHaveRun: !refusals.has(kind),
    });
  }
  // A dry run has no body, which the SDK hands over as null.
  const payload = answer.Payload ? Buffer.from(answer.Payload).toString("utf8") : "";
  if (answer.FunctionError !== undefined)
    throw new HookCallError(`${name}: its run failed, got ${failureWords(payload)}`, { mayHaveRun: true });
  if (type === "DryRun") return undefined;
  try {
    return JSON.parse(payload);
  } catch {
    throw new HookCallError(`${name}: its answer is no JSON, got ${JSON.stringify(payload.slice(0, 200))}`, {
      mayHaveRun: true,
    });
  }
}

/** Lambda's own error object: `{ errorType, errorMessage, … }`. */
function failureWords(payload: string): string {
  try {
    const { errorType, errorMessage }: { errorType?: unknown; errorMessage?: unknown } = Object(JSON.parse(payload));
    return `${String(errorType)}: ${String(errorMessage)}`.replace(/\s+/g, " ").slice(0, 500);
  } catch {
    return payload.slice(0, 200);
  }
}

/** The adapters with the operator's credentials. There is no pager here: pages wait in the record, and the hook sends them. */
async function portsOf({ environment, region }: Access, credentials: () => Promise<Credentials>): Promise<Ports> {
  const [found, { awsPorts }] = await Promise.all([credentials(), import("../hooks/aws/ports.ts")]);
  return awsPorts({
    region,
    credentials: found,
    tableName: tableName(environment),
    place: { environment, region, runbookBase: defaultRunbookBase },
  });
}
