/** `tidegate cost`: the stack's config as declared, priced by resource. */
import Table from "cli-table3";
import { BadInputError } from "../core/bad-input.ts";
import { controlKey, controlPercentAt } from "../core/control.ts";
import { type CostEstimate, dollarsOf, dollarsText, estimateCost } from "../core/cost.ts";
import type { Declaration } from "../core/declaration.ts";
import { releaseKey } from "../core/naming.ts";
import { prices, pricesReadOn, pricesRegion } from "../core/prices.ts";
import { captureEnvironment } from "../rehearsal/engine/environment-capture.ts";
import { costOutputs } from "../stacks/bill.ts";
import type { EnvironmentConfig, ServiceConfig } from "../stacks/config.ts";
import type { Surroundings } from "./command.ts";
import { jsonText } from "./json.ts";
import { readStack } from "./rehearse.ts";
import { usualStack } from "./stack-file.ts";

/** What `cost` was given, as typed. */
export interface CostFlags {
  readonly stack?: string;
  readonly json?: boolean;
}

/** Runs the command. @throws BadInputError with every problem */
export async function costCommand(flags: CostFlags, surroundings: Surroundings): Promise<void> {
  const config = readConfig(flags.stack ?? usualStack(surroundings.directory), surroundings.directory);
  const estimate = await estimateOf(config);
  if (flags.json) {
    surroundings.out(
      jsonText({ environment: config.environment, ...costOutputs(estimate, config.services), ...estimate }),
    );
    return;
  }
  for (const line of renderCost(config, estimate)) surroundings.out(line);
}

function readConfig(stack: string, directory: string): EnvironmentConfig {
  try {
    return readStack(stack, directory);
  } catch (error) {
    if (!(error instanceof BadInputError)) throw error;
    const count = error.problems.length === 1 ? "1 problem" : `${error.problems.length} problems`;
    throw new BadInputError(`tidegate cost: ${count}, nothing was priced:`, error.problems);
  }
}

/** What a config costs once it is live as it stands, its canary included. */
export async function estimateOf(config: EnvironmentConfig): Promise<CostEstimate> {
  const { resources } = await captureEnvironment(config, config.services.map(asLive));
  return estimateCost(resources, config.services);
}

/** A service as its config has it, in the middle of a rollout where it names a canary. */
function asLive({ name, baseline, canary, control, wavePercent, attempt }: ServiceConfig): Declaration {
  const shares: Record<string, number> = {};
  if (wavePercent < 100) shares[baseline.digest] = 100 - wavePercent;
  if (canary && wavePercent > 0) shares[canary.digest] = wavePercent;
  return {
    service: name,
    step: "none",
    liveSet: canary ? [baseline, canary] : [baseline],
    baseline: baseline.digest,
    ...(canary ? { canary: { digest: canary.digest, attempt } } : {}),
    ...(canary && control
      ? {
          control: {
            digest: baseline.digest,
            releaseKey: controlKey(releaseKey(baseline)),
            ...control,
            sharePercent: controlPercentAt(wavePercent),
          },
        }
      : {}),
    shares,
    exposurePercent: wavePercent,
    fromPercent: wavePercent,
    stickinessAllowed: false,
    testersReach: canary?.digest ?? baseline.digest,
    realityGeneration: 0,
    retire: false,
    notices: [],
    refusals: [],
  };
}

function rounded(units: number): string {
  return units >= 100 ? String(Math.round(units)) : String(Number(units.toPrecision(3)));
}

function renderCost(config: EnvironmentConfig, estimate: CostEstimate): string[] {
  const groups = [...config.services.map(({ name }) => name), undefined];
  const table = new Table({
    head: ["", "what", "units", "of", "$ a month"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "left", "right", "left", "right"],
  });
  for (const service of groups) {
    const lines = estimate.lines.filter((line) => line.service === service);
    lines.forEach(({ what, item, units, dollars }, index) => {
      table.push([
        index === 0 ? (service ?? "environment") : "",
        what,
        rounded(units),
        prices[item].per,
        dollars.toFixed(2),
      ]);
    });
    table.push(["", "", "", "together", dollarsText(dollarsOf(estimate, { service }))]);
  }
  return [
    table.toString(),
    `Together ${dollarsText(dollarsOf(estimate, "everything"))} a month (list prices of ${pricesRegion}, read ${pricesReadOn}; other regions are up to a third dearer).`,
    ...(estimate.unpriced.length > 0
      ? ["Not priced:", ...estimate.unpriced.map(({ type, count, why }) => `  ${count} x ${type}: ${why}`)]
      : []),
    "Assumed:",
    ...estimate.assumptions.map((text) => `  ${text}`),
  ];
}
