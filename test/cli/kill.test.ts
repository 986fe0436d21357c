import { describe, expect, it } from "vitest";
import { groupArn, testerRule, v1, v2, World } from "../helpers/world.ts";
import { brokenHook, callerArn, here, missingHook, Operator, silentHook, slowHook } from "./operator.ts";

const words = ["kill", ...here, "--service", "checkout", "--reason", "customers call"];

async function at50(): Promise<Operator> {
  return new Operator(await new World().rolledOutTo(50));
}

const pageWaits = "Traffic is off. The page waits in the record until the hook sends it.";
const killed = `2.0.0 killed by ${callerArn} at 50 %: customers call`;

describe("kill through the hook", () => {
  it("is one invocation that says who, why and which service, and loads nothing else [B4]", async () => {
    const operator = await at50();
    expect(await operator.run(...words, "--yes")).toEqual({ code: 0, out: killed, errors: "" });
    expect(operator.invoked).toEqual([
      {
        alias: "live",
        event: {
          kind: "tidegate:command",
          command: "kill",
          service: "checkout",
          by: callerArn,
          reason: "customers call",
        },
      },
    ]);
    expect(operator.world.live(v2)).toBe(0);
    expect(operator.portsLoaded).toBe(0);
    expect(operator.timersLeft).toBe(0);
  });

  it("prints one JSON object [B4]", async () => {
    const operator = await at50();
    const { code, out } = await operator.run(...words, "--yes", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      command: "kill",
      environment: "dev",
      region: "eu-west-1",
      service: "checkout",
      outcome: "done",
      through: "hook",
      message: killed,
      by: callerArn,
      reason: "customers call",
      hookFailure: null,
      withoutRecord: null,
    });
  });

  it("names this machine's user and key when STS does not answer within a second, and waits no longer [B4]", async () => {
    const operator = await at50();
    operator.stsAnswers = false;
    const before = operator.world.cloud.nowMs;
    const { code, out } = await operator.run(...words, "--yes");
    expect(code).toBe(0);
    expect(out).toBe("2.0.0 killed by unknown (an-sre, access key ending in 7QXZ) at 50 %: customers call");
    expect(operator.world.cloud.nowMs - before).toBe(1_300);
  });

  it("refuses what the hook refuses, and changes nothing", async () => {
    const world = new World();
    await world.must(world.up());
    const operator = new Operator(world);
    expect(await operator.run(...words, "--yes")).toEqual({
      code: 3,
      out: "",
      errors: "checkout: kill: there is no canary and no previous release to go back to",
    });
    const json = await new Operator(world).run(...words, "--yes", "--json");
    expect(JSON.parse(json.out)).toMatchObject({ outcome: "refused", through: null, hookFailure: null });
    expect(json.code).toBe(3);
  });
});

