/**
 * What a small, lasting error rate costs: how many times faster than promised it spends the error budget. Alarms with a bound see a
 * rate above the bound, and nothing of what stays under it; this says so by name.
 */
import type { Objective } from "../../core/objectives.ts";

export interface Burn {
  readonly objective: string;
  /** As the objective states it. Unit: percent. */
  readonly targetPercent: number;
  /** 1: the budget is spent exactly by the end of its period. */
  readonly times: number;
}

/** Objectives whose budget these errors spend faster than it comes, the fastest first. @param errorFraction of the release's requests */
export function burnsOf(errorFraction: number, objectives: readonly Objective[]): Burn[] {
  return objectives
    .flatMap(({ name, indicator, target }): Burn[] => {
      if (target === undefined || (indicator !== "error-rate" && indicator !== "availability")) return [];
      const allowedPercent = indicator === "availability" ? 100 - target : target;
      const times = (100 * errorFraction) / allowedPercent;
      // 0.05 % of what 99.95 % allows is not more than all of it, whatever binary makes of that.
      return times > 1 + 1e-9 ? [{ objective: name, targetPercent: target, times }] : [];
    })
    .sort((left, right) => right.times - left.times);
}

/**
 * One line for the timeline; `undefined` where no budget is overspent.
 * @param watched burn-rate pairs of the service that so many errors, if all its traffic had them, would make speak
 */
export function burnText(
  errorFraction: number,
  objectives: readonly Objective[],
  watched: readonly string[],
): string | undefined {
  const burns = burnsOf(errorFraction, objectives);
  if (burns.length === 0) return undefined;
  const spent = burns.map(
    ({ objective, targetPercent, times }) => `${objective} (${targetPercent} %) ${Number(times.toPrecision(2))} times`,
  );
  return `${Number((100 * errorFraction).toPrecision(2))} % errors spend the budget of ${spent.join(", of ")} as fast as it comes, for as long as they last; bounds do not count what was spent: ${
    watched.length === 0
      ? "no burn-rate alarm of the service would see it either"
      : `${watched.join(" and ")} would tell people, once it lasts and the whole service has it`
  }`;
}
