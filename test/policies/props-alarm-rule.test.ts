import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alarmsThatRing } from "../../policies/props-alarm-rule.ts";

describe("the rule of a composite alarm", () => {
  it.each([
    ['ALARM("a")', ["a"]],
    ["ALARM(a)", ["a"]],
    ["alarm(a) or Alarm( b )", ["a", "b"]],
    ['ALARM("tidegate/dev/shop x/1") OR ALARM("b")', ["tidegate/dev/shop x/1", "b"]],
    ["ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a)", ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a"]],
    ['ALARM("a") AND NOT ALARM("b")', ["a"]],
    ['NOT ALARM("a") AND ALARM("b")', ["b"]],
    ['NOT (ALARM("a") OR ALARM("b")) AND ALARM("c")', ["c"]],
    ['NOT (ALARM("a") AND NOT ALARM("b"))', ["b"]],
    ['NOT NOT ALARM("a")', ["a"]],
    ['NOT TRUE OR ALARM("a")', ["a"]],
    ['OK("a") OR INSUFFICIENT_DATA("b")', []],
    ['AT_LEAST(2, ALARM, ("a", "b", c))', ["a", "b", "c"]],
    ['AT_LEAST(1, OK, ("a"))', []],
    ['NOT AT_LEAST(1, ALARM, ("a")) OR ALARM("b")', ["b"]],
    ["ALARM(OK)", ["OK"]],
    ["TRUE", []],
    ["", []],
    [")) ALARM(", []],
  ])("%s rings with %j [E1]", (rule, names) => {
    expect([...alarmsThatRing(rule)]).toEqual(names);
  });

  it("turns round with every NOT before brackets, however deep [E1]", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 8 }), (nots) => {
        const rule = nots.reduce((inner, not) => (not ? `NOT (${inner})` : `(${inner} OR FALSE)`), 'ALARM("a")');
        const isRinging = nots.filter((not) => not).length % 2 === 0;
        return alarmsThatRing(rule).has("a") === isRinging;
      }),
    );
  });
});
