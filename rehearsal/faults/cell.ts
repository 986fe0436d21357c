/**
 * One cell of the matrix: the whole local cloud, one step that goes wrong from one instant on, and people who do what pages and refusals
 * say. What is observed is handed on as plain data; `oracle.ts` judges it.
 */
import { messageOf } from "../../core/error-message.ts";
import { acknowledge, kill } from "../../hooks/commands.ts";
import type { ServiceConfig } from "../../stacks/config.ts";
import { parseConfig } from "../../stacks/config.ts";
import type { Delivery } from "../cloud/event-bus.ts";
import { makeLocalCloud, type ReachableCloud } from "../cloud/local-cloud.ts";
import type { ProviderCall } from "../cloud/provider-calls.ts";
import type { CloudEvent, UpResult } from "../cloud/types.ts";
import { wokenBy } from "../run/on-call.ts";
import { hostsPerGroup, startAt } from "../run/options.ts";
import { rateAt } from "../traffic/traffic.ts";
import { Injector } from "./inject.ts";
import type { FaultKind } from "./kinds.ts";
import { disturbDelivery, disturbProvider } from "./outside.ts";
import type { Step } from "./steps.ts";
import { Trace } from "./trace.ts";

export interface Cell {
  readonly of: "opening" | "rollback";
  readonly step: Step;
  /** Absent: nothing goes wrong, to compare with. */
  readonly kind?: FaultKind;
  readonly variant?: string;
}

/** One `up` as the person at the terminal saw it. */
export interface SeenUp {
  readonly at: number;
  readonly result: "applied" | "refused" | "failed" | "crashed";
  readonly reasons: readonly string[];
  /** Whether it warned. */
  readonly warned: boolean;
}

export interface Observed {
  readonly cell: Cell;
  /** Live weights of the main rule after every write: percent on the new release, and from when requests follow. */
  readonly shares: readonly {
    readonly at: number;
    readonly servedFrom: number;
    readonly percent: number;
    readonly by: string;
  }[];
  /** What woke somebody. */
  readonly woken: readonly { readonly at: number; readonly by: string }[];
  readonly pages: readonly { readonly at: number; readonly summary: string; readonly by: string }[];
  readonly errors: readonly { readonly at: number; readonly message: string }[];
  /** When the step began to go wrong, how often it was met, and when it was mended. */
  readonly armedAt: number;
  readonly met: number;
  readonly mendedAt: number;
  /** When the new release began to fail requests. */
  readonly breachAt: number;
  /** The faulted `up` of an opening, and the later ones. */
  readonly ups: readonly SeenUp[];
  /** What people did beside running `up`. */
  readonly byHand: readonly string[];
  /** Raw record at the end. */
  readonly record: string;
  readonly endAt: number;
  readonly trace: Trace["entries"];
}

