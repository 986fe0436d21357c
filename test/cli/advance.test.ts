import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type AdvanceFlags, advanceCommand } from "../../cli/advance.ts";
import { decideAdvances } from "../../cli/advance-decision.ts";
import { editWave } from "../../cli/advance-file.ts";
import { BadInputError } from "../../core/bad-input.ts";
import type { Surveyor } from "../../core/survey.ts";
import { v2, World } from "../helpers/world.ts";
import { Operator } from "./operator.ts";
import { releasedWorld, stackFileAt } from "./stack-at.ts";

/** The command on a released world. */
async function at(exposurePercent: number, wave = exposurePercent, more = "") {
  const { world, canary, directory } = await releasedWorld(exposurePercent, wave, more);
  const operator = new Operator(world);
  const read = () => readFileSync(join(directory, "Pulumi.dev.yaml"), "utf8");
  const advance = async (flags: AdvanceFlags = {}) => {
    const out: string[] = [];
    const surroundings = {
      out: (text: string) => out.push(text),
      error: () => {},
      directory,
      colours: false,
      outside: operator.outside(),
    };
    try {
      await advanceCommand({ stack: "dev", ...flags }, surroundings, {
        surveyor: { survey: async (query) => world.survey(query) },
      });
      return { out: out.join("\n"), error: "" };
    } catch (error) {
      return { out: out.join("\n"), error: `${Object(error).name}: ${Object(error).message}` };
    }
  };
  return { world, advance, read, canary };
}

const held = "RefusedError: tidegate advance: no wave may open now, and Pulumi.dev.yaml stays as it is (stack dev)";

