import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bucket } from "../../client/cohorts.ts";
import { dualRun, type Mismatch } from "../../client/dual-run.ts";
import { aPair, CountedMetrics, nothingSkipped, settled } from "./dual-run-pair.ts";
import { FakeRuntime } from "./fake-runtime.ts";

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(() => {
  process.removeListener("unhandledRejection", note);
});

const never = () => new Promise<number>(() => {});

describe("a dual run of synchronous implementations", () => {
  it("answers with the old one's answer and counts that the two agree [A9]", () => {
    const { pair, metrics } = aPair(
      (value: number) => value * 2,
      (value: number) => value + value,
    );
    expect(pair(21)).toBe(42);
    expect(metrics.runs).toEqual([true]);
    expect(pair.status()).toEqual({
      agreed: 1,
      mismatched: 0,
      fallbacks: 0,
      notCompared: nothingSkipped,
      overruns: 0,
      untold: 0,
      isPaused: false,
      isOver: false,
    });
  });

  it("answers with the very object that the returned one gave, whichever that is [A9]", () => {
    const [one, other] = [{ total: 1 }, { total: 2 }];
    const give = (returns: "old" | "new") =>
      aPair(
        () => one,
        () => other,
        { returns },
      );
    const [old, new_] = [give("old"), give("new")];
    expect(old.pair()).toBe(one);
    expect(new_.pair()).toBe(other);
    expect([old.metrics.runs, new_.metrics.runs]).toEqual([[false], [false]]);
  });

  it("does not let through what the other one throws, and counts it as a mismatch [A9]", () => {
    const { pair, metrics } = aPair(
      () => 1,
      () => {
        throw new Error("boom");
      },
    );
    expect(pair()).toBe(1);
    expect(metrics.runs).toEqual([false]);
  });

  it("lets the returned one's error through as it is, and agrees where the other one throws the like [A9]", () => {
    const error = Object.assign(new RangeError("no such basket"), { code: "E_BASKET" });
    const likewise = Object.assign(new RangeError("no such basket"), { code: "E_BASKET" });
    const other = Object.assign(new RangeError("no such basket"), { code: "E_OTHER" });
    const throwing = (thrown: Error) => (): never => {
      throw thrown;
    };
    const alike = aPair(throwing(error), throwing(likewise));
    const unlike = aPair(throwing(error), throwing(other));
    const sameToUs = aPair(throwing(error), throwing(other), { equalErrors: () => true });
    for (const { pair } of [alike, unlike, sameToUs]) {
      try {
        pair();
        expect.unreachable();
      } catch (thrown) {
        expect(thrown).toBe(error);
      }
    }
    expect([alike, unlike, sameToUs].map(({ metrics }) => metrics.runs)).toEqual([[true], [false], [true]]);
  });

  it("falls back to the old one where the new one throws, and counts that [A9]", () => {
    const { pair, metrics } = aPair(
      (value: number) => value,
      (): number => {
        throw new Error("boom");
      },
      { returns: "new" },
    );
    expect(pair(7)).toBe(7);
    expect([metrics.fallbacks, metrics.runs]).toEqual([1, [false]]);
  });

  it("falls back in calls that are not sampled, too [A9]", () => {
    const { pair, metrics } = aPair(
      (value: number) => value,
      (): number => {
        throw new Error("boom");
      },
      { returns: "new", sampleFraction: 0 },
    );
    expect(pair(7)).toBe(7);
    expect([metrics.fallbacks, metrics.runs]).toEqual([1, []]);
  });

  it("counts no fallback where the old one throws as well: nobody answered [A9]", () => {
    const refuse = (message: string) => () => {
      throw new Error(message);
    };
    const { pair, metrics } = aPair(refuse("not yours"), refuse("not yours"), { returns: "new" });
    expect(() => pair()).toThrow(/^not yours$/);
    expect([metrics.fallbacks, metrics.runs]).toEqual([0, [true]]);
  });

  it("does not fall back where that is not wanted: the error is the new one's own [A9]", () => {
    const error = new Error("boom");
    for (const sampleFraction of [0, 1]) {
      const { pair, metrics } = aPair(
        () => 1,
        (): number => {
          throw error;
        },
        { returns: "new", fallback: "none", sampleFraction },
      );
      expect(() => pair()).toThrow(error);
      expect([metrics.fallbacks, metrics.runs]).toEqual([0, sampleFraction === 1 ? [false] : []]);
    }
  });

  it("asks which one to return for each call, and returns the old one where nobody knows [A9]", () => {
    const answers = new Map<string, () => unknown>([
      ["on", () => "new"],
      ["off", () => "old"],
      ["odd", () => true],
      [
        "broken",
        () => {
          throw new Error("no flags");
        },
      ],
    ]);
    const { pair, metrics } = aPair(
      (_flag: string) => "from old",
      (_flag: string) => "from new",
      { returns: (flag) => answers.get(flag)?.() as "old", equal: () => true },
    );
    expect(["on", "off", "odd", "broken"].map((flag) => pair(flag))).toEqual([
      "from new",
      "from old",
      "from old",
      "from old",
    ]);
    expect(metrics.warnings).toEqual([
      "dualRun price-engine: no side, got a value of Boolean; expected old or new. The old one answers",
    ]);
  });

  it("gives the other one a copy: what either does to its input stays with it [A9]", () => {
    const seen: unknown[] = [];
    const { pair, metrics } = aPair(
      (basket: { items: string[] }) => {
        basket.items.push("old");
        return basket.items.length;
      },
      (basket: { items: string[] }) => {
        seen.push(structuredClone(basket));
        basket.items.push("new", "newer");
        return basket.items.length - 1;
      },
    );
    const basket = { items: ["tea"] };
    expect(pair(basket)).toBe(2);
    expect(basket).toEqual({ items: ["tea", "old"] });
    expect(seen).toEqual([{ items: ["tea"] }]);
    expect(metrics.runs).toEqual([true]);
  });

  it("does not compare what it cannot copy, does not run the other one on it, and names it once [A9]", () => {
    class Cart {
      readonly #items = 3;
      size() {
        return this.#items;
      }
    }
    let ran = 0;
    const { pair, metrics } = aPair(
      (cart: Cart) => cart.size(),
      (cart: Cart) => {
        ran += 1;
        return cart.size();
      },
    );
    const cart = new Cart();
    expect([pair(cart), pair(cart)]).toEqual([3, 3]);
    expect([ran, metrics.runs, pair.status().notCompared]).toEqual([0, [], { ...nothingSkipped, input: 2 }]);
    expect(metrics.warnings).toEqual([
      "dualRun price-engine: the input cannot be copied, got a value of Cart; expected plain data. Say how to copy it (input). Such calls are not compared",
    ]);
  });

  it("compares input of any kind where it is told how to copy it, or that nobody changes it [A9]", () => {
    const size = (cart: Set<unknown>) => cart.size;
    const cart = Object.assign(new Set([1, 2]), { extra: () => {} });
    const shared = aPair(size, (given: Set<unknown>) => (given === cart ? 2 : 0), { input: "shared" });
    const copied = aPair(size, (given: Set<unknown>) => (given === cart ? 0 : 2), {
      input: (given): [Set<unknown>] => [new Set(given)],
    });
    const wrong = aPair(size, size.bind(undefined), { input: ((all: unknown) => all) as never });
    expect([shared, copied, wrong].map(({ pair }) => pair(cart))).toEqual([2, 2, 2]);
    expect([shared, copied, wrong].map(({ metrics }) => metrics.runs)).toEqual([[true], [true], []]);
    expect(wrong.metrics.warnings).toEqual([
      "dualRun price-engine: no copy of the input, got a value of Set; expected a list of arguments. Say how to copy it (input). Such calls are not compared",
    ]);
  });

  it("passes `this` to both, and has the old one's length and the pair's name [A9]", () => {
    const shop = {
      factor: 3,
      price: dualRun({
        name: "price-engine",
        old(this: { factor: number }, value: number) {
          return value * this.factor;
        },
        new(this: { factor: number }, value: number) {
          return this.factor * value;
        },
        returns: "old",
        metrics: new CountedMetrics(),
      }),
    };
    expect(shop.price(2)).toBe(6);
    expect(shop.price.status().agreed).toBe(1);
    expect([shop.price.name, shop.price.length]).toEqual(["price-engine", 1]);
    expect(() => Reflect.construct(shop.price, [2])).toThrow(/is not a constructor$/);
  });

  it("compares the outermost call of a recursion only: each level would double the work [A9]", () => {
    let ran = 0;
    const again: { call(depth: number): number } = { call: () => 0 };
    const down = (depth: number) => (depth === 0 ? 0 : 1 + again.call(depth - 1));
    const { pair, metrics } = aPair(
      (depth: number) => down(depth),
      (depth: number) => {
        ran += 1;
        return down(depth);
      },
    );
    again.call = pair;
    expect([pair(20), ran, metrics.runs]).toEqual([20, 1, [true]]);
  });
});

