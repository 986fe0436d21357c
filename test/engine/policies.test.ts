/**
 * What the real engine makes of the policy pack: it stops every program that breaks a mandatory policy, before anything changed, and lets
 * our own through. The broken programs are the examples of the reference page.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { allPolicies, defaultLevel } from "../../policies/all.ts";
import { evaluatePolicies, type PackConfig } from "../../policies/evaluate.ts";
import { judged } from "../../policies/reference/example.ts";
import { emulatorEndpoint } from "../aws/emulators.ts";
import { Estate, region } from "./estate.ts";
import { inOneProgram } from "./examples/in-one-program.ts";
import { Engine, type EngineRun, engineOnPath, mutations } from "./harness.ts";
import { motoNetwork } from "./moto-network.ts";

const pack = new URL("../../policies", import.meta.url).pathname;
const onResources = allPolicies.filter((policy) => !("validateStack" in policy)).map(({ name }) => name);
const onStacks = allPolicies.filter((policy) => "validateStack" in policy).map(({ name }) => name);
const levels = new Map(allPolicies.map(({ name, enforcementLevel }) => [name, enforcementLevel ?? defaultLevel]));

/** What the pack says of these examples in one program, without an engine: policy, level and message. */
async function expected(policies: readonly string[]): Promise<string[]> {
  const told = await Promise.all(
    inOneProgram(policies).map(async (example) => {
      const config = example.config ? { [example.policy]: example.config } : {};
      const violations = await evaluatePolicies(judged(example), config);
      return violations.filter(({ policy }) => policy === example.policy);
    }),
  );
  return told.flat().map(({ policy, level, message }) => `${policy} (${level}): ${message}`);
}

/** The same out of a run; the engine puts the policy's description on a line of its own before the message. */
function told(run: EngineRun): string[] {
  return run.violations.map(({ policy, level, message }) => {
    const description = allPolicies.find(({ name }) => name === policy)?.description ?? "";
    return `${policy} (${level}): ${message.replace(`${description}\n`, "").trimEnd()}`;
  });
}

if (!engineOnPath()) console.log("policies under the real engine: skipped, pulumi is not on PATH");

describe.skipIf(!engineOnPath())("the policy pack under the real engine", { timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-pack-"));
  let engine: Engine;

  beforeAll(async () => {
    const projectFile = new URL("examples/Pulumi.yaml", import.meta.url).pathname;
    engine = await Engine.start({ projectFile, config: { "aws:region": "eu-west-1" } });
  }, 60_000);
  afterAll(() => {
    engine.remove();
    rmSync(folder, { recursive: true });
  });

  const optionsFor = (policies: readonly string[], more: PackConfig = {}) => {
    const settings = inOneProgram(policies).flatMap(({ policy, config }) => (config ? [[policy, config]] : []));
    const file = join(folder, "config.json");
    writeFileSync(file, JSON.stringify({ ...Object.fromEntries(settings), ...more }));
    return {
      args: ["--policy-pack", pack, "--policy-pack-config", file],
      env: { TIDEGATE_EXAMPLES: policies.join(",") },
      timeoutMs: 200_000,
    };
  };

  it("has an example for every policy [E1]", () => {
    expect(inOneProgram([...levels.keys()]).map(({ policy }) => policy)).toEqual([...levels.keys()]);
  });

  it("stops preview and up for each policy on resources, with its message and nothing changed [E1]", async () => {
    const messages = await expected(onResources);
    const options = optionsFor(onResources);
    for (const run of [await engine.preview(options), await engine.upAfterPreview(options)]) {
      expect(told(run)).toEqual(expect.arrayContaining(messages));
      expect(run.exitCode).not.toBe(0);
    }
    expect(mutations(engine.calls())).toEqual([]);
  });

  it("stops an up that skips its preview at the first policy on resources, before the provider is called [E1]", async () => {
    const run = await engine.up(optionsFor(onResources));
    const messages = await expected(onResources);
    expect(run.violations.length).toBeGreaterThan(0);
    for (const text of told(run)) expect(messages).toContain(text);
    expect(run.exitCode).not.toBe(0);
    expect(mutations(engine.calls())).toEqual([]);
  });

  it("stops preview and up for each policy on stacks, with its message and nothing changed [E1]", async () => {
    const messages = await expected(onStacks);
    // A program that a resource policy refuses never comes to the stack policies.
    const off = Object.fromEntries(onResources.map((policy) => [policy, "disabled" as const]));
    const options = optionsFor(onStacks, off);
    for (const run of [await engine.preview(options), await engine.upAfterPreview(options)]) {
      expect(told(run)).toEqual(expect.arrayContaining(messages));
      expect(run.exitCode).not.toBe(0);
    }
    expect(mutations(engine.calls())).toEqual([]);
  });
});

describe.skipIf(!engineOnPath())("our own program under the policy pack", { timeout: 240_000 }, () => {
  let estate: Estate;
  const options = { args: ["--policy-pack", pack], timeoutMs: 200_000 };
  const configured = {
    ...options,
    args: [
      ...options.args,
      "--policy-pack-config",
      new URL("../../docs/policy-config.example.json", import.meta.url).pathname,
    ],
  };
  afterAll(() => estate.remove());

  /** Nothing but silence, in preview and up. */
  async function passes(): Promise<void> {
    const preview = await estate.engine.preview(options);
    expect([preview.exitCode, preview.errors, preview.violations]).toEqual([0, "", []]);
    const up = await estate.up(options);
    expect([up.exitCode, up.errors, up.violations]).toEqual([0, "", []]);
  }

  it("passes the whole pack when it is new, while hardly anything is known in the preview [E1]", async () => {
    const file = parse(readFileSync(new URL("../../Pulumi.dev.yaml", import.meta.url), "utf8"));
    const endpoint = emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
    const network = { ...file.config["tidegate:network"], ...(await motoNetwork(endpoint, region)) };
    const { baseline, canary, ...rest } = file.config["tidegate:services"].checkout;
    // Every file here shares one emulated region: names of the load balancer and the table are the environment's, of groups the release's.
    const service = { ...rest, baseline: { ...baseline, version: "7.3.1" }, canary: { ...canary, version: "7.4.0" } };
    estate = await Estate.build("policies", { network, service });
    await passes();
  });

  it("passes the whole pack when it opens a wave [E1]", async () => {
    await estate.reconcile();
    await passes();
    expect((await estate.weights()).sort((a, b) => a - b)).toEqual([5, 95]);
  });

  it("passes the example configuration, and declares no change, when it is idle [E1]", async () => {
    // Idle, so that a freeze of the example does not stop it, whatever day it is.
    const up = await estate.up(configured);
    expect([up.exitCode, up.errors, up.violations, up.steps]).toEqual([0, "", [], []]);
  });
});
