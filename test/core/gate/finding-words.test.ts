import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findingLine, findingWord, kindWords, readVerdictText, verdictText } from "../../../core/gate/finding-words.ts";
import {
  cannotTell,
  type Finding,
  type GateQuestion,
  gateRules,
  met,
  verdictKinds,
  verdictOf,
} from "../../../core/gate/verdict.ts";

const finding: fc.Arbitrary<Finding> = fc
  .record({
    rule: fc.constantFrom(...gateRules),
    verdict: fc.constantFrom(...verdictKinds),
    measured: fc.constantFrom("nothing" as const, "too-little" as const),
    text: fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => text.trim() !== ""),
    isOverridden: fc.boolean(),
  })
  .map(({ measured, ...rest }) => (rest.verdict === "cannot-tell" ? { ...rest, measured } : rest));
const question: fc.Arbitrary<GateQuestion> = fc.oneof(
  fc.record({
    kind: fc.constant("wave" as const),
    fromPercent: fc.nat(100),
    toPercent: fc.nat(100),
  }),
  fc.record({ kind: fc.constant("finish" as const), version: fc.constantFrom("2.0.0", "2.0.0 (rc)", "a: b") }),
);

describe("a verdict as a preview tells it", () => {
  it("has a line for each finding, with what it comes to [B8]", () => {
    const verdict = verdictOf([
      met("hold", "no hold stands"),
      { rule: "soak", verdict: "monitor", text: "soak\n served 5 of 10 min" },
      cannotTell("requests", "too-little", "7 requests"),
      { rule: "checks", verdict: "roll-back", text: "smoke failed", isOverridden: true },
      { ...met("cool-off", "over"), isOverridden: true },
    ]);
    expect(verdictText("checkout", { ...verdict, asked: { kind: "wave", fromPercent: 10, toPercent: 25 } })).toBe(
      [
        "checkout: the gate says cannot tell (too-little measured) (10 % to 25 %):",
        "  met: hold: no hold stands",
        "  met: cool-off: over",
        "  lifted: checks: smoke failed",
        "  waits: soak: soak served 5 of 10 min",
        "  cannot tell: requests: 7 requests",
      ].join("\n"),
    );
  });

  it("is read back as it was told, whatever the findings say [B8]", () => {
    fc.assert(
      fc.property(fc.array(finding, { maxLength: 12 }), question, (findings, asked) => {
        const verdict = verdictOf(findings);
        const told = readVerdictText(verdictText("checkout", { ...verdict, asked }));
        expect(told?.kind).toBe(verdict.kind);
        expect(told?.measured).toBe(verdict.measured);
        expect(told?.findings.map(({ word, rule }) => [word, rule])).toEqual(
          verdict.findings.map((each) => [findingWord(each), each.rule]),
        );
        expect(told?.findings.map(({ word, rule, text }) => `${word}: ${rule}: ${text}`)).toEqual(
          verdict.findings.map(findingLine),
        );
      }),
    );
  });

  it("is not read at all where one line has another form: half of the findings would hide the rest", () => {
    const text = "checkout: the gate says promote (10 % to 25 %):\n  met: hold: no hold stands";
    expect(readVerdictText(text)?.findings).toEqual([{ word: "met", rule: "hold", text: "no hold stands" }]);
    expect(readVerdictText(`${text}\n  fine: alarm: quiet`)).toBeUndefined();
    expect(readVerdictText(`${text}\n  met: weather: sunny`)).toBeUndefined();
    expect(readVerdictText(text.replace("promote", "yes"))).toBeUndefined();
    expect(readVerdictText("checkout: opens wave 25")).toBeUndefined();
  });

  it("says of what cannot be told how much was measured [B8]", () => {
    expect(verdictKinds.map((kind) => kindWords({ kind }))).toEqual([
      "promote",
      "monitor",
      "cannot tell (nothing measured)",
      "roll back",
    ]);
    expect(kindWords({ kind: "cannot-tell", measured: "too-little" })).toBe("cannot tell (too-little measured)");
  });
});