describe("a dual run of asynchronous implementations", () => {
  it("resolves to the returned one's value, and compares with the other one's [A9]", async () => {
    const value = { total: 2 };
    const { pair, metrics, runtime } = aPair(
      async () => value,
      async () => ({ total: 2 }),
    );
    expect(await pair()).toBe(value);
    await settled();
    expect([metrics.runs, runtime.timers]).toEqual([[true], 0]);
  });

  type Give = () => number | Promise<number>;
  it.each<[string, string, Give, Give]>([
    ["a value", "a promise", () => 2, async () => 2],
    ["a promise", "a value", async () => 2, () => 2],
  ])("compares %s with %s; the caller gets what the old one gives [A9]", async (_old, _new, old, new_) => {
    const { pair, metrics } = aPair<[], number | Promise<number>, number | Promise<number>>(old, new_);
    const answer = pair();
    expect(answer instanceof Promise).toBe(old() instanceof Promise);
    expect(await answer).toBe(2);
    await settled();
    expect(metrics.runs).toEqual([true]);
  });

  it("does not make the caller wait for the other one, and drops what comes late [A9]", async () => {
    let late: (value: number) => void = () => {};
    const { pair, metrics, runtime } = aPair(
      async () => 1,
      () =>
        new Promise<number>((resolve) => {
          late = resolve;
        }),
    );
    expect(await pair()).toBe(1);
    expect([metrics.runs, pair.status().overruns]).toEqual([[], 0]);
    runtime.pass(250);
    expect([pair.status().overruns, pair.status().notCompared.overrun]).toEqual([1, 1]);
    late(1);
    await settled();
    expect([metrics.runs, runtime.timers]).toEqual([[], 0]);
  });

  it("counts as late what came before a timer of a blocked process could say so [A9]", async () => {
    let answer: (value: number) => void = () => {};
    const { pair, metrics, runtime } = aPair(
      async () => 1,
      () =>
        new Promise<number>((resolve) => {
          answer = resolve;
        }),
    );
    await pair();
    runtime.now += 300;
    answer(1);
    await settled();
    expect([metrics.runs, pair.status().notCompared.overrun, runtime.timers]).toEqual([[], 1, 0]);
  });

  it("minds the other one's rejection, in time or late, so that no process ends by it [A9]", async () => {
    let reject: (error: Error) => void = () => {};
    const inTime = aPair(
      () => 1,
      () => Promise.reject(new Error("boom")) as Promise<number>,
    );
    const late = aPair(
      async () => 1,
      () =>
        new Promise<number>((_resolve, no) => {
          reject = no;
        }),
    );
    expect([inTime.pair(), await late.pair()]).toEqual([1, 1]);
    late.runtime.pass(250);
    reject(new Error("much later"));
    await settled();
    expect([inTime.metrics.runs, late.metrics.runs, unhandled]).toEqual([[false], [], []]);
  });

  it("minds it, too, where the answer cannot be kept to be compared later [A9]", async () => {
    const { pair, metrics } = aPair<[], { act: () => void } | Promise<never>, { act: () => void } | Promise<never>>(
      () => ({ act: () => {} }),
      () => Promise.reject(new Error("boom")),
    );
    pair();
    await settled();
    expect([metrics.runs, pair.status().notCompared.result, unhandled]).toEqual([[], 1, []]);
  });

  it("leaves the returned one's rejection to the caller: minded when it is, unhandled once when it is not [A9]", async () => {
    const error = new Error("no basket");
    const { pair } = aPair(
      () => Promise.reject(error) as Promise<number>,
      async () => 1,
    );
    await expect(pair()).rejects.toBe(error);
    await settled();
    expect(unhandled).toEqual([]);
    process.removeListener("unhandledRejection", note);
    const others = process.rawListeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", note);
    void pair();
    await settled();
    for (const listener of others) process.on("unhandledRejection", listener as () => void);
    expect(unhandled).toEqual([error]);
  });

  it("falls back where the new one rejects: the old one runs once, and is the comparison [A9]", async () => {
    let ran = 0;
    for (const sampleFraction of [0, 1]) {
      const { pair, metrics } = aPair(
        async () => {
          ran += 1;
          return 1;
        },
        async (): Promise<number> => {
          throw new Error("boom");
        },
        { returns: "new", sampleFraction },
      );
      expect(await pair()).toBe(1);
      await settled();
      expect([ran, metrics.fallbacks, metrics.runs]).toEqual([
        sampleFraction === 0 ? 1 : 2,
        1,
        sampleFraction === 1 ? [false] : [],
      ]);
    }
  });

  it("compares the answer as it was, whatever the caller makes of it meanwhile [A9]", async () => {
    let answer: (value: { total: number }) => void = () => {};
    const { pair, metrics } = aPair(
      async () => ({ total: 1 }),
      () =>
        new Promise<{ total: number }>((resolve) => {
          answer = resolve;
        }),
    );
    const value = await pair();
    value.total = 99;
    answer({ total: 1 });
    await settled();
    expect(metrics.runs).toEqual([true]);
  });

  it("lets 100 comparisons wait at a time, and does not make further ones [A9]", async () => {
    const { pair, metrics, runtime } = aPair(async () => 1, never, { overrunsToPause: 1_000 });
    await Promise.all(Array.from({ length: 100 }, () => pair()));
    expect(pair.status().notCompared.waiting).toBe(0);
    expect(await pair()).toBe(1);
    expect([pair.status().notCompared.waiting, runtime.timers]).toEqual([1, 100]);
    expect(metrics.warnings).toEqual([
      "dualRun price-engine: too many comparisons wait at a time, got 100; expected fewer. Lower sampleFraction or budgetMilliseconds",
    ]);
    runtime.pass(250);
    await pair();
    expect(runtime.timers).toBe(1);
  });

  it("hands a promise with more to it through as it is, and says so [A9]", async () => {
    class Cancellable extends Promise<number> {
      cancel() {}
    }
    let ran = 0;
    const given = Cancellable.resolve(1) as Cancellable;
    const { pair, metrics } = aPair(
      () => given,
      () => {
        ran += 1;
        return 1;
      },
    );
    expect(pair()).toBe(given);
    expect([ran, metrics.runs, pair.status().notCompared.result]).toEqual([0, [], 1]);
    expect(metrics.warnings).toEqual([
      "dualRun price-engine: a result cannot be compared, got a value of Cancellable; expected plain data. Say what is the same (equal). Such calls are not compared",
    ]);
  });

  it("never asks a query twice: a thenable of the returned one is the caller's alone [A9]", async () => {
    let asked = 0;
    const query = {
      // biome-ignore lint/suspicious/noThenProperty: what query builders are
      then(resolve: (rows: number) => void) {
        asked += 1;
        resolve(asked);
      },
    };
    for (const sampleFraction of [0, 1]) {
      const { pair, metrics } = aPair<[], PromiseLike<number>, number>(
        () => query as unknown as PromiseLike<number>,
        () => 1,
        { sampleFraction },
      );
      const before = asked;
      expect(await pair()).toBe(before + 1);
      expect([metrics.runs, pair.status().notCompared.result]).toEqual([[], sampleFraction]);
    }
  });
});

