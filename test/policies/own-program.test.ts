/** Our own program, as the rehearsal registers it without any engine, under the whole pack: what the comment and the rehearsal show. */
import { describe, expect, it } from "vitest";
import type { Declaration } from "../../core/declaration.ts";
import { declare } from "../../core/declare.ts";
import { evaluatePolicies } from "../../policies/evaluate.ts";
import { captureEnvironment } from "../../rehearsal/engine/environment-capture.ts";
import { type EnvironmentConfig, intentOf } from "../../stacks/config.ts";
import { stackConfig } from "../rehearsal/cloud/scene.ts";

function firstDeclarations(config: EnvironmentConfig): Declaration[] {
  return config.services.map((service) => declare(intentOf(config, service), { kind: "first" }, 0));
}

/** The same with the canary at an exposure. */
function opened(declaration: Declaration, exposurePercent: number): Declaration {
  const canary = declaration.canary?.digest ?? "";
  const shares = { [declaration.baseline]: 100 - exposurePercent, [canary]: exposurePercent };
  return { ...declaration, step: "opening", shares, exposurePercent, testersReach: canary };
}

describe("our own program, captured without an engine", () => {
  const config = stackConfig("dev");

  it("passes the pack when it is new [E1]", async () => {
    const { resources } = await captureEnvironment(config, firstDeclarations(config));
    expect(await evaluatePolicies(resources)).toEqual([]);
  });

  it("passes the pack when it opens its first wave, and is refused when it skips one [E1]", async () => {
    const at = async (percent: number) => {
      const declarations = firstDeclarations(config).map((declaration) => opened(declaration, percent));
      const { resources } = await captureEnvironment(config, declarations);
      return (await evaluatePolicies(resources)).map(({ policy, resource }) => [policy, resource]);
    };
    expect(await at(5)).toEqual([]);
    expect(await at(25)).toEqual([["rollout-wave-is-not-skipped", "tidegate:rollout:ProgressiveService checkout"]]);
  });
});
