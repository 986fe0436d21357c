import { describe, expect, it } from "vitest";
import { alarmsFor } from "../../core/alarms.ts";
import { describeDetections, worstSeconds } from "../../core/detection.ts";
import { objectivePresets } from "../../core/objectives.ts";

describe("how fast a breach ends", () => {
  it.each([
    ["emf", "error-rate/critical/10s", 3 * 10 + 10 + 10 + 60 + 10],
    ["emf", "error-rate/critical/60s", 3 * 60 + 10 + 60 + 60 + 10],
    ["alb", "error-rate/critical/60s", 3 * 60 + 120 + 60 + 60 + 10],
    ["alb", "error-rate/critical/300s", 2 * 300 + 120 + 60 + 60 + 10],
  ] as const)("adds up periods, delay, evaluation, hook and propagation: %s %s [B3]", (source, key, seconds) => {
    const alarm = alarmsFor(objectivePresets.web, source).find((candidate) => candidate.key === key);
    expect(alarm && worstSeconds(alarm, source)).toBe(seconds);
  });

  it("says for each bound that lowers how fast it is and from what traffic on [B9]", () => {
    // 100 requests in 60 s at 25 %: 6.7/s; ten errors at 5 % are 200 requests: 13.3/s in 60 s, 2.7/s in 300 s.
    expect(describeDetections(objectivePresets.batch, "alb", 25)).toBe(
      [
        "error-rate (critical), disable: within 430 s from 14 requests/s of the service on, within 850 s from 2.7 requests/s of the service on",
        "error-rate (warning), halve: within 430 s from 34 requests/s of the service on, within 850 s from 6.7 requests/s of the service on",
        "latency-p99 (warning), floor: within 850 s from 14 requests/s of the service on",
        "healthy-hosts (critical), disable: within 430 s",
      ].join("; "),
    );
  });
});
