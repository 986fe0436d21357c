import { describe, expect, it } from "vitest";
import { v2, World } from "../helpers/world.ts";
import { brokenHook, callerArn, here, missingHook, Operator, silentHook } from "./operator.ts";

const on = [...here, "--service", "checkout"];
const why = ["--reason", "looked into it"];

async function at50(): Promise<Operator> {
  return new Operator(await new World().rolledOutTo(50));
}

async function rolledBack(): Promise<Operator> {
  const operator = await at50();
  operator.world.alarm(v2, "error-rate/critical", "ALARM");
  await operator.world.reconcile();
  return operator;
}

describe("pause and resume", () => {
  it("pauses through the hook's live alias and resumes through the one for opening [A4]", async () => {
    const operator = await at50();
    expect(await operator.run("pause", ...on, ...why, "--yes")).toEqual({
      code: 0,
      out: "openings are paused",
      errors: "",
    });
    expect(operator.world.record.paused).toEqual({ by: callerArn, reason: "looked into it", at: expect.any(Number) });
    expect(await operator.run("resume", ...on, ...why, "--yes")).toEqual({
      code: 0,
      out: "openings are possible again",
      errors: "",
    });
    expect(operator.world.record.paused).toBeUndefined();
    expect(operator.invoked.map(({ alias }) => alias)).toEqual(["live", "acknowledge"]);
  });

  it("asks what will happen", async () => {
    const operator = await at50();
    operator.isInteractive = true;
    await operator.run("pause", ...on, ...why);
    await operator.run("resume", ...on, ...why);
    expect(operator.questions).toEqual([
      "pause: every opening of checkout in dev is refused until it is resumed; lowering goes on. Go on?",
      "resume: waves of checkout in dev may open again. Go on?",
    ]);
  });

  it("pauses from here when the hook does not answer [A4]", async () => {
    const operator = await at50();
    operator.hook = silentHook;
    const { code, out, errors } = await operator.run("pause", ...on, ...why, "--yes", "--json");
    expect(code).toBe(0);
    expect(errors).toBe(
      "the hook: no answer within 2 s. Doing it from here with your own credentials. Should the hook do it too, that does no harm.",
    );
    expect(JSON.parse(out)).toEqual({
      command: "pause",
      environment: "dev",
      region: "eu-west-1",
      service: "checkout",
      outcome: "done",
      through: "here",
      message: "openings are paused",
      by: callerArn,
      reason: "looked into it",
      hookFailure: "the hook: no answer within 2 s",
      withoutRecord: null,
    });
  });

  it("refuses a second pause, and names what keeps both ways from working", async () => {
    const operator = await at50();
    await operator.run("pause", ...on, ...why, "--yes");
    expect(await operator.run("pause", ...on, ...why, "--yes")).toEqual({
      code: 3,
      out: "",
      errors: `checkout: pause: already paused by ${callerArn} (looked into it)`,
    });
    operator.hook = missingHook;
    const again = await operator.run("pause", ...on, ...why, "--yes");
    expect(again.code).toBe(3);
    operator.world.cloud.recordFailure = new Error("table throttled");
    const { code, errors } = await operator.run("pause", ...on, ...why, "--yes");
    expect(code).toBe(1);
    expect(errors.split("\n").at(-1)).toBe(
      "checkout: pause: the hook (tidegate-dev-hook:live): not called, got ResourceNotFoundException: Function not found, and from here: table throttled. Openings may still be possible; look with npx tidegate status --environment dev --region eu-west-1 --service checkout",
    );
  });
});

describe("acknowledge", () => {
  it("opens the latch through the alias of that permission, for one hold or all [B5]", async () => {
    const operator = await rolledBack();
    const [id = ""] = Object.keys(operator.world.record.holds);
    expect(await operator.run("acknowledge", ...on, ...why, "--yes", "--hold", id)).toEqual({
      code: 0,
      out: `${id} acknowledged by ${callerArn}: looked into it`,
      errors: "",
    });
    expect(operator.invoked).toEqual([
      {
        alias: "acknowledge",
        event: {
          kind: "tidegate:command",
          command: "acknowledge",
          service: "checkout",
          by: callerArn,
          reason: "looked into it",
          holdId: id,
        },
      },
    ]);
    const other = await rolledBack();
    expect((await other.run("acknowledge", ...on, ...why, "--yes")).code).toBe(0);
    expect(other.invoked[0]?.event).not.toHaveProperty("holdId");
  });

  it("asks with the holds that stand, and asks all the same where they cannot be read [B5]", async () => {
    const operator = await rolledBack();
    operator.isInteractive = true;
    operator.answer = false;
    const [hold] = Object.values(operator.world.record.holds);
    expect((await operator.run("acknowledge", ...on, ...why)).code).toBe(3);
    operator.world.cloud.recordFailure = new Error("table throttled");
    await operator.run("acknowledge", ...on, ...why, "--hold", "h-1");
    expect(operator.questions).toEqual([
      `acknowledge: opens the latch of checkout in dev for ${hold?.id} (breach: ${hold?.detail}); ceilings stay where they are. Go on?`,
      "acknowledge: opens the latch of checkout in dev for hold h-1 (the record could not be read: table throttled); ceilings stay where they are. Go on?",
    ]);
    expect(operator.world.record.holds[hold?.id ?? ""]?.acknowledged).toBeUndefined();
  });

  it.each(["acknowledge", "resume"])("%s has no way round the hook and fails closed [B5]", async (command) => {
    const operator = await rolledBack();
    operator.hook = missingHook;
    expect(await operator.run(command, ...on, ...why, "--yes")).toEqual({
      code: 3,
      out: "",
      errors: `checkout: ${command}: the hook (tidegate-dev-hook:acknowledge): not called, got ResourceNotFoundException: Function not found; nothing was changed. ${command} opens a latch and has no way round the hook. Bring it back (runbook hook-failing), then say it again`,
    });
    expect(operator.portsLoaded).toBe(0);
  });

  it.each([
    ["no answer", silentHook, "the hook: no answer within 30 s"],
    ["a failed run", brokenHook, "the hook (tidegate-dev-hook:acknowledge): its run failed, got Error: out of memory"],
  ])("says that nobody knows after %s [B5]", async (_name, hook, reason) => {
    const operator = await rolledBack();
    operator.hook = hook;
    expect(await operator.run("acknowledge", ...on, ...why, "--yes")).toEqual({
      code: 1,
      out: "",
      errors: `checkout: acknowledge: ${reason}; it may or may not have been done. Look with npx tidegate status --environment dev --region eu-west-1 --service checkout. acknowledge opens a latch and has no way round the hook. Bring it back (runbook hook-failing), then say it again`,
    });
  });

  it("hands on what the hook refuses", async () => {
    const operator = await at50();
    expect(await operator.run("acknowledge", ...on, ...why, "--yes")).toEqual({
      code: 3,
      out: "",
      errors: "checkout: acknowledge: no hold stands",
    });
  });
});
