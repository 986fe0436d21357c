import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, it, vi } from "vitest";
import { signInOfProvider } from "../../components/provider-access.ts";
import type { SignIn } from "../../core/sign-in.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";

const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
const region = "eu-west-1";

/** A component in somebody's program; it asks as soon as it can. */
class Probe extends pulumi.ComponentResource {
  readonly signIn: Promise<SignIn>;
  constructor(opts?: pulumi.ComponentResourceOptions) {
    super("test:index:Probe", "probe", {}, opts);
    this.signIn = signInOfProvider(this, region);
  }
}

const signInWith = async (
  make: () => pulumi.ComponentResourceOptions,
  settings: Readonly<Record<string, string>> = {},
): Promise<SignIn> => {
  const { outputs } = await runPulumi(async () => {
    pulumi.runtime.setAllConfig({ ...settings });
    return { signIn: pulumi.unsecret(pulumi.output(await new Probe(make()).signIn)) };
  });
  return outputs.signIn;
};

afterEach(() => vi.unstubAllEnvs());

describe("the sign-in of a component's provider [E7]", () => {
  it.each<[string, (provider: aws.Provider) => pulumi.ComponentResourceOptions]>([
    ["as provider", (provider) => ({ provider })],
    ["in a list of providers", (provider) => ({ providers: [provider] })],
    ["in a map of providers", (provider) => ({ providers: { aws: provider } })],
    [
      "inherited from its parent",
      (provider) => ({
        parent: new pulumi.ComponentResource("test:index:Parent", "parent", {}, { providers: [provider] }),
      }),
    ],
  ])("is read from one that is passed %s", async (_name, options) => {
    const assumeRoles = [{ roleArn: role("hub") }, { roleArn: role("deploy"), externalId: "42", duration: "30m" }];
    const signIn = await signInWith(() =>
      options(
        new aws.Provider("main", { region, profile: "ci", assumeRoles, defaultTags: { tags: { team: "shop" } } }),
      ),
    );
    expect(signIn).toEqual({
      profile: "ci",
      assumeRoles: [{ roleArn: role("hub") }, { roleArn: role("deploy"), externalId: "42", durationSeconds: 1_800 }],
    });
  });

  it("waits for inputs that come from resources, and takes keys that are secrets", async () => {
    const signIn = await signInWith(() => ({
      provider: new aws.Provider("main", {
        region: pulumi.output(region),
        accessKey: pulumi.secret("AKIA"),
        secretKey: pulumi.secret(pulumi.output(Promise.resolve("hidden"))),
        assumeRoles: [{ roleArn: pulumi.output(role("deploy")) }],
      }),
    }));
    expect(signIn).toEqual({
      keys: { accessKeyId: "AKIA", secretAccessKey: "hidden" },
      assumeRoles: [{ roleArn: role("deploy") }],
    });
  });

  it("is the program's own where none is passed, by the stack's aws settings", async () => {
    const settings = { "aws:region": region, "aws:assumeRoles": JSON.stringify([{ roleArn: role("deploy") }]) };
    expect(await signInWith(() => ({}), settings)).toEqual({ assumeRoles: [{ roleArn: role("deploy") }] });
    vi.stubEnv("AWS_REGION", region);
    expect(await signInWith(() => ({}))).toEqual({ assumeRoles: [] });
  });

  it("does not look at the stack's settings where one is passed", async () => {
    const settings = { "aws:region": "us-east-1", "aws:profile": "other" };
    expect(await signInWith(() => ({ provider: new aws.Provider("main", { region }) }), settings)).toEqual({
      assumeRoles: [],
    });
  });

  it.each<[string, () => pulumi.ComponentResourceOptions, Record<string, string>, string]>([
    [
      "web identity and endpoints",
      () => ({
        provider: new aws.Provider("main", {
          region,
          assumeRoleWithWebIdentity: { roleArn: role("ci") },
          endpoints: [{ sts: "http://127.0.0.1" }],
        }),
      }),
      {},
      "the AWS provider of this component: assumeRoleWithWebIdentity: cannot be followed by the AWS SDK, which reads records and rules; expected no such setting. Set AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN\n" +
        "the AWS provider of this component: endpoints: cannot be followed by the AWS SDK, which reads records and rules; expected no such setting. Set AWS_ENDPOINT_URL",
    ],
    [
      "another region than the component's",
      () => ({ provider: new aws.Provider("main", { region: "us-east-1" }) }),
      {},
      "the AWS provider of this component: region: not the component's, got us-east-1; expected eu-west-1. Give the provider, or the component, the other's region",
    ],
    [
      "settings of the stack that cannot be followed",
      () => ({}),
      { "aws:region": region, "aws:sharedConfigFiles": '["/etc/aws"]' },
      "the stack's aws settings: sharedConfigFiles: cannot be followed by the AWS SDK, which reads records and rules; expected no such setting. Set AWS_CONFIG_FILE",
    ],
    [
      "no region at all",
      () => ({}),
      {},
      "the stack's aws settings: region: not the component's, got none; expected eu-west-1. Give the provider, or the component, the other's region",
    ],
  ])("fails the program for %s, by name [B11]", async (_name, make, settings, message) => {
    vi.stubEnv("AWS_REGION", undefined);
    vi.stubEnv("AWS_DEFAULT_REGION", undefined);
    await expect(signInWith(make, settings)).rejects.toThrow(message);
  });

  it("fails the program even where nobody waits for the answer", async () => {
    const program = runPulumi(async () => {
      new Probe({ provider: new aws.Provider("main", { region, useFipsEndpoint: true }) });
      return {};
    });
    await expect(program).rejects.toThrow("useFipsEndpoint: cannot be followed by the AWS SDK");
  });
});
