/**
 * What stands for a release's workload in a rehearsal, on whichever platform the config has it: so many processes behind a target group, with
 * a floor and a ceiling. The objects of Kubernetes and ECS, their probes and how a process stops are not modelled; the floors are the
 * program's own.
 */
import * as pulumi from "@pulumi/pulumi";
import type { DeclareWorkload } from "../../components/index.ts";
import type { ServiceConfig } from "../../stacks/config.ts";

export const processesType = "rehearsal:workloads:Processes";

/** Changes that only move the autoscaler's bounds. */
export const processesInPlace = ["minimumCount", "maximumCount"] as const;

class Processes extends pulumi.CustomResource {
  constructor(
    name: string,
    inputs: Readonly<
      Record<"targetGroupArn" | "release" | "minimumCount" | "maximumCount", pulumi.Input<string | number>>
    >,
    opts: pulumi.CustomResourceOptions,
  ) {
    super(processesType, name, inputs, opts);
  }
}

/** Processes of a service's releases; `undefined`: its config has no workload. */
export function declareProcesses({ workload }: Pick<ServiceConfig, "workload">): DeclareWorkload | undefined {
  if (!workload) return undefined;
  const { maximumCount } = workload.shape;
  return ({ name, parent, releaseKey, targetGroupArn, minimumCount, after }) => [
    new Processes(
      `${name}-processes`,
      { targetGroupArn, release: releaseKey, minimumCount, maximumCount: Math.max(minimumCount, maximumCount) },
      { parent, dependsOn: [...after] },
    ),
  ];
}
