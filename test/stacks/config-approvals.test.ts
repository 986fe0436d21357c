/** What people and other systems say, in the stack config: roles and sign-offs (C3), checks (E5), change freezes (C1). */
import { describe, expect, it } from "vitest";
import { completeWave } from "../../core/plans.ts";
import { readApprovals } from "../../stacks/config/approvals.ts";
import { readChecks } from "../../stacks/config/checks.ts";
import { readFreezeConfig } from "../../stacks/config/freezes.ts";
import { readPlan } from "../../stacks/config/plan.ts";
import { Problems } from "../../stacks/config/problems.ts";
import { parseConfig } from "../../stacks/config.ts";
import { aConfig, aService } from "./config-builders.ts";

const plan = {
  name: "custom",
  watchAfterMinutes: 0,
  waves: [10, 100].map((exposurePercent) => completeWave({ exposurePercent, minimumSoakMinutes: 60 })),
};

describe("roles of a wave", () => {
  const rolesOf = (raw: unknown) => {
    const problems = new Problems();
    const read = readPlan(raw, ["plan"], { source: "emf", problems });
    return { roles: read?.waves.map(({ approvals }) => approvals), problems: problems.texts };
  };

  it("are asked for by a wave spelled out, and by a preset's that is changed [C3]", () => {
    const waves = [
      { exposurePercent: 20, soak: "1h" },
      { exposurePercent: 100, soak: "1h", approvals: ["sre", "product"] },
    ];
    expect(rolesOf({ waves })).toEqual({ roles: [undefined, ["sre", "product"]], problems: [] });
    expect(rolesOf({ preset: "rapid", waves: { 25: { approvals: ["sre", "sre"] } } })).toEqual({
      roles: [undefined, ["sre", "sre"], undefined],
      problems: [],
    });
    expect(rolesOf("migration").roles).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("are names, each that is none refused [C3]", () => {
    expect(rolesOf({ preset: "rapid", waves: { 25: { approvals: ["SRE", 3] } } }).problems).toEqual([
      'plan.waves.25.approvals[0]: not a role, got "SRE"; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter',
      "plan.waves.25.approvals[1]: not a role, got 3; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter",
    ]);
  });
});

describe("sign-offs", () => {
  const read = (raw: unknown) => {
    const problems = new Problems();
    return { approvals: readApprovals(raw, ["approvals"], problems), problems: problems.texts };
  };
  const signature = { wave: 25, role: "sre", by: "Ann", at: "2026-11-22T10:00:00Z", release: "2.4.0", attempt: 1 };

  it("are read with their instant, with and without the bytes that they are for [C3]", () => {
    const at = Date.UTC(2026, 10, 22, 10);
    const approval = { wavePercent: 25, role: "sre", by: "Ann", at, version: "2.4.0", attempt: 1 };
    expect(read([signature, { ...signature, at: "2026-11-22T11:00+01:00", digest: "sha256:b" }])).toEqual({
      approvals: [approval, { ...approval, digest: "sha256:b" }],
      problems: [],
    });
    expect(read(undefined)).toEqual({ approvals: undefined, problems: [] });
    expect(read([])).toEqual({ approvals: [], problems: [] });
  });

  it("are refused with every fault of every one at once [C3, B11]", () => {
    expect(
      read([
        { ...signature, wave: 0, role: "S R E", by: " ", at: "2026-11-22T10:00:00", release: 2.3, attempt: "1" },
        { ...signature, reason: "fine" },
        "Ann",
      ]).problems,
    ).toEqual([
      "approvals[0].wave: must be a whole number of percent, got 0; expected 1 to 100",
      'approvals[0].role: not a role, got "S R E"; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter',
      'approvals[0].by: not a name, got " "; expected who signs, one line of 1 to 100 characters',
      'approvals[0].at: not an instant, got "2026-11-22T10:00:00"; expected a time with its zone such as 2026-11-22T10:00:00Z',
      'approvals[0].release: a number, got 2.3; expected a text such as "2.30". Put the version in quotes',
      'approvals[0].attempt: must be a whole number in range, got "1"; expected 1 to 1000',
      "approvals[1].reason: unknown key; expected wave, role, by, at, release, digest or attempt",
      'approvals[2]: must be a map, got "Ann"; expected a map',
    ]);
    expect(read({ sre: "Ann" }).problems).toEqual([
      "approvals: must be a list, got a map; expected a list of signatures. Put a hyphen before each",
    ]);
  });
});

describe("checks", () => {
  const read = (raw: unknown, folder: string | undefined = "/stack") => {
    const problems = new Problems();
    const context = { plan, problems, ...(folder === "" ? {} : { folder }) };
    return { checks: readChecks(raw, ["checks"], context), problems: problems.texts };
  };

  it("name a file beside the stack's, the first wave and a day by default [E5]", () => {
    expect(
      read([
        { name: "smoke", file: "results/smoke.json" },
        { name: "load", file: "/tmp/load.json", before: [10, 100], maximumAge: "2h" },
      ]),
    ).toEqual({
      checks: [
        {
          name: "smoke",
          file: "results/smoke.json",
          path: "/stack/results/smoke.json",
          wavePercents: [10],
          maximumAgeMinutes: 1_440,
        },
        {
          name: "load",
          file: "/tmp/load.json",
          path: "/tmp/load.json",
          wavePercents: [10, 100],
          maximumAgeMinutes: 120,
        },
      ],
      problems: [],
    });
    expect(read(undefined)).toEqual({ checks: undefined, problems: [] });
  });

  it("are refused with every fault at once [E5, B11]", () => {
    expect(
      read([
        { name: "smoke", file: "a.json", before: [10, 10, 25] },
        { name: "smoke", file: "b.json", before: [], maximumAge: 24 },
        { file: "c.json", wave: 10 },
      ]).problems,
    ).toEqual([
      "checks[0].before[1]: named twice, got 10; expected each wave once",
      "checks[0].before[2]: not in the plan, got 25; expected 10 or 100",
      "checks[1].maximumAge: units missing, got 24; expected a duration such as 24h. Write the unit: 24s, 24m, 24h or 24d",
      'checks[1].name: named twice, got "smoke"; expected each check once',
      "checks[1].before: no waves, so nothing would wait for it; expected at least one. Leave before out for the first wave",
      "checks[2].wave: unknown key; expected name, file, before or maximumAge",
      "checks[2].name: missing; expected at most 32 characters: lower-case letters, digits and single inner hyphens, starting with a letter",
    ]);
  });

  it("cannot name a file where the config was read from none [E5]", () => {
    expect(read([{ name: "smoke", file: "a.json" }], "").problems).toEqual([
      'checks[0].file: a file, and this config was read from none, got "a.json"; expected no file. Leave the check out here',
    ]);
  });
});

describe("change freezes", () => {
  const weekend = { name: "weekend", timeZone: "Europe/Berlin", from: "Fri 16:00", to: "Mon 08:00" };

  it("are the policy's calendar, and its words for what is wrong [C1]", () => {
    const problems = new Problems();
    expect(readFreezeConfig([weekend], ["freezes"], problems)).toEqual([weekend]);
    expect(readFreezeConfig(undefined, ["freezes"], problems)).toBeUndefined();
    expect(problems.texts).toEqual([]);
    expect(readFreezeConfig([{ ...weekend, to: "Mon" }], ["freezes"], problems)).toBeUndefined();
    expect(problems.texts).toEqual([
      'freezes[0].to: not a time, got "Mon"; expected a local time such as 2026-12-18T16:00, or a time of the week such as Fri 16:00. No zone here',
    ]);
  });

  it("are an environment's, and signatures a service's [C1, C3]", () => {
    const approvals = [{ wave: 25, role: "sre", by: "Ann", at: "2026-11-22T10:00:00Z", release: "2.4.0", attempt: 1 }];
    const config = parseConfig(aConfig({ freezes: [weekend] }, { checkout: aService({ approvals }) }));
    expect(config.freezes).toEqual([weekend]);
    expect(config.services[0]?.approvals).toHaveLength(1);
    expect(() => parseConfig(aConfig({ freezes: {} }))).toThrow(
      "freezes: not a list, got {}; expected a list of windows. Write []",
    );
  });
});
