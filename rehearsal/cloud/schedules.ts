/** When the clocks speak that wake the functions. */
import type { Instant } from "../../core/record.ts";
import type { RandomStream } from "../traffic/random.ts";
import type { EventBus, Schedule } from "./event-bus.ts";
import { type FunctionKind, functionKind } from "./functions.ts";

export class Schedules {
  readonly #bus: EventBus;
  /** Where in its minute each function's clock speaks: it counts from when it was made, which is at no particular second. Unit: milliseconds. */
  readonly #phaseMs: Readonly<Record<FunctionKind, number>>;
  /** When each speaks next, by its id; one that is new counts from when it is first seen. */
  readonly #speaksAt = new Map<string, Instant>();
  #next: { readonly at: Instant; readonly schedule: Schedule } | undefined;

  constructor(bus: EventBus, random: RandomStream) {
    const phaseOf = (name: string) => Math.floor(random.fork(name).uniform() * 60) * 1_000;
    this.#bus = bus;
    this.#phaseMs = { hook: phaseOf("schedule"), watchman: phaseOf("watchman"), report: phaseOf("report") };
  }

  /** When the next one speaks; infinity where none reaches a function. */
  nextAt(now: Instant): Instant {
    this.#next = undefined;
    for (const schedule of this.#bus.schedules()) {
      const at = this.#speaksAt.get(schedule.id) ?? this.#speaksAfter(schedule, now);
      if (this.#next === undefined || at < this.#next.at) this.#next = { at, schedule };
    }
    return this.#next?.at ?? Number.POSITIVE_INFINITY;
  }

  /** The one that `nextAt` told of; it speaks again later. */
  take(): Schedule | undefined {
    if (!this.#next) return undefined;
    const { at, schedule } = this.#next;
    this.#speaksAfter(schedule, at);
    return schedule;
  }

  #speaksAfter(schedule: Schedule, after: Instant): Instant {
    const at = schedule.after(after, this.#phaseMs[functionKind(schedule.functionName)]);
    this.#speaksAt.set(schedule.id, at);
    return at;
  }
}
