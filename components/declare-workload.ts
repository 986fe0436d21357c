/**
 * How a service declares what runs behind its releases' target groups: a function for each service, made by the stack from its config, so that
 * `ProgressiveService` knows no platform. Releases that adopt a target group bring their own workload and are not asked for.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { Release } from "../core/releases.ts";

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
  /** Fewest processes: what the config asks for, or what a rollback needs, whichever is more (B12). */
  readonly minimumCount: number;
}

/** @returns what was declared, so that whatever deletes or follows can wait for it */
export type DeclareWorkload = (ask: WorkloadAsk) => readonly pulumi.Resource[];
