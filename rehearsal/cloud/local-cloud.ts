/**
 * The local cloud: the real program, guard and hook on a load balancer, CloudWatch, EventBridge and DynamoDB in virtual time.
 *
 * Nothing happens but in `advanceTo`, `up` and the ports. Within one instant: requests and metrics, alarms, events that are due, then the
 * schedules, then whoever waited for that instant.
 */

import { messageOf } from "../../core/error-message.ts";
import type { Instant } from "../../core/record.ts";
import type { Ports } from "../../hooks/ports.ts";
import type { EnvironmentConfig } from "../../stacks/config.ts";
import { CloudWatch, type StateChange } from "../cloudwatch/cloudwatch.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import { RandomStream } from "../traffic/random.ts";
import { drawPropagationSeconds } from "../traffic/traffic.ts";
import { Autoscaling } from "../workloads/autoscaling.ts";
import { portsOfActor, portsOfCurrent } from "./actor-ports.ts";
import { cloud } from "./constants.ts";
import { Deployments } from "./deployments.ts";
import { type BusEvent, EventBus } from "./event-bus.ts";
import { FlagDocuments } from "./flags.ts";
import { Functions, functionKind, type Run } from "./functions.ts";
import { LoadBalancers, type Rule, serviceOf, type Writer } from "./load-balancer.ts";
import { MetricsFeed } from "./metrics-feed.ts";
import { Notifications } from "./notifications.ts";
import { PeerRegions } from "./peer-regions.ts";
import { localProvider } from "./provider.ts";
import { aroundProvider, type ProviderCall, stepOf } from "./provider-calls.ts";
import { RecordTable } from "./record-table.ts";
import { Schedules } from "./schedules.ts";
import type { LocalCloudSeams, ReachableCloud } from "./seams.ts";
import { Serving } from "./serving.ts";
import type { Actor, Breakage, CloudEvent, InjectedFault, LocalCloudOptions, UpResult, UpStep } from "./types.ts";
import { VirtualTime } from "./virtual-time.ts";

const stepMs = cloud.stepSeconds * 1_000;

export type { LocalCloudSeams, ReachableCloud } from "./seams.ts";

/** A cloud that starts empty at `options.startAt`. */
export function makeLocalCloud(options: LocalCloudOptions, seams: LocalCloudSeams = {}): ReachableCloud {
  return new VirtualCloud(options, seams);
}

class VirtualCloud implements ReachableCloud {
  readonly ports: Ports;
  readonly #options: LocalCloudOptions;
  readonly #seams: LocalCloudSeams;
  readonly #listeners: ((event: CloudEvent) => void)[] = [];
  readonly #deployments: Deployments;
  readonly #cloudWatch = new CloudWatch();
  readonly #notifications = new Notifications();
  readonly #regions = new PeerRegions();
  readonly #balancers: LoadBalancers;
  readonly #feed: MetricsFeed;
  readonly #serving: Serving;
  readonly #autoscaling: Autoscaling;
  readonly #bus: EventBus;
  readonly #schedules: Schedules;
  readonly #table: RecordTable;
  readonly #flags: FlagDocuments;
  readonly #time = new VirtualTime();
  readonly #functions: Functions;
  readonly #ids: RandomStream;
  #runs = 0;
  /** One of each actor: they hold nothing of a run. */
  readonly #ports = new Map<Actor, Ports>();
  /** Known from the first `up` on. */
  #place = { environment: "rehearsal", region: "eu-west-1" };
  #beforeStep: ((step: UpStep) => Promise<void>) | undefined;
  /** Ports of the `up` that is under way. */
  #portsOfUp: Ports;
  #now: Instant;
  /** Steps are served up to here. */
  #servedTo: Instant;
  /** When heartbeats were last kept up without a hook. */
  #beatAt: Instant;
  #isAdvancing = false;

