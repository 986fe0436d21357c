/** Change freezes in the gate (C1), and that neither they nor signatures are lifted by a reason. */
import { describe, expect, it } from "vitest";
import { freezeFindings } from "../../../core/gate/change-freeze.ts";
import type { SoakEvidence } from "../../../core/gate/evidence.ts";
import { aFullRecord } from "../../contract/a-record.ts";
import { said } from "./said.ts";

const now = Date.UTC(2026, 0, 5, 10);
const weekend = { name: "weekend", endsAt: "2026-01-05 12:00 Europe/Berlin" };

describe("a change freeze", () => {
  it("waits until its end, each by its name [C1]", () => {
    expect(freezeFindings([weekend])).toEqual([
      {
        rule: "change-freeze",
        verdict: "monitor",
        text: "change freeze weekend is in force until 2026-01-05 12:00 Europe/Berlin; no wave opens before",
      },
    ]);
    expect(freezeFindings([])).toEqual([
      { rule: "change-freeze", verdict: "promote", text: "no change freeze is in force" },
    ]);
    expect(freezeFindings(undefined)).toEqual([]);
  });
});

describe("an override", () => {
  const { paused: _paused, ...full } = aFullRecord();
  const record = { ...full, breaches: {}, holds: {}, alarms: [] };
  const evidence: SoakEvidence = { canaryRequests: 0, watchedFraction: 0, fellSilent: false, alarmsInAlarm: [] };
  const verdict = (change: Partial<SoakEvidence>) =>
    said(record, "sha256:none", { ...evidence, ...change }, now, "an emergency");

  it("lifts a check, and neither a change freeze nor a signature [C1, C3, E5]", () => {
    expect(
      verdict({ checks: { version: "2.4.0", asked: [{ name: "smoke", maximumAgeMinutes: 60 }], results: [] } }),
    ).toEqual({
      kind: "promote",
      reasons: [],
    });
    expect(verdict({ freezes: [weekend] }).kind).toBe("monitor");
    expect(
      verdict({ approvals: { wavePercent: 10, version: "2.4.0", attempt: 1, roles: ["sre"], given: [] } }).kind,
    ).toBe("monitor");
  });
});
