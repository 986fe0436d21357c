/**
 * Pairs of any two implementations: they answer, throw, reject or hang, at once or later, and change their input. What the caller has is judged by
 * an oracle that calls the returned one alone, and what is counted by a table of how two ends go together; neither knows the code.
 */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dualRun } from "../../client/dual-run.ts";
import { CountedMetrics, settled } from "./dual-run-pair.ts";
import { FakeRuntime } from "./fake-runtime.ts";

/** How one implementation ends. */
interface Behaviour {
  readonly ends: "answers" | "throws" | "hangs";
  /** Absent: at once, not by a promise. Unit: milliseconds; 0: a promise that is already settled. */
  readonly laterMilliseconds?: number;
  /** Time that it takes the process itself. Unit: milliseconds. */
  readonly busyMilliseconds: number;
  readonly changesInput: boolean;
  readonly base: number;
}

interface Answer {
  total: number;
}

const budgetMilliseconds = 250;
const stepMilliseconds = 50;

const behaviours: fc.Arbitrary<Behaviour> = fc
  .record({
    ends: fc.constantFrom<Behaviour["ends"]>("answers", "answers", "throws", "hangs"),
    later: fc.constantFrom(undefined, undefined, 0, 100, 200, 300, 600),
    busyMilliseconds: fc.constantFrom(0, 0, 0, 100, 300),
    changesInput: fc.boolean(),
    base: fc.constantFrom(1, 1, 1, 2),
  })
  .map(({ later, ends, ...rest }) => {
    // Only a promise can hang without taking the process with it.
    const laterMilliseconds = ends === "hangs" ? (later ?? 0) : later;
    return { ends, ...rest, ...(laterMilliseconds === undefined ? {} : { laterMilliseconds }) };
  });

/** The implementation, and who made which answer or error. */
function implementation(who: string, behaviour: Behaviour, runtime: FakeRuntime, madeBy: WeakMap<object, string>) {
  const { ends, laterMilliseconds, busyMilliseconds, changesInput, base } = behaviour;
  return (input: number[]): Answer | Promise<Answer> => {
    runtime.now += busyMilliseconds;
    const answer: Answer = { total: base + input.length };
    const error = new Error(`base ${base}`);
    madeBy.set(answer, who).set(error, who);
    if (changesInput) input.push(0);
    if (laterMilliseconds === undefined) {
      if (ends === "throws") throw error;
      return answer;
    }
    if (laterMilliseconds === 0 && ends !== "hangs") {
      return ends === "throws" ? Promise.reject(error) : Promise.resolve(answer);
    }
    return new Promise((resolve, reject) => {
      if (ends === "hangs") return;
      runtime.after(laterMilliseconds, () => (ends === "throws" ? reject(error) : resolve(answer)));
    });
  };
}

/** What a caller sees of one call. */
interface Seen {
  readonly isPromise: boolean;
  readonly input: readonly number[];
  end: readonly unknown[];
}

function observed(
  call: (input: number[]) => Answer | Promise<Answer>,
  runtime: FakeRuntime,
  madeBy: WeakMap<object, string>,
) {
  const input = [1, 2, 3];
  const answered = (answer: Answer) => {
    const end = ["answers", madeBy.get(answer), answer.total, runtime.monotonicMilliseconds()];
    // It is the caller's now.
    answer.total = -1;
    return end;
  };
  const threw = (error: Error) => ["throws", madeBy.get(error), error.message, runtime.monotonicMilliseconds()];
  const seen: Seen = { isPromise: false, input, end: ["hangs"] };
  try {
    const answer = call(input);
    if (!(answer instanceof Promise)) return { ...seen, end: answered(answer) };
    const pending: Seen = { ...seen, isPromise: true };
    answer.then(
      (value) => {
        pending.end = answered(value);
      },
      (error) => {
        pending.end = threw(error);
      },
    );
    return pending;
  } catch (error) {
    return { ...seen, end: threw(error as Error) };
  }
}

async function passes(runtime: FakeRuntime): Promise<void> {
  await settled();
  for (let step = 0; step < 40; step += 1) {
    runtime.pass(stepMilliseconds);
    await settled();
  }
}

interface Case {
  readonly old: Behaviour;
  readonly new: Behaviour;
  readonly returns: "old" | "new";
  readonly fallback: "old" | "none";
  readonly isSampled: boolean;
}

const cases: fc.Arbitrary<Case> = fc.record({
  old: behaviours,
  new: behaviours,
  returns: fc.constantFrom("old", "new"),
  fallback: fc.constantFrom("old", "old", "none"),
  isSampled: fc.constantFrom(true, true, false),
});

/** The returned one alone, as an application without us would call it. */
function alone(made: Case, runtime: FakeRuntime, madeBy: WeakMap<object, string>) {
  const old = implementation("old", made.old, runtime, madeBy);
  const new_ = implementation("new", made.new, runtime, madeBy);
  if (made.returns === "old") return old;
  if (made.fallback === "none") return new_;
  return (input: number[]) => {
    try {
      const answer = new_(input);
      return answer instanceof Promise ? answer.catch(() => old(input)) : answer;
    } catch {
      return old(input);
    }
  };
}

