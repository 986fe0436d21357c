/**
 * `preview` reports and `up` enforces: whatever rule of the gate is not met is said in a preview and stops an `up`. And what takes traffic away
 * never asks the gate.
 */
import type * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { Declaration, Intent } from "../../core/declaration.ts";
import { declare } from "../../core/declare.ts";
import type { SoakEvidence } from "../../core/gate/evidence.ts";
import { readVerdictText } from "../../core/gate/finding-words.ts";
import { type GateRule, gateRules } from "../../core/gate/verdict.ts";
import { planPresets } from "../../core/plans.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { parseConfig } from "../../stacks/config.ts";
import { decideEnvironment } from "../../stacks/decide.ts";
import { program } from "../../stacks/program.ts";
import { rememberingGuards } from "../helpers/builders.ts";
import { account, runPulumi } from "../helpers/pulumi-run.ts";
import { v1, v2, World } from "../helpers/world.ts";
import { aConfig } from "./config-builders.ts";

const minute = 60_000;
const base = await new World().rolledOutTo(10);
const canary = base.record.canary ?? fail("no canary");
const record: RolloutRecord = { ...base.record, lastIntent: { digest: v2.digest, attempt: 1, wave: 10 } };
const now = canary.waveOpenedAt + 1_440 * minute;
const good: SoakEvidence = { canaryRequests: 100_000, watchedFraction: 1, fellSilent: false, alarmsInAlarm: [] };
const intent: Intent = {
  environment: "dev",
  service: "checkout",
  mode: "act",
  plan: planPresets.steady,
  baseline: v1,
  canary: v2,
  wavePercent: 25,
  attempt: 1,
  retire: false,
};

function fail(text: string): never {
  throw new Error(text);
}

interface Case {
  readonly evidence?: Partial<SoakEvidence>;
  readonly record?: Partial<RolloutRecord>;
  readonly now?: number;
  /** What the refusal is. */
  readonly says: RegExp;
}

const unreadable = { unreadable: "throttled" };
const hold: RolloutRecord["holds"][string] = {
  id: "h1",
  scope: "digest",
  digest: v2.digest,
  attempt: 1,
  cause: "kill",
  detail: "customers call",
  response: "disable",
  targetPercent: 0,
  at: now,
  acknowledged: { by: "an SRE", reason: "looked into it", at: now },
};
const breach: RolloutRecord["breaches"][string] = {
  id: "b1",
  digest: v2.digest,
  objective: "error-rate",
  severity: "critical",
  response: "disable",
  startedAt: now,
  exposureAtStartPercent: 10,
  targetPercent: 0,
  lastStepAt: now,
  settleSeconds: 60,
  disableAnyway: false,
  observed: false,
};
/** Nothing in the release's favour at the first wave: what only that is asked. */
const first: Partial<RolloutRecord> = {
  canary: { ...canary, exposurePercent: 0, servedPercents: [] },
  lastIntent: { digest: v2.digest, attempt: 1, wave: 0 },
};
const cooling = { ...record.plan, coolOffMinutes: 60 };

