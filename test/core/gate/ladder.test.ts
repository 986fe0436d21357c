/** What the environment below says of a release, and what of it stops a first wave (A8, C1). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FinishedRelease, LadderEvidence } from "../../../core/gate/evidence.ts";
import { finishOf, ladderFindings } from "../../../core/gate/ladder.ts";
import { verdictOf } from "../../../core/gate/verdict.ts";

const release = { digest: "sha256:new", version: "2.0.0" };
const finished: FinishedRelease = {
  ...release,
  at: Date.UTC(2026, 0, 5, 10),
  figures: { "error-rate": 0.2, "latency-p95": 210 },
  requests: 10_000,
};
const baseline = { "error-rate": 0.1, "latency-p95": 200 };
const good: LadderEvidence = { below: "staging", release, finished, baseline };

const say = (change: Partial<LadderEvidence> = {}): string[] =>
  ladderFindings({ ...good, ...change }).map(({ verdict, text }) => `${verdict}: ${text}`);
const climbed = "promote: 2.0.0 finished in staging at 2026-01-05T10:00:00.000Z";
const errors = "promote: error rate in staging 0.2 %, of the baseline here 0.1 %";
const latency = "promote: p95 in staging 210 ms, of the baseline here 200 ms";

describe("the ladder", () => {
  it("lets through what finished below and was no worse there than the allowances [A8, C1]", () => {
    expect(say()).toEqual([climbed, errors, latency]);
    expect(ladderFindings(undefined)).toEqual([]);
  });

  it("waits for a release that has not finished below [A8]", () => {
    const { finished: _none, ...without } = good;
    const text =
      "monitor: 2.0.0 has not finished in staging, or was rolled back there since; expected a finished rollout. Finish it there and run pulumi up in that stack, or say overrideReason";
    expect(ladderFindings(without).map((finding) => `${finding.verdict}: ${finding.text}`)).toEqual([text]);
    expect(say({ finished: { ...finished, digest: "sha256:other" } })).toEqual([text]);
  });

  it("cannot tell where the environment below cannot be read [A8, B8]", () => {
    const [finding] = ladderFindings({ unreadable: "no such stack" });
    expect(finding).toEqual({
      rule: "ladder",
      verdict: "cannot-tell",
      measured: "nothing",
      text: "what finished in the environment below could not be read (no such stack)",
    });
  });

  it("matches adopted target groups by version, and says so: their ARNs are one environment's [A8]", () => {
    const adopted = { digest: "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/blue#2.0.0", version: "2.0.0" };
    expect(say({ release: adopted })[0]).toBe(`${climbed}, matched by its version: target groups have other ARNs here`);
    const images = [finished, { ...finished, digest: "sha256:older", version: "1.0.0" }];
    expect(finishOf(images, { digest: "sha256:forged", version: "2.0.0" })).toBeUndefined();
    expect(finishOf(images, adopted)).toEqual(finished);
    expect(finishOf([finished, { ...finished, at: finished.at + 1 }], release)?.at).toBe(finished.at + 1);
  });

  it("is worse over the ceiling, whatever the baseline here [C1]", () => {
    const figures = { "error-rate": 1.01 };
    expect(say({ finished: { ...finished, figures } })).toEqual([
      climbed,
      "roll-back: its error rate in staging was 1.01 %; expected at most 1 %",
    ]);
    expect(say({ finished: { ...finished, figures: { "error-rate": 1 } } })[1]).toMatch(/^monitor/);
  });

  it("waits for a person over a relative allowance: two environments differ in more than the release [C1]", () => {
    const figures = { "error-rate": 0.21, "latency-p95": 220.1 };
    expect(say({ finished: { ...finished, figures } }).slice(1)).toEqual([
      "monitor: error rate in staging 0.21 %, of the baseline here 0.1 %; expected at most 0.2 %. Look into it, or say overrideReason",
      "monitor: p95 in staging 220.1 ms, of the baseline here 200 ms; expected at most 220 ms. Look into it, or say overrideReason",
    ]);
    const settings = { latencyAllowancePercent: 20, errorAllowancePercent: 200, errorCeilingPercent: 0.2 };
    const lenient = ladderFindings({ ...good, finished: { ...finished, figures } }, settings);
    expect(lenient.map(({ verdict }) => verdict)).toEqual(["promote", "roll-back"]);
  });

  it("does not hold a handful of errors below against a release [B9]", () => {
    const figures = { "error-rate": 0.3, "latency-p95": 210 };
    const few = (requests: number) => say({ finished: { ...finished, figures, requests } })[1];
    const said = "error rate in staging 0.3 %, of the baseline here 0.1 %";
    expect(few(3_000)).toBe(`promote: ${said}; not held against it: 9 errors there, below 10 is chance`);
    expect(few(3_334)).toMatch(/^monitor/);
    const { requests: _unknown, ...unknown } = { ...finished, figures };
    expect(say({ finished: unknown })[1]).toBe(
      `promote: ${said}; not held against it: an unknown number of errors there, below 10 is chance`,
    );
  });

  it("says what it could not compare and goes on, but stops where the metrics here cannot be read [C1, B8]", () => {
    const later = "the first wave is watched and compared here";
    expect(say({ baseline: {} }).slice(1)).toEqual([
      `promote: error rate not compared with staging: too few requests here in the newest 15 minutes; ${later}`,
      `promote: p95 not compared with staging: too few requests here in the newest 15 minutes; ${later}`,
    ]);
    expect(say({ finished: { ...finished, figures: {} } }).slice(1)).toEqual([
      `promote: error rate not compared with staging: it was not measured in staging; ${later}`,
      `promote: p95 not compared with staging: it was not measured in staging; ${later}`,
    ]);
    expect(say({ baseline: { unreadable: "throttled" } }).slice(1)).toEqual([
      "cannot-tell: what the baseline came to in the newest 15 minutes could not be read (throttled)",
    ]);
  });

  it("never promotes what did not finish below, whatever else was measured [A8]", () => {
    const rate = fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(rate, rate, fc.boolean(), (error, p95, isOther) => {
        const here = {
          ...(error === undefined ? {} : { "error-rate": error }),
          ...(p95 === undefined ? {} : { "latency-p95": p95 }),
        };
        const { finished: _none, ...without } = { ...good, baseline: here };
        const evidence = isOther
          ? { ...without, finished: { ...finished, digest: "sha256:x", version: "x" } }
          : without;
        return verdictOf(ladderFindings(evidence)).kind !== "promote";
      }),
    );
  });
});
