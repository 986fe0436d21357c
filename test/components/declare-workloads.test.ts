/** What a service asks of whoever declares its processes: who is asked for, with how many, and what waits for what. */
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { ProgressiveService, type WorkloadAsk } from "../../components/index.ts";
import type { Declaration } from "../../core/declaration.ts";
import { aDeclaration, newRelease, oldRelease, someSettings } from "../helpers/builders.ts";
import { type RunOptions, runPulumi } from "../helpers/pulumi-run.ts";
import { aWorkload } from "../helpers/scaling-world.ts";
import { elb, serviceArgs } from "../helpers/service-args.ts";

const rule = "aws:lb/listenerRule:ListenerRule";

/** Stands for whatever a platform has. */
class Stand extends pulumi.CustomResource {
  constructor(name: string, parent: pulumi.Resource) {
    super("test:workload:Stand", `${name}-processes`, {}, { parent });
  }
}

async function asked(declaration: Declaration, options?: RunOptions, by: "flag" | "weights" = "weights") {
  const asks: WorkloadAsk[] = [];
  const result = await runPulumi(() => {
    const settings = someSettings({ workload: aWorkload(3, 40), split: { by, flag: "new-cart" } });
    const workloads = (ask: WorkloadAsk) => {
      asks.push(ask);
      return [new Stand(ask.name, ask.parent)];
    };
    return new ProgressiveService(settings.name, serviceArgs(settings, declaration, { workloads })).outputs;
  }, options);
  return { result, asks };
}

describe("a service's workloads", () => {
  it("are asked for once a release, with what a rollback needs or the config's minimum [B12, E6]", async () => {
    const { asks } = await asked(aDeclaration(10, { capacity: { [oldRelease.digest]: 12, [newRelease.digest]: 2 } }));
    expect(
      asks.map(({ parent: _parent, targetGroupArn: _arn, after, release, ...rest }) => ({
        ...rest,
        version: release.version,
        after: after.length,
      })),
    ).toEqual(
      [
        { name: "checkout-2-3-1-9f447b1b", releaseKey: "2-3-1-9f447b1b", minimumCount: 12, version: "2.3.1" },
        { name: "checkout-2-4-0-794d2c98", releaseKey: "2-4-0-794d2c98", minimumCount: 3, version: "2.4.0" },
      ].map((each) => ({
        ...each,
        environment: "dev",
        service: "checkout",
        port: 8080,
        deregistrationDelaySeconds: 60,
        variables: {},
        after: 1,
      })),
    );
  });

  it("know beside whom they take both paths where a flag splits, the same before and after the finish [A6]", async () => {
    const opened = aDeclaration(10);
    const finished = aDeclaration(0, { baseline: newRelease.digest, previous: oldRelease.digest });
    const { canary: _canary, ...withoutCanary } = finished;
    const told = async (declaration: Declaration, by?: "weights") =>
      (await asked(declaration, undefined, by ?? "flag")).asks.map(({ release, variables }) => [
        release.version,
        variables,
      ]);
    const both = [
      ["2.3.1", {}],
      ["2.4.0", { TIDEGATE_BASELINE_RELEASE: "2-3-1-9f447b1b" }],
    ];
    expect(await told(opened)).toEqual(both);
    expect(await told(withoutCanary)).toEqual(both);
    expect(await told(opened, "weights")).toEqual([
      ["2.3.1", {}],
      ["2.4.0", {}],
    ]);
  });

  it("are not asked for an adopted group, whose processes are the user's own [E7]", async () => {
    const adopted = { ...oldRelease, targetGroupArn: `${elb}:targetgroup/blue/1` };
    const { asks } = await asked(aDeclaration(10, { liveSet: [adopted, newRelease] }));
    expect(asks.map(({ release }) => release.version)).toEqual(["2.4.0"]);
  });

  it("are asked for the control too, with its share of what the baseline has [C1, B12]", async () => {
    const control = { digest: oldRelease.digest, releaseKey: "2-3-1-9f447b1b-control", sharePercent: 10 };
    const { asks } = await asked(aDeclaration(10, { control, capacity: { [oldRelease.digest]: 50 } }));
    expect(asks.map(({ releaseKey, minimumCount }) => [releaseKey, minimumCount])).toEqual([
      ["2-3-1-9f447b1b", 50],
      ["2-4-0-794d2c98", 3],
      ["2-3-1-9f447b1b-control", 5],
    ]);
  });

  it("come before the main rule of an opening; a lowering waits for nobody's processes [B12]", async () => {
    const waitedFor = async (declaration: Declaration) =>
      (await asked(declaration)).result.the(rule, "-main").dependsOn.filter((name) => name.endsWith("-processes"));
    expect(await waitedFor(aDeclaration(10))).toEqual([
      "checkout-2-3-1-9f447b1b-processes",
      "checkout-2-4-0-794d2c98-processes",
    ]);
    expect(await waitedFor(aDeclaration(10, { step: "lowering" }))).toEqual([]);
  });

  it("are told to the hook as floors and as the config's own bounds", async () => {
    const { result } = await asked(aDeclaration(10, { capacity: { [oldRelease.digest]: 12 } }));
    const { input } = result.the("aws:lambda/invocation:Invocation", "checkout-opening").inputs;
    const { capacity, workload } = JSON.parse(String(input));
    expect({ capacity, workload }).toEqual({
      capacity: { [oldRelease.digest]: 12 },
      workload: { minimumCount: 3, maximumCount: 40 },
    });
  });
});