  constructor(options: LocalCloudOptions, seams: LocalCloudSeams) {
    this.#options = options;
    this.#now = options.startAt;
    this.#servedTo = Math.floor(options.startAt / stepMs) * stepMs;
    this.#seams = seams;
    this.#beatAt = options.startAt;
    const random = new RandomStream(options.seed);
    const propagation = random.fork("propagation");
    this.#balancers = new LoadBalancers({
      now: () => this.#now,
      propagationSeconds: () => drawPropagationSeconds(propagation),
      onWrite: (rule, by, servedFrom) => this.#tellWeights(rule, by, servedFrom),
    });
    this.#feed = new MetricsFeed(this.#cloudWatch);
    this.#bus = new EventBus(random.fork("events"));
    this.#schedules = new Schedules(this.#bus, random);
    this.#table = new RecordTable((service, entry) => this.#emit({ kind: "history", at: this.#now, service, entry }));
    this.#flags = new FlagDocuments((service, percents) => {
      this.#emit({ kind: "flags", at: this.#now, service, percents });
    });
    this.#serving = new Serving({
      balancers: this.#balancers,
      feed: this.#feed,
      flagsOf: (service) => this.#flags.of(service),
      random: random.fork("traffic"),
      ratePerSecondAt: (at) => options.ratePerSecondAt(at) * this.#regions.usersHereFactor,
      emit: (event) => this.#emit(event),
    });
    this.#autoscaling = new Autoscaling({
      ratePerSecondOf: (arn, at) =>
        this.#balancers.partOf(arn) * options.ratePerSecondAt(at) * this.#regions.usersHereFactor,
      setHosts: (arn, count) => this.#balancers.setHosts(arn, count),
      readyAfterSeconds: options.hostsReadyAfterSeconds,
    });
    this.#ids = random.fork("ids");
    this.ports = this.portsAs("person", "terminal");
    this.#portsOfUp = this.ports;
    this.#functions = new Functions({
      now: () => this.#now,
      time: this.#time,
      portsFor: (run) => this.#portsFor(run),
      newRun: (actor, cause) => this.#newRun(actor, cause),
      count: (functionName, what, at) => this.#feed.countRun(functionName, what, at),
      onError: (functionName, error) =>
        this.#emit({ kind: "hook-error", at: this.#now, functionName, message: messageOf(error) }),
      again: (delivery) => this.#bus.deliver(delivery),
      onDeadLetter: (error) => {
        if (this.#notifications.queueName !== undefined) this.#notifications.deadLetters += 1;
        this.#emit({ kind: "dead-letter", at: this.#now, message: messageOf(error) });
      },
    });
    const provider = localProvider({
      balancers: this.#balancers,
      cloudWatch: this.#cloudWatch,
      bus: this.#bus,
      table: this.#table,
      flags: this.#flags,
      notifications: this.#notifications,
      autoscaling: this.#autoscaling,
      hostsPerGroup: options.hostsPerGroup,
      hostsReadyAfterSeconds: options.hostsReadyAfterSeconds,
      now: () => this.#now,
      invoke: (input, action) => this.#invoke({ ...JSON.parse(input), tf: { action } }),
    });
    this.#deployments = new Deployments({
      ...options,
      // The deployments are made once, and every `up` is a run of its own.
      ports: portsOfCurrent(() => this.#portsOfUp),
      provider: aroundProvider(provider, (call, carryOut) => this.#onProviderCall(call, carryOut)),
      balancers: this.#balancers,
      cloudWatch: this.#cloudWatch,
      serving: this.#serving,
      alterCapture: seams.alterCapture ?? ((capture) => capture),
      ...(seams.foreignRules ? { foreignRules: seams.foreignRules } : {}),
    });
  }

  now(): Instant {
    return this.#now;
  }

  onEvent(listener: (event: CloudEvent) => void): void {
    this.#listeners.push(listener);
  }

  #emit(event: CloudEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #newRun(actor: Actor, cause: string): Run {
    this.#runs += 1;
    return { id: this.#runs, actor, cause, isDead: false };
  }

  portsAs(actor: Actor, cause: string): Ports {
    return this.#portsFor(this.#newRun(actor, cause));
  }

  #portsFor(run: Run): Ports {
    const ports = this.#ports.get(run.actor) ?? this.#makePorts(run.actor);
    return this.#seams.portsOf?.(ports, run) ?? ports;
  }

  #makePorts(actor: Actor): Ports {
    const ports = portsOfActor(
      {
        table: this.#table,
        balancers: this.#balancers,
        flags: this.#flags,
        cloudWatch: this.#cloudWatch,
        feed: this.#feed,
        ids: this.#ids,
        now: () => this.#now,
        sleep: async (milliseconds) => {
          if (this.#isAdvancing) throw new NotRehearsedError("clock.sleep inside the hook: the hook never sleeps");
          await this.advanceTo(this.#now + milliseconds);
        },
        emit: (event) => this.#emit(event),
        onStateChange: (change) => this.#onStateChange(change),
        peers: this.#regions.peers(),
        place: this.#place,
      },
      actor,
    );
    this.#ports.set(actor, ports);
    return ports;
  }

  // Time

  async advanceTo(at: Instant): Promise<void> {
    if (at < this.#now) throw new RangeError(`advanceTo: back in time, got ${at}; expected ${this.#now} or later`);
    if (this.#isAdvancing) throw new NotRehearsedError("advanceTo inside the hook: one thing happens at a time");
    this.#isAdvancing = true;
    try {
      for (;;) {
        const stepAt = this.#servedTo + stepMs;
        const dueAt = this.#bus.nextDueAt();
        const scheduleAt = this.#nextScheduleAt();
        const next = Math.min(stepAt, dueAt, scheduleAt, this.#time.nextAt());
        if (next > at) break;
        this.#now = next;
        // One thing a turn: what it causes at the same instant is seen by the next.
        if (stepAt === next) this.#step(stepAt);
        else if (dueAt === next) await this.#deliver();
        else if (scheduleAt === next) await this.#speak();
        else await this.#time.go();
      }
      this.#now = at;
    } finally {
      this.#isAdvancing = false;
    }
  }

  #nextScheduleAt(): Instant {
    if (this.#options.hook === "off") return (Math.floor(this.#beatAt / 60_000) + 1) * 60_000;
    return this.#schedules.nextAt(this.#now);
  }

  async #speak(): Promise<void> {
    if (this.#options.hook === "off") return this.#beat(this.#now);
    const schedule = this.#schedules.take();
    if (!schedule) return;
    const { functionName, event } = schedule;
    await this.#functions.deliver({ dueAt: this.#now, functionName, event, attempt: 1 }, false);
  }

  #beat(at: Instant): void {
    this.#beatAt = at;
    for (const service of this.#table.services()) this.#table.beat(service, at);
  }

  async delay(milliseconds: number): Promise<void> {
    const at = this.#now + milliseconds;
    if (this.#isAdvancing) await this.#time.until(at);
    else await this.advanceTo(at);
  }

  later(milliseconds: number): Promise<void> {
    return this.#time.until(this.#now + milliseconds);
  }

  #step(end: Instant): void {
    this.#autoscaling.step(end);
    this.#serving.step(this.#servedTo, end);
    this.#servedTo = end;
    const { queueName, deadLetters } = this.#notifications;
    if (queueName !== undefined && deadLetters > 0 && end % 60_000 === 0) {
      this.#feed.countDeadLetters(queueName, deadLetters, end);
    }
    for (const change of this.#cloudWatch.evaluateAt(end)) this.#onStateChange(change);
  }

  #onStateChange({ alarmName, state, previousState, at, reason, actions }: StateChange): void {
    this.#emit({ kind: "alarm", at, alarmName, state, previousState, reason });
    for (const topicArn of actions) {
      const recipients = this.#notifications.recipients(topicArn);
      this.#emit({ kind: "notification", at, alarmName, state, topicArn, recipients });
    }
    if (this.#options.hook === "off") return;
    const event: BusEvent = {
      source: "aws.cloudwatch",
      "detail-type": "CloudWatch Alarm State Change",
      detail: { alarmName, state: { value: state, reason }, previousState: { value: previousState } },
    };
    this.#bus.publish(event, at);
  }

  async #deliver(): Promise<void> {
    const delivery = this.#bus.take();
    if (!delivery) return;
    const { onDelivery } = this.#seams;
    for (const arrived of onDelivery?.(delivery) ?? [delivery]) {
      if (arrived.dueAt > this.#now) this.#bus.deliver(arrived);
      else await this.#functions.deliver(arrived, true);
    }
  }

  // Program

  async up(config: EnvironmentConfig, who: string, before?: (step: UpStep) => Promise<void>): Promise<UpResult> {
    this.#place = { environment: config.environment, region: config.region };
    for (const region of config.peers) this.#regions.add(region, config.environment);
    this.#ports.clear();
    this.#portsOfUp = this.portsAs("up", "up");
    this.#beforeStep = before;
    const result = await this.#deployments.up(config);
    this.#beforeStep = undefined;
    this.#emit({ kind: "up", at: this.#now, who, result });
    return result;
  }

  /** Whoever comes between comes first; then whoever watches. */
  async #onProviderCall(call: ProviderCall, carryOut: () => Promise<void>): Promise<void> {
    const step = stepOf(call);
    if (step) await this.#beforeStep?.(step);
    const { onProviderCall } = this.#seams;
    if (onProviderCall) await onProviderCall(call, carryOut);
    else await carryOut();
  }

  async #invoke(event: unknown): Promise<void> {
    const [functionName = "hook"] = this.#bus.functionNames().filter((name) => functionKind(name) === "hook");
    await this.#functions.call(functionName, event);
  }

  // What people see

  inject(fault: InjectedFault): () => void {
    return this.#serving.inject(fault, this.#now);
  }

  clear(digest: string, kind?: InjectedFault["kind"]): void {
    this.#serving.clear(digest, kind);
  }

  breakHosts(digest: string, count: number): void {
    const arn = this.#serving.groupOf(digest);
    if (arn === undefined) throw new NotRehearsedError(`release ${digest}: no target group; run an up with it first`);
    this.#balancers.breakHosts(arn, count);
  }

  hosts(digest: string): number {
    const arn = this.#serving.groupOf(digest);
    return arn === undefined ? 0 : this.#balancers.healthyHosts(arn, this.#now);
  }

  breakFunction(which: "hook" | "watchman", breakage?: Breakage): void {
    this.#functions.breakFunction(which, breakage);
  }

  breakFlags(failure?: Error): void {
    this.#flags.failure = failure;
  }

  get peers(): PeerRegions {
    return this.#regions;
  }

  counts(service: string) {
    return this.#serving.counts(service);
  }

  shares(service: string): Record<string, number> {
    const rule = this.#balancers.mainRules().find((candidate) => serviceOf(candidate) === service);
    return rule ? { ...this.#sharesOf(rule) } : {};
  }

  record(service: string) {
    return this.#table.record(service);
  }

  #sharesOf(rule: Rule): Readonly<Record<string, number>> {
    return this.#serving.sharesIn(rule.action.weights);
  }

  #tellWeights(rule: Rule, by: Writer, servedFrom: Instant): void {
    if (!this.#balancers.mainRules().includes(rule)) return;
    const shares = this.#sharesOf(rule);
    const action = { ...rule.action, weights: { ...rule.action.weights } };
    this.#emit({
      kind: "weights",
      at: this.#now,
      service: serviceOf(rule),
      shares,
      by,
      ruleArn: rule.arn,
      action,
      servedFrom,
    });
  }
}
