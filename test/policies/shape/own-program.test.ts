import { beforeAll, describe, expect, it } from "vitest";
import { objectivePresetNames, objectivePresets } from "../../../core/objectives.ts";
import { shapePolicies } from "../../../policies/shape/index.ts";
import { parseConfig } from "../../../stacks/config.ts";
import { program } from "../../../stacks/program.ts";
import { aDeclaration, rememberingGuards } from "../../helpers/builders.ts";
import { account, type RegisteredResource, runPulumi } from "../../helpers/pulumi-run.ts";
import { aConfig } from "../../stacks/config-builders.ts";
import { type GivenResource, notKnownYet, violationsOf } from "../policy-run.ts";

const bundleFolder = new URL(import.meta.url).pathname;
const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

/** What the mocks answer for what a resource becomes. */
function outputsOf({ type, name, inputs }: RegisteredResource): Record<string, unknown> {
  if (type !== "aws:lb/targetGroup:TargetGroup") return {};
  const arnSuffix = `targetgroup/${String(inputs.name ?? name)}/00000000000000aa`;
  return { arn: `${elb}:${arnSuffix}`, arnSuffix };
}

/** As in a preview: everything that only the cloud gives out is not known. */
function withoutArns(value: unknown): unknown {
  if (typeof value === "string") return /arn:aws|targetgroup\/|app\//.test(value) ? notKnownYet : value;
  if (Array.isArray(value)) return value.map(withoutArns);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutArns(inner)]));
}

function given(resources: readonly RegisteredResource[], isPreview: boolean): GivenResource[] {
  const custom = resources.filter((resource) => resource.custom);
  const uniqueName = ({ type, name }: RegisteredResource) => `${type} ${name}`;
  return custom.map((resource) => {
    const dependencies = custom.filter(({ name }) => resource.dependsOn.includes(name));
    // The mocks do not say which property is made from what: from whatever's physical name stands in it.
    const madeFrom = (value: unknown) =>
      dependencies.filter(({ name, inputs }) => JSON.stringify(value).includes(String(inputs.name ?? name)));
    const props = { ...resource.inputs, ...outputsOf(resource) };
    return {
      type: resource.type,
      name: uniqueName(resource),
      props: isPreview ? (withoutArns(props) as Record<string, unknown>) : props,
      from: Object.fromEntries(
        Object.entries(resource.inputs).map(([property, value]) => [property, madeFrom(value).map(uniqueName)]),
      ),
    };
  });
}

async function programWith(
  preset: keyof typeof objectivePresets,
  source: "alb" | "emf",
): Promise<RegisteredResource[]> {
  const config = parseConfig(aConfig());
  const services = config.services.map((service) => ({ ...service, objectives: objectivePresets[preset], source }));
  const { resources } = await runPulumi(() =>
    program({
      config: { ...config, services, alerting: { email: ["sre@example.com"], runbooks: "docs/runbooks" } },
      decide: async () => [aDeclaration(25)],
      guards: rememberingGuards().binding,
      hookBundleFolder: bundleFolder,
      watchmanBundleFolder: bundleFolder,
      stackId: "example/tidegate/dev",
      accountId: account,
      isPreview: false,
      log: { info: () => {}, warn: () => {} },
    }),
  );
  return [...resources];
}

describe.each(
  objectivePresetNames.flatMap((preset) => (["alb", "emf"] as const).map((source) => ({ preset, source }))),
)("Tidegate's own program with $preset objectives measured by $source", ({ preset, source }) => {
  let resources: readonly RegisteredResource[];
  beforeAll(async () => {
    resources = await programWith(preset, source);
  });

  it.each([
    ["when every ARN is known", false],
    ["in a preview, where none is", true],
  ])("passes every shape policy %s [E1]", async (_, isPreview) => {
    expect(resources.length).toBeGreaterThan(40);
    const violations: string[] = [];
    for (const policy of shapePolicies) {
      for (const message of await violationsOf(policy, given(resources, isPreview)))
        violations.push(`${policy.name}: ${message}`);
    }
    expect(violations).toEqual([]);
  });
});
