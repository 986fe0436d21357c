/**
 * Scenarios: what goes wrong in a rehearsal, and when. Some by name, others from a YAML file:
 *
 *     name: checkout-slows-down
 *     description: the new release gets slow under its second wave
 *     ratePerSecond: 20                        # left out: the rehearsal's own traffic
 *     killAfter: 5m                            # left out: nobody kills; after a page that wakes somebody
 *     racingUp: true                           # left out: no; faults start in the middle of the up that opens the next wave
 *     faults:
 *       - kind: latency-regression
 *         on: canary                           # or baseline, or both; left out: the canary
 *         at: { wave: 25, after: 2m }          # left out: the wave the runner is told, 3m after it opened
 *         duration: 10m                        # left out: until the traffic is gone
 *         times: 2                             # of the critical bound
 */
import { z } from "zod";
import { BadInputError } from "../core/bad-input.ts";
import {
  check,
  checkFields,
  isMap,
  leaf,
  nearest,
  type Path,
  Problems,
  text,
  wholeNumber,
  word,
} from "../stacks/config/problems.ts";
import { duration } from "../stacks/config/units.ts";
import { readYaml } from "../stacks/config/yaml-file.ts";

/** What goes wrong with the requests of a release, or with what is known of them. */
export const requestFaultKinds = [
  "error-spike",
  "latency-regression",
  "invariant-violation",
  "metrics-outage",
] as const;
export type FaultKind = (typeof requestFaultKinds)[number];

/** What goes wrong around them: a release loses all its hosts, every run of the hook fails, no event reaches the hook. */
export const surroundingFaultKinds = ["hosts-lost", "hook-fails", "hook-unreachable"] as const;
export type SurroundingFaultKind = (typeof surroundingFaultKinds)[number];

export const faultKinds = [...requestFaultKinds, ...surroundingFaultKinds] as const;

export const faultedReleases = ["canary", "baseline", "both"] as const;

/** One thing that goes wrong. */
export interface Fault<Kind = FaultKind | SurroundingFaultKind> {
  readonly kind: Kind;
  /** Whose; absent: the canary's. Of no meaning for the hook's own faults. */
  readonly on?: (typeof faultedReleases)[number];
  /** The wave it starts in. Unit: percent; absent: the wave the runner is told. */
  readonly wavePercent?: number;
  /** From the opening of that wave. Unit: seconds. */
  readonly afterSeconds: number;
  /** Absent: it does not stop by itself. */
  readonly durationSeconds?: number;
  /** How far past the critical bound, as a multiple of it. What has no bound: 1. */
  readonly timesCriticalBound: number;
}

export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Requests of the whole service a second, on average. Absent: the rehearsal's own. */
  readonly ratePerSecond?: number;
  /** The faults start in the middle of the `up` that opens the next wave, between its guard and its write of the rule. */
  readonly racingUp?: boolean;
  /** So long after a page that wakes somebody the person on call kills, if the canary still has traffic. Unit: seconds. Absent: nobody does. */
  readonly killAfterSeconds?: number;
  readonly faults: readonly Fault[];
}

/** Whether a fault is one of requests. */
export function isRequestFault(fault: Fault): fault is Fault<FaultKind> {
  return requestFaultKinds.some((kind) => kind === fault.kind);
}

/** Long enough after the opening that a fault is not taken for a blip of the deployment. */
export const defaultFaultAfterSeconds = 180;
/** A fault that detection must not be made easy by. */
export const defaultTimesCriticalBound = 2;

/** Kinds with a bound that they can be a multiple of. */
const boundedKinds: ReadonlySet<Fault["kind"]> = new Set(["error-spike", "latency-regression", "invariant-violation"]);

function faultOf(kind: Fault["kind"], rest: Partial<Fault> = {}): Fault {
  const timesCriticalBound = boundedKinds.has(kind) ? defaultTimesCriticalBound : 1;
  return { kind, afterSeconds: defaultFaultAfterSeconds, timesCriticalBound, ...rest };
}

