/** Which kind of targets the recorded alarms of a release were declared for: told only where no other kind would do (B1). */
import { describe, expect, it } from "vitest";
import { alarmsFor } from "../../core/alarms.ts";
import { alarmName, releaseKey } from "../../core/naming.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { TargetKind } from "../../core/watch-rules.ts";
import { recordedGroups } from "../../stacks/decide/recorded-groups.ts";
import { groupArnOf } from "../helpers/surveys.ts";
import { anAdoptedRelease, aService } from "../helpers/world.ts";

const blue = anAdoptedRelease("1.0.0", groupArnOf("blue"));
const hosts: TargetKind = { isLambda: false, hasHealthChecks: true };
const unchecked: TargetKind = { isLambda: true, hasHealthChecks: false };

function told(kind: TargetKind, source: "alb" | "emf", change: { adopted?: boolean; alarms?: "fewer" } = {}) {
  const service = aService({ source });
  const specs = alarmsFor(service.objectives, source, kind).slice(change.alarms === "fewer" ? 1 : 0);
  const alarms = specs.map(({ key }) => ({
    alarmName: alarmName("dev", service.name, releaseKey(blue), key),
    digest: blue.digest,
  }));
  const release = { ...blue, adopted: change.adopted ?? true };
  const record = { alarms, releases: { [blue.digest]: release } } as unknown as RolloutRecord;
  return recordedGroups("dev", service, record);
}

describe("groups by the record", () => {
  it("tells a function without health checks by the alarm that is missing [B1]", () => {
    const lambda = { [groupArnOf("blue")]: { targetType: "lambda", healthChecksEnabled: false } };
    expect(told(unchecked, "alb")).toEqual(lambda);
    expect(told(unchecked, "emf")).toEqual(lambda);
  });

  it("tells nothing where a function with health checks would have alarms of the same names and other metrics [B1]", () => {
    expect(told(hosts, "alb")).toEqual({});
  });

  it("tells hosts where the service reports by itself, for then a function has the same alarms [B1]", () => {
    expect(told(hosts, "emf")).toEqual({ [groupArnOf("blue")]: { targetType: "ip", healthChecksEnabled: true } });
  });

  it("tells nothing by alarms that no kind explains, of groups that the program makes, or without a record", () => {
    expect(told(unchecked, "alb", { alarms: "fewer" })).toEqual({});
    expect(told(unchecked, "alb", { adopted: false })).toEqual({});
    expect(recordedGroups("dev", aService(), undefined)).toEqual({});
  });
});
