/** Stacks of the folder that have an environment of their own, beside which a service can be put. */
import { join } from "node:path";
import { parseDocument } from "yaml";
import { stackNames } from "../stack-file.ts";
import { readIfThere } from "./files.ts";

export interface FoundationFile {
  readonly stack: string;
  readonly environment: string;
  readonly region?: string;
  readonly listenerArn?: string;
}

/** Files that cannot be read are left out: they are nobody's foundation. Ascending by stack. */
export function foundationFiles(directory: string): FoundationFile[] {
  return stackNames(directory).flatMap((stack) => {
    const file = parseDocument(readIfThere(join(directory, `Pulumi.${stack}.yaml`)) ?? "", { logLevel: "silent" });
    if (file.errors.length > 0) return [];
    const at = (...path: string[]): string | undefined => {
      const value: unknown = file.getIn(["config", ...path]);
      return typeof value === "string" ? value : undefined;
    };
    const environment = at("tidegate:environment");
    if (environment === undefined || (at("tidegate:foundation") ?? "here") !== "here") return [];
    const region = at("aws:region");
    const listenerArn = at("tidegate:network", "listenerArn");
    return [
      {
        stack,
        environment,
        ...(region === undefined ? {} : { region }),
        ...(listenerArn === undefined ? {} : { listenerArn }),
      },
    ];
  });
}
