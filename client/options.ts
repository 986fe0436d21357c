/** Reads what an application says of itself, all that is wrong with it at once; a release under a wrong name would be watched as nobody. */
import { emf } from "./emf.ts";
import type { Identity, MetricsOutput } from "./output.ts";
import { nodeRuntime, type Runtime } from "./runtime.ts";
import { shown } from "./shown.ts";

export interface RequestMetricsOptions {
  /** Name of the environment, as in the stack config: `production`. */
  readonly environment: string;
  /** Name of the service, as in the stack config: `checkout`. */
  readonly service: string;
  /**
   * Key of the release, which the alarms of this very release look for: `2-4-0-1a2b3c4d`.
   * @default the variable TIDEGATE_RELEASE
   */
  readonly release?: string;
  /**
   * Key of the release whose code path this process takes where a flag is off; metrics of such requests are that release's. For the canary's
   * processes where a flag splits the traffic, or the canary's bounds would be met by the baseline's requests.
   * @default the variable TIDEGATE_BASELINE_RELEASE; without it, or with the release's own key, all requests are the release's
   */
  readonly baselineRelease?: string;
  /** Where the numbers go. @default `emf()`, lines on standard output */
  readonly output?: MetricsOutput;
  /**
   * Tells of memory and processor time, too.
   * @default true, but false on Lambda, where they are the platform's
   */
  readonly reportsProcess?: boolean;
  /** @default this Node process; tests have another */
  readonly runtime?: Runtime;
}

export interface ReadOptions {
  readonly identity: Identity;
  /** Absent: no flag splits the requests of this process. */
  readonly baseline?: Identity;
  readonly output: MetricsOutput;
  readonly reportsProcess: boolean;
  readonly runtime: Runtime;
}

const slugPattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const slugRule = "lower-case letters, digits and single inner hyphens, starting with a letter";
/** Longest names. Unit: characters. Those of the program that watches. */
export const longest = { environment: 16, service: 32, release: 33 } as const;
/** Version as a slug, then 8 hex of the digest's hash. */
const releasePattern = /^[a-z0-9]+(?:-[a-z0-9]+)*-[0-9a-f]{8}$/;

function nameProblems(what: "environment" | "service", value: unknown): string[] {
  if (typeof value === "string" && value.length <= longest[what] && slugPattern.test(value)) return [];
  return [
    `requestMetrics: ${what}: no such name, got ${shown(value)}; expected ${slugRule}, at most ${longest[what]} characters. Say what the stack config says`,
  ];
}

function releaseProblems(value: unknown): string[] {
  if (value === undefined || value === "") {
    return [
      "requestMetrics: release: missing, got nothing; expected the release key, such as 2-4-0-1a2b3c4d. Set TIDEGATE_RELEASE in the release's environment (docs/metrics.md says where the key is); on your own machine local-00000000 will do",
    ];
  }
  if (typeof value === "string" && value.length <= longest.release && releasePattern.test(value)) return [];
  return [
    `requestMetrics: release: not a release key, got ${shown(value)}; expected the version as a slug, a hyphen and 8 hex digits, such as 2-4-0-1a2b3c4d. A version alone is not enough: set TIDEGATE_RELEASE to the key (docs/metrics.md says where it is)`,
  ];
}

function baselineProblems(value: unknown): string[] {
  if (typeof value === "string" && value.length <= longest.release && releasePattern.test(value)) return [];
  return [
    `requestMetrics: baselineRelease: not a release key, got ${shown(value)}; expected that of the baseline, such as 2-3-1-5e6f7a8b. Set TIDEGATE_BASELINE_RELEASE to it where a flag splits the traffic, and leave it out anywhere else`,
  ];
}

function outputProblems(output: unknown): string[] {
  if (output === undefined) return [];
  const isOutput = typeof output === "object" && output !== null && "start" in output && "kind" in output;
  if (isOutput) return [];
  return [
    `requestMetrics: output: not supported, got ${shown(output)}; expected emf() or openTelemetry(meter, { source }). DogStatsD and StatsD are not spoken: the way to Datadog is OTLP, openTelemetry(meter, { source: "datadog" })`,
  ];
}

/** @throws TypeError with every problem, one a line */
export function readOptions(options: RequestMetricsOptions): ReadOptions {
  const runtime = options.runtime ?? nodeRuntime;
  const { environment, service } = options;
  const release = options.release ?? runtime.variables.TIDEGATE_RELEASE;
  const baselineRelease = options.baselineRelease ?? (runtime.variables.TIDEGATE_BASELINE_RELEASE || undefined);
  const problems = [
    ...nameProblems("environment", environment),
    ...nameProblems("service", service),
    ...releaseProblems(release),
    ...(baselineRelease === undefined ? [] : baselineProblems(baselineRelease)),
    ...outputProblems(options.output),
  ];
  if (release === undefined || problems.length > 0) throw new TypeError(problems.join("\n"));
  return {
    identity: { environment, service, release },
    // A canary that has become the baseline is still told so: there is nothing to tell apart then.
    ...(baselineRelease === undefined || baselineRelease === release
      ? {}
      : { baseline: { environment, service, release: baselineRelease } }),
    output: options.output ?? emf(),
    reportsProcess: options.reportsProcess ?? runtime.variables.AWS_LAMBDA_FUNCTION_NAME === undefined,
    runtime,
  };
}
