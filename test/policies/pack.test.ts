import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { type AnyPolicy, allPolicies } from "../../policies/all.ts";
import { evaluatePolicies, type JudgedResource } from "../../policies/evaluate.ts";
import { waveIsNotSkipped } from "../../policies/rollout/wave-is-not-skipped.ts";
import { notKnownYet } from "./policy-run.ts";
import { aService } from "./rollout/a-service.ts";

const ajv = new Ajv({ strict: false });
const schemaOf = ({ configSchema }: AnyPolicy) => ({ type: "object", additionalProperties: false, ...configSchema });

describe("the pack", () => {
  it("names every policy once, and tells its level, severity, way out and place [E1]", () => {
    const names = allPolicies.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const policy of allPolicies) {
      expect(policy.name).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
      expect(["mandatory", "advisory"]).toContain(policy.enforcementLevel);
      expect(policy.severity).toBeDefined();
      expect(policy.description).toMatch(/^[A-Z].*\.$/);
      expect(policy.remediationSteps).toMatch(/^[A-Z].*\.$/);
      expect("validateStack" in policy).toBe(!("validateResource" in policy));
    }
  });

  it("explains every setting, and has defaults that its own schema allows [E1]", () => {
    for (const policy of allPolicies) {
      const properties = Object.entries(policy.configSchema?.properties ?? {});
      for (const [name, { description }] of properties) expect([name, description]).not.toEqual([name, undefined]);
      const defaults = Object.fromEntries(
        properties.flatMap(([name, schema]) => (schema.default === undefined ? [] : [[name, schema.default]])),
      );
      const valid = ajv.compile(schemaOf(policy));
      expect([policy.name, valid(defaults), valid.errors]).toEqual([policy.name, true, null]);
    }
  });

  it("has an example configuration that its schemas allow [E1]", () => {
    const file = new URL("../../docs/policy-config.example.json", import.meta.url);
    const config: Record<string, unknown> = JSON.parse(readFileSync(file, "utf8"));
    for (const [name, written] of Object.entries(config)) {
      const policy = allPolicies.find((candidate) => candidate.name === name);
      if (!policy) throw new Error(`${name}: no such policy`);
      const { enforcementLevel = "mandatory", ...settings } =
        typeof written === "string" ? { enforcementLevel: written } : Object(written);
      expect(["mandatory", "advisory", "disabled"]).toContain(enforcementLevel);
      const valid = ajv.compile(schemaOf(policy));
      expect([name, valid(settings), valid.errors]).toEqual([name, true, null]);
    }
  });

  it("refuses by schema what would otherwise be ignored [E1]", () => {
    const refused: [string, object][] = [
      ["rollout-change-freeze-is-kept", { windows: [{ name: "x", timeZone: "UTC", from: "Fri 16:00" }] }],
      [
        "rollout-change-freeze-is-kept",
        { windows: [{ name: "x", timezone: "UTC", from: "Fri 16:00", to: "Mon 08:00" }] },
      ],
      ["rollout-soak-is-not-shortened", { minimumMinutesByExposure: { "10%": 60 } }],
      ["rollout-thresholds-are-not-loosened", { maximumFactor: 0.5 }],
      ["rollout-override-names-its-reason", { minLength: 5 }],
    ];
    for (const [name, settings] of refused) {
      const policy = allPolicies.find((candidate) => candidate.name === name);
      expect([name, policy && ajv.compile(schemaOf(policy))(settings)]).toEqual([name, false]);
    }
  });
});

