/**
 * Takes down every resource that the program registers, for the stack's cost (D9). As a transformation of the stack, because that sees what is
 * really declared, whichever component made it; a list kept beside the components would be forgotten by the next one.
 */
import * as pulumi from "@pulumi/pulumi";
import { type CostEstimate, type DeclaredResource, dollarsOf, estimateCost } from "../core/cost.ts";
import { pricesReadOn, pricesRegion } from "../core/prices.ts";
import type { EnvironmentConfig } from "./config.ts";

/** What a stack says of its cost. Unit: US dollars a month, rounded up to cents. */
export interface CostOutputs {
  readonly monthlyDollars: number;
  /** What no service is the reason of: hook, watchman, load balancer. */
  readonly environmentDollars: number;
  /** By service. */
  readonly serviceDollars: Readonly<Record<string, number>>;
  /** Types without a known price, with why. */
  readonly notPriced: readonly string[];
  readonly prices: string;
}

/** Resources registered so far; plain inputs only, an output is worth no price. */
export class Bill {
  readonly #resources: DeclaredResource[] = [];

  /** Begins to take down; where no stack runs (a component under test) there is nothing to take down. */
  constructor() {
    if (!pulumi.runtime.getStackResource()) return;
    pulumi.runtime.registerStackTransformation(({ type, name, props }) => {
      this.#resources.push({ type, name, inputs: { ...props } });
      return undefined;
    });
  }

  estimate(services: EnvironmentConfig["services"]): CostEstimate {
    return estimateCost(this.#resources, services);
  }
}

const cents = (dollars: number): number => Math.ceil(dollars * 100 - 1e-9) / 100;

/** An estimate as a stack's output. */
export function costOutputs(estimate: CostEstimate, services: EnvironmentConfig["services"]): CostOutputs {
  return {
    monthlyDollars: cents(dollarsOf(estimate, "everything")),
    environmentDollars: cents(dollarsOf(estimate, { service: undefined })),
    serviceDollars: Object.fromEntries(
      services.map(({ name }) => [name, cents(dollarsOf(estimate, { service: name }))]),
    ),
    notPriced: estimate.unpriced.map(({ type, count, why }) => `${count} x ${type}: ${why}`),
    prices: `list prices of ${pricesRegion}, read ${pricesReadOn}`,
  };
}
