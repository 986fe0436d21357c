/** `tidegate cost` on stacks as users write them, and what the must-holds say about a service (D9). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { estimateOf } from "../../cli/cost.ts";
import { dollarsOf, dollarsText } from "../../core/cost.ts";
import { objectivePresetNames } from "../../core/objectives.ts";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService } from "../stacks/config-builders.ts";
import { Operator, stacksOf } from "./operator.ts";

const image = (letter: string) => `registry.example.com/shop/checkout@sha256:${letter.repeat(64)}`;
const rollingOut = (objectives: string, source: string, plan = "steady") =>
  parseConfig(
    aConfig(
      {},
      {
        checkout: aService({
          objectives,
          source,
          plan,
          canary: { version: "2.4.0", image: image("b") },
          wave: plan === "rapid" ? 5 : 10,
        }),
      },
    ),
  );

describe("a service in a rollout", () => {
  it("costs less than $8 a month with web on alb, both releases counted for the whole month [D9]", async () => {
    const estimate = await estimateOf(rollingOut("web", "alb"));
    const dollars = dollarsOf(estimate, { service: "checkout" });
    expect(dollars).toBeGreaterThan(3);
    expect(dollars).toBeLessThan(8);
    expect(estimate.unpriced).toEqual([]);
  });

  it("costs its alarms and its own metrics with web on emf: more than on alb, and said [D9]", async () => {
    const [alb, emf] = await Promise.all(["alb", "emf"].map((source) => estimateOf(rollingOut("web", source))));
    const of = (estimate: typeof alb, item: string) =>
      (estimate?.lines ?? [])
        .filter((line) => line.service === "checkout" && line.item === item)
        .reduce((sum, { units }) => sum + units, 0);
    expect(of(alb, "customMetric")).toBeLessThanOrEqual(2);
    expect(of(emf, "customMetric")).toBeGreaterThan(10);
    expect(of(emf, "highResolutionAlarmMetric")).toBeGreaterThan(0);
  });

  it.each(objectivePresetNames)(
    "has a price for everything that %s declares, on either source [D9]",
    async (preset) => {
      for (const source of ["alb", "emf"]) expect((await estimateOf(rollingOut(preset, source))).unpriced).toEqual([]);
    },
  );

  it("costs as much on either source, by preset, as docs/cost.md says [D9]", async () => {
    const rows = await Promise.all(
      objectivePresetNames.map(async (preset) => {
        const dollars = await Promise.all(
          ["alb", "emf"].map(async (source) =>
            dollarsText(dollarsOf(await estimateOf(rollingOut(preset, source)), { service: "checkout" })),
          ),
        );
        return [`\`${preset}\``, ...dollars];
      }),
    );
    const page = readFileSync(new URL("../../docs/cost.md", import.meta.url), "utf8");
    const cells = page
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(cells).toEqual(rows);
  });

  it("costs more with a control than without [D9]", async () => {
    const whole = rollingOut("web", "emf");
    const services = whole.services.map((service) => ({ ...service, control: {} }));
    const [without, control] = await Promise.all([estimateOf(whole), estimateOf({ ...whole, services })]);
    expect(dollarsOf(control, "everything")).toBeGreaterThan(dollarsOf(without, "everything"));
  });

  it("costs more than the same service at rest [D9]", async () => {
    const whole = rollingOut("web", "alb");
    const services = whole.services.map(({ canary: _canary, ...service }) => ({ ...service, wavePercent: 0 }));
    const atRest = { ...whole, services };
    const [resting, rolling] = await Promise.all([estimateOf(atRest), estimateOf(rollingOut("web", "alb"))]);
    expect(dollarsOf(rolling, { service: "checkout" })).toBeGreaterThan(dollarsOf(resting, { service: "checkout" }));
  });
});

describe("tidegate cost", () => {
  const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
  const stack = `config:
  aws:region: eu-west-1
  tidegate:environment: production
  tidegate:network: { vpcId: vpc-0f1e2d3c4b5a69788, listenerArn: "${elb}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2" }
  tidegate:alerting: { email: [sre@example.com] }
  tidegate:services:
    checkout:
      mode: act
      match: { paths: ["/*"] }
      priority: 310
      baseline: { version: "1", targetGroupArn: "${elb}:targetgroup/blue/73e2d6bc24d8a067" }
      canary: { version: "2", targetGroupArn: "${elb}:targetgroup/green/73e2d6bc24d8a067" }
      wave: 10
      plan: steady
      objectives: web
      source: alb
`;

  it("prints a table by service, the sum, and what it assumed [D9]", async () => {
    const { code, out } = await new Operator().runIn(stacksOf({ prod: stack }), "cost");
    expect(code).toBe(0);
    expect(out).toMatch(/│ checkout +│ alarms +│/);
    expect(out).toMatch(/│ environment │/);
    expect(out).toMatch(/^Together \$\d+\.\d\d a month \(list prices of us-east-1, read 2026-11-21; /m);
    expect(out).toContain("Assumed:\n  everything stays for the whole month as it is declared now");
  });

  it("prints one object with the same sums as the stack's output [D9]", async () => {
    const { code, out } = await new Operator().runIn(stacksOf({ prod: stack }), "cost", "--json");
    expect(code).toBe(0);
    const { environment, monthlyDollars, environmentDollars, serviceDollars, notPriced, lines } = JSON.parse(out);
    expect(environment).toBe("production");
    expect(monthlyDollars).toBeCloseTo(environmentDollars + serviceDollars.checkout, 1);
    expect(notPriced).toEqual([]);
    expect(lines.length).toBeGreaterThan(8);
  });

  it("names every problem of the stack, and prices nothing [B11]", async () => {
    const broken = stack.replace("objectives: web", "objectives: wbe").replace("wave: 10", "wave: 11");
    const { code, out, errors } = await new Operator().runIn(stacksOf({ prod: broken }), "cost");
    expect([code, out]).toEqual([2, ""]);
    expect(errors).toMatch(/^tidegate cost: 2 problems, nothing was priced:\n/);
  });
});
