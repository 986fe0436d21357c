/** `split` in the stack config: what is read, and what does not fit together, by name. */
import { describe, expect, it } from "vitest";
import { Problems } from "../../stacks/config/problems.ts";
import { readSplit, type SplitContext } from "../../stacks/config/split.ts";

function read(raw: unknown, change: Partial<SplitContext> = {}) {
  const problems = new Problems();
  const split = readSplit(raw, ["services", "checkout", "split"], {
    source: "emf",
    hasControl: false,
    hasStickiness: false,
    problems,
    ...change,
  });
  return { split, texts: problems.texts };
}

describe("split in the config", () => {
  it.each([
    [undefined, undefined],
    ["weights", undefined],
    [
      { by: "weights", flag: "fast-path" },
      { by: "weights", flag: "fast-path" },
    ],
    [
      { by: "flag", flag: "fast-path" },
      { by: "flag", flag: "fast-path" },
    ],
  ])("reads %j as %j [A6]", (raw, split) => {
    expect(read(raw)).toEqual({ split, texts: [] });
  });

  it.each([
    ["dice", "unknown splitter"],
    [{ by: "flag" }, "services.checkout.split.flag: missing"],
    ["flag", "services.checkout.split.flag: missing"],
    [{ by: "flag", flag: "Big" }, "not a flag's key"],
    [{ by: "flag", flag: "constructor" }, "not a flag's key"],
    [{ by: "flag", flag: "a", percent: 5 }, "percent"],
  ])("refuses %j [A6]", (raw, words) => {
    const { split, texts } = read(raw);
    expect(split).toBeUndefined();
    expect(texts).toEqual([expect.stringContaining(words)]);
  });

  it("refuses a flag that splits where the load balancer measures, beside a control and beside stickiness, all at once [A6]", () => {
    const raw = { by: "flag", flag: "fast-path" };
    const { split, texts } = read(raw, { source: "alb", hasControl: true, hasStickiness: true });
    expect(split).toBeUndefined();
    expect(texts).toEqual([
      'services.checkout.split: by flag with source alb: the load balancer cannot tell whose flag was on, got "flag"; expected source emf, prometheus or datadog. Report requests with client/, or split by weights',
      'services.checkout.split: by flag with a control: every request goes to the canary\'s processes, and the control would have none, got "flag"; expected no control. Leave control out, or split by weights',
      'services.checkout.split: by flag with stickinessSeconds: one release has every request, and the flag keeps who is on it, got "flag"; expected no stickinessSeconds. Leave stickinessSeconds out, or split by weights',
    ]);
  });
});
