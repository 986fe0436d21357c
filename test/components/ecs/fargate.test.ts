/** Fargate's sizes, against AWS's table written out once more (E6). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FargateSize, fargateProblem } from "../../../components/ecs/fargate.ts";

describe("sizes on Fargate", () => {
  // From AWS's table, written out in gigabytes: 0.25 processors with 0.5, 1 or 2 GB, and so on.
  const table: readonly (readonly [processors: number, gigabytes: readonly number[]])[] = [
    [0.25, [0.5, 1, 2]],
    [0.5, [1, 2, 3, 4]],
    [1, [2, 3, 4, 5, 6, 7, 8]],
    [2, [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]],
    [4, [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]],
    [8, [16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60]],
    [16, [32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120]],
  ];
  const sold = new Set(table.flatMap(([cpu, memory]) => memory.map((each) => `${cpu * 1_000}/${each * 1_024}`)));
  const isSold = (size: FargateSize) => sold.has(`${size.cpuMillicores}/${size.memoryMegabytes}`);

  it("are those of AWS's table, and every other names only ones that are sold [E6, B11]", () => {
    const cpu = fc.oneof(
      fc.constantFrom(250, 500, 1_000, 2_000, 4_000, 8_000, 16_000),
      fc.integer({ min: 1, max: 200_000 }),
    );
    const memory = fc.oneof(
      fc.integer({ min: 1, max: 130 }).map((each) => each * 1_024),
      fc.integer({ min: 1, max: 200_000 }),
    );
    fc.assert(
      fc.property(cpu, memory, (cpuMillicores, memoryMegabytes) => {
        const problem = fargateProblem({ cpuMillicores, memoryMegabytes });
        expect(problem === undefined).toBe(isSold({ cpuMillicores, memoryMegabytes }));
        if (!problem) return;
        const named = [...problem.wayOut.matchAll(/(\d+) with (\d+) MB/g)];
        expect(named.length).toBeGreaterThan(0);
        for (const [, processor, megabytes] of named) {
          expect(isSold({ cpuMillicores: Number(processor), memoryMegabytes: Number(megabytes) })).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
    for (const [processors, gigabytes] of table) {
      for (const each of gigabytes) {
        expect(fargateProblem({ cpuMillicores: processors * 1_000, memoryMegabytes: each * 1_024 })).toBeUndefined();
      }
    }
  });

  it.each([
    [{ cpuMillicores: 250, memoryMegabytes: 4_096 }, "512, 1024 or 2048", "250 with 2048 MB, 500 with 4096 MB"],
    [
      { cpuMillicores: 4_000, memoryMegabytes: 9_000 },
      "8192 to 30720 in steps of 1024",
      "4000 with 8192 MB, 4000 with 9216 MB",
    ],
    [{ cpuMillicores: 250, memoryMegabytes: 100 }, "512, 1024 or 2048", "250 with 512 MB"],
    [{ cpuMillicores: 16_000, memoryMegabytes: 200_000 }, "32768 to 122880 in steps of 8192", "16000 with 122880 MB"],
  ])("name the nearest of %o [B11]", (size, expected, nearest) => {
    expect(fargateProblem(size)).toEqual({
      field: "memoryMegabytes",
      got: size.memoryMegabytes,
      wrong: `a size that Fargate does not sell with ${size.cpuMillicores} millicores`,
      expected,
      wayOut: `Nearest: ${nearest}`,
    });
  });
});
