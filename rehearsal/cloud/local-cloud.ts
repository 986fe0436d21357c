/**
 * The local cloud: the real program, guard and hook on a load balancer, CloudWatch, EventBridge and DynamoDB in virtual time.
 *
 * Nothing happens but in `advanceTo`, `up` and the ports. Within one instant: requests and metrics, alarms, events that are due, then the
 * schedule.
 */
import type { Instant } from "../../core/record.ts";
import { sharesOf } from "../../core/traffic-shares.ts";
import { onAlarmEvent } from "../../hooks/alarm-event.ts";
import { readEvent } from "../../hooks/events.ts";
import { commitOpening } from "../../hooks/opening.ts";
import type { Ports } from "../../hooks/ports.ts";
import { reconcileAll } from "../../hooks/reconcile.ts";
import type { EnvironmentConfig } from "../../stacks/config.ts";
import { CloudWatch, type StateChange } from "../cloudwatch/cloudwatch.ts";
import type { Capture } from "../engine/capture.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import { RandomStream } from "../traffic/random.ts";
import { drawPropagationSeconds } from "../traffic/traffic.ts";
import { cloud } from "./constants.ts";
import { Deployments } from "./deployments.ts";
import { type BusEvent, type Delivery, EventBus } from "./event-bus.ts";
import { LoadBalancers, type Rule, serviceOf } from "./load-balancer.ts";
import { MetricsFeed } from "./metrics-feed.ts";
import { Notifications } from "./notifications.ts";
import { portsOver } from "./ports.ts";
import { localProvider } from "./provider.ts";
import { RecordTable } from "./record-table.ts";
import { Serving } from "./serving.ts";
import type { CloudEvent, InjectedFault, LocalCloud, LocalCloudOptions, UpResult } from "./types.ts";

const stepMs = cloud.stepSeconds * 1_000;

/** What tests may change about a cloud beside its options. */
export interface LocalCloudSeams {
  /** Changes what the program registered, before it is applied: takes a resource away. */
  readonly alterCapture?: (capture: Capture) => Capture;
}

/** A cloud that starts empty at `options.startAt`. */
export function makeLocalCloud(options: LocalCloudOptions, seams: LocalCloudSeams = {}): LocalCloud {
  return new VirtualCloud(options, seams);
}

class VirtualCloud implements LocalCloud {
  readonly ports: Ports;
  readonly #options: LocalCloudOptions;
  readonly #listeners: ((event: CloudEvent) => void)[] = [];
  readonly #deployments: Deployments;
  readonly #cloudWatch = new CloudWatch();
  readonly #notifications = new Notifications();
  readonly #balancers: LoadBalancers;
  readonly #feed: MetricsFeed;
  readonly #serving: Serving;
  readonly #bus: EventBus;
  readonly #table: RecordTable;
  #now: Instant;
  /** Steps are served up to here. */
  #servedTo: Instant;
  /** Where in its minute the schedule speaks. Unit: milliseconds. */
  readonly #schedulePhaseMs: number;
  #scheduledTo: Instant;
  #isAdvancing = false;

