/** The drill: an alarm of nobody's, its page on every channel, and no traffic touched. */
import { describe, expect, it } from "vitest";
import { onAlarmEvent } from "../../hooks/alarm-event.ts";
import { armDrill, drillArrived, drillOverdueMilliseconds, startDrill } from "../../hooks/drill.ts";
import type { Ports } from "../../hooks/ports.ts";
import { MemoryCloud } from "../helpers/memory-ports.ts";

const start = Date.UTC(2026, 0, 5, 9);
const alarmName = "tidegate/dev/tidegate-drill/drill/drill/critical";
const dedupKey = `tidegate/dev/tidegate-drill/${start}`;

async function started(): Promise<MemoryCloud> {
  const cloud = new MemoryCloud(start);
  await startDrill(cloud.ports("hook"));
  cloud.nowMs += 4_200;
  return cloud;
}

describe("a drill", () => {
  it("arms the clock once [D4]", async () => {
    const cloud = new MemoryCloud(start);
    expect(await armDrill(cloud.ports("hook"))).toEqual({ armedAt: start });
    cloud.nowMs += 1_000;
    expect(await armDrill(cloud.ports("hook"))).toEqual({ armedAt: start });
    expect(cloud.drill).toEqual({ armedAt: start });
  });

  it("is written down before its alarm is set off: the event may be back before the run ends [D4]", async () => {
    const cloud = new MemoryCloud(start);
    const calls: string[] = [];
    await startDrill(cloud.ports("hook", async (call) => void calls.push(call)));
    expect(calls.filter((call) => call.endsWith("before"))).toEqual([
      "read drill before",
      "write drill before",
      "write drill before",
      "set alarm before",
    ]);
    expect([cloud.drill, cloud.alarmStatesSet]).toEqual([
      { armedAt: start, startedAt: start },
      [{ alarmName, state: "ALARM" }],
    ]);
  });

  it("that comes back sends its page, writes its arrival, and resolves it at once [D4]", async () => {
    const cloud = await started();
    expect(await onAlarmEvent(cloud.ports("hook"), alarmName)).toBe(
      "the drill of 2026-01-05T09:00:00.000Z came through",
    );
    expect(cloud.drill).toEqual({ armedAt: start, startedAt: start, arrivedAt: start + 4_200 });
    expect(cloud.messages).toEqual([
      {
        page: {
          id: `drill-${start}`,
          dedupKey,
          severity: "warning",
          summary: "Tidegate dev: DRILL, nothing is wrong",
          detail: "alarm to page took 4.2 s; no traffic was touched",
          at: start + 4_200,
          runbook: "drill-missing",
        },
        environment: "dev",
        service: "tidegate-drill",
        region: "eu-west-1",
        links: [{ label: "runbook", target: "docs/runbooks/drill-missing.md" }],
        commands: [{ label: "once more", command: "npx tidegate drill --environment dev --region eu-west-1" }],
      },
      {
        ...cloud.messages[1],
        page: {
          ...cloud.messages[0]?.page,
          id: `drill-${start}-over`,
          action: "resolve",
          summary: "Tidegate dev: DRILL, nothing is wrong, over",
        },
      },
    ]);
    expect([cloud.ruleWrites, cloud.recordWrites]).toEqual([[], []]);
  });

  it("that comes back twice, or with nobody waiting, sends nothing more [D4]", async () => {
    const cloud = await started();
    await drillArrived(cloud.ports("hook"));
    expect(await drillArrived(cloud.ports("hook"))).toBe(
      "the drill's alarm changed its state, and no drill is waiting for it",
    );
    expect(cloud.messages).toHaveLength(2);
    const idle = new MemoryCloud(start);
    await drillArrived(idle.ports("hook"));
    await armDrill(idle.ports("hook"));
    await drillArrived(idle.ports("hook"));
    expect(idle.messages).toEqual([]);
  });

  it("may be started again, and then waits again [D4]", async () => {
    const cloud = await started();
    await drillArrived(cloud.ports("hook"));
    cloud.nowMs += 60_000;
    await startDrill(cloud.ports("hook"));
    expect(await drillArrived(cloud.ports("hook"))).toBe("the drill of 2026-01-05T09:01:04.200Z came through");
    expect(cloud.pages.map((page) => page.dedupKey)).toEqual([
      dedupKey,
      `tidegate/dev/tidegate-drill/${start + 64_200}`,
    ]);
  });

  it.each([true, false])(
    "has not come through while any channel did not take its page (required: %s), and is tried again [D4]",
    async (isRequired) => {
      const cloud = await started();
      const ports = cloud.ports("hook");
      const failing: Ports = {
        ...ports,
        pager: {
          send: async () => ({
            deliveredTo: ["sns"],
            failed: [{ channel: "slack", isRequired, error: new Error("webhook gone") }],
          }),
        },
      };
      await expect(drillArrived(failing)).rejects.toMatchObject({
        name: "PageNotDeliveredError",
        message: "drill: not taken by slack: webhook gone",
      });
      expect(cloud.drill).not.toHaveProperty("arrivedAt");
      expect(await drillArrived(ports)).toMatch(/came through$/);
    },
  );

  it("is overdue after a week and a day [D4]", () => {
    expect(drillOverdueMilliseconds).toBe(691_200_000);
  });
});
