import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { accessOf } from "../../../hooks/aws/access.ts";

/** An STS that gives every role keys of its own, and remembers who asked for which. */
const asked: { readonly by: string; readonly region: string; readonly params: Record<string, string> }[] = [];
const server = createServer(async (request, response) => {
  const params = Object.fromEntries(new URLSearchParams(await bodyOf(request)));
  const scope = /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? "");
  asked.push({ by: scope?.[1] ?? "", region: scope?.[2] ?? "", params });
  const role = params.RoleArn?.split("/").at(-1);
  response.setHeader("content-type", "text/xml");
  response.end(
    `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>KEY-${role}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>` +
      "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
  );
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}

const folder = mkdtempSync(join(tmpdir(), "tidegate-access-"));
const keys = { AWS_ACCESS_KEY_ID: "KEY-env", AWS_SECRET_ACCESS_KEY: "s" };

beforeAll(async () => {
  writeFileSync(join(folder, "config"), "[profile ci]\nregion = us-east-1\n");
  writeFileSync(join(folder, "credentials"), "[ci]\naws_access_key_id = KEY-ci\naws_secret_access_key = s\n");
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
});
afterAll(() => server.close());
beforeEach(() => {
  asked.length = 0;
  vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "credentials"));
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  for (const [name, value] of Object.entries(keys)) vi.stubEnv(name, value);
});
afterEach(() => vi.unstubAllEnvs());

const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
const keyOf = async (...args: Parameters<typeof accessOf>) => (await accessOf(...args).credentials?.())?.accessKeyId;

describe("access by a sign-in [E7]", () => {
  it("leaves the SDK its own chain where neither the sign-in nor the environment says anything", () => {
    expect(accessOf("eu-west-1", { assumeRoles: [] }, {})).toEqual({ region: "eu-west-1" });
  });

  it("takes keys of the environment before AWS_PROFILE, as the provider does, and a profile that is named before both", async () => {
    const variables = { ...keys, AWS_PROFILE: "ci" };
    expect(await keyOf("eu-west-1", { assumeRoles: [] }, variables)).toBe("KEY-env");
    expect(await keyOf("eu-west-1", { profile: "ci", assumeRoles: [] }, variables)).toBe("KEY-ci");
    const given = { accessKeyId: "KEY-given", secretAccessKey: "s" };
    expect(await keyOf("eu-west-1", { keys: given, assumeRoles: [] }, variables)).toBe("KEY-given");
  });

  it("assumes one role with the credentials of the one before, with everything that the role says", async () => {
    const deploy = {
      roleArn: role("deploy"),
      sessionName: "tidegate",
      externalId: "42",
      durationSeconds: 900,
      policy: "{}",
      policyArns: ["arn:policy"],
      tags: { team: "shop" },
      transitiveTagKeys: ["team"],
      sourceIdentity: "ci",
    };
    const signIn = { profile: "ci", assumeRoles: [{ roleArn: role("hub") }, deploy] };
    expect(await keyOf("eu-west-1", signIn, {})).toBe("KEY-deploy");
    expect(asked.map(({ by, region }) => [by, region])).toEqual([
      ["KEY-ci", "eu-west-1"],
      ["KEY-hub", "eu-west-1"],
    ]);
    expect(asked[0]?.params).toMatchObject({ Action: "AssumeRole", RoleArn: role("hub") });
    expect(asked[1]?.params).toEqual({
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: role("deploy"),
      RoleSessionName: "tidegate",
      ExternalId: "42",
      DurationSeconds: "900",
      Policy: "{}",
      "PolicyArns.member.1.arn": "arn:policy",
      "Tags.member.1.Key": "team",
      "Tags.member.1.Value": "shop",
      "TransitiveTagKeys.member.1": "team",
      SourceIdentity: "ci",
    });
  });

  it("asks the STS of the region that the provider asks", async () => {
    await keyOf("eu-west-1", { stsRegion: "us-east-1", assumeRoles: [{ roleArn: role("hub") }] }, keys);
    expect(asked.map(({ by, region }) => [by, region])).toEqual([["KEY-env", "us-east-1"]]);
  });
});
