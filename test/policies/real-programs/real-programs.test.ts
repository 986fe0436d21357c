import { describe, expect, it } from "vitest";
import { shapePolicies } from "../../../policies/shape/index.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import type { RealProgram } from "./program.ts";
import * as weighted from "./weighted.ts";
import * as whole from "./whole.ts";

const programs: readonly (readonly [string, RealProgram])[] = Object.entries({ ...weighted, ...whole });

async function saidOf(resources: RealProgram["resources"]): Promise<Record<string, string[]>> {
  const said: Record<string, string[]> = {};
  for (const policy of shapePolicies) {
    const messages = await violationsOf(policy, resources);
    if (messages.length > 0) said[policy.name] = messages;
  }
  return said;
}

/** A first preview: no ARN is known. What a rule is made from is, as the engine tells it. */
function inFirstPreview(resources: RealProgram["resources"]): RealProgram["resources"] {
  const groupNames = resources.filter(({ type }) => type.endsWith(":TargetGroup")).map(({ name }) => name);
  const unknowing = (value: unknown): unknown => {
    if (typeof value === "string") return /^(arn:aws:(?!iam)|targetgroup\/)/.test(value) ? notKnownYet : value;
    if (Array.isArray(value)) return value.map(unknowing);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unknowing(inner)]));
  };
  return resources.map((resource) => ({
    ...resource,
    props: unknowing(resource.props) as Record<string, unknown>,
    from: {
      ...Object.fromEntries(
        Object.entries(resource.props ?? {}).map(([property, value]) => [
          property,
          groupNames.filter((name) => JSON.stringify(value)?.includes(`/${name}/`) && name !== resource.name),
        ]),
      ),
      ...resource.from,
    },
  }));
}

describe("ten real public programs", () => {
  it("are ten, each with a place to read it and a verdict [E1]", () => {
    expect(programs).toHaveLength(10);
    for (const [, { likeThis, readIn, verdict, refused }] of programs) {
      expect(likeThis.length).toBeGreaterThan(20);
      expect(readIn).toMatch(/^[\w.-]+\/[\w.-]+/);
      expect(verdict).toMatch(Object.keys(refused).length === 0 ? /^Passes: / : /^Refused: /);
    }
  });

  it.each(programs)("%s gets the verdict that an SRE would give [E1]", async (_, { resources, refused }) => {
    expect(await saidOf(resources)).toEqual(refused);
  });

  it.each(programs)(
    "%s is judged by the resources' own policies in a first preview, no ARN known [E1]",
    async (_, program) => {
      const said = Object.keys(await saidOf(inFirstPreview(program.resources)));
      // Rules of a listener that is not the program's can be told apart by its ARN alone, which a preview knows; here nothing is.
      const needsListener = new Set(["rule-priority-order"]);
      expect(said).toEqual(
        expect.arrayContaining(Object.keys(program.refused).filter((name) => !needsListener.has(name))),
      );
    },
  );
});
