/** What the lines of a busy release weigh, since logs are charged by the gigabyte (D9). */
import { describe, expect, it } from "vitest";
import { reportedLineBytes } from "../../core/cost.ts";
import { traffic } from "../../rehearsal/traffic/constants.ts";
import { aRelease } from "./fake-runtime.ts";

describe("the lines of one interval", () => {
  it("weigh no more than the cost estimate takes them for, at 1,000 requests of a usual release [D9]", () => {
    const { metrics, runtime, sink } = aRelease({ reportsProcess: true });
    const { medianMs, sigma } = traffic.latency;
    for (let index = 0; index < 1_000; index += 1) {
      // Quantiles of the lognormal by the logistic one, near enough for a width.
      const part = (index + 0.5) / 1_000;
      metrics.request(medianMs * Math.exp((sigma * Math.log(part / (1 - part))) / 1.702), index % 500 === 0);
    }
    runtime.pass(10_000);
    const bytes = sink.texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    expect(bytes).toBeGreaterThan(reportedLineBytes / 2);
    expect(bytes).toBeLessThanOrEqual(reportedLineBytes);
  });
});
