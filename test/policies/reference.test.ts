import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allPolicies } from "../../policies/all.ts";
import { evaluatePolicies } from "../../policies/evaluate.ts";
import { judged, referencesIn, renamed } from "../../policies/reference/example.ts";
import { examples } from "../../policies/reference/examples.ts";
import { referencePage } from "../../policies/reference/page.ts";

const written = readFileSync(new URL("../../docs/policies.md", import.meta.url), "utf8");

describe("docs/policies.md", () => {
  it("is what the policies say; else run node --import tsx/esm policies/reference.ts [E1]", async () => {
    expect(written).toBe(await referencePage());
  });

  it("has a place for every policy's url, with its way out [E1]", () => {
    for (const { name, url, remediationSteps } of allPolicies) {
      expect(url).toBe(`docs/policies.md#${name}`);
      expect(written).toContain(`\n### ${name}\n`);
      expect(written).toContain(`**What to do:** ${remediationSteps}\n`);
    }
  });

  it("tells of every stack policy that --skip-preview escapes it [E1]", () => {
    expect(written).toContain("**Do not use `--skip-preview` with this pack.**");
  });
});

describe("the examples", () => {
  it("are one for each policy, in the pack's order, and each gets a message [E1]", async () => {
    expect(examples.map(({ policy }) => policy)).toEqual(allPolicies.map(({ name }) => name));
    for (const example of examples) {
      const config = example.config ? { [example.policy]: example.config } : {};
      const own = (await evaluatePolicies(judged(example), config)).filter(({ policy }) => policy === example.policy);
      expect([example.policy, own.length]).not.toEqual([example.policy, 0]);
      expect(own.every(({ resource }) => resource !== undefined)).toBe(true);
    }
  });

  it("break nothing else that would hide it: no other mandatory policy on resources [E1]", async () => {
    const onResources = new Set(allPolicies.filter((policy) => !("validateStack" in policy)).map(({ name }) => name));
    for (const example of examples) {
      const others = (await evaluatePolicies(judged(example))).filter(
        ({ policy, level }) => policy !== example.policy && level === "mandatory" && onResources.has(policy),
      );
      expect([example.policy, others]).toEqual([example.policy, []]);
    }
  });

  it("keep their references when they get other names [E1]", () => {
    const example = examples.find(({ policy }) => policy === "dead-letters");
    if (!example) throw new Error("no example");
    const { resources } = renamed(example, "x-");
    expect(resources.map(({ name }) => name)).toEqual(["x-rollback", "x-alarms", "x-alarms-target"]);
    expect(referencesIn(resources.map(({ props }) => props))).toEqual([{ name: "x-rollback", output: "arn" }]);
  });
});
