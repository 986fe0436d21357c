/** All services in one run: what is read for all, whose traffic goes first, and until when people are told. */
import { describe, expect, it } from "vitest";
import type { Hold } from "../../core/record.ts";
import type { Ports } from "../../hooks/ports.ts";
import { reconcileAll, reconcileService } from "../../hooks/reconcile.ts";
import { manyServices } from "../helpers/many-services.ts";
import { v2 } from "../helpers/world.ts";

const minute = 60_000;

/** Somebody has to look before the canary gets more; nothing is lowered. */
const aFreeze = (at: number): Hold => ({
  id: "h",
  scope: "service",
  digest: v2.digest,
  at,
  cause: "breach",
  detail: "",
  response: "freeze",
  targetPercent: 25,
  attempt: 1,
});

describe("all services in one run", () => {
  const two = () => manyServices({ services: 2, exposed: 2, alarmsEach: 16 });

  it("writes every service's traffic before anybody is told [B2, D4]", async () => {
    const many = await two();
    for (const name of many.services) many.breach(name);
    const calls: string[] = [];
    await reconcileAll(
      many.cloud.ports("hook", async (call) => {
        if (/^(write rule|page|write snapshot|heartbeat) after$/.test(call)) calls.push(call.replace(" after", ""));
      }),
    );
    expect(calls.slice(0, 4)).toEqual(["write rule", "write rule", "write rule", "write rule"]);
    expect(calls.slice(4).sort()).toEqual([
      "heartbeat",
      "heartbeat",
      "page",
      "page",
      "write snapshot",
      "write snapshot",
    ]);
    expect(many.services.map((name) => many.live(name))).toEqual([0, 0]);
  });

  it("reads alone what could not be read for all: a rule that is not ours blinds its own service only [B2]", async () => {
    const many = await two();
    for (const name of many.services) many.breach(name);
    const [bad = "", good = ""] = many.services;
    const ports = many.cloud.ports("hook");
    const asked: number[] = [];
    const readRules: typeof ports.traffic.readRules = async (arns) => {
      asked.push(arns.length);
      if (arns.includes(many.mainRule(bad))) throw new Error("its action is not ours");
      return ports.traffic.readRules(arns);
    };
    await expect(reconcileAll({ ...ports, traffic: { ...ports.traffic, readRules } })).rejects.toThrow(
      new RegExp(`^${bad}: its action is not ours`),
    );
    expect(asked.slice(0, 3)).toEqual([4, 2, 2]);
    expect([many.live(bad), many.live(good)]).toEqual([0, 0]);
    expect([...many.cloud.heartbeats.keys()]).toEqual([good]);
  });

  it.each(["alarms", "rules", "metrics"])("lowers though %s could not be read for all [B2]", async (what) => {
    const many = await two();
    for (const name of many.services) many.breach(name);
    let calls = 0;
    await reconcileAll(
      many.cloud.ports("hook", async (call) => {
        if (call === `${what} before` && ++calls === 1) throw new Error("throttled");
      }),
    );
    expect(many.services.map((name) => many.live(name))).toEqual([0, 0]);
  });

  it("looks afresh when the record changed since the run began: what was read ahead is old [B2]", async () => {
    const many = await two();
    const [first = ""] = many.services;
    many.breach(first);
    const fresh: string[] = [];
    let isMeddled = false;
    await reconcileAll(
      many.cloud.ports("hook", async (call) => {
        if (isMeddled && / before$/.test(call)) fresh.push(call.replace(" before", ""));
        if (call !== "write record before" || isMeddled) return;
        isMeddled = true;
        const record = many.record(first);
        many.cloud.records.set(first, JSON.stringify({ ...record, revision: record.revision + 1 }));
      }),
    );
    expect(fresh).toEqual(expect.arrayContaining(["read record", "rules", "alarms", "metrics"]));
    expect(many.live(first)).toBe(0);
  });

  it("gives no heartbeat to a retired service, nor to one it does not know [B8]", async () => {
    const many = await two();
    const [first = "", second = ""] = many.services;
    many.cloud.records.set(first, JSON.stringify({ ...many.record(first), retiredAt: 1 }));
    await reconcileAll(many.cloud.ports("hook"));
    await reconcileService(many.cloud.ports("hook"), "nobody");
    expect([...many.cloud.heartbeats.keys()]).toEqual([second]);
  });

  it.each([0, 5])(
    "never raises what a person left at %i percent: rules read for all are read again before a write [A4, B2]",
    async (percent) => {
      const many = await two();
      const [first = ""] = many.services;
      many.breach(first, "warning");
      const before = many.cloud.ruleWrites.length;
      let reads = 0;
      const ports = many.cloud.ports("hook", async (call) => {
        if (call === "rules after" && ++reads === 1) many.setLive(first, percent);
      });
      await reconcileAll(ports);
      expect(many.live(first)).toBeLessThanOrEqual(percent);
      const canary = many.record(first).releases[v2.digest]?.targetGroupArn ?? "";
      const written = many.cloud.ruleWrites.slice(before).map(({ weights }) => weights[canary] ?? 0);
      expect([written.length > 0, Math.max(...written)]).toEqual([true, percent]);
      for (let run = 0; run < 3; run += 1) {
        many.cloud.nowMs += minute;
        await reconcileAll(many.cloud.ports("hook"));
        expect(many.live(first)).toBeLessThanOrEqual(percent);
      }
      expect(many.record(first).canary?.exposurePercent).toBeLessThanOrEqual(percent);
    },
  );

  it("never raises it either when only stickiness is to be turned off beside a hold [A4, B2]", async () => {
    const many = await two();
    const [first = ""] = many.services;
    const record = many.record(first);
    many.cloud.records.set(
      first,
      JSON.stringify({ ...record, stickinessSeconds: 600, holds: { h: aFreeze(many.cloud.nowMs) } }),
    );
    const rule = many.cloud.rules.get(many.mainRule(first));
    if (!rule) throw new Error("no rule");
    many.cloud.rules.set(many.mainRule(first), { ...rule, stickinessSeconds: 600 });
    const { revision } = many.record(first);
    const before = many.cloud.ruleWrites.length;
    let reads = 0;
    await reconcileAll(
      many.cloud.ports("hook", async (call) => {
        if (call === "rules after" && ++reads === 1) many.setLive(first, 0, 600);
      }),
    );
    expect([many.live(first), many.record(first).revision]).toEqual([0, revision]);
    expect(many.cloud.ruleWrites.length).toBe(before + 1);
    expect(many.cloud.rules.get(many.mainRule(first))?.stickinessSeconds).toBeUndefined();
  });

  it("lowers by what was read for all when the second read fails: old is better than nothing [B2]", async () => {
    const many = await two();
    const [first = ""] = many.services;
    many.breach(first);
    let reads = 0;
    await reconcileAll(
      many.cloud.ports("hook", async (call) => {
        if (call === "rules before" && ++reads === 2) throw new Error("throttled");
      }),
    );
    expect(many.live(first)).toBe(0);
  });

  it("gives those with nothing to tell their heartbeats first, before any page is tried [B8, D4]", async () => {
    const many = await manyServices({ services: 24, exposed: 12, alarmsEach: 16 });
    for (const name of many.exposed) many.breach(name);
    const calls: string[] = [];
    const ports = many.cloud.ports("hook");
    await reconcileAll({
      ...ports,
      pager: {
        async send(message, deliveredTo) {
          calls.push(`page ${message.service}`);
          return ports.pager.send(message, deliveredTo);
        },
      },
      records: {
        ...ports.records,
        async writeHeartbeat(service, at) {
          calls.push(`beat ${service}`);
          await ports.records.writeHeartbeat(service, at);
        },
      },
    });
    const quiet = many.services.filter((name) => !many.exposed.includes(name));
    expect(calls.slice(0, 12)).toEqual(quiet.map((name) => `beat ${name}`));
    expect(calls.slice(12).filter((call) => call.startsWith("page"))).toHaveLength(12);
    expect(many.cloud.heartbeats.size).toBe(24);
  });

  it("tells people until 45 s after it began, names every page that waits, and tells them at the next run [D4]", async () => {
    const many = await manyServices({ services: 12, exposed: 12, alarmsEach: 16 });
    for (const name of many.services) many.breach(name);
    const start = many.cloud.nowMs;
    const ports = many.cloud.ports("hook");
    const sentAt: number[] = [];
    const send: Ports["pager"]["send"] = async (...sent) => {
      sentAt.push(many.cloud.nowMs - start);
      many.cloud.nowMs += 10_000;
      return ports.pager.send(...sent);
    };
    const failure = await reconcileAll({ ...ports, pager: { send } }).catch((error: unknown) => error);
    expect(sentAt).toEqual([0, 10_000, 20_000, 30_000, 40_000]);
    const waiting = many.services.slice(5);
    expect((failure as Error).message).toBe(
      waiting
        .map(
          (name) =>
            `${name}: ${name}: page error-rate-critical-${start}-to-0 waits for the next run: telling others took too long`,
        )
        .join("; "),
    );
    expect(many.services.map((name) => many.live(name))).toEqual(many.services.map(() => 0));
    expect([...many.cloud.heartbeats.keys()].sort()).toEqual(many.services.slice(0, 5));
    await reconcileAll(ports);
    expect(new Set(many.cloud.messages.map((message) => message.service)).size).toBe(12);
    expect(many.cloud.heartbeats.size).toBe(12);
  });

  it("looks at the clock between the pages of one service too, and keeps those that it did not try [D4]", async () => {
    const many = await two();
    const [first = ""] = many.services;
    const page = { dedupKey: "k", severity: "critical", summary: "s", detail: "d", at: many.cloud.nowMs } as const;
    const outbox = Array.from({ length: 7 }, (_, index) => ({ ...page, id: `p${index}` }));
    many.cloud.records.set(first, JSON.stringify({ ...many.record(first), outbox }));
    const ports = many.cloud.ports("hook");
    const send: Ports["pager"]["send"] = async (...sent) => {
      many.cloud.nowMs += 10_000;
      return ports.pager.send(...sent);
    };
    await expect(reconcileAll({ ...ports, pager: { send } })).rejects.toThrow(
      `${first}: ${first}: page p5 waits for the next run: telling others took too long; ${first}: page p6 waits for the next run: telling others took too long`,
    );
    expect(many.cloud.pages.map(({ id }) => id)).toEqual(["p0", "p1", "p2", "p3", "p4"]);
    expect(many.record(first).outbox.map(({ id }) => id)).toEqual(["p5", "p6"]);
    await reconcileAll(ports);
    expect(many.record(first).outbox).toEqual([]);
  });
});
