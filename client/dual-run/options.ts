/** What a dual run is asked for, read whole: everything that is wrong at once, misspelt options too, since a default in their place would be a guess. */
import type { RequestMetrics } from "../metrics.ts";
import { nodeRuntime, type Runtime } from "../runtime.ts";
import { shown } from "../shown.ts";

/** How one implementation ended. */
export type Outcome<Value> =
  | { readonly answered: true; readonly value: Value }
  | { readonly answered: false; readonly error: unknown };

/** Whose answer the caller gets. */
export type Side = "old" | "new";

/** Old and new did not agree. Nothing here is redacted. */
export interface Mismatch<Args extends readonly unknown[], Old, New> {
  readonly name: string;
  readonly returned: Side;
  /** What the one that is not returned ran on, as it left it; after a fallback what the caller gave. */
  readonly input: Args;
  readonly old: Outcome<Awaited<Old>>;
  readonly new: Outcome<Awaited<New>>;
}

export interface DualRunOptions<This, Args extends readonly unknown[], Old, New> {
  /** Names the pair in warnings and reports, and salts the sampling by id. Shape: a slug of at most 60 characters, such as `price-engine`. */
  readonly name: string;
  readonly old: (this: This, ...args: Args) => Old;
  readonly new: (this: This, ...args: Args) => New;
  /**
   * Whose answer the caller gets. A function decides each call, by a feature flag say; where it throws or answers anything else it is
   * `old`.
   */
  readonly returns: Side | ((...args: Args) => Side);
  /** Counts dual runs, mismatches and fallbacks: what `requestMetrics` gives. */
  readonly metrics: Pick<RequestMetrics, "dualRun" | "fallback" | "warnOnce">;
  /** How many calls are compared. Range: 0 to 1; with `idOf` in hundredths. @default 1, every call: twice the work */
  readonly sampleFraction?: number;
  /**
   * Samples by id instead of by chance: the same id is compared always or never. The bucket is that of `cohorts.ts`, salted with `name`, or those
   * compared would be those in the canary.
   */
  readonly idOf?: (...args: Args) => string;
  /**
   * Longest that the one that is not returned may take. A synchronous one cannot be interrupted: it is measured. Of an asynchronous one the late
   * answer is thrown away. Unit: milliseconds. Range: 1 to 60,000. @default 250
   */
  readonly budgetMilliseconds?: number;
  /** So many overruns within a minute switch the comparison off for a while. Range: 1 to 1,000, whole. @default 5 */
  readonly overrunsToPause?: number;
  /** How long that is. Unit: seconds. Range: 1 to 86,400. @default 60 */
  readonly pauseSeconds?: number;
  /** Whether two answers are the same; it has to say true or false. @default by what is in them (`isSameStructure`) */
  readonly equal?: (oldAnswer: Awaited<Old>, newAnswer: Awaited<New>) => boolean;
  /** Whether two errors are the same. @default name, message and code */
  readonly equalErrors?: (oldError: unknown, newError: unknown) => boolean;
  /**
   * What the one that is not returned runs on. `copied`: a copy; input that cannot be copied is not compared. `shared`: the caller's own, for
   * implementations that do not change it. A function makes the copy itself. @default "copied"
   */
  readonly input?: "copied" | "shared" | ((...args: Args) => Args);
  /**
   * What happens where `new` is returned and throws. `old`: the old one answers, on the caller's own input, as `new` left it. `none`: the caller
   * gets the error. @default "old"
   */
  readonly fallback?: "old" | "none";
  /** From then on nothing is compared, and a warning says so once. A fallback stays. Shape: a Date, or an ISO text with its zone. @default never */
  readonly until?: Date | string;
  /** Is told of mismatches; what it throws is dropped. */
  readonly onMismatch?: (mismatch: Mismatch<Args, Old, New>) => unknown;
  /** At most so many a minute are told; all are counted. Range: 1 to 1,000, whole. @default 10 */
  readonly mismatchesPerMinute?: number;
  /** For sampling. Range of what it gives: 0 to below 1. @default Math.random */
  readonly random?: () => number;
  /** @default this Node process; tests have another */
  readonly runtime?: Pick<Runtime, "epochMilliseconds" | "monotonicMilliseconds" | "after">;
}

type Any = DualRunOptions<unknown, readonly unknown[], unknown, unknown>;

/** The same with defaults, and without what is only shape. */
export interface ReadDualRunOptions
  extends Required<Omit<Any, "idOf" | "equal" | "equalErrors" | "until" | "onMismatch">>,
    Pick<Any, "idOf" | "equal" | "equalErrors" | "onMismatch"> {
  /** Unit: milliseconds since 1970; endless where there is no end. */
  readonly untilMilliseconds: number;
}

const known: ReadonlySet<string> = new Set<keyof Any>([
  "name",
  "old",
  "new",
  "returns",
  "metrics",
  "sampleFraction",
  "idOf",
  "budgetMilliseconds",
  "overrunsToPause",
  "pauseSeconds",
  "equal",
  "equalErrors",
  "input",
  "fallback",
  "until",
  "onMismatch",
  "mismatchesPerMinute",
  "random",
  "runtime",
]);

const namePattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const longestName = 60;
const isoPattern = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))$/;

/** Whole hundredths, but for what binary fractions make of them. */
export function isWholePercent(fraction: number): boolean {
  return Math.abs(fraction * 100 - Math.round(fraction * 100)) < 1e-9;
}

class Problems {
  readonly all: string[] = [];

  say(field: string, what: string, got: unknown, expected: string, wayOut: string): void {
    this.all.push(`dualRun: ${field}: ${what}, got ${shown(got)}; expected ${expected}. ${wayOut}`);
  }

