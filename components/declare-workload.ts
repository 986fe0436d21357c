/**
 * How a service declares what runs behind its releases' target groups: a function for each service, made by the stack from its config, so that
 * `ProgressiveService` knows no platform. Releases that adopt a target group bring their own workload and are not asked for.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { Release } from "../core/releases.ts";
import type { Workload } from "../core/workloads.ts";

/** One release that wants a workload. */
export interface WorkloadAsk {
  /** Logical name that the workload's own names start with: service and release key. */
  readonly name: string;
  readonly parent: pulumi.Resource;
  readonly environment: string;
  readonly service: string;
  readonly release: Release;
  readonly releaseKey: string;
  readonly targetGroupArn: pulumi.Input<string>;
  /** Port of the target group, which the processes listen on. */
  readonly port: number;
  /** Of the target group. Unit: seconds. */
  readonly deregistrationDelaySeconds: number;
  /** Variables of this release beside the workload's own and `TIDEGATE_RELEASE`. @default none */
  readonly variables?: Readonly<Record<string, string>>;
  /** Fewest processes: what the config asks for, or what a rollback needs, whichever is more (B12). */
  readonly minimumCount: number;
  /**
   * What hangs the target group on the load balancer: the anchor rule. ECS refuses a service whose group hangs on none, so a workload waits
   * for it; see `WaveRouterArgs.beforeMain`.
   */
  readonly after: readonly pulumi.Resource[];
}

/** @returns what was declared, so that whatever deletes or follows can wait for it */
export type DeclareWorkload = (ask: WorkloadAsk) => readonly pulumi.Resource[];

/** A workload with a release's own variables among its. */
export function withVariables<W extends Workload>(workload: W, variables: WorkloadAsk["variables"] = {}): W {
  const { shape } = workload;
  return { ...workload, shape: { ...shape, variables: { ...shape.variables, ...variables } } };
}
