/** The control's group as resources: which rules name it, with what weight, and what is refused. */
import { describe, expect, it } from "vitest";
import { WaveRouter } from "../../components/index.ts";
import { readForward } from "../../components/rule-shapes.ts";
import type { DeclaredControl } from "../../core/declaration.ts";
import { releaseKey } from "../../core/naming.ts";
import { newRelease, oldRelease, rememberingGuards, someSettings } from "../helpers/builders.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";

const elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
const own = `${elb}:targetgroup/checkout-control/0123456789abcdef`;
const rule = "aws:lb/listenerRule:ListenerRule";
const targetGroup = "aws:lb/targetGroup:TargetGroup";
const controlOf = (sharePercent: number, targetGroupArn?: string): DeclaredControl => ({
  digest: oldRelease.digest,
  releaseKey: `${releaseKey(oldRelease)}-control`,
  sharePercent,
  ...(targetGroupArn === undefined ? {} : { targetGroupArn }),
});

function run(exposurePercent: number, control: DeclaredControl | undefined, releases = [oldRelease, newRelease]) {
  const guards = rememberingGuards();
  const shares: Record<string, number> = {};
  if (exposurePercent < 100) shares[oldRelease.digest] = 100 - exposurePercent;
  if (exposurePercent > 0) shares[newRelease.digest] = exposurePercent;
  const measured: string[] = [];
  const result = runPulumi(() => {
    new WaveRouter("checkout", {
      environment: "dev",
      service: "checkout",
      listenerArn: `${elb}:listener/app/edge/1/2`,
      vpcId: "vpc-1",
      routes: [{ match: { hosts: ["shop.example.com"], paths: [] }, priority: 100 }],
      testers: { header: { name: "x-tester", value: "yes" } },
      releases,
      ...(control ? { control } : {}),
      shares,
      testersReach: newRelease.digest,
      stickinessAllowed: true,
      targetGroup: someSettings().targetGroup,
      rollbackWindowMinutes: 1_440,
      guard: {
        check: guards.binding.guardFor({} as never),
        bind: guards.binding.bind.bind(guards.binding),
        alarms: [],
      },
      beforeMain: (_groups, second) => {
        measured.push(second?.releaseKey ?? "none");
        return [];
      },
    });
  });
  return { result, guards, measured };
}

/** Weight by name of the group. */
async function weightsOf(exposurePercent: number, control: DeclaredControl | undefined, name = "checkout-main") {
  const found = (await run(exposurePercent, control).result).all(rule).find((each) => each.name === name);
  const { weights } = readForward(found?.inputs);
  return Object.fromEntries(Object.entries(weights).map(([arn, weight]) => [arn.split("/")[1], weight]));
}

describe("the control of a router", () => {
  it("takes its share from the baseline's own group, and is in the anchor rule beside all others [C1]", async () => {
    const [before, canary, second] = ["checkout-2-3-1-9e0fab5c", "checkout-2-4-0-aaacd3e0", "checkou-control-0b858ab1"];
    expect(await weightsOf(10, controlOf(10))).toEqual({ [before]: 80, [canary]: 10, [second]: 10 });
    expect(await weightsOf(50, controlOf(50))).toEqual({ [canary]: 50, [second]: 50 });
    expect(await weightsOf(75, controlOf(25))).toEqual({ [canary]: 75, [second]: 25 });
    expect(await weightsOf(75, controlOf(0))).toEqual({ [before]: 25, [canary]: 75 });
    expect(await weightsOf(100, controlOf(0))).toEqual({ [canary]: 100 });
    expect(await weightsOf(10, controlOf(10), "checkout-anchor")).toEqual({ [before]: 1, [canary]: 1, [second]: 1 });
    expect(await weightsOf(10, controlOf(10), "checkout-tester")).toEqual({ [canary]: 100 });
  });

  it("looks like the releases' groups, says what it is by its tags, and adds no rule [A3]", async () => {
    const result = await run(10, controlOf(10)).result;
    const groups = result.all(targetGroup);
    const [first, , made] = groups.map(({ inputs }) => inputs);
    const { tags: _tags, ...shape } = first ?? {};
    expect(made).toEqual({
      ...shape,
      tags: {
        "tidegate:environment": "dev",
        "tidegate:service": "checkout",
        "tidegate:role": "control",
        "tidegate:release": `${releaseKey(oldRelease)}-control`,
      },
    });
    const without = await run(10, undefined).result;
    expect([groups.length, result.all(rule).length]).toEqual([3, 3]);
    expect([without.all(targetGroup).length, without.all(rule).length]).toEqual([2, 3]);
    expect(Object.keys(await weightsOf(10, controlOf(10, own)))).toContain("checkout-control");
  });

  it("is told to the guard and to whoever makes alarms [B8]", async () => {
    const { result, guards, measured } = run(10, controlOf(10, own));
    await result;
    expect(measured).toEqual([`${releaseKey(oldRelease)}-control`]);
    const main = guards.callbacks.get("hold check for checkout");
    const actions = [
      {
        type: "forward",
        forward: {
          targetGroups: [
            { arn: own, weight: 10 },
            { arn: "arn:x", weight: 90 },
          ],
        },
      },
    ];
    await main?.({ newInputs: { actions } } as never);
    expect(guards.writes.map(({ control }) => control)).toEqual([
      {
        targetGroupArn: own,
        targetGroupArnSuffix: "targetgroup/checkout-control/0123456789abcdef",
        releaseKey: `${releaseKey(oldRelease)}-control`,
        digest: oldRelease.digest,
        adopted: true,
      },
    ]);
  });

  it("is refused with more than the canary beside it has, in parts of a percent, or of a release that is not there [B11]", async () => {
    await expect(run(10, controlOf(11)).result).rejects.toThrow(
      "service checkout: control: not a share that it may have, got 11 %; expected a whole number from 0 to 10, at most the canary's share and the baseline's",
    );
    await expect(run(75, controlOf(25.5)).result).rejects.toThrow(
      "service checkout: control: not a share that it may have, got 25.5 %; expected a whole number from 0 to 25, at most the canary's share and the baseline's",
    );
    await expect(run(10, { ...controlOf(10), digest: "sha256:other" }).result).rejects.toThrow(
      "service checkout: control: of a release that is not live, got sha256:other; expected the baseline. Name it among releases",
    );
  });

  it("counts among the five groups of a rule [A3]", async () => {
    const five = ["3.0.0", "4.0.0", "5.0.0"].map((version, index) => ({
      ...newRelease,
      version,
      digest: `sha256:${index}`,
    }));
    await expect(run(10, controlOf(10), [oldRelease, newRelease, ...five]).result).rejects.toThrow(
      "service checkout: too many live releases for one rule, got 6 (2.3.1, 2.4.0, 3.0.0, 4.0.0, 5.0.0, the control); expected at most 5. " +
        "Wait until one may go: a release that has lost its traffic goes 2 minutes later, the previous one 1440 minutes after the finish; then run again",
    );
  });
});
