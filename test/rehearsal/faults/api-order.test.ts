import { describe, expect, it } from "vitest";
import { orderProblems } from "../../../rehearsal/faults/api-order.ts";
import type { TraceEntry } from "../../../rehearsal/faults/trace.ts";

const main = "arn:rule/main";
const anchor = "arn:rule/anchor";
const old = "arn:group/old";
const fresh = "arn:group/fresh";

const record = (exposurePercent: number, leaseTo?: number) => ({
  baseline: "old",
  releases: { old: { targetGroupArn: old }, fresh: { targetGroupArn: fresh } },
  canary: { digest: "fresh", exposurePercent },
  ...(leaseTo === undefined ? {} : { lease: { kind: "opening", digest: "fresh", toPercent: leaseTo } }),
});
const weights = (percent: number): Record<string, number> =>
  percent === 0 ? { [old]: 100 } : { [old]: 100 - percent, [fresh]: percent };

/** A trace that reads as a list of what happened; every call is asked, takes effect and is answered. */
class Story {
  readonly entries: TraceEntry[] = [];
  #at = 0;

  wait(seconds: number): this {
    this.#at += seconds * 1_000;
    return this;
  }

  call(
    run: number,
    actor: string,
    call: "records.write" | "traffic.writeRule" | "traffic.readRules",
    args: unknown[],
  ): this {
    const common = { at: this.#at, run, actor, call, args };
    this.entries.push({ kind: "asked", ...common }, { kind: "effect", ...common }, { kind: "answered", ...common });
    return this;
  }

  failed(run: number, call: "records.write", args: unknown[]): this {
    const common = { at: this.#at, run, actor: "hook", call, args };
    this.entries.push({ kind: "asked", ...common }, { kind: "failed", ...common });
    return this;
  }

  rule(
    run: number,
    ruleArn: string,
    role: string,
    action: { weights: Record<string, number>; stickinessSeconds?: number },
    op: "create" | "update" = "update",
  ): this {
    this.entries.push({ kind: "rule", at: this.#at, run, actor: "up", op, ruleArn, role, action });
    return this;
  }

  upEnds(run: number, result = "applied"): this {
    this.entries.push({ kind: "up-ended", at: this.#at, run, actor: "up", result });
    return this;
  }

  groupGone(kind: "group-deleted" | "group-scaled-in"): this {
    this.entries.push({ kind, at: this.#at, run: 9, actor: "up", groupArn: fresh });
    return this;
  }

  died(run: number): this {
    this.entries.push({ kind: "died", at: this.#at, run, actor: "hook" });
    return this;
  }
}

/** The baseline has everything, the canary is attached; then it is opened to 25 %, as it should be. */
function opened(): Story {
  return new Story()
    .rule(1, anchor, "anchor", { weights: { [old]: 1, [fresh]: 1 } }, "create")
    .rule(1, main, "main", { weights: weights(0) }, "create")
    .call(1, "hook", "records.write", [record(0)])
    .upEnds(1)
    .call(2, "up", "records.write", [record(0, 25)])
    .rule(2, main, "main", { weights: weights(25), stickinessSeconds: 600 })
    .call(3, "hook", "traffic.readRules", [[main]])
    .call(3, "hook", "records.write", [record(25)])
    .upEnds(2)
    .wait(600);
}

const lowered = (story: Story, run = 4): Story =>
  story
    .call(run, "hook", "records.write", [record(0)])
    .call(run, "hook", "traffic.writeRule", [main, { weights: weights(0) }])
    .call(run, "hook", "traffic.readRules", [[main]]);

describe("the order of calls on a trace", () => {
  it("finds nothing in an opening and a rollback as they should be", () => {
    expect(orderProblems(lowered(opened()).entries)).toEqual([]);
  });

  it("finds a lowering without a write of the record", () => {
    const story = opened()
      .call(4, "hook", "traffic.writeRule", [main, { weights: weights(0) }])
      .call(4, "hook", "traffic.readRules", [[main]])
      .call(4, "hook", "records.write", [record(0)]);
    expect(orderProblems(story.entries)).toEqual([
      `run 4 (hook): ${fresh} from 25 % to 0 %: lowered without a write of the record, which grants 25 %`,
    ]);
  });

  it("lets a lowering pass whose record could not be written, and one that the record says already", () => {
    const unwritten = opened()
      .failed(4, "records.write", [record(0)])
      .call(4, "hook", "traffic.writeRule", [main, { weights: weights(0) }])
      .call(4, "hook", "traffic.readRules", [[main]]);
    expect(orderProblems(unwritten.entries)).toEqual([]);
    const again = lowered(opened())
      .rule(5, main, "main", { weights: weights(0) })
      .call(6, "hook", "traffic.writeRule", [main, { weights: weights(0) }])
      .call(6, "hook", "traffic.readRules", [[main]]);
    expect(orderProblems(again.entries)).toEqual([]);
  });

  it("finds a lowering that leaves stickiness on", () => {
    const story = opened()
      .call(4, "hook", "records.write", [record(12)])
      .call(4, "hook", "traffic.writeRule", [main, { weights: weights(12), stickinessSeconds: 600 }])
      .call(4, "hook", "traffic.readRules", [[main]]);
    expect(orderProblems(story.entries)).toEqual([
      `run 4 (hook): ${fresh} from 25 % to 12 %: lowered with stickiness on`,
    ]);
  });

  it("finds weights that nobody read back, and lets a run pass that died", () => {
    const story = opened()
      .call(4, "hook", "records.write", [record(0)])
      .call(4, "hook", "traffic.readRules", [[main]])
      .call(4, "hook", "traffic.writeRule", [main, { weights: weights(0) }])
      .call(5, "hook", "traffic.readRules", [[main]]);
    expect(orderProblems(story.entries)).toEqual([`run 4 (hook): wrote ${main} and never read it back`]);
    expect(orderProblems(story.died(4).entries)).toEqual([]);
  });

  it("takes no later look, for a snapshot, for a read-back", () => {
    const story = opened()
      .call(4, "hook", "records.write", [record(0)])
      .call(4, "hook", "traffic.writeRule", [main, { weights: weights(0) }])
      .call(4, "hook", "records.write", [record(0)])
      .call(4, "hook", "traffic.readRules", [[main]]);
    expect(orderProblems(story.entries)).toEqual([`run 4 (hook): wrote ${main} and never read it back`]);
  });

  it("finds a raise without a lease, and one that nobody read back before the up ended", () => {
    const story = opened()
      .rule(5, main, "main", { weights: weights(100) })
      .upEnds(5);
    expect(orderProblems(story.entries)).toEqual([
      `run 5 (up): ${fresh} from 25 % to 100 %: raised, and the record grants 25 % and no lease`,
      `run 5 (up): wrote ${main}, and nobody read it back before the up ended`,
    ]);
  });

  it.each([
    [119, [`${fresh} detached 119 s after its traffic was taken`]],
    [120, []],
  ])("judges a group that is detached from all rules %i s after its traffic left", (seconds, problems) => {
    const story = lowered(opened())
      .wait(seconds)
      .rule(5, anchor, "anchor", { weights: { [old]: 1 } });
    expect(orderProblems(story.entries)).toEqual(problems);
  });

  it.each([
    ["group-deleted", "deleted"],
    ["group-scaled-in", "scaled in"],
  ] as const)("finds a group that is %s too early", (kind, words) => {
    expect(orderProblems(lowered(opened()).wait(60).groupGone(kind).entries)).toEqual([
      `${fresh} ${words} 60 s after its traffic was taken`,
    ]);
    expect(orderProblems(lowered(opened()).wait(121).groupGone(kind).entries)).toEqual([]);
  });
});
