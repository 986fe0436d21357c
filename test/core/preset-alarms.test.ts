/**
 * Every alarm of every preset, written out whole: metric math, side, threshold, windows and response (B1, B9, D1). Whoever changes a preset or
 * an expression changes them here as well.
 */
import { describe, expect, it } from "vitest";
import { type AlarmSpec, alarmsFor, serviceAlarmsFor } from "../../core/alarms.ts";
import { objectivePresetNames, objectivePresets } from "../../core/objectives.ts";
import { planPresets } from "../../core/plans.ts";
import { hostTargets } from "../../core/watch-rules.ts";

/** Of any release; what a canary has beside that; of the service with two live releases. */
const written: Readonly<Record<string, Readonly<Record<"release" | "canary" | "service", readonly string[]>>>> = {
  "batch alb": {
    release: [
      "error-rate/critical/60s: errors = answered + unanswered + 0 * requests; rate = IF(errors >= 4 AND errors * LOG10(1 + 100 / (0.271 * requests)) >= 8, 100 * errors / requests, 0) > 5, 1 of 1 of 60 s, disable",
      "error-rate/critical/300s: errors = answered + unanswered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 5, 1 of 2 of 300 s, disable",
      "error-rate/warning/300s: errors = answered + unanswered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 2, 1 of 2 of 300 s, halve",
      "latency-p99/warning/300s: milliseconds = IF(requests >= 1000, 1000 * latency, 0) > 500, 1 of 2 of 300 s, floor",
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, disable",
    ],
    canary: [],
    service: [],
  },
  "batch emf": {
    release: [
      "error-rate/critical/10s: errors = answered + 0 * requests; rate = IF(errors >= 4 AND errors * LOG10(1 + 100 / (0.271 * requests)) >= 8, 100 * errors / requests, 0) > 5, 1 of 1 of 10 s, disable",
      "error-rate/critical/60s: errors = answered + 0 * requests; rate = IF(errors >= 4 AND errors * LOG10(1 + 100 / (0.271 * requests)) >= 8, 100 * errors / requests, 0) > 5, 1 of 1 of 60 s, disable",
      "error-rate/critical/300s: errors = answered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 5, 1 of 2 of 300 s, disable",
      "error-rate/warning/300s: errors = answered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 2, 1 of 2 of 300 s, halve",
      "latency-p99/warning/300s: milliseconds = IF(requests >= 1000, latency, 0) > 500, 1 of 2 of 300 s, floor",
      "invariant-violations/critical/10s: Sum InvariantViolations > 0, 1 of 1 of 10 s, disable",
      "throughput/critical/300s: value = itemsProcessed / processingSeconds < 5000, 1 of 2 of 300 s, freeze",
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, disable",
    ],
    canary: [],
    service: [],
  },
  "web alb": {
    release: [
      "error-rate/critical/60s: errors = answered + unanswered + 0 * requests; rate = IF(errors >= 4 AND errors * LOG10(1 + 100 / (0.0543 * requests)) >= 8, 100 * errors / requests, 0) > 1, 1 of 1 of 60 s, disable",
      "error-rate/critical/300s: errors = answered + unanswered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 1, 1 of 2 of 300 s, disable",
      "latency-p95/critical/60s: milliseconds = IF(requests >= 200, 1000 * latency, 0) > 3000, 1 of 1 of 60 s, freeze",
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, disable",
    ],
    canary: [],
    service: [
      "latency-p95/warning/300s: milliseconds = IF(requests >= 200, 1000 * latency, 0); milliseconds1 = IF(requests1 >= 200, 1000 * latency1, 0); worst = MAX([milliseconds, milliseconds1]) > 2500, 1 of 2 of 300 s, notify",
      "availability/warning/300s: errors = answered + unanswered + 0 * requests; errors1 = answered1 + unanswered1 + 0 * requests1; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0); rate1 = IF(requests1 >= 100 AND errors1 >= 10, 100 * errors1 / requests1, 0); worst = MAX([rate, rate1]) > 0.1, 1 of 2 of 300 s, notify",
    ],
  },
  "web emf": {
    release: [
      "error-rate/critical/10s: errors = answered + 0 * requests; rate = IF(errors >= 4 AND errors * LOG10(1 + 100 / (0.0543 * requests)) >= 8, 100 * errors / requests, 0) > 1, 1 of 1 of 10 s, disable",
      "error-rate/critical/60s: errors = answered + 0 * requests; rate = IF(errors >= 4 AND errors * LOG10(1 + 100 / (0.0543 * requests)) >= 8, 100 * errors / requests, 0) > 1, 1 of 1 of 60 s, disable",
      "error-rate/critical/300s: errors = answered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 1, 1 of 2 of 300 s, disable",
      "latency-p95/critical/60s: milliseconds = IF(requests >= 200, latency, 0) > 3000, 1 of 1 of 60 s, freeze",
      "circuit-breaker-open/critical/60s: Maximum BreakerOpenSeconds > 300, 1 of 1 of 60 s, disable",
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, disable",
    ],
    canary: [],
    service: [
      "latency-p95/warning/300s: milliseconds = IF(requests >= 200, latency, 0); milliseconds1 = IF(requests1 >= 200, latency1, 0); worst = MAX([milliseconds, milliseconds1]) > 2500, 1 of 2 of 300 s, notify",
      "availability/warning/300s: errors = answered + 0 * requests; errors1 = answered1 + 0 * requests1; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0); rate1 = IF(requests1 >= 100 AND errors1 >= 10, 100 * errors1 / requests1, 0); worst = MAX([rate, rate1]) > 0.1, 1 of 2 of 300 s, notify",
      "circuit-breaker-open/warning/60s: worst = MAX([breakerOpenSeconds, breakerOpenSeconds1]) > 60, 1 of 1 of 60 s, notify",
      "cache-hit-ratio/warning/300s: counted = cacheHits + cacheMisses; part = cacheHits + 0 * counted; counted1 = cacheHits1 + cacheMisses1; part1 = cacheHits1 + 0 * counted1; short = 70 - IF(counted >= 100, 100 * part / counted, 100); short1 = 70 - IF(counted1 >= 100, 100 * part1 / counted1, 100); worst = MAX([short, short1]) > 0, 1 of 2 of 300 s, notify",
      "rate-limit-rejects/warning/60s: worst = MAX([rateLimitRejects, rateLimitRejects1]) > 10, 1 of 1 of 60 s, notify",
    ],
  },
  "canary-relative alb": {
    release: [
      "error-rate/critical/300s: errors = answered + unanswered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 5, 1 of 2 of 300 s, disable",
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, disable",
    ],
    canary: [
      "latency-p99/critical/300s/of-baseline: baselineSeen = baselineRequests + 0 * requests; beside = IF(requests >= 1000 AND baselineSeen >= 1000, 1000 * latency / (1000 * baselineLatency), 0) > 1.5, 2 of 2 of 300 s, disable",
    ],
    service: [],
  },
  "canary-relative emf": {
    release: [
      "error-rate/critical/300s: errors = answered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 5, 1 of 2 of 300 s, disable",
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, disable",
    ],
    canary: [
      "latency-p99/critical/300s/of-baseline: baselineSeen = baselineRequests + 0 * requests; beside = IF(requests >= 1000 AND baselineSeen >= 1000, latency / baselineLatency, 0) > 1.5, 2 of 2 of 300 s, disable",
    ],
    service: [],
  },
  "migration alb": {
    release: [
      "error-rate/critical/300s: errors = answered + unanswered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 5, 1 of 2 of 300 s, previous-wave",
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, disable",
    ],
    canary: [
      "latency-p95/warning/1800s/of-baseline: baselineSeen = baselineRequests + 0 * requests; beside = IF(requests >= 200 AND baselineSeen >= 200, 1000 * latency / (1000 * baselineLatency), 0) > 1.5, 2 of 2 of 1800 s, notify",
      "latency-p99/critical/600s/of-baseline: baselineSeen = baselineRequests + 0 * requests; beside = IF(requests >= 1000 AND baselineSeen >= 1000, 1000 * latency / (1000 * baselineLatency), 0) > 2, 2 of 2 of 600 s, freeze",
    ],
    service: [
      "error-rate/warning/1800s: errors = answered + unanswered + 0 * requests; errors1 = answered1 + unanswered1 + 0 * requests1; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0); rate1 = IF(requests1 >= 100 AND errors1 >= 10, 100 * errors1 / requests1, 0); worst = MAX([rate, rate1]) > 2, 1 of 2 of 1800 s, notify",
    ],
  },
  "migration emf": {
    release: [
      "error-rate/critical/300s: errors = answered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 5, 1 of 2 of 300 s, previous-wave",
      "memory-growth/critical/3600s/of-growth: growth = IF(DIFF_TIME(memoryMegabytes) == 3600 AND points - DIFF(points) >= 0.75 * points, 100 * DIFF(memoryMegabytes) / (memoryMegabytes - DIFF(memoryMegabytes)), 0) > 10, 1 of 1 of 3600 s, freeze",
      "dual-run-failures/critical/3600s: Sum DualRunFailures > 100, 1 of 1 of 3600 s, freeze",
      "crashes/critical/60s: Sum Crashes > 0, 1 of 1 of 60 s, previous-wave",
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, disable",
    ],
    canary: [
      "latency-p95/warning/1800s/of-baseline: baselineSeen = baselineRequests + 0 * requests; beside = IF(requests >= 200 AND baselineSeen >= 200, latency / baselineLatency, 0) > 1.5, 2 of 2 of 1800 s, notify",
      "latency-p99/critical/600s/of-baseline: baselineSeen = baselineRequests + 0 * requests; beside = IF(requests >= 1000 AND baselineSeen >= 1000, latency / baselineLatency, 0) > 2, 2 of 2 of 600 s, freeze",
      "memory/critical/300s/of-baseline: beside = memoryMegabytes / baselineMemoryMegabytes > 2, 2 of 2 of 300 s, previous-wave",
    ],
    service: [
      "error-rate/warning/1800s: errors = answered + 0 * requests; errors1 = answered1 + 0 * requests1; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0); rate1 = IF(requests1 >= 100 AND errors1 >= 10, 100 * errors1 / requests1, 0); worst = MAX([rate, rate1]) > 2, 1 of 2 of 1800 s, notify",
      "cpu/warning/1800s: worst = MAX([cpuPercent, cpuPercent1]) > 80, 1 of 2 of 1800 s, notify",
      "flag-mismatches/warning/300s: worst = MAX([flagMismatches, flagMismatches1]) > 0, 1 of 2 of 300 s, notify",
    ],
  },
  "production alb": {
    release: [
      "error-rate/critical/300s: errors = answered + unanswered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 10, 1 of 2 of 300 s, disable",
      "latency-p95/critical/300s: milliseconds = IF(requests >= 200, 1000 * latency, 0) > 1000, 1 of 2 of 300 s, disable",
      "latency-p99/critical/300s: milliseconds = IF(requests >= 1000, 1000 * latency, 0) > 1500, 1 of 2 of 300 s, disable",
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, disable",
    ],
    canary: [],
    service: [
      "error-rate/warning/300s: errors = answered + unanswered + 0 * requests; errors1 = answered1 + unanswered1 + 0 * requests1; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0); rate1 = IF(requests1 >= 100 AND errors1 >= 10, 100 * errors1 / requests1, 0); worst = MAX([rate, rate1]) > 5, 1 of 2 of 300 s, notify",
      "latency-p95/warning/300s: milliseconds = IF(requests >= 200, 1000 * latency, 0); milliseconds1 = IF(requests1 >= 200, 1000 * latency1, 0); worst = MAX([milliseconds, milliseconds1]) > 600, 1 of 2 of 300 s, notify",
      "latency-p99/warning/300s: milliseconds = IF(requests >= 1000, 1000 * latency, 0); milliseconds1 = IF(requests1 >= 1000, 1000 * latency1, 0); worst = MAX([milliseconds, milliseconds1]) > 800, 1 of 2 of 300 s, notify",
    ],
  },
  "production emf": {
    release: [
      "error-rate/critical/300s: errors = answered + 0 * requests; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0) > 10, 1 of 2 of 300 s, disable",
      "latency-p95/critical/300s: milliseconds = IF(requests >= 200, latency, 0) > 1000, 1 of 2 of 300 s, disable",
      "latency-p99/critical/300s: milliseconds = IF(requests >= 1000, latency, 0) > 1500, 1 of 2 of 300 s, disable",
      "invariant-violations/critical/10s: Sum InvariantViolations > 10, 1 of 1 of 10 s, disable",
      "healthy-hosts/critical/60s: Minimum HealthyHostCount < 1, 2 of 2 of 60 s, disable",
    ],
    canary: [
      "memory/critical/300s/of-baseline: beside = memoryMegabytes / baselineMemoryMegabytes > 2, 2 of 2 of 300 s, disable",
      "memory/warning/300s/of-baseline: beside = memoryMegabytes / baselineMemoryMegabytes > 1.5, 2 of 2 of 300 s, notify",
      "cpu/critical/300s/of-baseline: beside = cpuPercent / baselineCpuPercent > 1.8, 2 of 2 of 300 s, disable",
      "cpu/warning/300s/of-baseline: beside = cpuPercent / baselineCpuPercent > 1.4, 2 of 2 of 300 s, notify",
    ],
    service: [
      "error-rate/warning/300s: errors = answered + 0 * requests; errors1 = answered1 + 0 * requests1; rate = IF(requests >= 100 AND errors >= 10, 100 * errors / requests, 0); rate1 = IF(requests1 >= 100 AND errors1 >= 10, 100 * errors1 / requests1, 0); worst = MAX([rate, rate1]) > 5, 1 of 2 of 300 s, notify",
      "latency-p95/warning/300s: milliseconds = IF(requests >= 200, latency, 0); milliseconds1 = IF(requests1 >= 200, latency1, 0); worst = MAX([milliseconds, milliseconds1]) > 600, 1 of 2 of 300 s, notify",
      "latency-p99/warning/300s: milliseconds = IF(requests >= 1000, latency, 0); milliseconds1 = IF(requests1 >= 1000, latency1, 0); worst = MAX([milliseconds, milliseconds1]) > 800, 1 of 2 of 300 s, notify",
      "invariant-violations/warning/10s: worst = MAX([violations, violations1]) > 5, 1 of 1 of 10 s, notify",
    ],
  },
};

