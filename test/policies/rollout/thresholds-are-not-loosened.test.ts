import { describe, expect, it } from "vitest";
import { type Objective, objectivePresetNames, objectivePresets } from "../../../core/objectives.ts";
import { planPresets } from "../../../core/plans.ts";
import { thresholdsAreNotLoosened } from "../../../policies/rollout/thresholds-are-not-loosened.ts";
import { notKnownYet, violationsOf } from "../policy-run.ts";
import { aService } from "./a-service.ts";

/** A preset with one objective changed; `undefined` takes it out. */
function changed(preset: readonly Objective[], name: string, change: Partial<Objective> | undefined): Objective[] {
  return preset.flatMap((objective) => {
    if (objective.name !== name) return [objective];
    return change === undefined ? [] : [{ ...objective, ...change }];
  });
}

const { web, batch } = objectivePresets;
const judge = (objectives: readonly Objective[], config = {}, more = {}): Promise<string[]> =>
  violationsOf(thresholdsAreNotLoosened, [aService({ objectives, source: "emf", ...more })], config);

describe("rollout-thresholds-are-not-loosened", () => {
  it("lets every preset and every tighter bound through [E1]", async () => {
    for (const source of ["alb", "emf"]) {
      for (const preset of objectivePresetNames) {
        expect(await judge(objectivePresets[preset], {}, { source })).toEqual([]);
        expect(await judge(objectivePresets[preset], { preset }, { source })).toEqual([]);
      }
    }
    expect(await judge(changed(web, "error-rate", { critical: { value: 0.1, response: "disable" } }))).toEqual([]);
  });

  it("lets a bound be as wide as the limit times the widest preset, and not wider [E1]", async () => {
    const bound = (value: number) => changed(web, "error-rate", { critical: { value, response: "disable" } });
    expect(await judge(bound(20))).toEqual([]);
    expect(await judge(bound(20.1))).toEqual([
      "checkout: objective error-rate, critical is loosened, got 20.1 percent; expected at most 20 percent (factor 2 of the presets). Tighten it",
    ]);
    expect(await judge(bound(1.6), { preset: "web", maximumFactor: 1.5 })).toEqual([
      "checkout: objective error-rate, critical is loosened, got 1.6 percent; expected at most 1.5 percent (factor 1.5 of the presets). Tighten it",
    ]);
  });

  it("measures an availability by the errors it leaves room for, and hosts from below [E1]", async () => {
    expect(
      await judge([
        ...changed(web, "availability", { warning: { value: 99.7, response: "notify", windowSeconds: 300 } }).filter(
          ({ name }) => name !== "healthy-hosts",
        ),
        { name: "healthy-hosts", indicator: "healthy-hosts", critical: { value: 0, response: "disable" } },
      ]),
    ).toEqual([
      "checkout: objective availability, warning is loosened, got 99.7 percent; expected at least 99.8 percent (factor 2 of the presets). Tighten it",
      "checkout: objective healthy-hosts, critical is loosened, got 0 count; expected at least 1 count (factor 2 of the presets). Tighten it",
    ]);
  });

  it("holds a multiple of the baseline to the presets' multiples, growth to their growth, and neither to a fixed value [E1]", async () => {
    const { migration } = objectivePresets;
    const factor = { kind: "baseline", form: "factor" } as const;
    const memory = (value: number) =>
      changed(migration, "memory", { critical: { value, reference: factor, response: "previous-wave" } });
    expect(await judge(memory(3))).toEqual([]);
    expect(await judge(memory(3.1))).toEqual([
      "checkout: objective memory, critical is loosened, got 3.1 times the baseline; expected at most 3 times the baseline (factor 2 of the presets). Tighten it",
    ]);
    const growth = changed(migration, "memory-growth", {
      critical: { value: 21, reference: { kind: "growth" }, response: "freeze" },
    });
    expect(await judge(growth)).toEqual([
      "checkout: objective memory-growth, critical is loosened, got 21 percent an hour; expected at most 20 percent an hour (factor 2 of the presets). Tighten it",
    ]);
    const fixed = changed(migration, "memory", { critical: { value: 9_000, response: "previous-wave" } });
    expect(await judge(fixed)).toEqual([]);
  });

  it("takes no relative bound for the fixed one that every preset has: both releases may be bad alike [E1]", async () => {
    const reference = { kind: "baseline", form: "factor" } as const;
    expect(await judge(changed(web, "error-rate", { critical: { value: 2, reference, response: "disable" } }))).toEqual(
      [
        "checkout: no critical bound on error-rate, got none; expected one such as 5 percent, disable. Take it from the preset",
      ],
    );
  });

  it("holds what should be high by what may be missing of it, a throughput from below [E1]", async () => {
    const cache = changed(web, "cache-hit-ratio", { warning: { value: 39, response: "notify" } });
    expect(await judge(cache)).toEqual([
      "checkout: objective cache-hit-ratio, warning is loosened, got 39 percent; expected at least 40 percent (factor 2 of the presets). Tighten it",
    ]);
    const throughput = changed(batch, "throughput", { critical: { value: 2_499, response: "freeze" } });
    expect(await judge(throughput)).toEqual([
      "checkout: objective throughput, critical is loosened, got 2499 per second; expected at least 2500 per second (factor 2 of the presets). Tighten it",
    ]);
  });

  it("takes no violation where a preset takes none [E1]", async () => {
    const one = changed(batch, "invariant-violations", { critical: { value: 1, response: "disable" } });
    expect(await judge(one)).toEqual([]);
    expect(await judge(one, { preset: "batch" })).toEqual([
      "checkout: objective invariant-violations, critical is loosened, got 1 count; expected at most 0 count (factor 2 of the presets). Tighten it",
    ]);
  });

  it("refuses a response that lets a breach go on [E1]", async () => {
    const weak = (response: "notify" | "freeze" | "halve") =>
      changed(web, "error-rate", { critical: { value: 1, response } });
    expect(await judge(weak("notify"))).toEqual([
      "checkout: objective error-rate, critical is weakened, got response notify; expected disable or one as strong. Give it back",
    ]);
    expect(await judge(weak("freeze"))).toHaveLength(1);
    expect(await judge(weak("halve"))).toEqual([]);
    const invariant = changed(batch, "invariant-violations", { critical: { value: 0, response: "halve" } });
    expect(await judge(invariant)).toEqual([
      "checkout: objective invariant-violations, critical is weakened, got response halve; expected disable or one as strong. Give it back",
    ]);
    const latency = changed(web, "latency-p95", { critical: { value: 3_000, response: "notify", windowSeconds: 60 } });
    expect(await judge(latency)).toEqual([
      "checkout: objective latency-p95, critical is weakened, got response notify; expected freeze or one as strong. Give it back",
    ]);
  });

  it("refuses an acting service's objective that only observes, not an observing service [E1]", async () => {
    const observing = changed(web, "error-rate", { mode: "observe" });
    expect(await judge(observing)).toEqual([
      "checkout: objective error-rate only observes, got mode observe; expected act, as the service has. Leave its mode out",
    ]);
    expect(await judge(observing, {}, { mode: "observe" })).toEqual([]);
  });

  it("refuses windows and floors that blind an objective [E1]", async () => {
    const slow = changed(web, "error-rate", {
      critical: { value: 1, response: "disable", windowSeconds: 601 },
      minimumRequests: 201,
      minimumErrors: 21,
    });
    expect(await judge(slow)).toEqual([
      "checkout: objective error-rate, critical looks too long before it acts, got a window of 601 s; expected at most 600 s. Shorten it",
      "checkout: objective error-rate waits for too many requests, got 201; expected at most 200. Lower it",
      "checkout: objective error-rate waits for too many errors, got 21; expected at most 20. Lower it",
    ]);
  });

  it("refuses a critical bound that every preset has and the service took out [E1]", async () => {
    const text =
      "checkout: no critical bound on error-rate, got none; expected one such as 5 percent, disable. Take it from the preset";
    expect(await judge(changed(web, "error-rate", undefined))).toEqual([text]);
    expect(await judge(changed(web, "error-rate", { critical: undefined }))).toEqual([text]);
    expect(await judge(changed(web, "healthy-hosts", undefined))).toEqual([
      "checkout: no critical bound on healthy-hosts, got none; expected one such as 1 count, disable. Take it from the preset",
    ]);
  });

  it("takes a critical availability for an error rate, which is how it is watched [E1]", async () => {
    const objectives: Objective[] = [
      { name: "availability", indicator: "availability", critical: { value: 99, response: "disable" } },
      ...web.filter(({ name }) => name === "healthy-hosts"),
    ];
    expect(await judge(objectives)).toEqual([]);
  });

  it("holds a critical availability that stands for the error rate to its bounds, response and mode included [E1]", async () => {
    const instead = (critical: Objective["critical"], more: Partial<Objective> = {}): Objective[] => [
      ...web.filter(({ name }) => name !== "error-rate" && name !== "availability"),
      { name: "availability", indicator: "availability", critical, ...more },
    ];
    const place = "checkout: objective availability, critical";
    const wide = `${place} is loosened, got 1 percent; expected at least 80 percent (factor 2 of the presets). Tighten it`;
    const weak = `${place} is weakened, got response notify; expected disable or one as strong. Give it back`;
    expect(await judge(instead({ value: 1, response: "notify" }))).toEqual([wide, weak]);
    expect(await judge(instead({ value: 1, response: "disable" }))).toEqual([wide]);
    expect(await judge(instead({ value: 99, response: "freeze" }))).toEqual([weak.replace("notify", "freeze")]);
    expect(await judge(instead({ value: 80, response: "disable" }))).toEqual([]);
    expect(await judge(instead({ value: 97.9, response: "disable" }), { preset: "web" })).toEqual([
      `${place} is loosened, got 97.9 percent; expected at least 98 percent (factor 2 of the presets). Tighten it`,
    ]);
    expect(await judge(instead({ value: 99, response: "disable", windowSeconds: 601 }))).toEqual([
      `${place} looks too long before it acts, got a window of 601 s; expected at most 600 s. Shorten it`,
    ]);
    expect(await judge(instead({ value: 99, response: "disable" }, { mode: "observe" }))).toEqual([
      "checkout: objective availability only observes, got mode observe; expected act, as the service has. Leave its mode out",
    ]);
  });

  it("does not take a success rate, which nothing measures, for an error rate [E1]", async () => {
    const objectives: Objective[] = [
      ...web.filter(({ name }) => name !== "error-rate"),
      { name: "success-rate", indicator: "success-rate", critical: { value: 99, response: "disable" } },
    ];
    expect(await judge(objectives)).toEqual([
      "checkout: no critical bound on error-rate, got none; expected one such as 5 percent, disable. Take it from the preset",
    ]);
  });

  it("holds every service to one preset where the configuration names it [E1]", async () => {
    expect(await judge(web, { preset: "batch" })).toEqual([
      "checkout: no critical bound on invariant-violations, got none; expected one such as 0 count, disable. Take it from the preset",
      "checkout: no critical bound on throughput, got none; expected one such as 5000 per second, freeze. Take it from the preset",
      "checkout: objective error-rate, warning is weakened, got response notify; expected halve or one as strong. Give it back",
      "checkout: objective availability, warning is weakened, got response notify; expected halve or one as strong. Give it back",
    ]);
    // What a source cannot measure has no alarm, and nothing to loosen.
    expect(await judge(web, { preset: "batch" }, { source: "alb" })).toHaveLength(2);
  });

  it("refuses a wave below the last that only a human lowers [E1]", async () => {
    const plan = {
      ...planPresets.steady,
      waves: planPresets.steady.waves.map((wave) => ({ ...wave, lowering: "human" as const })),
    };
    expect(await judge(web, {}, { plan })).toEqual(
      [10, 25, 50].map(
        (percent) =>
          `checkout: wave ${percent} is lowered by nobody but a human, got lowering human; expected automatic below 100 %. Leave lowering out`,
      ),
    );
    expect(await judge(web, {}, { plan: planPresets.migration })).toEqual([]);
  });

  it("refuses what is not known in a preview [E1]", async () => {
    const objectives = [
      { name: "error-rate", indicator: "error-rate", critical: { value: notKnownYet, response: "disable" } },
    ];
    const [text] = await violationsOf(thresholdsAreNotLoosened, [aService({ objectives })]);
    expect(text).toBe(
      "checkout: cannot be judged, got nothing readable in objectives.0.critical.value; expected the plain facts that ProgressiveService declares. Use program and policies of one version, and give the component plain values",
    );
  });
});
