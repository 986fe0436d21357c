/** Scenarios as a rehearsal takes them: what goes wrong, when and how badly; and those that need no file. */

/** What goes wrong with what a release reports of itself, besides its requests: only a source that it reports to can show it. */
export const reportedFaultKinds = [
  "memory-leak",
  "memory-step",
  "cpu-hot",
  "breaker-open",
  "cache-cold",
  "rejects",
  "dual-run-mismatch",
  "flag-mismatch",
  "crash",
] as const;
export type ReportedFaultKind = (typeof reportedFaultKinds)[number];

/** What goes wrong with the requests of a release, or with what is known of them. */
export const requestFaultKinds = [
  "error-spike",
  "latency-regression",
  "invariant-violation",
  "metrics-outage",
  ...reportedFaultKinds,
] as const;
export type FaultKind = (typeof requestFaultKinds)[number];

/**
 * What goes wrong around them: a release loses all its hosts, every run of the hook fails, no event reaches the hook, a peer region goes
 * away and its users come here, a peer region holds the new release.
 */
export const surroundingFaultKinds = [
  "hosts-lost",
  "hook-fails",
  "hook-unreachable",
  "region-lost",
  "peer-hold",
] as const;
export type SurroundingFaultKind = (typeof surroundingFaultKinds)[number];

export const faultKinds = [...requestFaultKinds, ...surroundingFaultKinds] as const;

export const faultedReleases = ["canary", "baseline", "both", "control"] as const;

/** One thing that goes wrong. */
export interface Fault<Kind = FaultKind | SurroundingFaultKind> {
  readonly kind: Kind;
  /** Whose; absent: the canary's. Of no meaning for the hook's own faults. A control only loses its hosts: else it is as ill as its baseline. */
  readonly on?: (typeof faultedReleases)[number];
  /** The wave it starts in. Unit: percent; absent: the wave the runner is told. */
  readonly wavePercent?: number;
  /** From the opening of that wave. Unit: seconds. */
  readonly afterSeconds: number;
  /** Absent: it does not stop by itself. */
  readonly durationSeconds?: number;
  /** How far past the critical bound, as a multiple of it. What has no bound: 1. */
  readonly timesCriticalBound: number;
  /** Of errors and latencies: as a multiple of what a healthy release has, whatever is bounded. Absent: by the bound. */
  readonly timesHealthy?: number;
}

export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Clients are kept where they are for so long, whatever the stack says. Unit: seconds. Absent: as the stack says. */
  readonly stickinessSeconds?: number;
  /** A control stands beside the canary, whatever the stack says. Absent: as the stack says. */
  readonly control?: boolean;
  /** Requests of the whole service a second, on average. Absent: the rehearsal's own. */
  readonly ratePerSecond?: number;
  /** The faults start in the middle of the `up` that opens the next wave, between its guard and its write of the rule. */
  readonly racingUp?: boolean;
  /** So long after a page that wakes somebody the person on call kills, if the canary still has traffic. Unit: seconds. Absent: nobody does. */
  readonly killAfterSeconds?: number;
  readonly faults: readonly Fault[];
}

/** Whether a fault is about another region; the stack needs a peer for it. */
export function isRegionFault({ kind }: Pick<Fault, "kind">): boolean {
  return kind === "region-lost" || kind === "peer-hold";
}

/** Whether a fault is one of requests. */
export function isRequestFault(fault: Fault): fault is Fault<FaultKind> {
  return requestFaultKinds.some((kind) => kind === fault.kind);
}

/** Long enough after the opening that a fault is not taken for a blip of the deployment. */
export const defaultFaultAfterSeconds = 180;
/** A fault that detection must not be made easy by. */
export const defaultTimesCriticalBound = 2;

/** Kinds with a bound that they can be a multiple of. */
export const boundedKinds: ReadonlySet<Fault["kind"]> = new Set([
  "error-spike",
  "latency-regression",
  "invariant-violation",
  "memory-leak",
  "memory-step",
  "cpu-hot",
  "cache-cold",
  "rejects",
  "dual-run-mismatch",
]);

/** A fault with its defaults. */
export function faultOf(kind: Fault["kind"], rest: Partial<Fault> = {}): Fault {
  const timesCriticalBound = boundedKinds.has(kind) ? defaultTimesCriticalBound : 1;
  return { kind, afterSeconds: defaultFaultAfterSeconds, timesCriticalBound, ...rest };
}

/** The same errors again and again, with as long a quiet between them as `everySeconds` leaves. */
function flaps(
  times: number,
  of: { readonly everySeconds: number; readonly lastingSeconds: number; readonly timesCriticalBound: number },
): Fault[] {
  return Array.from({ length: times }, (_none, index) =>
    faultOf("error-spike", {
      afterSeconds: defaultFaultAfterSeconds + index * of.everySeconds,
      durationSeconds: of.lastingSeconds,
      timesCriticalBound: of.timesCriticalBound,
    }),
  );
}

export const builtInScenarioNames = [
  "healthy",
  "error-spike",
  "latency-regression",
  "invariant-violation",
  "low-traffic",
  "metrics-outage",
  "hook-failure",
  "racing-up",
  "baseline-sick",
  "baseline-scaled-in",
  "control-lost",
  "dependency-outage",
  "slow-burn",
  "flapping",
  "sticky-clients",
  "region-failover",
  "peer-hold",
  "memory-leak",
  "breaker-open",
  "dual-run-mismatch",
  "crash-loop",
  "slightly-worse",
] as const;
export type BuiltInScenarioName = (typeof builtInScenarioNames)[number];

