/** Pulumi notes a stack for every resource and output; the program keeps them short while it declares, and only then. */
import { describe, expect, it } from "vitest";
import { type EnvironmentConfig, parseConfig } from "../../stacks/config.ts";
import { program } from "../../stacks/program.ts";
import { aDeclaration, rememberingGuards } from "../helpers/builders.ts";
import { account, runPulumi } from "../helpers/pulumi-run.ts";
import { aConfig } from "./config-builders.ts";

const bundleFolder = new URL(import.meta.url).pathname;
const heard: EnvironmentConfig["alerting"] = { email: ["sre@example.com"], runbooks: "docs/runbooks" };

/** Frames that errors have while the resources of a service are declared. */
async function framesWhileDeclaring(tell: () => void): Promise<number[]> {
  const limits: number[] = [];
  await runPulumi(() =>
    program({
      config: { ...parseConfig(aConfig()), alerting: heard },
      decide: async () => [aDeclaration(10, { notices: [{ kind: "staged", severity: "info", text: "a word" }] })],
      guards: rememberingGuards().binding,
      hookBundleFolder: bundleFolder,
      watchmanBundleFolder: bundleFolder,
      stackId: "example/tidegate/dev",
      accountId: account,
      isPreview: false,
      log: {
        warn() {},
        info() {
          limits.push(Error.stackTraceLimit);
          tell();
        },
      },
    }),
  );
  return limits;
}

describe("stacks while resources are declared", () => {
  it("have the one frame that says where an error was thrown, and are as long as before afterwards [D9]", async () => {
    const before = Error.stackTraceLimit;
    expect(before).toBeGreaterThan(1);
    expect(new Set(await framesWhileDeclaring(() => {}))).toEqual(new Set([1]));
    expect(Error.stackTraceLimit).toBe(before);
  });

  it("are as long as before after a failure, too [D9]", async () => {
    const before = Error.stackTraceLimit;
    const failing = framesWhileDeclaring(() => {
      throw new Error("a fault of the program");
    });
    await expect(failing).rejects.toThrow("a fault of the program");
    expect(Error.stackTraceLimit).toBe(before);
  });

  it("stay shorter where somebody has set them so [D9]", async () => {
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      expect(new Set(await framesWhileDeclaring(() => {}))).toEqual(new Set([0]));
    } finally {
      Error.stackTraceLimit = before;
    }
  });
});