describe("the time of a comparison", () => {
  const slow = (milliseconds: number) => {
    const runtime = new FakeRuntime();
    const slowly = () => {
      runtime.now += milliseconds;
      return 1;
    };
    return { ...aPair(() => 1, slowly, { runtime }), runtime };
  };

  it("is measured where it cannot be interrupted, and too much of it switches the comparison off for a while [A9]", () => {
    const { pair, metrics, runtime } = slow(251);
    for (let call = 0; call < 7; call += 1) expect(pair()).toBe(1);
    expect(metrics.runs).toHaveLength(5);
    expect(pair.status()).toMatchObject({ overruns: 5, isPaused: true, notCompared: { paused: 2 } });
    expect(metrics.warnings).toEqual([
      "dualRun price-engine: too slow 5 times within a minute, got more than 250 ms; expected less. Nothing is compared for 60 s; raise budgetMilliseconds or lower sampleFraction",
    ]);
    runtime.pass(60_000);
    pair();
    expect([metrics.runs.length, pair.status().isPaused]).toEqual([6, false]);
  });

  it("is not too much at the budget itself, nor when overruns are rare [A9]", () => {
    const atBudget = slow(250);
    for (let call = 0; call < 50; call += 1) atBudget.pair();
    const rare = slow(251);
    for (let call = 0; call < 50; call += 1) {
      rare.pair();
      rare.runtime.pass(15_000);
    }
    expect([atBudget.pair.status().overruns, atBudget.metrics.runs.length]).toEqual([0, 50]);
    expect([rare.pair.status().overruns, rare.metrics.runs.length]).toEqual([50, 50]);
  });

  it("ends: from then on only the returned one runs, said once, and a fallback stays [A9]", () => {
    const { pair, metrics, runtime } = aPair(
      () => "old",
      (): string => {
        throw new Error("boom");
      },
      { returns: "new", until: "2026-01-05T11:00:00+01:00" },
    );
    expect(runtime.now).toBe(Date.parse("2026-01-05T10:00:00Z"));
    expect([pair(), pair()]).toEqual(["old", "old"]);
    expect(metrics).toMatchObject({ runs: [], fallbacks: 2 });
    expect(pair.status()).toMatchObject({ isOver: true, notCompared: { over: 2 } });
    expect(metrics.warnings).toEqual([
      "dualRun price-engine: its time is over, got a call after 2026-01-05T10:00:00.000Z; expected none. Take it out, or say a later date (until)",
    ]);
  });

  it("is not over a millisecond before it is [A9]", () => {
    const { pair, metrics, runtime } = aPair(
      () => 1,
      () => 1.5,
      { until: new Date(Date.UTC(2026, 0, 5, 10, 0, 1)) },
    );
    runtime.pass(999);
    pair();
    runtime.pass(1);
    pair();
    expect(metrics.runs).toEqual([false]);
  });
});

