/**
 * What every `Metrics` must do: sums per period, no point invented, nobody else's requests.
 */
import { describe, expect, it } from "vitest";
import type { Instant } from "../../core/record.ts";
import type { Metrics, RequestQuery } from "../../hooks/ports.ts";

export interface MetricsUnderTest {
  readonly metrics: Metrics;
  /** A recent minute border in the back end's time; the suite writes and reads up to ten minutes before it. */
  minuteBorder(): Instant;
  /** Publishes one point. */
  put(query: RequestQuery, at: Instant, count: number): Promise<void>;
  /** Dimension values not used before: back ends keep points between tests. */
  freshName(): string;
}

const minute = 60_000;

/** Registers the suite. */
export function describeMetricsContract(name: string, makeMetrics: () => Promise<MetricsUnderTest>): void {
  async function scene() {
    const it = await makeMetrics();
    const service = it.freshName();
    const requestsOf = (release: string): RequestQuery => ({
      id: `requests of ${release}`,
      namespace: "Tidegate",
      metricName: "Requests",
      dimensions: { Service: service, Release: release },
    });
    return { ...it, service, requestsOf, end: it.minuteBorder() };
  }

  describe(`metrics contract: ${name}`, () => {
    it("sums each period, oldest first, however the points came in", async () => {
      const { metrics, put, requestsOf, end } = await scene();
      const query = requestsOf("2-4-0");
      await put(query, end - minute, 7);
      await put(query, end - 3 * minute, 1);
      await put(query, end - 2 * minute, 4);
      await put(query, end - 3 * minute + 59_000, 2);
      const range = { from: end - 3 * minute, to: end, periodSeconds: 60 };
      expect(await metrics.requestSums([query], range)).toEqual({
        [query.id]: [
          { at: end - 3 * minute, sum: 3 },
          { at: end - 2 * minute, sum: 4 },
          { at: end - minute, sum: 7 },
        ],
      });
    });

    it("leaves out a period without a point, and keeps a point of 0", async () => {
      const { metrics, put, requestsOf, end } = await scene();
      const query = requestsOf("2-4-0");
      await put(query, end - 3 * minute, 0);
      await put(query, end - minute, 5);
      expect(await metrics.requestSums([query], { from: end - 4 * minute, to: end, periodSeconds: 60 })).toEqual({
        [query.id]: [
          { at: end - 3 * minute, sum: 0 },
          { at: end - minute, sum: 5 },
        ],
      });
    });

    it("tells any statistic of a period, and no value where there is no point", async () => {
      const { metrics, put, requestsOf, end } = await scene();
      const query = requestsOf("2-4-0");
      await put(query, end - 3 * minute, 3);
      await put(query, end - 3 * minute, 5);
      await put(query, end - minute, 4);
      const asked = ["Sum", "Maximum", "Average"].map((statistic) => ({ ...query, id: statistic, statistic }));
      expect(await metrics.statistics(asked, { from: end - 3 * minute, to: end, periodSeconds: 60 })).toEqual({
        Sum: [
          { at: end - 3 * minute, value: 8 },
          { at: end - minute, value: 4 },
        ],
        Maximum: [
          { at: end - 3 * minute, value: 5 },
          { at: end - minute, value: 4 },
        ],
        Average: [
          { at: end - 3 * minute, value: 4 },
          { at: end - minute, value: 4 },
        ],
      });
    });

    it("keeps dimensions apart and answers every query, empty where nothing was", async () => {
      const { metrics, put, requestsOf, service, end } = await scene();
      const [canary, baseline, silent] = [requestsOf("2-4-0"), requestsOf("2-3-1"), requestsOf("2-2-0")];
      const balancer: RequestQuery = {
        id: "load balancer",
        namespace: "AWS/ApplicationELB",
        metricName: "RequestCount",
        dimensions: { LoadBalancer: service },
      };
      const group: RequestQuery = {
        ...balancer,
        id: "group",
        dimensions: { LoadBalancer: service, TargetGroup: service },
      };
      const counts = [
        [canary, 1],
        [baseline, 10],
        [balancer, 100],
        [group, 1_000],
      ] as const;
      for (const [query, count] of counts) await put(query, end - minute, count);
      const range = { from: end - minute, to: end, periodSeconds: 60 };
      expect(await metrics.requestSums([...counts.map(([query]) => query), silent], range)).toEqual({
        ...Object.fromEntries(counts.map(([query, sum]) => [query.id, [{ at: end - minute, sum }]])),
        [silent.id]: [],
      });
    });

    it("aligns both ends down to the period: the end's own period is not asked for", async () => {
      const { metrics, put, requestsOf, end } = await scene();
      const query = requestsOf("2-4-0");
      for (const minutes of [4, 3, 2, 1]) await put(query, end - minutes * minute, minutes);
      const range = { from: end - 3 * minute + 30_000, to: end - minute + 30_000, periodSeconds: 60 };
      expect(await metrics.requestSums([query], range)).toEqual({
        [query.id]: [
          { at: end - 3 * minute, sum: 3 },
          { at: end - 2 * minute, sum: 2 },
        ],
      });
    });

    it("answers an empty range with no point", async () => {
      const { metrics, put, requestsOf, end } = await scene();
      const query = requestsOf("2-4-0");
      await put(query, end - minute, 1);
      const range = { from: end - minute + 1, to: end - minute + 2, periodSeconds: 60 };
      expect(await metrics.requestSums([query], range)).toEqual({ [query.id]: [] });
      expect(await metrics.requestSums([], { from: end - minute, to: end, periodSeconds: 60 })).toEqual({});
    });

    it("refuses a range that ends before it begins", async () => {
      const { metrics, requestsOf, end } = await scene();
      const range = { from: end, to: end - minute, periodSeconds: 60 };
      await expect(metrics.requestSums([requestsOf("2-4-0")], range)).rejects.toThrow(/range/);
    });
  });
}
