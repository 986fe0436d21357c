import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSignIn } from "../../core/sign-in.ts";

const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
const texts = (settings: Record<string, unknown>, keys: "taken" | "refused" = "refused") =>
  readSignIn(settings, keys).problems.map(
    ({ key, wrong, expected, wayOut }) => `${key.join(".")}: ${wrong}; expected ${expected}. ${wayOut}`,
  );

describe("a sign-in [E7]", () => {
  it("is the ambient one where nothing is said", () => {
    expect(readSignIn({}, "refused")).toEqual({ signIn: { assumeRoles: [] }, problems: [] });
  });

  it("has profile and roles in their order, with every field of a role", () => {
    const full = {
      roleArn: role("deploy"),
      sessionName: "tidegate",
      externalId: "42",
      duration: "1h30m",
      policy: "{}",
      policyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
      tags: { team: "shop" },
      transitiveTagKeys: ["team"],
      sourceIdentity: "ci",
    };
    const { signIn, problems } = readSignIn(
      { profile: "ci", assumeRoles: [{ roleArn: role("hub") }, full], stsRegion: "us-east-1" },
      "refused",
    );
    const { duration: _duration, ...rest } = full;
    expect(problems).toEqual([]);
    expect(signIn).toEqual({
      profile: "ci",
      stsRegion: "us-east-1",
      assumeRoles: [{ roleArn: role("hub") }, { ...rest, durationSeconds: 5_400 }],
    });
  });

  it("lets settings through that change neither account nor identity", () => {
    const settings = {
      region: "eu-west-1",
      skipMetadataApiCheck: "true",
      skipCredentialsValidation: true,
      defaultTags: { tags: { team: "shop" } },
      allowedAccountIds: ["123456789012"],
      maxRetries: 5,
      httpsProxy: "http://proxy.example.com",
    };
    expect(readSignIn(settings, "refused")).toEqual({ signIn: { assumeRoles: [] }, problems: [] });
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    [
      "a single role in the words of older providers",
      { assumeRole: { roleArn: role("deploy") } },
      [
        "assumeRole: cannot be followed by the AWS SDK, which reads records and rules; expected no such setting. Provider 7 and later take assumeRoles, a list: write the role as its one entry",
      ],
    ],
    [
      "keys in a file",
      { accessKey: "AKIA", secretKey: "secret", token: "token" },
      [
        "accessKey: cannot be followed by the AWS SDK, which reads records and rules; expected no such setting. Set AWS_ACCESS_KEY_ID",
        "secretKey: cannot be followed by the AWS SDK, which reads records and rules; expected no such setting. Set AWS_SECRET_ACCESS_KEY",
        "token: cannot be followed by the AWS SDK, which reads records and rules; expected no such setting. Set AWS_SESSION_TOKEN",
      ],
    ],
    [
      "web identity, other endpoints, other files",
      {
        assumeRoleWithWebIdentity: { roleArn: role("ci") },
        endpoints: [{ sts: "http://127.0.0.1" }],
        sharedConfigFiles: ["/etc/aws"],
      },
      [
        "assumeRoleWithWebIdentity: cannot be followed by the AWS SDK, which reads records and rules; expected no such setting. Set AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN",
        "endpoints: cannot be followed by the AWS SDK, which reads records and rules; expected no such setting. Set AWS_ENDPOINT_URL",
        "sharedConfigFiles: cannot be followed by the AWS SDK, which reads records and rules; expected no such setting. Set AWS_CONFIG_FILE",
      ],
    ],
    [
      "what this version does not know",
      { assumeRoleWithEverything: "x" },
      [
        "assumeRoleWithEverything: not a setting that this version knows, and it might name other credentials; expected no such setting. Leave it out",
      ],
    ],
    [
      "roles that are none",
      {
        assumeRoles: [
          "deploy",
          {},
          { roleArn: "arn:aws:iam::1:user/x" },
          { roleArn: role("a"), duration: "5m", tags: { n: 1 }, policyArns: "x", externalID: "42" },
        ],
      },
      [
        "assumeRoles.0: must be a map; expected a list of maps, each with roleArn. Give the role's ARN as roleArn",
        "assumeRoles.1.roleArn: missing; expected arn:aws:iam::<account>:role/<name>. aws iam get-role shows it",
        "assumeRoles.2.roleArn: not the ARN of a role; expected arn:aws:iam::<account>:role/<name>. aws iam get-role shows it",
        "assumeRoles.3.externalID: cannot be followed by the AWS SDK, which reads records and rules; expected no such field. Leave it out",
        "assumeRoles.3.duration: not a length of a session; expected 15m to 12h, whole seconds. Leave it out for an hour",
        "assumeRoles.3.tags: must be a map of texts; expected a map of texts. Quote its values",
        "assumeRoles.3.policyArns: must be a list of texts; expected a list of texts. Correct it",
      ],
    ],
    [
      "one role where a list belongs",
      { assumeRoles: { roleArn: role("deploy") } },
      [
        "assumeRoles: must be a list; expected a list of maps, each with roleArn. pulumi config set --path 'aws:assumeRoles[0].roleArn' <arn>",
      ],
    ],
  ])("refuses %s, by name [B11]", (_name, settings, problems) => {
    expect(texts(settings)).toEqual(problems);
  });

  it("takes keys of a provider in a program, both halves, and no profile beside them", () => {
    expect(readSignIn({ accessKey: "AKIA", secretKey: "s", token: "t" }, "taken").signIn.keys).toEqual({
      accessKeyId: "AKIA",
      secretAccessKey: "s",
      sessionToken: "t",
    });
    expect(texts({ accessKey: "AKIA" }, "taken")).toEqual([
      "secretKey: missing beside the other half of the keys; expected accessKey and secretKey. Give both, or none",
    ]);
    expect(texts({ token: "t" }, "taken")).toEqual([
      "accessKey: missing beside the other half of the keys; expected accessKey and secretKey. Give both, or none",
    ]);
    expect(texts({ accessKey: "AKIA", secretKey: "s", profile: "ci" }, "taken")).toEqual([
      "profile: a profile beside access keys; expected one of the two. Leave one out",
    ]);
  });

  it("reads every length of a session that the provider takes, and no other", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 59 }),
        fc.integer({ min: 0, max: 59 }),
        (h, m, s) => {
          const seconds = h * 3_600 + m * 60 + s;
          const { signIn } = readSignIn(
            { assumeRoles: [{ roleArn: role("a"), duration: `${h}h${m}m${s}s` }] },
            "refused",
          );
          const expected = seconds >= 900 && seconds <= 43_200 ? seconds : undefined;
          expect(signIn.assumeRoles[0]?.durationSeconds).toBe(expected);
        },
      ),
    );
    for (const duration of ["1", "h", "1h x", "1.0001h", "-1h"]) {
      expect(texts({ assumeRoles: [{ roleArn: role("a"), duration }] })).toHaveLength(1);
    }
  });

  it("never repeats a value: some are secrets", () => {
    const secret = "SECRET-VALUE";
    const settings = {
      token: secret,
      assumeRole: secret,
      other: secret,
      profile: [secret],
      assumeRoles: [{ roleArn: secret }, { roleArn: role("a"), externalId: [secret], duration: secret }],
    };
    expect(texts(settings).join("\n")).not.toContain(secret);
    expect(texts(settings)).toHaveLength(7);
  });
});
