/**
 * The local cloud: the real program, guard and hook on a load balancer, CloudWatch, EventBridge and DynamoDB in virtual time.
 *
 * Nothing happens but in `advanceTo`, `up` and the ports. Within one instant: requests and metrics, alarms, events that are due, then the
 * schedule.
 */
import * as pulumi from "@pulumi/pulumi";
import { guardedWriteFrom } from "../../components/write-guard.ts";
import type { Declaration, Notice } from "../../core/declaration.ts";
import { releaseKey } from "../../core/naming.ts";
import type { Instant } from "../../core/record.ts";
import { sharesOf } from "../../core/traffic-shares.ts";
import { onAlarmEvent } from "../../hooks/alarm-event.ts";
import { readEvent } from "../../hooks/events.ts";
import { makeGuard } from "../../hooks/guard.ts";
import { commitOpening } from "../../hooks/opening.ts";
import type { Ports } from "../../hooks/ports.ts";
import { reconcileAll } from "../../hooks/reconcile.ts";
import type { EnvironmentConfig } from "../../stacks/config.ts";
import { decideEnvironment } from "../../stacks/decide.ts";
import { CloudWatch, type StateChange } from "../cloudwatch/cloudwatch.ts";
import type { Capture, CapturedHook, CapturedResource } from "../engine/capture.ts";
import { Engine, type HookedWrite, type Provider } from "../engine/engine.ts";
import { captureEnvironment } from "../engine/environment-capture.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import { RandomStream } from "../traffic/random.ts";
import { drawPropagationSeconds } from "../traffic/traffic.ts";
import { cloud } from "./constants.ts";
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
  readonly #seams: LocalCloudSeams;
  readonly #listeners: ((event: CloudEvent) => void)[] = [];
  readonly #engine = new Engine();
  readonly #cloudWatch = new CloudWatch();
  readonly #notifications = new Notifications();
  readonly #balancers: LoadBalancers;
  readonly #feed: MetricsFeed;
  readonly #serving: Serving;
  readonly #bus: EventBus;
  readonly #table: RecordTable;
  readonly #provider: Provider;
  #now: Instant;
  /** Steps are served up to here. */
  #servedTo: Instant;
  /** Where in its minute the schedule speaks. Unit: milliseconds. */
  readonly #schedulePhaseMs: number;
  #scheduledTo: Instant;
  #isAdvancing = false;

  constructor(options: LocalCloudOptions, seams: LocalCloudSeams) {
    this.#options = options;
    this.#seams = seams;
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
      onWrite: (rule, by) => this.#tellWeights(rule, by),
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
    this.#provider = localProvider({
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
    const result = await this.#up(config);
    this.#emit({ kind: "up", at: this.#now, who, result });
    return result;
  }

  async #up(config: EnvironmentConfig): Promise<UpResult> {
    const declarations = await decideEnvironment(config, this.ports);
    const notices: Notice[] = declarations.flatMap((declaration) => declaration.notices);
    const refusals = declarations.flatMap((declaration) => declaration.refusals);
    if (refusals.length > 0) return { kind: "refused", notices, reasons: refusals, changes: [] };

    let captured: Capture;
    try {
      captured = await captureEnvironment(config, declarations);
    } catch (error) {
      // The program's own words to the person; anything else is a fault of the rehearsal and must not look like one of the config.
      if (pulumi.RunError.isInstance(error) || error instanceof pulumi.ResourceError) {
        return { kind: "failed", notices, reasons: error.message.split("\n"), changes: [] };
      }
      throw error;
    }
    const capture = this.#seams.alterCapture?.(captured) ?? captured;
    this.#prepare(config, capture);
    const byService = new Map(declarations.map((declaration) => [declaration.service, declaration]));
    const run = { hookChanges: false };
    const applied = await this.#engine.up(capture, this.#provider, (hook, write) =>
      this.#runHook(hook, write, byService, run),
    );
    this.#takeAlarmsAway(capture);
    const kind = applied.reasons.length === 0 ? "applied" : "failed";
    return { kind, notices, reasons: applied.reasons, changes: applied.changes };
  }

  /** What exists without the program having made it, and which release each group serves. */
  #prepare(config: EnvironmentConfig, capture: Capture): void {
    for (const arn of capture.adopted) {
      if (arn.includes(":targetgroup/")) {
        // Adopted hosts run already.
        if (!this.#balancers.hasTargetGroup(arn)) {
          this.#balancers.addTargetGroup(arn, this.#options.hostsPerGroup, this.#options.startAt);
        }
      } else if (!this.#balancers.hasListener(arn)) {
        this.#balancers.addListener(arn, arn.replace(":listener/", ":loadbalancer/").split("/").slice(0, 4).join("/"));
      }
    }
    for (const service of config.services) this.#serving.describe(service.name, service);
    for (const resource of capture.resources) {
      for (const release of describedReleases(resource)) {
        this.#serving.serve(release.targetGroupArn, { digest: release.digest, releaseKey: releaseKey(release) });
      }
    }
  }

  async #runHook(
    hook: CapturedHook,
    { resource, before }: HookedWrite,
    declarations: ReadonlyMap<string, Declaration>,
    run: { hookChanges: boolean },
  ): Promise<void> {
    if (hook.kind === "hook-change-watch") {
      run.hookChanges = true;
      return;
    }
    const declaration = declarations.get(hook.service);
    if (!declaration) throw new NotRehearsedError(`hook "${hook.hookName}": no declaration of ${hook.service}`);
    const { takenBy, readyTimeoutSeconds } = hook;
    const guard = makeGuard(this.ports, {
      declaration,
      takenBy,
      readyTimeoutSeconds,
      hookChanges: () => run.hookChanges,
    });
    const write = {
      id: before ? resource.id : "",
      newInputs: { ...resource.inputs },
      ...(before ? { oldInputs: { ...before }, oldOutputs: { ...before, ...resource.outputs } } : {}),
    };
    await guard(guardedWriteFrom(write, hook.rule));
  }

  async #invoke(input: string, action: "create" | "update" | "delete"): Promise<void> {
    const event = readEvent({ ...JSON.parse(input), tf: { action } });
    if (event.kind === "opening") await commitOpening(this.ports, event.description);
    else if (event.kind !== "opening-deleted") throw new NotRehearsedError(`invocation: ${event.kind} is not modelled`);
  }

  /** With an alarm go the composites that hang on it: CloudWatch keeps no composite without its children. */
  #takeAlarmsAway(capture: Capture): void {
    const { withoutAlarms } = this.#options;
    if (!withoutAlarms) return;
    const taken = this.#cloudWatch.alarmNames().filter(withoutAlarms);
    const composites = capture.resources.flatMap(({ inputs: { alarmName, alarmRule } }) =>
      typeof alarmName === "string" && taken.some((name) => String(alarmRule).includes(`"${name}"`)) ? [alarmName] : [],
    );
    const existing = new Set(this.#cloudWatch.alarmNames());
    for (const name of new Set([...composites, ...taken])) if (existing.has(name)) this.#cloudWatch.deleteAlarm(name);
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

  #tellWeights(rule: Rule, by: "up" | "hook"): void {
    if (!this.#balancers.mainRules().includes(rule)) return;
    this.#emit({ kind: "weights", at: this.#now, service: serviceOf(rule), shares: this.#sharesOf(rule), by });
  }
}

/** The releases that an opening describes, with their groups. */
function describedReleases(resource: CapturedResource) {
  if (resource.type !== "aws:lambda/invocation:Invocation") return [];
  const event = readEvent(JSON.parse(String(resource.inputs.input)));
  return event.kind === "opening" ? event.description.releases : [];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
