import { describe, expect, it } from "vitest";
import { World } from "../helpers/world.ts";
import { here, missingHook, Operator } from "./operator.ts";

const words = ["drill", ...here];

describe("tidegate drill", () => {
  it("sets the drill's alarm off, waits for its page, and says how long it took [D4]", async () => {
    const operator = new Operator(await new World().rolledOutTo(10));
    const writes = operator.world.cloud.ruleWrites.length;
    let sleeps = 0;
    operator.whileAsleep = async () => {
      sleeps += 1;
      if (sleeps === 3) await operator.drillComesBack();
    };
    const { code, out, errors } = await operator.run(...words);
    expect({ code, out }).toEqual({ code: 0, out: "drill of dev: 6.0 s from alarm to page; no traffic was touched" });
    expect(errors).toMatch(/^drill started at 2026-.+; its page follows; waiting for its page, at most 120 s$/);
    expect(operator.invoked).toEqual([{ alias: "live", event: { kind: "tidegate:drill" } }]);
    expect(operator.world.cloud.alarmStatesSet).toEqual([
      { alarmName: "tidegate/dev/tidegate-drill/drill/drill/critical", state: "ALARM" },
    ]);
    expect(operator.world.cloud.pages[0]?.summary).toBe("Tidegate dev: DRILL, nothing is wrong");
    expect(operator.world.cloud.ruleWrites).toHaveLength(writes);
  });

  it("does not take the arrival of the drill before for its own [D4]", async () => {
    const operator = new Operator();
    const { cloud } = operator.world;
    cloud.drill = { armedAt: 0, startedAt: cloud.nowMs - 60_000, arrivedAt: cloud.nowMs - 55_000 };
    const before = cloud.nowMs;
    const { code, errors } = await operator.run(...words);
    expect(code).toBe(3);
    expect(errors.split("\n").at(-1)).toBe(
      "drill of dev: no page within 120 s. Go on with docs/runbooks/drill-missing.md",
    );
    expect(cloud.nowMs - before).toBe(120_300);
    cloud.drill = { armedAt: 0, startedAt: before, arrivedAt: before + 5_000 };
    operator.hook = async () => ({ outcome: "drill-started", message: "said, and not written" });
    expect((await operator.run(...words)).code).toBe(3);
  });

  it("has a JSON object of a fixed shape [D4]", async () => {
    const operator = new Operator();
    operator.whileAsleep = () => operator.drillComesBack();
    const { code, out, errors } = await operator.run(...words, "--json");
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(JSON.parse(out)).toEqual({
      command: "drill",
      environment: "dev",
      region: "eu-west-1",
      outcome: "arrived",
      startedAt: "2026-01-05T10:00:00.300Z",
      arrivedAt: "2026-01-05T10:00:02.300Z",
      secondsFromAlarmToPage: 2,
      runbook: null,
    });
    operator.whileAsleep = async () => {};
    const missing = await operator.run(...words, "--json");
    expect(missing.code).toBe(3);
    expect(JSON.parse(missing.out)).toEqual({
      command: "drill",
      environment: "dev",
      region: "eu-west-1",
      outcome: "missing",
      startedAt: "2026-01-05T10:00:02.600Z",
      arrivedAt: null,
      secondsFromAlarmToPage: null,
      runbook: "docs/runbooks/drill-missing.md",
    });
  });

  it("names the hook's runbook when the hook cannot start it, and does not wait [D4]", async () => {
    const operator = new Operator();
    operator.hook = missingHook;
    const before = operator.world.cloud.nowMs;
    expect(await operator.run(...words)).toEqual({
      code: 3,
      out: "",
      errors:
        "drill of dev: not started: the hook (tidegate-dev-hook:live): not called, got ResourceNotFoundException: Function not found. Go on with docs/runbooks/hook-failing.md",
    });
    expect(operator.world.cloud.nowMs).toBe(before);
  });

  it("rides out a table that fails in between, and is refused where it fails from the start", async () => {
    const operator = new Operator();
    let reads = 0;
    operator.onCall = async (call) => {
      if (call !== "read drill before") return;
      reads += 1;
      if (reads === 2) throw new Error("throttled");
    };
    operator.whileAsleep = () => operator.drillComesBack();
    expect((await operator.run(...words)).code).toBe(0);
    operator.onCall = async (call) => {
      if (call === "read drill before") throw new Error("throttled");
    };
    expect(await operator.run(...words)).toEqual({
      code: 3,
      out: "",
      errors: "drill: its state cannot be read, so nobody could say whether it came through: throttled",
    });
    expect(operator.invoked).toHaveLength(1);
  });
});