export const builtInScenarioNames = [
  "healthy",
  "error-spike",
  "latency-regression",
  "invariant-violation",
  "low-traffic",
  "metrics-outage",
  "hook-failure",
  "racing-up",
  "baseline-sick",
  "baseline-scaled-in",
  "dependency-outage",
] as const;
export type BuiltInScenarioName = (typeof builtInScenarioNames)[number];

/** The scenarios that need no file. */
export const builtInScenarios: Readonly<Record<BuiltInScenarioName, Scenario>> = {
  healthy: { name: "healthy", description: "nothing goes wrong", faults: [] },
  "error-spike": {
    name: "error-spike",
    description: "the new release fails requests, at twice the critical error rate",
    faults: [faultOf("error-spike")],
  },
  "latency-regression": {
    name: "latency-regression",
    description: "the new release answers slowly, at twice the critical latency",
    faults: [faultOf("latency-regression")],
  },
  "invariant-violation": {
    name: "invariant-violation",
    description: "the new release breaks an invariant, which no release may at all",
    faults: [faultOf("invariant-violation")],
  },
  "low-traffic": {
    name: "low-traffic",
    description: "a healthy release with too few requests to tell",
    // What the recorded load balancer of the NAB corpus averages (realAWSCloudWatch/elb_request_count).
    ratePerSecond: 0.2,
    faults: [],
  },
  "metrics-outage": {
    name: "metrics-outage",
    description: "the new release's metrics stop while its requests go on",
    faults: [faultOf("metrics-outage")],
  },
  "hook-failure": {
    name: "hook-failure",
    description: "every run of the hook fails while the new release fails requests; a person kills by hand",
    // Awake, at a keyboard, and through the runbook's first page.
    killAfterSeconds: 300,
    faults: [faultOf("hook-fails"), faultOf("error-spike")],
  },
  "racing-up": {
    name: "racing-up",
    description:
      "the new release fails requests while an up is on its way to the next wave, and its write lands after the rollback",
    racingUp: true,
    faults: [faultOf("error-spike", { afterSeconds: 0 })],
  },
  "baseline-sick": {
    name: "baseline-sick",
    description: "the old release fails requests, the new one does not",
    faults: [faultOf("error-spike", { on: "baseline" })],
  },
  "baseline-scaled-in": {
    name: "baseline-scaled-in",
    description: "the old release loses its hosts for eight minutes, and the new one fails requests",
    faults: [faultOf("hosts-lost", { on: "baseline", durationSeconds: 480 }), faultOf("error-spike")],
  },
  "dependency-outage": {
    name: "dependency-outage",
    description:
      "both releases fail half of their requests for a quarter of an hour, because of something that both need",
    // An outage is no subtle fault: at 1 % that makes half of all requests.
    faults: [faultOf("error-spike", { on: "both", durationSeconds: 900, timesCriticalBound: 50 })],
  },
};

const atSchema = z.strictObject({
  wave: wholeNumber(1, 100, "percent").optional(),
  after: duration({ minimum: "0s", maximum: "30d", example: "2m" }).optional(),
});

const faultFields = {
  kind: word(faultKinds, "unknown fault"),
  on: word(faultedReleases, "unknown release").optional(),
  at: atSchema.optional(),
  duration: duration({ minimum: "1s", maximum: "30d", example: "10m" }).optional(),
  times: leaf(z.number().gt(0).max(100), {
    wrong: "not a multiple of the critical bound",
    expected: "a number above 0, at most 100",
  }).optional(),
};

const scenarioFields = {
  name: text(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, {
    wrong: "not a scenario name",
    expected: "lower-case letters, digits and single inner hyphens",
  }),
  description: text(/^(?=.*\S)[^\r\n]{1,200}$/, {
    wrong: "not a description",
    expected: "one line of 1 to 200 characters",
  }).optional(),
  ratePerSecond: leaf(z.number().gt(0).max(100_000), {
    wrong: "not a rate",
    expected: "requests a second, above 0 and at most 100000",
  }).optional(),
  racingUp: leaf(z.boolean(), { wrong: "neither yes nor no", expected: "true or false" }).optional(),
  killAfter: duration({ minimum: "0s", maximum: "30d", example: "5m" }).optional(),
  faults: z.unknown(),
};

