import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aConfig, aService, problemsOf } from "./config-builders.ts";

describe("unknown keys", () => {
  it("are named wherever they are, with what was meant", () => {
    expect(problemsOf(aConfig({ enviroment: "dev" }, { checkout: aService({ wave: undefined, wvae: 10 }) }))).toEqual([
      "enviroment: unknown key; expected environment, foundation, peers, network, alerting, services, takeOver, ladder or freezes. Did you mean environment?",
      "services.checkout.wvae: unknown key; expected mode, listenerArn, match, priority, moreRoutes, testers, baseline, canary, control, wave, attempt, plan, objectives, source, burnRate, gate, approvals, checks, stickinessSeconds, readyTimeoutSeconds, blindMinutes, rollbackWindowMinutes, dependencyOwner, dependencyGroup, targetGroup, workload, split, replaceBaselineReason, overrideReason or retire. Did you mean wave?",
      "services.checkout.wave: missing; expected 0, 10, 25, 50 or 100. Write wave: 0 to stage the canary without traffic",
    ]);
  });

  /** Every key of a rich config, with its path. */
  function placesOf(value: unknown, path: readonly string[] = []): string[][] {
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => {
      const place = [...path, key];
      const named = Array.isArray(value) || path.at(-1) === "services" || path.length === 0 || path[0] === "aws";
      return [...(named ? [] : [place]), ...placesOf(inner, place)];
    });
  }

  function renamed(value: unknown, [first, ...rest]: readonly string[], name: string): unknown {
    if (Array.isArray(value))
      return value.map((entry, index) => (String(index) === first ? renamed(entry, rest, name) : entry));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => {
        if (key !== first) return [key, entry];
        return rest.length === 0 ? [name, entry] : [key, renamed(entry, rest, name)];
      }),
    );
  }

  it("are named for any single mistyped letter", () => {
    const rich = aConfig(
      { foundation: "here", alerting: { email: ["a@example.com"] } },
      {
        checkout: aService({
          testers: { header: { name: "X-Canary", value: "on" } },
          plan: {
            waves: [
              { exposurePercent: 10, soak: "1h", lookEvery: "5m", lowering: "human" },
              {
                exposurePercent: 100,
                soak: "2h",
                criteria: [
                  {
                    rollback: {
                      indicator: "error-rate",
                      above: "2x previous wave",
                      response: "freeze",
                      minimumErrors: 1,
                    },
                    advance: { indicator: "latency-p95", atMost: "300ms", window: "5m" },
                  },
                ],
              },
            ],
          },
          objectives: [
            {
              name: "errors",
              indicator: "error-rate",
              target: "1%",
              critical: { above: "5%", response: "disable", window: "5m" },
            },
          ],
          burnRate: { period: "30d", windows: "ticket" },
          targetGroup: { port: 80, slowStartSeconds: 30 },
          workload: {
            cpuMillicores: 500,
            memoryMegabytes: 512,
            kubernetes: { cluster: { eks: "shop" }, namespace: "shop", runAsUser: 1_000 },
          },
        }),
      },
    );
    expect(problemsOf(rich)).toEqual([]);
    const typo = fc.tuple(fc.constantFrom(...placesOf(rich)), fc.nat(), fc.constantFrom(..."abcxyz7"));
    fc.assert(
      fc.property(typo, ([place, at, letter]) => {
        const key = place.at(-1) ?? "";
        const index = at % key.length;
        const wrong = `${key.slice(0, index)}${letter}${key.slice(index + 1)}`;
        fc.pre(wrong !== key);
        const named = problemsOf(renamed(rich, place, wrong)).some((problem) =>
          /: (unknown key|not in the preset|not a wave)/.test(problem)
            ? (problem.split(": ")[0] ?? "").endsWith(wrong)
            : false,
        );
        expect(named).toBe(true);
      }),
    );
  });
});
