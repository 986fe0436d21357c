/** A release's checklist (C4): what the record, the config and the gate tick, what they leave open with a reason, and what is a person's. */
import { describe, expect, it } from "vitest";
import { type ChecklistConfig, type ChecklistFound, checklistOf } from "../../core/checklist.ts";
import { gateRules } from "../../core/gate/verdict.ts";
import { planPresets } from "../../core/plans.ts";
import type { RolloutRecord } from "../../core/record.ts";
import { holdKey } from "../../core/releases.ts";
import { aFullRecord, aWatchedAlarm } from "../contract/a-record.ts";

const now = Date.UTC(2026, 0, 20, 10);
const release = { version: "2.4.0", digest: "sha256:new" };
const plan = {
  ...planPresets.steady,
  waves: planPresets.steady.waves.map((wave) => (wave.exposurePercent === 25 ? { ...wave, approvals: ["sre"] } : wave)),
};
const config: ChecklistConfig = {
  service: "checkout",
  environment: "production",
  mode: "act",
  release,
  attempt: 1,
  plan,
  approvals: [{ wavePercent: 25, role: "sre", by: "Ann", at: now - 1, version: "2.4.0", attempt: 1 }],
  checks: [{ name: "smoke", wavePercents: [10, 25] }],
  keepsErrorBudget: true,
  reaches: { pages: true, chat: true, dashboard: true },
};

function recordAt(exposurePercent: number, change: Partial<RolloutRecord> = {}): RolloutRecord {
  const { paused: _paused, ...full } = aFullRecord();
  return {
    ...full,
    plan,
    canary: { digest: release.digest, attempt: 1, exposurePercent, waveOpenedAt: now, servedPercents: [] },
    alarms: [aWatchedAlarm("one", { digest: release.digest })],
    breaches: {},
    holds: {},
    ...change,
  };
}

const allMet = gateRules.map((rule) => ({ word: "met" as const, rule, text: `${rule} is fine` }));

/** `[x] text (note)` by section. */
function told(found: ChecklistFound, change: Partial<ChecklistConfig> = {}): Record<string, string[]> {
  const { sections } = checklistOf({ ...config, ...change }, found);
  return Object.fromEntries(
    sections.map(({ title, items }) => [
      title,
      items
        .filter(({ state }) => state !== "person")
        .map(
          ({ text, state, note }) =>
            `${state === "done" ? "[x]" : "[ ]"} ${text}${note === undefined ? "" : ` (${note})`}`,
        ),
    ]),
  );
}

