import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { awsGuardBinding, awsGuardBindingFor } from "../../components/aws-guard.ts";
import type { GuardContext } from "../../components/write-guard.ts";
import { planPresets } from "../../core/plans.ts";
import { aDeclaration } from "../helpers/builders.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";

/** An AWS whose STS says which account it is, by the access key that asks; whatever else is asked is remembered as asked. */
const asked: string[] = [];
const server = createServer((request, response) => {
  const key = /Credential=([^/]+)\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? "");
  asked.push(`${key?.[2]} by ${key?.[1]}`);
  request.resume();
  response.setHeader("content-type", "text/xml");
  if (key?.[2] !== "sts") response.statusCode = 403;
  response.end(
    `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>${key?.[1] === "KEYOTHER" ? "999999999999" : "123456789012"}</Account>` +
      "</GetCallerIdentityResult></GetCallerIdentityResponse>",
  );
});

beforeAll(() => new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready)));
afterAll(() => server.close());
beforeEach(() => {
  asked.length = 0;
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "KEYAMBIENT");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
});
afterEach(() => vi.unstubAllEnvs());

const context: GuardContext = {
  environment: "dev",
  declaration: aDeclaration(10),
  plan: planPresets.steady,
  takenBy: "example/tidegate/dev",
  readyTimeoutSeconds: 1,
  hookChanges: () => false,
};
const write = {
  operation: "update",
  role: "main",
  ruleArn: "arn:rule",
  weights: {},
  targetGroupArns: {},
  alarms: [],
  releases: [],
} as const;
const keysOf = (accessKeyId: string) => ({ keys: { accessKeyId, secretAccessKey: "secret" }, assumeRoles: [] });
const place = { environment: "dev", region: "eu-west-1" };

describe("the AWS guard [E7]", () => {
  it("refuses every write where the SDK acts in another account than the provider, before it reads anything", async () => {
    const { guardFor } = awsGuardBinding({ ...place, signIn: keysOf("KEYOTHER"), providerAccountId: "123456789012" });
    const refusal =
      "AWS account: Pulumi's provider and the AWS SDK act in different ones, got 123456789012 and 999999999999; expected the same. " +
      "Give the SDK what the provider has: a profile, keys or roles to assume in the provider's own settings";
    const guard = guardFor(context);
    await expect(guard(write)).rejects.toThrow(refusal);
    await expect(guard(write)).rejects.toThrow(refusal);
    expect(asked).toEqual(["sts by KEYOTHER"]);
  });

  it("reads with the keys of the provider that a component was given, not with the ambient ones", async () => {
    class Probe extends pulumi.ComponentResource {
      constructor(opts: pulumi.ComponentResourceOptions) {
        super("test:index:Probe", "probe", {}, opts);
        guards.push(awsGuardBindingFor(this, place).guardFor(context));
      }
    }
    const guards: ReturnType<ReturnType<typeof awsGuardBinding>["guardFor"]>[] = [];
    const calls: unknown[] = [];
    await runPulumi(
      async () => {
        const provider = new aws.Provider("main", { region: "eu-west-1", accessKey: "KEYGIVEN", secretKey: "secret" });
        new Probe({ providers: [provider] });
        await expect(guards[0]?.(write)).rejects.toThrow("rules arn:rule: reading them failed");
        return {};
      },
      {
        call: ({ token, provider }) => {
          calls.push([token, provider?.includes("pulumi:providers:aws::main") ?? false]);
          return { accountId: "123456789012" };
        },
      },
    );
    expect(calls).toEqual([["aws:index/getCallerIdentity:getCallerIdentity", true]]);
    expect(asked[0]).toBe("sts by KEYGIVEN");
    expect(asked.filter((call) => !call.endsWith(" by KEYGIVEN"))).toEqual([]);
    expect(asked.length).toBeGreaterThan(1);
  });
});