describe("kill from here", () => {
  it("does the hook's work itself when no answer came within 2 s [B4]", async () => {
    const operator = await at50();
    operator.hook = silentHook;
    expect(await operator.run(...words, "--yes")).toEqual({
      code: 0,
      out: killed,
      errors: `the hook: no answer within 2 s. Doing it from here with your own credentials. Should the hook do it too, that does no harm.\n${pageWaits}`,
    });
    expect(operator.world.live(v2)).toBe(0);
    expect(operator.world.cloud.rules.get(testerRule)).toEqual({ weights: { [groupArn(v1)]: 100 } });
  });

  it("waits 1,999 ms for the hook and not 2,000 [B4]", async () => {
    const patient = await at50();
    patient.hook = slowHook(1_999);
    expect(await patient.run(...words, "--yes")).toEqual({ code: 0, out: killed, errors: "" });
    const impatient = await at50();
    impatient.hook = slowHook(2_000);
    expect((await impatient.run(...words, "--yes")).errors).toMatch(/^the hook: no answer within 2 s\./);
  });

  it.each([
    [
      "is not there",
      missingHook,
      "the hook (tidegate-dev-hook:live): not called, got ResourceNotFoundException: Function not found. Doing it from here with your own credentials.",
    ],
    [
      "fails",
      brokenHook,
      "the hook (tidegate-dev-hook:live): its run failed, got Error: out of memory. Doing it from here with your own credentials. Should the hook do it too, that does no harm.",
    ],
    [
      "answers something unknown",
      async () => ({ hello: 1 }),
      'the hook: answered something unknown, got {"hello":1}; expected an outcome done or refused. Doing it from here with your own credentials. Should the hook do it too, that does no harm.',
    ],
  ])("does it when the hook %s, and says so [B4]", async (_name, hook, errors) => {
    const operator = await at50();
    operator.hook = hook;
    expect(await operator.run(...words, "--yes")).toEqual({ code: 0, out: killed, errors: `${errors}\n${pageWaits}` });
    expect(operator.world.live(v2)).toBe(0);
  });

  it("makes four calls in a row until the traffic is off [B4]", async () => {
    const operator = await at50();
    operator.hook = missingHook;
    const calls: string[] = [];
    operator.onCall = async (call) => {
      if (call.endsWith(" before")) calls.push(call.replace(" before", ""));
    };
    await operator.run(...words, "--yes");
    const readBack = calls.indexOf("rules");
    expect(calls.slice(0, readBack + 1)).toEqual(["read record", "write record", "write rule", "write rule", "rules"]);
  });

  it("does no harm when the hook did it too, late [B4]", async () => {
    const operator = await at50();
    operator.hook = slowHook(2_500);
    const { code } = await operator.run(...words, "--yes");
    expect(code).toBe(0);
    expect(operator.world.live(v2)).toBe(0);
    expect(operator.world.live(v1)).toBe(100);
    await operator.world.reconcile();
    expect(operator.world.live(v1)).toBe(100);
  });

  it("says in JSON that it was done here, and why [B4]", async () => {
    const operator = await at50();
    operator.hook = missingHook;
    const { out } = await operator.run(...words, "--yes", "--json");
    expect(JSON.parse(out)).toMatchObject({
      outcome: "done",
      through: "here",
      hookFailure: "the hook (tidegate-dev-hook:live): not called, got ResourceNotFoundException: Function not found",
    });
  });

  it("fails with what to do when the rules cannot be written either [B4]", async () => {
    const operator = await at50();
    operator.hook = missingHook;
    operator.onCall = async (call) => {
      if (call === "write rule before")
        throw new Error("rule arn:rule/main: writing its weights failed, got AccessDenied");
    };
    const { code, errors } = await operator.run(...words, "--yes");
    expect(code).toBe(1);
    expect(errors).toContain("and from here: rule arn:rule/main: writing its weights failed, got AccessDenied");
    expect(errors).toContain(
      "Traffic may be lowered or not; look with npx tidegate status --environment dev --region eu-west-1 --service checkout, and say kill again: twice does no harm",
    );
    expect(errors).not.toContain("    at ");
  });
});

describe("kill's question", () => {
  it("says exactly what will happen, from what is live [B4]", async () => {
    const operator = await at50();
    operator.isInteractive = true;
    expect((await operator.run(...words)).code).toBe(0);
    expect(operator.questions).toEqual([
      "kill: takes 2.0.0 of checkout from 50 % to 0 % in dev; 1.0.0 gets the traffic. Openings stay shut until someone acknowledges. Go on?",
    ]);
  });

  it("changes nothing on a no", async () => {
    const operator = await at50();
    operator.isInteractive = true;
    operator.answer = false;
    expect(await operator.run(...words)).toEqual({
      code: 3,
      out: "",
      errors: "checkout: kill: answered no; nothing was changed",
    });
    expect(operator.invoked).toEqual([]);
    expect(operator.world.live(v2)).toBe(50);
  });

  it("does not ask with --yes, on a terminal or not", async () => {
    const operator = await at50();
    operator.isInteractive = true;
    expect((await operator.run(...words, "--yes")).code).toBe(0);
    expect(operator.questions).toEqual([]);
  });

  it("asks without figures after 3 s, and about the previous release inside the rollback window", async () => {
    const slow = await at50();
    slow.isInteractive = true;
    slow.onCall = async (call) => {
      if (call !== "read record before") return;
      slow.elapse(3_000);
      await new Promise(() => {});
    };
    await slow.run(...words);
    expect(slow.questions).toEqual([
      "kill: takes all traffic off the canary of checkout in dev (figures could not be read: the record: no answer within 3 s). Go on?",
    ]);
    const world = await new World().rolledOutTo(100);
    await world.wait(7 * 24 * 60);
    await world.must(world.up({ baseline: v2 }));
    const finished = new Operator(world);
    finished.isInteractive = true;
    expect((await finished.run(...words)).code).toBe(0);
    expect(finished.questions).toEqual([
      "kill: takes 2.0.0 of checkout from 100 % to 0 % in dev; 1.0.0 gets the traffic back. Openings stay shut until someone acknowledges. Go on?",
    ]);
    expect(world.live(v1)).toBe(100);
  });

  it("is bad input where nobody can be asked", async () => {
    const operator = await at50();
    expect(await operator.run(...words)).toEqual({
      code: 2,
      out: "",
      errors: [
        "tidegate kill: 1 problem, nothing was done:",
        "  --yes: missing, and no terminal to ask on; expected --yes where nobody can answer. Add it",
      ].join("\n"),
    });
  });
});
