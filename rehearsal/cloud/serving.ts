/**
 * Users' requests, step by step: where the rules send them, what became of them, and what is measured of it.
 *
 * A service has users from the moment its main rule first leads to a healthy host: nobody sends requests to a service that never was
 * up. Requests to a group without healthy hosts get a 503 from the load balancer, which no release's own metrics show.
 */
import { loadBalancerArnSuffix, targetGroupArnSuffix } from "../../components/arn.ts";
import type { FlagPercents } from "../../core/flag-document.ts";
import type { MetricSource, Objective } from "../../core/objectives.ts";
import type { Instant } from "../../core/record.ts";
import type { Split } from "../../core/split.ts";
import { sharesOf } from "../../core/traffic-shares.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import type { RandomStream } from "../traffic/random.ts";
import { blipFraction, type Fault, type ReleaseTraffic, TrafficStream, trafficStep } from "../traffic/traffic.ts";
import { countFrom, slowFromBin, trafficFault, victimsOf } from "./bad-requests.ts";
import { type LoadBalancers, type Rule, serviceOf } from "./load-balancer.ts";
import type { MetricsFeed } from "./metrics-feed.ts";
import type { Parts } from "./split.ts";
import type { CloudEvent, InjectedFault, ReleaseCounts } from "./types.ts";

/** Which release a target group serves. */
export interface ServedRelease {
  readonly digest: string;
  readonly releaseKey: string;
  /** The baseline's second group: hosts and metrics of its own, and requests that count as the release's. @default false */
  readonly isControl?: boolean;
}

/** What a group's requests are drawn for: a control's own stream beside its release's, so that one without it meets the same traffic. */
export function controlId(digest: string): string {
  return `${digest}/control`;
}

function idOf({ digest, isControl }: ServedRelease): string {
  return isControl ? controlId(digest) : digest;
}

interface Tally {
  requests: number;
  badRequests: number;
}

/** A fault as injected, and whether its first victim was told of. */
interface Standing {
  readonly fault: InjectedFault;
  readonly since: Instant;
  told: boolean;
}

interface Service {
  readonly name: string;
  readonly stream: TrafficStream;
  readonly refused: RandomStream;
  readonly tallies: Map<string, Tally>;
  source: MetricSource;
  /** Latency from which a request counts as bad, as a histogram bin; infinity: none does. */
  slowFromBin: number;
  hasUsers: boolean;
  /** The last parts, translated; the same parts object means the same answer. */
  parts: Parts | undefined;
  /** Where a flag splits: for whom it is on has the canary's path, in the canary's processes; the others have the baseline's. */
  flag: { readonly key: string; readonly canary: string; readonly baseline: string } | undefined;
  /** Of the canary's requests, as last translated. */
  flagFraction: number;
  arns: readonly string[];
  shares: Readonly<Record<string, number>>;
}

/** What of a service's settings its requests hang on. */
export interface DescribedService {
  readonly source: MetricSource;
  readonly objectives: readonly Objective[];
  readonly split?: Split;
  readonly baseline: { readonly digest: string };
  readonly canary?: { readonly digest: string };
}

export interface ServingOptions {
  readonly balancers: LoadBalancers;
  readonly feed: MetricsFeed;
  readonly random: RandomStream;
  /** The live flags of a service. @default none has a flag */
  readonly flagsOf?: (service: string) => FlagPercents;
  readonly ratePerSecondAt: (at: Instant) => number;
  readonly emit: (event: CloudEvent) => void;
}

const none: readonly string[] = Object.freeze([]);

export class Serving {
  readonly #options: ServingOptions;
  readonly #services = new Map<string, Service>();
  readonly #releases = new Map<string, ServedRelease>();
  /** Target group by digest, a control's by its own id. */
  readonly #arns = new Map<string, string>();
  readonly #suffixes = new Map<string, string>();
  #standing: Standing[] = [];
  #faults: Fault[] = [];
  #outages: ReadonlySet<string> = new Set();

  constructor(options: ServingOptions) {
    this.#options = options;
  }

  /** What an `up` says about a service. */
  describe(name: string, settings: DescribedService): void {
    const service = this.#service(name);
    const { split, canary, baseline } = settings;
    service.flag =
      split?.by === "flag" && split.flag !== undefined && canary
        ? { key: split.flag, canary: canary.digest, baseline: baseline.digest }
        : undefined;
    service.source = settings.source;
    service.slowFromBin = slowFromBin(settings.objectives);
  }