/** Each rule alone, all else in order. */
const cases: Readonly<Partial<Record<GateRule, Case>>> = {
  pause: { record: { paused: { by: "an SRE", reason: "incident", at: now } }, says: /monitor: paused by an SRE/ },
  breach: { record: { breaches: { b1: breach } }, says: /roll-back: breach of error-rate \(critical\) open/ },
  alarm: { evidence: { alarmsInAlarm: ["tidegate/x"] }, says: /roll-back: alarm tidegate\/x is in ALARM/ },
  soak: { now: now - minute, says: /monitor: soak at 10 % served 1439 of 1440 min/ },
  requests: {
    evidence: { canaryRequests: 999 },
    says: /cannot tell \(too-little measured\): .* answered 999 requests/,
  },
  visibility: { evidence: { fellSilent: true }, says: /cannot tell \(nothing measured\): the canary fell silent/ },
  criteria: {
    evidence: { criteria: unreadable },
    says: /cannot tell \(nothing measured\): .* criteria could not be read/,
  },
  errors: {
    evidence: { soak: unreadable },
    says: /cannot tell \(nothing measured\): .*could not be read \(throttled\)/,
  },
  latency: {
    evidence: { soak: unreadable },
    says: /cannot tell \(nothing measured\): .*could not be read \(throttled\)/,
  },
  "error-budget": { evidence: { errorBudget: unreadable }, says: /cannot tell .*: the error budget could not be read/ },
  figures: { evidence: { figuresUnreadable: "throttled" }, says: /what bounds of the next wave are measured against/ },
  checks: {
    evidence: { checks: { version: "2.0.0", asked: [{ name: "smoke", maximumAgeMinutes: 60 }], results: [] } },
    says: /cannot tell \(nothing measured\): check smoke has 0 results/,
  },
  approvals: {
    evidence: { approvals: { wavePercent: 25, version: "2.0.0", attempt: 1, roles: ["sre"], given: [] } },
    says: /monitor: wave 25 waits for sre to sign for release 2\.0\.0, attempt 1/,
  },
  "change-freeze": {
    evidence: { freezes: [{ name: "year's end", endsAt: "2027-01-02" }] },
    says: /monitor: change freeze year's end is in force until 2027-01-02/,
  },
  ladder: {
    record: first,
    evidence: { ladder: unreadable },
    says: /cannot tell \(nothing measured\): what finished in the environment below could not be read/,
  },
  "cool-off": {
    record: {
      ...first,
      plan: cooling,
      holds: { h1: { ...hold, at: now - minute } },
    },
    says: /monitor: 2\.0\.0 was rolled back, .* it cools off for 60 min/,
  },
};

function declared({ evidence, record: change, now: at = now }: Case, overrideReason?: string): Declaration {
  const of = { ...record, ...change };
  const wavePercent = of.canary?.exposurePercent === 0 ? 10 : 25;
  const attempt = Object.keys(of.holds).length > 0 ? 2 : 1;
  const asks = { ...intent, wavePercent, attempt, ...(overrideReason === undefined ? {} : { overrideReason }) };
  return declare(asks, { kind: "record", record: of, live: undefined }, at, { ...good, ...evidence });
}

function run(declaration: Declaration, isPreview: boolean) {
  const told: string[] = [];
  const registered: string[] = [];
  const log = {
    info: (text: string, _resource?: pulumi.Resource) => told.push(text),
    warn: (text: string, _resource?: pulumi.Resource) => told.push(text),
  };
  const ran = runPulumi(
    () =>
      program({
        config: parseConfig(aConfig()),
        decide: async () => [declaration],
        guards: rememberingGuards().binding,
        hookBundleFolder: new URL(import.meta.url).pathname,
        watchmanBundleFolder: new URL(import.meta.url).pathname,
        stackId: "example/tidegate/dev",
        accountId: account,
        isPreview,
        log,
      }),
    {
      fail: ({ type }) => {
        if (type !== "pulumi:pulumi:Stack") registered.push(type);
        return undefined;
      },
    },
  );
  return { ran, told, registered };
}

