import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BadInputError } from "../../core/bad-input.ts";
import { loadScenario, parseScenario, readScenarioFile } from "../../rehearsal/scenario-file.ts";
import { builtInScenarioNames, builtInScenarios } from "../../rehearsal/scenarios.ts";

const fine = {
  name: "slow",
  description: "gets slow",
  ratePerSecond: 20,
  faults: [{ kind: "latency-regression", at: { wave: 25, after: "2m" }, duration: "10m", times: 1.5 }],
};

function problemsOf(raw: unknown): readonly string[] {
  try {
    parseScenario(raw, "here");
  } catch (error) {
    if (error instanceof BadInputError) return error.problems;
    throw error;
  }
  return [];
}

function fileWith(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "scenario-")), "mine.yaml");
  writeFileSync(path, text);
  return path;
}

describe("scenario files [E3]", () => {
  it("are read with units turned into seconds", () => {
    expect(parseScenario(fine, "here")).toEqual({
      name: "slow",
      description: "gets slow",
      ratePerSecond: 20,
      faults: [
        {
          kind: "latency-regression",
          wavePercent: 25,
          afterSeconds: 120,
          durationSeconds: 600,
          timesCriticalBound: 1.5,
        },
      ],
    });
  });

  it("default to three minutes into the wave the runner is told, at twice the critical bound", () => {
    expect(readScenarioFile(fileWith("name: mine\nfaults:\n  - kind: error-spike\n"))).toEqual({
      name: "mine",
      description: "mine",
      faults: [{ kind: "error-spike", afterSeconds: 180, timesCriticalBound: 2 }],
    });
  });

  it("name every problem at once [B11]", () => {
    const raw = {
      name: "My Scenario",
      ratePerSecond: 0,
      days: 3,
      faults: [
        { kind: "eror-spike", at: { wave: 0, after: 2 }, duration: "ten minutes" },
        { kind: "metrics-outage", times: 2 },
        { kind: "error-spike", times: -1, att: { wave: 5 } },
      ],
    };
    expect(problemsOf(raw)).toEqual([
      "days: unknown key; expected name, description, ratePerSecond, racingUp, stickiness, control, killAfter or faults",
      `name: not a scenario name, got "My Scenario"; expected lower-case letters, digits and single inner hyphens`,
      "ratePerSecond: not a rate, got 0; expected requests a second, above 0 and at most 100000",
      `faults[0].kind: unknown fault, got "eror-spike"; expected error-spike, latency-regression, invariant-violation, metrics-outage, memory-leak, memory-step, cpu-hot, breaker-open, cache-cold, rejects, dual-run-mismatch, flag-mismatch, crash, hosts-lost, hook-fails, hook-unreachable, region-lost or peer-hold. Did you mean error-spike?`,
      "faults[0].at.wave: must be a whole number of percent, got 0; expected 1 to 100",
      "faults[0].at.after: units missing, got 2; expected a duration such as 2m. Write the unit: 2s, 2m, 2h or 2d",
      `faults[0].duration: not a duration, got "ten minutes"; expected a duration such as 10m`,
      "faults[1].times: an outage has no bound to pass, got 2; expected no times. Leave it out",
      "faults[2].att: unknown key; expected kind, on, at, duration or times. Did you mean at?",
      "faults[2].times: not a multiple of the critical bound, got -1; expected a number above 0, at most 100",
    ]);
  });

  it.each([
    [{ ...fine, faults: undefined }, "faults: missing; expected a list"],
    [{ ...fine, faults: "none" }, `faults: must be a list, got "none"; expected a list`],
    ["text", "the file holds no scenario; expected a map with name and faults"],
  ])("refuse a broken one", (raw, message) => {
    expect(problemsOf(raw)).toEqual([message]);
  });

  it("name the line of malformed YAML", () => {
    expect(() => readScenarioFile(fileWith("name: mine\nfaults: [\n  kind: {\n"))).toThrowError(
      /^scenario .*mine\.yaml has \d problems?:\n {2}mine\.yaml:\d: malformed YAML: /,
    );
  });

  it("name a file that is not there", () => {
    expect(() => loadScenario("./nowhere.yaml")).toThrowError(
      "scenario ./nowhere.yaml has 1 problem:\n  ./nowhere.yaml: no such file; expected a YAML file",
    );
  });

  it("name any single mistyped key", () => {
    const places = fc.constantFrom<readonly string[]>(
      ["name"],
      ["description"],
      ["ratePerSecond"],
      ["faults"],
      ["faults", "0", "kind"],
      ["faults", "0", "at"],
      ["faults", "0", "at", "wave"],
      ["faults", "0", "times"],
    );
    fc.assert(
      fc.property(places, (place) => {
        const text = JSON.stringify(fine).replace(`"${place.at(-1)}":`, `"${place.at(-1)}x":`);
        expect(problemsOf(JSON.parse(text)).some((problem) => problem.includes(`${place.at(-1)}x: unknown key`))).toBe(
          true,
        );
      }),
    );
  });
});

