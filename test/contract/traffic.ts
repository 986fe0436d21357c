/**
 * What every `Traffic` must do. Run against the rehearsal's load balancer and against ELBv2.
 */
import { describe, expect, it } from "vitest";
import type { ForwardAction, ListenerRef, Traffic } from "../../hooks/ports.ts";

/** A listener on a load balancer of its own. */
export interface ListenerUnderTest {
  readonly arn: string;
  readonly loadBalancerName: string;
}

/** Traffic, and ways to set the scene round it. Names need not be unique between tests: each gets a fresh listener. */
export interface TrafficUnderTest {
  readonly traffic: Traffic;
  makeListener(): Promise<ListenerUnderTest>;
  /** A target group with this many healthy targets; its ARN. */
  makeTargetGroup(healthyTargets: number): Promise<string>;
  /** A rule on the listener with these tags; its ARN. */
  makeRule(listener: ListenerUnderTest, action: ForwardAction, tags: Readonly<Record<string, string>>): Promise<string>;
  deleteRule(ruleArn: string): Promise<void>;
  /** Makes one more target of the group, unhealthy; left out where every target is healthy. */
  addUnhealthyTarget?(targetGroupArn: string): Promise<void>;
  /** An ARN in the right form of a rule, target group or listener that never was. */
  goneArn(kind: "rule" | "targetgroup" | "listener"): string;
}

/** What a back end can show; the titles name what it cannot. */
export interface ProvenTraffic {
  /** It has unhealthy targets at all. */
  readonly unhealthyTargets: boolean;
  /** It refuses a write to a target group that does not exist, as AWS does. */
  readonly unknownTargetGroup: boolean;
}

