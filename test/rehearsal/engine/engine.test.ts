import { describe, expect, it } from "vitest";
import type { Capture, CapturedResource } from "../../../rehearsal/engine/capture.ts";
import { Engine, type Provider } from "../../../rehearsal/engine/engine.ts";
import type { PlainInputs } from "../../../rehearsal/engine/plain-inputs.ts";

const topic = "aws:sns/topic:Topic";
const rule = "aws:lb/listenerRule:ListenerRule";

function aResource(name: string, overrides: Partial<CapturedResource> = {}): CapturedResource {
  const type = overrides.type ?? topic;
  return {
    key: `${type} ${name}`,
    type,
    name,
    custom: true,
    parent: undefined,
    dependencies: [],
    ignoreChanges: [],
    protect: false,
    retainOnDelete: false,
    hooks: [],
    inputs: { displayName: name },
    id: name,
    outputs: {},
    ...overrides,
  };
}

function aCapture(...resources: CapturedResource[]): Capture {
  return { resources, adopted: [], outputs: {} };
}

const forwardTo = (weights: Record<string, number>, stickiness?: PlainInputs): PlainInputs => ({
  actions: [
    {
      type: "forward",
      forward: {
        targetGroups: Object.entries(weights).map(([arn, weight]) => ({ arn, weight })),
        ...(stickiness ? { stickiness } : {}),
      },
    },
  ],
});

/** Keeps what is live by id; fails on the ids told to. */
class Live implements Provider {
  readonly inputs = new Map<string, PlainInputs>();
  readonly calls: string[] = [];
  failOn: string | undefined;

  refresh(resource: CapturedResource): PlainInputs | undefined {
    return this.inputs.get(resource.id);
  }

  #call(op: string, id: string): void {
    this.calls.push(`${op} ${id}`);
    if (this.failOn === id) throw new Error(`${id}: throttled`);
  }

  async create(resource: CapturedResource): Promise<void> {
    this.#call("create", resource.id);
    this.inputs.set(resource.id, resource.inputs);
  }

  async update(resource: CapturedResource): Promise<void> {
    this.#call("update", resource.id);
    this.inputs.set(resource.id, resource.inputs);
  }

  async delete(resource: CapturedResource): Promise<void> {
    this.#call("delete", resource.id);
    this.inputs.delete(resource.id);
  }
}

const noHook = async () => {};

describe("the rehearsal's engine", () => {
  it("writes in order, and deletes last, dependents first [E3]", async () => {
    const engine = new Engine();
    const live = new Live();
    const old = aResource("old");
    const older = aResource("child of old", { dependencies: [old.key] });
    await engine.up(aCapture(old, older), live, noHook);
    const applied = await engine.up(aCapture(aResource("a"), aResource("b")), live, noHook);
    expect(applied.changes.map(({ op, name }) => `${op} ${name}`)).toEqual([
      "create a",
      "create b",
      "delete child of old",
      "delete old",
    ]);
  });

  it("ends at a failure: the rest is skipped, nothing is deleted, and the next up goes on from there [E3]", async () => {
    const engine = new Engine();
    const live = new Live();
    await engine.up(aCapture(aResource("old")), live, noHook);
    live.failOn = "b";
    const wanted = aCapture(aResource("a"), aResource("b"), aResource("c"));
    const failed = await engine.up(wanted, live, noHook);
    expect(failed).toEqual({ changes: [{ op: "create", type: topic, name: "a" }], reasons: ["b: throttled"] });
    expect([...live.inputs.keys()]).toEqual(["old", "a"]);
    live.failOn = undefined;
    const applied = await engine.up(wanted, live, noHook);
    expect(applied.changes.map(({ op, name }) => `${op} ${name}`)).toEqual(["create b", "create c", "delete old"]);
  });

  it("asks before-hooks ahead of the provider, with what is live now [C1]", async () => {
    const engine = new Engine();
    const live = new Live();
    const hooks = [{ kind: "hook-change-watch" as const, hookName: "hold check for checkout" }];
    const ruleOf = (weights: Record<string, number>) =>
      aResource("main", { type: rule, hooks, inputs: forwardTo(weights) });
    const asked: unknown[] = [];
    const ask = async (_hook: unknown, { before }: { before?: PlainInputs }) => {
      asked.push(before);
    };
    await engine.up(aCapture(ruleOf({ a: 75, b: 25 })), live, ask);
    live.inputs.set("main", forwardTo({ a: 100 }));
    const refused = await engine.up(aCapture(ruleOf({ a: 75, b: 25 })), live, async (hook, write) => {
      await ask(hook, write);
      throw new Error("checkout: held");
    });
    expect(asked).toEqual([undefined, forwardTo({ a: 100 })]);
    expect(refused).toEqual({ changes: [], reasons: ['before hook "hold check for checkout" failed: checkout: held'] });
    expect(live.inputs.get("main")).toEqual(forwardTo({ a: 100 }));
    expect(live.calls).toEqual(["create main"]);
  });

  it("sees no change in the order of groups, nor in stickiness that is off [A3]", async () => {
    const engine = new Engine();
    const live = new Live();
    const ruleOf = (inputs: PlainInputs) => aCapture(aResource("main", { type: rule, inputs }));
    await engine.up(ruleOf(forwardTo({ a: 75, b: 25 })), live, noHook);
    for (const same of [forwardTo({ b: 25, a: 75 }), forwardTo({ a: 75, b: 25 }, { enabled: false, duration: 60 })]) {
      expect((await engine.up(ruleOf(same), live, noHook)).changes).toEqual([]);
    }
    const sticky = forwardTo({ a: 75, b: 25 }, { enabled: true, duration: 60 });
    expect(engine.plan(ruleOf(sticky), live)).toEqual([{ op: "update", type: rule, name: "main" }]);
  });

  it("makes anew what somebody deleted [E3]", async () => {
    const engine = new Engine();
    const live = new Live();
    await engine.up(aCapture(aResource("a")), live, noHook);
    live.inputs.delete("a");
    expect((await engine.up(aCapture(aResource("a")), live, noHook)).changes.map(({ op }) => op)).toEqual(["create"]);
  });

  it("keeps what is retained, and refuses to delete what is protected [E3]", async () => {
    const engine = new Engine();
    const live = new Live();
    const kept = aResource("kept", { retainOnDelete: true });
    const guarded = aResource("guarded", { protect: true });
    await engine.up(aCapture(guarded, kept), live, noHook);
    const applied = await engine.up(aCapture(), live, noHook);
    expect(applied.reasons).toEqual([
      `${topic} guarded: cannot be deleted, it is protected. Unprotect it first, or put it back into the program`,
    ]);
    expect([...live.inputs.keys()]).toEqual(["guarded", "kept"]);
  });

  it("refuses by name ignoreChanges and replacements, before anything changes [E3]", async () => {
    const engine = new Engine();
    const live = new Live();
    await engine.up(aCapture(aResource("b")), live, noHook);
    const ignoring = aResource("a", { ignoreChanges: ["actions"] });
    await expect(engine.up(aCapture(ignoring), live, noHook)).rejects.toThrow(
      `${topic} a: ignoreChanges on actions: not modelled, and never right on weights`,
    );
    const renamed = aResource("b", { inputs: { displayName: "b", name: "other" } });
    await expect(engine.up(aCapture(aResource("a"), renamed), live, noHook)).rejects.toThrow(
      `${topic} b: a change of name replaces it: replacements are not modelled`,
    );
    expect(live.calls).toEqual(["create b"]);
  });
});
