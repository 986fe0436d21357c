/**
 * The probe's own calls, on emulators: the scene is made and taken away, and every belief is looked at with real API calls. Load
 * balancers here serve nobody, so requests are answered by a stand-in; what the findings say of AWS is nothing at all.
 */
import { setTimeout as wait } from "node:timers/promises";
import {
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { describe, expect, it } from "vitest";
import { clientSettings } from "../../hooks/aws/clients.ts";
import { awsRun } from "../../scripts/probe/aws-run.ts";
import { beliefs } from "../../scripts/probe/beliefs/index.ts";
import { NotReachedError } from "../../scripts/probe/cloud.ts";
import { runProbe, StoppedError } from "../../scripts/probe/run.ts";
import { motoNetwork } from "../engine/moto-network.ts";
import { access, emulatorEndpoint } from "./emulators.ts";

const moto = emulatorEndpoint("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
const account = "123456789012";
const elb = new ElasticLoadBalancingV2Client(clientSettings(access));
const lambda = new LambdaClient(clientSettings(access));

/** Everything in the account that a run of this name made. */
async function madeBy(run: string): Promise<string[]> {
  const [balancers, groups, functions] = await Promise.all([
    elb.send(new DescribeLoadBalancersCommand({})),
    elb.send(new DescribeTargetGroupsCommand({})),
    lambda.send(new ListFunctionsCommand({})),
  ]);
  return [
    ...(balancers.LoadBalancers ?? []).map((balancer) => balancer.LoadBalancerName),
    ...(groups.TargetGroups ?? []).map((group) => group.TargetGroupName),
    ...(functions.Functions ?? []).map((made) => made.FunctionName),
  ]
    .flatMap((name) => name ?? [])
    .filter((name) => name.startsWith(`tidegate-probe-${run}`))
    .sort();
}

async function prepared(run: string, vpc?: string) {
  const { vpcId, subnetIds } = await motoNetwork(moto, access.region);
  let nowMs = 0;
  const made = await awsRun({
    account,
    run,
    region: access.region,
    vpc: vpc ?? vpcId,
    subnets: subnetIds.slice(0, 2).join(","),
    lambdaRole: `arn:aws:iam::${account}:role/probe`,
    now: () => nowMs,
    sleep: async (milliseconds) => {
      nowMs += Math.max(0, milliseconds);
      // ministack makes functions in real time.
      await wait(20);
    },
    ask: async () => {
      throw new NotReachedError("load balancer: not reached");
    },
  });
  if (made.kind === "refused") throw new Error(made.reason);
  return made;
}

const aRun = { beliefs, say: () => {}, isStopped: () => false, sleep: async () => {} };

describe("the probe's calls", { timeout: 60_000 }, () => {
  it("make a scene, look at every belief, and leave the account as it was", async () => {
    const { ledger, prepare } = await prepared("whole");
    let during: string[] = [];
    const outcome = await runProbe({
      ...aRun,
      ledger,
      prepare: async () => {
        const cloud = await prepare();
        during = await madeBy("whole");
        return cloud;
      },
    });
    expect(during).toEqual(
      ["", "-a", "-a", "-b", "-b", "-empty", "-lone", "-lone", "-sick", "-sick"].map(
        (end) => `tidegate-probe-whole${end}`,
      ),
    );
    expect(outcome.failure).toBeUndefined();
    const verdicts = Object.fromEntries(outcome.findings.map(({ belief, finding }) => [belief.id, finding]));
    expect(verdicts["alb-write-replaces-whole"]).toEqual({
      verdict: "seen",
      measured: "read back: a 100, stickiness off",
    });
    expect(verdicts["alb-last-writer-wins"]?.verdict).toBe("seen");
    expect(verdicts["alb-tags-at-once"]?.verdict).toBe("seen");
    expect(verdicts["alb-thirty-writes"]?.verdict).toBe("seen");
    expect(verdicts["alb-weights-take-effect"]).toEqual({
      verdict: "could not tell",
      measured: "NotReachedError: load balancer: not reached",
    });
    expect(outcome.leftovers).toEqual([]);
    expect(await madeBy("whole")).toEqual([]);
  });

  it("leave nothing when the scene cannot be made to its end", async () => {
    const { ledger, prepare } = await prepared("broken", "vpc-00000000");
    const outcome = await runProbe({ ...aRun, ledger, prepare });
    expect(outcome.failure).toMatch(
      /^Error: --subnets: not in the VPC, got vpc-\w+; expected subnets of vpc-00000000$/,
    );
    expect(outcome.leftovers).toEqual([]);
    expect(await madeBy("broken")).toEqual([]);
  });

  it("leave nothing when they are stopped half way", async () => {
    const { ledger, prepare } = await prepared("stopped");
    const stopping = [
      {
        id: "alb-stops",
        text: "It stops.",
        source: "This test.",
        dependsOnIt: ["nothing"],
        procedure: { steps: "Stops.", minutes: 1, run: () => Promise.reject(new StoppedError("stopped by Ctrl-C")) },
      },
    ];
    const outcome = await runProbe({ ...aRun, beliefs: stopping, ledger, prepare });
    expect(outcome.failure).toBe("StoppedError: stopped by Ctrl-C");
    expect(await madeBy("stopped")).toEqual([]);
  });

  it("make nothing in an account that was not named", async () => {
    const refused = await awsRun({
      account: "210987654321",
      run: "refused",
      region: access.region,
      now: () => 0,
      sleep: async () => {},
    });
    expect(refused).toEqual({
      kind: "refused",
      reason:
        "--yes-this-creates-resources-in: not the account of the credentials, got 210987654321; expected 123456789012. Nothing was made",
    });
    expect(await madeBy("refused")).toEqual([]);
  });
});
