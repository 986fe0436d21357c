/** The process that flags are asked in: its clock, its timer, chance, and variables. A port, so that tests have one in virtual time. */
import { nodeRuntime, type Runtime } from "../runtime.ts";

export interface FlagRuntime extends Pick<Runtime, "monotonicMilliseconds" | "after" | "variables" | "warn"> {
  /** Range: 0 to 1, without 1. */
  random(): number;
}

/** This Node process. */
export const nodeFlagRuntime: FlagRuntime = {
  monotonicMilliseconds: nodeRuntime.monotonicMilliseconds,
  after: nodeRuntime.after,
  variables: nodeRuntime.variables,
  warn: (message) => process.emitWarning(message, { type: "TidegateWarning", code: "TIDEGATE_FLAGS" }),
  random: Math.random,
};