  /** A target group serves a release from now on. */
  serve(targetGroupArn: string, release: ServedRelease): void {
    // An adopted group is used again by the next version; it serves one release at a time.
    const before = this.#releases.get(targetGroupArn);
    if (before && idOf(before) !== idOf(release)) this.#arns.delete(idOf(before));
    this.#releases.set(targetGroupArn, release);
    this.#arns.set(idOf(release), targetGroupArn);
    if (release.isControl) this.#relist();
    for (const service of this.#services.values()) service.parts = undefined;
  }

  /** The group of a release, or of a control by its id. */
  groupOf(id: string): string | undefined {
    return this.#arns.get(id);
  }

  /** Percent by digest of a forward action; a control's is its release's. */
  sharesIn(weights: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
    const control = Object.keys(weights).find((arn) => this.#releases.get(arn)?.isControl);
    const { digest } = (control && this.#releases.get(control)) || { digest: "" };
    const groups = Object.fromEntries([...this.#arns].filter(([, arn]) => !this.#releases.get(arn)?.isControl));
    return sharesOf(weights, groups, control === undefined ? undefined : { targetGroupArn: control, digest }).shares;
  }

  /** @returns what ends this very fault */
  inject(fault: InjectedFault, at: Instant): () => void {
    const standing = { fault, since: at, told: false };
    this.#standing.push(standing);
    this.#relist();
    return () => {
      this.#standing = this.#standing.filter((other) => other !== standing);
      this.#relist();
    };
  }

  clear(digest: string, kind?: InjectedFault["kind"]): void {
    this.#standing = this.#standing.filter(
      ({ fault }) => fault.digest !== digest || (kind !== undefined && fault.kind !== kind),
    );
    this.#relist();
  }

  #relist(): void {
    // The control is the same release, so what is wrong with the one is wrong with the other.
    this.#faults = this.#standing.flatMap(({ fault, since }) => {
      const own = trafficFault(fault, since);
      return this.#arns.has(controlId(fault.digest)) ? [own, { ...own, digest: controlId(fault.digest) }] : [own];
    });
    this.#outages = new Set(
      this.#standing.flatMap(({ fault }) => (fault.kind === "metrics-outage" ? [fault.digest] : [])),
    );
  }

  counts(name: string): Record<string, ReleaseCounts> {
    const tallies = this.#services.get(name)?.tallies ?? new Map<string, Tally>();
    return Object.fromEntries([...tallies].map(([digest, tally]) => [digest, { ...tally }]));
  }

