/** All ports as the program gets them, and who we are: endpoints come from the SDK's own variables alone. */
import { describe, expect, it } from "vitest";
import { defaultRunbookBase } from "../../core/runbooks.ts";
import { callerAccount } from "../../hooks/aws/caller-account.ts";
import { awsPorts } from "../../hooks/aws/ports.ts";
import { access, emulatorEndpoint, freshName } from "./emulators.ts";

emulatorEndpoint("AWS_ENDPOINT_URL");
emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");

describe("AWS ports against the emulators", () => {
  it("reach every service through the SDK's endpoint variables", async () => {
    const ports = awsPorts({
      ...access,
      tableName: freshName("no-table"),
      place: { environment: "production", region: access.region, runbookBase: defaultRunbookBase },
    });
    const query = { environment: "production", service: "checkout" };
    expect(await ports.records.read("checkout")).toBeUndefined();
    expect(await ports.alarms.describe([freshName("none")])).toEqual([]);
    expect(await ports.traffic.findMainRules({ listener: { loadBalancerName: freshName("none") }, ...query })).toEqual(
      [],
    );
  });

  it("name the caller's account, the one of ministack", async () => {
    expect(await callerAccount(access)).toBe("123456789012");
  });
});
