/** What is read for all services at once, and whose part fails when some of it cannot be. */
import { describe, expect, it } from "vitest";
import { readAhead } from "../../hooks/read-ahead.ts";
import { manyServices } from "../helpers/many-services.ts";

const estate = (services = 30) => manyServices({ services, exposed: services / 3, alarmsEach: 16 });

describe("reading ahead", () => {
  it("asks for alarms and counts once, and for rules twenty at a time", async () => {
    const many = await estate();
    const calls: string[] = [];
    const ports = many.cloud.ports("hook");
    const ahead = await readAhead(
      {
        ...ports,
        alarms: {
          ...ports.alarms,
          describe: async (names) => {
            calls.push(`${names.length} alarms`);
            return ports.alarms.describe(names);
          },
        },
        traffic: {
          ...ports.traffic,
          readRules: async (arns) => {
            calls.push(`${arns.length} rules`);
            return ports.traffic.readRules(arns);
          },
        },
        metrics: {
          ...ports.metrics,
          requestSums: async (queries, range) => {
            calls.push(`${queries.length} counts over ${(range.to - range.from) / 60_000} min`);
            return ports.metrics.requestSums(queries, range);
          },
        },
      },
      many.services,
    );
    expect(calls.sort()).toEqual(["20 rules", "20 rules", "20 rules", "30 counts over 5 min", "480 alarms"]);
    expect([...ahead.keys()]).toEqual(many.services);
    for (const [service, { record, ahead: own, failure }] of ahead) {
      expect([record?.service, failure, own.alarms?.length]).toEqual([service, undefined, 480]);
      expect(own.rules?.[many.mainRule(service)]).toEqual(many.cloud.rules.get(many.mainRule(service)));
      expect(own.sums?.[`${service}/canary`] !== undefined).toBe(many.exposed.includes(service));
    }
  });

  it("leaves the rules of one group out when one of them is not ours, and has the others", async () => {
    const many = await estate();
    const ports = many.cloud.ports("hook");
    const readRules: typeof ports.traffic.readRules = async (arns) => {
      if (arns.includes(many.mainRule("s015"))) throw new Error("its action is not ours");
      return ports.traffic.readRules(arns);
    };
    const ahead = await readAhead({ ...ports, traffic: { ...ports.traffic, readRules } }, many.services);
    const without = [...ahead].filter(([, { ahead: own }]) => own.rules === undefined).map(([service]) => service);
    expect(without).toEqual(many.services.slice(10, 20));
  });

  it.each(["alarms", "metrics"])("leaves %s out when they cannot be read, and has the rest", async (what) => {
    const many = await estate();
    const ports = many.cloud.ports("hook", async (call) => {
      if (call === `${what} before`) throw new Error("denied");
    });
    for (const { ahead: own } of (await readAhead(ports, many.services)).values()) {
      expect(Object.keys(own).sort()).toEqual(
        ["alarms", "rules", "sums"].filter((part) => part !== (what === "metrics" ? "sums" : what)),
      );
    }
  });

  it("keeps why one record could not be read, and reads nothing for it or for a retired one", async () => {
    const many = await estate(3);
    const ports = many.cloud.ports("hook");
    many.cloud.records.set("s001", JSON.stringify({ ...many.record("s001"), retiredAt: 1 }));
    const read: typeof ports.records.read = async (service) => {
      if (service === "s000") throw new Error("schema 2; expected 1");
      return ports.records.read(service);
    };
    const ahead = await readAhead({ ...ports, records: { ...ports.records, read } }, many.services);
    expect(ahead.get("s000")).toMatchObject({ record: undefined, failure: new Error("schema 2; expected 1") });
    expect(Object.keys(ahead.get("s002")?.ahead.rules ?? {}).sort()).toEqual([
      "arn:rule/s002/main",
      "arn:rule/s002/tester",
    ]);
    expect(ahead.get("s002")?.ahead.alarms).toHaveLength(16);
  });

  it("reports a service that is listed and has no record any more", async () => {
    const many = await estate(3);
    const ahead = await readAhead(many.cloud.ports("hook"), ["gone"]);
    expect(ahead.get("gone")?.failure).toEqual(
      new Error("gone: it is listed, and its record is gone; restore the table"),
    );
  });

  it("asks for nothing at all without services", async () => {
    const many = await estate(3);
    const calls: string[] = [];
    const ports = many.cloud.ports("hook", async (call) => void calls.push(call));
    expect([...(await readAhead(ports, []))]).toEqual([]);
    expect(calls.filter((call) => call === "rules before" || call === "metrics before")).toEqual([]);
  });
});