/** One alarm as one line. */
function lineOf({ key, metrics, expressions, comparison, threshold, response, ...window }: AlarmSpec): string {
  const [only] = metrics;
  const value =
    expressions.length === 0
      ? `${only?.statistic} ${only?.metricName}`
      : expressions.map(({ id, expression }) => `${id} = ${expression}`).join("; ");
  const side = comparison === "GreaterThanThreshold" ? ">" : "<";
  const { datapointsToAlarm, evaluationPeriods, periodSeconds } = window;
  return `${key}: ${value} ${side} ${threshold}, ${datapointsToAlarm} of ${evaluationPeriods} of ${periodSeconds} s, ${response}`;
}

describe("alarms of the presets", () => {
  for (const preset of objectivePresetNames) {
    for (const source of ["alb", "emf"] as const) {
      it(`watch ${preset} on ${source} [B1, B9, D1]`, () => {
        const objectives = objectivePresets[preset];
        const release = alarmsFor(objectives, source).map(lineOf);
        const canary = { plan: planPresets.steady, exposurePercent: 25, figures: [] };
        const ofCanary = alarmsFor(objectives, source, hostTargets, canary).map(lineOf);
        expect({
          release,
          canary: ofCanary.filter((line) => !release.includes(line)),
          service: serviceAlarmsFor(objectives, source, [hostTargets, hostTargets]).map(lineOf),
        }).toEqual(written[`${preset} ${source}`]);
        expect(release.filter((line) => !ofCanary.includes(line))).toEqual([]);
      });
    }
  }
});
