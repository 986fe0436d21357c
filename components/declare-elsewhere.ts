/**
 * How another system than CloudWatch takes part in a service: what it declares stands before traffic rises, as alarms do, since the guard
 * looks for it. A program without such a system gives none, and loads nothing of it.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { ServiceSettings } from "./settings.ts";
import type { ReleaseElsewhere } from "./watched-elsewhere.ts";

/** A service at the moment when its alarms are declared. */
export interface ServiceElsewhere {
  /** Of the service's component; what logical names begin with. */
  readonly name: string;
  readonly parent: pulumi.Resource;
  readonly environment: string;
  readonly settings: ServiceSettings;
  /** Every live release, in the declaration's order. */
  readonly releases: readonly ReleaseElsewhere[];
}

/**
 * Declares what another system watches a service with.
 * @returns what a raise waits for: whatever the hook will ask the state of
 */
export type DeclareElsewhere = (service: ServiceElsewhere) => readonly pulumi.Resource[];