  number(field: keyof Any, value: unknown, least: number, most: number, isWhole: boolean): void {
    if (value === undefined) return;
    const isGood =
      typeof value === "number" && value >= least && value <= most && (!isWhole || Number.isInteger(value));
    if (!isGood) {
      this.say(
        field,
        "out of range",
        value,
        `${isWhole ? "a whole number" : "a number"} from ${least} to ${most}`,
        "Leave it out for the default",
      );
    }
  }

  function(field: keyof Any, value: unknown, wayOut: string): void {
    if (value !== undefined && typeof value !== "function") {
      this.say(field, "not a function", value, "a function", wayOut);
    }
  }

  /** What cannot be run twice and compared is refused before it is ever called. */
  implementation(side: Side, value: unknown): void {
    if (typeof value !== "function") {
      this.say(side, "not a function", value, "a function", "Give both implementations");
      return;
    }
    const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
    if (tag === "GeneratorFunction" || tag === "AsyncGeneratorFunction") {
      this.say(
        side,
        "cannot be compared",
        `a ${tag}`,
        "a function that answers with a value or a promise",
        "Wrap what consumes it",
      );
    } else if (/^class\b/.test(Function.prototype.toString.call(value))) {
      this.say(side, "cannot be called", "a class", "a function", "Wrap what constructs it");
    }
  }
}

function optionProblems(options: Any): string[] {
  const problems = new Problems();
  for (const field of Object.keys(options).filter((key) => !known.has(key))) {
    problems.say(field, "no such option", field, [...known].join(", "), "Correct the name");
  }
  const { name, returns, metrics, input, fallback, until } = options;
  if (typeof name !== "string" || name.length > longestName || !namePattern.test(name)) {
    problems.say(
      "name",
      "no such name",
      name,
      `lower-case letters, digits and single inner hyphens, starting with a letter, at most ${longestName} characters`,
      "Name the pair, such as price-engine",
    );
  }
  problems.implementation("old", options.old);
  problems.implementation("new", options.new);
  if (options.old === options.new && typeof options.old === "function") {
    problems.say("new", "the same function as old", options.new.name, "another one", "It would always agree");
  }
  if (returns !== "old" && returns !== "new" && typeof returns !== "function") {
    problems.say("returns", "not a side", returns, "old, new, or a function that says which", "Start with old");
  }
  const calls = ["dualRun", "fallback", "warnOnce"] as const;
  if (!calls.every((call) => typeof metrics?.[call] === "function")) {
    problems.say("metrics", "nothing to count with", metrics, "what requestMetrics gives", "Give it the service's own");
  }
  if (input !== undefined && input !== "copied" && input !== "shared" && typeof input !== "function") {
    problems.say("input", "not known", input, "copied, shared, or a function that copies", "Leave it out for copied");
  }
  if (fallback !== undefined && fallback !== "old" && fallback !== "none") {
    problems.say("fallback", "not known", fallback, "old or none", "Leave it out for old");
  }
  if (until !== undefined && Number.isNaN(untilOf(until))) {
    problems.say("until", "not a moment", until, "a Date, or an ISO text with its zone", "Say 2026-12-01T00:00:00Z");
  }
  problems.number("sampleFraction", options.sampleFraction, 0, 1, false);
  problems.number("budgetMilliseconds", options.budgetMilliseconds, 1, 60_000, false);
  problems.number("overrunsToPause", options.overrunsToPause, 1, 1_000, true);
  problems.number("pauseSeconds", options.pauseSeconds, 1, 86_400, false);
  problems.number("mismatchesPerMinute", options.mismatchesPerMinute, 1, 1_000, true);
  for (const field of ["equal", "equalErrors", "onMismatch", "idOf", "random"] as const) {
    problems.function(field, options[field], "Leave it out for the default");
  }
  const { sampleFraction = 1 } = options;
  if (options.idOf !== undefined && sampleFraction >= 0 && sampleFraction <= 1 && !isWholePercent(sampleFraction)) {
    problems.say(
      "sampleFraction",
      "finer than ids are told apart",
      sampleFraction,
      "hundredths beside idOf",
      "Round it, or leave out idOf",
    );
  }
  return problems.all;
}

/** Unit: milliseconds since 1970. NaN: not a moment. */
function untilOf(until: unknown): number {
  if (until === undefined) return Number.POSITIVE_INFINITY;
  if (until instanceof Date) return until.getTime();
  // Without its zone it would be another moment on every host.
  return typeof until === "string" && isoPattern.test(until) ? Date.parse(until) : Number.NaN;
}

/** @throws TypeError with every problem, one a line */
export function readDualRunOptions<This, Args extends readonly unknown[], Old, New>(
  options: DualRunOptions<This, Args, Old, New>,
): ReadDualRunOptions {
  // What goes in is what the functions take: the wrapper has their parameters. From here on only that they are functions matters.
  const given = options as unknown as Any;
  if (typeof given !== "object" || given === null) {
    throw new TypeError("dualRun: options: missing, got nothing; expected name, old, new, returns and metrics");
  }
  const problems = optionProblems(given);
  if (problems.length > 0) throw new TypeError(problems.join("\n"));
  const { until, ...rest } = given;
  return {
    sampleFraction: 1,
    budgetMilliseconds: 250,
    overrunsToPause: 5,
    pauseSeconds: 60,
    input: "copied",
    fallback: "old",
    mismatchesPerMinute: 10,
    random: Math.random,
    runtime: nodeRuntime,
    ...withoutUndefined(rest),
    untilMilliseconds: untilOf(until),
  };
}

/** `sampleFraction: undefined` means what leaving it out means. */
function withoutUndefined<Values extends object>(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Values;
}
