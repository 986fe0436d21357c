import { describe, expect, it } from "vitest";
import { readFoundation } from "../../stacks/foundation.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";
import { aFoundation } from "./config-builders.ts";

const own = "example/tidegate/shop";

async function read(answer: Record<string, unknown> | Error, name = "base") {
  const asked: unknown[] = [];
  const run = await runPulumi(async () => ({ found: await readFoundation(name, own) }), {
    call: ({ token, inputs }) => {
      asked.push([token, inputs]);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { found: run.outputs.found, asked, resources: run.resources };
}

const problemsOf = async (answer: Record<string, unknown> | Error, name?: string) => {
  const { found } = await read(answer, name);
  return found.kind === "refused" ? found.problems : "found";
};

describe("a foundation's outputs [E7]", () => {
  it("are read by the full name, and leave no resource", async () => {
    const outputs = { ...aFoundation(), services: {}, hookArn: "arn:aws:lambda:eu-west-1:123456789012:function:x" };
    const { found, asked, resources } = await read({ outputs, secretOutputNames: ["hookArn"] });
    expect(found).toEqual({ kind: "found", stack: "example/tidegate/base", outputs: aFoundation() });
    expect(asked).toEqual([["pulumi:pulumi:readStackOutputs", { name: "example/tidegate/base" }]]);
    expect(resources).toEqual([]);
    expect((await read({ outputs }, "other/platform/base")).asked).toEqual([
      ["pulumi:pulumi:readStackOutputs", { name: "other/platform/base" }],
    ]);
  });

  it.each<[string, Record<string, unknown> | Error, string]>([
    [
      "a stack that is not there",
      // The engine's words are in `details`.
      Object.assign(new Error(), { details: "unknown stack" }),
      "foundation: stack example/tidegate/base cannot be read, got unknown stack; expected its outputs. Check the name with pulumi stack ls, and that you may read it",
    ],
    [
      "one that never ran",
      { outputs: {} },
      "foundation: stack example/tidegate/base has no outputs; expected those of a foundation. Run pulumi up in it first",
    ],
    [
      "garbage",
      { outputs: "garbage" },
      "foundation: stack example/tidegate/base has no outputs; expected those of a foundation. Run pulumi up in it first",
    ],
    [
      "another service stack",
      { outputs: { ...aFoundation(), foundation: "example/tidegate/real" } },
      "foundation: stack example/tidegate/base is a stack of services, got foundation example/tidegate/real in its outputs; expected the stack that has the foundation. Name that one",
    ],
    [
      "one of an older version",
      { outputs: { accountId: "123456789012", tableName: "tidegate-dev" } },
      "foundation: stack example/tidegate/base has another version of the contract between foundation and services, got none; expected 1. Upgrade Tidegate in the foundation's stack and run pulumi up there first",
    ],
    [
      "one of a newer version",
      { outputs: { ...aFoundation(), contractVersion: 2 } },
      "foundation: stack example/tidegate/base has another version of the contract between foundation and services, got 2; expected 1. Upgrade Tidegate in this stack first",
    ],
    [
      "secret outputs",
      { outputs: aFoundation(), secretOutputNames: ["listenerArn", "vpcId", "other"] },
      "foundation: stack example/tidegate/base keeps outputs secret that services need, got listenerArn, vpcId; expected plain ones. Nothing in them is secret: take the marking out there, and run pulumi up",
    ],
    [
      "outputs that are missing or of another form",
      { outputs: { ...aFoundation(), listenerArn: "listener", vpcId: undefined, peers: undefined } },
      "foundation: outputs of stack example/tidegate/base are not those of a foundation, got listenerArn of another form, vpcId missing, peers missing; expected all of them whole. Run pulumi up in it",
    ],
    [
      "a table that is another environment's",
      { outputs: aFoundation({ tableName: "tidegate-prod" }) },
      "foundation: outputs of stack example/tidegate/base contradict each other, got table tidegate-prod for environment dev; expected tidegate-dev. Run pulumi up in it",
    ],
  ])("are refused whole for %s [B11]", async (_name, answer, problem) => {
    expect(await problemsOf(answer)).toEqual([problem]);
  });

  it("are not this very stack's", async () => {
    expect(await problemsOf({ outputs: aFoundation() }, "shop")).toEqual([
      'foundation: this very stack, got "shop"; expected another one, or here. Leave it out',
    ]);
  });
});
