/** A policy's settings: what the pack's configuration says over the defaults that the policy's own schema states. */
import type { PolicyConfigSchema } from "@pulumi/policy";
import { settingsOf } from "../known.ts";

/** The defaults of a schema. Pulumi fills them in only where the pack was given a configuration at all. */
export function defaultsOf({ properties }: PolicyConfigSchema): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) =>
      property.default === undefined ? [] : [[name, property.default]],
    ),
  );
}

/** Reads the settings of a policy whose schema is given. */
export function settings<T extends object>(
  args: { getConfig<C extends object>(): C },
  configSchema: PolicyConfigSchema,
): T {
  return settingsOf(args, defaultsOf(configSchema)) as T;
}
