/** Beliefs about when the load balancer's own figures can be read. */
import { firstAnswer } from "../asking.ts";
import { type Belief, couldNotTell, judged } from "../belief.ts";

const minute = 60_000;
/** As the rehearsal assumes. Unit: milliseconds. */
const assumedDelayMilliseconds = 2 * minute;

export const metricDelay: Belief = {
  id: "alb-metric-delay",
  text: "The request count of a minute can be read within 2 min of that minute's end.",
  source: "A delay of about two minutes is reported by Datadog's documentation; AWS publishes no figure.",
  dependsOnIt: [
    "the time from the first bad minute to a rollback with source alb (4 to 5 min)",
    "settle times",
    "blind time",
  ],
  procedure: {
    steps:
      "Requests throughout one whole minute; then its point is read every five seconds until it is there, at most ten minutes.",
    minutes: 8,
    run: async (cloud) => {
      const rule = await cloud.makeRule("path", { weights: { b: 100 } });
      if (!(await firstAnswer(cloud, rule, ({ group }) => group === "b")))
        return couldNotTell("a new rule did not answer within two minutes");
      const start = Math.ceil(cloud.now() / minute) * minute;
      await cloud.sleep(start - cloud.now());
      let asked = 0;
      while (cloud.now() < start + minute) {
        await cloud.ask(rule);
        asked += 1;
        await cloud.sleep(500);
      }
      const end = start + minute;
      while (cloud.now() < end + 10 * minute) {
        const sum = await cloud.requestSum("b", start);
        if (sum !== undefined) {
          const seconds = Math.round((cloud.now() - end) / 1_000);
          return judged(
            cloud.now() - end <= assumedDelayMilliseconds,
            `there ${seconds} s after the minute's end, with ${sum} of ${asked} requests`,
          );
        }
        await cloud.sleep(5_000);
      }
      return couldNotTell("no point within ten minutes");
    },
  },
};