describe("sampling", () => {
  it("compares the calls that chance picks [A9]", () => {
    const chances = [0.0999, 0.1, 0.5, 0];
    const { pair, metrics } = aPair(
      () => 1,
      () => 2,
      { sampleFraction: 0.1, random: () => chances.shift() ?? 1 },
    );
    for (let call = 0; call < 4; call += 1) pair();
    expect(metrics.runs).toEqual([false, false]);
  });

  it("compares an id always or never, by a bucket of its own pair [A9]", () => {
    const compared: string[] = [];
    const { pair } = aPair(
      (_id: string) => 1,
      (id: string) => {
        compared.push(id);
        return 1;
      },
      { sampleFraction: 0.07, idOf: (id) => id },
    );
    const ids = Array.from({ length: 500 }, (_, index) => `user-${index}`);
    for (const id of [...ids, ...ids]) pair(id);
    const expected = ids.filter((id) => bucket(`price-engine:${id}`) < 7);
    expect(compared).toEqual([...expected, ...expected]);
    expect(expected.length).toBeGreaterThan(20);
  });

  it("does not sample where chance itself fails [A9]", () => {
    const { pair, metrics } = aPair(
      () => 1,
      () => 2,
      {
        sampleFraction: 0.5,
        random: () => {
          throw new Error("no entropy");
        },
      },
    );
    expect([pair(), metrics.runs]).toEqual([1, []]);
    expect(metrics.warnings).toEqual([
      "dualRun price-engine: the sampling threw, got no entropy; expected it not to. Such calls are not sampled",
    ]);
  });

  it("does not sample a call without an id, and says so once [A9]", () => {
    const { pair, metrics } = aPair(
      (_id: string) => 1,
      () => 2,
      { sampleFraction: 0.5, idOf: (id) => id },
    );
    expect([pair(""), pair("")]).toEqual([1, 1]);
    expect(metrics.warnings).toEqual([
      "dualRun price-engine: no id, got an empty text; expected a text that is not empty. Such calls are not sampled",
    ]);
  });
});

