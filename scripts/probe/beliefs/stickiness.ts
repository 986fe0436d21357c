/** Beliefs about clients that carry a group cookie. */
import { cookieFor, firstAnswer, settleMilliseconds, tallyOf, tallyWords } from "../asking.ts";
import { type Belief, couldNotTell, type Finding, judged } from "../belief.ts";
import type { ProbeAction, ProbeCloud } from "../cloud.ts";

const stickinessSeconds = 3_600;
const requests = 50;

/** A client stuck to `b`; then the rule is changed, and that client asks again. */
async function afterChange(
  cloud: ProbeCloud,
  change: ProbeAction,
  holds: (fromB: number) => boolean,
): Promise<Finding> {
  const rule = await cloud.makeRule("path", { weights: { a: 50, b: 50 }, stickinessSeconds });
  if (!(await firstAnswer(cloud, rule, ({ group }) => group !== undefined)))
    return couldNotTell("a new rule did not answer within two minutes");
  const cookie = await cookieFor(cloud, rule, "b");
  if (cookie === undefined) return couldNotTell("no group cookie in a hundred answers");
  const before = await tallyOf(cloud, rule, 20, cookie);
  if (before.b !== 20) return couldNotTell(`the cookie did not hold before the change: ${tallyWords(before)}`);
  await cloud.writeRule(rule, change);
  await cloud.sleep(settleMilliseconds);
  const tally = await tallyOf(cloud, rule, requests, cookie);
  return judged(holds(tally.b ?? 0), `of ${requests} requests with the cookie: ${tallyWords(tally)}`);
}

export const removalEvicts: Belief = {
  id: "alb-removal-evicts-sticky",
  text: "A client whose cookie names a group goes elsewhere once that group is out of the action and stickiness is off.",
  source: "Unconfirmed: plausible, and no page of AWS says so.",
  dependsOnIt: ["every rollback to 0", "a main rule has only groups above 0", "kill"],
  procedure: {
    steps:
      "50/50 with stickiness, a client stuck to one group; that group is taken out; two minutes' wait, 50 requests with its cookie.",
    minutes: 4,
    run: (cloud) => afterChange(cloud, { weights: { a: 100 } }, (fromB) => fromB === 0),
  },
};

export const weightZeroKeepsSticky: Belief = {
  id: "alb-weight-0-keeps-sticky",
  text: "Weight 0 with stickiness still on does not move a client whose cookie names that group.",
  source:
    "Derived from the ALB user guide (weights are for requests without the cookie) and an accepted answer on AWS re:Post.",
  dependsOnIt: ["any lowering turns stickiness off and takes the group out, instead of giving it weight 0"],
  procedure: {
    steps: "As alb-removal-evicts-sticky, with weight 0 and stickiness left on instead.",
    minutes: 4,
    run: (cloud) => afterChange(cloud, { weights: { a: 100, b: 0 }, stickinessSeconds }, (fromB) => fromB === requests),
  },
};

export const offReleases: Belief = {
  id: "alb-stickiness-off-releases",
  text: "With stickiness off, a cookie from before no longer decides: weights do.",
  source: "Derived: nobody says what becomes of cookies already given.",
  dependsOnIt: ["a lowering to above 0 turns stickiness off and expects the lower share"],
  procedure: {
    steps:
      "50/50 with stickiness, a client stuck to one group; weights 99 to 1 and stickiness off; two minutes' wait, 50 requests with its cookie.",
    minutes: 4,
    // At 1 percent, five or more of fifty come by chance once in about 7,000 runs.
    run: (cloud) => afterChange(cloud, { weights: { a: 99, b: 1 } }, (fromB) => fromB < 5),
  },
};
