/**
 * The real outside against AWS on loopback: the true SDK, credentials found as the AWS CLI finds them, and the whole command as a process.
 * The stand-in answers STS and Lambda alone; anything else it is asked fails the test.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const kill = ["kill", "--environment", "dev", "--service", "checkout", "--reason", "customers call", "--yes"];

interface Request {
  readonly target: string;
  readonly accessKeyId: string;
  readonly region: string;
  readonly body: string;
}

/** One answer of the stand-in; `undefined`: never. */
type Answer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }
  | undefined;

const requests: Request[] = [];
let lambda: (request: Request) => Answer;
let server: Server;
let endpoint: string;

const xml = (action: string, inner: string) =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${inner}</${action}Result></${action}Response>`;

function sts(request: Request): Answer {
  if (request.body.includes("Action=GetCallerIdentity")) {
    const role = request.accessKeyId === "ASIAASSUMED00000ROLE" ? "assumed-role/on-call/an-sre" : "user/an-sre";
    const arn = `arn:aws:iam::123456789012:${role}`;
    return {
      status: 200,
      body: xml("GetCallerIdentity", `<Arn>${arn}</Arn><UserId>X</UserId><Account>123456789012</Account>`),
    };
  }
  if (request.body.includes("Action=AssumeRole")) {
    const keys =
      "<AccessKeyId>ASIAASSUMED00000ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>";
    return { status: 200, body: xml("AssumeRole", `<Credentials>${keys}</Credentials>`) };
  }
  return { status: 500, body: "unknown" };
}

beforeAll(async () => {
  server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on("data", (part: Buffer) => parts.push(part));
    incoming.on("end", () => {
      const [, accessKeyId = "", region = ""] =
        /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(incoming.headers.authorization ?? "") ?? [];
      const target = incoming.url ?? "";
      const request = { target, accessKeyId, region, body: Buffer.concat(parts).toString("utf8") };
      requests.push(request);
      const answer = target.startsWith("/2015-03-31/functions/") ? lambda(request) : sts(request);
      if (!answer) return;
      response.writeHead(answer.status, answer.headers ?? {});
      response.end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  requests.length = 0;
  lambda = () => ({ status: 200, body: JSON.stringify({ outcome: "done", message: "2.0.0 killed" }) });
});

const config = join(mkdtempSync(join(tmpdir(), "tidegate-")), "config");
writeFileSync(
  config,
  `[profile base]
aws_access_key_id = AKIABASE000000000KEY
aws_secret_access_key = s
region = eu-north-1

[profile on-call]
role_arn = arn:aws:iam::123456789012:role/on-call
source_profile = base
region = eu-south-1