describe("what is told of a mismatch", () => {
  it("is both ends and the input that the other one had [A9]", () => {
    const told: unknown[] = [];
    const { pair } = aPair(
      (value: number) => value,
      (): number => {
        throw new Error("boom");
      },
      { onMismatch: (mismatch) => void told.push(mismatch) },
    );
    pair(4);
    expect(told).toEqual([
      {
        name: "price-engine",
        returned: "old",
        input: [4],
        old: { answered: true, value: 4 },
        new: { answered: false, error: new Error("boom") },
      },
    ]);
  });

  it("is at most so many a minute; all are counted [A9]", () => {
    const told: Mismatch<[], number, number>[] = [];
    const { pair, metrics, runtime } = aPair(
      () => 1,
      () => 2,
      { onMismatch: (mismatch) => told.push(mismatch) },
    );
    for (let call = 0; call < 25; call += 1) pair();
    expect([told.length, pair.status().untold, metrics.runs.length]).toEqual([10, 15, 25]);
    runtime.pass(60_000);
    pair();
    expect(told).toHaveLength(11);
  });

  it("does not fail the caller, whatever the one who is told does [A9]", async () => {
    const sinks = [
      () => {
        throw new Error("sink");
      },
      () => Promise.reject(new Error("later")),
    ];
    for (const onMismatch of sinks) {
      const { pair, metrics } = aPair(
        () => 1,
        () => 2,
        { onMismatch },
      );
      expect(pair()).toBe(1);
      await settled();
      expect([metrics.runs, unhandled]).toEqual([[false], []]);
    }
  });

  it("does not fail the caller where the counting does [A9]", () => {
    const fail = () => {
      throw new Error("no metrics");
    };
    const metrics = { dualRun: fail, fallback: fail, warnOnce: fail };
    const returnsOld = aPair(
      () => 1,
      () => 2,
      { metrics },
    );
    const returnsNew = aPair(
      () => 1,
      () => fail() as number,
      { metrics, returns: "new" },
    );
    expect([returnsOld.pair(), returnsNew.pair()]).toEqual([1, 1]);
  });
});