describe("evaluatePolicies", () => {
  const resource = (changes: Partial<JudgedResource> = {}): JudgedResource => ({
    key: "service",
    type: "tidegate:rollout:ProgressiveService",
    name: "checkout",
    custom: false,
    dependencies: [],
    ignoreChanges: [],
    protect: false,
    inputs: { ...aService().props, exposurePercent: 50 },
    outputs: {},
    ...changes,
  });
  const policy: AnyPolicy = waveIsNotSkipped;

  it("tells policy, level, severity, resource and way out of each violation [E1]", async () => {
    expect(await evaluatePolicies([resource()], {}, [policy])).toEqual([
      {
        policy: "rollout-wave-is-not-skipped",
        level: "mandatory",
        severity: "critical",
        message:
          "checkout: 2.4.0 skips a wave, got 50 % after 0 %; expected at most 10 %, the plan has 10, 25, 50, 100. Open one wave an up",
        resource: "service",
        remediationSteps: waveIsNotSkipped.remediationSteps,
      },
    ]);
  });

  it("takes levels and settings from the configuration, for one policy or for all [E1]", async () => {
    const levels = async (config: object) =>
      (await evaluatePolicies([resource()], { ...config }, [policy])).map(({ level }) => level);
    expect(await levels({ all: "advisory" })).toEqual(["advisory"]);
    expect(await levels({ all: "advisory", [policy.name]: "mandatory" })).toEqual(["mandatory"]);
    expect(await levels({ [policy.name]: { enforcementLevel: "disabled" } })).toEqual([]);
    await expect(levels({ [policy.name]: "strict" })).rejects.toThrow(
      'policy configuration of rollout-wave-is-not-skipped: unknown enforcementLevel, got "strict"; expected mandatory, advisory or disabled. Mend the policy configuration',
    );
  });

  it("understands what a preview does not know [E1]", async () => {
    const [violation] = await evaluatePolicies(
      [resource({ inputs: { ...aService().props, exposurePercent: notKnownYet } })],
      {},
      [policy],
    );
    expect(violation?.message).toContain("cannot be judged, got nothing readable in exposurePercent");
  });

  it("gives stack policies inputs with outputs over them, parents, and what a property comes from [E1]", async () => {
    const seen: unknown[] = [];
    const spy: AnyPolicy = {
      name: "spy",
      description: "Looks.",
      enforcementLevel: "mandatory",
      validateStack: ({ resources }) => {
        for (const { name, props, parent, propertyDependencies, urn, opts } of resources) {
          seen.push([
            name,
            { ...props },
            parent?.name,
            propertyDependencies.rule?.map((from) => from.name),
            urn,
            opts.parent,
          ]);
        }
      },
    };
    const plain = { custom: true, dependencies: [], ignoreChanges: [], protect: false, outputs: {}, inputs: {} };
    await evaluatePolicies(
      [
        {
          ...plain,
          key: "c",
          type: "tidegate:foundation:RollbackHook",
          name: "hook",
          custom: false,
          inputs: { a: 1 },
          outputs: { b: 2 },
        },
        {
          ...plain,
          key: "r",
          type: "aws:cloudwatch/eventRule:EventRule",
          name: "rule",
          parent: "c",
          inputs: { name: "clock" },
          outputs: { arn: "arn:rule" },
        },
        {
          ...plain,
          key: "t",
          type: "aws:cloudwatch/eventTarget:EventTarget",
          name: "target",
          parent: "c",
          inputs: { rule: "clock" },
          dependencies: ["r"],
        },
      ],
      {},
      [spy],
    );
    const hook = "urn:pulumi:stack::tidegate::tidegate:foundation:RollbackHook::hook";
    const under = (type: string) => `urn:pulumi:stack::tidegate::tidegate:foundation:RollbackHook$${type}`;
    expect(seen).toEqual([
      ["hook", { b: 2 }, undefined, undefined, hook, undefined],
      [
        "rule",
        { name: "clock", arn: "arn:rule" },
        "hook",
        undefined,
        under("aws:cloudwatch/eventRule:EventRule::rule"),
        hook,
      ],
      ["target", { rule: "clock" }, "hook", ["rule"], under("aws:cloudwatch/eventTarget:EventTarget::target"), hook],
    ]);
  });

  it("throws what a policy throws: one that cannot run must not look like one that found nothing [E1]", async () => {
    const broken: AnyPolicy = {
      name: "broken",
      description: "Breaks.",
      validateResource: () => {
        throw new Error("out of order");
      },
    };
    await expect(evaluatePolicies([resource()], {}, [broken])).rejects.toThrow("out of order");
  });
});
