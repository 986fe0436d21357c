import { describe, expect, it } from "vitest";
import { alarmsFor } from "../../core/alarms.ts";
import { describeDetections, worstSeconds } from "../../core/detection.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { type Plan, planPresets } from "../../core/plans.ts";

const at = (plan: Plan, exposurePercent: number) => ({ plan, exposurePercent, figures: [] });

describe("how fast a breach ends", () => {
  it.each([
    ["emf", "error-rate/critical/10s", 2 * 10 + 10 + 10 + 60 + 10],
    ["emf", "error-rate/critical/60s", 2 * 60 + 10 + 60 + 60 + 10],
    ["alb", "error-rate/critical/60s", 2 * 60 + 120 + 60 + 60 + 10],
    ["alb", "error-rate/critical/300s", 2 * 300 + 120 + 60 + 60 + 10],
  ] as const)("adds up periods, delay, evaluation, hook and propagation: %s %s [B3]", (source, key, seconds) => {
    const alarm = alarmsFor(objectivePresets.web, source).find((candidate) => candidate.key === key);
    expect(alarm && worstSeconds(alarm, source)).toBe(seconds);
  });

  it("says for each bound that lowers how fast it is and from what traffic on [B9]", () => {
    // 100 requests in 300 s at 25 %: 1.3/s; ten errors at 5 % are 200 requests: 2.7/s. Beyond chance at 10 % are 15 of 147 requests: 9.8/s in 60 s.
    expect(describeDetections(objectivePresets.batch, "alb", at(planPresets.steady, 25))).toBe(
      [
        "error-rate (critical), disable: within 370 s from 9.8 requests/s of the service on at 2 × the bound, within 850 s from 2.7 requests/s of the service on",
        "error-rate (warning), halve: within 850 s from 6.7 requests/s of the service on",
        "latency-p99 (warning), floor: within 850 s from 14 requests/s of the service on",
        "healthy-hosts (critical), disable: within 430 s",
      ].join("; "),
    );
  });

  it("says what the wave itself adds, on that wave alone [A2, B9]", () => {
    const hosts = objectivePresets.batch.filter(({ name }) => name === "healthy-hosts");
    const said = (percent: number) => describeDetections(hosts, "alb", at(planPresets.migration, percent));
    const always = "healthy-hosts (critical), disable: within 430 s";
    expect(said(5)).toBe(
      `${always}; wave-error-rate (critical), previous-wave: within 370 s from 0.4 requests/s of the service on`,
    );
    expect(said(25)).toBe(
      `${always}; wave-error-rate (critical), previous-wave: within 850 s from 27 requests/s of the service on`,
    );
    expect(said(100)).toBe(always);
  });

  it("asks for requests of both where two releases are compared: at 90 % the baseline has the fewer [B9]", () => {
    expect(describeDetections(objectivePresets.production, "emf", at(planPresets.steady, 90))).toContain(
      "memory (critical), disable: within 1040 s",
    );
    const critical = { value: 2, reference: { kind: "baseline", form: "factor" }, response: "disable" } as const;
    const objectives = [{ name: "errors", indicator: "error-rate", critical } as const];
    expect(describeDetections(objectives, "alb", at(planPresets.steady, 90))).toBe(
      "errors (critical), disable: within 1150 s from 3.4 requests/s of the service on",
    );
  });
});
