import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RequestMetricsOptions, requestMetrics } from "../../client/metrics.ts";
import { releaseKey } from "../../core/naming.ts";
import { emfProblems } from "./emf-schema.ts";
import { aRelease, FakeRuntime } from "./fake-runtime.ts";

function refusal(options: object): string {
  const runtime = new FakeRuntime();
  try {
    requestMetrics({ environment: "production", service: "checkout", runtime, ...options } as RequestMetricsOptions);
  } catch (error) {
    return error instanceof TypeError ? error.message : `no TypeError: ${String(error)}`;
  }
  return "nothing refused";
}

describe("who is measured", () => {
  it("refuses to start without a release, with the way out [B3]", () => {
    expect(refusal({})).toBe(
      "requestMetrics: release: missing, got nothing; expected the release key, such as 2-4-0-1a2b3c4d. Set TIDEGATE_RELEASE in the release's environment (docs/metrics.md says where the key is); on your own machine local-00000000 will do",
    );
  });

  it("refuses a version where the key is meant, since nobody would watch it [B3]", () => {
    expect(refusal({ release: "2.4.0" })).toBe(
      'requestMetrics: release: not a release key, got "2.4.0"; expected the version as a slug, a hyphen and 8 hex digits, such as 2-4-0-1a2b3c4d. A version alone is not enough: set TIDEGATE_RELEASE to the key (docs/metrics.md says where it is)',
    );
  });

  it("says all that is wrong at once [E7]", () => {
    expect(refusal({ environment: "Production", service: "x".repeat(33), release: "2.4.0", output: "dogstatsd" })).toBe(
      [
        'requestMetrics: environment: no such name, got "Production"; expected lower-case letters, digits and single inner hyphens, starting with a letter, at most 16 characters. Say what the stack config says',
        `requestMetrics: service: no such name, got "${"x".repeat(33)}"; expected lower-case letters, digits and single inner hyphens, starting with a letter, at most 32 characters. Say what the stack config says`,
        'requestMetrics: release: not a release key, got "2.4.0"; expected the version as a slug, a hyphen and 8 hex digits, such as 2-4-0-1a2b3c4d. A version alone is not enough: set TIDEGATE_RELEASE to the key (docs/metrics.md says where it is)',
        'requestMetrics: output: not supported, got "dogstatsd"; expected emf() or openTelemetry(meter, { source }). DogStatsD and StatsD are not spoken: the way to Datadog is OTLP, openTelemetry(meter, { source: "datadog" })',
      ].join("\n"),
    );
  });

  it("takes the release from TIDEGATE_RELEASE [B3]", () => {
    const runtime = new FakeRuntime();
    runtime.variables.TIDEGATE_RELEASE = "2-5-0-99887766";
    const { metrics, sink } = aRelease({ release: undefined, runtime });
    metrics.request(1, false);
    metrics.flush();
    expect(sink.lines[0]).toMatchObject({ Service: "checkout", Release: "2-5-0-99887766", Environment: "production" });
  });

  it("takes every key that the program makes [E7]", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.string(), (version, digest) => {
        expect(() => aRelease({ release: releaseKey({ version, digest }) })).not.toThrow();
      }),
    );
  });
});

