import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatencyBins } from "../../client/latency-bins.ts";
import { emfProblems } from "./emf-schema.ts";
import { aRelease, FakeRuntime } from "./fake-runtime.ts";

/** 2026-01-05T10:00:00Z. */
const tenOClock = 1_767_607_200_000;

describe("a line", () => {
  it("is exactly this, for a release with requests [B3]", () => {
    const { metrics, runtime, sink } = aRelease();
    metrics.request(12.5, false);
    metrics.request(12.5, false);
    metrics.request(480, true);
    runtime.pass(10_000);
    expect(sink.texts).toEqual([
      '{"_aws":{"Timestamp":1767607200000,"CloudWatchMetrics":[{"Namespace":"Tidegate","Dimensions":[["Service","Release"]],"Metrics":[' +
        '{"Name":"Requests","Unit":"Count","StorageResolution":1},{"Name":"Errors","Unit":"Count","StorageResolution":1},' +
        '{"Name":"Latency","Unit":"Milliseconds","StorageResolution":1}]}]},' +
        '"Service":"checkout","Release":"2-4-0-1a2b3c4d","Environment":"production","Requests":3,"Errors":1,"Latency":{"Values":[12.5,480],"Counts":[2,1]}}\n',
    ]);
    expect(sink.texts.flatMap(emfProblems)).toEqual([]);
  });

  it("comes every 10 s, aligned to the clock, stamped with the interval that it is of [B3]", () => {
    const { metrics, runtime, sink } = aRelease();
    runtime.pass(3_000);
    metrics.request(1, false);
    runtime.pass(6_999);
    expect(sink.lines).toEqual([]);
    runtime.pass(1);
    expect(sink.lines.map(({ _aws }) => _aws.Timestamp)).toEqual([tenOClock]);
    metrics.request(1, false);
    runtime.pass(10_000);
    expect(sink.lines.map(({ _aws }) => _aws.Timestamp)).toEqual([tenOClock, tenOClock + 10_000]);
  });

  it("stays aligned when the event loop stood still: late by a little it is of the interval before, late by more of now [B3]", () => {
    const { metrics, runtime, sink } = aRelease();
    metrics.request(1, false);
    runtime.block(13_000);
    metrics.request(1, false);
    runtime.pass(7_000);
    metrics.request(1, false);
    runtime.block(64_000);
    metrics.request(1, false);
    runtime.pass(6_000);
    expect(sink.lines.map(({ _aws }) => (_aws.Timestamp - tenOClock) / 1_000)).toEqual([0, 10, 80, 80]);
  });

  it("comes once an interval even where the timer came early by a rounding [B3]", () => {
    const runtime = new FakeRuntime();
    const after = runtime.after.bind(runtime);
    runtime.after = (milliseconds, act) => after(milliseconds - 0.4, act);
    const { sink } = aRelease({ runtime, reportsProcess: true });
    runtime.pass(24_000);
    expect(sink.lines.map(({ _aws }) => (_aws.Timestamp - tenOClock) / 1_000)).toEqual([0, 10]);
  });

  it("is not written while nothing happens, and has no zero requests [B8]", () => {
    const { metrics, runtime, sink } = aRelease();
    metrics.request(1, false);
    runtime.pass(3_600_000);
    expect(sink.lines).toHaveLength(1);
  });

  it("has zero errors while there are requests, and zeros of what was ever counted [B3]", () => {
    const { metrics, runtime, sink } = aRelease();
    metrics.count("cache-hits");
    runtime.pass(10_000);
    metrics.request(1, false);
    runtime.pass(10_000);
    expect(sink.lines[1]).toMatchObject({ Requests: 1, Errors: 0, CacheHits: 0 });
    expect(sink.lines[1]).not.toHaveProperty("CacheMisses");
  });

  it("has the process's memory and processor time, with requests and without [B1]", () => {
    const { metrics, runtime, sink } = aRelease({ reportsProcess: true });
    runtime.memory = 256_500_000;
    runtime.cpu = 4_000_000;
    runtime.pass(10_000);
    runtime.cpu += 15_000_000;
    metrics.request(1, false);
    runtime.pass(10_000);
    expect(sink.lines).toMatchObject([
      { MemoryMegabytes: 256.5, CpuPercent: 40 },
      { MemoryMegabytes: 256.5, CpuPercent: 150, Requests: 1 },
    ]);
    expect(sink.texts.flatMap(emfProblems)).toEqual([]);
  });

  it("leaves the process out on Lambda, whose memory is not the release's own, and tells of each run at its end [B3]", () => {
    const { runtime } = aRelease();
    runtime.variables.AWS_LAMBDA_FUNCTION_NAME = "checkout";
    const { metrics, sink } = aRelease({ runtime, reportsProcess: undefined });
    runtime.pass(4_000);
    metrics.request(7, false);
    metrics.flush();
    // Frozen between runs, then a timer that is long overdue.
    runtime.block(600_000);
    metrics.request(9, true);
    metrics.flush();
    expect(sink.lines.map((line) => [(line._aws.Timestamp - tenOClock) / 1_000, line.Requests, line.Errors])).toEqual([
      [0, 1, 0],
      [600, 1, 1],
    ]);
    expect(sink.lines[0]).not.toHaveProperty("MemoryMegabytes");
  });

  it("tells how long the worst breaker has been open, and how long one took to close [B1]", () => {
    const { metrics, runtime, sink } = aRelease();
    const database = metrics.breaker("database");
    metrics.breaker("payments").opened();
    runtime.pass(4_000);
    database.opened();
    runtime.pass(6_000);
    metrics.breaker("payments").closed();
    runtime.pass(1_000);
    database.closed();
    runtime.pass(9_000);
    metrics.request(1, false);
    runtime.pass(10_000);
    expect(sink.lines).toMatchObject([
      { BreakerOpenSeconds: 10 },
      { BreakerOpenSeconds: 10, BreakerRecoverySeconds: 10 },
      { BreakerOpenSeconds: 0, Requests: 1 },
    ]);
    expect(sink.lines[2]).not.toHaveProperty("BreakerRecoverySeconds");
  });
});

