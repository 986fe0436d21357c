/**
 * The people of a rehearsal and their time: runs `up`s, lets virtual time pass, starts and ends the faults as the scenario says.
 * What they want is in `first-attempt.ts` and `aftermath.ts`; here is only how they do it.
 */
import type { Instant, RolloutRecord } from "../../core/record.ts";
import type { EnvironmentConfig, ServiceConfig } from "../../stacks/config.ts";
import type { InjectedFault, LocalCloud, UpResult } from "../cloud/types.ts";
import type { Fault } from "../scenario-file.ts";
import { traffic } from "../traffic/constants.ts";
import { Chronicle } from "./chronicle.ts";
import { sizeFault } from "./fault-size.ts";
import type { Rehearsal } from "./options.ts";
import type { ReportedRefusal } from "./report.ts";
import { sightOf } from "./sight.ts";

const minuteMs = 60_000;

/** One `up`: who runs it, what they want in a few words, and the config they have. */
export interface Ask {
  readonly who: string;
  readonly wants: string;
  readonly change: Partial<ServiceConfig>;
}

export class Operator {
  readonly rehearsal: Rehearsal;
  readonly cloud: LocalCloud;
  readonly chronicle: Chronicle;
  readonly refused: ReportedRefusal[] = [];
  readonly #due: { readonly at: Instant; readonly run: () => void }[] = [];
  readonly #told = new Set<string>();
  #faultStartedAt: Instant | undefined;

  constructor(rehearsal: Rehearsal, cloud: LocalCloud) {
    this.rehearsal = rehearsal;
    this.cloud = cloud;
    this.chronicle = new Chronicle(cloud, rehearsal.config, rehearsal.rehearsed);
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
      const next = this.#due[0];
      if (!next || next.at > at) break;
      this.#due.shift();
      if (next.at > this.cloud.now()) await this.cloud.advanceTo(next.at);
      next.run();
    }
    if (at > this.cloud.now()) await this.cloud.advanceTo(at);
  }

  async waitSeconds(seconds: number): Promise<void> {
    await this.waitUntil(this.cloud.now() + seconds * 1_000);
  }

  /** One `pulumi up`. What it says is told; what it refuses is kept. */
  async up(ask: Ask): Promise<UpResult> {
    const startedAt = this.cloud.now();
    const result = await this.cloud.up(this.#config(ask.change), ask.who);
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
    const { config, rehearsed } = this.rehearsal;
    const service: Record<string, unknown> = { ...rehearsed, ...change };
    for (const key of Object.keys(service)) if (service[key] === undefined) delete service[key];
    return { ...config, services: [service as unknown as ServiceConfig] };
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
    const { scenario, faultWavePercent, rehearsed } = this.rehearsal;
    for (const fault of scenario.faults) {
      if ((fault.wavePercent ?? faultWavePercent) !== wavePercent) continue;
      const startsAt = openedAt + fault.afterSeconds * 1_000;
      const injected = sizeFault(fault, rehearsed, this.canary);
      this.#schedule(startsAt, () => {
        this.#faultStartedAt ??= this.cloud.now();
        this.chronicle.expectFault(fault.kind);
        this.cloud.inject(injected);
        this.#tellSight(injected, wavePercent);
      });
      if (fault.durationSeconds !== undefined) this.#scheduleEnd(fault, startsAt + fault.durationSeconds * 1_000);
    }
  }

  /** A fault that no alarm can see at this share is said by name: a quiet run would read as a healthy release (B9). */
  #tellSight({ kind, magnitude }: Pick<InjectedFault, "kind" | "magnitude">, exposurePercent: number): void {
    const { recorded, rehearsed, scenario } = this.rehearsal;
    const { objectives, source } = rehearsed;
    const ratePerSecond = recorded?.meanRatePerSecond ?? scenario.ratePerSecond ?? traffic.meanRatePerSecond;
    const sight = sightOf({ kind, magnitude, objectives, source, exposurePercent, ratePerSecond });
    if (!sight.isSeen)
      this.chronicle.tell("note", `at ${exposurePercent} % this fault cannot be seen here: ${sight.reason}`);
  }

  #scheduleEnd(fault: Fault, at: Instant): void {
    this.#schedule(at, () => {
      this.cloud.clear(this.canary, fault.kind);
      this.chronicle.tell("fault-over", `${fault.kind} stops by itself`);
    });
  }

  #schedule(at: Instant, run: () => void): void {
    this.#due.push({ at, run });
    this.#due.sort((left, right) => left.at - right.at);
  }

  /** Whoever mended the release. */
  clearFaults(): void {
    this.#due.length = 0;
    this.cloud.clear(this.canary);
  }
}

function resultText(result: UpResult): string {
  if (result.kind === "refused") return "REFUSED, nothing was changed";
  if (result.kind === "failed") return "FAILED on the way, exposure did not rise";
  const counts = (["create", "update", "delete"] as const).flatMap((op) => {
    const count = result.changes.filter((change) => change.op === op).length;
    return count === 0 ? [] : [`${count} ${op}d`];
  });
  return counts.length === 0 ? "applied, nothing to change" : `applied, ${counts.join(", ")}`;
}
