import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../cli/command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function run(...words: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(words, {
    out: (text) => out.push(text),
    error: (text) => errors.push(text),
    directory: root,
    colours: false,
  });
  return { code, out: out.join("\n"), errors: errors.join("\n") };
}

function fileWith(name: string, text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "tidegate-")), name);
  writeFileSync(path, text);
  return path;
}

describe("tidegate rehearse", { timeout: 30_000 }, () => {
  it("prints one JSON object with exactly the promised fields [E3]", async () => {
    const { code, out, errors } = await run("rehearse", "--json");
    expect(errors).toBe("");
    expect(code).toBe(0);
    const report: unknown = JSON.parse(out);
    expect(Object.keys(Object(report))).toEqual([
      "scenario",
      "stack",
      "service",
      "notModelled",
      "outcome",
      "faultAt",
      "breachAt",
      "detectedAt",
      "exposureZeroAt",
      "secondsFaultToZero",
      "requests",
      "badRequests",
      "badRequestsWithoutHook",
      "falseRollback",
      "hold",
      "pages",
      "refused",
      "timeline",
      "virtualSeconds",
      "wallSeconds",
    ]);
    expect(report).toMatchObject({
      scenario: "error-spike",
      stack: "dev",
      service: "checkout",
      outcome: "rolled-back",
    });
  });

  it("takes another stack, source, seed and scenario", async () => {
    const words = ["rehearse", "--stack", "dev", "--service", "checkout", "--source", "alb", "--seed", "7", "--json"];
    const { code, out } = await run(...words, "--scenario", "healthy");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ scenario: "healthy", outcome: "completed" });
  });

  it("takes a scenario from a YAML file", async () => {
    const file = fileWith("own.yaml", "name: own\nfaults: [{ kind: error-spike, at: { wave: 5 }, times: 4 }]\n");
    const { code, out } = await run("rehearse", "--scenario", file, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ scenario: "own", outcome: "rolled-back" });
  });

  it("lists every problem at once, with what exists, and runs nothing", async () => {
    const { code, out, errors } = await run(
      ..."rehearse --stack nope --scenario healty --source elb --seed x --scale 3".split(" "),
    );
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(errors).toBe(
      [
        "tidegate rehearse: 5 problems, nothing was run:",
        '  --stack: unknown stack, got "nope"; expected dev, prod. Run it where those files are',
        '  --scenario: unknown scenario, got "healty"; expected healthy, error-spike, latency-regression, invariant-violation, low-traffic, metrics-outage, hook-failure, racing-up, baseline-sick, baseline-scaled-in, control-lost, dependency-outage, slow-burn, flapping, sticky-clients, region-failover, peer-hold, memory-leak, breaker-open, dual-run-mismatch, crash-loop, slightly-worse or a YAML file. Did you mean healthy?',
        '  --source: unknown source, got "elb"; expected alb or emf or prometheus or datadog',
        '  --seed: not a whole number, got "x"; expected 0 or more',
        "  --scale: nothing to scale; expected --traffic CSV with it. Add it, or leave --scale out",
      ].join("\n"),
    );
  });

  it("names the services that exist", async () => {
    const { code, errors } = await run("rehearse", "--service", "basket");
    expect(code).toBe(2);
    expect(errors).toContain('--service: unknown service, got "basket"; expected checkout (stack dev)');
  });

  it("refuses a file that is not there, is malformed, or is scaled by no factor", async () => {
    expect((await run("rehearse", "--traffic", "nope.csv")).errors).toContain(
      '--traffic: no such file, got "nope.csv"; expected a readable file',
    );
    const csv = fileWith("odd.csv", "timestamp,value\n2014-04-10 00:04:00,x\n2014-04-10 00:03:00,1\n");
    const odd = await run("rehearse", "--traffic", csv, "--scale", "-1");
    expect(odd.code).toBe(2);
    expect(odd.errors).toContain('--scale: not a factor, got "-1"; expected a number above 0');
    expect(odd.errors).toContain("value is no count, got x");
    expect(odd.errors).toContain("timestamp does not rise");
    const scenario = fileWith("odd.yaml", "faults: [{ kind: meltdown }]\nspeed: 3\n");
    const bad = await run("rehearse", "--scenario", scenario);
    expect(bad.code).toBe(2);
    expect(bad.errors).toMatch(/^tidegate rehearse: 3 problems/);
  });

  it("refuses options that say different things about what to do", async () => {
    expect(await run("rehearse", "--replay")).toMatchObject({ code: 2 });
    expect((await run("rehearse", "--alarm", "a.json", "--json")).errors).toContain(
      "--alarm: goes with --replay alone, got --json too. Leave them out",
    );
    expect((await run("rehearse", "--table", "--seed", "3")).errors).toContain(
      "--table: goes with --seeds alone, got --seed too",
    );
    expect((await run("rehearse", "--seeds", "3")).errors).toContain("expected --table with it");
  });

  it("refuses unknown options and further words", async () => {
    expect(await run("rehearse", "--wat")).toMatchObject({ code: 2, errors: "error: unknown option '--wat'" });
    expect(await run("rehearse", "more")).toMatchObject({ code: 2 });
    expect(await run("frobnicate")).toMatchObject({ code: 2 });
  });

  it("says the state of one alarm as its last word [D1]", async () => {
    const alarm = {
      period: 60,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
      threshold: 1,
      comparison: "GreaterThanThreshold",
      treatMissingData: "notBreaching",
      points: [0, null, 3, 3],
      state: "OK",
    };
    const file = fileWith("alarm.json", JSON.stringify(alarm));
    const once = await run("rehearse", "--alarm", file);
    expect(once.code).toBe(0);
    expect(once.out.split(/\s+/).at(-1)).toBe("ALARM");
    const replayed = await run("rehearse", "--alarm", file, "--replay");
    expect(replayed.out.split("\n")).toHaveLength(5);
    expect(replayed.out.split(/\s+/).at(-1)).toBe("ALARM");
  });
});