describe("what cannot be told", () => {
  const pairs: readonly [string, () => unknown, string][] = [
    ["a function", () => () => 1, "a function"],
    ["an iterator", () => [1][Symbol.iterator](), "a value of Array Iterator"],
    ["an instance of a class", () => new URL("https://example.com"), "a value of URL"],
  ];
  it.each(pairs)("is not compared, and the other one is not run for it: %s [A9]", (_what, give, got) => {
    let ran = 0;
    const { pair, metrics } = aPair(give, () => {
      ran += 1;
      return give();
    });
    pair();
    expect([ran, metrics.runs, pair.status().notCompared]).toEqual([0, [], { ...nothingSkipped, result: 1 }]);
    expect(metrics.warnings).toEqual([
      `dualRun price-engine: a result cannot be compared, got ${got}; expected plain data. Say what is the same (equal). Such calls are not compared`,
    ]);
  });

  it("is compared where it is said how [A9]", async () => {
    const page = () => new URL("https://example.com/old");
    const { pair, metrics } = aPair<[], URL | Promise<URL>, URL | Promise<URL>>(page, async () => page(), {
      equal: (left, right) => left.href === right.href,
    });
    pair();
    await settled();
    expect(metrics.runs).toEqual([true]);
  });

  it("is not a mismatch where `equal` throws, or does not say true or false [A9]", async () => {
    const equals: readonly (() => unknown)[] = [
      () => {
        throw new Error("cannot");
      },
      async () => false,
      () => Promise.reject(new Error("later")),
      () => undefined,
    ];
    const outcomes = equals.map((equal) => {
      const { pair, metrics } = aPair(
        () => 1,
        () => 2,
        { equal: equal as () => boolean },
      );
      return [pair(), metrics.runs, pair.status().notCompared.comparison, metrics.warnings];
    });
    await settled();
    const told = (got: string) => [
      1,
      [],
      1,
      [`dualRun price-engine: ${got}; expected true or false. Correct equal. Such calls are not compared`],
    ];
    expect(outcomes).toEqual([
      told("the comparison threw, got cannot"),
      told("no answer, got a value of Promise"),
      told("no answer, got a value of Promise"),
      told("no answer, got undefined"),
    ]);
    expect(unhandled).toEqual([]);
  });

  it("is not a mismatch where a getter throws, nor where a value is beyond the bounds [A9]", () => {
    const hostile = () => ({
      get total(): number {
        throw new Error("no total");
      },
    });
    const large = () => Array.from({ length: 10_001 }, (_, index) => index);
    let deepValue: unknown = 1;
    for (let level = 0; level < 101; level += 1) deepValue = [deepValue];
    const deep = () => structuredClone(deepValue);
    const again =
      <Value>(give: () => Value) =>
      () =>
        give();
    const made = [aPair(hostile, again(hostile)), aPair(large, again(large)), aPair(deep, again(deep))];
    for (const { pair } of made) pair();
    expect(made.map(({ metrics, pair }) => [metrics.runs, pair.status().notCompared])).toEqual([
      [[], { ...nothingSkipped, comparison: 1 }],
      [[], { ...nothingSkipped, result: 1 }],
      [[], { ...nothingSkipped, result: 1 }],
    ]);
    expect(made.map(({ metrics }) => metrics.warnings)).toEqual([
      [
        "dualRun price-engine: the comparison threw, got no total; expected true or false. Correct equal. Such calls are not compared",
      ],
      [
        "dualRun price-engine: a result cannot be compared, got more than 10000 values; expected plain data. Say what is the same (equal). Such calls are not compared",
      ],
      [
        "dualRun price-engine: a result cannot be compared, got more than 100 levels; expected plain data. Say what is the same (equal). Such calls are not compared",
      ],
    ]);
  });

  it("reaches the caller untouched where it does not let itself be looked at [A9]", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const sampleFraction of [0, 1]) {
      for (const returns of ["old", "new"] as const) {
        const { pair } = aPair(
          () => proxy,
          () => proxy,
          { sampleFraction, returns },
        );
        expect(pair() === proxy).toBe(true);
      }
    }
  });
});