/** The scenarios that need no file. */
export const builtInScenarios: Readonly<Record<BuiltInScenarioName, Scenario>> = {
  healthy: { name: "healthy", description: "nothing goes wrong", faults: [] },
  "error-spike": {
    name: "error-spike",
    description: "the new release fails requests, at twice the critical error rate",
    faults: [faultOf("error-spike")],
  },
  "latency-regression": {
    name: "latency-regression",
    description: "the new release answers slowly, at twice the critical latency",
    faults: [faultOf("latency-regression")],
  },
  "invariant-violation": {
    name: "invariant-violation",
    description: "the new release breaks an invariant, which no release may at all",
    faults: [faultOf("invariant-violation")],
  },
  "low-traffic": {
    name: "low-traffic",
    description: "a healthy release with too few requests to tell",
    // What the recorded load balancer of the NAB corpus averages (realAWSCloudWatch/elb_request_count).
    ratePerSecond: 0.2,
    faults: [],
  },
  "metrics-outage": {
    name: "metrics-outage",
    description: "the new release's metrics stop while its requests go on",
    faults: [faultOf("metrics-outage")],
  },
  "hook-failure": {
    name: "hook-failure",
    description: "every run of the hook fails while the new release fails requests; a person kills by hand",
    // Awake, at a keyboard, and through the runbook's first page.
    killAfterSeconds: 300,
    faults: [faultOf("hook-fails"), faultOf("error-spike")],
  },
  "racing-up": {
    name: "racing-up",
    description:
      "the new release fails requests while an up is on its way to the next wave, and its write lands after the rollback",
    racingUp: true,
    faults: [faultOf("error-spike", { afterSeconds: 0 })],
  },
  "baseline-sick": {
    name: "baseline-sick",
    description: "the old release fails requests, the new one does not",
    faults: [faultOf("error-spike", { on: "baseline" })],
  },
  "baseline-scaled-in": {
    name: "baseline-scaled-in",
    description: "the old release loses its hosts for eight minutes, and the new one fails requests",
    faults: [faultOf("hosts-lost", { on: "baseline", durationSeconds: 480 }), faultOf("error-spike")],
  },
  "control-lost": {
    name: "control-lost",
    description: "the copy of the old release that the new one is compared with loses its hosts for eight minutes",
    control: true,
    faults: [faultOf("hosts-lost", { on: "control", durationSeconds: 480 })],
  },
  "dependency-outage": {
    name: "dependency-outage",
    description:
      "both releases fail half of their requests for a quarter of an hour, because of something that both need",
    // An outage is no subtle fault: at 1 % that makes half of all requests.
    faults: [faultOf("error-spike", { on: "both", durationSeconds: 900, timesCriticalBound: 50 })],
  },
  "slow-burn": {
    name: "slow-burn",
    description: "the new release fails a few requests, well under its critical bound, and goes on doing so",
    faults: [faultOf("error-spike", { timesCriticalBound: 0.15 })],
  },
  flapping: {
    name: "flapping",
    description: "errors of the new release come and go, four minutes each, on both sides of a bound",
    faults: flaps(6, { everySeconds: 480, lastingSeconds: 240, timesCriticalBound: 0.6 }),
  },
  "sticky-clients": {
    name: "sticky-clients",
    description: "clients keep the release that they were given, and the new one fails requests",
    // As long as a session: the hour that the load balancer's own examples have.
    stickinessSeconds: 3_600,
    faults: [faultOf("error-spike")],
  },
  "region-failover": {
    name: "region-failover",
    description: "another region goes away and its users come here; a while later the new release fails requests here",
    // After the soak of a short wave, so that somebody has asked for the next one by then.
    faults: [faultOf("region-lost"), faultOf("error-spike", { afterSeconds: 900 })],
  },
  "peer-hold": {
    name: "peer-hold",
    description: "another region rolls the new release back, tells this one, and goes away",
    faults: [faultOf("peer-hold"), faultOf("region-lost", { afterSeconds: 190 })],
  },
  "memory-leak": {
    name: "memory-leak",
    description: "the new release's memory grows, twice as fast as it may, and goes on doing so",
    faults: [faultOf("memory-leak")],
  },
  "breaker-open": {
    name: "breaker-open",
    description: "a circuit breaker of the new release opens and stays open",
    faults: [faultOf("breaker-open")],
  },
  "dual-run-mismatch": {
    name: "dual-run-mismatch",
    description: "old and new implementation come to different results, twice as often as they may",
    faults: [faultOf("dual-run-mismatch")],
  },
  "crash-loop": {
    name: "crash-loop",
    description: "processes of the new release crash, one a minute, and are started again",
    faults: [faultOf("crash")],
  },
  "slightly-worse": {
    name: "slightly-worse",
    description:
      "the new release is half as slow again as the old one from its first request on, under every critical bound",
    faults: [faultOf("latency-regression", { afterSeconds: 0, timesHealthy: 1.5 })],
  },
};
