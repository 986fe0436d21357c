/** What a stack tells of finished releases, and how the one above reads it: whole, or not at all (A8). */
import { describe, expect, it } from "vitest";
import { belowReader, finishedIn, ladderProblems } from "../../stacks/ladder.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";

const own = { stackId: "example/tidegate/prod", environment: "prod" };
const finish = { version: "2.0.0", digest: "sha256:b", at: 1, figures: { "error-rate": 0.1 }, requests: 5_000 };
const outputs = { environment: "staging", services: { checkout: { exposurePercent: 0, finished: [finish] } } };

/** Asks for some services, one after another. */
async function read(answer: Record<string, unknown> | Error, services = ["checkout"], below = "staging") {
  const asked: unknown[] = [];
  const run = await runPulumi(
    async () => {
      const reader = belowReader(below, own);
      const told: unknown[] = [];
      for (const service of services) told.push(await reader(service));
      return { told };
    },
    {
      call: ({ token, inputs }) => {
        asked.push([token, inputs]);
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
  );
  return { told: run.outputs.told, asked, resources: run.resources };
}

describe("the environment below", () => {
  it("is asked once by its full name, and leaves no resource [A8]", async () => {
    const { told, asked, resources } = await read({ outputs }, ["checkout", "checkout"]);
    expect(told).toEqual([[finish], [finish]]);
    expect(asked).toEqual([["pulumi:pulumi:readStackOutputs", { name: "example/tidegate/staging" }]]);
    expect(resources).toEqual([]);
    const named = await read({ outputs }, ["checkout"], "other/platform/staging");
    expect(named.asked).toEqual([["pulumi:pulumi:readStackOutputs", { name: "other/platform/staging" }]]);
  });

  const stack = "stack example/tidegate/staging";
  it.each<[string, Record<string, unknown> | Error, string]>([
    [
      "a stack that is not there",
      Object.assign(new Error(), { details: "unknown stack" }),
      `${stack} cannot be read, got unknown stack; expected its outputs. Check the name with pulumi stack ls, and that you may read it`,
    ],
    [
      "one that never ran",
      { outputs: {} },
      `${stack} has no outputs; expected those of an environment. Run pulumi up in it first`,
    ],
    [
      "garbage",
      { outputs: "x" },
      `${stack} has no outputs; expected those of an environment. Run pulumi up in it first`,
    ],
    [
      "secret outputs",
      { outputs, secretOutputNames: ["services", "other"] },
      `${stack} keeps outputs secret that this one needs, got services; expected plain ones. Nothing in them is secret: take the marking out there, and run pulumi up`,
    ],
    [
      "the very environment",
      { outputs: { ...outputs, environment: "prod" } },
      `${stack} is of this very environment, got prod; expected the one below. Name another stack in ladder.below`,
    ],
    [
      "a ring",
      { outputs: { ...outputs, ladder: own.stackId } },
      `${stack} stands on this very one, got ladder example/tidegate/prod in its outputs; expected a ladder and no ring. Take ladder out in one of the two`,
    ],
    [
      "a service that it does not declare",
      { outputs: { ...outputs, services: { search: { finished: [] } } } },
      `${stack} declares no service checkout, got search; expected it there. Name the stack that declares it`,
    ],
    [
      "one of an older version",
      { outputs: { ...outputs, services: { checkout: { exposurePercent: 0 } } } },
      `${stack} says nothing of finished releases of checkout; expected a list. Upgrade Tidegate there and run pulumi up in it`,
    ],
    [
      "releases of another form",
      { outputs: { ...outputs, services: { checkout: { finished: [{ ...finish, at: "today" }] } } } },
      `outputs of ${stack} are not those of an environment, got another form in services.checkout.finished.0.at; expected its services. Use one version of Tidegate in both, and run pulumi up there`,
    ],
  ])("is unreadable for %s [A8, B11]", async (_name, answer, unreadable) => {
    expect((await read(answer)).told).toEqual([{ unreadable }]);
  });

  it("is never this very stack [A8, B11]", () => {
    expect(ladderProblems("prod", own.stackId)).toEqual([
      'ladder.below: this very stack, got "prod"; expected the one of the environment below. Leave ladder out where there is none',
    ]);
    expect(ladderProblems("example/tidegate/prod", own.stackId)).toHaveLength(1);
    expect(ladderProblems("staging", own.stackId)).toEqual([]);
    expect(ladderProblems(undefined, own.stackId)).toEqual([]);
  });
});

describe("what the hook answers to an opening", () => {
  it("tells finished releases, whole or none [A8]", () => {
    const answer = (finished: unknown) => JSON.stringify({ outcome: "committed", message: "x", finished });
    expect(finishedIn(answer([finish]))).toEqual([finish]);
    for (const text of ["", "null", "{", answer(undefined), answer([finish, { ...finish, digest: "" }])]) {
      expect(finishedIn(text)).toEqual([]);
    }
  });
});
