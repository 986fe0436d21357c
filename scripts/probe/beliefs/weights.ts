/** Beliefs about what a write of weights does to requests, and when. */
import { firstAnswer, settleMilliseconds, tallyOf, tallyWords } from "../asking.ts";
import { type Belief, couldNotTell, type Finding, judged, notSeen, seen } from "../belief.ts";
import { CallRefusedError, type ProbeCloud } from "../cloud.ts";

/** The rehearsal's slowest case. Unit: milliseconds. */
const assumedPropagationMilliseconds = 10_000;
/** As long as Tidegate keeps old targets. Unit: milliseconds. */
const keptMilliseconds = 120_000;

/** How long after the write the last request still went the old way. @returns `undefined` when the first way was never taken */
async function lastOldAnswer(cloud: ProbeCloud, watchMilliseconds: number): Promise<number | undefined> {
  const rule = await cloud.makeRule("path", { weights: { a: 100 } });
  if (!(await firstAnswer(cloud, rule, ({ group }) => group === "a"))) return undefined;
  await cloud.writeRule(rule, { weights: { b: 100 } });
  const written = cloud.now();
  let last = 0;
  while (cloud.now() < written + watchMilliseconds) {
    const asked = cloud.now();
    const { group } = await cloud.ask(rule);
    if (group === "a") last = asked - written;
    await cloud.sleep(200);
  }
  return last;
}

async function within(cloud: ProbeCloud, limit: number, watch: number): Promise<Finding> {
  const last = await lastOldAnswer(cloud, watch);
  if (last === undefined) return couldNotTell("a new rule did not answer within two minutes");
  const watched = `watched for ${watch / 1_000} s`;
  return judged(
    last <= limit,
    last === 0
      ? `no request went to the old group after the write; ${watched}`
      : `last request to the old group ${(last / 1_000).toFixed(1)} s after the write; ${watched}`,
  );
}

export const weightsTakeEffect: Belief = {
  id: "alb-weights-take-effect",
  text: "Within 10 s of ModifyRule returning, every new request follows the new weights.",
  source: "Assumed; AWS publishes no figure. Reports of a window: argo-rollouts issues 4595, 701, 3926.",
  dependsOnIt: ["the rehearsal's 2 to 10 s", "the worst case from breach to zero exposure that previews print"],
  procedure: {
    steps:
      "All weight on one group, then on the other; a request five times a second for a minute, each on a new connection.",
    minutes: 2,
    run: (cloud) => within(cloud, assumedPropagationMilliseconds, 60_000),
  },
};

export const oldWeightsGone: Belief = {
  id: "alb-old-weights-gone",
  text: "Later than 120 s after ModifyRule returned, no new request follows the old weights.",
  source: "Derived from argo-rollouts issue 4595, which was not seen again with a delay of 120 s.",
  dependsOnIt: ["a group is not detached, scaled or deleted within 120 s of a change of weights"],
  procedure: {
    steps: "As alb-weights-take-effect, watched for four minutes.",
    minutes: 5,
    run: (cloud) => within(cloud, keptMilliseconds, 2 * keptMilliseconds),
  },
};

export const weightZeroKept: Belief = {
  id: "alb-weight-0-kept",
  text: "A weight of 0 is kept as 0, and no new request goes there.",
  source:
    "ELBv2 API reference (weights 0 to 999); that nothing is served is derived. One local emulator serves 0 as 1.",
  dependsOnIt: ["adopting rules that have a group of weight 0", "the anchor rule, whose weights nobody reads"],
  procedure: {
    steps: "Weights 100 and 0, two minutes' wait, read back, 300 requests.",
    minutes: 4,
    run: async (cloud) => {
      const rule = await cloud.makeRule("path", { weights: { a: 100, b: 0 } });
      await cloud.sleep(settleMilliseconds);
      const { weights } = await cloud.readRule(rule);
      const tally = await tallyOf(cloud, rule, 300);
      const measured = `read back as ${weights.b ?? "not there"}; of 300 requests: ${tallyWords(tally)}`;
      if ((tally.a ?? 0) + (tally.b ?? 0) === 0) return couldNotTell(measured);
      return judged(weights.b === 0 && (tally.b ?? 0) === 0, measured);
    },
  },
};

export const allWeightsZero: Belief = {
  id: "alb-all-weights-0",
  text: "A forward action whose weights are all 0 serves nobody: AWS refuses it, or answers with an error.",
  source: "Unconfirmed: no source says which.",
  dependsOnIt: ["Tidegate refuses such an action before it is sent"],
  procedure: {
    steps: "Both weights to 0; if AWS takes it, two minutes' wait and 20 requests.",
    minutes: 4,
    run: async (cloud) => {
      const rule = await cloud.makeRule("path", { weights: { a: 100 } });
      try {
        await cloud.writeRule(rule, { weights: { a: 0, b: 0 } });
      } catch (error) {
        if (error instanceof CallRefusedError) return seen(`ModifyRule refused it: ${error.message}`);
        throw error;
      }
      await cloud.sleep(settleMilliseconds);
      const tally = await tallyOf(cloud, rule, 20);
      const served = (tally.a ?? 0) + (tally.b ?? 0);
      const measured = `ModifyRule took it; of 20 requests: ${tallyWords(tally)}`;
      return served > 0 ? notSeen(measured) : seen(measured);
    },
  },
};