[profile guarded]
role_arn = arn:aws:iam::123456789012:role/on-call
mfa_serial = arn:aws:iam::123456789012:mfa/an-sre
source_profile = base
region = eu-south-1
`,
);

const keys = { AWS_ACCESS_KEY_ID: "AKIAENV0000000000KEY", AWS_SECRET_ACCESS_KEY: "s" };

/** The real command, with nothing of this shell's AWS settings. */
function launch(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ code: number; out: string; errors: string; milliseconds: number }>((resolve) => {
    const startedAt = performance.now();
    const child = execFile(
      process.execPath,
      ["cli/tidegate.mjs", ...words],
      {
        cwd: root,
        env: {
          PATH: process.env.PATH ?? "",
          HOME: tmpdir(),
          USER: "an-sre",
          NO_COLOR: "1",
          AWS_CONFIG_FILE: config,
          AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
          AWS_EC2_METADATA_DISABLED: "true",
          AWS_ENDPOINT_URL: endpoint,
          AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
          ...env,
        },
      },
      (_failure, out, errors) =>
        resolve({ code: child.exitCode ?? -1, out, errors, milliseconds: performance.now() - startedAt }),
    );
  });
}

describe("tidegate kill as a process", { timeout: 60_000 }, () => {
  it("asks STS who this is and calls the hook once, and nothing else [B4]", async () => {
    const { code, out, errors } = await launch([...kill, "--region", "eu-west-1"], keys);
    expect({ code, out, errors }).toEqual({ code: 0, out: "2.0.0 killed\n", errors: "" });
    expect(requests.map(({ target, accessKeyId, region }) => [target, accessKeyId, region])).toEqual([
      ["/", "AKIAENV0000000000KEY", "eu-west-1"],
      ["/2015-03-31/functions/tidegate-dev-hook/invocations?Qualifier=live", "AKIAENV0000000000KEY", "eu-west-1"],
    ]);
    expect(JSON.parse(requests[1]?.body ?? "")).toEqual({
      kind: "tidegate:command",
      command: "kill",
      service: "checkout",
      by: "arn:aws:iam::123456789012:user/an-sre",
      reason: "customers call",
    });
  });

  it("assumes the role of a profile and takes its region [A4]", async () => {
    const { code, errors } = await launch([...kill, "--profile", "on-call"]);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(
      requests.map(({ accessKeyId, region, body }) => [accessKeyId, region, /Action=\w+/.exec(body)?.[0]]),
    ).toEqual([
      ["AKIABASE000000000KEY", "eu-south-1", "Action=AssumeRole"],
      ["ASIAASSUMED00000ROLE", "eu-south-1", "Action=GetCallerIdentity"],
      ["ASIAASSUMED00000ROLE", "eu-south-1", undefined],
    ]);
    expect(JSON.parse(requests[2]?.body ?? "").by).toBe("arn:aws:iam::123456789012:assumed-role/on-call/an-sre");
  });

  it.each([
    [
      "keys in the environment over AWS_PROFILE",
      { ...keys, AWS_PROFILE: "base", AWS_REGION: "eu-west-1" },
      [],
      "AKIAENV0000000000KEY",
    ],
    [
      "--profile over keys in the environment",
      { ...keys, AWS_REGION: "eu-west-1" },
      ["--profile", "base"],
      "AKIABASE000000000KEY",
    ],
    ["AWS_PROFILE where there are no keys", { AWS_PROFILE: "base" }, [], "AKIABASE000000000KEY"],
  ])("takes %s, as the AWS CLI does [A4]", async (_name, env, words, key) => {
    const { code, errors } = await launch([...kill, ...words], env);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(new Set(requests.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set([key]));
  });

  it("says what is missing where a role wants a code and nobody can be asked, and where there are no credentials", async () => {
    const guarded = await launch([...kill, "--profile", "guarded"]);
    expect({ code: guarded.code, out: guarded.out }).toEqual({ code: 3, out: "" });
    expect(guarded.errors).toBe(
      "tidegate kill: AWS credentials of profile guarded: not found, got Profile guarded requires multi-factor authentication, but no MFA code callback was provided; expected what the AWS CLI would find. Try aws sts get-caller-identity, then aws sso login or --profile. Nothing was done\n",
    );
    const none = await launch([...kill, "--region", "eu-west-1"]);
    expect(none.code).toBe(3);
    expect(none.errors).toMatch(/^tidegate kill: AWS credentials: not found, got .+\. Nothing was done\n$/);
    expect(requests).toEqual([]);
  });

  it("ends soon after a hook that never answers, and says what it found [B4]", async () => {
    lambda = () => undefined;
    // Nothing but STS and Lambda is here: the way round the hook finds neither table nor rule.
    const { code, errors, milliseconds } = await launch([...kill, "--region", "eu-west-1"], keys);
    expect(code).toBe(3);
    expect(errors).toContain("the hook: no answer within 2 s. Doing it from here with your own credentials.");
    expect(errors).toContain("checkout: kill: nothing of it was found in dev, and nothing was changed:");
    expect(errors).toContain("looked in: account 123456789012, region eu-west-1");
    expect(milliseconds).toBeLessThan(30_000);
  });

  it.each([
    [
      "a run that failed",
      {
        status: 200,
        headers: { "X-Amz-Function-Error": "Unhandled" },
        body: '{"errorType":"Error","errorMessage":"table\\nthrottled"}',
      },
      "the hook (tidegate-dev-hook:acknowledge): its run failed, got Error: table throttled",
      1,
    ],
    [
      "no function",
      {
        status: 404,
        headers: { "x-amzn-errortype": "ResourceNotFoundException" },
        body: '{"Message":"Function not found"}',
      },
      "the hook (tidegate-dev-hook:acknowledge): not called, got ResourceNotFoundException: Function not found; nothing was changed",
      3,
    ],
    [
      "no permission",
      { status: 403, headers: { "x-amzn-errortype": "AccessDeniedException" }, body: '{"Message":"not authorized"}' },
      "the hook (tidegate-dev-hook:acknowledge): not called, got AccessDeniedException: not authorized; nothing was changed",
      3,
    ],
    [
      "a Lambda that fails itself",
      { status: 500, headers: { "x-amzn-errortype": "ServiceException" }, body: '{"Message":"try later"}' },
      "the hook (tidegate-dev-hook:acknowledge): not called, got ServiceException: try later; it may or may not have been done.",
      1,
    ],
    [
      "no JSON",
      { status: 200, body: "hello" },
      'the hook (tidegate-dev-hook:acknowledge): its answer is no JSON, got "hello"',
      1,
    ],
  ])("tells %s apart, and tries only once [B5]", async (_name, answer, said, exitCode) => {
    lambda = () => answer;
    const words = ["acknowledge", ...kill.slice(1), "--region", "eu-west-1"];
    const { code, errors } = await launch(words, keys);
    expect(code).toBe(exitCode);
    expect(errors).toContain(said);
    expect(requests.filter(({ target }) => target.includes("/functions/"))).toHaveLength(1);
  });
});

describe("tidegate's help as a process", { timeout: 60_000 }, () => {
  const changing = ["--service <name>", "--reason <text>", "--yes"];
  it.each([
    ["status", ["--service <name>"]],
    ["kill", [...changing, "--to <group>", "--listener <arn>"]],
    ["pause", changing],
    ["resume", changing],
    ["acknowledge", [...changing, "--hold <id>"]],
    [
      "history",
      ["--service <name>", "--limit <number>", "--since <time>", "--snapshot <hold>", "--post-mortem <hold>"],
    ],
    ["drill", []],
  ])("%s --help says its options, the place and the exit codes", async (command, options) => {
    const { code, out, errors } = await launch([command, "--help"]);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(out).toMatch(new RegExp(`^Usage: tidegate ${command} \\[options\\]\n`));
    const common = [
      "--stack <stack>",
      "--environment <name>",
      "--region <region>",
      "--profile <name>",
      "--json",
      "-h, --help",
    ];
    const listed = [...out.matchAll(/^ {2}((?:-h, )?--[a-z-]+(?: <[a-z]+>)?)/gm)].map(([, option]) => option);
    expect(new Set(listed)).toEqual(new Set([...common, ...options]));
    expect(out).toContain("Exit codes: 0 done, 1 it failed half-way, 2 bad input, 3 refused, nothing was changed.");
  });

  it("exits with 2 before anything is called where a word is missing", async () => {
    const { code, errors } = await launch(["kill", "--environment", "dev", "--region", "eu-west-1"], keys);
    expect(code).toBe(2);
    expect(errors).toBe(
      [
        "tidegate kill: 3 problems, nothing was done:",
        "  --service: missing; expected the name of a service. npx tidegate status lists them",
        '  --reason: missing; expected why, in words: the record keeps it. Add --reason "..."',
        "  --yes: missing, and no terminal to ask on; expected --yes where nobody can answer. Add it",
        "",
      ].join("\n"),
    );
    expect(requests).toEqual([]);
  });
});
