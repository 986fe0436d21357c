/**
 * The people of a rehearsal and their time: runs `up`s, lets virtual time pass, starts and ends the faults as the scenario says.
 * What they want is in `first-attempt.ts` and `aftermath.ts`; here is only how they do it.
 */
import { burnRules } from "../../core/burn-rate.ts";
import type { Instant, RolloutRecord } from "../../core/record.ts";
import { kill } from "../../hooks/commands.ts";
import type { EnvironmentConfig, ServiceConfig } from "../../stacks/config.ts";
import { controlId } from "../cloud/serving.ts";
import type { InjectedFault, LocalCloud, UpResult, UpStep } from "../cloud/types.ts";
import { type Fault, type FaultKind, isRequestFault } from "../scenarios.ts";
import { traffic } from "../traffic/constants.ts";
import { startAround } from "./around.ts";
import { burnText } from "./budget.ts";
import { Chronicle } from "./chronicle.ts";
import { sizeFault } from "./fault-size.ts";
import { onWoken } from "./on-call.ts";
import type { Rehearsal } from "./options.ts";
import { peersFor } from "./regions.ts";
import type { ReportedRefusal } from "./report.ts";
import { sightOf } from "./sight.ts";
import { measureShare, type StickyWatchParts, watchTail } from "./sticky.ts";

const minuteMs = 60_000;
/** While somebody is on call, time passes in steps of this at most, so that they act when they mean to. Unit: milliseconds. */
const onCallStepMs = 10_000;
/** An `up` that loses a race hangs no longer than this: a minute less than its lease. Unit: milliseconds. */
const mostRaceMs = 9 * minuteMs;

/** One `up`: who runs it, what they want in a few words, and the config they have. */
export interface Ask {
  readonly who: string;
  readonly wants: string;
  readonly change: Partial<ServiceConfig>;
  /** It races what the faults of a `racingUp` scenario cause. */
  readonly races?: boolean;
}

export class Operator {
  readonly rehearsal: Rehearsal;
  readonly cloud: LocalCloud;
  readonly chronicle: Chronicle;
  readonly refused: ReportedRefusal[] = [];
  readonly #due: { readonly at: Instant; readonly run: () => void | Promise<void> }[] = [];
  /** What ends each standing fault. */
  readonly #ends = new Set<() => void>();
  readonly #told = new Set<string>();
  /** The stack's, or the one that a scenario about regions needs. */
  readonly #peers: readonly string[];
  #faultStartedAt: Instant | undefined;