describe("faults around the release [E3]", () => {
  it("are read with whose they are, who kills and which up races", () => {
    const raw = {
      name: "around",
      racingUp: true,
      killAfter: "5m",
      faults: [
        { kind: "hosts-lost", on: "baseline", duration: "8m" },
        { kind: "hook-unreachable" },
        { kind: "error-spike", on: "both" },
      ],
    };
    expect(parseScenario(raw, "here")).toEqual({
      name: "around",
      description: "around",
      racingUp: true,
      killAfterSeconds: 300,
      faults: [
        { kind: "hosts-lost", on: "baseline", afterSeconds: 180, durationSeconds: 480, timesCriticalBound: 1 },
        { kind: "hook-unreachable", afterSeconds: 180, timesCriticalBound: 1 },
        { kind: "error-spike", on: "both", afterSeconds: 180, timesCriticalBound: 2 },
      ],
    });
  });

  it("are refused where they say what has no meaning [B11]", () => {
    const raw = {
      name: "odd",
      racingUp: "often",
      faults: [
        { kind: "hook-fails", on: "canary" },
        { kind: "hosts-lost", times: 2 },
        { kind: "error-spike", on: "everything" },
      ],
    };
    expect(problemsOf(raw)).toEqual([
      'racingUp: neither yes nor no, got "often"; expected true or false',
      'faults[0].on: hook-fails is no release\'s, got "canary"; expected no on. Leave it out',
      "faults[1].times: hosts-lost has no bound to pass, got 2; expected no times. Leave it out",
      'faults[2].on: unknown release, got "everything"; expected canary, baseline, both or control',
    ]);
  });
});

describe("scenarios of regions and of clients that stay [E3]", () => {
  it("are read with a peer's faults and the cookie's time", () => {
    const raw = {
      name: "far",
      stickiness: "1h",
      faults: [{ kind: "peer-hold" }, { kind: "region-lost", duration: "1h" }],
    };
    expect(parseScenario(raw, "here")).toEqual({
      name: "far",
      description: "far",
      stickinessSeconds: 3_600,
      faults: [
        { kind: "peer-hold", afterSeconds: 180, timesCriticalBound: 1 },
        { kind: "region-lost", afterSeconds: 180, durationSeconds: 3_600, timesCriticalBound: 1 },
      ],
    });
  });

  it("are refused where they say what has no meaning [B11]", () => {
    const faults = [
      { kind: "region-lost", on: "canary" },
      { kind: "peer-hold", times: 2 },
    ];
    expect(problemsOf({ name: "odd", stickiness: "8d", faults })).toEqual([
      'stickiness: duration out of range, got "8d"; expected 1s to 7d',
      'faults[0].on: region-lost is no release\'s, got "canary"; expected no on. Leave it out',
      "faults[1].times: peer-hold has no bound to pass, got 2; expected no times. Leave it out",
    ]);
  });
});

describe("built-in scenarios [E3]", () => {
  it("are known by name, with faults at no more than twice the critical bound, save an outage of a dependency", () => {
    expect(builtInScenarioNames).toEqual([
      "healthy",
      "error-spike",
      "latency-regression",
      "invariant-violation",
      "low-traffic",
      "metrics-outage",
      "hook-failure",
      "racing-up",
      "baseline-sick",
      "baseline-scaled-in",
      "control-lost",
      "dependency-outage",
      "slow-burn",
      "flapping",
      "sticky-clients",
      "region-failover",
      "peer-hold",
      "memory-leak",
      "breaker-open",
      "dual-run-mismatch",
      "crash-loop",
      "slightly-worse",
    ]);
    for (const name of builtInScenarioNames) {
      expect(loadScenario(name)).toBe(builtInScenarios[name]);
      expect(builtInScenarios[name].name).toBe(name);
      const most = name === "dependency-outage" ? 50 : 2;
      for (const fault of builtInScenarios[name].faults) expect(fault.timesCriticalBound).toBeLessThanOrEqual(most);
    }
  });

  it("are suggested when mistyped", () => {
    expect(() => loadScenario("eror-spike")).toThrowError(
      `--scenario: unknown scenario, got "eror-spike"; expected healthy, error-spike, latency-regression, invariant-violation, low-traffic, metrics-outage, hook-failure, racing-up, baseline-sick, baseline-scaled-in, control-lost, dependency-outage, slow-burn, flapping, sticky-clients, region-failover, peer-hold, memory-leak, breaker-open, dual-run-mismatch, crash-loop, slightly-worse or a YAML file. Did you mean error-spike?`,
    );
  });
});
