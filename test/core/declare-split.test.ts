/** What an `up` declares of the flag, and why one is refused. */
import { describe, expect, it } from "vitest";
import type { Intent } from "../../core/declaration.ts";
import { declaredFlags, splitProblems } from "../../core/declare-split.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { Split } from "../../core/split.ts";
import { aFullRecord } from "../contract/a-record.ts";

const place = { applicationId: "a", environmentId: "e", profileId: "p", strategyId: "s" };
const full = aFullRecord();
const canary = full.canary ?? { digest: "", attempt: 1, exposurePercent: 0, waveOpenedAt: 0, servedPercents: [] };

function recordOf(exposurePercent: number, change: Partial<RolloutRecord> = {}): RolloutRecord {
  return {
    ...full,
    canary: { ...canary, exposurePercent },
    split: { by: "flag", flag: "new-path", ...place },
    ...change,
  };
}
function intentOf(split?: Split): Intent {
  const { environment, service, plan } = full;
  const baseline = { digest: full.baseline, version: "2.3.1" };
  const rest = { mode: "act" as const, wavePercent: 10, attempt: 1, retire: false };
  return { environment, service, plan, baseline, ...rest, ...(split ? { split } : {}) };
}
const byFlag: Split = { by: "flag", flag: "new-path" };

describe("a split that is asked for", () => {
  it("goes on as the record has it [A6]", () => {
    expect(splitProblems(intentOf(byFlag), recordOf(10), "opening")).toEqual([]);
    expect(splitProblems(intentOf(), recordOf(0), "none")).toEqual([]);
    expect(splitProblems(intentOf({ by: "weights", flag: "new-path" }), recordOf(0), "none")).toEqual([]);
  });

  it.each([
    [
      "is another while a canary is exposed",
      intentOf({ by: "weights", flag: "new-path" }),
      recordOf(10),
      "none",
      "checkout.split: changed while a canary has 10 %, got weights with new-path after flag with new-path; expected the same until it has finished or is at 0",
    ],
    [
      "opens with a flag that is not made yet",
      intentOf({ by: "flag", flag: "other" }),
      recordOf(0),
      "opening",
      "checkout.split: flag with other is not made yet; expected it in place, off, before a wave opens. Run up with the wave that it has, then open",
    ],
    [
      "splits by a flag that is on for everybody",
      intentOf(byFlag),
      recordOf(0, { flagsOn: { "new-path": full.baseline } }),
      "opening",
      "checkout.split.flag: new-path is on for everybody since 2.3.1 finished, and splits nothing any more; expected another flag, or split: weights",
    ],
    [
      "leaves out the document of a flag that is on",
      intentOf(),
      recordOf(0, { flagsOn: { "new-path": full.baseline } }),
      "none",
      "checkout.split: got no flag, and new-path is on for everybody since 2.3.1 finished; expected split with new-path or a newer flag. Without its document every release that asks for it would have it off",
    ],
  ] as const)("is refused where it %s [A6]", (_what, intent, record, step, text) => {
    expect(splitProblems(intent, record, step)).toEqual([text]);
  });

  it("declares the flag at the exposure, at 100 through a finish, and finished ones on [A6]", () => {
    const flagsAt = (record: RolloutRecord | undefined, step: "none" | "finish", exposurePercent: number) =>
      declaredFlags(byFlag, record, { step, exposurePercent }).flags;
    expect(flagsAt(undefined, "none", 0)).toEqual({ "new-path": 0 });
    expect(flagsAt(recordOf(10), "none", 25)).toEqual({ "new-path": 25 });
    expect(flagsAt(recordOf(100), "finish", 0)).toEqual({ "new-path": 100 });
    expect(flagsAt(recordOf(10, { flagsOn: { older: full.baseline } }), "none", 10)).toEqual({
      "new-path": 10,
      older: 100,
    });
    expect(declaredFlags({ by: "weights" }, recordOf(10), { step: "none", exposurePercent: 10 })).toEqual({});
  });
});
