import { describe, expect, it } from "vitest";
import { v2, World } from "../helpers/world.ts";
import { here, missingHook, Operator, silentHook } from "./operator.ts";

const day = 24 * 60 * 60_000;

async function at50(): Promise<Operator> {
  const world = await new World().rolledOutTo(50);
  const { cloud } = world;
  cloud.drill = { armedAt: cloud.nowMs - 9 * day, startedAt: cloud.nowMs - day, arrivedAt: cloud.nowMs - day + 4_000 };
  return new Operator(world);
}

describe("tidegate status", () => {
  it("shows a healthy environment in one table [D5]", async () => {
    const operator = await at50();
    const { code, out, errors } = await operator.run("status", ...here);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(out.split("\n")).toEqual([
      "OK: 1 service, nothing stands against any",
      "environment dev, account 123456789012, region eu-west-1, at 2026-01-07 10:40:00Z",
      "",
      "service   mode  baseline  canary    record  live  in wave  ceiling  heartbeat",
      "checkout  act   1.0.0     2.0.0 #1  50 %    50 %  30 min   50 %     0 s ago",
      "",
      "hook: reachable from here",
      "last drill: came through 23 h 59 min ago",
    ]);
  });

  it("says the worst thing first, what to type about each, and exits 0 all the same [B5, D5]", async () => {
    const operator = await at50();
    const { world } = operator;
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    await world.pause();
    world.cloud.nowMs += 5 * 60_000;
    const [hold] = Object.values(world.record.holds);
    const { code, out } = await operator.run("status", ...here, "--service", "checkout");
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      "BAD: checkout: the hook has not looked at it since 2026-01-07T10:40:00Z (and 3 more below)",
      "environment dev, account 123456789012, region eu-west-1, at 2026-01-07 10:45:00Z",
      "",
      "service   mode  baseline  canary    record  live  in wave  ceiling  heartbeat",
      "checkout  act   1.0.0     2.0.0 #1  0 %     0 %   5 min    0 %      5 min ago",
      "",
      "What is bad, worst first",
      "  checkout: the hook has not looked at it since 2026-01-07T10:40:00Z",
      "  checkout: 2.0.0 breaches error-rate (critical) since 2026-01-07T10:40:00Z",
      `  checkout: hold ${hold?.id} on 2.0.0 (breach): ${hold?.detail}`,
      "  checkout: openings are paused by an SRE: incident elsewhere",
      "",
      "checkout",
      "  breach: 2.0.0, error-rate (critical) since 2026-01-07 10:40:00Z, response disable to 0 %",
      `  hold ${hold?.id}: 2.0.0, breach, since 2026-01-07 10:40:00Z: ${hold?.detail}`,
      `      npx tidegate acknowledge --environment dev --region eu-west-1 --service checkout --hold ${hold?.id} --reason "..."`,
      "  paused since 2026-01-07 10:40:00Z by an SRE: incident elsewhere",
      '      npx tidegate resume --environment dev --region eu-west-1 --service checkout --reason "..."',
      "",
      "hook: reachable from here",
      "last drill: came through 1 d 0 h ago",
    ]);
  });

  it.each([
    [
      "is not there",
      missingHook,
      "the hook (tidegate-dev-hook:live): not called, got ResourceNotFoundException: Function not found",
    ],
    ["does not answer", silentHook, "the hook: no answer within 2 s"],
  ])("says that the hook %s", async (_name, hook, problem) => {
    const operator = await at50();
    operator.hook = hook;
    const { code, out } = await operator.run("status", ...here);
    expect(code).toBe(0);
    expect(out.split("\n")[0]).toBe(`BAD: ${problem}`);
    expect(out).toContain(`hook: NOT reachable from here: ${problem}`);
  });

  it("shows an unreadable record in its row, and an empty environment as one", async () => {
    const operator = await at50();
    operator.world.cloud.recordFailure = new Error("the record is unreadable: it has schema version 2");
    const { code, out } = await operator.run("status", ...here);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^BAD: checkout: its record cannot be read: the record is unreadable: it has schema version 2\n/,
    );
    expect(out).toMatch(/\ncheckout +\? +UNREADABLE\n/);
    const empty = await new Operator().run("status", ...here);
    expect(empty.out.split("\n").slice(0, 2)).toEqual([
      "BAD: no drill ever came through; run npx tidegate drill",
      "environment dev, account 123456789012, region eu-west-1, at 2026-01-05 10:00:00Z",
    ]);
    const absent = await new Operator().run("status", ...here, "--service", "basket");
    expect(absent.out).toMatch(/^BAD: basket: no record of it/);
  });

  const notFound = "got ResourceNotFoundException: Requested resource not found";

  it("says that there is no such environment where neither table nor function is there, and exits 3 [D5]", async () => {
    const operator = new Operator();
    operator.hook = missingHook;
    operator.onCall = async (call) => {
      throw new Error(`table tidegate-dev: ${call} failed, ${notFound}`);
    };
    const message =
      "tidegate status: no environment dev in account 123456789012, region eu-west-1: pulumi up makes it, or check --profile and --region";
    expect(await operator.run("status", ...here)).toEqual({ code: 3, out: "", errors: message });
    const json = await operator.run("status", ...here, "--json");
    expect([json.code, json.errors]).toEqual([3, message]);
    expect(JSON.parse(json.out)).toMatchObject({ environment: "dev", drill: null, services: [] });
  });

  it("exits 3 where nothing could be read, and shows why [D5]", async () => {
    const operator = await at50();
    operator.onCall = async (call) => {
      throw new Error(`table tidegate-dev: ${call} failed, got TimeoutError: no answer`);
    };
    for (const words of [[], ["--service", "checkout"]]) {
      const { code, out, errors } = await operator.run("status", ...here, ...words);
      expect([code, errors]).toEqual([
        3,
        "tidegate status: nothing of environment dev could be read (account 123456789012, region eu-west-1)",
      ]);
      expect(out).toContain("failed, got TimeoutError: no answer");
    }
    // A function that is there belongs to an environment whose table is lost, and that is no newcomer's mistake.
    operator.onCall = async (call) => {
      throw new Error(`table tidegate-dev: ${call} failed, ${notFound}`);
    };
    expect((await operator.run("status", ...here)).errors).toContain("could be read");
  });

  it("has a JSON object of a fixed shape [D5]", async () => {
    const operator = await at50();
    const { world } = operator;
    world.alarm(v2, "error-rate/critical", "ALARM");
    await world.reconcile();
    const { code, out } = await operator.run("status", ...here, "--json");
    expect(code).toBe(0);
    const [hold] = Object.values(world.record.holds);
    const [breach] = Object.values(world.record.breaches);
    const at = "2026-01-07T10:40:00.000Z";
    expect(JSON.parse(out)).toEqual({
      environment: "dev",
      region: "eu-west-1",
      accountId: "123456789012",
      at,
      worst: "checkout: 2.0.0 breaches error-rate (critical) since 2026-01-07T10:40:00Z",
      findings: [
        {
          kind: "breach",
          service: "checkout",
          text: "checkout: 2.0.0 breaches error-rate (critical) since 2026-01-07T10:40:00Z",
        },
        { kind: "hold", service: "checkout", text: `checkout: hold ${hold?.id} on 2.0.0 (breach): ${hold?.detail}` },
      ],
      hook: { isReachable: true, problem: null },
      drill: {
        armedAt: "2025-12-29T10:40:00.000Z",
        startedAt: "2026-01-06T10:40:00.000Z",
        arrivedAt: "2026-01-06T10:40:04.000Z",
      },
      services: [
        {
          service: "checkout",
          record: "read",
          revision: world.record.revision,
          mode: "act",
          baseline: { digest: "sha256:1.0.0", version: "1.0.0" },
          canary: {
            digest: "sha256:2.0.0",
            version: "2.0.0",
            attempt: 1,
            committedPercent: 0,
            livePercent: 0,
            ceilingPercent: 0,
            waveOpenedAt: at,
            secondsInWave: 0,
          },
          previous: null,
          liveSharesPercent: { "sha256:1.0.0": 100 },
          holds: [
            {
              id: hold?.id,
              scope: "digest",
              digest: "sha256:2.0.0",
              version: "2.0.0",
              cause: "breach",
              detail: hold?.detail,
              response: "disable",
              targetPercent: 0,
              at,
            },
          ],
          breaches: [
            {
              id: breach?.id,
              digest: "sha256:2.0.0",
              version: "2.0.0",
              objective: "error-rate",
              severity: "critical",
              response: "disable",
              targetPercent: 0,
              isObservedOnly: false,
              startedAt: at,
            },
          ],
          lease: null,
          paused: null,
          heartbeatAt: at,
          secondsSinceHeartbeat: 0,
          pagesWaiting: 0,
          retiredAt: null,
        },
      ],
    });
    operator.world.cloud.recordFailure = new Error("throttled");
    operator.stsAnswers = false;
    const bad = JSON.parse((await operator.run("status", ...here, "--json")).out);
    expect(bad.services).toEqual([{ service: "checkout", record: "unreadable", problem: "throttled" }]);
    expect(bad.accountId).toBeNull();
    const absent = JSON.parse((await new Operator().run("status", ...here, "--json", "--service", "basket")).out);
    expect(absent.services).toEqual([{ service: "basket", record: "absent" }]);
  });
});
