/** Flags as they are asked: what is in force, what becomes of each read, and what is counted and said. */
import { type CohortOptions, isCanary } from "../cohorts.ts";
import type { Evaluation, Flags, FlagsChange, FlagsState, FlagsStatus } from "../flags.ts";
import type { RequestMetrics } from "../metrics.ts";
import { type FlagDocument, type FlagValue, readFlagDocument, shown, textOf } from "./document.ts";
import type { ReadFlagsOptions } from "./options.ts";
import { Refresh } from "./refresh.ts";
import type { FlagRuntime } from "./runtime.ts";
import type { FlagSource } from "./sources.ts";

/** A flag that the process asks for. */
interface Asked {
  readonly forced: boolean | undefined;
  /** Out of the document that is in force. */
  value: FlagValue | undefined;
}

/** Made once: an answer costs no memory. */
const answers = {
  on: { isOn: true, because: "split" },
  off: { isOn: false, because: "split" },
  disabled: { isOn: false, because: "disabled" },
  forcedOn: { isOn: true, because: "override" },
  forcedOff: { isOn: false, because: "override" },
  notReady: { isOn: false, because: "not-ready" },
  expired: { isOn: false, because: "expired" },
  unknownFlag: { isOn: false, because: "unknown-flag" },
  noExposure: { isOn: false, because: "no-exposure" },
  noId: { isOn: false, because: "no-id" },
} as const satisfies Record<string, Evaluation>;
type Answer = (typeof answers)[keyof typeof answers];

const matched = { matched: true } as const;
const mismatched = { matched: false } as const;

/** More flags that were not declared are not named. */
const maximumUndeclared = 50;
/** Of a flag's key. Unit: characters. */
const longestName = 64;

export class ReadFlags implements Flags {
  readonly #runtime: FlagRuntime;
  readonly #source: FlagSource;
  readonly #metrics: RequestMetrics | undefined;
  readonly #cohort: CohortOptions | undefined;
  readonly #maximumAgeMilliseconds: number | undefined;
  readonly #asked: ReadonlyMap<string, Asked>;
  readonly #refresh: Refresh;
  readonly #listeners = new Set<(change: FlagsChange) => void>();
  readonly #warned = new Set<string>();
  readonly #undeclared = new Set<string>();
  #text: string | undefined;
  #readAtMilliseconds = 0;
  #failure: string | undefined;
  #toldState: FlagsState = "not-ready";
  #cancelExpiry = () => {};