function readFault(raw: unknown, path: Path, problems: Problems): Fault | undefined {
  const before = problems.texts.length;
  const { kind, on, at, duration, times } = checkFields(faultFields, raw, path, problems);
  if (kind && !boundedKinds.has(kind) && times !== undefined) {
    const wrong = kind === "metrics-outage" ? "an outage has no bound to pass" : `${kind} has no bound to pass`;
    problems.add([...path, "times"], { wrong, expected: "no times", wayOut: "Leave it out" }, times);
  }
  if (kind?.startsWith("hook-") && on !== undefined) {
    const complaint = { wrong: `${kind} is no release's`, expected: "no on", wayOut: "Leave it out" };
    problems.add([...path, "on"], complaint, on);
  }
  if (problems.texts.length > before || !kind) return undefined;
  const fault = faultOf(kind);
  return {
    kind,
    ...(on === undefined ? {} : { on }),
    ...(at?.wave === undefined ? {} : { wavePercent: at.wave }),
    afterSeconds: at?.after ?? fault.afterSeconds,
    ...(duration === undefined ? {} : { durationSeconds: duration }),
    timesCriticalBound: times ?? fault.timesCriticalBound,
  };
}

/** Checks a parsed scenario and fills in its defaults; `undefined` after a problem. */
function readScenario(raw: unknown, problems: Problems): Scenario | undefined {
  if (!isMap(raw)) {
    problems.texts.push("the file holds no scenario; expected a map with name and faults");
    return undefined;
  }
  const fields = checkFields(scenarioFields, raw, [], problems);
  const listed = check(z.array(z.unknown()), fields.faults, ["faults"], problems) ?? [];
  const faults = listed.flatMap((fault, index) => readFault(fault, ["faults", index], problems) ?? []);
  const { name, description, ratePerSecond, racingUp, killAfter } = fields;
  if (problems.texts.length > 0 || !name) return undefined;
  return {
    name,
    description: description ?? name,
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
    ...(racingUp === undefined ? {} : { racingUp }),
    ...(killAfter === undefined ? {} : { killAfterSeconds: killAfter }),
    faults,
  };
}

/**
 * Checks a scenario as plain data; `place` stands for where it came from in messages.
 * @throws BadInputError with every problem
 */
export function parseScenario(raw: unknown, place: string): Scenario {
  const problems = new Problems();
  const scenario = readScenario(raw, problems);
  problems.throwIfAny((count) => `scenario ${place} has ${count}:`);
  if (!scenario) throw new Error("a scenario without problems came out incomplete");
  return scenario;
}

/**
 * Reads a scenario from a YAML file.
 * @throws BadInputError on an unreadable file, malformed YAML and every problem of the scenario
 */
export function readScenarioFile(path: string): Scenario {
  const problems = new Problems();
  const raw = readYaml(path, problems);
  problems.throwIfAny((count) => `scenario ${path} has ${count}:`);
  return parseScenario(raw, path);
}

/**
 * The scenario that a person names: a built-in one, or a file when it has a `/` or ends in `.yaml` or `.yml`.
 * @throws BadInputError
 */
export function loadScenario(nameOrPath: string): Scenario {
  const builtIn = builtInScenarioNames.find((name) => name === nameOrPath);
  if (builtIn) return builtInScenarios[builtIn];
  if (nameOrPath.includes("/") || /\.ya?ml$/.test(nameOrPath)) return readScenarioFile(nameOrPath);
  const near = nearest(nameOrPath, builtInScenarioNames);
  throw new BadInputError("scenario has 1 problem:", [
    `--scenario: unknown scenario, got "${nameOrPath}"; expected ${builtInScenarioNames.join(", ")} or a YAML file.${near ? ` Did you mean ${near}?` : " Give a file with its ending"}`,
  ]);
}
