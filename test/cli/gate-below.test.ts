/** The environment below, asked of `pulumi` where no engine runs (A8, B8). */
import { describe, expect, it } from "vitest";
import { belowByPulumi } from "../../cli/gate-below.ts";

const own = { stack: "prod", environment: "prod" };
const finish = { version: "2.0.0", digest: "sha256:b", at: 1, figures: { "error-rate": 0.1 }, requests: 5_000 };

describe("the environment below, as the gate command reads it", () => {
  it("is what pulumi prints of its outputs, asked once in the folder of the stack's file [A8]", async () => {
    const asked: unknown[] = [];
    const below = belowByPulumi("staging", own, "/stacks", async (args, directory) => {
      asked.push([args, directory]);
      return JSON.stringify({ environment: "staging", services: { checkout: { finished: [finish] } } });
    });
    expect([await below("checkout"), await below("checkout")]).toEqual([[finish], [finish]]);
    expect(await below("search")).toEqual({
      unreadable:
        "stack staging declares no service search, got checkout; expected it there. Name the stack that declares it",
    });
    expect(asked).toEqual([[["stack", "output", "--json", "--stack", "staging", "--non-interactive"], "/stacks"]]);
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    [
      "pulumi is not there",
      () => Promise.reject(new Error("no pulumi on the PATH; install it, or ask pulumi preview")),
      /^stack staging cannot be read, got no pulumi on the PATH; install it, or ask pulumi preview; expected its outputs\./,
    ],
    ["what is printed is no JSON", async () => "Please choose a stack", /^stack staging cannot be read, got .*JSON/],
    ["there are no outputs", async () => "{}", /^stack staging has no outputs;/],
    [
      "its outputs are secret",
      async () => JSON.stringify({ environment: "staging", services: "[secret]" }),
      /^outputs of stack staging are not those of an environment, got another form in services;/,
    ],
    [
      "it is of this very environment",
      async () => JSON.stringify({ environment: "prod", services: {} }),
      /^stack staging is of this very environment, got prod;/,
    ],
  ])("is unreadable where %s, and nothing is taken for finished [B8]", async (_what, run, words) => {
    const told = await belowByPulumi("staging", own, "/stacks", run)("checkout");
    expect(told).toEqual({ unreadable: expect.stringMatching(words) });
  });

  it("is unreadable where the folder has no project, whether pulumi is installed or not [B8]", async () => {
    const told = await belowByPulumi("staging", own, "/")("checkout");
    expect(told).toEqual({ unreadable: expect.stringMatching(/^stack staging cannot be read, got \S/) });
  }, 40_000);
});