  constructor(environment: string, options: ReadFlagsOptions) {
    const { runtime, source, metrics, cohort, forced, everyMilliseconds, maximumAgeMilliseconds } = options;
    this.#runtime = runtime;
    this.#source = source;
    this.#metrics = metrics;
    this.#cohort = cohort;
    this.#maximumAgeMilliseconds = maximumAgeMilliseconds;
    this.#asked = new Map([...forced].map(([key, value]) => [key, { forced: value, value: undefined }]));
    for (const [key, value] of forced) {
      if (value === true) {
        this.warnOnce(
          `forced ${key}`,
          `flags: ${shown(key)}: is forced on for everybody by a variable. No rollback turns it off in this process`,
        );
      }
    }
    this.#refresh = new Refresh({
      source,
      runtime,
      environment,
      everyMilliseconds,
      take: (served) => this.#take(served),
      failed: (error) => this.#failed(error),
    });
    void this.#refresh.now();
  }

  isOn(flag: string, id: string, request?: object): boolean {
    return this.evaluate(flag, id, request).isOn;
  }

  evaluate(flag: string, id: string, request?: object): Evaluation {
    const answer = this.#answer(flag, id);
    if (this.#metrics !== undefined) this.#count(this.#metrics, answer, flag, id, request);
    return answer;
  }

  #answer(flag: string, id: string): Answer {
    const asked = this.#asked.get(flag);
    if (asked === undefined) {
      this.#nameUndeclared(flag);
      return answers.unknownFlag;
    }
    if (asked.forced === undefined) return this.#configured(asked, flag, id);
    return asked.forced ? answers.forcedOn : answers.forcedOff;
  }

  /** What the document says. */
  #configured(asked: Asked, flag: string, id: string): Answer {
    if (this.#text === undefined) return answers.notReady;
    if (this.#isExpired()) return answers.expired;
    const { value } = asked;
    if (value === undefined) {
      this.#sayOnce("unknown", flag, () => `not in the document of ${this.#source.name}. It is off`);
      return answers.unknownFlag;
    }
    if (!value.isEnabled) return answers.disabled;
    if (value.exposurePercent === undefined) {
      this.#sayOnce(
        "exposure",
        flag,
        () => "is enabled without exposurePercent; expected a whole number from 0 to 100. It is off",
      );
      return answers.noExposure;
    }
    if (typeof id !== "string" || id === "") {
      this.#sayOnce(
        "id",
        flag,
        () => `asked without an id, got ${shown(id)}; expected a text that is not empty. It is off for who has none`,
      );
      return answers.noId;
    }
    return isCanary(id, value.exposurePercent, this.#cohort) ? answers.on : answers.off;
  }

  #isExpired(): boolean {
    const maximum = this.#maximumAgeMilliseconds;
    return maximum !== undefined && this.#runtime.monotonicMilliseconds() - this.#readAtMilliseconds > maximum;
  }

  /** A request must not fail for its measurement. */
  #count(metrics: RequestMetrics, answer: Answer, flag: string, id: string, request: object | undefined): void {
    try {
      const path = answer.isOn ? "canary" : "baseline";
      if (request !== undefined) metrics.tookPath(request, path);
      // Who has no id is none whom the flag could split: it is missing from the coverage.
      if (answer.because === "no-id") return;
      const isAsConfigured = this.#isAsConfigured(answer, flag, id);
      (request === undefined ? metrics : metrics.of(path)).flagEvaluated(isAsConfigured ? matched : mismatched);
    } catch (error) {
      this.warnOnce("metrics", `flags: metrics: threw ${messageOf(error)}. Flags are asked without being counted`);
    }
  }

  #isAsConfigured(answer: Answer, flag: string, id: string): boolean {
    if (answer.because !== "override") return answer.because === "split" || answer.because === "disabled";
    const asked = this.#asked.get(flag);
    const configured = asked && this.#configured(asked, flag, id);
    return configured?.isOn === answer.isOn && (configured.because === "split" || configured.because === "disabled");
  }

  state(): FlagsState {
    if (this.#text === undefined) return "not-ready";
    if (this.#isExpired()) return "expired";
    return this.#failure === undefined ? "fresh" : "stale";
  }

  ready(): { readonly isReady: true } | { readonly isReady: false; readonly because: string } {
    const state = this.state();
    if (state === "fresh" || state === "stale") return { isReady: true };
    const failure = this.#failure === undefined ? "" : `: ${this.#failure}`;
    if (state === "expired") {
      const because = `the document of ${this.#source.name} is older than ${Number(this.#maximumAgeMilliseconds) / 1_000} s${failure}`;
      return { isReady: false, because };
    }
    return { isReady: false, because: `no document has come from ${this.#source.name} yet${failure}` };
  }

  status(): FlagsStatus {
    const forced = [...this.#asked].flatMap(([key, asked]) =>
      asked.forced === undefined ? [] : [[key, asked.forced]],
    );
    const ageMilliseconds = this.#runtime.monotonicMilliseconds() - this.#readAtMilliseconds;
    return {
      state: this.state(),
      source: this.#source.name,
      ...(this.#text === undefined ? {} : { ageSeconds: ageMilliseconds / 1_000 }),
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      forced: Object.fromEntries(forced),
    };
  }

  refresh(): Promise<void> {
    return this.#refresh.now();
  }

  /** @throws FlagDocumentError when it is no document; nothing of it is in force then */
  #take(served: unknown): void {
    const text = textOf(served);
    const changedFlags = text === this.#text ? [] : this.#apply(readFlagDocument(text));
    this.#text = text;
    this.#failure = undefined;
    // The next failure is news again.
    for (const key of ["read", "expired"]) this.#warned.delete(key);
    this.#readAtMilliseconds = this.#runtime.monotonicMilliseconds();
    this.#expectExpiry();
    this.#tell(changedFlags);
  }

  #apply(document: FlagDocument): string[] {
    const changed: string[] = [];
    for (const [key, asked] of this.#asked) {
      const value = document.get(key);
      const isSame =
        value?.isEnabled === asked.value?.isEnabled && value?.exposurePercent === asked.value?.exposurePercent;
      if (!isSame) changed.push(key);
      asked.value = value;
    }
    return changed;
  }

  #failed(error: unknown): void {
    this.#failure = messageOf(error);
    const inForce =
      this.#text === undefined ? "All flags are off until it is read" : "The last good document stays in force";
    this.warnOnce("read", `flags: ${this.#source.name} cannot be read, got ${this.#failure}. ${inForce}`);
    this.#tell([]);
  }

  #expectExpiry(): void {
    this.#cancelExpiry();
    if (this.#maximumAgeMilliseconds === undefined) return;
    this.#cancelExpiry = this.#runtime.after(this.#maximumAgeMilliseconds + 1, () => {
      const ready = this.ready();
      if (!ready.isReady) this.warnOnce("expired", `flags: ${ready.because}. All flags are off until it is read`);
      this.#tell([]);
    });
  }

  #tell(changedFlags: readonly string[]): void {
    const state = this.state();
    const previous = this.#toldState;
    if (state === previous && changedFlags.length === 0) return;
    this.#toldState = state;
    for (const listener of this.#listeners) {
      try {
        listener({ state, previous, changedFlags });
      } catch (error) {
        this.warnOnce("listener", `flags: onChange: a listener threw ${messageOf(error)}. The others were told`);
      }
    }
  }

  onChange(act: (change: FlagsChange) => void): () => void {
    this.#listeners.add(act);
    return () => void this.#listeners.delete(act);
  }

  warnOnce(key: string, message: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#runtime.warn(message);
  }

  /** The message is made when it is said: these stand in the way of requests. */
  #sayOnce(kind: string, flag: string, message: () => string): void {
    const key = `${kind} ${flag}`;
    if (!this.#warned.has(key)) this.warnOnce(key, `flags: ${shown(flag)}: ${message()}`);
  }

  /** An application can ask for anything, so only the first are named. */
  #nameUndeclared(flag: unknown): void {
    const name = typeof flag === "string" ? flag.slice(0, longestName) : typeof flag;
    if (this.#undeclared.has(name) || this.#undeclared.size >= maximumUndeclared) return;
    this.#undeclared.add(name);
    this.#runtime.warn(
      `flags: ${shown(flag)}: not among the keys that this process said it asks for; expected one of them. It is off`,
    );
  }

  close(): void {
    this.#refresh.close();
    this.#cancelExpiry();
    this.#listeners.clear();
  }
}

/** What an error says, with what is behind it where the error itself says little, as those of `fetch` do. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return shown(error);
  const behind = error.cause instanceof Error && error.name === "TypeError" ? `: ${error.cause.message}` : "";
  return `${error.message}${behind}`.slice(0, 600);
}