describe("options", () => {
  it("are refused with every problem at once [A9]", () => {
    const wrong = {
      name: "Price Engine",
      old: class {},
      new: function* () {},
      returns: "both",
      metrics: {},
      sampleFraction: 2,
      budgetMilliseconds: 0,
      overrunsToPause: 1.5,
      pauseSeconds: Number.NaN,
      equal: true,
      input: "cloned",
      fallback: "new",
      until: "2026-12-01T00:00:00",
      mismatchesPerMinute: 0,
      sampleRate: 0.1,
    };
    let message = "";
    try {
      dualRun(wrong as never);
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      message = error instanceof Error ? error.message : "";
    }
    expect(message.split("\n")).toEqual([
      'dualRun: sampleRate: no such option, got "sampleRate"; expected name, old, new, returns, metrics, sampleFraction, idOf, budgetMilliseconds, overrunsToPause, pauseSeconds, equal, equalErrors, input, fallback, until, onMismatch, mismatchesPerMinute, random, runtime. Correct the name',
      'dualRun: name: no such name, got "Price Engine"; expected lower-case letters, digits and single inner hyphens, starting with a letter, at most 60 characters. Name the pair, such as price-engine',
      'dualRun: old: cannot be called, got "a class"; expected a function. Wrap what constructs it',
      'dualRun: new: cannot be compared, got "a GeneratorFunction"; expected a function that answers with a value or a promise. Wrap what consumes it',
      'dualRun: returns: not a side, got "both"; expected old, new, or a function that says which. Start with old',
      "dualRun: metrics: nothing to count with, got [object Object]; expected what requestMetrics gives. Give it the service's own",
      'dualRun: input: not known, got "cloned"; expected copied, shared, or a function that copies. Leave it out for copied',
      'dualRun: fallback: not known, got "new"; expected old or none. Leave it out for old',
      'dualRun: until: not a moment, got "2026-12-01T00:00:00"; expected a Date, or an ISO text with its zone. Say 2026-12-01T00:00:00Z',
      "dualRun: sampleFraction: out of range, got 2; expected a number from 0 to 1. Leave it out for the default",
      "dualRun: budgetMilliseconds: out of range, got 0; expected a number from 1 to 60000. Leave it out for the default",
      "dualRun: overrunsToPause: out of range, got 1.5; expected a whole number from 1 to 1000. Leave it out for the default",
      "dualRun: pauseSeconds: out of range, got NaN; expected a number from 1 to 86400. Leave it out for the default",
      "dualRun: mismatchesPerMinute: out of range, got 0; expected a whole number from 1 to 1000. Leave it out for the default",
      "dualRun: equal: not a function, got true; expected a function. Leave it out for the default",
    ]);
  });

  it("are refused where the pair is one function, or ids cannot be told so finely [A9]", () => {
    const same = () => 1;
    const refused = (options: object) => {
      try {
        aPair(same, () => 1, options);
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
      return "";
    };
    expect(refused({ new: same })).toBe(
      'dualRun: new: the same function as old, got "same"; expected another one. It would always agree',
    );
    expect(refused({ idOf: () => "a", sampleFraction: 0.005 })).toBe(
      "dualRun: sampleFraction: finer than ids are told apart, got 0.005; expected hundredths beside idOf. Round it, or leave out idOf",
    );
    expect([0.29, 0.07, 0.57, 1, 0].map((sampleFraction) => refused({ idOf: () => "a", sampleFraction }))).toEqual([
      "",
      "",
      "",
      "",
      "",
    ]);
    expect(() => dualRun(undefined as never)).toThrow(
      /^dualRun: options: missing, got nothing; expected name, old, new, returns and metrics$/,
    );
  });

  it("that are undefined mean their default [A9]", () => {
    const { pair, metrics } = aPair(
      () => 1,
      () => 1,
      { sampleFraction: undefined as never, equal: undefined as never },
    );
    pair();
    expect(metrics.runs).toEqual([true]);
  });
});