describe("a release's checklist", () => {
  it("has a section before, one for each wave, and one afterwards [C4]", () => {
    expect(checklistOf(config, { now }).sections.map(({ title }) => title)).toEqual([
      "Before the release",
      "Wave 10 %",
      "Wave 25 %",
      "Wave 50 %",
      "Wave 100 %",
      "Afterwards",
    ]);
  });

  it("ticks at 10 % what is measured there, and asks for what comes before 25 % [C4]", () => {
    const lists = told({ record: recordAt(10), findings: allMet, now });
    expect(lists["Before the release"]).toEqual([
      "[x] The release is named by its bytes, not by a tag (sha256:new)",
      "[x] The hook may act",
      "[x] Somebody on call is paged",
      "[x] Critical alerts and warnings reach a channel",
      "[x] A dashboard shows the rollout",
      "[x] Alarms stand for the release (1 of them)",
      "[x] There is a known-good release to go back to (2.3.1)",
      "[x] Nothing holds or pauses it",
      "[x] The error budget has a tenth left (error-budget is fine)",
    ]);
    expect(lists["Wave 10 %"]).toEqual([
      "[x] Checks before it pass: smoke (the wave has opened)",
      "[x] No change freeze is in force (the wave has opened)",
      "[x] It is open (the record says 10 %)",
      "[x] Its soak of 1440 min is served (soak is fine)",
      "[x] It was seen by enough requests for alarms and comparisons to speak (requests is fine; visibility is fine)",
      "[x] No alarm and no breach (breach is fine; alarm is fine)",
      "[x] Errors and latency hold beside the baseline (errors is fine; latency is fine; health-score is fine)",
    ]);
    expect(lists["Wave 25 %"]?.slice(0, 4)).toEqual([
      "[x] sre has signed for it (Ann, 2026-01-20T09:59:59.999Z)",
      "[x] Checks before it pass: smoke (checks is fine)",
      "[x] No change freeze is in force (change-freeze is fine)",
      "[ ] It is open (the record says 10 %)",
    ]);
    expect(lists["Wave 50 %"]?.[0]).toBe("[ ] No change freeze is in force (not its turn yet)");
    expect(lists["Wave 50 %"]?.slice(1).every((line) => line.startsWith("[ ] "))).toBe(true);
    expect(lists.Afterwards).toEqual([
      "[ ] The baseline is 2.4.0 (the record's baseline is another release)",
      "[ ] It has been stable for 30 days (it has not finished)",
      "[ ] No breach is open and nothing holds it (it has not finished)",
    ]);
  });

  it("leaves open what the gate does not find met, a lifted rule too, with its words [C4, B8]", () => {
    const findings = [
      { word: "waits" as const, rule: "soak" as const, text: "soak at 10 % served 5 of 1440 min" },
      { word: "cannot tell" as const, rule: "requests" as const, text: "3 requests" },
      { word: "met" as const, rule: "visibility" as const, text: "seen" },
      { word: "lifted" as const, rule: "checks" as const, text: "check smoke has 0 results" },
    ];
    const lists = told({ record: recordAt(10), findings, now });
    expect(lists["Wave 10 %"]?.slice(3)).toEqual([
      "[ ] Its soak of 1440 min is served (waits: soak at 10 % served 5 of 1440 min)",
      "[ ] It was seen by enough requests for alarms and comparisons to speak (cannot tell: 3 requests)",
      "[ ] No alarm and no breach (the gate was not asked for it)",
      "[ ] Errors and latency hold beside the baseline (the gate was not asked for it)",
    ]);
    expect(lists["Wave 25 %"]?.[1]).toBe("[ ] Checks before it pass: smoke (lifted: check smoke has 0 results)");
  });

  it("ticks nothing that a record would tell where none was read [C4]", () => {
    const lists = told({ now });
    for (const title of ["Wave 10 %", "Wave 50 %", "Wave 100 %", "Afterwards"]) {
      expect(lists[title]?.filter((line) => line.startsWith("[x]"))).toEqual([]);
    }
    expect(lists["Wave 10 %"]).toContain("[ ] It is open (there is no record yet, or it was not read)");
  });

  it("says what the config leaves out, and leaves to a person what another stack's says [C4]", () => {
    const lists = told(
      { record: recordAt(0), findings: allMet, now },
      {
        mode: "observe",
        reaches: { pages: false, chat: false, dashboard: false },
        keepsErrorBudget: false,
        checks: [],
        ladderBelow: "org/tidegate/staging",
      },
    );
    expect(lists["Before the release"]?.filter((line) => line.startsWith("[ ]"))).toEqual([
      "[ ] The hook may act (mode is observe: it would only tell)",
      "[ ] Somebody on call is paged (alerting has no pagerduty and no email)",
      "[ ] Critical alerts and warnings reach a channel (alerting has no slack)",
      "[ ] A dashboard shows the rollout (alerting has neither dashboard nor grafana)",
      "[ ] The error budget has a tenth left (none is kept: burnRate is not set)",
    ]);
    expect(lists["Before the release"]).toContain("[x] It finished healthy in org/tidegate/staging (ladder is fine)");
    const { reaches: _reaches, ...elsewhere } = config;
    const [before] = checklistOf(elsewhere, { now }).sections;
    expect(before?.items.find(({ text }) => text === "Somebody on call is paged")?.state).toBe("person");
  });

  it("names a sign-off that is missing, and what counts for nothing [C3, C4]", () => {
    const [approval] = config.approvals;
    const approvals = approval ? [{ ...approval, version: "2.3.9" }] : [];
    expect(told({ record: recordAt(10), findings: allMet, now }, { approvals })["Wave 25 %"]?.[0]).toBe(
      "[ ] sre has signed for it (what counts for nothing: Ann for sre (signed for release 2.3.9))",
    );
    expect(told({ record: recordAt(10), findings: allMet, now }, { approvals: [] })["Wave 25 %"]?.[0]).toBe(
      "[ ] sre has signed for it (no signature)",
    );
  });

  it("is ticked afterwards by the record: the baseline, the days since, and what stood against it [C4]", () => {
    const at = now - 31 * 24 * 60 * 60_000;
    const { canary: _canary, ...done } = recordAt(100);
    const finished = {
      ...done,
      baseline: release.digest,
      finished: { [holdKey(release.digest)]: { version: "2.4.0", digest: release.digest, at, figures: {} } },
    };
    expect(told({ record: finished, now }).Afterwards).toEqual([
      "[x] The baseline is 2.4.0 (since 2025-12-20T10:00:00.000Z)",
      "[x] It has been stable for 30 days",
      "[x] No breach is open and nothing holds it",
    ]);
    expect(told({ record: finished, now: at + 1 }).Afterwards?.[1]).toBe(
      "[ ] It has been stable for 30 days (until 2026-01-19T10:00:00.000Z)",
    );
    const hold = {
      id: "hold-9",
      scope: "digest" as const,
      digest: release.digest,
      at: at + 1,
      cause: "kill" as const,
      detail: "by hand",
      response: "disable" as const,
      targetPercent: 0,
      attempt: 1,
    };
    expect(told({ record: { ...finished, holds: { "hold-9": hold } }, now }).Afterwards?.slice(1)).toEqual([
      "[ ] It has been stable for 30 days (held since: hold-9)",
      "[ ] No breach is open and nothing holds it (hold hold-9)",
    ]);
  });
});
