/** What the runner drives and what it hears: the local cloud's own vocabulary. */
import type { Notice } from "../../core/declaration.ts";
import type { FlagPercents } from "../../core/flag-document.ts";
import type { HistoryEntry, Instant, Page, RolloutRecord } from "../../core/record.ts";
import type { ForwardAction, Ports } from "../../hooks/ports.ts";
import type { EnvironmentConfig } from "../../stacks/config.ts";
import type { FaultKind } from "../scenarios.ts";
import type { PeerRegions } from "./peer-regions.ts";

/** Everything that shapes a local cloud; the same options and calls give the same bytes. */
export interface LocalCloudOptions {
  readonly seed: number;
  readonly startAt: Instant;
  /** Requests a second of a service at an instant, rhythm included; deterministic. */
  readonly ratePerSecondAt: (at: Instant) => number;
  /**
   * Off: alarms change state, but no hook hears of it and no reconcile runs. Its heartbeat goes on, or the guard would refuse every
   * opening and there would be nothing to compare with.
   */
  readonly hook: "on" | "off";
  /**
   * Healthy hosts of a target group and when they become healthy after the group was made. Behind a workload of the config there are as many
   * as its autoscaler says, each ready as long after it started.
   */
  readonly hostsPerGroup: number;
  readonly hostsReadyAfterSeconds: number;
  /** Physical names of alarms that are taken away after each `up` (tests: detection must stop). */
  readonly withoutAlarms?: (alarmName: string) => boolean;
}

/** Whose call it is: the program with its guard, the two functions, or a person at a terminal. */
export type Actor = "up" | "hook" | "watchman" | "person";

/** How a function is broken: every run fails, or no event reaches it. */
export type Breakage = "fails" | "unreachable";

/** What an `up` is about to do that others can come between: write the main rule, or invoke the opening. */
export type UpStep = "rule" | "opening";

/** A fault on one release, from now on until cleared. */
export interface InjectedFault {
  readonly kind: FaultKind;
  readonly digest: string;
  /** error-spike: added error ratio 0..1. latency-regression: factor on latency. invariant-violation: violations a request. */
  readonly magnitude: number;
}

export interface UpResult {
  readonly kind: "applied" | "refused" | "failed";
  readonly notices: readonly Notice[];
  /** Every reason, in the words a person would read; empty when applied. */
  readonly reasons: readonly string[];
  /** What the engine did: `update aws:lb/listenerRule:ListenerRule checkout-main`. */
  readonly changes: readonly {
    readonly op: "create" | "update" | "delete";
    readonly type: string;
    readonly name: string;
  }[];
}

/** Served to users; testers send none. */
export interface ReleaseCounts {
  readonly requests: number;
  /**
   * Answered with a 5xx by the release or by the load balancer for it, breaking an invariant, or slower than the strictest critical
   * latency bound of the service (without one, the strictest warning).
   */
  readonly badRequests: number;
}

/** Something that happened in the cloud, as it happened. */
export type CloudEvent =
  | {
      readonly kind: "alarm";
      readonly at: Instant;
      readonly alarmName: string;
      readonly state: string;
      readonly previousState: string;
      readonly reason: string;
    }
  | {
      readonly kind: "weights";
      readonly at: Instant;
      readonly service: string;
      readonly shares: Readonly<Record<string, number>>;
      readonly by: "up" | "hook" | "person";
      readonly ruleArn: string;
      /** What was written, as it was written. */
      readonly action: ForwardAction;
      /** From then on requests follow these weights. */
      readonly servedFrom: Instant;
    }
  /** A flag document became live. */
  | { readonly kind: "flags"; readonly at: Instant; readonly service: string; readonly percents: FlagPercents }
  | { readonly kind: "history"; readonly at: Instant; readonly service: string; readonly entry: HistoryEntry }
  | { readonly kind: "page"; readonly at: Instant; readonly page: Page; readonly by: Actor }
  | { readonly kind: "first-bad-request"; readonly at: Instant; readonly service: string; readonly digest: string }
  /** A run of a function failed. */
  | { readonly kind: "hook-error"; readonly at: Instant; readonly functionName: string; readonly message: string }
  /** An event was tried as often as Lambda does, and given up on. */
  | { readonly kind: "dead-letter"; readonly at: Instant; readonly message: string }
  /** An alarm told people by a topic; without recipients nobody heard. */
  | {
      readonly kind: "notification";
      readonly at: Instant;
      readonly alarmName: string;
      readonly state: string;
      readonly topicArn: string;
      readonly recipients: readonly string[];
    }
  | { readonly kind: "up"; readonly at: Instant; readonly who: string; readonly result: UpResult };

/** A cloud in virtual time. Nothing happens but in `advanceTo`, `up` and the ports. */
export interface LocalCloud {
  /** Those of a person at a terminal. */
  readonly ports: Ports;
  now(): Instant;
  /** Serves traffic, publishes metrics, evaluates alarms, delivers events and schedules until `at`, in order of time. */
  advanceTo(at: Instant): Promise<void>;
  /**
   * One `pulumi up` by `who`: decide, refuse or declare, guard, apply, commit. Virtual time passes where the guard waits.
   * @param before called before a step of it, which may let time pass; what it throws ends the `up` there
   */
  up(config: EnvironmentConfig, who: string, before?: (step: UpStep) => Promise<void>): Promise<UpResult>;
  /** @returns what ends this very fault */
  inject(fault: InjectedFault): () => void;
  /** Without a kind: all faults of the release. */
  clear(digest: string, kind?: FaultKind): void;
  /** Everything served since the start, by digest. */
  counts(service: string): Readonly<Record<string, ReleaseCounts>>;
  /** Live shares as the rules say. */
  shares(service: string): Readonly<Record<string, number>>;
  record(service: string): RolloutRecord | undefined;
  /** So many hosts of a release stop answering, from now on; 0 brings all back. */
  breakHosts(digest: string, count: number): void;
  /** Hosts of a release that take requests now; none where it has no group. */
  hosts(digest: string): number;
  /** Every write of a flag by the hook or a person fails, from now on; without a failure it works again. */
  breakFlags(failure?: Error): void;
  /** The other regions that share holds. */
  readonly peers: PeerRegions;
  /** From now on; without a breakage it works again. */
  breakFunction(which: "hook" | "watchman", breakage?: Breakage): void;
  onEvent(listener: (event: CloudEvent) => void): void;
}
