/**
 * The process that metrics are taken of: its clocks, its timer, what it uses, and how it ends. A port, so that tests have one in virtual
 * time.
 */

/** What is done when the process ends. */
export interface AtEnd {
  /** Writes what there is, at once: nothing runs after it. */
  flushNow(): void;
  /** The process ends by an uncaught error. Called before `flushNow`. */
  crashed(): void;
}

export interface Runtime {
  /** Unit: milliseconds since 1970. */
  epochMilliseconds(): number;
  /** Never goes back. Unit: milliseconds. */
  monotonicMilliseconds(): number;
  /** Acts once, later; does not keep the process alive. @returns cancels it */
  after(milliseconds: number, act: () => void): () => void;
  /** Resident memory. Unit: bytes. */
  memoryBytes(): number;
  /** Processor time used since the start, by all threads. Unit: microseconds. */
  cpuMicroseconds(): number;
  /** @returns takes it back */
  onEnd(atEnd: AtEnd): () => void;
  /** Tells the developer, not the request. */
  warn(message: string): void;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/**
 * Shared by every copy of this module in the process: only one of all may answer SIGTERM, or each would take the others' listeners for the
 * application's own and none would let the process go.
 */
const registryKey = Symbol.for("tidegate.metrics.at-end");

interface Registry {
  readonly all: Set<AtEnd>;
  install(): void;
  uninstall(): void;
}

function makeRegistry(): Registry {
  const all = new Set<AtEnd>();
  let sawUncaught = false;
  const flushAll = () => {
    for (const atEnd of all) atEnd.flushNow();
  };
  const crash = () => {
    for (const atEnd of all) atEnd.crashed();
    flushAll();
  };
  const onUncaught = () => {
    // An application with a handler of its own may live on; whether it does is seen when the process exits.
    const mayLive = process.listenerCount("uncaughtException") > 0 || process.hasUncaughtExceptionCaptureCallback();
    if (mayLive) sawUncaught = true;
    else crash();
  };
  const onExit = (code: number) => (sawUncaught && code !== 0 ? crash() : flushAll());
  const onTerm = () => {
    flushAll();
    if (process.listenerCount("SIGTERM") > 1) return;
    // Nobody else listens: the process is to end, as it would without us.
    process.removeListener("SIGTERM", onTerm);
    process.kill(process.pid, "SIGTERM");
  };
  return {
    all,
    install() {
      process.on("uncaughtExceptionMonitor", onUncaught);
      process.on("exit", onExit);
      process.on("beforeExit", flushAll);
      process.on("SIGTERM", onTerm);
    },
    uninstall() {
      process.removeListener("uncaughtExceptionMonitor", onUncaught);
      process.removeListener("exit", onExit);
      process.removeListener("beforeExit", flushAll);
      process.removeListener("SIGTERM", onTerm);
    },
  };
}

function registry(): Registry {
  const holder = globalThis as { [registryKey]?: Registry };
  holder[registryKey] ??= makeRegistry();
  return holder[registryKey];
}

/** This Node process. */
export const nodeRuntime: Runtime = {
  epochMilliseconds: () => Date.now(),
  monotonicMilliseconds: () => performance.now(),
  after(milliseconds, act) {
    const timer = setTimeout(act, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
  memoryBytes: () => process.memoryUsage.rss(),
  cpuMicroseconds() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  onEnd(atEnd) {
    const ends = registry();
    if (ends.all.size === 0) ends.install();
    ends.all.add(atEnd);
    return () => {
      ends.all.delete(atEnd);
      if (ends.all.size === 0) ends.uninstall();
    };
  },
  warn: (message) => process.emitWarning(message, { type: "TidegateWarning", code: "TIDEGATE_METRICS" }),
  variables: process.env,
};