describe("tidegate as a process", { timeout: 60_000 }, () => {
  function launch(words: readonly string[], env: Readonly<Record<string, string>>) {
    return new Promise<{ code: number; out: string; errors: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        ["cli/tidegate.mjs", ...words],
        { cwd: root, env: { ...process.env, ...env }, maxBuffer: 2 ** 24 },
        (_failure, out, errors) => resolve({ code: child.exitCode ?? -1, out, errors }),
      );
    });
  }

  it("prints the same bytes in any time zone and locale, but for wallSeconds [E3]", async () => {
    const words = ["rehearse", "--scenario", "error-spike", "--json"];
    const east = await launch(words, { TZ: "Asia/Kathmandu", LC_ALL: "de_DE.UTF-8", LANG: "de_DE.UTF-8" });
    const west = await launch(words, { TZ: "America/St_Johns", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" });
    const bytes = (text: string) => text.replace(/"wallSeconds": [\d.]+/, "");
    expect(east.code).toBe(0);
    expect(east.out).toContain('"outcome": "rolled-back"');
    expect(bytes(west.out)).toBe(bytes(east.out));
  });

  it("exits with 2 on bad input", async () => {
    const { code, out, errors } = await launch(["rehearse", "--stack", "nope"], {});
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(errors).toContain("--stack: unknown stack");
  });

  it("tells the first minute: both releases, the refusal, the next attempt and the figures [E3]", async () => {
    const { code, out } = await launch(["story"], { NO_COLOR: "1" });
    expect(code).toBe(0);
    for (const said of ["1. A healthy release", "2. A bad release", " refused ", " pinned ", " acknowledge "])
      expect(out).toContain(said);
    expect(out).toMatch(/from the fault to zero exposure +\d+ s\n/);
    expect(out).toMatch(/bad requests served +\d+\n/);
    expect(out).toMatch(/the same with the hook off +\d+\n/);
    for (const line of out.split("\n")) expect([...line].length, line).toBeLessThanOrEqual(100);
  });
});
