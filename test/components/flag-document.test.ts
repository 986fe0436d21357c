/** The flag document's resources, and what is refused before one is made. */
import { describe, expect, it } from "vitest";
import { FlagDocument, type FlagDocumentArgs } from "../../components/flag-document.ts";
import { flagPolicy } from "../../components/service-flag.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";

const flag = "batch-patches-v1";
const declare = (change: Partial<FlagDocumentArgs> = {}) =>
  runPulumi(() => {
    const document = new FlagDocument("checkout-flag", {
      application: "production-checkout",
      environment: "production",
      flag,
      flags: { [flag]: 25 },
      revision: "attempt 1, generation 3",
      alarms: [{ name: "flag-alarm", arn: "arn:alarm" }],
      ...change,
    });
    return { place: document.place };
  });

describe("FlagDocument", () => {
  it("declares one document with its alarm monitor, two ways to deploy, and versions that stay [A6]", async () => {
    const run = await declare();
    expect(run.names().sort()).toEqual([
      "aws:appconfig/application:Application checkout-flag-application",
      "aws:appconfig/configurationProfile:ConfigurationProfile checkout-flag-profile",
      "aws:appconfig/deployment:Deployment checkout-flag-deployment",
      "aws:appconfig/deploymentStrategy:DeploymentStrategy checkout-flag-lowering",
      "aws:appconfig/deploymentStrategy:DeploymentStrategy checkout-flag-raising",
      "aws:appconfig/environment:Environment checkout-flag-environment",
      "aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion checkout-flag-version",
      "aws:iam/role:Role checkout-flag-alarms-role",
      "aws:iam/rolePolicy:RolePolicy checkout-flag-alarms-policy",
    ]);
    const { inputs: version } = run.the("aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion");
    // The provider's schema calls it a secret.
    expect(JSON.parse(String(Reflect.get(Object(version.content), "value"))).values).toEqual({
      [flag]: { enabled: true, exposurePercent: 25 },
    });
    expect(version.description).toBe("attempt 1, generation 3");
    const { inputs: environment } = run.the("aws:appconfig/environment:Environment");
    expect(environment.monitors).toEqual([
      { alarmArn: "arn:alarm", alarmRoleArn: expect.stringContaining("checkout-flag-alarms-role") },
    ]);
    const strategies = run.all("aws:appconfig/deploymentStrategy:DeploymentStrategy");
    expect(strategies.map(({ inputs }) => inputs.finalBakeTimeInMinutes)).toEqual([0, 5]);
    expect(run.outputs.place).toMatchObject({ flag, alarmName: "flag-alarm", strategyId: "checkout-flag-lowering" });
  });

  it("deploys a document without a flag that is on by the way that waits for nothing [A6]", async () => {
    const strategyOf = async (flags: FlagDocumentArgs["flags"]) =>
      (await declare({ flags })).the("aws:appconfig/deployment:Deployment").inputs.deploymentStrategyId;
    expect(await strategyOf({ [flag]: 0 })).toBe("checkout-flag-lowering");
    expect(await strategyOf({ [flag]: 1 })).toBe("checkout-flag-raising");
  });

  it("refuses a flag that is not its own, keys that are none and a sixth alarm, all at once [A6]", async () => {
    const alarms = Array.from({ length: 6 }, (_, index) => ({ name: `${index}`, arn: `arn:${index}` }));
    await expect(declare({ flags: { constructor: 1 }, alarms })).rejects.toThrow(
      [
        `flag: not in the document, got ${flag}; expected one of constructor`,
        "alarms: too many, got 6; expected at most 5. Make a composite of them",
        'flag document: flag "constructor": not a key; expected a small letter, then at most 63 letters, digits, _ or -, and not a name that every JavaScript object has',
      ].join("\n"),
    );
  });
});

describe("the hook's right to a flag", () => {
  it("is to one application, environment, profile and strategy, and to the flag's own alarm [A6, F3]", () => {
    const arns = ["arn:app", "arn:app/environment/e", "arn:app/configurationprofile/p", "arn:strategy"];
    expect(flagPolicy(arns, "arn:alarm")).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "LowerFlag",
          Effect: "Allow",
          Action: [
            "appconfig:ListDeployments",
            "appconfig:StartDeployment",
            "appconfig:StopDeployment",
            "appconfig:ListHostedConfigurationVersions",
            "appconfig:GetHostedConfigurationVersion",
            "appconfig:CreateHostedConfigurationVersion",
          ],
          Resource: [
            "arn:app",
            "arn:app/environment/e",
            "arn:app/environment/e/deployment/*",
            "arn:app/configurationprofile/p",
            "arn:app/configurationprofile/p/hostedconfigurationversion/*",
            "arn:strategy",
          ],
        },
        {
          Sid: "KeepAppConfigFromTakingTheLoweringBack",
          Effect: "Allow",
          Action: ["cloudwatch:DisableAlarmActions", "cloudwatch:EnableAlarmActions"],
          Resource: "arn:alarm",
        },
      ],
    });
  });
});
