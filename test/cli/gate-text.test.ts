import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { GateAnswer } from "../../cli/gate-decision.ts";
import { rulesTable } from "../../cli/gate-rules.ts";
import { renderGate } from "../../cli/gate-text.ts";
import { cannotTell, type Finding, type GateQuestion, met, verdictOf } from "../../core/gate/verdict.ts";
import { Operator } from "./operator.ts";

const wave: GateQuestion = { kind: "wave", fromPercent: 10, toPercent: 25 };
const waits: Finding = { rule: "soak", verdict: "monitor", text: "soak at 10 % served 5 of 10 min" };

function answer(change: Partial<GateAnswer>, ...findings: readonly Finding[]): GateAnswer {
  const verdict = { ...verdictOf(findings), asked: wave };
  return { service: "checkout", outcome: verdict.kind, verdict, reasons: [], ...change };
}

const text = (...answers: GateAnswer[]) => renderGate(answers, { colours: false });

describe("what tidegate gate prints", () => {
  it("is the verdict and every finding below it, met ones too, in the order of the rules [B8]", () => {
    const answers = [
      answer(
        {},
        waits,
        met("hold", "no hold stands"),
        cannotTell("requests", "too-little", "the canary answered 7 requests"),
        { rule: "alarm", verdict: "roll-back", text: "alarm a is in ALARM" },
        { rule: "ladder", verdict: "monitor", text: "not finished\nin staging", isOverridden: true },
      ),
    ];
    expect(text(...answers)).toEqual([
      "checkout: 10 % to 25 %: roll back",
      "  met          hold      no hold stands",
      "  lifted       ladder    not finished in staging",
      "  worse        alarm     alarm a is in ALARM",
      "  waits        soak      soak at 10 % served 5 of 10 min",
      "  cannot tell  requests  the canary answered 7 requests",
    ]);
  });

  it("says what stands against the up beside the gate, whatever the gate says", () => {
    expect(text(answer({ outcome: "refused", reasons: ["basket: pinned"] }, met("hold", "no hold stands")))).toEqual([
      "checkout: 10 % to 25 %: promote, and the up would be refused all the same:",
      "  basket: pinned",
      "  met  hold  no hold stands",
    ]);
    expect(text(answer({ reasons: ["basket: pinned"] }, waits))).toEqual([
      "checkout: 10 % to 25 %: monitor; the up would be refused for more:",
      "  basket: pinned",
      "  waits  soak  soak at 10 % served 5 of 10 min",
    ]);
  });

  it("says of each service why nothing was asked", () => {
    const bare = { service: "checkout", reasons: ["the reason"] };
    expect(
      text({ ...bare, outcome: "nothing" }, { ...bare, outcome: "unreadable" }, { ...bare, outcome: "refused" }),
    ).toEqual([
      "checkout: nothing to ask:",
      "  the reason",
      "",
      "checkout: nobody could be asked:",
      "  the reason",
      "",
      "checkout: the gate was not asked:",
      "  the reason",
    ]);
  });

  it("is red where it is not promote", () => {
    const [head] = renderGate([answer({}, waits)], { colours: true });
    expect(head).toBe("\u001b[31mcheckout: 10 % to 25 %: monitor\u001b[39m");
    const [good] = renderGate([answer({}, met("hold", "no hold stands"))], { colours: true });
    expect(good).toBe("\u001b[32mcheckout: 10 % to 25 %: promote\u001b[39m");
  });
});

describe("docs/gate.md", () => {
  it("has the table of the rules as tidegate gate --rules prints it", async () => {
    const { code, out } = await new Operator().run("gate", "--rules");
    expect(code).toBe(0);
    const text = readFileSync(new URL("../../docs/gate.md", import.meta.url), "utf8");
    expect(/<!-- rules -->\n\n([\s\S]*?)\n\n<!-- \/rules -->/.exec(text)?.[1]).toBe(out);
  });

  it("says of each rule whether a reason lifts it as the gate does [C3]", () => {
    const never = rulesTable()
      .split("\n")
      .filter((row) => / never +\|$/.test(row))
      .map((row) => row.split("`")[1]);
    expect(never).toEqual(["hold", "pause", "change-freeze", "approvals", "breach", "alarm"]);
  });
});
