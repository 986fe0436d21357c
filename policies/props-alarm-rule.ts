/**
 * Reads the rule of a composite alarm: `ALARM("a") AND NOT ALARM("b")`, brackets, `AT_LEAST(2, ALARM, ("a", "b"))`.
 * Source: "PutCompositeAlarm" (CloudWatch API reference) and "Create a composite alarm" (CloudWatch user guide), read 2026-11.
 */

interface Frame {
  /** Whether what stands in these brackets is turned round by a NOT before them. */
  readonly isNegated: boolean;
  /** The state that names in these brackets are asked for; undefined: the brackets only group. */
  state: string | undefined;
}

const states = /^(?:ALARM|OK|INSUFFICIENT_DATA)$/i;

/**
 * The alarms whose ringing makes a composite ring, alone or with others: those asked for ALARM and not under a NOT. By name, or by ARN as
 * written. What is none of a rule's words is skipped: the service refuses a rule that it cannot read.
 */
export function alarmsThatRing(rule: string): ReadonlySet<string> {
  const tokens = rule.match(/"[^"]*"|[(),]|[^\s(),"]+/g) ?? [];
  const found = new Set<string>();
  const open: Frame[] = [];
  let frame: Frame = { isNegated: false, state: undefined };
  let isNext: Partial<Frame> = {};
  for (const [position, token] of tokens.entries()) {
    if (token === "(") {
      open.push(frame);
      frame = { isNegated: frame.isNegated !== (isNext.isNegated ?? false), state: isNext.state ?? frame.state };
      isNext = {};
    } else if (token === ")") {
      frame = open.pop() ?? frame;
      isNext = {};
    } else if (states.test(token) && tokens[position + 1] === "(") {
      isNext.state = token.toUpperCase();
    } else if (frame.state === undefined && states.test(token)) {
      // The state that `AT_LEAST` asks of the names after it.
      frame.state = token.toUpperCase();
    } else if (frame.state === undefined && /^NOT$/i.test(token)) {
      isNext = { ...isNext, isNegated: !(isNext.isNegated ?? false) };
    } else if (frame.state === undefined && /^(?:AND|OR|TRUE|FALSE)$/i.test(token)) {
      isNext = {};
    } else if (frame.state === "ALARM" && !frame.isNegated && token !== ",") {
      found.add(token.replace(/^"|"$/g, ""));
    }
  }
  return found;
}
