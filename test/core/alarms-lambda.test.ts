/** Alarms on Lambda targets: what a function cannot have is not watched, and what only a function has is (E7, B1). */
import { describe, expect, it } from "vitest";
import { alarmsFor, uncounted } from "../../core/alarms.ts";
import { objectivePresets } from "../../core/objectives.ts";
import { hostTargets } from "../../core/watch-rules.ts";

const objectives = objectivePresets.batch;
const unchecked = { isLambda: true, hasHealthChecks: false };
const checked = { isLambda: true, hasHealthChecks: true };
const keysOf = (target?: Parameters<typeof alarmsFor>[2]) => alarmsFor(objectives, "alb", target).map(({ key }) => key);
const rate = (source: "alb" | "emf", target: typeof checked) =>
  alarmsFor(objectives, source, target).find(({ objective }) => objective === "error-rate");

describe("alarms on Lambda targets", () => {
  it("count no hosts unless health is checked, and say so [B1]", () => {
    expect(keysOf()).toContain("healthy-hosts/critical/60s");
    expect(keysOf(checked)).toEqual(keysOf());
    expect(keysOf(unchecked)).toEqual(keysOf().filter((key) => !key.startsWith("healthy-hosts")));
    expect(uncounted(objectives, unchecked).map(({ name }) => name)).toEqual(["healthy-hosts"]);
    expect(uncounted(objectives, hostTargets)).toEqual([]);
  });

  it("count failed runs as errors, and no connections, which there are none of [B1]", () => {
    expect(rate("alb", unchecked)?.metrics.map(({ metricName }) => metricName)).toEqual([
      "RequestCount",
      "HTTPCode_Target_5XX_Count",
      "LambdaUserError",
      "LambdaInternalError",
    ]);
    expect(rate("alb", unchecked)?.expressions[0]).toEqual({
      id: "errors",
      expression: "answered + failed + unrun + 0 * requests",
    });
    expect(rate("alb", hostTargets)?.metrics.map(({ metricName }) => metricName)).toContain(
      "TargetConnectionErrorCount",
    );
  });

  it("are the service's own figures with source emf, whatever runs it [B3]", () => {
    expect(rate("emf", unchecked)).toEqual(rate("emf", hostTargets));
  });
});
