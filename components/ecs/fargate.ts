/**
 * What Fargate sells: a task has one of seven processor sizes, each with a few sizes of memory. Anything else is refused by name with the
 * nearest ones, never rounded up silently: the size is what scaling is measured against, and what is paid for.
 */

/** A size of a task. Units: thousandths of a processor; mebibytes. */
export interface FargateSize {
  readonly cpuMillicores: number;
  readonly memoryMegabytes: number;
}

const gibibyte = 1_024;

function steps(from: number, to: number, step: number): readonly number[] {
  return Array.from({ length: (to - from) / step + 1 }, (_, index) => (from + index * step) * gibibyte);
}

/**
 * Memory by processor, both ascending. Fargate counts 1,024 units to a processor, so 256 units are 250 millicores.
 * Source: ECS API reference, RegisterTaskDefinition `memory`, read 2026-11.
 */
const memoryByCpu: ReadonlyMap<number, readonly number[]> = new Map([
  [250, [512, 1_024, 2_048]],
  [500, steps(1, 4, 1)],
  [1_000, steps(2, 8, 1)],
  [2_000, steps(4, 16, 1)],
  [4_000, steps(8, 30, 1)],
  [8_000, steps(16, 60, 4)],
  [16_000, steps(32, 120, 8)],
]);

const sizes: readonly FargateSize[] = [...memoryByCpu].flatMap(([cpuMillicores, memories]) =>
  memories.map((memoryMegabytes) => ({ cpuMillicores, memoryMegabytes })),
);

/** Units of a processor as a task definition has them; only for sizes that Fargate sells. */
export function cpuUnits(cpuMillicores: number): number {
  return (cpuMillicores * 1_024) / 1_000;
}

/** What is wrong with a size, in the words of the config. */
export interface SizeProblem {
  readonly field: keyof FargateSize;
  readonly got: number;
  readonly wrong: string;
  readonly expected: string;
  readonly wayOut: string;
}

/** `undefined` for a size that Fargate sells. */
export function fargateProblem(size: FargateSize): SizeProblem | undefined {
  const { cpuMillicores, memoryMegabytes } = size;
  const memories = memoryByCpu.get(cpuMillicores);
  if (memories?.includes(memoryMegabytes)) return undefined;
  const wayOut = `Nearest: ${nearestTo(size).map(sizeText).join(", ")}`;
  if (!memories) {
    const wrong = "a size that Fargate does not sell";
    return { field: "cpuMillicores", got: cpuMillicores, wrong, expected: listOf([...memoryByCpu.keys()]), wayOut };
  }
  const wrong = `a size that Fargate does not sell with ${cpuMillicores} millicores`;
  return { field: "memoryMegabytes", got: memoryMegabytes, wrong, expected: memoryText(memories), wayOut };
}

/** The largest that is no larger in either, and the smallest that is no smaller; at least one of the two is there. */
function nearestTo({ cpuMillicores, memoryMegabytes }: FargateSize): FargateSize[] {
  const below = sizes.filter((size) => size.cpuMillicores <= cpuMillicores && size.memoryMegabytes <= memoryMegabytes);
  const above = sizes.find((size) => size.cpuMillicores >= cpuMillicores && size.memoryMegabytes >= memoryMegabytes);
  const nearest = [...below.slice(-1), ...(above ? [above] : [])];
  // Neither: more processor than is sold, with less memory than goes with any.
  return nearest.length > 0 ? nearest : sizes.slice(-1);
}

function sizeText({ cpuMillicores, memoryMegabytes }: FargateSize): string {
  return `${cpuMillicores} with ${memoryMegabytes} MB`;
}

function memoryText(memories: readonly number[]): string {
  const [first, second] = memories;
  const last = memories.at(-1);
  if (memories.length < 5 || first === undefined || second === undefined) return listOf(memories);
  return `${first} to ${last} in steps of ${second - first}`;
}

function listOf(numbers: readonly number[]): string {
  return `${numbers.slice(0, -1).join(", ")} or ${numbers.at(-1)}`;
}
