/** Prints the tables of docs/gate-calibration.md: `npm run bench -- calibration`. */
import { markdownTable } from "markdown-table";
import {
  badCases,
  badRow,
  badSeeds,
  healthyCases,
  healthyRow,
  healthySeeds,
  powerPlans,
  rates,
  sizeCases,
  sizeRow,
  sizeSeeds,
} from "./tables.ts";
import { shareText } from "./wilson.ts";
import type { CalibrationSource } from "./world.ts";

/** Each may be asked for by name: `npm run bench -- calibration sizes`. */
const parts: Readonly<Record<string, () => void>> = {
  percentiles: () => healthyTables("alb", ""),
  samples: () => healthyTables("emf", ", all samples"),
  sizes: sizeTable,
  bad: powerTable,
};

const percent = (fraction: number): string => `${Number((100 * fraction).toPrecision(3))} %`;

function healthyTables(source: CalibrationSource, suffix: string): void {
  const rows = healthyCases(source).map((of) => healthyRow(of, healthySeeds(of)));
  console.log(`### Healthy releases${suffix}\n`);
  console.log(
    markdownTable([
      ["plan", "source", "requests/s", "rollouts", "stopped", "by"],
      ...rows.map(({ plan, source, ratePerSecond, blocked, blockedBy }) => [
        plan,
        source,
        String(ratePerSecond),
        String(blocked.of),
        shareText(blocked),
        blockedBy.join(", ") || "–",
      ]),
    ]),
  );
  console.log(`\n### Too little to tell${suffix}\n`);
  console.log(
    markdownTable([
      [
        "plan",
        "source",
        "requests/s",
        "at the first look of some wave",
        "after four soaks of some wave",
        "looks a wave",
      ],
      ...rows.map(({ plan, source, ratePerSecond, undecidedAtFirst, undecidedAtLast, meanLooks }) => [
        plan,
        source,
        String(ratePerSecond),
        shareText(undecidedAtFirst),
        shareText(undecidedAtLast),
        meanLooks.toFixed(1),
      ]),
    ]),
  );
}

function sizeTable(): void {
  console.log("\n### Requests that it takes\n");
  console.log(
    markdownTable([
      ["base error rate", "spread of a minute", "to be seen", "power", "canary requests", "seen in simulated soaks"],
      ...sizeCases().map((of) => {
        const { baseFraction, gammaShape, canaryFraction, power, requests, seen } = sizeRow(of, sizeSeeds);
        return [
          percent(baseFraction),
          percent(Math.sqrt(1 / gammaShape)),
          percent(canaryFraction),
          percent(power),
          String(requests),
          shareText(seen),
        ];
      }),
    ]),
  );
}

function powerTable(): void {
  console.log("\n### Bad releases\n");
  const columns = powerPlans.flatMap((plan) => rates.map((ratePerSecond) => ({ plan, ratePerSecond })));
  console.log(
    markdownTable([
      ["release", ...columns.map(({ plan, ratePerSecond }) => `${plan}, ${ratePerSecond}/s`)],
      ...badCases.map((bad) => [
        bad.what,
        ...columns.map(({ plan, ratePerSecond }) => shareText(badRow(plan, ratePerSecond, bad, badSeeds[plan]))),
      ]),
    ]),
  );
}

/** Prints the parts that are asked for. @default all */
export function printCalibration(asked: readonly string[] = []): void {
  for (const name of asked.length > 0 ? asked : Object.keys(parts)) {
    const part = parts[name];
    if (!part) {
      throw new Error(`bench: no such part of the calibration, got ${name}; expected ${Object.keys(parts).join(", ")}`);
    }
    part();
  }
}
