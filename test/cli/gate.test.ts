/** `tidegate gate` on a deployed service in memory: the answer is the one that the `up` itself gets a moment later. */
import { describe, expect, it } from "vitest";
import { gateCommand } from "../../cli/gate.ts";
import { askGate, worstOutcome } from "../../cli/gate-decision.ts";
import type { ServiceConfig } from "../../stacks/config.ts";
import { v2, World } from "../helpers/world.ts";
import { Operator, stacksOf } from "./operator.ts";
import { releasedWorld, stackFileAt } from "./stack-at.ts";

const day = 24 * 60;

async function answerOf(world: World, change: Partial<ServiceConfig>) {
  const survey = { survey: async (query: Parameters<World["survey"]>[0]) => world.survey(query) };
  const [answer] = await askGate(world.configOf(change), world.cloud.ports("preview"), survey);
  if (!answer) throw new Error("no answer");
  return answer;
}

describe("what the gate is asked", () => {
  it("is the wave that the config asks for already, and an up then does as it was told [B8, C1]", async () => {
    const world = await new World().rolledOutTo(10);
    const asked = { canary: v2, wavePercent: 25 };
    const early = await answerOf(world, asked);
    expect(early).toMatchObject({
      outcome: "monitor",
      verdict: { asked: { kind: "wave", fromPercent: 10, toPercent: 25 } },
      reasons: [],
    });
    const refused = await world.up(asked);
    expect(refused).toEqual({
      kind: "refused",
      reasons: early.verdict?.reasons.map((reason) => `checkout.wave: 10 to 25 refused, monitor: ${reason}`),
    });
    await world.wait(day);
    expect(await answerOf(world, asked)).toMatchObject({ outcome: "promote", reasons: [] });
    expect((await world.up(asked)).kind).toBe("applied");
  });

  it("is the next wave where the config asks for none [C1]", async () => {
    const world = await new World().rolledOutTo(10);
    await world.wait(day);
    expect(await answerOf(world, { canary: v2, wavePercent: 10 })).toMatchObject({
      outcome: "promote",
      verdict: { asked: { kind: "wave", fromPercent: 10, toPercent: 25 } },
    });
  });

  it("is the finish once every wave is open, asked for or not [A5, C1]", async () => {
    const world = await new World().rolledOutTo(100);
    for (const change of [{ canary: v2, wavePercent: 100 }, { baseline: v2 }]) {
      expect(await answerOf(world, change)).toMatchObject({
        outcome: "monitor",
        verdict: { asked: { kind: "finish", version: "2.0.0" } },
        reasons: [],
      });
    }
    await world.wait(7 * day);
    expect(await answerOf(world, { canary: v2, wavePercent: 100 })).toMatchObject({ outcome: "promote", reasons: [] });
    expect((await world.up({ baseline: v2 })).kind).toBe("applied");
  });

  it("is not asked behind a closed latch [A4]", async () => {
    const world = await new World().rolledOutTo(25);
    await world.kill();
    expect(await answerOf(world, { canary: v2, wavePercent: 25 })).toMatchObject({ outcome: "refused" });
  });

  it("is nothing where nothing is rolling out, and nothing of the record is guessed [C1]", async () => {
    const world = new World();
    await world.must(world.up({}));
    expect(await answerOf(world, {})).toEqual({
      service: "checkout",
      outcome: "nothing",
      reasons: ["the config names no canary"],
    });
    const far = await new World().rolledOutTo(25);
    expect(await answerOf(far, { canary: v2, wavePercent: 100 })).toEqual({
      service: "checkout",
      outcome: "refused",
      reasons: [
        "the config says 100 % and the record has 25 %; run up with the config as it is first, or set the wave that is real",
      ],
    });
  });

  it("is unreadable without a record, and no verdict is made up [B8]", async () => {
    const world = await new World().rolledOutTo(10);
    world.cloud.recordFailure = new Error("throttled");
    expect(await answerOf(world, { canary: v2, wavePercent: 25 })).toEqual({
      service: "checkout",
      outcome: "unreadable",
      reasons: ["the record cannot be read (throttled)"],
    });
  });

  it("keeps apart what the gate says and what else refuses the up", async () => {
    const world = await new World().rolledOutTo(10);
    await world.wait(day);
    const config = world.configOf({ canary: v2, wavePercent: 25 });
    const [service] = config.services;
    if (!service) throw new Error("no service");
    const survey = { survey: async (query: Parameters<World["survey"]>[0]) => world.survey(query) };
    // The same record stands for another service, whose config skips a wave.
    const both = { ...config, services: [service, { ...service, wavePercent: 50 }] };
    const [first] = await askGate(both, world.cloud.ports("preview"), survey);
    expect(first).toMatchObject({ outcome: "refused", verdict: { kind: "promote" } });
    expect(first?.reasons).toEqual(["checkout.wave: skips a wave, got 50 after 10; expected 25. Open one wave an up"]);
  });

  it("comes to the worst of its services; those with nothing to ask do not count beside others", () => {
    const of = (...outcomes: Parameters<typeof outcomeOnly>[0][]) => worstOutcome(outcomes.map(outcomeOnly));
    expect(of()).toBe("nothing");
    expect(of("nothing", "promote")).toBe("promote");
    expect(of("promote", "refused")).toBe("refused");
    expect(of("monitor", "roll-back", "cannot-tell")).toBe("roll-back");
    expect(of("unreadable", "roll-back")).toBe("unreadable");
  });
});

