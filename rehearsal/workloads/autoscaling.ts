/**
 * Processes behind target groups, and the autoscaler of each: they follow the load that the rules send, at once upwards and later downwards,
 * and never leave the bounds that the program declared. One that starts answers a while later; one that goes is gone at once.
 */
import type { Instant } from "../../core/record.ts";
import { processes } from "./constants.ts";

export interface Bounds {
  readonly minimumCount: number;
  readonly maximumCount: number;
}

export interface AutoscalingOptions {
  /** Requests a second that the rules send to a group. */
  readonly ratePerSecondOf: (targetGroupArn: string, at: Instant) => number;
  /** So many processes of a group answer from now on. */
  readonly setHosts: (targetGroupArn: string, count: number) => void;
  /** Unit: seconds. */
  readonly readyAfterSeconds: number;
}

interface Group {
  bounds: Bounds;
  /** Those that answer. */
  ready: number;
  /** When each of those that start does. */
  starting: Instant[];
  /** What load asked for lately. */
  asked: { readonly at: Instant; readonly count: number }[];
}

export class Autoscaling {
  readonly #options: AutoscalingOptions;
  readonly #groups = new Map<string, Group>();

  constructor(options: AutoscalingOptions) {
    this.#options = options;
  }

  /** New processes, or new bounds for those that are there. */
  put(targetGroupArn: string, bounds: Bounds, now: Instant): void {
    const group = this.#groups.get(targetGroupArn) ?? { bounds, ready: 0, starting: [], asked: [] };
    group.bounds = bounds;
    this.#groups.set(targetGroupArn, group);
    this.#resize(targetGroupArn, group, group.ready + group.starting.length, now);
  }

  remove(targetGroupArn: string): void {
    this.#groups.delete(targetGroupArn);
    this.#options.setHosts(targetGroupArn, 0);
  }

  /** One look of every autoscaler. */
  step(now: Instant): void {
    for (const [arn, group] of this.#groups) {
      const ratePerSecond = this.#options.ratePerSecondOf(arn, now);
      const count = Math.ceil(ratePerSecond / processes.requestsPerSecond);
      const since = now - processes.scaleInAfterSeconds * 1_000;
      group.asked = [...group.asked.filter(({ at }) => at > since), { at: now, count }];
      const current = group.ready + group.starting.length;
      const most = Math.max(...group.asked.map((each) => each.count));
      this.#resize(arn, group, count > current ? count : Math.min(current, most), now);
    }
  }

  #resize(arn: string, group: Group, wanted: number, now: Instant): void {
    const { minimumCount, maximumCount } = group.bounds;
    const count = Math.max(minimumCount, Math.min(wanted, maximumCount));
    group.ready += group.starting.filter((at) => at <= now).length;
    group.starting = group.starting.filter((at) => at > now);
    const missing = count - group.ready - group.starting.length;
    for (let added = 0; added < missing; added += 1) {
      group.starting.push(now + this.#options.readyAfterSeconds * 1_000);
    }
    // Those that do not answer yet go first.
    if (missing < 0) group.starting.length = Math.max(0, group.starting.length + missing);
    group.ready = Math.min(group.ready, count);
    this.#options.setHosts(arn, group.ready);
  }
}