describe("calls of an application", () => {
  it("count what they say, by the names of the alarms [B1]", () => {
    const { metrics, sink } = aRelease();
    metrics.count("cache-hits");
    metrics.count("cache-misses", 3);
    metrics.invariantViolated();
    metrics.dualRun({ agreed: true });
    metrics.dualRun({ agreed: false });
    metrics.fallback();
    metrics.flagEvaluated({ matched: true });
    metrics.flagEvaluated({ matched: false });
    metrics.processed(500, 0.25);
    metrics.rejected();
    metrics.flush();
    expect(sink.lines).toHaveLength(1);
    expect(sink.lines[0]).toMatchObject({
      CacheHits: 1,
      CacheMisses: 3,
      InvariantViolations: 1,
      DualRuns: 2,
      DualRunFailures: 1,
      Fallbacks: 1,
      FlagEvaluations: 2,
      FlagMismatches: 1,
      ItemsProcessed: 500,
      ProcessingSeconds: 0.25,
      RateLimitRejects: 1,
    });
    expect(Object.keys(sink.lines[0] ?? {})).not.toContain("Requests");
  });

  it("tell zero of what has a good and a bad side, so that good is seen [B1]", () => {
    const { metrics, sink } = aRelease();
    metrics.dualRun({ agreed: true });
    metrics.flagEvaluated({ matched: true });
    metrics.flush();
    expect(sink.lines[0]).toMatchObject({ DualRuns: 1, DualRunFailures: 0, FlagEvaluations: 1, FlagMismatches: 0 });
  });

  it("never throw and never bend a number, whatever they are given; each thing is named once [B1]", () => {
    const { metrics, runtime, sink } = aRelease();
    const hostile = metrics as unknown as Record<string, (...values: unknown[]) => unknown>;
    const nothing = Object.create(null);
    for (let round = 0; round < 3; round += 1) {
      for (const amount of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e10, "1", nothing, 1n, Symbol("amount")]) {
        hostile.count?.("cache-hits", amount);
        hostile.processed?.(amount, 1);
        hostile.processed?.(1, amount);
      }
      for (const name of ["__proto__", "constructor", "requests", "latency", "toString", nothing, Symbol("name")]) {
        hostile.count?.(name);
      }
      hostile.dualRun?.();
      hostile.dualRun?.({ agreed: "yes" });
      hostile.flagEvaluated?.(null);
    }
    metrics.flush();
    expect(sink.lines).toEqual([]);
    expect(runtime.warnings).toEqual([
      "metrics: cache-hits: not an amount, got NaN; expected 0 to 1000000000. It is not counted",
      "metrics: items-processed: not an amount, got NaN; expected 0 to 1000000000. It is not counted",
      "metrics: processing-seconds: not an amount, got NaN; expected 0 to 1000000000. It is not counted",
      ...['"__proto__"', '"constructor"', '"requests"', '"latency"', '"toString"', "a object", "Symbol(name)"].map(
        (name) =>
          `metrics: count: no such counter, got ${name}; expected invariant-violations, cache-hits, cache-misses, rate-limit-rejects, fallbacks, items-processed, processing-seconds. It is not counted`,
      ),
      "metrics: dualRun: no answer, got undefined; expected true or false. It is not counted",
      "metrics: flagEvaluated: no answer, got undefined; expected true or false. It is not counted",
    ]);
  });

  it("counts a request whose duration is none, without it [B1]", () => {
    const { metrics, runtime, sink } = aRelease();
    for (const duration of [Number.NaN, -5, Number.POSITIVE_INFINITY, 1e9]) metrics.request(duration, false);
    metrics.flush();
    expect(sink.lines[0]).toMatchObject({ Requests: 4, Errors: 0 });
    expect(sink.lines[0]).not.toHaveProperty("Latency");
    expect(runtime.warnings).toEqual([
      "metrics: request: not a duration, got NaN; expected 0 to 100000000 ms. The request is counted without it",
    ]);
  });

  it("complains of at most 20 things [B1]", () => {
    const { metrics, runtime } = aRelease();
    for (let index = 0; index < 1_000; index += 1) metrics.count(`no-${index}` as "cache-hits");
    expect(runtime.warnings).toHaveLength(20);
  });

  it("writes lines that CloudWatch takes, whatever is called in whatever order [B3]", () => {
    const call = fc.oneof(
      fc.tuple(fc.constant("request"), fc.double(), fc.boolean()),
      fc.tuple(fc.constant("count"), fc.constantFrom("cache-hits", "__proto__", "latency"), fc.double()),
      fc.tuple(fc.constantFrom("invariantViolated", "fallback", "rejected", "flush")),
      fc.tuple(fc.constant("processed"), fc.double(), fc.double()),
      fc.tuple(fc.constant("open"), fc.string()),
      fc.tuple(fc.constant("close"), fc.string()),
      fc.tuple(fc.constant("pass"), fc.integer({ min: 0, max: 30_000 })),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const { metrics, runtime, sink } = aRelease({ reportsProcess: true });
        let requests = 0;
        for (const [name, ...values] of calls) {
          if (name === "open") metrics.breaker(values[0] as string).opened();
          else if (name === "close") metrics.breaker(values[0] as string).closed();
          else if (name === "pass") runtime.pass(values[0] as number);
          else (metrics as unknown as Record<string, (...all: unknown[]) => void>)[name]?.(...values);
          if (name === "request") requests += 1;
        }
        metrics.close();
        expect(sink.texts.flatMap(emfProblems)).toEqual([]);
        expect(sink.lines.reduce((sum, line) => sum + Number(line.Requests ?? 0), 0)).toBe(requests);
      }),
    );
  });
});

describe("the end", () => {
  it("hands over what there is on close, and then does nothing more [B3]", () => {
    const { metrics, runtime, sink } = aRelease();
    metrics.request(5, true);
    metrics.close();
    expect(sink.lines).toMatchObject([{ Requests: 1, Errors: 1 }]);
    metrics.request(5, true);
    metrics.count("cache-hits");
    metrics.breaker("db").opened();
    metrics.flush();
    metrics.close();
    runtime.pass(60_000);
    expect(sink.lines).toHaveLength(1);
    expect([runtime.timers, runtime.ends.size]).toEqual([0, 0]);
  });

  it("writes at once when the process ends, and a crash as one [B1]", () => {
    const { metrics, runtime, sink } = aRelease();
    metrics.request(5, false);
    for (const end of runtime.ends) {
      end.crashed();
      end.flushNow();
    }
    expect(sink.texts).toEqual([]);
    expect(sink.lines).toMatchObject([{ Requests: 1, Errors: 0, Crashes: 1 }]);
  });
});
