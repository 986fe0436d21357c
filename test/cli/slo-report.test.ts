/** `tidegate report`: from files without an account, in three formats, every problem at once (D6, B11). */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../cli/command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const csv = "docs/examples/report/checkout.csv";
const history = "docs/examples/report/checkout-history.json";

async function run(...words: string[]) {
  const [said, complained]: [string[], string[]] = [[], []];
  const code = await runCommand(["report", ...words], {
    out: (text) => said.push(text),
    error: (text) => complained.push(text),
    directory: root,
    colours: false,
  });
  return { code, out: said.join("\n"), error: complained.join("\n") };
}

describe("report from a CSV", () => {
  it("prints JSON of the same report, for the week that the file ends in or another [D6]", async () => {
    const { code, out } = await run("--csv", csv, "--history", history, "--objectives", "web", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      schemaVersion: 1,
      kind: "week",
      label: "2026-W47",
      services: [
        { service: "checkout", figures: { finished: 1, rolledBack: 1 }, budget: { periodDays: 28, errors: 3_150 } },
      ],
    });
    const other = JSON.parse((await run("--csv", csv, "--objectives", "web", "--json", "--week", "2026-W46")).out);
    expect([other.label, other.services[0].gaps[0]]).toEqual([
      "2026-W46",
      "its history was not given, so rollouts and incidents are not known",
    ]);
  });

  it("prints a page with its picture inside [D6]", async () => {
    const { code, out } = await run("--csv", csv, "--objectives", "web", "--html");
    expect(code).toBe(0);
    expect(out).toMatch(/^<!DOCTYPE html>/);
    expect(out).toContain(
      '<div role="img" aria-label="Error budget of checkout over 28 days: 33.8 % left on 2026-11-23"',
    );
    expect(out).toMatch(/<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  });

  it("takes targets and budget days from a stack's config, and its environment [C2, D6]", async () => {
    const { code, out } = await run("--csv", csv, "--history", history, "--stack", "dev", "--json");
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect([report.environment, report.services.length]).toEqual(["dev", 1]);
    const preset = JSON.parse((await run("--csv", csv, "--history", history, "--objectives", "web", "--json")).out);
    // The dev stack promises what the preset does.
    expect(report.services).toEqual(preset.services);
    expect(preset.environment).toBe("from a CSV");
  });

  it("refuses a service that a stack's config does not have, and objectives said twice, exit code 2 [B11]", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-report-"));
    const other = join(folder, "other.csv");
    writeFileSync(other, "timestamp,service,requests,errors\n2026-11-16T00:00:00Z,search,100,0\n");
    const unknown = await run("--csv", other, "--stack", "dev");
    expect([unknown.code, unknown.error.split("\n").slice(1)]).toEqual([
      2,
      [
        `  ${other}: service search is not in the stack's config; expected its services alone, or --service, or --objectives`,
      ],
    ]);
    const twice = await run("--csv", csv, "--stack", "dev", "--objectives", "web");
    expect([twice.code, twice.error.split("\n").slice(1)]).toEqual([
      2,
      ["  --objectives: says them a second time beside --stack; expected one of the two. Leave one out"],
    ]);
    const none = await run("--csv", csv, "--stack", "nowhere");
    expect([none.code, none.error.split("\n").slice(1)]).toEqual([
      2,
      ['  --stack: unknown stack, got "nowhere"; expected dev, prod. Run it where those files are'],
    ]);
  });

  it("tells the newest rollout by its history [D6]", async () => {
    const { code, out } = await run(
      "--csv",
      csv,
      "--history",
      history,
      "--objectives",
      "web",
      "--rollout",
      "--service",
      "checkout",
    );
    expect([code, out.split("\n")[0]]).toEqual([0, "# Rollout SLO report 2.5.0, from a CSV"]);
    expect(out).toContain("| 2.5.0   | 2026-11-18 08:10 | rolled back | 25 %    | 31.4 min |");
  });

  it("names every problem of flags and files at once, exit code 2 [B11]", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-report-"));
    writeFileSync(join(folder, "bad.csv"), "timestamp,service,requests\n");
    const bad = join(folder, "bad.csv");
    const { code, error } = await run(
      "--csv",
      bad,
      "--history",
      "none.json",
      "--week",
      "2027-W53",
      "--quarter",
      "2026-Q4",
      "--json",
      "--html",
      "--objectives",
      "webb",
      "--prometheus",
      "x",
    );
    expect(code).toBe(2);
    expect(error.split("\n")).toEqual([
      "tidegate report: 8 problems, nothing was done:",
      "  --prometheus: says nothing with --source csv; expected --source prometheus. Leave it out",
      "  --json: another format than --html; expected one of them",
      "  --week: another period than --quarter; expected one of them",
      '  --week: no such week, got "2027-W53"; expected an ISO week such as 2026-W47',
      `  ${bad}: column errors is missing; expected timestamp, service, requests, errors`,
      `  ${bad}: no row; expected at least one`,
      '  --objectives: unknown preset, got "webb"; expected batch, web, canary-relative, migration, production, or --stack for those of its config',
      '  --history: cannot be read (ENOENT), got "none.json"; expected a file',
    ]);
  });

  it("refuses a source that it does not know and a CSV without objectives, exit code 2 [B11]", async () => {
    const { code, error } = await run("--source", "csv");
    expect([code, error.split("\n")]).toEqual([
      2,
      [
        "tidegate report: 2 problems, nothing was done:",
        "  --csv: missing; expected a file",
        "  --objectives: missing; expected batch, web, canary-relative, migration, production, or --stack for those of its config",
      ],
    ]);
  });
});
