/**
 * The rehearsal's capture and the real engine, side by side: same config, same decisions, and then the same resources under the same
 * parents with the same inputs, none missing and none extra. Provider stood in for. Runs within `npm run test:aws` where `pulumi` is on PATH.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import type { Declaration } from "../../core/declaration.ts";
import { declare } from "../../core/declare.ts";
import { type MetricSource, objectivePresetNames } from "../../core/objectives.ts";
import { makeLocalCloud } from "../../rehearsal/cloud/local-cloud.ts";
import type { Capture } from "../../rehearsal/engine/capture.ts";
import { captureEnvironment, rehearsalStackId } from "../../rehearsal/engine/environment-capture.ts";
import { type EnvironmentConfig, intentOf, parseConfig } from "../../stacks/config.ts";
import { minuteMs, startAt } from "../rehearsal/cloud/scene.ts";
import { differences, graphOfCapture, graphOfState } from "./fidelity/graph.ts";
import { Engine, engineOnPath, type Step } from "./harness.ts";

/** What the program is given in one `up` of the rehearsal, and what it registered there. */
interface Moment {
  readonly config: EnvironmentConfig;
  readonly declarations: readonly Declaration[];
  readonly found: unknown;
  readonly capture: Capture;
}

/** Every moment that the rehearsal captured, oldest first. */
const moments: Moment[] = [];

vi.mock("../../rehearsal/engine/environment-capture.ts", async (load) => {
  const real = await load<typeof import("../../rehearsal/engine/environment-capture.ts")>();
  const noted: typeof real.captureEnvironment = async (config, declarations, options = {}) => {
    const capture = await real.captureEnvironment(config, declarations, options);
    moments.push({ config, declarations, found: options.found, capture });
    return capture;
  };
  return { ...real, captureEnvironment: noted };
});

type Settings = Readonly<Record<string, unknown>>;

/** As in a stack file; `tidegate:` stands before each key. */
const fileOf = (aws: string, tidegate: Settings): Settings => ({
  "aws:region": aws,
  ...Object.fromEntries(Object.entries(tidegate).map(([key, value]) => [`tidegate:${key}`, value])),
});
const stackFile = (name: string): Record<string, unknown> =>
  parse(readFileSync(fileURLToPath(new URL(`../../Pulumi.${name}.yaml`, import.meta.url)), "utf8")).config;
const configOf = (file: Settings): EnvironmentConfig => {
  const entries = Object.entries(file).filter(([key]) => key.startsWith("tidegate:"));
  const tidegate = Object.fromEntries(entries.map(([key, value]) => [key.slice("tidegate:".length), value]));
  return parseConfig({ aws: { region: file["aws:region"] }, tidegate });
};

const isPlain = ({ type }: { readonly type: string }) => !type.startsWith("pulumi:");

if (!engineOnPath()) console.warn("test/engine/fidelity: skipped, pulumi and pulumi-language-nodejs are not on PATH");

