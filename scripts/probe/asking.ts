/** Asking the load balancer in ways that several beliefs need. */
import type { Answer, ProbeCloud, ProbeGroup, ProbeRule } from "./cloud.ts";

/**
 * How long after a write a probe waits before it takes answers for settled, where propagation itself is not the question. Unit:
 * milliseconds. The same two minutes for which Tidegate keeps old targets.
 */
export const settleMilliseconds = 120_000;

/** Answers by group; what the load balancer said itself under its status. */
export type Tally = Readonly<Record<string, number>>;

/** So many requests one after another. */
export async function tallyOf(cloud: ProbeCloud, rule: ProbeRule, count: number, cookie?: string): Promise<Tally> {
  const tally: Record<string, number> = {};
  for (let asked = 0; asked < count; asked += 1) {
    const name = nameOf(await cloud.ask(rule, cookie));
    tally[name] = (tally[name] ?? 0) + 1;
  }
  return tally;
}

/** `a 90, b 10` */
export function tallyWords(tally: Tally): string {
  const names = Object.keys(tally).sort();
  return names.length === 0 ? "no answer" : names.map((name) => `${name} ${tally[name]}`).join(", ");
}

export function nameOf(answer: Answer): string {
  return answer.group ?? `status ${answer.status}`;
}

/** A group cookie of a client that was sent to a group; `undefined` when none came in a hundred tries. */
export async function cookieFor(cloud: ProbeCloud, rule: ProbeRule, group: ProbeGroup): Promise<string | undefined> {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await cloud.ask(rule);
    if (answer.group === group && answer.cookie !== undefined) return answer.cookie;
  }
  return undefined;
}

/** Asks until the rule first answers as it was written; a new rule takes a while to be there. @returns whether it did in time */
export async function firstAnswer(
  cloud: ProbeCloud,
  rule: ProbeRule,
  isThere: (answer: Answer) => boolean,
): Promise<boolean> {
  const until = cloud.now() + settleMilliseconds;
  while (cloud.now() < until) {
    if (isThere(await cloud.ask(rule))) return true;
    await cloud.sleep(1_000);
  }
  return false;
}
