/**
 * `npm run probe:aws`: looks in an AWS account at what Tidegate believes of the load balancer without having seen it.
 *
 * Makes resources that cost money, so it does nothing but say what it would do until the account is named. Run it where the load
 * balancer's private name can be reached: a machine, or a CloudShell environment, in that VPC.
 *
 * Exit codes: 0 all beliefs were looked at and nothing is left behind; 1 it ended early, or something is left; 2 bad input, nothing done.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { Command, CommanderError } from "commander";
import { beliefs } from "./probe/beliefs/index.ts";
import type { Ledger } from "./probe/ledger.ts";
import { type ProbeFlags, probeProblems, whatWouldHappen } from "./probe/plan.ts";
import { namedMessageOf, runProbe, StoppedError } from "./probe/run.ts";
import { unprovenText } from "./probe/unproven.ts";

async function main(): Promise<number> {
  const flags = readFlags();
  if (flags.docs) {
    process.stdout.write(unprovenText(beliefs));
    return 0;
  }
  const problems = probeProblems(flags);
  const account = flags.yesThisCreatesResourcesIn;
  if (account === undefined || problems.length > 0) {
    console.error([...whatWouldHappen(beliefs), ...problems].join("\n"));
    return 2;
  }
  const { awsRun } = await import("./probe/aws-run.ts");
  const stopping = new AbortController();
  let ledger: Ledger | undefined;
  process.on("SIGINT", () => {
    if (stopping.signal.aborted) {
      console.error(["left behind:", ...(ledger?.leftovers() ?? []).map(({ command }) => command)].join("\n  "));
      process.exit(1);
    }
    console.error(
      "stopping and cleaning up, which takes some minutes; Ctrl-C again ends at once and leaves things behind",
    );
    stopping.abort();
  });
  const sleep = async (milliseconds: number) => {
    try {
      await wait(Math.max(0, milliseconds), undefined, { signal: stopping.signal });
    } catch (error) {
      throw new StoppedError("stopped by Ctrl-C", { cause: error });
    }
  };
  const run = await awsRun({ ...flags, account, run: randomBytes(3).toString("hex"), sleep, now: Date.now });
  if (run.kind === "refused") {
    console.error(run.reason);
    return 2;
  }
  ledger = run.ledger;
  const outcome = await runProbe({
    beliefs,
    ledger: run.ledger,
    prepare: run.prepare,
    say: (line) => console.log(line),
    isStopped: () => stopping.signal.aborted,
    sleep: (milliseconds) => wait(milliseconds),
  });
  console.log(
    [
      "",
      ...outcome.findings.map(
        ({ belief, finding }) => `${finding.verdict.padEnd(14)} ${belief.id}: ${finding.measured}`,
      ),
    ].join("\n"),
  );
  return outcome.failure === undefined && outcome.leftovers.length === 0 ? 0 : 1;
}

function readFlags(): ProbeFlags & { readonly docs?: boolean } {
  return new Command("probe:aws")
    .description("Looks in an AWS account at what Tidegate believes of the load balancer.")
    .option("--yes-this-creates-resources-in <account>", "the 12 digits of the account that it may make things in")
    .option("--region <region>", "where")
    .option("--vpc <id>", "the VPC")
    .option("--subnets <ids>", "at least two of its subnets in different zones, by commas")
    .option(
      "--security-groups <ids>",
      "groups for the load balancer, by commas; must let this machine in on port 80 (default: the VPC's own)",
    )
    .option(
      "--lambda-role <arn>",
      "a role that Lambda may take; best without any permission: with one to write logs, log groups stay behind",
    )
    .option("--profile <name>", "a profile of the shared AWS config")
    .option("--docs", "prints docs/unproven.md instead; needs no account")
    .allowExcessArguments(false)
    .exitOverride()
    .parse()
    .opts();
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    console.error(namedMessageOf(error));
    process.exitCode = 1;
  }
}
