/**
 * Whether the ECS clusters of a stack are there, asked before anything is declared: a service on a cluster that is gone would be found out
 * by its own creation, when target groups, alarms and other services have changed already.
 */
import * as aws from "@pulumi/aws";
import { oneLine } from "../../core/error-message.ts";
import type { Workload } from "../../core/workloads.ts";

/** Looks one cluster up. Fails where there is none, and where nobody answers. */
export type LookUpCluster = (clusterName: string) => Promise<{ readonly status: string }>;

export interface ClusterCheck {
  readonly region: string;
  readonly lookUp: LookUpCluster;
  /** Resolves after so many seconds. */
  readonly wait: (seconds: number) => Promise<unknown>;
}

/** The look-up by Pulumi's own provider, with the sign-in that the service will be declared with; one DescribeClusters each. */
export const lookUpCluster: LookUpCluster = (clusterName) => aws.ecs.getCluster({ clusterName });

/** Above what one call with its retries takes, well below what a person waits for. Unit: seconds. */
const patienceSeconds = 30;

/**
 * Reasons why services cannot be declared, one for each cluster that is not ACTIVE, as the program tells refusals; empty when all are.
 * Never fails itself.
 */
export async function clusterProblems(
  services: readonly { readonly name: string; readonly workload?: Workload }[],
  check: ClusterCheck,
): Promise<string[]> {
  const placesByCluster = new Map<string, string[]>();
  for (const { name, workload } of services) {
    if (workload?.kind !== "ecs") continue;
    const places = placesByCluster.get(workload.clusterName) ?? [];
    placesByCluster.set(workload.clusterName, [...places, `services.${name}.workload.ecs.cluster`]);
  }
  const answers = await Promise.all(
    [...placesByCluster].map(async ([clusterName, places]) => {
      const problem = await problemOf(clusterName, check);
      return problem === undefined ? [] : [`${places.join(", ")}: ${problem}`];
    }),
  );
  return answers.flat();
}

async function problemOf(clusterName: string, { region, lookUp, wait }: ClusterCheck): Promise<string | undefined> {
  const cluster = `ECS cluster ${clusterName} in ${region}`;
  const silence = async () => {
    await wait(patienceSeconds);
    throw new Error(`no answer within ${patienceSeconds} seconds`);
  };
  try {
    const { status } = await Promise.race([lookUp(clusterName), silence()]);
    if (status === "ACTIVE") return undefined;
    return `the ${cluster} is not ready, got ${status}; expected ACTIVE. Wait until it is, or name another one`;
  } catch (error) {
    return (
      `the ${cluster} does not answer, got ${oneLine(error)}; expected an ACTIVE one. ` +
      "Correct the name or the sign-in; aws ecs list-clusters shows those that are there"
    );
  }
}
