/**
 * The functions as they are deployed: what wakes them, what they do with it, and what Lambda does when a run fails or takes too long. The
 * paths are those of the handlers; only the AWS adapters and the telemetry's output are others. The SLO report is run and writes nothing.
 */
import type { Instant } from "../../core/record.ts";
import { readEvent } from "../../hooks/events.ts";
import { makeHandler } from "../../hooks/handle.ts";
import type { Ports } from "../../hooks/ports.ts";
import { watch } from "../../hooks/watchman.ts";
import { NotRehearsedError } from "../engine/errors.ts";
import { cloud } from "./constants.ts";
import type { Delivery } from "./event-bus.ts";
import type { Actor, Breakage } from "./types.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** One run of one process, from its start to its end. */
export interface Run {
  readonly id: number;
  readonly actor: Actor;
  /** What it was started for: `alarm`, `schedule`, `opening`, `up` and the like. */
  readonly cause: string;
  /** It is no more: nothing that it still does has an effect. */
  isDead: boolean;
}

/** What an environment's functions are for. */
export type FunctionKind = "hook" | "watchman" | "report";

/** By its name, which the program gives it; another name than the watchman's and the report's is the hook's. */
export function functionKind(functionName: string): FunctionKind {
  if (functionName.endsWith("-watchman")) return "watchman";
  return functionName.endsWith("-report") ? "report" : "hook";
}

export interface FunctionsOptions {
  readonly now: () => Instant;
  readonly time: VirtualTime;
  /** Ports as this run has them. */
  readonly portsFor: (run: Run) => Ports;
  readonly newRun: (actor: Actor, cause: string) => Run;
  readonly count: (functionName: string, what: "Invocations" | "Errors" | "Throttles", at: Instant) => void;
  readonly onError: (functionName: string, error: unknown) => void;
  /** Tries a delivery again. */
  readonly again: (delivery: Delivery) => void;
  /** Gave up on a delivery. */
  readonly onDeadLetter: (error: unknown) => void;
}

/** A run that Lambda ended. */
export class FunctionTimedOutError extends Error {
  override readonly name = "FunctionTimedOutError";
}

export class Functions {
  readonly #options: FunctionsOptions;
  readonly #breakages = new Map<"hook" | "watchman", Breakage>();

  constructor(options: FunctionsOptions) {
    this.#options = options;
  }

  breakFunction(which: "hook" | "watchman", breakage: Breakage | undefined): void {
    if (breakage === undefined) this.#breakages.delete(which);
    else this.#breakages.set(which, breakage);
  }

  /**
   * Hands a delivery over, asynchronously as EventBridge does.
   * @param isRetried false for the clock: its next minute tries again anyway
   */
  async deliver(delivery: Delivery, isRetried: boolean): Promise<void> {
    const { functionName } = delivery;
    const kind = functionKind(functionName);
    if (kind === "report") {
      // It changes nothing that a rollout hangs on, so no more of it is rehearsed than that its clock reaches it.
      this.#options.count(functionName, "Invocations", this.#options.now());
      return;
    }
    const failed = (error: unknown): void => {
      this.#options.onError(functionName, error);
      if (isRetried) this.#retry(delivery, error);
    };
    if (this.#breakages.get(kind) === "unreachable") {
      this.#options.count(functionName, "Throttles", this.#options.now());
      return;
    }
    await this.#options.time.start(() => this.#bounded(delivery, kind, failed));
  }

  /** Runs it for as long as Lambda lets it. */
  async #bounded(delivery: Delivery, kind: Actor & FunctionKind, failed: (error: unknown) => void): Promise<void> {
    const { functionName } = delivery;
    const { now, time, count, newRun } = this.#options;
    const event = delivery.event;
    const run = newRun(kind, causeOf(event));
    const startedAt = now();
    count(functionName, "Invocations", startedAt);
    let isOver = false;
    const end = (error?: unknown): void => {
      if (isOver) return;
      isOver = true;
      run.isDead = true;
      if (error === undefined) return;
      count(functionName, "Errors", now());
      failed(error);
    };
    const work = this.#handle(run, event).then(
      () => end(),
      (error: unknown) => end(error ?? new Error("the run failed")),
    );
    // Promises alone bring most runs to their end; only what waits for time to pass needs a limit.
    await Promise.race([work, turn()]);
    if (isOver) return;
    const limit = time.until(startedAt + cloud.functionTimeoutSeconds * 1_000).then(() => {
      end(new FunctionTimedOutError(`${functionName}: timed out after ${cloud.functionTimeoutSeconds} s`));
    });
    await Promise.race([work, limit]);
  }

  #retry(delivery: Delivery, error: unknown): void {
    const waitSeconds = cloud.retryAfterSeconds[delivery.attempt - 1];
    if (waitSeconds === undefined) this.#options.onDeadLetter(error);
    else
      this.#options.again({
        ...delivery,
        dueAt: this.#options.now() + waitSeconds * 1_000,
        attempt: delivery.attempt + 1,
      });
  }

  /** A call that waits for its answer: Pulumi's invocation resource. @throws whatever the run throws */
  async call(functionName: string, event: unknown): Promise<void> {
    const kind = functionKind(functionName);
    if (kind === "report") throw new NotRehearsedError(`${functionName}: a call of the SLO report is not modelled`);
    if (this.#breakages.get(kind) === "unreachable") throw new Error(`${functionName}: Rate Exceeded`);
    const run = this.#options.newRun(kind, causeOf(event));
    const at = this.#options.now();
    this.#options.count(functionName, "Invocations", at);
    try {
      await this.#handle(run, event);
    } catch (error) {
      this.#options.count(functionName, "Errors", this.#options.now());
      throw error;
    } finally {
      run.isDead = true;
    }
  }

  async #handle(run: Run, event: unknown): Promise<void> {
    const which = run.actor === "watchman" ? "watchman" : "hook";
    if (this.#breakages.get(which) === "fails") throw new Error(`the ${which} cannot start: its code does not load`);
    const ports = this.#options.portsFor(run);
    if (which === "watchman") await watch(ports);
    else await handlerOver(ports)(event);
  }
}

/** The handler's own code over this run's ports; the account is the rehearsal's, and nobody reads its telemetry. */
function handlerOver(ports: Ports) {
  return makeHandler(() => ({
    environment: ports.place.environment,
    ports,
    checkAccount: async () => {},
    selfTests: {},
    begin: () => {},
    flush: async () => {},
    cleanError: (error) => (error instanceof Error ? error : new Error(String(error))),
  }));
}

function causeOf(event: unknown): string {
  try {
    return readEvent(event).kind;
  } catch {
    return "unknown";
  }
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
