import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Breakers, maximumBreakers } from "../../client/breakers.ts";
import { aRelease } from "./fake-runtime.ts";

describe("breakers", () => {
  it("count from the first opening until they close, however often they are told [B1]", () => {
    const breakers = new Breakers();
    breakers.opened("db", 0);
    breakers.opened("db", 50_000);
    expect(breakers.read(0, 61_000)).toEqual({ openSeconds: 61 });
    breakers.closed("db", 70_000);
    breakers.closed("db", 99_000);
    expect(breakers.read(61_000, 100_000)).toEqual({ openSeconds: 0, recoverySeconds: 70 });
    expect(breakers.read(100_000, 110_000)).toEqual({ openSeconds: 0 });
  });

  it("ignore one that closes without having been open [B1]", () => {
    const breakers = new Breakers();
    breakers.closed("db", 1_000);
    expect([breakers.isUsed, breakers.read(0, 2_000)]).toEqual([true, { openSeconds: 0 }]);
  });

  it("know nothing special about names [B1]", () => {
    const breakers = new Breakers();
    breakers.opened("__proto__", 0);
    breakers.opened("constructor", 5_000);
    breakers.closed("constructor", 6_000);
    expect(breakers.read(0, 10_000)).toEqual({ openSeconds: 10, recoverySeconds: 1 });
  });

  it("tell the longest recovery since then, as one that remembers all of them would [B1]", () => {
    const run = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.boolean(), fc.nat({ max: 9_000 })), { maxLength: 80 });
    fc.assert(
      fc.property(run, fc.nat({ max: 200_000 }), (events, lookBack) => {
        const breakers = new Breakers();
        const open = new Map<string, number>();
        const closings: [number, number][] = [];
        let now = 0;
        for (const [name, opens, milliseconds] of events) {
          now += milliseconds;
          const key = `b${name}`;
          if (opens) {
            breakers.opened(key, now);
            if (!open.has(key)) open.set(key, now);
          } else {
            breakers.closed(key, now);
            const since = open.get(key);
            if (since !== undefined) closings.push([now, (now - since) / 1_000]);
            open.delete(key);
          }
        }
        const recent = closings.filter(([at]) => at >= now - lookBack).map(([, seconds]) => seconds);
        expect(breakers.read(now - lookBack, now)).toEqual({
          openSeconds: Math.max(0, ...[...open.values()].map((since) => (now - since) / 1_000)),
          ...(recent.length > 0 ? { recoverySeconds: Math.max(...recent) } : {}),
        });
      }),
    );
  });

  it("are bounded: a name for each request becomes one breaker together, and is named once [B1]", () => {
    const { metrics, runtime, sink } = aRelease();
    for (let request = 0; request < 10_000; request += 1) metrics.breaker(`order-${request}`).opened();
    runtime.pass(10_000);
    for (let request = 0; request < maximumBreakers; request += 1) metrics.breaker(`order-${request}`).closed();
    metrics.breaker("order-9999").closed();
    metrics.flush();
    expect(sink.lines.map((line) => [line.BreakerOpenSeconds, line.BreakerRecoverySeconds])).toEqual([
      [10, undefined],
      [10, 10],
    ]);
    expect(runtime.warnings).toEqual([
      'metrics: breaker: too many names, got "order-100" after 100; expected one name a dependency. All further ones count as one breaker',
    ]);
  });
});