describe.skipIf(!engineOnPath())("what the rehearsal captures", { timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-fidelity-"));
  const momentFile = join(folder, "moment.json");
  let engine: Engine | undefined;
  afterEach(() => {
    engine?.remove();
    engine = undefined;
    moments.length = 0;
  });

  /** The same moment under the engine: what it planned, and what the stack then is. */
  async function underEngine(file: Settings, { config, declarations, found }: Moment) {
    const stackId = rehearsalStackId(config.environment);
    writeFileSync(momentFile, JSON.stringify({ config, declarations, found, stackId }));
    engine ??= await Engine.start({
      program: fileURLToPath(new URL("fidelity/program.ts", import.meta.url)),
      env: { TIDEGATE_FIDELITY: momentFile },
    });
    engine.setConfig({ ...file });
    const { errors, steps } = await engine.up({ timeoutMs: 500_000 });
    expect(errors).toBe("");
    return { steps, graph: graphOfState(await engine.state()) };
  }

  const writes = (steps: readonly Step[]) =>
    steps
      .filter(isPlain)
      .filter(({ type }) => !type.startsWith("tidegate:"))
      .map(({ op, type, name }) => `${op} ${type} ${name}`)
      .sort();

  it("is what the engine makes of Pulumi.dev.yaml with a control: first up, opening, all of it, finish [E3, A4]", async () => {
    const file = stackFile("dev");
    const { checkout } = file["tidegate:services"] as Record<string, Record<string, unknown>>;
    const plan = { waves: [5, 100].map((exposurePercent) => ({ exposurePercent, soak: "10m" })) };
    const common = { ...checkout, plan, overrideReason: "the test does not soak" };
    const { canary, ...alone } = { canary: undefined, ...common } as Record<string, unknown>;
    const stages: readonly Record<string, unknown>[] = [
      { ...alone, canary, control: {}, wave: 0 },
      { ...alone, canary, control: {}, wave: 5 },
      { ...alone, canary, control: {}, wave: 100 },
      { ...alone, baseline: canary, wave: undefined, attempt: undefined, testers: undefined },
    ];
    const cloud = makeLocalCloud({
      seed: 1,
      startAt,
      ratePerSecondAt: () => 5,
      hook: "on",
      hostsPerGroup: 4,
      hostsReadyAfterSeconds: 0,
    });
    for (const stage of stages) {
      const service = JSON.parse(JSON.stringify(stage));
      const settings = { ...file, "tidegate:services": { checkout: service } };
      const result = await cloud.up(configOf(settings), "a test");
      expect(result.reasons).toEqual([]);
      const moment = moments.at(-1);
      if (!moment) throw new Error("nothing was captured");
      const real = await underEngine(settings, moment);
      expect(differences(graphOfCapture(moment.capture.resources), real.graph)).toEqual([]);
      const planned = result.changes.map(({ op, type, name }) => `${op} ${type} ${name}`).sort();
      expect(writes(real.steps)).toEqual(planned);
      await cloud.advanceTo(cloud.now() + 3 * minuteMs);
    }
    expect(moments.map(({ declarations }) => declarations[0]?.step)).toEqual(["first", "opening", "opening", "finish"]);
  });

  it("is what the engine makes of Pulumi.prod.yaml, which adopts what is there [E3, A3]", async () => {
    const file = stackFile("prod");
    const cloud = makeLocalCloud({
      seed: 1,
      startAt,
      ratePerSecondAt: () => 5,
      hook: "on",
      hostsPerGroup: 4,
      hostsReadyAfterSeconds: 0,
    });
    for (const opened of [false, true]) {
      const result = await cloud.up(configOf(file), "a test");
      expect(result.reasons).toEqual([]);
      const moment = moments.at(-1);
      if (!moment) throw new Error("nothing was captured");
      expect(moment.capture.adopted).toHaveLength(3);
      const real = await underEngine(file, moment);
      expect(differences(graphOfCapture(moment.capture.resources), real.graph)).toEqual([]);
      expect(writes(real.steps)).toEqual(result.changes.map(({ op, type, name }) => `${op} ${type} ${name}`).sort());
      expect(moment.declarations[0]?.step).toBe(opened ? "opening" : "first");
      await cloud.advanceTo(cloud.now() + 3 * minuteMs);
    }
  });

  it("is what the engine makes of every preset on every source, with every channel on; and a resource less is seen [E3]", async () => {
    const file = everythingOn();
    const config = configOf(file);
    const declarations = config.services.map((service) => declare(intentOf(config, service), { kind: "first" }, 0));
    await captureEnvironment(config, declarations, { cached: false });
    const moment = moments.at(-1);
    if (!moment) throw new Error("nothing was captured");
    const real = await underEngine(file, moment);
    const { resources } = moment.capture;
    expect(differences(graphOfCapture(resources), real.graph)).toEqual([]);
    expect(writes(real.steps)).toEqual(
      resources
        .filter(({ custom }) => custom)
        .map(({ type, name }) => `create ${type} ${name}`)
        .sort(),
    );
    const packages = new Set(resources.filter(({ custom }) => custom).map(({ type }) => type.split(":")[0]));
    expect([...packages].sort()).toEqual(["aws", "datadog", "grafana", "pagerduty"]);

    const dropped = resources.find(({ name }) => name === "web-emf-tester");
    const without = Object.entries(graphOfCapture(resources)).filter(([key]) => key !== dropped?.key);
    expect(differences(Object.fromEntries(without), real.graph)).toEqual([
      "aws:lb/listenerRule:ListenerRule web-emf-tester: the engine has it, the rehearsal does not",
    ]);
    const changed = resources.map((each) =>
      each === dropped ? { ...each, inputs: { ...each.inputs, priority: 1 } } : each,
    );
    expect(differences(graphOfCapture(changed), real.graph)).toEqual([
      `aws:lb/listenerRule:ListenerRule web-emf-tester.inputs.priority: 1 in the rehearsal, ${String(dropped?.inputs.priority)} in the engine`,
    ]);
    rmSync(folder, { recursive: true });
  });
});

/** Services by name with every preset and source that fit, and every channel. */
function everythingOn(): Settings {
  const secret = (name: string) => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`;
  const image = (letter: string) => `registry.example.com/shop/checkout@sha256:${letter.repeat(64)}`;
  const sources: readonly MetricSource[] = ["alb", "emf", "prometheus", "datadog"];
  const rows = objectivePresetNames.flatMap((objectives) => sources.map((source) => ({ objectives, source })));
  const services = rows.map(({ objectives, source }, index) => {
    const name = `${objectives}-${source}`;
    const service = {
      mode: "act",
      match: { hosts: [`${name}.example.com`] },
      testers: { header: { name: "x-tester", value: "yes" } },
      priority: 100 + 10 * index,
      baseline: { version: "2.3.1", image: image("a") },
      canary: { version: "2.4.0", image: image("b") },
      wave: 0,
      plan: "cautious",
      objectives,
      source,
    };
    return [name, service] as const;
  });
  return fileOf("eu-west-1", {
    environment: "dev",
    network: { vpcId: "vpc-01234567", subnetIds: ["subnet-01234567", "subnet-89abcdef"] },
    alerting: {
      email: ["sre@example.com"],
      pagerduty: { escalationPolicyId: "PABC123", owners: { payments: "PDEF456" } },
      slack: {
        webhookSecretArn: secret("webhook"),
        chatbot: { workspaceId: "T0123", criticalChannelId: "C0123", warningsChannelId: "C0456" },
      },
      grafana: {
        url: "https://grafana.example.com",
        prometheus: { uid: "prometheus" },
        tokenSecretArn: secret("grafana"),
        contactPoints: { slack: true, pagerDuty: true },
      },
      datadog: {
        site: "datadoghq.eu",
        keysSecretArn: secret("datadog"),
        notify: { critical: ["@pagerduty-web"], warning: ["@slack-alerts"] },
      },
      report: { sender: "slo@example.com", recipients: ["sre@example.com"], webhookSecretArn: secret("report") },
    },
    services: Object.fromEntries(services),
  });
}
