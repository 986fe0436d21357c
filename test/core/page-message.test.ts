/** A page as people get it: links in the order in which they help, and commands that work when nothing of ours does. */
import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { type PagePlace, pageMessageOf, rawLowering } from "../../core/page-message.ts";
import type { Page, RolloutRecord } from "../../core/record.ts";
import { runbooks } from "../../core/runbooks.ts";
import { groupArn, v1, v2, World } from "../helpers/world.ts";

const page: Page = {
  id: "error-rate-critical-1-to-0",
  dedupKey: `tidegate/production/checkout/${v2.digest}/1`,
  severity: "critical",
  summary: "checkout: ROLLED BACK from 25 % to 0 %, error-rate (critical) of 2.0.0 at 25 %",
  detail: "look at the release, then acknowledge the hold with a reason",
  at: Date.UTC(2026, 0, 5, 3),
  runbook: "high-error-rate",
  holdId: "error-rate-critical-1",
};
const place: PagePlace = {
  environment: "production",
  region: "eu-west-1",
  runbookBase: "https://wiki.example.com/tidegate/",
  dashboardUrl: "https://grafana.example.com/d/rollout",
};
const mainRule = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/edge/1/2/3";
const group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/checkout-1-0-0/1";
let record: RolloutRecord;

beforeAll(async () => {
  const real = (await new World().rolledOutTo(25)).record;
  const baseline = real.releases[v1.digest];
  if (!baseline) throw new Error("no baseline");
  record = {
    ...real,
    rules: [{ arn: mainRule, role: "main" }, ...real.rules.filter((rule) => rule.role !== "main")],
    releases: { ...real.releases, [v1.digest]: { ...baseline, targetGroupArn: group } },
  };
});

/** What a shell makes of the line: the arguments of each call of `aws`, which is a stand-in here. */
function shellCalls(line: string | undefined): string[][] {
  const script = `aws() { printf '%s\\0' "$@"; printf '\\001'; }; ${line}`;
  const said = execFileSync("bash", ["-c", script], { encoding: "utf8" });
  return said
    .split("\u0001")
    .slice(0, -1)
    .map((call) => call.split("\0").slice(0, -1));
}

describe("a page's message", () => {
  it("offers no way to stop what it merely tells of [C1]", () => {
    const { runbook: _none, holdId: _no, ...told } = page;
    const { commands, links } = pageMessageOf({ ...told, severity: "info" }, "checkout", record, place);
    expect(commands.map(({ label }) => label)).toEqual(["where it stands"]);
    expect(links.map(({ label }) => label)).toEqual(["dashboard"]);
  });

  it("links runbook and dashboard, and carries the commands, the first one first [D4]", () => {
    const where = "--environment production --region eu-west-1 --service checkout";
    expect(pageMessageOf(page, "checkout", record, place)).toEqual({
      page,
      environment: "production",
      service: "checkout",
      region: "eu-west-1",
      links: [
        { label: "runbook", target: "https://wiki.example.com/tidegate/high-error-rate.md" },
        { label: "dashboard", target: "https://grafana.example.com/d/rollout" },
      ],
      commands: [
        { label: "where it stands", command: `npx tidegate status ${where}` },
        { label: "snapshot", command: `npx tidegate history ${where} --snapshot error-rate-critical-1` },
        { label: "all traffic off the canary", command: `npx tidegate kill ${where} --reason "..."` },
        {
          label: "the same by hand",
          command: `aws elbv2 modify-rule --region eu-west-1 --rule-arn ${mainRule} --actions '[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"${group}","Weight":100}],"TargetGroupStickinessConfig":{"Enabled":false}}}]'`,
        },
      ],
    });
  });

  it("leaves out what there is not: runbook, dashboard, hold, record [D4]", () => {
    const { runbook: _runbook, holdId: _holdId, ...bare } = page;
    const { dashboardUrl: _dashboard, ...noDashboard } = place;
    const message = pageMessageOf(bare, "checkout", undefined, noDashboard);
    expect(message.links).toEqual([]);
    expect(message.commands.map(({ label }) => label)).toEqual(["where it stands", "all traffic off the canary"]);
  });

  it.each(["receiver-lost", "no-other-release"] as const)(
    "of %s names no line that sends everybody to the baseline, which is the sick one [B12, D4]",
    (runbook) => {
      const message = pageMessageOf({ ...page, runbook }, "checkout", record, place);
      const where = "--environment production --region eu-west-1 --service checkout";
      expect(message.commands).toEqual([
        { label: "where it stands", command: `npx tidegate status ${where}` },
        { label: "snapshot", command: `npx tidegate history ${where} --snapshot error-rate-critical-1` },
      ]);
    },
  );

  it("offers both lines with every other runbook [D4]", () => {
    const bare = runbooks.filter((runbook) => {
      const { commands } = pageMessageOf({ ...page, runbook }, "checkout", record, place);
      return commands.length !== 4;
    });
    expect(bare).toEqual(["receiver-lost", "no-other-release"]);
  });

  it("is made though the record does not know its own baseline: words must not wait for a good record [D4]", () => {
    const message = pageMessageOf(page, "checkout", { ...record, baseline: "sha256:lost" }, place);
    expect(message.commands.map(({ label }) => label)).not.toContain("the same by hand");
  });
});

