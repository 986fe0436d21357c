import { describe, expect, it } from "vitest";
import { alarmName, releaseKey } from "../../core/naming.ts";
import { v1, v2, World } from "../helpers/world.ts";
import { here, Operator } from "./operator.ts";

const words = ["history", ...here, "--service", "checkout"];

async function rolledBack(): Promise<{ operator: Operator; holdId: string }> {
  const world = await new World().rolledOutTo(50);
  for (const release of [v1, v2]) {
    const name = alarmName("dev", "checkout", releaseKey(release), "error-rate/critical/fast");
    world.cloud.alarmValues.set(name, {
      alarmName: name,
      threshold: 5,
      badWhen: "above",
      points: [-120, -60, 60].map((seconds, index) => ({
        at: world.cloud.nowMs + seconds * 1_000,
        value: release === v2 ? 7.12345 + index : 0.1,
      })),
    });
  }
  // Whatever alarms the service has, the snapshot asks for these values by the names that are kept here.
  const { values } = world.cloud.ports("hook").alarms;
  const known = [...world.cloud.alarmValues.keys()];
  world.alarm(v2, "error-rate/critical", "ALARM");
  await world.reconcile();
  const [holdId = ""] = Object.keys(world.record.holds);
  const snapshot = world.cloud.snapshots.get(`checkout/${holdId}`);
  if (!snapshot) throw new Error("no snapshot was taken");
  world.cloud.snapshots.set(`checkout/${holdId}`, { ...snapshot, values: await values(known, { from: 0, to: 0 }) });
  return { operator: new Operator(world), holdId };
}

describe("tidegate history", () => {
  it("prints what happened, newest last [B6]", async () => {
    const { operator } = await rolledBack();
    const { code, out } = await operator.run(...words);
    expect(code).toBe(0);
    const lines = out.split("\n");
    expect(lines).toHaveLength(operator.world.cloud.history.length);
    expect(lines.at(-1)).toMatch(/^2026-01-07 10:40:00Z {3}0 % \w/);
    expect(lines.some((line) => line.endsWith("rollback       2.0.0 from 50 % to 0 %"))).toBe(true);
    expect([...lines].sort()).toHaveLength(lines.length);
  });

  it("takes the newest few, and those since a time", async () => {
    const { operator } = await rolledBack();
    const total = operator.world.cloud.history.length;
    const limited = await operator.run(...words, "--limit", "2");
    expect(limited.out.split("\n")).toEqual([
      `(${total - 2} older of ${total} not shown; --limit and --since show others)`,
      expect.stringMatching(/^2026-01-07/),
      expect.stringMatching(/^2026-01-07/),
    ]);
    const json = JSON.parse((await operator.run(...words, "--since", "2h", "--json")).out);
    const expected = operator.world.cloud.history.filter(({ at }) => at >= operator.world.cloud.nowMs - 2 * 3_600_000);
    expect(json).toEqual({
      environment: "dev",
      region: "eu-west-1",
      service: "checkout",
      total,
      entries: expected.map(({ at, ...entry }) => ({ at: new Date(at).toISOString(), ...entry })),
    });
    expect(json.entries.length).toBeGreaterThan(0);
    expect((await operator.run(...words, "--since", "2026-02-01T00:00Z")).out).toBe("checkout: no history since then");
    expect((await operator.run("history", ...here, "--service", "checkout", "--since", "2026-01-07")).code).toBe(0);
    expect((await new Operator().run(...words)).out).toBe("checkout: no history");
  });

  it("prints a snapshot: values before and after of both releases [B6]", async () => {
    const { operator, holdId } = await rolledBack();
    const { code, out } = await operator.run(...words, "--snapshot", holdId);
    const hold = operator.world.record.holds[holdId];
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      `checkout (dev): snapshot ${holdId}, taken 2026-01-07 10:40:00Z`,
      `hold: breach, ${hold?.detail}`,
      "at 2026-01-07 10:40:00Z, response disable to 0 %, attempt 1, on 2.0.0",
      expect.stringMatching(/^record: revision \d+, baseline 1\.0\.0, canary 2\.0\.0 at 0 %$/),
      "",
      "live weights:",
      "  arn:rule/main: 1.0.0 100",
      "  arn:rule/tester: 1.0.0 100",
      "healthy hosts: 1.0.0 4 of 4, 2.0.0 4 of 4",
      "",
      "error-rate/critical/fast, bad above 5",
      "  1.0.0  not read           before 0.1 0.1 | after 0.1",
      "  2.0.0  not read           before 7.123 8.123 | after 9.123",
    ]);
    const json = await operator.run(...words, "--snapshot", holdId, "--json");
    expect(JSON.parse(json.out)).toEqual(
      JSON.parse(JSON.stringify(operator.world.cloud.snapshots.get(`checkout/${holdId}`))),
    );
  });

  it("prints the draft of a post-mortem, without a snapshot too [B6]", async () => {
    const { operator, holdId } = await rolledBack();
    const { code, out } = await operator.run(...words, "--post-mortem", holdId);
    expect(code).toBe(0);
    expect(out).toContain(`- Hold: ${holdId}, breach, disable to 0 %`);
    expect(out).toContain("| rollback: 2.0.0 from 50 % to 0 % |");
    const json = JSON.parse((await operator.run(...words, "--post-mortem", holdId, "--json")).out);
    expect(json).toEqual({ service: "checkout", holdId, markdown: out });
    operator.onCall = async (call) => {
      if (call === "read snapshot before") throw new Error("it is no snapshot");
    };
    const without = await operator.run(...words, "--post-mortem", holdId);
    expect(without.errors).toBe(`checkout: snapshot ${holdId} cannot be read: it is no snapshot`);
    expect(without.out).toContain("No snapshot was taken.");
  });

  it.each([
    ["--snapshot", "no snapshot h-1"],
    ["--post-mortem", "no hold h-1"],
  ])("refuses %s of what is not there, and names what is", async (flag, missing) => {
    const { operator, holdId } = await rolledBack();
    expect(await operator.run(...words, flag, "h-1")).toEqual({
      code: 3,
      out: "",
      errors: `checkout: ${missing}; its holds are ${holdId}. A snapshot has the id of its hold`,
    });
  });

  it("is refused with the reason when the table does not answer", async () => {
    const { operator } = await rolledBack();
    operator.onCall = async (call) => {
      if (call === "read history before") throw new Error("throttled");
    };
    expect(await operator.run(...words)).toEqual({
      code: 3,
      out: "",
      errors: "checkout: history: its history cannot be read: throttled",
    });
  });

  it("has every problem of its flags told at once", async () => {
    const operator = new Operator();
    expect(await operator.run("history", ...here, "--limit", "0", "--since", "yesterday", "--snapshot", "h-1")).toEqual(
      {
        code: 2,
        out: "",
        errors: [
          "tidegate history: 4 problems, nothing was done:",
          "  --service: missing; expected the name of a service. npx tidegate status lists them",
          "  --snapshot: says another thing to print than --limit; expected one of them",
          '  --limit: not a number of entries, got "0"; expected 1 or more',
          '  --since: not a time, got "yesterday"; expected a span such as 90m, 2h or 3d, a day, or an instant with its zone such as 2026-01-05T10:00Z',
        ].join("\n"),
      },
    );
  });
});
