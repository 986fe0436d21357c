import { readdirSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { shapePolicies } from "../../../policies/shape/index.ts";

const folder = new URL("../../../policies/shape/", import.meta.url);

describe("the shape policies", () => {
  it("are one a file, each named like its file and all in the list [E1]", () => {
    const files = readdirSync(folder).filter((file) => file !== "index.ts");
    expect(shapePolicies.map(({ name }) => `${name}.ts`).toSorted()).toEqual(files.toSorted());
  });

  it.each(shapePolicies.map((policy) => [policy.name, policy] as const))(
    "%s says what it is for, how grave it is, what to do and where to read more [E1]",
    (name, policy) => {
      expect(policy.description).toMatch(/^[A-Z].*\.$/);
      expect(["mandatory", "advisory"]).toContain(policy.enforcementLevel);
      expect(["low", "medium", "high", "critical"]).toContain(policy.severity);
      expect(policy.remediationSteps).toMatch(/\.$/);
      expect(policy.url).toBe(`docs/policies.md#${name}`);
      expect(policy.tags?.length).toBeGreaterThan(0);
    },
  );

  it("give every setting a default that its own schema takes, and say what it is [E1]", () => {
    const ajv = new Ajv({ strict: true });
    for (const { name, configSchema } of shapePolicies) {
      for (const [setting, schema] of Object.entries(configSchema?.properties ?? {})) {
        expect(schema.description, `${name}.${setting}`).toMatch(/\.$/);
        expect(ajv.validate(schema, schema.default), `${name}.${setting}: ${ajv.errorsText()}`).toBe(true);
      }
    }
  });
});
