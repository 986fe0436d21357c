/**
 * Scenarios by name, and others from a YAML file:
 *
 *     name: checkout-slows-down
 *     description: the new release gets slow under its second wave
 *     ratePerSecond: 20                        # left out: the rehearsal's own traffic
 *     stickiness: 1h                           # left out: as the stack says; clients stay where they are for so long
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
import {
  boundedKinds,
  builtInScenarioNames,
  builtInScenarios,
  type Fault,
  faultedReleases,
  faultKinds,
  faultOf,
  isRegionFault,
  type Scenario,
} from "./scenarios.ts";

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
  // The load balancer's own range.
  stickiness: duration({ minimum: "1s", maximum: "7d", example: "1h" }).optional(),
  control: leaf(z.boolean(), { wrong: "neither yes nor no", expected: "true or false" }).optional(),
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
  if (kind && (kind.startsWith("hook-") || isRegionFault({ kind })) && on !== undefined) {
    const complaint = { wrong: `${kind} is no release's`, expected: "no on", wayOut: "Leave it out" };
    problems.add([...path, "on"], complaint, on);
  }
  if (kind && kind !== "hosts-lost" && on === "control") {
    const complaint = {
      wrong: `${kind} of a control alone`,
      expected: "canary, baseline or both",
      wayOut: "The control is the baseline's release: on baseline, both have it",
    };
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
  const { name, description, ratePerSecond, racingUp, stickiness, control, killAfter } = fields;
  if (problems.texts.length > 0 || !name) return undefined;
  return {
    name,
    description: description ?? name,
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
    ...(racingUp === undefined ? {} : { racingUp }),
    ...(stickiness === undefined ? {} : { stickinessSeconds: stickiness }),
    ...(control === undefined ? {} : { control }),
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
