/**
 * Variables that force a flag for everybody (A6): `TIDEGATE_BATCH_PATCHES_V1=true`. Unset means what the configuration says; anything but true
 * and false is a mistake that a process must not start with.
 */
import { flagKeyPattern, flagKeyRule, isPrototypeName, shown } from "./document.ts";

/** Variables of the client that are no flags. */
const taken: ReadonlySet<string> = new Set(["TIDEGATE_RELEASE", "TIDEGATE_BASELINE_RELEASE"]);

/** `batch-patches-v1` → `TIDEGATE_BATCH_PATCHES_V1`. */
export function variableOf(flag: string): string {
  return `TIDEGATE_${flag.toUpperCase().replaceAll("-", "_")}`;
}

export interface ReadKeys {
  /** Each flag that the process asks for, with what it is forced to. */
  readonly forced: ReadonlyMap<string, boolean | undefined>;
  readonly problems: readonly string[];
}

/** Reads the flags that a process asks for, and their variables, with every problem. */
export function readKeys(keys: unknown, variables: Readonly<Record<string, string | undefined>>): ReadKeys {
  const forced = new Map<string, boolean | undefined>();
  if (!Array.isArray(keys) || keys.length === 0) {
    return {
      forced,
      problems: [
        `flags: keys: nothing, got ${shown(keys)}; expected the flags that this process asks for, such as ["a-flag"]`,
      ],
    };
  }
  const problems: string[] = [];
  const flagOf = new Map<string, string>();
  for (const key of keys as readonly unknown[]) {
    if (typeof key !== "string" || !flagKeyPattern.test(key) || isPrototypeName(key)) {
      problems.push(`flags: keys: not a flag's key, got ${shown(key)}; expected ${flagKeyRule}`);
      continue;
    }
    const variable = variableOf(key);
    const other = flagOf.get(variable);
    if (taken.has(variable) || other !== undefined) {
      const whose = other === undefined ? "which is not a flag's" : `which is also that of ${shown(other)}`;
      problems.push(`flags: keys: would be forced by ${variable}, ${whose}, got ${shown(key)}; expected another key`);
      continue;
    }
    flagOf.set(variable, key);
    const value = variables[variable];
    if (value !== undefined && value !== "true" && value !== "false") {
      problems.push(
        `flags: ${variable}: not an override, got ${shown(value)}; expected true or false. Unset it for what the configuration says`,
      );
    }
    forced.set(key, value === undefined ? undefined : value === "true");
  }
  return { forced, problems };
}
