/**
 * A service whose processes follow load: what the program declares of them on one side, an autoscaler on the other. It knows floors only as
 * declared, and takes away at once whatever load does not ask for: no autoscaler is worse.
 */
import type { Declaration } from "../../core/declaration.ts";
import type { Release } from "../../core/releases.ts";
import type { Workload } from "../../core/workloads.ts";
import type { ServiceConfig } from "../../stacks/config.ts";
import { aService, groupArn, mainRule, World } from "./world.ts";

/** A workload on Kubernetes; counts as given. */
export function aWorkload(minimumCount = 2, maximumCount = 40): Workload {
  return {
    kind: "kubernetes",
    shape: {
      minimumCount,
      maximumCount,
      targetCpuPercent: 60,
      cpuMillicores: 250,
      memoryMegabytes: 512,
      variables: {},
      readinessPath: "/ready",
      livenessPath: "/live",
      startSeconds: 60,
      stopSeconds: 330,
    },
    cluster: { eksName: "shop" },
    namespace: "checkout",
    runAsUserId: 10_001,
  };
}

export function aScaledService(change: Partial<ServiceConfig> = {}): ServiceConfig {
  return aService({ workload: aWorkload(), ...change }, "rapid");
}

/** Processes behind one target group. */
interface Processes {
  readonly release: Release;
  floor: number;
  count: number;
}

export class ScalingWorld extends World {
  /** By target group. */
  readonly processes = new Map<string, Processes>();
  /** Deletions, as they were carried out. */
  readonly deleted: { readonly digest: string; readonly at: number }[] = [];
  /** How many processes all traffic keeps busy. */
  busy = 12;
  /** Takes floors away before they are declared, to see that nothing else keeps a release at its size. */
  pins = true;

  constructor(service: ServiceConfig = aScaledService()) {
    super(service);
  }

  protected override async apply(
    service: ServiceConfig,
    declaration: Declaration,
    ...rest: [string, never, never]
  ): Promise<void> {
    const { workload } = service;
    const live = new Map(declaration.liveSet.map((release) => [groupArn(release), release]));
    for (const [arn, release] of live) {
      if (!workload || release.targetGroupArn !== undefined) continue;
      const pinned = this.pins ? (declaration.capacity?.[release.digest] ?? 0) : 0;
      const floor = Math.max(workload.shape.minimumCount, pinned);
      const count = Math.max(floor, this.processes.get(arn)?.count ?? 0);
      this.processes.set(arn, { release, floor, count });
    }
    this.show();
    await super.apply(service, declaration, ...rest);
    // Deletions come last, and not at all after a failure.
    for (const [arn, { release }] of this.processes) {
      if (live.has(arn)) continue;
      this.processes.delete(arn);
      this.deleted.push({ digest: release.digest, at: this.cloud.nowMs });
    }
    this.scale();
  }

  /** The autoscaler's turn. */
  scale(): void {
    const most = this.service.workload?.shape.maximumCount ?? 0;
    for (const [arn, each] of this.processes) {
      const wanted = Math.ceil((this.busy * this.shareOf(arn)) / 100);
      each.count = Math.max(each.floor, Math.min(wanted, most));
    }
    this.show();
  }

  override async wait(minutes: number): Promise<void> {
    this.scale();
    await super.wait(minutes);
    this.scale();
  }

  countOf(release: Release): number {
    return this.processes.get(groupArn(release))?.count ?? 0;
  }

  floorOf(release: Release): number {
    return this.processes.get(groupArn(release))?.floor ?? 0;
  }

  private shareOf(arn: string): number {
    const weights = this.cloud.rules.get(mainRule)?.weights ?? {};
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    return total === 0 ? 0 : (100 * (weights[arn] ?? 0)) / total;
  }

  private show(): void {
    for (const [arn, { count }] of this.processes) {
      this.cloud.health.set(arn, { healthyCount: count, totalCount: count });
    }
  }
}