function outcomeOnly(outcome: ReturnType<typeof worstOutcome>) {
  return { service: "checkout", outcome, reasons: [] };
}

describe("tidegate gate", () => {
  async function asked(flags: Parameters<typeof gateCommand>[0] = {}, change: (world: World) => unknown = () => {}) {
    const { world, directory } = await releasedWorld(10);
    await change(world);
    const out: string[] = [];
    const surroundings = {
      out: (text: string) => out.push(text),
      error: () => {},
      directory,
      colours: false,
      outside: new Operator(world).outside(),
    };
    const writes = world.cloud.recordWrites.length + world.cloud.ruleWrites.length;
    let error = "";
    try {
      await gateCommand({ stack: "dev", ...flags }, surroundings, {
        surveyor: { survey: async (query) => world.survey(query) },
      });
    } catch (thrown) {
      error = `${Object(thrown).name}: ${Object(thrown).message}`;
    }
    expect(world.cloud.recordWrites.length + world.cloud.ruleWrites.length).toBe(writes);
    return { out: out.join("\n"), error };
  }

  it("says promote with nothing thrown, and every finding met [B8]", async () => {
    const { out, error } = await asked();
    expect(error).toBe("");
    const [head, ...findings] = out.split("\n");
    expect(head).toBe("checkout: 10 % to 25 %: promote");
    expect(findings.length).toBeGreaterThan(4);
    for (const finding of findings) expect(finding).toMatch(/^ {2}met {2}[a-z-]+ {2,}\S/);
  });

  it("says in JSON what it comes to, with exit 1 where that is not promote [B8]", async () => {
    const { out, error } = await asked({ json: true }, (world) => world.pause());
    expect(error).toBe("CommandFailedError: tidegate gate: not promoted yet: monitor (stack dev); nothing was changed");
    const said = JSON.parse(out);
    expect(said).toMatchObject({ stack: "dev", outcome: "monitor" });
    const [service] = said.services;
    expect(Object.keys(service)).toEqual(["service", "outcome", "reasons", "verdict"]);
    expect(Object.keys(service.verdict)).toEqual(["kind", "measured", "asked", "findings"]);
    expect(service.verdict.asked).toEqual({ kind: "wave", fromPercent: 10, toPercent: 25 });
    expect(service.verdict.findings).toContainEqual({
      rule: "pause",
      word: "waits",
      verdict: "monitor",
      isLifted: false,
      text: "paused by an SRE since 2026-01-05T10:30:00.000Z (incident elsewhere); resume first",
    });
  });

  it("ends as bad input does where a record cannot be read, and says which [B8]", async () => {
    const { out, error } = await asked({ json: true }, (world) => {
      world.cloud.recordFailure = new Error("throttled");
    });
    expect(error).toBe(
      "BadInputError: tidegate gate: 1 service could not be asked about (stack dev):\n  checkout: the record cannot be read (throttled). Restore access and ask again",
    );
    expect(JSON.parse(out)).toEqual({
      stack: "dev",
      outcome: "unreadable",
      services: [
        {
          service: "checkout",
          outcome: "unreadable",
          reasons: ["the record cannot be read (throttled)"],
          verdict: null,
        },
      ],
    });
  });

  it("wants a stack, and a service that it has", async () => {
    expect(await new Operator().run("gate")).toMatchObject({
      code: 2,
      errors:
        "tidegate gate: 1 problem, nothing was done:\n  --stack: missing; expected the stack whose file has the waves. Environment and region name no file",
    });
    expect((await asked({ service: "basket" })).error).toBe(
      'BadInputError: tidegate gate: 1 problem, nothing was done:\n  --service: unknown service, got "basket"; expected checkout (stack dev)',
    );
  });

  it("exits 0, 1, 2 and 3 as its help says", async () => {
    const { world, directory } = await releasedWorld(10);
    const operator = new Operator(world);
    const code = async () => (await operator.runIn(directory, "gate", "--stack", "dev")).code;
    expect(await code()).toBe(0);
    await world.pause();
    expect(await code()).toBe(1);
    world.cloud.recordFailure = new Error("throttled");
    expect(await code()).toBe(2);
    operator.hasCredentials = false;
    expect(await code()).toBe(3);
  });

  it("is red, too, where nothing is rolling out: 0 is promote and nothing else", async () => {
    const { world } = await releasedWorld(0);
    const operator = new Operator(world);
    const directory = stacksOf({ dev: stackFileAt(0).replace(/^ +canary: .*\n/m, "") });
    expect(await operator.runIn(directory, "gate", "--stack", "dev")).toEqual({
      code: 1,
      out: "checkout: nothing to ask:\n  the config names no canary",
      errors: "tidegate gate: nothing is rolling out, so there is nothing to promote (stack dev); nothing was changed",
    });
  });
});