describe("tidegate advance", () => {
  it("changes one line of the stack's file where the gate says promote, and no other byte [E8]", async () => {
    const { advance, read } = await at(10);
    const { out, error } = await advance({ automatic: true });
    expect(error).toBe("");
    expect(out.split("\n")).toEqual([
      'checkout: 10 % to 25 %: the gate says promote; Pulumi.dev.yaml line 14, "wave: 10   # the line" became "wave: 25   # the line"',
      "Nothing is live yet: pulumi up --stack dev opens it, after its own gate and guard.",
    ]);
    expect(read()).toBe(stackFileAt(25));
  });

  it("edits nothing on a dry run, and says what it would [E8]", async () => {
    const { advance, read } = await at(10);
    const { out, error } = await advance({ dryRun: true, json: true });
    expect(error).toBe("");
    expect(JSON.parse(out)).toEqual({
      stack: "dev",
      outcome: "advanced",
      isDryRun: true,
      services: [{ kind: "advance", service: "checkout", fromPercent: 10, toPercent: 25, line: 14 }],
    });
    expect(read()).toBe(stackFileAt(10));
  });

  it.each([
    [
      "the soak is not served",
      async (world: World) => {
        world.cloud.nowMs -= 25 * 60_000;
      },
      /^checkout: held, for now:\n {2}checkout\.wave: 10 to 25 refused, monitor: soak at 10 % served 5 of 10 min/,
    ],
    [
      "nothing was measured",
      async (world: World) => {
        world.cloud.requestsPerMinute = {};
      },
      /10 to 25 refused, cannot tell \(nothing measured\): no request of the canary was measured in this soak/,
    ],
    [
      "openings are paused",
      async (world: World) => {
        await world.pause();
      },
      /10 to 25 refused, monitor: paused by an SRE/,
    ],
    [
      "somebody killed it",
      async (world: World) => {
        await world.kill();
      },
      /the config says 10 % and the record has 0 %; run up with the config as it is first, or set the wave that is real/,
    ],
    [
      "the record cannot be read",
      async (world: World) => {
        world.cloud.recordFailure = new Error("throttled");
      },
      /the record cannot be read \(throttled\)/,
    ],
  ])("holds, and edits nothing, while %s [E8]", async (_name, happens, why) => {
    const { world, advance, read } = await at(10);
    await happens(world);
    const { out, error } = await advance({ automatic: true });
    expect(out).toMatch(why);
    expect(error).toBe(held);
    expect(read()).toBe(stackFileAt(10));
  });

  it("leaves to people what the plan does not mark, what has an override, and what is finished [E8]", async () => {
    const first = await at(0);
    expect(await first.advance({ automatic: true })).toEqual({
      out: "checkout: nothing to advance: wave 10 is a person's to open (the plan does not mark it advance: automatic)",
      error: "",
    });
    const overridden = await at(10, 10, "      overrideReason: it is fine\n");
    expect((await overridden.advance({ automatic: true })).out).toBe(
      "checkout: nothing to advance: the config has an overrideReason, which is a person's; take it out first",
    );
    const done = await at(100);
    expect((await done.advance()).out).toBe(
      "checkout: nothing to advance: all waves of the plan are open; naming the release as baseline finishes it",
    );
  });

  it("opens a wave that is a person's where a person asks, by the same gate [E8]", async () => {
    const { advance, read } = await at(0);
    expect((await advance()).error).toBe("");
    expect(read()).toBe(stackFileAt(10));
  });

  it("does not run ahead of an up that was not run yet, and ends red where nothing else would open the wave [E8]", async () => {
    const { advance, read } = await at(10, 25);
    for (const automatic of [true, false]) {
      expect(await advance({ automatic })).toEqual({
        out: "checkout: 10 % to 25 %: asked for already, not open yet; the gate says promote, and the file stays as it is",
        error:
          "CommandFailedError: tidegate advance: Pulumi.dev.yaml asks for a wave already that no up has opened; was it not run, or did it fail? Look, then run pulumi up --stack dev",
      });
    }
    expect(JSON.parse((await advance({ automatic: true, json: true })).out)).toEqual({
      stack: "dev",
      outcome: "asked",
      isDryRun: false,
      services: [{ kind: "asked", service: "checkout", fromPercent: 10, toPercent: 25, line: null }],
    });
    expect(read()).toBe(stackFileAt(25));
  });

  it("waits as before with a wave that is asked for already, while the gate does not let it open [E8]", async () => {
    const { world, advance, read } = await at(10, 25);
    await world.pause();
    const { out, error } = await advance({ automatic: true });
    expect(out).toContain("10 to 25 refused, monitor: paused by an SRE");
    expect(error).toBe(held);
    expect(read()).toBe(stackFileAt(25));
  });

  it("leaves a person's wave to its person, asked for or not, and a config that skips one to be mended [E8]", async () => {
    const persons = await at(0, 10);
    expect(await persons.advance({ automatic: true })).toEqual({
      out: "checkout: held, for now:\n  the config says 10 % and the record has 0 %; run up with the config as it is first, or set the wave that is real",
      error: held,
    });
    const skips = await at(0, 25);
    expect(await skips.advance()).toEqual({
      out: "checkout: held, for now:\n  the config says 25 % and the record has 0 %; run up with the config as it is first, or set the wave that is real",
      error: held,
    });
  });

  it("opens one wave a run by itself, so that what is committed unseen is one line [E8]", async () => {
    const world = await new World().rolledOutTo(10);
    await world.wait(24 * 60);
    const { waves, ...plan } = world.service.plan;
    const automatic = { ...plan, waves: waves.map((wave) => ({ ...wave, advance: "automatic" as const })) };
    const config = world.configOf({ canary: v2, wavePercent: 10, plan: automatic });
    const [service] = config.services;
    if (!service) throw new Error("no service");
    const survey: Surveyor = { survey: async (query) => world.survey(query) };
    const ports = world.cloud.ports("preview");
    // The same record twice stands for two services that are both due.
    const both = { ...config, services: [service, service] };
    const kinds = async (automaticOnly: boolean) =>
      (await decideAdvances(both, ports, survey, { automaticOnly })).map((each) =>
        each.kind === "held" ? each.reasons.join() : each.kind,
      );
    expect(await kinds(true)).toEqual(["advance", "checkout advances in this run; one wave a run opens by itself"]);
    expect(await kinds(false)).toEqual(["advance", "advance"]);
  });

  it("refuses what it cannot mean, all at once", async () => {
    const { advance } = await at(10);
    expect((await advance({ service: "basket" })).error).toBe(
      'BadInputError: tidegate advance: 1 problem, nothing was done:\n  --service: unknown service, got "basket"; expected checkout (stack dev)',
    );
  });
});

describe("the line wave:", () => {
  const refusal = (text: string) => {
    try {
      return editWave(text, "Pulumi.dev.yaml", "checkout", 25).text;
    } catch (error) {
      if (error instanceof BadInputError) return error.problems.join();
      throw error;
    }
  };

  it("is changed in a map on one line, too, and with Windows line ends", () => {
    const text = "config:\r\n  tidegate:services: { checkout: { wave: 10, attempt: 1 } } # all\r\n";
    expect(refusal(text)).toBe(text.replace("wave: 10", "wave: 25"));
  });

  it.each([
    ["no such line, got a service without wave", "config:\n  tidegate:services:\n    checkout: { attempt: 1 }\n"],
    ["no such line, got no service of its own in this file", "config:\n  tidegate:services: {}\n"],
    ["not a plain number", 'config:\n  tidegate:services:\n    checkout: { wave: "10" }\n'],
    ["not a plain number", "config:\n  tidegate:services:\n    checkout: { wave: &w 10 }\n"],
    [
      "changing it would change something else too",
      "config:\n  tidegate:services:\n    checkout: &c\n      wave: 10\n    basket: *c\n",
    ],
  ])("is left alone where it is %s", (problem, text) => {
    expect(refusal(text)).toBe(
      `Pulumi.dev.yaml: services.checkout.wave: ${problem}; expected a line wave: <percent> of its own. Write it by hand once`,
    );
  });
});