  #service(name: string): Service {
    let service = this.#services.get(name);
    if (!service) {
      const random = this.#options.random.fork(name);
      service = {
        name,
        stream: new TrafficStream(random.fork("releases")),
        refused: random.fork("refused"),
        tallies: new Map(),
        source: "alb",
        slowFromBin: Number.POSITIVE_INFINITY,
        hasUsers: false,
        parts: undefined,
        flag: undefined,
        flagFraction: 1,
        arns: none,
        shares: {},
      };
      this.#services.set(name, service);
    }
    return service;
  }

  /** Serves the step that ends at `to`, a multiple of 10 s; a minute that ends with it is published. */
  step(from: Instant, to: Instant): void {
    const { balancers, feed } = this.#options;
    for (const rule of balancers.mainRules()) this.#serveRule(rule, from, to);
    for (const arn of this.#releases.keys()) {
      if (balancers.isAttached(arn) && !this.#isSilent(arn)) this.#countHosts(arn, to);
    }
    if (to % 60_000 === 0) feed.closeMinute(to);
  }

  /** Without the load balancer's own metrics of it: an outage of a service that is measured there. */
  #isSilent(arn: string): boolean {
    if (this.#outages.size === 0) return false;
    const digest = this.#releases.get(arn)?.digest ?? "";
    if (!this.#outages.has(digest)) return false;
    return [...this.#services.values()].some((service) => service.source === "alb" && service.tallies.has(digest));
  }

  #countHosts(arn: string, at: Instant): void {
    const { balancers, feed } = this.#options;
    const rule = balancers.mainRules()[0];
    if (rule) feed.countHosts(this.#suffix(arn), this.#suffix(rule.listenerArn), balancers.healthyHosts(arn, at));
  }

  #suffix(arn: string): string {
    let suffix = this.#suffixes.get(arn);
    if (suffix === undefined) {
      suffix = arn.includes(":targetgroup/") ? targetGroupArnSuffix(arn) : loadBalancerArnSuffix(arn);
      this.#suffixes.set(arn, suffix);
    }
    return suffix;
  }

  // Runs 86,400 times in ten days: no closures, and nothing is made anew while the parts stay.
  #serveRule(rule: Rule, from: Instant, to: Instant): void {
    const { balancers, feed, ratePerSecondAt } = this.#options;
    const service = this.#service(serviceOf(rule));
    const parts = rule.split.over(from, to);
    const fraction = this.#flagFraction(service);
    if (service.parts !== parts || service.flagFraction !== fraction) {
      service.flagFraction = fraction;
      this.#translate(service, parts);
    }
    let dead: readonly string[] = none;
    for (const arn of service.arns) {
      if (balancers.healthyHosts(arn, from) > 0) service.hasUsers = true;
      else dead = [...dead, arn];
    }
    if (!service.hasUsers) return;
    // Users come by all routes alike.
    const ratePerSecond = ratePerSecondAt(from) / balancers.routeCount(service.name);
    let ownErrors = 0;
    for (const arn of dead) {
      const refused = service.refused.poisson(((parts[arn] ?? 0) * ratePerSecond * (to - from)) / 1_000);
      ownErrors += refused;
      this.#tally(service, this.#releaseOf(arn).digest, refused, refused);
    }
    let requests = ownErrors;
    const shares = dead.length > 0 ? this.#sharesOf(parts, dead, service) : service.shares;
    const blips = this.#blips(rule, from, to);
    const reportsOwn = service.source !== "alb";
    const step = { from, to, ratePerSecond, shares, faults: this.#faults, reportsOwn, ...(blips ? { blips } : {}) };
    for (const served of trafficStep(service.stream, step)) {
      requests += served.requests;
      ownErrors += served.connectionErrors;
      this.#measure(service, rule, served, from, to);
    }
    feed.countOnBalancer(this.#suffix(rule.listenerArn), requests, ownErrors);
  }

  #translate(service: Service, parts: Parts): void {
    service.parts = parts;
    service.arns = Object.keys(parts);
    service.shares = this.#sharesOf(parts, none, service);
  }

  #flagFraction({ name, flag }: Service): number {
    if (!flag) return 1;
    return (this.#options.flagsOf?.(name)[flag.key] ?? 0) / 100;
  }

  /** Parts by release, without the groups that serve nobody; of a canary with a flag only those for whom it is on, the others have the baseline's path. */
  #sharesOf(parts: Parts, dead: readonly string[], { flag, flagFraction }: Service): Readonly<Record<string, number>> {
    const shares: Record<string, number> = {};
    for (const [arn, part] of Object.entries(parts)) {
      if (dead.includes(arn)) continue;
      const id = idOf(this.#releaseOf(arn));
      const own = id === flag?.canary ? part * flagFraction : part;
      if (own > 0 || !flag) shares[id] = (shares[id] ?? 0) + own;
      if (flag && part > own) shares[flag.baseline] = (shares[flag.baseline] ?? 0) + part - own;
    }
    return shares;
  }

  #releaseOf(arn: string): ServedRelease {
    const release = this.#releases.get(arn);
    if (!release) throw new NotRehearsedError(`target group ${arn}: serves no release that an up has described`);
    return release;
  }

  #blips(rule: Rule, from: Instant, to: Instant): Record<string, number> | undefined {
    const rises = rule.split.risesAt(from);
    if (rises.length === 0) return undefined;
    const blips: Record<string, number> = {};
    for (const rise of rises) {
      const id = idOf(this.#releaseOf(rise.groupArn));
      blips[id] = Math.max(blips[id] ?? 0, blipFraction(rise, { from, to }));
    }
    return blips;
  }

  #measure(service: Service, rule: Rule, served: ReleaseTraffic, from: Instant, to: Instant): void {
    const { feed } = this.#options;
    const arn = this.#arnOf(served.digest);
    const { digest } = this.#releaseOf(arn);
    const slow = countFrom(served.latency, service.slowFromBin);
    const bad = served.errors + served.connectionErrors + served.invariantViolations + slow;
    this.#tally(service, digest, served.requests, Math.min(served.requests, bad));
    if (this.#standing.length > 0) this.#tellFirstVictim(service, served, slow, from, to);
    // An outage stops what the service is watched by: the balancer's metrics of this release, or its own.
    const reportsOnBalancer = served.reportsMetrics || service.source !== "alb";
    if (reportsOnBalancer && served.requests > 0) {
      feed.countOnGroup(this.#suffix(this.#groupThatServed(service, arn)), this.#suffix(rule.listenerArn), served);
    }
    // A service that is watched on the load balancer needs no metrics of its own, so it is taken to have none.
    if (served.reportsMetrics && service.source === "emf")
      feed.reportRelease(service.name, this.#releaseOf(arn).releaseKey, served, from, to);
  }

  /** With the flag off, the baseline's path is served by the canary's processes as long as they get every request. */
  #groupThatServed({ flag, arns }: Service, arn: string): string {
    const canary = flag && this.#arns.get(flag.canary);
    return canary !== undefined && !arns.includes(arn) && arns.includes(canary) ? canary : arn;
  }

  #arnOf(digest: string): string {
    const arn = this.#arns.get(digest);
    if (arn === undefined) throw new NotRehearsedError(`release ${digest}: no target group`);
    return arn;
  }

  #tally(service: Service, digest: string, requests: number, badRequests: number): void {
    let tally = service.tallies.get(digest);
    if (!tally) {
      tally = { requests: 0, badRequests: 0 };
      service.tallies.set(digest, tally);
    }
    tally.requests += requests;
    tally.badRequests += badRequests;
  }

  /** The first request that a fault can have spoilt, in the middle of its step's victims as far as that can be told. */
  #tellFirstVictim(service: Service, served: ReleaseTraffic, slow: number, from: Instant, to: Instant): void {
    const { digest } = this.#releaseOf(this.#arnOf(served.digest));
    for (const standing of this.#standing) {
      const { fault, since, told } = standing;
      if (told || fault.digest !== digest) continue;
      const victims = victimsOf(fault, served, slow);
      if (victims === 0) continue;
      standing.told = true;
      const start = Math.max(from, since);
      const at = start + Math.round((to - start) / (victims + 1));
      this.#options.emit({ kind: "first-bad-request", at, service: service.name, digest });
    }
  }
}
