import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucket } from "../../client/cohorts.ts";
import { type FlagsOptions, flags, variableOf } from "../../client/flags.ts";
import { asking, FlagProcess, key, pass, settle } from "./flag-process.ts";

/** Buckets 79 and 5, as published. */
const [late, early] = ["user-1", "0"];

describe("a flag", () => {
  it("is on for ids whose bucket is below the exposure [A6]", async () => {
    const { flags, runtime } = await asking({ served: { [key]: { enabled: true, exposurePercent: 79 } } });
    expect([flags.isOn(key, early), flags.isOn(key, late)]).toEqual([true, false]);
    expect(flags.evaluate(key, early)).toEqual({ isOn: true, because: "split" });
    expect(flags.evaluate(key, late)).toEqual({ isOn: false, because: "split" });
    expect(runtime.warnings).toEqual([]);
  });

  it("is on for whom any language says, at any exposure [A5, A6]", async () => {
    const asked = await asking();
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), fc.integer({ min: 0, max: 100 }), async (id, exposurePercent) => {
        asked.served = { [key]: { enabled: true, exposurePercent } };
        await asked.flags.refresh();
        expect(asked.flags.isOn(key, id)).toBe(bucket(id) < exposurePercent);
      }),
      { numRuns: 50 },
    );
  });

  it("is off for everybody when it is not enabled, whatever its exposure [A6]", async () => {
    const { flags } = await asking({ served: { [key]: { enabled: false, exposurePercent: 100 } } });
    expect(flags.evaluate(key, early)).toEqual({ isOn: false, because: "disabled" });
  });

  it("goes by MD5 and by a salt where they are asked for [A5]", async () => {
    const served = { [key]: { enabled: true, exposurePercent: 51 } };
    const isOn = async (options: Pick<FlagsOptions, "algorithm" | "salt">) =>
      (await asking({ served, ...options })).flags.isOn(key, late);
    // Buckets 79, 20 and 51, as published.
    expect([await isOn({}), await isOn({ algorithm: "md5" }), await isOn({ salt: "checkout-2" })]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("is off for who has no id, at 100 percent too, and that is said once [A6]", async () => {
    const { flags, runtime } = await asking({ served: { [key]: { enabled: true, exposurePercent: 100 } } });
    for (const id of ["", undefined, null, 7, {}, Symbol("id")]) {
      expect(flags.evaluate(key, id as string)).toEqual({ isOn: false, because: "no-id" });
    }
    expect(runtime.warnings).toEqual([
      'flags: "batch-patches-v1": asked without an id, got ""; expected a text that is not empty. It is off for who has none',
    ]);
  });

  it("is off when it is enabled without an exposure: who forgot it must not open to all [A6]", async () => {
    const { flags, runtime } = await asking({ served: { [key]: { enabled: true } } });
    expect(flags.evaluate(key, early)).toEqual({ isOn: false, because: "no-exposure" });
    expect(runtime.warnings).toEqual([
      'flags: "batch-patches-v1": is enabled without exposurePercent; expected a whole number from 0 to 100. It is off',
    ]);
  });

  it("is off when nobody knows it, in the document or among the keys, said once each [A6]", async () => {
    const { flags, runtime } = await asking({ served: { other: { enabled: true, exposurePercent: 100 } } });
    const names: unknown[] = [key, "other", "constructor", "__proto__", undefined, Symbol("flag"), {}];
    for (const name of [...names, ...names]) {
      expect(flags.evaluate(name as string, early)).toEqual({ isOn: false, because: "unknown-flag" });
    }
    expect(runtime.warnings).toEqual([
      'flags: "batch-patches-v1": not in the document of the function given as source. It is off',
      'flags: "other": not among the keys that this process said it asks for; expected one of them. It is off',
      'flags: "constructor": not among the keys that this process said it asks for; expected one of them. It is off',
      'flags: "__proto__": not among the keys that this process said it asks for; expected one of them. It is off',
      "flags: undefined: not among the keys that this process said it asks for; expected one of them. It is off",
      "flags: Symbol(flag): not among the keys that this process said it asks for; expected one of them. It is off",
      "flags: {}: not among the keys that this process said it asks for; expected one of them. It is off",
    ]);
  });

  it("fills no memory with warnings, whatever it is asked, and still says what matters [A6]", async () => {
    const asked = await asking();
    for (let index = 0; index < 10_000; index += 1) asked.flags.isOn(`flag-${index}`, early);
    expect(asked.runtime.warnings).toHaveLength(50);
    asked.served = new Error("boom");
    await asked.flags.refresh();
    expect(asked.runtime.warnings[50]).toContain("cannot be read, got boom");
  });
});

describe("a variable that forces a flag", () => {
  const forced = async (value: string, served: unknown = undefined) => {
    const runtime = new FlagProcess();
    runtime.variables.TIDEGATE_BATCH_PATCHES_V1 = value;
    return asking({ runtime, ...(served === undefined ? {} : { served }) });
  };

  it("is named after it [A6]", () => {
    expect(["batch-patches-v1", "useSafe_eval"].map(variableOf)).toEqual([
      "TIDEGATE_BATCH_PATCHES_V1",
      "TIDEGATE_USESAFE_EVAL",
    ]);
  });

  it("turns it on for everybody, with or without a document, and says that no rollback reaches it [A6]", async () => {
    const { flags, runtime } = await forced("true", { [key]: { enabled: false } });
    expect(flags.evaluate(key, late)).toEqual({ isOn: true, because: "override" });
    expect(flags.status()).toMatchObject({ state: "fresh", forced: { [key]: true } });
    expect(runtime.warnings).toEqual([
      'flags: "batch-patches-v1": is forced on for everybody by a variable. No rollback turns it off in this process',
    ]);
    expect((await forced("true", new Error("boom"))).flags.isOn(key, "")).toBe(true);
  });

  it("turns it off for everybody [A6]", async () => {
    const { flags, runtime } = await forced("false", { [key]: { enabled: true, exposurePercent: 100 } });
    expect(flags.evaluate(key, early)).toEqual({ isOn: false, because: "override" });
    expect(runtime.warnings).toEqual([]);
  });

  it("is read at the start alone: what is set later is felt by the next process [A6]", async () => {
    const { flags, runtime } = await asking();
    runtime.variables.TIDEGATE_BATCH_PATCHES_V1 = "false";
    expect(flags.isOn(key, early)).toBe(true);
  });
});

describe("the start", () => {
  const refusal = (options: object, variables: Record<string, string> = {}): string => {
    const runtime = new FlagProcess();
    Object.assign(runtime.variables, variables);
    try {
      flags({
        environment: "production",
        source: () => ({}),
        keys: [key],
        runtime,
        ...options,
      } as FlagsOptions).close();
    } catch (error) {
      return error instanceof TypeError ? error.message : `no TypeError: ${String(error)}`;
    }
    return "nothing refused";
  };

  it.each(["yes", "1", "TRUE", ""])("refuses a variable that is neither true nor false, by name: %j [A6]", (value) => {
    expect(refusal({}, { TIDEGATE_BATCH_PATCHES_V1: value })).toBe(
      `flags: TIDEGATE_BATCH_PATCHES_V1: not an override, got ${JSON.stringify(value)}; expected true or false. Unset it for what the configuration says`,
    );
  });

  it("leaves variables of others alone [A6]", () => {
    expect(refusal({}, { TIDEGATE_RELEASE: "2-4-0-1a2b3c4d", TIDEGATE_OTHER: "yes" })).toBe("nothing refused");
  });

  it("says all that is wrong at once [A6, B11]", () => {
    const options = {
      environment: "../production",
      source: "http://localhost:2772",
      keys: ["Upper", "constructor", "a-b", "a_b", "release", 7],
      algorithm: "sha1",
      refreshSeconds: 0,
      maximumAgeSeconds: Number.NaN,
    };
    expect(refusal(options, { TIDEGATE_A_B: "on" })).toBe(
      [
        'flags: environment: no such name, got "../production"; expected letters, digits, dots, hyphens and underscores, at most 64 characters. Say what the stack config says',
        'flags: source: not one, got "http://localhost:2772"; expected appConfigAgent({ application, configuration }), flagFile(path) or a function that returns the document',
        'flags: keys: not a flag\'s key, got "Upper"; expected a lower-case letter, then letters, digits, hyphens and underscores, at most 64 characters',
        'flags: keys: not a flag\'s key, got "constructor"; expected a lower-case letter, then letters, digits, hyphens and underscores, at most 64 characters',
        'flags: TIDEGATE_A_B: not an override, got "on"; expected true or false. Unset it for what the configuration says',
        'flags: keys: would be forced by TIDEGATE_A_B, which is also that of "a-b", got "a_b"; expected another key',
        'flags: keys: would be forced by TIDEGATE_RELEASE, which is not a flag\'s, got "release"; expected another key',
        "flags: keys: not a flag's key, got 7; expected a lower-case letter, then letters, digits, hyphens and underscores, at most 64 characters",
        'flags: bucket: algorithm: not known, got "sha1"; expected sha-256 or md5. Leave it out for sha-256',
        "flags: refreshSeconds: out of range, got 0; expected 1 to 3600",
        "flags: maximumAgeSeconds: out of range, got NaN; expected 30 (3 refreshes) to 604800. Leave it out for no end",
      ].join("\n"),
    );
  });

  it("refuses to ask for nothing [A6]", () => {
    expect(refusal({ keys: [] })).toBe(
      'flags: keys: nothing, got []; expected the flags that this process asks for, such as ["a-flag"]',
    );
  });

  it("has everything off until the first good document, and says why [A6]", async () => {
    const asked = await asking({ served: new Error("connection refused") });
    expect(asked.flags.evaluate(key, early)).toEqual({ isOn: false, because: "not-ready" });
    expect(asked.flags.ready()).toEqual({
      isReady: false,
      because: "no document has come from the function given as source yet: connection refused",
    });
    expect(asked.flags.status()).toEqual({
      state: "not-ready",
      source: "the function given as source",
      failure: "connection refused",
      forced: {},
    });
    expect(asked.runtime.warnings).toEqual([
      "flags: the function given as source cannot be read, got connection refused. All flags are off until it is read",
    ]);
    asked.served = { [key]: { enabled: true, exposurePercent: 50 } };
    await asked.flags.refresh();
    expect([asked.flags.ready(), asked.flags.isOn(key, early)]).toEqual([{ isReady: true }, true]);
  });

  it("does not wait: the answer before the first read is off, at once [A6]", () => {
    const never = flags({
      environment: "production",
      source: () => new Promise(() => {}),
      keys: [key],
      runtime: new FlagProcess(),
    });
    expect(never.evaluate(key, early)).toEqual({ isOn: false, because: "not-ready" });
    expect(never.ready()).toEqual({
      isReady: false,
      because: "no document has come from the function given as source yet",
    });
  });
});

describe("reading", () => {
  it("goes on every 10 s and takes what has changed [A6]", async () => {
    const asked = await asking();
    await pass(asked.runtime, 9);
    expect(asked.reads).toBe(1);
    asked.served = { [key]: { enabled: false } };
    await pass(asked.runtime, 1);
    expect([asked.reads, asked.flags.isOn(key, early)]).toEqual([2, false]);
  });

  it("comes a tenth earlier or later by chance, so that a fleet does not ask in step [A6]", async () => {
    for (const [chance, seconds] of [
      [0, 9],
      [0.999_999, 11],
    ] as const) {
      const runtime = new FlagProcess();
      runtime.chance = chance;
      const asked = await asking({ runtime });
      await pass(runtime, seconds - 1);
      expect(asked.reads).toBe(1);
      await pass(runtime, 1);
      expect(asked.reads).toBe(2);
    }
  });

  it("keeps the last document when it fails, with its age, and says so once until it is well again [A6]", async () => {
    const asked = await asking();
    asked.served = new Error("boom");
    await pass(asked.runtime, 100);
    expect(asked.flags.isOn(key, early)).toBe(true);
    expect(asked.flags.ready()).toEqual({ isReady: true });
    expect(asked.flags.status()).toEqual({
      state: "stale",
      source: "the function given as source",
      ageSeconds: 100,
      failure: "boom",
      forced: {},
    });
    const said = "flags: the function given as source cannot be read, got boom. The last good document stays in force";
    expect(asked.runtime.warnings).toEqual([said]);
    asked.served = { [key]: { enabled: true, exposurePercent: 50 } };
    await asked.flags.refresh();
    expect(asked.flags.status()).toMatchObject({ state: "fresh", ageSeconds: 0 });
    asked.served = new Error("boom");
    await asked.flags.refresh();
    expect(asked.runtime.warnings).toEqual([said, said]);
  });

  it("is rarer while it fails, 20, 40 and then 60 s apart, and every 10 s again once it is well [A6]", async () => {
    const asked = await asking({ served: new Error("boom") });
    const readsAt: number[] = [];
    let seen = asked.reads;
    for (let second = 1; second <= 200; second += 1) {
      await pass(asked.runtime, 1);
      if (asked.reads > seen) readsAt.push(second);
      seen = asked.reads;
      if (second === 150) asked.served = { [key]: { enabled: false } };
    }
    expect(readsAt).toEqual([20, 60, 120, 180, 190, 200]);
  });

  it("keeps the last document when the new one is broken, none of which is in force [A6]", async () => {
    const keys = ["first", "second"];
    const asked = await asking({
      keys,
      served: { first: { enabled: true, exposurePercent: 100 }, second: { enabled: false } },
    });
    asked.served = { first: { enabled: false }, second: { enabled: true, exposurePercent: 1_000 } };
    await asked.flags.refresh();
    expect([asked.flags.isOn("first", late), asked.flags.isOn("second", late)]).toEqual([true, false]);
    expect(asked.flags.status()).toMatchObject({ state: "stale" });
    expect(asked.runtime.warnings).toEqual([
      'flags: the function given as source cannot be read, got flag "second": exposurePercent: not an exposure, got 1000; expected a whole number from 0 to 100. The last good document stays in force',
    ]);
  });

  it("gives up after 5 s, and takes nothing that comes later [A6]", async () => {
    const runtime = new FlagProcess();
    const answers: ((served: unknown) => void)[] = [];
    const signals: AbortSignal[] = [];
    const asked = flags({
      environment: "production",
      keys: [key],
      runtime,
      source: (_, signal) => {
        signals.push(signal);
        return new Promise((resolve) => answers.push(resolve));
      },
    });
    await settle();
    await pass(runtime, 5);
    expect(asked.status()).toMatchObject({ state: "not-ready", failure: "it did not answer in 5 s" });
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    answers[0]?.({ [key]: { enabled: true, exposurePercent: 100 } });
    await settle();
    expect(asked.isOn(key, early)).toBe(false);
    await pass(runtime, 20);
    expect(answers).toHaveLength(2);
  });

  it("is done once for all who wait for it [A6]", async () => {
    const asked = await asking();
    await Promise.all([asked.flags.refresh(), asked.flags.refresh(), asked.flags.refresh()]);
    expect([asked.reads, asked.runtime.timers]).toEqual([2, 1]);
  });

  it("takes a copy: what a source does to its document later is not felt [A6]", async () => {
    const document = { [key]: { enabled: true, exposurePercent: 100 } };
    const asked = await asking({ served: document });
    document[key] = { enabled: true, exposurePercent: 0 };
    expect(asked.flags.isOn(key, late)).toBe(true);
  });

  it.each([0, 1, 2, 3, 4, 5, 6])("takes nothing once it is closed, %i turns after an answer [A6]", async (turns) => {
    const runtime = new FlagProcess();
    let answer = (_served: unknown) => {};
    const source = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const asked = flags({ environment: "production", source, keys: [key], runtime });
    await settle();
    answer({ [key]: { enabled: true, exposurePercent: 100 } });
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    const state = asked.state();
    asked.close();
    await settle();
    expect([asked.state(), runtime.timers, runtime.warnings]).toEqual([state, 0, []]);
  });

  it("stops at the end, and nothing keeps a timer [A6]", async () => {
    const asked = await asking({ maximumAgeSeconds: 60 });
    asked.flags.close();
    await asked.flags.refresh();
    await pass(asked.runtime, 100);
    expect([asked.reads, asked.runtime.timers]).toEqual([1, 0]);
  });
});

describe("a document's age", () => {
  it("has no end unless one is said [A6]", async () => {
    const asked = await asking();
    asked.served = new Error("boom");
    asked.runtime.block(30 * 86_400_000);
    expect(asked.flags.isOn(key, early)).toBe(true);
  });

  it("has everything off beyond its end, said once, and on again with the next document [A6]", async () => {
    const asked = await asking({ maximumAgeSeconds: 60 });
    asked.served = new Error("boom");
    await pass(asked.runtime, 60);
    expect(asked.flags.isOn(key, early)).toBe(true);
    await pass(asked.runtime, 1);
    expect(asked.flags.evaluate(key, early)).toEqual({ isOn: false, because: "expired" });
    const why = "the document of the function given as source is older than 60 s: boom";
    expect(asked.flags.ready()).toEqual({ isReady: false, because: why });
    expect(asked.flags.state()).toBe("expired");
    expect(asked.runtime.warnings.slice(1)).toEqual([`flags: ${why}. All flags are off until it is read`]);
    asked.served = { [key]: { enabled: true, exposurePercent: 50 } };
    await asked.flags.refresh();
    expect([asked.flags.state(), asked.flags.isOn(key, early)]).toEqual(["fresh", true]);
  });

  it("is looked at with each question: a process that stood still answers with nothing old [A6]", async () => {
    const asked = await asking({ maximumAgeSeconds: 60 });
    asked.runtime.now += 61_000;
    expect(asked.flags.evaluate(key, early)).toEqual({ isOn: false, because: "expired" });
  });

  it("is renewed by a document that says the same [A6]", async () => {
    const asked = await asking({ maximumAgeSeconds: 30 });
    await pass(asked.runtime, 120);
    expect(asked.flags.state()).toBe("fresh");
  });
});

it("tells of each change of state and flags, and survives a listener that throws [A6]", async () => {
  const asked = await asking({ keys: [key, "other"] });
  const told: unknown[] = [];
  asked.flags.onChange(() => {
    throw new Error("boom");
  });
  const forget = asked.flags.onChange((change) => told.push(change));
  await asked.flags.refresh();
  asked.served = new Error("gone");
  await asked.flags.refresh();
  await asked.flags.refresh();
  asked.served = { [key]: { enabled: false } };
  await asked.flags.refresh();
  forget();
  asked.served = { [key]: { enabled: true, exposurePercent: 1 } };
  await asked.flags.refresh();
  expect(told).toEqual([
    { state: "stale", previous: "fresh", changedFlags: [] },
    { state: "fresh", previous: "stale", changedFlags: [key] },
  ]);
  expect(asked.runtime.warnings[1]).toBe("flags: onChange: a listener threw boom. The others were told");
});