describe("limits", () => {
  it("has at most 100 values a line: more go into further lines, and requests are counted once [B3]", () => {
    const { metrics, runtime, sink } = aRelease();
    // 1 ms to 1 min in steps of a twentieth: more values than a line may have.
    let sent = 0;
    for (let milliseconds = 1; milliseconds < 60_000; milliseconds *= 1.05) {
      metrics.request(milliseconds, false);
      sent += 1;
    }
    runtime.pass(10_000);
    const values = sink.lines.map((line) => (line.Latency as { Values: number[] }).Values.length);
    expect([sent, values, sink.lines.map((line) => line.Requests)]).toEqual([
      226,
      [100, 100, 26],
      [226, undefined, undefined],
    ]);
    expect(new Set(sink.lines.map(({ _aws }) => _aws.Timestamp)).size).toBe(1);
    expect(sink.texts.flatMap(emfProblems)).toEqual([]);
  });

  it("stays under the 16 KB at which Docker cuts a line, with everything at its longest [B3]", () => {
    const { metrics, runtime, sink } = aRelease({
      reportsProcess: true,
      environment: "e".repeat(16),
      service: "s".repeat(32),
      release: `${"r".repeat(24)}-1a2b3c4d`,
    });
    for (let round = 0; round < 1_000; round += 1) {
      for (let decade = 0.0123456; decade < 1e8; decade *= 1.0234567) metrics.request(decade, true);
    }
    for (const counter of [
      "invariant-violations",
      "cache-hits",
      "cache-misses",
      "rate-limit-rejects",
      "fallbacks",
    ] as const) {
      metrics.count(counter, 999_999_999.123);
    }
    metrics.processed(999_999_999.123, 999_999_999.123);
    metrics.dualRun({ agreed: false });
    metrics.flagEvaluated({ matched: false });
    metrics.breaker("x").opened();
    runtime.pass(9_876.54321);
    metrics.breaker("x").closed();
    runtime.pass(10_000);
    expect(sink.texts.flatMap(emfProblems)).toEqual([]);
    expect(Math.max(...sink.texts.map((text) => text.length))).toBeLessThan(5_000);
  });
});

describe("latencies in bins", () => {
  it("lose no request, and no more than 2.4 % of any percentile [B1]", () => {
    const latencies = fc.array(fc.double({ min: 0.02, max: 1e8, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(latencies, fc.integer({ min: 1, max: 100 }), (given, percentile) => {
        const bins = new LatencyBins();
        for (const latency of given) bins.add(latency);
        const { values, counts } = bins.take();
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(given.length);
        const rank = Math.ceil((percentile / 100) * given.length);
        const exact = [...given].sort((left, right) => left - right)[rank - 1] ?? 0;
        let below = 0;
        const told = values.find((_, index) => {
          below += counts[index] ?? 0;
          return below >= rank;
        });
        expect(Math.abs((told ?? 0) - exact)).toBeLessThanOrEqual(0.024 * exact + 0.001);
        expect(bins.take()).toEqual({ values: [], counts: [] });
      }),
    );
  });

  it("tell a latency that is always the same as it is, and 0 as 0 [B1]", () => {
    const bins = new LatencyBins();
    for (let index = 0; index < 1_000; index += 1) bins.add(2_500);
    bins.add(0);
    expect(bins.take()).toEqual({ values: [0, 2_500], counts: [1, 1_000] });
  });
});
