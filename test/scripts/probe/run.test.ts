/** A run as a whole: findings, failures on the way, and an account that is left as it was. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ask } from "../../../scripts/probe/ask.ts";
import type { Belief } from "../../../scripts/probe/belief.ts";
import { beliefs } from "../../../scripts/probe/beliefs/index.ts";
import { Ledger } from "../../../scripts/probe/ledger.ts";
import { probeProblems, whatWouldHappen } from "../../../scripts/probe/plan.ts";
import { runProbe, StoppedError } from "../../../scripts/probe/run.ts";
import { fakeCloud } from "./fake-cloud.ts";

/** An account as a list of what is in it. */
function anAccount() {
  const things = new Set<string>();
  const ledger = new Ledger();
  const stuck = new Set<string>();
  const make = (what: string, create: () => void = () => {}) =>
    ledger.make(
      {
        what,
        command: `remove ${what}`,
        remove: async () => {
          if (stuck.has(what)) throw new Error("ResourceInUse");
          things.delete(what);
        },
      },
      async () => {
        things.add(what);
        create();
      },
    );
  return { things, ledger, stuck, make };
}

const fast = beliefs.filter(({ id }) => ["alb-write-replaces-whole", "alb-tags-at-once"].includes(id));

function aRun(account: ReturnType<typeof anAccount>, changes: Partial<Parameters<typeof runProbe>[0]> = {}) {
  const said: string[] = [];
  const slept: number[] = [];
  const outcome = runProbe({
    beliefs: fast,
    ledger: account.ledger,
    prepare: async () => {
      await account.make("group");
      await account.make("balancer");
      return fakeCloud();
    },
    say: (line) => said.push(line),
    isStopped: () => false,
    sleep: async (milliseconds) => void slept.push(milliseconds),
    ...changes,
  });
  return { outcome, said, slept };
}

describe("a probe", () => {
  it("says each belief's finding and leaves nothing behind", async () => {
    const account = anAccount();
    const { outcome, said } = aRun(account);
    expect((await outcome).findings.map(({ belief, finding }) => [belief.id, finding.verdict])).toEqual([
      ["alb-write-replaces-whole", "seen"],
      ["alb-tags-at-once", "seen"],
    ]);
    expect(account.things.size).toBe(0);
    expect(said.slice(-2)).toEqual(["removed balancer", "removed group"]);
    expect((await outcome).leftovers).toEqual([]);
  });

  it("could not tell where a procedure fails, and goes on", async () => {
    const { outcome } = aRun(anAccount(), { prepare: async () => fakeCloud({ unreachable: true }), beliefs });
    const { findings, failure } = await outcome;
    expect(failure).toBeUndefined();
    const byVerdict = (verdict: string) => findings.filter(({ finding }) => finding.verdict === verdict).length;
    expect([byVerdict("seen"), byVerdict("not seen"), byVerdict("could not tell")]).toEqual([5, 0, 10]);
    expect(findings.find(({ belief }) => belief.id === "alb-weight-0-kept")?.finding.measured).toBe(
      "NotReachedError: load balancer: not reached",
    );
  });

  it("cleans up when making the scene fails half way, the thing whose answer was lost included", async () => {
    const account = anAccount();
    const { outcome } = aRun(account, {
      prepare: async () => {
        await account.make("group");
        await account.make("balancer", () => {
          throw new Error("socket hang up");
        });
        return fakeCloud();
      },
    });
    expect((await outcome).failure).toBe("Error: socket hang up");
    expect(account.things.size).toBe(0);
  });

  it("cleans up when it is stopped, in a belief or between two", async () => {
    const account = anAccount();
    const waits: Belief = {
      id: "alb-waits",
      text: "It waits.",
      source: "This test.",
      dependsOnIt: ["nothing"],
      procedure: {
        steps: "Waits.",
        minutes: 1,
        run: async () => Promise.reject(new StoppedError("stopped by Ctrl-C")),
      },
    };
    expect((await aRun(account, { beliefs: [waits, ...fast] }).outcome).findings).toEqual([]);
    expect(account.things.size).toBe(0);
    let asked = 0;
    const { outcome } = aRun(account, { isStopped: () => ++asked > 1 });
    expect((await outcome).findings).toHaveLength(1);
    expect((await outcome).failure).toBe("StoppedError: stopped");
    expect(account.things.size).toBe(0);
  });

  it("waits for what is in use, and names what stays with the command that removes it", async () => {
    const account = anAccount();
    account.stuck.add("group");
    const { outcome, slept, said } = aRun(account);
    expect((await outcome).leftovers).toEqual(["group: ResourceInUse", "  remove group"]);
    expect(slept).toEqual(Array.from({ length: 19 }, () => 15_000));
    expect(said.at(-1)).toBe(
      "NOT REMOVED; it goes on costing. Remove by hand:\n  group: ResourceInUse\n    remove group",
    );
    expect([...account.things]).toEqual(["group"]);
  });
});

describe("probe:aws without consent", () => {
  it("says what it would make, look at and cost, without a figure that nobody gave", () => {
    const text = whatWouldHappen(beliefs).join("\n");
    expect(text).toMatch(/^probe:aws: nothing was done\. It would make/);
    for (const { id, procedure } of beliefs) expect(text.includes(`  ${id}: `)).toBe("run" in procedure);
    expect(text).toContain("It would take about 58 min");
    expect(text).not.toMatch(/[$€]/);
  });

  it("names every flag that is missing or wrong at once", () => {
    expect(probeProblems({})).toEqual([]);
    expect(
      probeProblems({
        yesThisCreatesResourcesIn: "12",
        region: "eu",
        vpc: "vpc-1",
        subnets: "subnet-1",
        lambdaRole: "x",
      }),
    ).toEqual([
      '--yes-this-creates-resources-in: not usable, got "12"; expected the 12 digits of an account',
      '--region: not usable, got "eu"; expected a region such as eu-west-1',
      '--subnets: not usable, got "subnet-1"; expected at least two ids by commas, subnet-…,subnet-…',
      '--lambda-role: not usable, got "x"; expected the ARN of a role that Lambda may take, arn:aws:iam::<account>:role/<name>',
    ]);
  });
});

describe("a request of the probe", () => {
  const server = createServer((request, response) => {
    response.setHeader("set-cookie", ["AWSALBTG=x1; Path=/", "AWSALBTGCORS=x2; Path=/; Secure", "other=1"]);
    response.end(request.url === "/known" ? "b" : "somebody else");
  });
  afterEach(() => void server.close());

  it("tells who answered, keeps the group cookies, and says where nothing can be reached", async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const cookie = "AWSALBTG=x1; AWSALBTGCORS=x2";
    expect(await ask("127.0.0.1", port, "/known")).toEqual({ status: 200, group: "b", cookie });
    expect(await ask("127.0.0.1", port, "/other")).toEqual({ status: 200, group: undefined, cookie });
    await new Promise((resolve) => server.close(resolve));
    await expect(ask("127.0.0.1", port, "/known")).rejects.toThrow(
      /^load balancer 127\.0\.0\.1: not reached, got .*ECONNREFUSED.*Run the probe inside the VPC, and let its security group in$/,
    );
  });
});
