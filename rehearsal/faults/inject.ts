/**
 * Spoils the calls of one step: a wrapper round the ports of every run, armed at one instant. Everything before that instant, and every
 * other step, works.
 */
import { type Ports, RevisionConflictError } from "../../hooks/ports.ts";
import type { Run } from "../cloud/functions.ts";
import { type Around, aroundPorts, type PortCall } from "./around-ports.ts";
import { type FaultKind, faultFigures } from "./kinds.ts";

/** A call of the outside failed, as AWS's own errors are named. */
export class InjectedError extends Error {
  constructor(name: string, call: string) {
    super(`${name}: injected into ${call}`);
    this.name = name;
  }
}

/** What one run has called so far. */
export type Calls = readonly PortCall[];

/** A lie: answers instead of the call. It may carry the call out, or not. */
export type Lie = (world: LieWorld) => Promise<unknown>;
export interface LieWorld {
  readonly args: readonly unknown[];
  readonly carryOut: () => Promise<unknown>;
  /** What the same call answered at least a minute before, if it was asked then. */
  readonly before: () => unknown;
}

/** Which calls a step is. */
export interface PortStep {
  readonly actor: Run["actor"];
  readonly call: PortCall;
  /** Runs of other causes are not meant. @default all */
  readonly causes?: readonly string[];
  /** Told apart by what the run has done before. @default every such call */
  readonly isMeant?: (calls: Calls, args: readonly unknown[]) => boolean;
  readonly lie: Lie;
}

export interface Injection {
  readonly kind: FaultKind;
  readonly variant?: string;
  readonly step: PortStep;
}

interface World {
  readonly now: () => number;
  /** Makes the caller wait. */
  readonly delay: (milliseconds: number) => Promise<void>;
  /** Comes back later, while nobody waits. */
  readonly later: (milliseconds: number) => Promise<void>;
  /** A process is gone. */
  readonly onDeath: (run: Run) => void;
}

const writes: ReadonlySet<PortCall> = new Set([
  "records.write",
  "records.appendHistory",
  "records.writeHeartbeat",
  "records.writeSnapshot",
  "records.writeDrill",
  "traffic.writeRule",
  "alarms.setState",
  "pager.send",
]);

export class Injector {
  readonly #world: World;
  readonly #answers = new Map<string, { readonly at: number; readonly answer: unknown }[]>();
  readonly #killed = new Set<number>();
  #injection: Injection | undefined;
  #met = 0;
  #firstAt: number | undefined;
  #skewMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** How many calls were spoilt. */
  get met(): number {
    return this.#met;
  }

  arm(injection: Injection): void {
    this.#injection = injection;
  }

  /** Everything works again. */
  mend(): void {
    this.#injection = undefined;
    this.#skewMs = 0;
  }

  isDead(run: Run): boolean {
    return this.#killed.has(run.id);
  }

  kill(run: Run): void {
    this.#killed.add(run.id);
    this.#world.onDeath(run);
  }

  /** The clock of an actor goes wrong. */
  skew(variant: string | undefined): void {
    this.#skewMs = (variant === "slow" ? -1 : 1) * faultFigures.skewSeconds * 1_000;
  }

  portsOf(ports: Ports, run: Run): Ports {
    const calls: PortCall[] = [];
    const around: Around = async (call, args, carryOut) => {
      if (this.isDead(run)) throw new InjectedError("ProcessKilled", call);
      // Lambda ended the run: nothing that it still does has an effect.
      if (run.isDead) return new Promise(() => {});
      const isMeant = this.#isMeant(run, call, calls, args);
      calls.push(call);
      const act = async () => this.#remember(call, args, await carryOut());
      return isMeant ? this.#spoil(run, call, args, act) : act();
    };
    return aroundPorts(ports, around, () => ports.clock.now() + this.#skewOf(run));
  }

  #skewOf(run: Run): number {
    return this.#injection?.step.actor === run.actor ? this.#skewMs : 0;
  }

