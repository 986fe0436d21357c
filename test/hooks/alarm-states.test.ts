import { describe, expect, it } from "vitest";
import type { WatchedAlarm } from "../../core/record.ts";
import { describeAll, portOf, readStates } from "../../hooks/alarm-states.ts";
import type { AlarmState, Ports } from "../../hooks/ports.ts";
import { aWatchedAlarm } from "../contract/a-record.ts";

const state = (alarmName: string): AlarmState => ({ alarmName, state: "ALARM", updatedAt: 1, actionsEnabled: true });
const alarm = (alarmName: string, watchedIn?: "prometheus" | "datadog") =>
  aWatchedAlarm(alarmName, watchedIn ? { watchedIn } : {});
const both = [alarm("hosts"), alarm("errors", "prometheus")];

function ports(parts: {
  readonly cloudWatch?: (names: readonly string[]) => Promise<AlarmState[]>;
  readonly elsewhere?: Ports["elsewhere"];
}): Pick<Ports, "alarms" | "elsewhere"> {
  const { cloudWatch = async (names) => names.map(state), elsewhere = {} } = parts;
  return {
    alarms: { describe: cloudWatch, values: async () => [], setState: async () => {} },
    elsewhere,
  };
}
const prometheus = {
  describe: async (alarms: readonly WatchedAlarm[]) => alarms.map(({ alarmName }) => state(alarmName)),
  reported: async () => ({ requests: undefined, errors: undefined }),
  windows: async () => [],
  counted: async () => ({}),
};

describe("states of alarms wherever they are watched", () => {
  it("asks each system for its own alone [D2]", async () => {
    const read = await readStates(ports({ elsewhere: { prometheus } }), both);
    expect(read).toEqual({ states: [state("hosts"), state("errors")], unread: [], failures: [] });
  });

  it("names what a system did not answer, and keeps what another one says [D2]", async () => {
    const error = new Error("no answer within 2000 ms");
    const broken = { ...prometheus, describe: async () => Promise.reject(error) };
    const read = await readStates(ports({ elsewhere: { prometheus: broken } }), both);
    expect(read).toEqual({ states: [state("hosts")], unread: ["errors"], failures: [{ system: "prometheus", error }] });
    await expect(describeAll(ports({ elsewhere: { prometheus: broken } }), both)).rejects.toBe(error);
  });

  it("fails by name where the environment has no way to a system [D2]", async () => {
    await expect(describeAll(ports({}), both)).rejects.toThrow(
      "prometheus: the state of 1 alarm(s) cannot be read, got no way to ask it; expected alerting.grafana in the config of the foundation. Run up there",
    );
    expect(() => portOf({ elsewhere: {} }, "datadog", "what releases report")).toThrow(
      "datadog: what releases report cannot be read, got no way to ask it; expected alerting.datadog in the config of the foundation. Run up there",
    );
  });

  it("takes CloudWatch's answer that was read before, without the alarms of others [D2]", async () => {
    const never = async () => Promise.reject(new Error("asked all the same"));
    const read = await readStates(ports({ cloudWatch: never }), [alarm("hosts")], [state("hosts"), state("other")]);
    expect(read.states).toEqual([state("hosts")]);
  });
});