  constructor(rehearsal: Rehearsal, cloud: LocalCloud) {
    this.rehearsal = rehearsal;
    this.cloud = cloud;
    this.chronicle = new Chronicle(cloud, rehearsal.config, rehearsal.rehearsed);
    this.#peers = peersFor(rehearsal.config, rehearsal.scenario);
    const { killAfterSeconds } = rehearsal.scenario;
    if (this.#peers !== rehearsal.config.peers)
      this.chronicle.tell(
        "note",
        `the stack names no peers; rehearsed as if tidegate:peers were [${this.#peers.join(", ")}]`,
      );
    const sticky = this.#stickyParts;
    if (sticky) watchTail(sticky);
    if (killAfterSeconds === undefined || rehearsal.hook === "off") return;
    let isAwake = false;
    onWoken(cloud, ({ at, by }) => {
      // What woke somebody before the fault is another story.
      if (isAwake || this.#faultStartedAt === undefined) return;
      isAwake = true;
      this.chronicle.tell("page", `the person on call is awake (${by})`, at);
      this.#schedule(at + killAfterSeconds * 1_000, () => this.#kill());
    });
  }

  get canary(): string {
    return this.rehearsal.rehearsed.canary.digest;
  }

  get record(): RolloutRecord | undefined {
    return this.cloud.record(this.rehearsal.rehearsed.name);
  }

  /** When the first fault was injected. */
  get faultStartedAt(): Instant | undefined {
    return this.#faultStartedAt;
  }

  /** The first attempt has run its span. */
  get isOver(): boolean {
    const now = this.cloud.now();
    const { endAt, endAfterFaultMinutes } = this.rehearsal;
    if (endAt !== undefined && now >= endAt) return true;
    if (endAfterFaultMinutes === undefined || this.#faultStartedAt === undefined) return false;
    return now >= this.#faultStartedAt + endAfterFaultMinutes * minuteMs;
  }

  /** Lets time pass; faults start and end on their way. */
  async waitUntil(at: Instant): Promise<void> {
    for (;;) {
      const now = this.cloud.now();
      const next = this.#due[0];
      if (next && next.at <= now) {
        this.#due.shift();
        await next.run();
        continue;
      }
      if (now >= at) return;
      const mostStep = this.rehearsal.scenario.killAfterSeconds === undefined ? at : now + onCallStepMs;
      await this.cloud.advanceTo(Math.min(at, next?.at ?? at, mostStep));
    }
  }

  async waitSeconds(seconds: number): Promise<void> {
    await this.waitUntil(this.cloud.now() + seconds * 1_000);
  }

  /** One `pulumi up`. What it says is told; what it refuses is kept. */
  async up(ask: Ask): Promise<UpResult> {
    const startedAt = this.cloud.now();
    const races = ask.races === true && this.rehearsal.scenario.racingUp === true && this.#faultStartedAt === undefined;
    const result = await this.cloud.up(
      // The race is set up: how long the gate waits to have seen enough would only end it before it begins.
      this.#config(races ? { overrideReason: "the race is set up", ...ask.change } : ask.change),
      ask.who,
      races ? (step) => this.#race(step) : undefined,
    );
    this.chronicle.tell("up", `${ask.who} ${ask.wants}: ${resultText(result)}`, startedAt);
    for (const notice of result.notices) this.#tellNotice(notice.kind, notice.text, result.kind);
    if (result.kind !== "applied") {
      const at = new Date(this.cloud.now()).toISOString();
      this.refused.push({ at, who: ask.who, asked: ask.wants, reasons: result.reasons });
      for (const reason of result.reasons) this.chronicle.tell("refused", reason);
    }
    return result;
  }

  #config(change: Partial<ServiceConfig>): EnvironmentConfig {
    const { config, rehearsed, scenario } = this.rehearsal;
    const sticky = scenario.stickinessSeconds === undefined ? {} : { stickinessSeconds: scenario.stickinessSeconds };
    const control = scenario.control ? { control: rehearsed.control ?? {} } : {};
    const service: Record<string, unknown> = { ...rehearsed, ...sticky, ...control, ...change };
    for (const key of Object.keys(service)) if (service[key] === undefined) delete service[key];
    return { ...config, peers: this.#peers, services: [service as unknown as ServiceConfig] };
  }

  /** Where the scenario is about clients that stay. */
  get #stickyParts(): StickyWatchParts | undefined {
    const { stickinessSeconds } = this.rehearsal.scenario;
    if (stickinessSeconds === undefined) return undefined;
    return {
      cloud: this.cloud,
      chronicle: this.chronicle,
      service: this.rehearsal.rehearsed.name,
      canary: this.canary,
      stickinessSeconds,
      schedule: (at, run) => this.#schedule(at, run),
    };
  }

  #tellNotice(kind: string, text: string, result: UpResult["kind"]): void {
    if (kind === "pinned" && result === "applied") this.chronicle.tell("pinned", text);
    if (kind === "finish" && result === "applied") this.chronicle.tell("finish", text);
    if ((kind === "unwatched" || kind === "unreadable") && !this.#told.has(text)) {
      this.#told.add(text);
      this.chronicle.tell("note", text);
    }
  }

  /** A wave opened: the scenario's faults of that wave are due from now. */
  scheduleFaults(wavePercent: number, openedAt: Instant): void {
    const { scenario, faultWavePercent } = this.rehearsal;
    if (scenario.racingUp) return;
    const sticky = this.#stickyParts;
    // Late enough that the last step's weights are followed, and over before a fault begins.
    if (sticky && wavePercent === faultWavePercent) measureShare(sticky, openedAt + minuteMs);
    for (const fault of scenario.faults) {
      if ((fault.wavePercent ?? faultWavePercent) !== wavePercent) continue;
      this.#schedule(openedAt + fault.afterSeconds * 1_000, () => this.#start(fault, wavePercent));
    }
  }

  /** The guard has passed and the rule is not written yet: the faults begin, and the write waits until the hook has answered them. */
  async #race(step: UpStep): Promise<void> {
    if (step !== "rule" || this.#faultStartedAt !== undefined) return;
    const { scenario } = this.rehearsal;
    const startedAt = this.cloud.now();
    this.chronicle.tell("note", "the up has its lease, and hangs before it writes the rule");
    for (const fault of scenario.faults)
      this.#schedule(startedAt + fault.afterSeconds * 1_000, () => this.#start(fault, this.chronicle.exposurePercent));
    while (this.chronicle.loweredAt === undefined && this.cloud.now() - startedAt < mostRaceMs) {
      await this.waitUntil(this.cloud.now() + onCallStepMs);
    }
    this.chronicle.tell("note", "the up goes on where it hung, and writes the rule");
  }

  async #start(fault: Fault, wavePercent: number): Promise<void> {
    this.#faultStartedAt ??= this.cloud.now();
    const end = isRequestFault(fault) ? this.#startOnRequests(fault, wavePercent) : await this.#startAround(fault);
    this.#ends.add(end);
    const { durationSeconds } = fault;
    if (durationSeconds === undefined) return;
    this.#schedule(this.cloud.now() + durationSeconds * 1_000, () => {
      this.#ends.delete(end);
      end();
      this.chronicle.tell("fault-over", `${fault.kind} stops by itself`);
    });
  }

  #startOnRequests(fault: Fault<FaultKind>, wavePercent: number): () => void {
    const digests = this.#faulted(fault);
    this.#tellBurn(fault);
    this.chronicle.expectFault(fault.kind, fault.on ?? "canary", digests);
    const ends = digests.map((digest) => {
      const injected = sizeFault(fault, this.rehearsal.rehearsed, digest);
      if (digest === this.canary) this.#tellSight(injected, wavePercent);
      return this.cloud.inject(injected);
    });
    return () => {
      for (const end of ends) end();
    };
  }

  #startAround(fault: Fault): Promise<() => void> {
    const [peer = ""] = this.#peers;
    const { cloud, chronicle } = this;
    const service = this.rehearsal.rehearsed.name;
    return startAround({ cloud, chronicle, service, peer, digests: this.#faulted(fault) }, fault);
  }

  #faulted({ on }: Fault): string[] {
    const baseline = this.rehearsal.rehearsed.baseline.digest;
    if (on === "baseline") return [baseline];
    if (on === "control") return [controlId(baseline)];
    return on === "both" ? [this.canary, baseline] : [this.canary];
  }

  /** What a page says to do, when the release still has traffic. */
  async #kill(): Promise<void> {
    if (this.chronicle.exposurePercent === 0) return;
    this.chronicle.tell("note", "the person on call kills by hand");
    const said = { by: "the person on call", reason: "users see errors and the hook does not act" };
    await kill(this.cloud.ports, this.rehearsal.rehearsed.name, said);
  }

  /** A fault that no alarm can see at this share is said by name: a quiet run would read as a healthy release (B9). */
  #tellSight({ kind, magnitude }: Pick<InjectedFault, "kind" | "magnitude">, exposurePercent: number): void {
    const { recorded, rehearsed, scenario } = this.rehearsal;
    const { objectives, source, plan } = rehearsed;
    const ratePerSecond = recorded?.meanRatePerSecond ?? scenario.ratePerSecond ?? traffic.meanRatePerSecond;
    const sight = sightOf({ kind, magnitude, objectives, source, exposurePercent, ratePerSecond, plan });
    if (!sight.isSeen)
      this.chronicle.tell("note", `at ${exposurePercent} % this fault cannot be seen here: ${sight.reason}`);
  }

  /** Under its critical bound a lasting error rate is nobody's emergency, and still spends what was promised. */
  #tellBurn(fault: Fault<FaultKind>): void {
    if (fault.kind !== "error-spike" || (fault.timesCriticalBound >= 1 && fault.timesHealthy === undefined)) return;
    const { rehearsed } = this.rehearsal;
    const { magnitude } = sizeFault(fault, rehearsed, this.canary);
    const fraction = magnitude + traffic.errors.baseFraction;
    const { objectives, source, burnRate } = rehearsed;
    const pairs = burnRate ? burnRules(objectives, source, burnRate).rules : [];
    const watched = pairs.filter(({ thresholdPercent }) => 100 * fraction > thresholdPercent).map(({ key }) => key);
    const text = burnText(fraction, objectives, watched);
    if (text === undefined || this.#told.has(text)) return;
    this.#told.add(text);
    this.chronicle.tell("note", text);
  }

  #schedule(at: Instant, run: () => void | Promise<void>): void {
    this.#due.push({ at, run });
    this.#due.sort((left, right) => left.at - right.at);
  }

  /** Whoever mended the release, and all else. */
  clearFaults(): void {
    this.#due.length = 0;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }
}

function resultText(result: UpResult): string {
  if (result.kind === "refused") return "REFUSED, nothing was changed";
  if (result.kind === "failed") return "FAILED on the way, nothing was committed";
  const counts = (["create", "update", "delete"] as const).flatMap((op) => {
    const count = result.changes.filter((change) => change.op === op).length;
    return count === 0 ? [] : [`${count} ${op}d`];
  });
  return counts.length === 0 ? "applied, nothing to change" : `applied, ${counts.join(", ")}`;
}
