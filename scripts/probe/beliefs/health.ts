/** Beliefs about groups with sick targets, none, or on no rule. */
import { settleMilliseconds, tallyOf, tallyWords } from "../asking.ts";
import { type Belief, couldNotTell, judged, notSeen, seen } from "../belief.ts";
import type { ProbeCloud, ProbeGroup } from "../cloud.ts";

const requests = 200;
/** Of 200 requests at one half, fewer than 60 come by chance less than once in ten million runs. */
const fewestOfHalf = 60;

/** States of a group once they are no longer being found out. @returns the last ones after five minutes */
async function settledStates(cloud: ProbeCloud, group: ProbeGroup): Promise<readonly string[]> {
  const until = cloud.now() + 300_000;
  let states = await cloud.targetStates(group);
  while (cloud.now() < until && (states.length === 0 || states.includes("initial"))) {
    await cloud.sleep(10_000);
    states = await cloud.targetStates(group);
  }
  return states;
}

export const unhealthyKeepsShare: Belief = {
  id: "alb-unhealthy-keeps-share",
  text: "A group whose targets are all unhealthy keeps its share of the requests: nothing fails over to the other group.",
  source:
    "ALB user guide (a group with only unhealthy targets fails open); that no other group takes over is not said by AWS.",
  dependsOnIt: ["the receiver is looked at before lowering (B12)", "a canary without healthy hosts is a breach"],
  procedure: {
    steps: "50/50 with a group whose target fails its health check; once it is unhealthy, 200 requests.",
    minutes: 8,
    run: async (cloud) => {
      const rule = await cloud.makeRule("path", { weights: { a: 50, sick: 50 } });
      await cloud.sleep(settleMilliseconds);
      const states = await settledStates(cloud, "sick");
      if (!states.includes("unhealthy")) return couldNotTell(`its target is ${states.join(", ") || "not there"}`);
      const tally = await tallyOf(cloud, rule, requests);
      const elsewhere = tally.a ?? 0;
      const measured = `of ${requests} requests: ${tallyWords(tally)}`;
      if (elsewhere === 0) return couldNotTell(measured);
      return judged(requests - elsewhere >= fewestOfHalf, measured);
    },
  },
};

export const emptyKeepsShare: Belief = {
  id: "alb-empty-keeps-share",
  text: "A group without any target keeps its share of the requests, as 503 from the load balancer.",
  source: "argo-rollouts issue 3926; the sentence itself is not AWS's.",
  dependsOnIt: ["the guard waits for healthy hosts before a group gets traffic", "no group is emptied within 120 s"],
  procedure: {
    steps: "50/50 with a group that has no target; two minutes' wait, 200 requests.",
    minutes: 4,
    run: async (cloud) => {
      const rule = await cloud.makeRule("path", { weights: { a: 50, empty: 50 } });
      await cloud.sleep(settleMilliseconds);
      const tally = await tallyOf(cloud, rule, requests);
      const measured = `of ${requests} requests: ${tallyWords(tally)}`;
      if ((tally.a ?? 0) === 0) return couldNotTell(measured);
      return judged((tally["status 503"] ?? 0) >= fewestOfHalf, measured);
    },
  },
};

export const anchorKeepsChecks: Belief = {
  id: "alb-anchor-keeps-checks",
  text: "A group that hangs only on a rule nothing can match is health-checked; one that hangs on no rule is not.",
  source: "Derived from the meaning of the target state `unused`.",
  dependsOnIt: [
    "the anchor rule",
    "the guard's wait for healthy hosts at exposure 0",
    "a held release that stays ready",
  ],
  procedure: {
    steps: "The state of a target on no rule; then its group on an anchor rule, and its state within five minutes.",
    minutes: 7,
    run: async (cloud) => {
      const before = await cloud.targetStates("lone");
      await cloud.makeRule("nothing", { weights: { lone: 1 } });
      const after = await settledStates(cloud, "lone");
      const measured = `on no rule: ${before.join(", ") || "no target"}; on the anchor rule: ${after.join(", ") || "no target"}`;
      if (before.length === 0 || after.length === 0) return couldNotTell(measured);
      if (!after.includes("healthy")) return after.includes("unused") ? notSeen(measured) : couldNotTell(measured);
      return before.includes("unused") ? seen(measured) : notSeen(measured);
    },
  },
};