  constructor(options: LocalCloudOptions, seams: LocalCloudSeams) {
    this.#options = options;
    this.#now = options.startAt;
    this.#servedTo = Math.floor(options.startAt / stepMs) * stepMs;
    this.#scheduledTo = options.startAt;
    const random = new RandomStream(options.seed);
    const propagation = random.fork("propagation");
    // The schedule counts from when it was made, which is at no particular second.
    this.#schedulePhaseMs = Math.floor(random.fork("schedule").uniform() * 60) * 1_000;
    this.#balancers = new LoadBalancers({
      now: () => this.#now,
      propagationSeconds: () => drawPropagationSeconds(propagation),
      onWrite: (rule, by, servedFrom) => this.#tellWeights(rule, by, servedFrom),
    });
    this.#feed = new MetricsFeed(this.#cloudWatch);
    this.#bus = new EventBus(random.fork("events"));
    this.#table = new RecordTable((service, entry) => this.#emit({ kind: "history", at: this.#now, service, entry }));
    this.#serving = new Serving({
      balancers: this.#balancers,
      feed: this.#feed,
      random: random.fork("traffic"),
      ratePerSecondAt: options.ratePerSecondAt,
      emit: (event) => this.#emit(event),
    });
    this.ports = this.#makePorts(random.fork("ids"));
    const provider = localProvider({
      balancers: this.#balancers,
      cloudWatch: this.#cloudWatch,
      bus: this.#bus,
      table: this.#table,
      notifications: this.#notifications,
      hostsPerGroup: options.hostsPerGroup,
      hostsReadyAfterSeconds: options.hostsReadyAfterSeconds,
      now: () => this.#now,
      invoke: (input, action) => this.#invoke(input, action),
    });
    this.#deployments = new Deployments({
      ...options,
      ports: this.ports,
      provider,
      balancers: this.#balancers,
      cloudWatch: this.#cloudWatch,
      serving: this.#serving,
      alterCapture: seams.alterCapture ?? ((capture) => capture),
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

  #makePorts(ids: RandomStream): Ports {
    const hex = () => ids.nextUint32().toString(16).padStart(8, "0");
    return portsOver({
      table: this.#table,
      balancers: this.#balancers,
      cloudWatch: this.#cloudWatch,
      now: () => this.#now,
      sleep: async (milliseconds) => {
        if (this.#isAdvancing) throw new NotRehearsedError("clock.sleep inside the hook: the hook never sleeps");
        await this.advanceTo(this.#now + milliseconds);
      },
      send: (page) => this.#emit({ kind: "page", at: this.#now, page }),
      newId: () => `${hex()}${hex()}`,
    });
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
        const next = Math.min(stepAt, dueAt, scheduleAt);
        if (next > at) break;
        this.#now = next;
        // One thing a turn: what it causes at the same instant is seen by the next.
        if (stepAt === next) this.#step(stepAt);
        else if (dueAt === next) await this.#deliver();
        else await this.#schedule(scheduleAt);
      }
      this.#now = at;
    } finally {
      this.#isAdvancing = false;
    }
  }

  /** The next whole minute of the schedule's own after the one it spoke at last; infinity while nothing is wired to it. */
  #nextScheduleAt(): Instant {
    const everyMs = this.#options.hook === "off" ? 60_000 : this.#bus.scheduleMs();
    if (everyMs === undefined) {
      this.#scheduledTo = this.#now;
      return Number.POSITIVE_INFINITY;
    }
    const phase = this.#schedulePhaseMs;
    return (Math.floor((this.#scheduledTo - phase) / everyMs) + 1) * everyMs + phase;
  }

  #step(end: Instant): void {
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

  async #schedule(at: Instant): Promise<void> {
    this.#scheduledTo = at;
    if (this.#options.hook === "off") {
      for (const service of this.#table.services()) this.#table.beat(service, at);
      return;
    }
    try {
      await reconcileAll(this.ports);
    } catch (error) {
      // The next minute tries again anyway; a retry of this one would only come later.
      this.#tellHookError(error);
    }
  }

  async #deliver(): Promise<void> {
    const delivery = this.#bus.take();
    if (!delivery) return;
    try {
      await this.#handle(delivery.event);
    } catch (error) {
      this.#tellHookError(error);
      this.#retry(delivery, error);
    }
  }

  async #handle(raw: BusEvent): Promise<void> {
    const event = readEvent(raw);
    if (event.kind !== "alarm-event") throw new NotRehearsedError(`event ${event.kind}: nothing here sends one`);
    await onAlarmEvent(this.ports, event.alarmName);
  }

  #tellHookError(error: unknown): void {
    this.#emit({ kind: "hook-error", at: this.#now, message: messageOf(error) });
    for (const name of this.#bus.functionNames()) this.#feed.countHookError(name, this.#now);
  }

  #retry(delivery: Delivery, error: unknown): void {
    const waitSeconds = cloud.retryAfterSeconds[delivery.attempt - 1];
    if (waitSeconds !== undefined) {
      this.#bus.deliver({ ...delivery, dueAt: this.#now + waitSeconds * 1_000, attempt: delivery.attempt + 1 });
      return;
    }
    if (this.#notifications.queueName !== undefined) this.#notifications.deadLetters += 1;
    this.#emit({ kind: "dead-letter", at: this.#now, message: messageOf(error) });
  }

  // Program

  async up(config: EnvironmentConfig, who: string): Promise<UpResult> {
    const result = await this.#deployments.up(config);
    this.#emit({ kind: "up", at: this.#now, who, result });
    return result;
  }

  async #invoke(input: string, action: "create" | "update" | "delete"): Promise<void> {
    const event = readEvent({ ...JSON.parse(input), tf: { action } });
    if (event.kind === "opening") await commitOpening(this.ports, event.description);
    else if (event.kind !== "opening-deleted") throw new NotRehearsedError(`invocation: ${event.kind} is not modelled`);
  }

  // What people see

  inject(fault: InjectedFault): void {
    this.#serving.inject(fault, this.#now);
  }

  clear(digest: string, kind?: InjectedFault["kind"]): void {
    this.#serving.clear(digest, kind);
  }

  breakHosts(digest: string, count: number): void {
    const arn = this.#serving.groupsByDigest()[digest];
    if (arn === undefined) throw new NotRehearsedError(`release ${digest}: no target group; run an up with it first`);
    this.#balancers.breakHosts(arn, count);
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
    return sharesOf(rule.action.weights, this.#serving.groupsByDigest()).shares;
  }

  #tellWeights(rule: Rule, by: "up" | "hook", servedFrom: Instant): void {
    if (!this.#balancers.mainRules().includes(rule)) return;
    const shares = this.#sharesOf(rule);
    this.#emit({ kind: "weights", at: this.#now, service: serviceOf(rule), shares, by, servedFrom });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