const imageOf = (letter: string): string => `registry.example.com/shop/checkout@sha256:${letter.repeat(64)}`;
const config = parseConfig({
  aws: { region: "eu-west-1" },
  tidegate: {
    environment: "dev",
    network: { vpcId: "vpc-0a1b2c3d4e5f60718", subnetIds: ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60722"] },
    alerting: { email: ["checkout-team@example.com"] },
    services: {
      checkout: {
        mode: "act",
        match: { paths: ["/checkout/*"] },
        priority: 100,
        testers: { header: { name: "X-Tidegate-Canary", value: "on" } },
        baseline: { version: "2.3.1", image: imageOf("a") },
        canary: { version: "2.4.0", image: imageOf("b") },
        stickinessSeconds: 600,
        wave: 0,
        plan: "rapid",
        objectives: "batch",
        source: "emf",
      },
    },
  },
});

const minuteMs = 60_000;
/** How often people look up from what they do. Unit: milliseconds. */
const stepMs = 10_000;
/** Awake, at a keyboard, and through the runbook's first page. */
const reactionMs = 5 * minuteMs;
/** Errors of the bad release: twice the critical bound of preset `batch`. Unit: fraction. */
const badFraction = 0.1;
const person = { by: "the person on call", reason: "as the page says" };

export class CellRun {
  readonly cell: Cell;
  readonly cloud: ReachableCloud;
  readonly trace: Trace;
  readonly injector: Injector;
  readonly #service: ServiceConfig;
  readonly #shares: Observed["shares"][number][] = [];
  readonly #woken: Observed["woken"][number][] = [];
  readonly #pages: Observed["pages"][number][] = [];
  readonly #errors: Observed["errors"][number][] = [];
  readonly #ups: SeenUp[] = [];
  readonly #byHand: string[] = [];
  #armedAt = 0;
  #mendedAt = 0;
  #breachAt = 0;
  #canaryArn = "";
  #killAt = Number.POSITIVE_INFINITY;
  #outside = { met: 0 };
  /** The step goes wrong from the moment on at which the release's alarm speaks: before that the hook has nothing to do. */
  #armsOnAlarm = false;

  constructor(cell: Cell) {
    this.cell = cell;
    const [service] = config.services;
    if (!service) throw new Error("the matrix has no service");
    this.#service = service;
    this.trace = new Trace(() => this.cloud.now());
    this.injector = new Injector({
      now: () => this.cloud.now(),
      delay: (milliseconds) => this.cloud.delay(milliseconds),
      later: (milliseconds) => this.cloud.later(milliseconds),
      onDeath: (run) => this.trace.add({ kind: "died", run: run.id, actor: run.actor }),
    });
    this.cloud = makeLocalCloud(
      {
        seed: 1,
        startAt,
        ratePerSecondAt: (at) => rateAt(at),
        hook: "on",
        hostsPerGroup,
        hostsReadyAfterSeconds: 40,
      },
      {
        portsOf: (ports, run) => this.trace.asked(this.injector.portsOf(this.trace.effects(ports, run), run), run),
        onProviderCall: (call, carryOut) => this.#onProviderCall(call, carryOut),
        onDelivery: (delivery) => this.#onDelivery(delivery),
      },
    );
    this.cloud.onEvent((event) => this.#hear(event));
  }

  /** @returns everything that was seen */
  async run(): Promise<Observed> {
    await this.#stage();
    if (this.cell.of === "opening") await this.#opening();
    else await this.#rollback();
    return {
      cell: this.cell,
      shares: this.#shares,
      woken: this.#woken,
      pages: this.#pages,
      errors: this.#errors,
      armedAt: this.#armedAt,
      met: this.injector.met + this.#outside.met,
      mendedAt: this.#mendedAt,
      breachAt: this.#breachAt,
      ups: this.#ups,
      byHand: this.#byHand,
      record: JSON.stringify(this.cloud.record(this.#service.name)),
      endAt: this.cloud.now(),
      trace: this.trace.entries,
    };
  }

  async #stage(): Promise<void> {
    const { canary: _canary, ...baseline } = this.#service;
    await this.#up({ ...baseline, wavePercent: 0 });
    await this.#wait(2.5);
    await this.#up({ ...this.#service, wavePercent: 0 });
    await this.#wait(2.5);
    await this.#upTo(5);
    await this.#wait(10.5);
    if (this.#percent() !== 5) throw new Error(`the stage is not set: ${JSON.stringify(this.#ups.at(-1))}`);
  }

  async #opening(): Promise<void> {
    this.#arm();
    await this.#upTo(25);
    await this.#wait(16);
    this.#mend();
    // What a refusal says: mend it, run up again.
    for (let tries = 0; tries < 4 && !this.#isOpened(); tries += 1) {
      await this.#wait(1);
      await this.#acknowledge();
      await this.#upTo(25);
      await this.#wait(2);
    }
    // Whatever came of the opening, the release must still be watched.
    this.#breach();
    await this.#wait(10);
    await this.#upTo(25);
    await this.#wait(3);
  }

  #isOpened(): boolean {
    return this.#ups.at(-1)?.result === "applied" && this.#percent() === 25;
  }

  async #rollback(): Promise<void> {
    await this.#upTo(25);
    await this.#wait(3);
    if (this.#percent() !== 25) throw new Error(`the stage is not set: ${JSON.stringify(this.#ups.at(-1))}`);
    this.#armsOnAlarm = true;
    this.#breach();
    await this.#wait(30);
    this.#mend();
    await this.#wait(8);
    await this.#upTo(25);
    await this.#wait(3);
  }

  #arm(): void {
    this.#armedAt = this.cloud.now();
    const { kind, variant, step } = this.cell;
    if (kind === undefined || typeof step.at === "string") {
      // The clock of the process that waits for the outside step.
      if (kind === "clock skew") {
        const actor = step.at === "alarm-event" || step.at === "invoke-opening" ? "hook" : "up";
        const at = { actor, call: "records.list", isMeant: () => false, lie: async () => undefined } as const;
        this.injector.arm({ kind, step: at });
        this.injector.skew(variant);
        this.#outside.met += 1;
      }
      return;
    }
    this.injector.arm({ kind, step: step.at, ...(variant === undefined ? {} : { variant }) });
  }

  #mend(): void {
    this.#mendedAt = this.cloud.now();
    this.injector.mend();
  }

  #breach(): void {
    this.#breachAt = this.cloud.now();
    this.cloud.inject({ kind: "error-spike", digest: this.#service.canary?.digest ?? "", magnitude: badFraction });
  }

  get #isArmed(): boolean {
    return this.#armedAt > 0 && this.#mendedAt === 0 && this.cell.kind !== undefined;
  }

  async #onProviderCall(call: ProviderCall, carryOut: () => Promise<void>): Promise<void> {
    const write = async () => {
      await carryOut();
      this.trace.wrote(call);
    };
    const { step, kind, variant } = this.cell;
    const run = { id: this.trace.upRun, actor: "up", cause: "up", isDead: false } as const;
    if (this.injector.isDead(run)) throw new Error("the up's process is gone");
    if (!this.#isArmed || kind === undefined || typeof step.at !== "string") return write();
    await disturbProvider(call, write, {
      step: step.at,
      kind,
      variant,
      counter: this.#outside,
      delay: (seconds) => this.cloud.delay(seconds * 1_000),
      later: (seconds) => this.cloud.later(seconds * 1_000),
      die: () => this.injector.kill(run),
      onLost: () => this.trace.add({ kind: "died", run: run.id, actor: "up" }),
    });
  }

  #onDelivery(delivery: Delivery): readonly Delivery[] {
    const { step, kind } = this.cell;
    if (!this.#isArmed || kind === undefined || step.at !== "alarm-event") return [delivery];
    return disturbDelivery(delivery, kind, this.cloud.now(), this.#outside);
  }

  #hear(event: CloudEvent): void {
    if (event.kind === "weights") {
      const arns = Object.keys(event.action.weights);
      // The first rule has one group, the baseline's; any other is the new release's.
      if (this.#canaryArn === "") this.#canaryArn = arns.find((arn) => arn.includes("2-4-0")) ?? "";
      this.#shares.push({
        at: event.at,
        // Two writes in quick succession arrive in their order.
        servedFrom: Math.max(event.servedFrom, this.#shares.at(-1)?.servedFrom ?? 0),
        percent: shareOf(event.action.weights, this.#canaryArn),
        by: event.by,
      });
    }
    if (this.#armsOnAlarm && isCriticalOfCanary(event)) {
      this.#armsOnAlarm = false;
      this.#arm();
    }
    if (event.kind === "page" && event.page.action !== "resolve")
      this.#pages.push({ at: event.at, summary: event.page.summary, by: event.by });
    if (event.kind === "hook-error") this.#errors.push({ at: event.at, message: event.message });
    const woken = wokenBy(event);
    if (!woken || (this.#armedAt === 0 && this.#breachAt === 0)) return;
    this.#woken.push(woken);
    if (this.#killAt === Number.POSITIVE_INFINITY && this.#breachAt > 0) this.#killAt = event.at + reactionMs;
  }

  #percent(): number {
    return this.#shares.at(-1)?.percent ?? 0;
  }

  /** Lets time pass; whoever was woken acts when they are ready. */
  async #wait(minutes: number): Promise<void> {
    const until = this.cloud.now() + minutes * minuteMs;
    while (this.cloud.now() < until) {
      const next = this.#armedAt === 0 && this.#breachAt === 0 ? until : this.cloud.now() + stepMs;
      await this.cloud.advanceTo(Math.min(until, next));
      if (this.cloud.now() >= this.#killAt) await this.#kill();
    }
  }

  async #kill(): Promise<void> {
    this.#killAt = Number.POSITIVE_INFINITY;
    if (this.#percent() === 0) return;
    this.#byHand.push("kill");
    try {
      await kill(this.cloud.portsAs("person", "terminal"), this.#service.name, person);
    } catch (error) {
      this.#byHand.push(`kill failed: ${messageOf(error)}`);
    }
  }

  /** Holds that a page told of. */
  async #acknowledge(): Promise<void> {
    const holds = Object.values(this.cloud.record(this.#service.name)?.holds ?? {});
    if (!holds.some((hold) => !hold.acknowledged)) return;
    this.#byHand.push("acknowledge");
    await acknowledge(this.cloud.portsAs("person", "terminal"), this.#service.name, person);
  }

  /** With a reason: the matrix asks what comes of a fault, and not for how long the gate waits to have seen enough. */
  #upTo(wavePercent: number): Promise<void> {
    return this.#up({ ...this.#service, wavePercent, overrideReason: "the matrix asks what comes of a fault" });
  }

  async #up(service: ServiceConfig): Promise<void> {
    const at = this.cloud.now();
    let seen: Pick<UpResult, "reasons" | "notices"> & { readonly kind: SeenUp["result"] };
    try {
      seen = await this.cloud.up({ ...config, services: [service] }, "an engineer");
    } catch (error) {
      seen = { kind: "crashed", notices: [], reasons: [messageOf(error)] };
    }
    this.trace.add({ kind: "up-ended", run: this.trace.upRun, actor: "up", result: seen.kind });
    this.#ups.push({
      at,
      result: seen.kind,
      reasons: seen.reasons,
      warned: seen.notices.some(
        ({ severity, kind }) => severity === "warning" && kind !== "unwatched" && kind !== "override",
      ),
    });
  }
}

function isCriticalOfCanary(event: CloudEvent): boolean {
  return (
    event.kind === "alarm" && event.state === "ALARM" && /\/2-4-0-[^/]+\/error-rate\/critical/.test(event.alarmName)
  );
}

function shareOf(weights: Readonly<Record<string, number>>, arn: string): number {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return total === 0 ? 0 : (100 * (weights[arn] ?? 0)) / total;
}
