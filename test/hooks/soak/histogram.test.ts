/** Prometheus' counters and buckets as windows of a soak (C1, D2). */
import { describe, expect, it } from "vitest";
import { histogramWindows } from "../../../hooks/soak/histogram.ts";

const range = { from: 0, to: 120_000, stepMs: 60_000 };
const line = (
  values: readonly (readonly [number, string])[],
  le?: string,
): { metric: Record<string, string>; values: readonly (readonly [number, string])[] } => ({
  metric: le === undefined ? {} : { le },
  values,
});

describe("windows out of counters and buckets", () => {
  it("stand at the start of the window that ends there, with samples and percentiles inside their buckets [C1]", () => {
    const windows = histogramWindows(
      {
        requests: [
          line([
            [60, "10"],
            [120, "0"],
          ]),
        ],
        errors: [line([[60, "1"]])],
        buckets: [
          line([[60, "10"]], "+Inf"),
          line([[60, "0"]], "50"),
          line([[60, "8"]], "100"),
          line([[60, "9"]], "200"),
        ],
      },
      range,
    );
    expect(windows).toEqual([
      {
        at: 0,
        requests: 10,
        errors: 1,
        // Of 8 samples between 50 and 100 ms the fifth of all ten; how slow the tenth was is not known.
        latencyMilliseconds: { p50: 50 + 50 * (5 / 8), p95: 200, p99: 200 },
        latencyCounts: [
          [100, 8],
          [200, 1],
          [Number.POSITIVE_INFINITY, 1],
        ],
      },
    ]);
  });

  it("count errors without a request as requests that failed [B8]", () => {
    expect(histogramWindows({ requests: [], errors: [line([[60, "3"]])], buckets: [] }, range)).toEqual([
      { at: 0, requests: 3, errors: 3 },
    ]);
  });

  it("have no latencies where there are none [C1]", () => {
    expect(histogramWindows({ requests: [line([[60, "3"]])], errors: [], buckets: [] }, range)).toEqual([
      { at: 0, requests: 3, errors: 0 },
    ]);
  });

  it.each<[string, Parameters<typeof histogramWindows>[0], string]>([
    [
      "a count that is none",
      { requests: [line([[60, "NaN"]])], errors: [], buckets: [] },
      "window of 1970-01-01T00:00:00.000Z: no measurement, got NaN; expected finite numbers from 0 on",
    ],
    [
      "a bucket that is none",
      { requests: [line([[60, "1"]])], errors: [], buckets: [line([[60, "NaN"]], "5"), line([[60, "1"]], "+Inf")] },
      "window of 1970-01-01T00:00:00.000Z: no measurement, got NaN; expected finite numbers from 0 on",
    ],
    [
      "a time between windows",
      { requests: [line([[61, "1"]])], errors: [], buckets: [] },
      "point at 61 s: no end of a window; expected steps of 60 s",
    ],
    [
      "two lines of one thing",
      { requests: [line([[60, "1"]]), line([[60, "1"]])], errors: [], buckets: [] },
      "point at 60 s: answered twice; expected one line",
    ],
    [
      "an empty text",
      { requests: [line([[60, "1"]])], errors: [line([[60, ""]])], buckets: [] },
      "window of 1970-01-01T00:00:00.000Z: no measurement, got NaN; expected finite numbers from 0 on",
    ],
    [
      "less than none, however little",
      { requests: [line([[60, "1"]])], errors: [line([[60, "-0.4"]])], buckets: [] },
      "window of 1970-01-01T00:00:00.000Z: no measurement, got -0.4; expected finite numbers from 0 on",
    ],
    [
      "what answers no range query",
      { requests: [line([[60, "1"]])], errors: [{ metric: {} }], buckets: [] },
      "line: no values by time; expected the answer of a range query",
    ],
    [
      "a histogram without its last bucket",
      { requests: [line([[60, "1"]])], errors: [], buckets: [line([[60, "1"]], "5")] },
      "buckets: none of them is +Inf; expected the histogram whole",
    ],
    [
      "a bucket that is absent beside others",
      { requests: [line([[60, "1"]])], errors: [], buckets: [line([], "5"), line([[60, "1"]], "+Inf")] },
      "bucket 5 at 0 ms: absent beside others; expected the histogram whole",
    ],
    [
      "a bucket without a bound",
      { requests: [], errors: [], buckets: [line([], "much")] },
      "bucket: no bound, got much; expected a number or +Inf",
    ],
  ])("refuse %s [B8]", (_what, lines, message) => {
    expect(() => histogramWindows(lines, range)).toThrow(message);
  });
});
