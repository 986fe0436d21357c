import { describe, expect, it } from "vitest";
import { blocksOf, measurementProblem, prepareSoak, warmUpSeconds } from "../../../core/gate/comparison-windows.ts";
import { minutesOf, openedAt, soakOf } from "./soak-maker.ts";

const even = () => ({ requests: 100, errors: 1 });

describe("the windows of a soak", () => {
  it("leaves out the first minutes, when every release is cold [C1]", () => {
    expect(warmUpSeconds({ from: 0, to: 5 * 60_000 })).toBe(60);
    expect(warmUpSeconds({ from: 0, to: 60 * 60_000 })).toBe(360);
    expect(warmUpSeconds({ from: 0, to: 24 * 3_600_000 })).toBe(600);
    const { pairs, warmingWindows } = prepareSoak(soakOf(10, even, even));
    expect(pairs.map(({ at }) => (at - openedAt) / 60_000)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(warmingWindows).toBe(1);
  });

  it("pairs windows of the same start, in any order, up to the end of the look", () => {
    const soak = soakOf(10, even, even);
    const late = { ...even(), at: openedAt + 10 * 60_000 };
    const early = { ...even(), at: openedAt - 60_000 };
    const { pairs, started } = prepareSoak({ ...soak, canary: [late, early, ...[...soak.canary].reverse()] });
    expect(pairs).toHaveLength(9);
    expect(started).toBe(9);
  });

  it("believes neither of two different answers for one window, and the same answer once", () => {
    const soak = soakOf(10, even, even);
    const [other, same] = [minutesOf(10, () => ({ requests: 50, errors: 1 }))[5], minutesOf(10, even)[6]];
    if (!other || !same) throw new Error("no such minute");
    const prepared = prepareSoak({ ...soak, canary: [...soak.canary, other, same] });
    expect(prepared.pairs).toHaveLength(8);
    expect(prepared.nonsense).toBe(1);
    expect(prepared.started).toBe(9);
  });

  it("names what cannot be as nonsense: a counter that was reset, more errors than requests, no number", () => {
    const broken = [
      { requests: -5, errors: 0 },
      { requests: 10, errors: 11 },
      { requests: Number.NaN, errors: 0 },
      { requests: 10, errors: Number.NaN },
      { requests: Number.POSITIVE_INFINITY, errors: 0 },
    ];
    const prepared = prepareSoak(soakOf(10, (index) => broken[index - 1] ?? even(), even));
    expect(prepared.nonsense).toBe(5);
    expect(prepared.pairs).toHaveLength(4);
    expect(prepared.started).toBe(9);
  });

  it("does not count a window in which nobody asked", () => {
    const prepared = prepareSoak(
      soakOf(
        10,
        (index) => (index > 6 ? { requests: 0, errors: 0 } : even()),
        (index) => (index > 7 ? { requests: 0, errors: 0 } : even()),
      ),
    );
    expect(prepared.pairs).toHaveLength(6);
    expect(prepared.started).toBe(7);
    expect(prepared.nonsense).toBe(0);
  });

  it("puts adjacent windows together until at most thirty blocks are left", () => {
    expect(blocksOf([1, 2, 3])).toEqual([[1], [2], [3]]);
    expect(blocksOf(Array.from({ length: 61 }, (_, index) => index)).map(({ length }) => length)).toEqual([
      ...Array.from({ length: 20 }, () => 3),
      1,
    ]);
  });
});

describe("a measurement", () => {
  const soak = soakOf(10, even, even);

  it("is one", () => {
    expect(measurementProblem(soak)).toBeUndefined();
  });

  it("has windows of a length, an end after its start, and a look", () => {
    expect(measurementProblem({ ...soak, windowSeconds: 0 })).toBe("windows of 0 s; expected a length above 0");
    expect(measurementProblem({ ...soak, to: Number.NaN })).toBe(
      `a soak from ${openedAt} to NaN; expected an end after its start`,
    );
    expect(measurementProblem({ ...soak, to: openedAt })).toBe(
      `a soak from ${openedAt} to ${openedAt}; expected an end after its start`,
    );
    expect(measurementProblem({ ...soak, lookIndex: -1 })).toBe("look -1; expected a whole number from 0");
    expect(measurementProblem({ ...soak, lookIndex: 0.5 })).toBe("look 0.5; expected a whole number from 0");
  });
});