/** Registers the suite. `makeTraffic` is called once a test. */
export function describeTrafficContract(
  name: string,
  proven: ProvenTraffic,
  makeTraffic: () => Promise<TrafficUnderTest>,
): void {
  const unproven = (isProven: boolean, why: string) => (isProven ? "" : ` (not proven here: ${why})`);

  async function scene(action: (groups: readonly [string, string]) => ForwardAction) {
    const it = await makeTraffic();
    const groups = [await it.makeTargetGroup(2), await it.makeTargetGroup(1)] as const;
    const listener = await it.makeListener();
    const rule = await it.makeRule(listener, action(groups), {});
    return { ...it, groups, listener, rule };
  }

  describe(`traffic contract: ${name}`, () => {
    it("reads the weights of each rule", async () => {
      const { traffic, groups, listener, rule, makeRule } = await scene(([a, b]) => ({
        weights: { [a]: 90, [b]: 10 },
      }));
      const second = await makeRule(listener, { weights: { [groups[0]]: 1 } }, {});
      expect(await traffic.readRules([rule, second])).toEqual({
        [rule]: { weights: { [groups[0]]: 90, [groups[1]]: 10 } },
        [second]: { weights: { [groups[0]]: 1 } },
      });
      expect(await traffic.readRules([])).toEqual({});
    });

    it("reads back exactly what it wrote, fresh each time", async () => {
      const { traffic, groups, rule } = await scene(([a]) => ({ weights: { [a]: 100 } }));
      const action = { weights: { [groups[0]]: 75, [groups[1]]: 25 } };
      await traffic.writeRule(rule, action);
      const read = await traffic.readRules([rule]);
      expect(read).toEqual({ [rule]: action });
      Object.assign(read[rule]?.weights ?? {}, { [groups[0]]: 0 });
      expect(await traffic.readRules([rule])).toEqual({ [rule]: action });
    });

    it("keeps a group of weight 0 as such", async () => {
      const { traffic, groups, rule } = await scene(([a]) => ({ weights: { [a]: 100 } }));
      await traffic.writeRule(rule, { weights: { [groups[0]]: 100, [groups[1]]: 0 } });
      expect(await traffic.readRules([rule])).toEqual({
        [rule]: { weights: { [groups[0]]: 100, [groups[1]]: 0 } },
      });
    });

    it("replaces the whole action: a group left out is gone", async () => {
      const { traffic, groups, rule } = await scene(([a, b]) => ({ weights: { [a]: 90, [b]: 10 } }));
      await traffic.writeRule(rule, { weights: { [groups[1]]: 999 } });
      expect(await traffic.readRules([rule])).toEqual({ [rule]: { weights: { [groups[1]]: 999 } } });
    });

    it("turns stickiness on, changes it, and off where the action has none", async () => {
      const { traffic, groups, rule } = await scene(([a, b]) => ({ weights: { [a]: 90, [b]: 10 } }));
      const weights = { [groups[0]]: 90, [groups[1]]: 10 };
      for (const action of [{ weights, stickinessSeconds: 1 }, { weights, stickinessSeconds: 604_800 }, { weights }]) {
        await traffic.writeRule(rule, action);
        expect(await traffic.readRules([rule])).toEqual({ [rule]: action });
      }
    });

    it("leaves other rules alone", async () => {
      const { traffic, groups, listener, rule, makeRule } = await scene(([a, b]) => ({
        weights: { [a]: 90, [b]: 10 },
      }));
      const other = await makeRule(listener, { weights: { [groups[0]]: 50, [groups[1]]: 50 } }, {});
      await traffic.writeRule(rule, { weights: { [groups[0]]: 100 } });
      expect(await traffic.readRules([other])).toEqual({
        [other]: { weights: { [groups[0]]: 50, [groups[1]]: 50 } },
      });
    });

    it("leaves a rule that is gone out of the answer, and answers the others", async () => {
      const { traffic, groups, listener, rule, makeRule, deleteRule, goneArn } = await scene(([a]) => ({
        weights: { [a]: 100 },
      }));
      const deleted = await makeRule(listener, { weights: { [groups[1]]: 100 } }, {});
      await deleteRule(deleted);
      const read = await traffic.readRules([goneArn("rule"), rule, deleted]);
      expect(read).toEqual({ [rule]: { weights: { [groups[0]]: 100 } } });
      expect(await traffic.readRules([deleted])).toEqual({});
    });

    it("refuses to write a rule that is gone", async () => {
      const { traffic, groups, rule, deleteRule } = await scene(([a]) => ({ weights: { [a]: 100 } }));
      await deleteRule(rule);
      await expect(traffic.writeRule(rule, { weights: { [groups[0]]: 100 } })).rejects.toThrow(rule);
    });

    it.each([
      ["a weight above 999", (a: string): ForwardAction => ({ weights: { [a]: 1_000 } }), /weight/],
      ["a weight below 0", (a: string, b: string): ForwardAction => ({ weights: { [a]: 1, [b]: -1 } }), /weight/],
      ["a fraction", (a: string, b: string): ForwardAction => ({ weights: { [a]: 99.5, [b]: 0.5 } }), /weight/],
      ["weights that are all 0", (a: string, b: string): ForwardAction => ({ weights: { [a]: 0, [b]: 0 } }), /weight/],
      ["no group", (): ForwardAction => ({ weights: {} }), /group/],
      [
        "six groups",
        (a: string): ForwardAction => ({ weights: { [a]: 1, g2: 1, g3: 1, g4: 1, g5: 1, g6: 1 } }),
        /group/,
      ],
      [
        "stickiness of 0 s",
        (a: string): ForwardAction => ({ weights: { [a]: 1 }, stickinessSeconds: 0 }),
        /stickiness/,
      ],
      [
        "stickiness above 7 days",
        (a: string): ForwardAction => ({ weights: { [a]: 1 }, stickinessSeconds: 604_801 }),
        /stickiness/,
      ],
    ])("refuses to write %s, and the rule stays as it was", async (_what, action, reason) => {
      const { traffic, groups, rule } = await scene(([a]) => ({ weights: { [a]: 100 } }));
      await expect(traffic.writeRule(rule, action(...groups))).rejects.toThrow(reason);
      expect(await traffic.readRules([rule])).toEqual({ [rule]: { weights: { [groups[0]]: 100 } } });
    });

    it(`refuses to write an unknown target group${unproven(proven.unknownTargetGroup, "this back end accepts it")}`, async () => {
      const { traffic, rule, goneArn } = await scene(([a]) => ({ weights: { [a]: 100 } }));
      const writing = traffic.writeRule(rule, { weights: { [goneArn("targetgroup")]: 100 } });
      // A back end that learns to refuse fails here, and its title can lose the bracket.
      if (proven.unknownTargetGroup) await expect(writing).rejects.toThrow(rule);
      else await expect(writing).resolves.toBeUndefined();
    });

    it("counts the targets of a group", async () => {
      const { traffic, makeTargetGroup, groups } = await scene(([a]) => ({ weights: { [a]: 100 } }));
      expect(await traffic.targetHealth(groups[0])).toEqual({ healthyCount: 2, totalCount: 2 });
      expect(await traffic.targetHealth(await makeTargetGroup(0))).toEqual({ healthyCount: 0, totalCount: 0 });
    });

    it(`counts an unhealthy target as there, not as healthy${unproven(proven.unhealthyTargets, "every target is healthy")}`, async () => {
      const { traffic, groups, addUnhealthyTarget } = await scene(([a]) => ({ weights: { [a]: 100 } }));
      expect(addUnhealthyTarget !== undefined).toBe(proven.unhealthyTargets);
      await addUnhealthyTarget?.(groups[0]);
      expect(await traffic.targetHealth(groups[0])).toEqual({
        healthyCount: 2,
        totalCount: addUnhealthyTarget ? 3 : 2,
      });
    });

    it("refuses to tell the health of a group that does not exist", async () => {
      const { traffic, goneArn } = await makeTraffic();
      await expect(traffic.targetHealth(goneArn("targetgroup"))).rejects.toThrow(goneArn("targetgroup"));
    });

    it("finds the main rules of one service by their tags, among many other rules", async () => {
      const { traffic, groups, listener, makeRule } = await scene(([a]) => ({ weights: { [a]: 100 } }));
      const action = { weights: { [groups[0]]: 100 } };
      const tagged = (environment: string, service: string, role: string) =>
        makeRule(listener, action, {
          "tidegate:environment": environment,
          "tidegate:service": service,
          "tidegate:role": role,
          owner: "shop",
        });
      // More than one DescribeTags call takes.
      for (let index = 0; index < 22; index += 1) await tagged("production", `other-${index}`, "main");
      const mains = [await tagged("production", "checkout", "main"), await tagged("production", "checkout", "main")];
      await tagged("production", "checkout", "anchor");
      await tagged("staging", "checkout", "main");
      await makeRule(listener, action, { "tidegate:service": "checkout", "tidegate:role": "main" });
      const query = { environment: "production", service: "checkout" };
      const byName = { loadBalancerName: listener.loadBalancerName };
      expect(await traffic.findMainRules({ listener: { arn: listener.arn }, ...query })).toEqual(mains.sort());
      expect(await traffic.findMainRules({ listener: byName, ...query })).toEqual(mains);
      expect(await traffic.findMainRules({ listener: byName, ...query, service: "search" })).toEqual([]);
    });

    it("finds no main rule on a listener or load balancer that does not exist", async () => {
      const { traffic, goneArn } = await makeTraffic();
      const refs: ListenerRef[] = [{ arn: goneArn("listener") }, { loadBalancerName: "tidegate-none" }];
      for (const listener of refs) {
        expect(await traffic.findMainRules({ listener, environment: "production", service: "checkout" })).toEqual([]);
      }
    });
  });
}