describe("the raw command", () => {
  it("is one shell line whose JSON the AWS CLI can read [D4]", () => {
    const [call, ...others] = shellCalls(rawLowering(record, "eu-west-1"));
    expect(others).toEqual([]);
    expect(call?.slice(0, -1)).toEqual([
      "elbv2",
      "modify-rule",
      "--region",
      "eu-west-1",
      "--rule-arn",
      mainRule,
      "--actions",
    ]);
    expect(JSON.parse(call?.at(-1) ?? "")).toEqual([
      {
        Type: "forward",
        ForwardConfig: {
          TargetGroups: [{ TargetGroupArn: group, Weight: 100 }],
          TargetGroupStickinessConfig: { Enabled: false },
        },
      },
    ]);
  });

  /**
   * No ARN of a rule or a target group can hold a quote: ELBv2 takes letters, digits and hyphens in names, and makes the rest itself.
   * But the record is an item of a table, and people paste this line into a shell.
   */
  it("cannot be broken out of by a quote, a space or a semicolon in an ARN [D4]", () => {
    const evil = "arn:group/x'; echo broken out; '";
    const baseline = record.releases[v1.digest];
    if (!baseline) throw new Error("no baseline");
    const calls = shellCalls(
      rawLowering(
        {
          ...record,
          rules: [{ arn: evil, role: "main" }],
          releases: { ...record.releases, [v1.digest]: { ...baseline, targetGroupArn: evil } },
        },
        "eu-west-1",
      ),
    );
    expect(calls).toHaveLength(1);
    expect(calls[0]?.[5]).toBe(evil);
    expect(JSON.parse(calls[0]?.at(-1) ?? "")[0].ForwardConfig.TargetGroups).toEqual([
      { TargetGroupArn: evil, Weight: 100 },
    ]);
  });

  it("gives back every main rule, because they move together [A3, D4]", () => {
    const rules = [...record.rules, { arn: `${mainRule}4`, role: "main" as const }];
    const calls = shellCalls(rawLowering({ ...record, rules }, "eu-west-1"));
    expect(calls.map((call) => call[5])).toEqual([mainRule, `${mainRule}4`]);
  });

  it("is not there without a main rule [D4]", () => {
    expect(
      rawLowering({ ...record, rules: [{ arn: "arn:rule/tester", role: "tester" }] }, "eu-west-1"),
    ).toBeUndefined();
  });

  it("gives the baseline everything, whatever the canary has now [B4]", async () => {
    const { record: real } = await new World().rolledOutTo(50);
    const [call] = shellCalls(rawLowering(real, "eu-west-1"));
    expect(JSON.parse(call?.at(-1) ?? "")[0].ForwardConfig.TargetGroups).toEqual([
      { TargetGroupArn: groupArn(v1), Weight: 100 },
    ]);
  });
});
