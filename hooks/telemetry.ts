/** Telemetry where nobody listens: the program's guard, the commands, most tests. */
import type { Telemetry } from "./ports.ts";

export const silentTelemetry: Telemetry = {
  log: () => {},
  metric: () => {},
  span: (_name, step) => step(),
};
