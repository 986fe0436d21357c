/** Sign-offs (C3): what counts for which wave, whose signature it is, and what is said of those that count for nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { approvalFindings, rolesAsked, signOff } from "../../../core/gate/approvals.ts";
import type { Approval } from "../../../core/gate/evidence.ts";
import { planPresets } from "../../../core/plans.ts";
import type { Hold } from "../../../core/record.ts";
import { aFullRecord } from "../../contract/a-record.ts";

const now = Date.UTC(2026, 0, 5, 10);
const hour = 60 * 60_000;
const digest = "sha256:new";

function signed(role: string, by: string, change: Partial<Approval> = {}): Approval {
  return { wavePercent: 25, role, by, at: now - hour, version: "2.4.0", attempt: 1, ...change };
}

const asked = (roles: readonly string[], ...given: Approval[]) => ({
  wavePercent: 25,
  version: "2.4.0",
  attempt: 1,
  roles,
  given,
});
const textsOf = (findings: readonly { readonly text: string }[]) => findings.map(({ text }) => text);

describe("sign-offs", () => {
  it("asks nobody where the wave names no role [C3]", () => {
    expect(approvalFindings(undefined, digest, now)).toEqual([]);
    expect(approvalFindings(asked([], signed("sre", "Ann")), digest, now)).toEqual([]);
  });

  it("is met when every role is signed by another person [C3]", () => {
    expect(
      approvalFindings(asked(["sre", "product"], signed("product", "Ben"), signed("sre", "Ann")), digest, now),
    ).toEqual([
      {
        rule: "approvals",
        verdict: "promote",
        text: "wave 25 is signed by Ann for sre (2026-01-05T09:00:00.000Z), Ben for product (2026-01-05T09:00:00.000Z)",
      },
    ]);
  });

  it("waits for each role that nobody signed for [C3]", () => {
    expect(approvalFindings(asked(["sre", "product"], signed("sre", "Ann")), digest, now)).toEqual([
      {
        rule: "approvals",
        verdict: "monitor",
        text: "wave 25 waits for product to sign for release 2.4.0, attempt 1; got Ann for sre (2026-01-05T09:00:00.000Z). Add the signature to the service's approvals",
      },
    ]);
  });

  it.each<[string, Approval, string]>([
    ["another release", signed("sre", "Ann", { version: "2.3.9" }), "Ann for sre (signed for release 2.3.9)"],
    ["other bytes", signed("sre", "Ann", { digest: "sha256:old" }), "Ann for sre (signed for digest sha256:old)"],
    ["another attempt", signed("sre", "Ann", { attempt: 2 }), "Ann for sre (signed for attempt 2)"],
    ["another wave", signed("sre", "Ann", { wavePercent: 10 }), "Ann for sre (signed for wave 10)"],
    ["a role that is not asked", signed("qa", "Ann"), "Ann for qa (the wave asks for no qa)"],
    [
      "the future",
      signed("sre", "Ann", { at: now + 1 }),
      "Ann for sre (signed at 2026-01-05T10:00:00.001Z, which is still to come)",
    ],
    [
      "no instant",
      signed("sre", "Ann", { at: Number.NaN }),
      "Ann for sre (signed at no instant, which is still to come)",
    ],
  ])("counts a signature of %s for nothing, and names it [C3]", (_what, approval, named) => {
    expect(textsOf(approvalFindings(asked(["sre"], approval), digest, now))).toEqual([
      `wave 25 waits for sre to sign for release 2.4.0, attempt 1; got nobody; what counts for nothing: ${named}. Add the signature to the service's approvals`,
    ]);
  });

  it("takes a signature of now, and one for these very bytes [C3]", () => {
    const approval = signed("sre", "Ann", { at: now, digest });
    expect(approvalFindings(asked(["sre"], approval), digest, now)[0]?.verdict).toBe("promote");
  });

  it("counts two signatures of one role by one person once, whatever the spelling [C3]", () => {
    const result = signOff(
      ["sre", "sre"],
      [signed("sre", "Ann Lee"), signed("sre", " ann  LEE ")],
      { wavePercent: 25, version: "2.4.0", digest, attempt: 1 },
      now,
    );
    expect(result.missing).toEqual(["sre"]);
    expect(result.signed.map(({ by }) => by)).toEqual(["Ann Lee"]);
  });

  it("lets one person sign for one role of a wave alone [C3]", () => {
    expect(
      textsOf(approvalFindings(asked(["sre", "product"], signed("sre", "Ann"), signed("product", "Ann")), digest, now)),
    ).toEqual([
      "wave 25 waits for product to sign for release 2.4.0, attempt 1; got Ann for sre (2026-01-05T09:00:00.000Z); what counts for nothing: Ann for product (one person signs for one role of a wave). Add the signature to the service's approvals",
    ]);
  });

  it("gives a role to somebody else where that lets everybody count [C3]", () => {
    const given = [signed("sre", "Ann"), signed("product", "Ann"), signed("sre", "Ben")];
    expect(approvalFindings(asked(["sre", "product"], ...given), digest, now)).toMatchObject([
      { verdict: "promote", text: expect.stringContaining("Ben for sre") },
    ]);
  });

  it("does not name what was signed for the rollout's other waves [C3]", () => {
    const given = [signed("sre", "Ann", { wavePercent: 10 }), signed("sre", "Ann")];
    expect(textsOf(approvalFindings(asked(["sre"], ...given), digest, now))).toEqual([
      "wave 25 is signed by Ann for sre (2026-01-05T09:00:00.000Z)",
    ]);
  });

  it("counts a signature from before the attempt's newest hold for nothing, acknowledged or not [C3, B5]", () => {
    const hold: Hold = {
      id: "hold-1",
      scope: "digest",
      digest,
      at: now - hour / 2,
      cause: "breach",
      detail: "error-rate",
      response: "halve",
      targetPercent: 12,
      attempt: 1,
      acknowledged: { by: "Ann", reason: "one bad host", at: now - hour / 4 },
    };
    const held = { holds: { "hold-1": hold } };
    expect(textsOf(approvalFindings(asked(["sre"], signed("sre", "Ann")), digest, now, held))).toEqual([
      "wave 25 waits for sre to sign for release 2.4.0, attempt 1; got nobody; what counts for nothing: Ann for sre (signed at 2026-01-05T09:00:00.000Z, before the hold of 2026-01-05T09:30:00.000Z). Add the signature to the service's approvals",
    ]);
    const after = signed("sre", "Ann", { at: now - 1 });
    expect(approvalFindings(asked(["sre"], after), digest, now, held)[0]?.verdict).toBe("promote");
    const earlier = { holds: { "hold-1": { ...hold, attempt: 2 } } };
    expect(approvalFindings(asked(["sre"], signed("sre", "Ann")), digest, now, earlier)[0]?.verdict).toBe("promote");
  });

  it("fills as many roles as any way of giving them out could [C3]", () => {
    const roles = ["a", "b", "c"];
    const approval = fc.record({ role: fc.constantFrom(...roles), by: fc.constantFrom("Ann", "Ben", "Cem") });
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...roles), { maxLength: 4 }),
        fc.array(approval, { maxLength: 6 }),
        (asks, said) => {
          const given = said.map(({ role, by }) => signed(role, by));
          const { signed: found, missing } = signOff(
            asks,
            given,
            { wavePercent: 25, version: "2.4.0", digest, attempt: 1 },
            now,
          );
          expect(new Set(found.map(({ by }) => by)).size).toBe(found.length);
          expect([...found.map(({ role }) => role), ...missing].sort()).toEqual([...asks].sort());
          expect(found.length).toBe(mostFilled(asks, said));
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });
});

/** By trying everything. */
function mostFilled(
  asks: readonly string[],
  said: readonly { readonly role: string; readonly by: string }[],
  taken: readonly string[] = [],
): number {
  const [first, ...rest] = asks;
  if (first === undefined) return 0;
  const people = [...new Set(said.filter(({ role, by }) => role === first && !taken.includes(by)).map(({ by }) => by))];
  return Math.max(mostFilled(rest, said, taken), ...people.map((by) => 1 + mostFilled(rest, said, [...taken, by])));
}

describe("roles of a wave", () => {
  const withRoles = (...approvals: string[]) => ({
    ...planPresets.steady,
    waves: planPresets.steady.waves.map((wave) => (wave.exposurePercent === 25 ? { ...wave, approvals } : wave)),
  });
  const record = {
    ...aFullRecord(),
    plan: withRoles("sre", "product"),
    canary: { digest, attempt: 1, exposurePercent: 10, waveOpenedAt: now, servedPercents: [] },
  };

  it("are those of the plan, and what the rollout began with asked for besides [C3]", () => {
    expect(rolesAsked(withRoles("sre"), 25, undefined)).toEqual(["sre"]);
    expect(rolesAsked(withRoles("sre"), 25, record)).toEqual(["sre", "product"]);
    expect(rolesAsked(withRoles("qa", "sre", "sre"), 25, record)).toEqual(["qa", "sre", "sre", "product"]);
    expect(rolesAsked(withRoles("sre"), 50, record)).toEqual([]);
  });

  it("may change before the first wave has opened [C3]", () => {
    const staged = { ...record, canary: { ...record.canary, exposurePercent: 0 } };
    expect(rolesAsked(withRoles("sre"), 25, staged)).toEqual(["sre"]);
  });
});
