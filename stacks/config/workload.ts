/**
 * What runs behind a service's releases (E6):
 *
 *     workload:
 *       minimumCount: 3
 *       cpuMillicores: 500
 *       memoryMegabytes: 512
 *       kubernetes: { cluster: { eks: shop }, namespace: checkout }   # or ecs: { … }
 *
 * How many, how large and how they stop is the same on both platforms and is read here; where they run is `kubernetes.ts` and `ecs.ts`.
 */
import { z } from "zod";
import { type Workload, type WorkloadKind, type WorkloadShape, workloadKinds } from "../../core/workloads.ts";
import { toEcsWorkload } from "./ecs.ts";
import { toKubernetesWorkload } from "./kubernetes.ts";
import type { TargetGroupConfig } from "./model.ts";
import {
  checkFields,
  isMap,
  leaf,
  listText,
  type Path,
  type Problems,
  text,
  valueText,
  wholeNumber,
} from "./problems.ts";

const probePath = text(/^\/[\x21-\x7e]{0,1023}$/, {
  wrong: "not a path",
  expected: `a path starting with "/", at most 1024 characters`,
});

const shapeFields = {
  minimumCount: wholeNumber(1, 1_000).optional(),
  maximumCount: wholeNumber(1, 1_000).optional(),
  targetCpuPercent: wholeNumber(10, 90, "percent").optional(),
  cpuMillicores: wholeNumber(10, 192_000, "thousandths of a processor"),
  memoryMegabytes: wholeNumber(16, 1_048_576, "megabytes"),
  variables: z.unknown(),
  livenessPath: probePath.optional(),
  startSeconds: wholeNumber(5, 1_800, "seconds").optional(),
  stopSeconds: wholeNumber(1, 7_200, "seconds").optional(),
};

const fields = { ...shapeFields, kubernetes: z.unknown(), ecs: z.unknown() };

/** Two, so that the loss of one host is not the loss of the release. */
const defaultMinimumCount = 2;
/** How far a release may grow with its load where nobody said. */
const defaultGrowth = 4;
/** With a third of the hosts gone the rest is at 90 %, and still answers. Unit: percent. */
const defaultTargetCpuPercent = 60;
/** A cold start of most runtimes, caches filled. Unit: seconds. */
const defaultStartSeconds = 120;
/** For what is left to be done once nothing new comes. Unit: seconds. */
const finishSeconds = 30;
/** Of a Fargate task. Source: ECS API reference, ContainerDefinition `stopTimeout`, read 2026-11. Unit: seconds. */
const mostOnFargateSeconds = 120;

/** What a workload is read in the light of. */
export interface WorkloadContext {
  readonly targetGroup: TargetGroupConfig;
  readonly targetGroupPath: Path;
  /** The stack file's, where there is one; files that a workload names are relative to it. */
  readonly folder?: string;
  readonly problems: Problems;
}

/** Reads the workload; `undefined` where none is given, or after a problem. */
export function readWorkload(raw: unknown, path: Path, context: WorkloadContext): Workload | undefined {
  if (raw === undefined) return undefined;
  const { problems } = context;
  const before = problems.texts.length;
  const written = checkFields(fields, raw, path, problems);
  const kind = readKind(raw, path, problems);
  const shape = readShape(written, kind, path, context);
  if (kind === undefined) return undefined;
  const surroundings = { ...context, shape, shapePath: path };
  const read = kind === "ecs" ? toEcsWorkload : toKubernetesWorkload;
  const workload = read(written[kind], [...path, kind], surroundings, problems);
  return problems.texts.length > before ? undefined : workload;
}

function readKind(raw: unknown, path: Path, problems: Problems): WorkloadKind | undefined {
  if (!isMap(raw)) return undefined;
  const given = workloadKinds.filter((kind) => kind in raw);
  const [kind] = given;
  if (kind !== undefined && given.length === 1) return kind;
  const wrong = kind === undefined ? "nowhere to run" : "two places to run";
  problems.add(
    path,
    { wrong, expected: `one of ${listText(workloadKinds)}`, wayOut: "Say in one of them where it runs" },
    kind === undefined ? undefined : listText(given, "and"),
  );
  return undefined;
}

type Written = ReturnType<typeof checkFields<typeof fields>>;

function readShape(
  written: Written,
  kind: WorkloadKind | undefined,
  path: Path,
  { targetGroup, problems }: WorkloadContext,
): WorkloadShape | undefined {
  const before = problems.texts.length;
  const variables = readVariables(written.variables, [...path, "variables"], problems);
  const minimumCount = written.minimumCount ?? defaultMinimumCount;
  const maximumCount = written.maximumCount ?? minimumCount * defaultGrowth;
  if (minimumCount > maximumCount) {
    const expected = `at least minimumCount, ${minimumCount}`;
    problems.add([...path, "maximumCount"], { wrong: "below the minimum", expected }, maximumCount);
  }
  const { cpuMillicores, memoryMegabytes } = written;
  if (problems.texts.length > before || cpuMillicores === undefined || memoryMegabytes === undefined) return undefined;
  const { healthCheckPath, deregistrationDelaySeconds } = targetGroup;
  const stopSeconds = deregistrationDelaySeconds + finishSeconds;
  return {
    minimumCount,
    maximumCount,
    targetCpuPercent: written.targetCpuPercent ?? defaultTargetCpuPercent,
    cpuMillicores,
    memoryMegabytes,
    variables,
    // One path for both, so that they cannot disagree on who takes requests.
    readinessPath: healthCheckPath,
    livenessPath: written.livenessPath ?? healthCheckPath,
    startSeconds: written.startSeconds ?? defaultStartSeconds,
    stopSeconds: written.stopSeconds ?? (kind === "ecs" ? Math.min(stopSeconds, mostOnFargateSeconds) : stopSeconds),
  };
}

/** Set by the program; another value would report one release's figures as another's. */
const ownVariables: readonly string[] = ["TIDEGATE_RELEASE", "TIDEGATE_BASELINE_RELEASE"];

const variableValue = leaf(z.string(), (value) =>
  typeof value === "number" || typeof value === "boolean"
    ? { wrong: "must be a text, as variables are", expected: "a text", wayOut: "Put it in quotes" }
    : { wrong: "must be a text", expected: "a text" },
);

function readVariables(raw: unknown, path: Path, problems: Problems): Readonly<Record<string, string>> {
  if (raw === undefined) return {};
  if (!isMap(raw)) {
    problems.add(path, { wrong: "must be a map", expected: "a map from variable to value" }, raw ?? undefined);
    return {};
  }
  for (const name of Object.keys(raw)) {
    if (ownVariables.includes(name)) {
      const wrong = "set by the program, to the release's key";
      problems.add([...path, name], { wrong, expected: "no such variable", wayOut: "Leave it out" });
    } else if (!/^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(name)) {
      const expected = "up to 255 letters, digits and underscores, not starting with a digit";
      problems.add(path, { wrong: `not the name of a variable, got ${valueText(name)}`, expected });
    }
  }
  const shape = Object.fromEntries(Object.keys(raw).map((name) => [name, variableValue]));
  const read = checkFields(shape, raw, path, problems);
  return Object.fromEntries(
    Object.entries(read).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