interface Counts {
  readonly runs: readonly boolean[];
  readonly fallbacks: number;
  readonly overruns: number;
  readonly late: number;
  /** Time that the comparison took the caller. Unit: milliseconds. */
  readonly extraMilliseconds: number;
}

function counted({ old, new: new_, returns, fallback, isSampled }: Case): Counts {
  const nothing: Counts = { runs: [], fallbacks: 0, overruns: 0, late: 0, extraMilliseconds: 0 };
  const [returned, other] = returns === "old" ? [old, new_] : [new_, old];
  if (returned.ends === "hangs") return nothing;
  const isAgreed = old.ends === new_.ends && old.base === new_.base;
  if (returns === "new" && fallback === "old" && new_.ends === "throws") {
    if (old.ends === "hangs") return nothing;
    return { ...nothing, fallbacks: old.ends === "answers" ? 1 : 0, runs: isSampled ? [isAgreed] : [] };
  }
  if (!isSampled) return nothing;
  const extraMilliseconds = other.busyMilliseconds;
  const isSlow = other.busyMilliseconds > budgetMilliseconds;
  if (other.laterMilliseconds === undefined) {
    return { ...nothing, extraMilliseconds, runs: [isAgreed], overruns: isSlow ? 1 : 0 };
  }
  const isLate = other.ends === "hangs" || other.busyMilliseconds + other.laterMilliseconds > budgetMilliseconds;
  if (isLate) return { ...nothing, extraMilliseconds, overruns: 1, late: 1 };
  return { ...nothing, extraMilliseconds, runs: [isAgreed] };
}

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(() => {
  process.removeListener("unhandledRejection", note);
});

function prepared(made: Case) {
  const runtime = new FakeRuntime();
  const metrics = new CountedMetrics();
  const madeBy = new WeakMap<object, string>();
  const pair = dualRun<unknown, [number[]], Answer | Promise<Answer>, Answer | Promise<Answer>>({
    name: "price-engine",
    old: implementation("old", made.old, runtime, madeBy),
    new: implementation("new", made.new, runtime, madeBy),
    returns: made.returns,
    fallback: made.fallback,
    sampleFraction: made.isSampled ? 1 : 0,
    budgetMilliseconds,
    overrunsToPause: 1_000,
    metrics,
    runtime,
  });
  return { pair, runtime, metrics, madeBy };
}

describe("any pair", () => {
  it("gives the caller exactly what the returned one alone would have given, and counts exactly [A9]", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (made) => {
        const { pair, runtime, metrics, madeBy } = prepared(made);
        const seen = observed(pair, runtime, madeBy);
        await passes(runtime);

        const aloneRuntime = new FakeRuntime();
        const aloneMadeBy = new WeakMap<object, string>();
        const expected = observed(alone(made, aloneRuntime, aloneMadeBy), aloneRuntime, aloneMadeBy);
        await passes(aloneRuntime);

        const counts = counted(made);
        const [ends, who, what, at] = expected.end;
        const end = ends === "hangs" ? ["hangs"] : [ends, who, what, Number(at) + counts.extraMilliseconds];
        expect(seen).toEqual({ ...expected, end });
        expect([metrics.runs, metrics.fallbacks]).toEqual([counts.runs, counts.fallbacks]);
        const { overruns, notCompared, agreed, mismatched } = pair.status();
        expect([overruns, notCompared.overrun, agreed + mismatched]).toEqual([
          counts.overruns,
          counts.late,
          counts.runs.length,
        ]);
        expect([unhandled, runtime.timers, metrics.warnings]).toEqual([[], 0, []]);
      }),
      { numRuns: 600 },
    );
  }, 60_000);

  it("counts exactly over many calls at a time [A9]", async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.integer({ min: 1, max: 40 }), async (made, calls) => {
        const { pair, runtime, metrics, madeBy } = prepared(made);
        for (let call = 0; call < calls; call += 1) observed(pair, runtime, madeBy);
        await passes(runtime);
        const { runs, fallbacks, overruns, late } = counted(made);
        // A process that is busy for others comes late to what was in time; how much of that there is depends on the order.
        const isAlone = made.old.busyMilliseconds === 0 && made.new.busyMilliseconds === 0;
        const status = pair.status();
        if (isAlone) {
          expect(metrics.runs).toEqual(Array.from({ length: calls * runs.length }, () => runs[0]));
          expect([status.overruns, status.notCompared.overrun]).toEqual([calls * overruns, calls * late]);
        }
        expect(metrics.fallbacks).toBe(calls * fallbacks);
        expect(metrics.runs.length + status.notCompared.overrun).toBe(calls * (runs.length + late));
        expect(unhandled).toEqual([]);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
