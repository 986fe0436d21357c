/**
 * Change freezes in the gate (C1): no wave opens in one, whatever reason is given; lowering, and a finish, which moves no traffic, go on.
 * The calendar is `freeze-calendar.ts`, the one that the policy reads.
 */
import type { SoakEvidence } from "./evidence.ts";
import { cannotTell, type Finding, met } from "./verdict.ts";

/** @param freezes those in force; `undefined`: no calendar is kept, or nothing is to rise. One that cannot be read may hold a freeze */
export function freezeFindings(freezes: SoakEvidence["freezes"]): Finding[] {
  if (freezes === undefined) return [];
  if ("unreadable" in freezes) {
    return [
      cannotTell("change-freeze", "nothing", `the calendar of change freezes cannot be read (${freezes.unreadable})`),
    ];
  }
  if (freezes.length === 0) return [met("change-freeze", "no change freeze is in force")];
  return freezes.map(({ name, endsAt }): Finding => {
    const text = `change freeze ${name} is in force until ${endsAt}; no wave opens before`;
    return { rule: "change-freeze", verdict: "monitor", text };
  });
}
