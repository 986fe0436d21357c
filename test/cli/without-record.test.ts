import { describe, expect, it } from "vitest";
import { RecordUnreadableError } from "../../hooks/ports.ts";
import { groupArn, mainRule, v1, v2, World } from "../helpers/world.ts";
import { callerArn, here, Operator, stacksOf } from "./operator.ts";

const words = ["kill", ...here, "--service", "checkout", "--reason", "customers call"];
const blue = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/checkout-blue/73e2d6bc24d8a067";
const green = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/checkout-green/6d0ecf831eec9f09";

async function at50(): Promise<Operator> {
  return new Operator(await new World().rolledOutTo(50));
}

/** A table without its item, and a rule that splits between two adopted groups. */
async function lostTable(): Promise<Operator> {
  const operator = await at50();
  const { cloud } = operator.world;
  cloud.records.clear();
  cloud.writeRule("somebody", mainRule, { weights: { [blue]: 75, [green]: 25 } });
  cloud.health.set(blue, { healthyCount: 4, totalCount: 4 });
  cloud.health.set(green, { healthyCount: 4, totalCount: 4 });
  return operator;
}

const garbage = new RecordUnreadableError(
  "table tidegate-dev, service checkout: the record is unreadable: it is no record",
);

describe("kill without a record", () => {
  async function unreadable(error: Error = garbage): Promise<Operator> {
    const operator = await at50();
    operator.world.cloud.recordFailure = error;
    return operator;
  }

  it("shows what was found and is live, and how to go on, and changes nothing [B4]", async () => {
    const operator = await unreadable();
    const { code, errors } = await operator.run(...words, "--yes");
    expect(code).toBe(3);
    const [fallback, ...told] = errors.split("\n");
    expect(fallback).toBe(
      `the hook (tidegate-dev-hook:live): its run failed, got RecordUnreadableError: ${garbage.message}. Doing it from here with your own credentials. Should the hook do it too, that does no harm.`,
    );
    const again = "npx tidegate kill --environment dev --region eu-west-1 --service checkout --reason 'customers call'";
    expect(told).toEqual([
      "checkout: kill: its record in dev cannot be used, and nothing was changed:",
      `  record: ${garbage.message} (table tidegate-dev)`,
      `  the hook (tidegate-dev-hook:live): its run failed, got RecordUnreadableError: ${garbage.message}`,
      "  looked in: account 123456789012, region eu-west-1",
      "  live:",
      `    ${mainRule}: ${groupArn(v1)} 50 %, ${groupArn(v2)} 50 %`,
      "Say who gets all traffic; the record stays as it is:",
      `  ${again} --to ${groupArn(v1)}`,
      `  ${again} --to ${groupArn(v2)}`,
    ]);
    expect(operator.world.live(v2)).toBe(50);
  });

  it("has the same in JSON [B4]", async () => {
    const operator = await unreadable(new RecordUnreadableError("it has schema version 2; this version knows 1"));
    const { code, out } = await operator.run(...words, "--yes", "--json");
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({
      outcome: "refused",
      through: null,
      withoutRecord: {
        why: "it has schema version 2; this version knows 1",
        accountId: "123456789012",
        rules: [{ ruleArn: mainRule, weights: { [groupArn(v1)]: 50, [groupArn(v2)]: 50 } }],
      },
    });
  });

  it("counts a refusal of the hook for want of a record as none, and names the groups [B4]", async () => {
    const operator = await lostTable();
    const { code, errors } = await operator.run(...words, "--yes");
    expect(code).toBe(3);
    const again = "npx tidegate kill --environment dev --region eu-west-1 --service checkout --reason 'customers call'";
    expect(errors.split("\n")).toEqual([
      "checkout: kill: its record in dev cannot be used, and nothing was changed:",
      "  record: there is none for checkout, or no table (table tidegate-dev)",
      "  the hook refuses: checkout: no record; nothing to do",
      "  looked in: account 123456789012, region eu-west-1",
      "  live:",
      `    ${mainRule}: checkout-blue 75 %, checkout-green 25 %`,
      "Say who gets all traffic; the record stays as it is:",
      `  ${again} --to checkout-blue`,
      `  ${again} --to checkout-green`,
    ]);
  });

  it.each([
    ["by name", "checkout-blue"],
    ["by ARN", blue],
  ])("gives all traffic to the group that a person names, %s, without asking the hook [B4]", async (_how, to) => {
    const operator = await lostTable();
    expect(await operator.run(...words, "--yes", "--to", to)).toEqual({
      code: 0,
      out: `checkout: all traffic goes to ${blue} (1 rule(s)), said ${callerArn}: customers call. A testers' rule stays as it is. No record was written: openings stay refused until it can be read`,
      errors: "",
    });
    expect(operator.invoked).toEqual([]);
    expect(operator.world.cloud.rules.get(mainRule)?.weights).toEqual({ [blue]: 100 });
  });

  it("asks before it does, and says that the record stays as it is", async () => {
    const operator = await lostTable();
    operator.isInteractive = true;
    operator.answer = false;
    expect((await operator.run(...words, "--to", "checkout-blue")).code).toBe(3);
    expect(operator.questions).toEqual([
      "kill: gives all traffic of checkout in dev to checkout-blue, and writes nothing to the record. Go on?",
    ]);
    expect(operator.world.cloud.rules.get(mainRule)?.weights).toEqual({ [blue]: 75, [green]: 25 });
  });

  it("refuses --to where the record says who gets the traffic", async () => {
    const operator = await at50();
    expect(await operator.run(...words, "--yes", "--to", "checkout-blue")).toEqual({
      code: 3,
      out: "",
      errors:
        "checkout: kill: its record can be read and says who gets the traffic, so --to checkout-blue is refused; nothing was changed. Leave --to out",
    });
    expect(operator.world.live(v2)).toBe(50);
  });

  it("refuses a group that nothing knows, with account and region", async () => {
    const operator = await lostTable();
    const { code, errors } = await operator.run(...words, "--yes", "--to", "checkout-grey");
    expect(code).toBe(3);
    expect(errors).toBe(
      `checkout: target group "checkout-grey" carries none of its traffic; expected one of ${blue}, ${green}, or the ARN of another. Nothing was changed (account 123456789012, region eu-west-1)`,
    );
  });

  it("finds nothing in the wrong account, names account and region, and changes nothing [B4]", async () => {
    const operator = await at50();
    const { cloud } = operator.world;
    cloud.records.clear();
    cloud.rules.clear();
    const { code, errors } = await operator.run(...words, "--yes");
    expect(code).toBe(3);
    expect(errors.split("\n")).toEqual([
      "checkout: kill: nothing of it was found in dev, and nothing was changed:",
      "  record: there is none for checkout, or no table (table tidegate-dev)",
      "  the hook refuses: checkout: no record; nothing to do",
      "  looked in: account 123456789012, region eu-west-1",
      "  live: no rule tagged as a main rule of it on load balancer tidegate-dev",
      "  services with a record here: none",
      "Another account or region than the stack's? Sign in to the stack's: --profile, AWS_PROFILE, --region.",
      "An adopted listener? Name it: --listener <ARN>, or --stack where its file is.",
    ]);
  });

  it("does not offer --stack to who said it already [B4]", async () => {
    const operator = await at50();
    operator.world.cloud.records.clear();
    operator.world.cloud.rules.clear();
    const directory = stacksOf({ shop: "config:\n  aws:region: eu-west-1\n  tidegate:environment: dev\n" });
    const flags = ["--stack", "shop", "--service", "checkout", "--reason", "customers call", "--yes"];
    const { errors } = await operator.runIn(directory, "kill", ...flags);
    expect(errors.split("\n").at(-1)).toBe("An adopted listener? Name it: --listener <ARN>.");
  });

  it("goes on without a table that does not answer within 3 s [B4]", async () => {
    const operator = await at50();
    operator.hook = async () => ({ outcome: "nothing-to-do", message: "odd" });
    operator.onCall = async (call) => {
      if (call !== "read record before") return;
      operator.elapse(3_000);
      await new Promise(() => {});
    };
    const { code, errors } = await operator.run(...words, "--yes");
    expect(code).toBe(3);
    expect(errors).toContain("  record: the record: no answer within 3 s (table tidegate-dev)");
    expect(errors).toContain(`    ${mainRule}: ${groupArn(v1)} 50 %, ${groupArn(v2)} 50 %`);
  });
});