describe("each rule of the gate", () => {
  it("has nothing against a release that meets all of them [C1]", () => {
    expect(declared({ says: /^/ })).toMatchObject({ step: "opening", exposurePercent: 25, refusals: [] });
  });

  it.each(Object.entries(cases))(
    "stops an up before any resource, and is said in the preview: %s [C1, B8]",
    async (rule, one) => {
      const declaration = declared(one);
      expect(declaration.step).toBe("none");
      expect(declaration.exposurePercent).toBe(one.record && "canary" in one.record ? 0 : 10);
      expect(declaration.refusals.join("\n")).toMatch(one.says);
      const found = declaration.verdict?.findings
        .filter(({ verdict }) => verdict !== "promote")
        .map((each) => each.rule);
      expect(found).toContain(rule);
      const up = run(declaration, false);
      await expect(up.ran).rejects.toThrow(declaration.refusals[0] ?? "no refusal");
      expect(up.registered).toEqual([]);
      // What a preview says is the notice and the refusals, as `program.test.ts` has it.
      const notice = declaration.notices.find(({ kind }) => kind === "gate")?.text ?? "";
      const told = readVerdictText(notice)?.findings.filter(({ word }) => word !== "met");
      expect(told?.map((each) => each.rule)).toContain(rule);
    },
  );

  it("is said in a preview of the program, whole, beside what an up would refuse [B8]", async () => {
    const declaration = declared({ evidence: { canaryRequests: 999, fellSilent: true }, says: /^/ });
    const { ran, told } = run(declaration, true);
    await ran;
    expect(told.filter((text) => text.startsWith("checkout: the gate says "))).toEqual([
      declaration.notices.find(({ kind }) => kind === "gate")?.text,
    ]);
    expect(told.filter((text) => text.startsWith("this up would be refused: "))).toEqual(
      declaration.refusals.map((text) => `this up would be refused: ${text}`),
    );
    expect(declaration.refusals).toHaveLength(2);
  });

  it("is lifted by a reason or not at all [C3]", () => {
    const never = new Set<string>(["hold", "pause", "breach", "alarm", "approvals", "change-freeze"]);
    for (const [rule, one] of Object.entries(cases)) {
      const { refusals } = declared(one, "the shop closes");
      expect([rule, refusals.length > 0]).toEqual([rule, never.has(rule)]);
    }
  });

  it("is shown here, but for those that stand elsewhere", () => {
    // A hold is told before the gate is asked (declare.test.ts); the score only where windows are compared (comparison tests).
    expect(gateRules.filter((rule) => cases[rule] === undefined)).toEqual(["hold", "health-score"]);
  });
});

describe("what takes traffic away, or leaves it as it is", () => {
  /** The reads of one decision. */
  async function asked(world: World, change: Parameters<World["configOf"]>[0]) {
    const calls: string[] = [];
    const ports = world.cloud.ports("up", async (call) => void calls.push(call));
    const [declaration] = await decideEnvironment(world.configOf(change), ports);
    return { step: declaration?.step, verdict: declaration?.verdict, calls: new Set(calls) };
  }
  const reads = ["metrics before", "values before", "alarms before"];

  it.each([
    ["a lowering", { canary: v2, wavePercent: 0 }, "lowering"],
    ["an abandoned canary", {}, "lowering"],
    ["an idle up", { canary: v2, wavePercent: 10 }, "none"],
  ])("asks for no metric and no alarm: %s [B7, C1]", async (_name, change, step) => {
    const world = await new World().rolledOutTo(10);
    const { calls, ...rest } = await asked(world, change);
    expect(rest).toEqual({ step, verdict: undefined });
    expect(reads.filter((read) => calls.has(read))).toEqual([]);
    // Else nothing is counted at all.
    expect((await asked(world, { canary: v2, wavePercent: 25 })).calls).toContain("metrics before");
  });

  it("asks for nothing where the latch is closed [A4]", async () => {
    const world = await new World().rolledOutTo(10);
    await world.kill();
    const { calls, verdict } = await asked(world, { canary: v2, wavePercent: 10 });
    expect(verdict).toBeUndefined();
    expect(reads.filter((read) => calls.has(read))).toEqual([]);
  });

  it("goes to 0 while no metric can be read: a kill, and a rollback [B7]", async () => {
    const blind = async (call: string) => {
      if (call === "metrics before" || call === "values before") throw new Error("throttled");
    };
    const killed = await new World().rolledOutTo(10);
    await killed.command("kill", blind);
    expect(killed.live(v2)).toBe(0);
    const failing = await new World().rolledOutTo(10);
    failing.alarm(v2, "error-rate/critical", "ALARM");
    await failing.reconcileWith(blind);
    expect(failing.live(v2)).toBe(0);
  });
});
