/** Beliefs about the calls themselves: how often, how whole, who wins, how rules are found again. */
import { type Belief, couldNotTell, judged, notSeen, seen } from "../belief.ts";
import { type ProbeAction, ThrottledError } from "../cloud.ts";

/** Ten services that roll back at once, three rules each. */
const burst = 30;

export const thirtyWrites: Belief = {
  id: "alb-thirty-writes",
  text: "Thirty ModifyRule calls one after another are not throttled.",
  source: "Unconfirmed: AWS publishes no rate. A throttled controller: argo-rollouts issue 3333.",
  dependsOnIt: ["rollbacks of ten services at once within seconds", "one reconcile of 300 services under 30 s"],
  procedure: {
    steps: "Thirty writes without a pause and without retries, on a rule of its own.",
    minutes: 1,
    run: async (cloud) => {
      const rule = await cloud.makeRule("path", { weights: { a: 100 } });
      const start = cloud.now();
      for (let written = 0; written < burst; written += 1) {
        try {
          await cloud.writeRule(rule, { weights: { a: 100 - written, b: written } });
        } catch (error) {
          if (error instanceof ThrottledError)
            return notSeen(`throttled after ${written} calls in ${((cloud.now() - start) / 1_000).toFixed(1)} s`);
          throw error;
        }
      }
      return seen(`${burst} calls in ${((cloud.now() - start) / 1_000).toFixed(1)} s`);
    },
  },
};

export const writeReplacesWhole: Belief = {
  id: "alb-write-replaces-whole",
  text: "ModifyRule replaces the forward action whole: a group left out is gone, stickiness left out is off.",
  source: "ELBv2 API reference, ModifyRule (a list is sent whole); that this reaches into the action is derived.",
  dependsOnIt: ["every write is a whole action", "a lowering ends stickiness"],
  procedure: {
    steps: "Two groups with stickiness; a write that names one group and no stickiness; read back.",
    minutes: 1,
    run: async (cloud) => {
      const rule = await cloud.makeRule("path", { weights: { a: 50, b: 50 }, stickinessSeconds: 3_600 });
      await cloud.writeRule(rule, { weights: { a: 100 } });
      const read = await cloud.readRule(rule);
      return judged(same(read, { weights: { a: 100 } }), `read back: ${actionWords(read)}`);
    },
  },
};

export const lastWriterWins: Belief = {
  id: "alb-last-writer-wins",
  text: "Of two ModifyRule calls at the same time both are taken, and one of them is what is live, whole.",
  source: "Derived from the API reference: ModifyRule has no version and no condition.",
  dependsOnIt: ["the record decides and not the rule: leases, read-backs, reconcile"],
  procedure: {
    steps: "Ten times two writes at once; each time what is read back must be one of the two.",
    minutes: 1,
    run: async (cloud) => {
      const rule = await cloud.makeRule("path", { weights: { a: 100 } });
      const one: ProbeAction = { weights: { a: 60, b: 40 } };
      const other: ProbeAction = { weights: { a: 30, b: 70 } };
      for (let round = 1; round <= 10; round += 1) {
        const results = await Promise.allSettled([cloud.writeRule(rule, one), cloud.writeRule(rule, other)]);
        const failed = results.find((result) => result.status === "rejected");
        if (failed?.reason instanceof ThrottledError) return couldNotTell(`throttled in round ${round}`);
        if (failed) return notSeen(`round ${round}: one was refused, ${String(failed.reason)}`);
        const read = await cloud.readRule(rule);
        if (!same(read, one) && !same(read, other)) return notSeen(`round ${round}: read back ${actionWords(read)}`);
      }
      return seen("ten rounds, each time one of the two, whole");
    },
  },
};

export const tagsAtOnce: Belief = {
  id: "alb-tags-at-once",
  text: "The tags of a rule are there as soon as CreateRule has returned.",
  source: "Derived: tags are part of CreateRule.",
  dependsOnIt: ["finding the live main rule of a service whose record is absent", "kill without a record"],
  procedure: {
    steps: "A tagged rule, its tags read in the next call; ten times.",
    minutes: 1,
    run: async (cloud) => {
      const tags = { "tidegate:service": "probe", "tidegate:role": "main" };
      for (let round = 1; round <= 10; round += 1) {
        const rule = await cloud.makeRule("path", { weights: { a: 100 } }, tags);
        const read = await cloud.tagsOf(rule);
        const missing = Object.entries(tags).filter(([key, value]) => read[key] !== value);
        if (missing.length > 0) return notSeen(`rule ${round} had no ${missing.map(([key]) => key).join(", ")}`);
      }
      return seen("ten rules, all tags each time");
    },
  },
};

function same(left: ProbeAction, right: ProbeAction): boolean {
  const above = ({ weights }: ProbeAction) =>
    Object.entries(weights)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([group, weight]) => `${group} ${weight}`)
      .join(", ");
  return above(left) === above(right) && left.stickinessSeconds === right.stickinessSeconds;
}

function actionWords({ weights, stickinessSeconds }: ProbeAction): string {
  const groups = Object.entries(weights).map(([group, weight]) => `${group} ${weight}`);
  return `${groups.join(", ")}, stickiness ${stickinessSeconds === undefined ? "off" : `${stickinessSeconds} s`}`;
}