  #isMeant(run: Run, call: PortCall, calls: Calls, args: readonly unknown[]): boolean {
    const step = this.#injection?.step;
    if (!step || step.actor !== run.actor || step.call !== call) return false;
    if (step.causes && !step.causes.includes(run.cause)) return false;
    return step.isMeant?.(calls, args) ?? true;
  }

  #remember<Answer>(call: PortCall, args: readonly unknown[], answer: Answer): Answer {
    if (writes.has(call)) return answer;
    const key = `${call} ${JSON.stringify(args[0] ?? null)}`;
    const known = this.#answers.get(key) ?? [];
    this.#answers.set(key, [...known.slice(-200), { at: this.#world.now(), answer }]);
    return answer;
  }

  #before(call: PortCall, args: readonly unknown[]): unknown {
    const latest = (this.#firstAt ?? this.#world.now()) - faultFigures.staleSeconds * 1_000;
    const known = this.#answers.get(`${call} ${JSON.stringify(args[0] ?? null)}`) ?? [];
    return known.findLast(({ at }) => at <= latest)?.answer;
  }

  async #spoil<Answer>(
    run: Run,
    call: PortCall,
    args: readonly unknown[],
    act: () => Promise<Answer>,
  ): Promise<Answer> {
    const injection = this.#injection;
    if (!injection) return act();
    const { now, delay, later } = this.#world;
    this.#firstAt ??= now();
    const nth = this.#met;
    this.#met += 1;
    const firstAt = this.#firstAt;
    const lies = (written: number): boolean =>
      writes.has(call) ? written < faultFigures.lyingWrites : now() - firstAt < faultFigures.lyingSeconds * 1_000;
    const fails = (name: string): never => {
      throw new InjectedError(name, call);
    };
    const refused = (name: string): Answer => (call === "pager.send" ? (notTaken(args, name) as Answer) : fails(name));
    switch (injection.kind) {
      case "throttle":
        return nth < faultFigures.throttledCalls ? refused("ThrottlingException") : act();
      case "timeout":
        if (nth >= faultFigures.timedOutCalls) return act();
        await delay(faultFigures.timeoutSeconds * 1_000);
        if (writes.has(call)) await act();
        return refused("TimeoutError");
      case "5xx":
        return now() - firstAt < faultFigures.outageSeconds * 1_000 ? refused("InternalServerError") : act();
      case "access denied":
        return refused("AccessDeniedException");
      case "wrong answer":
        if (!lies(nth)) return act();
        return (await injection.step.lie({ args, carryOut: act, before: () => this.#before(call, args) })) as Answer;
      case "duplicate": {
        if (nth > 0) return act();
        await act();
        return act();
      }
      case "out of order":
        if (!writes.has(call)) return (lies(0) ? (this.#before(call, args) ?? (await act())) : await act()) as Answer;
        if (nth > 0) return act();
        void later(faultFigures.lateSeconds * 1_000)
          .then(act)
          .catch(() => {});
        return refused("TimeoutError");
      case "killed":
        if (nth > 0) return act();
        if (injection.variant === "after") await act();
        this.kill(run);
        return fails("ProcessKilled");
      case "clock skew":
        this.skew(injection.variant);
        return act();
      case "slow":
        if (nth < faultFigures.slowCalls) await delay(faultFigures.slowSeconds * 1_000);
        return run.isDead ? new Promise<Answer>(() => {}) : act();
    }
  }
}

/** A pager never throws: it says who has the page, and who does not. */
function notTaken(args: readonly unknown[], name: string): unknown {
  const before = Array.isArray(args[1]) ? args[1] : [];
  return {
    deliveredTo: before,
    failed: [{ channel: "rehearsal", isRequired: true, error: new InjectedError(name, "pager.send") }],
  };
}

/** Lies that several steps share. */
export const plausible = {
  /** What was true before. */
  stale: async ({ before, carryOut }: LieWorld) => before() ?? (await carryOut()),
  nothing: async () => [],
  noSums: async () => ({}),
  /** A conditional write that took effect, whose answer was lost, and which the client then tried again. */
  conflictAfterEffect: async ({ carryOut }: LieWorld) => {
    await carryOut();
    throw new RevisionConflictError("somebody else wrote the record");
  },
  /** Said to be done, and not done. */
  notDone: async () => undefined,
  notTakenThoughTaken: async ({ args, carryOut }: LieWorld) => {
    await carryOut();
    return notTaken(args, "TimeoutError");
  },
} as const;
