/**
 * Captures of the environment program, cached in the process. Its second phase is a pure function of config and declarations, so one
 * capture serves every `up` that declares the same; guards are made anew for each and are in no cache.
 */

import { nothingAdopted, type ServiceSurvey } from "../../components/settings.ts";
import type { Declaration } from "../../core/declaration.ts";
import { stableJson } from "../../core/stable-json.ts";
import type { EnvironmentConfig } from "../../stacks/config.ts";
import { program } from "../../stacks/program.ts";
import { declareProcesses } from "../workloads/declare.ts";
import { rehearsalAccountId } from "./aws-outputs.ts";
import { type Capture, capture } from "./capture.ts";

/** The rehearsal's stack: one a config environment. */
export function rehearsalStackId(environment: string): string {
  return `rehearsal/tidegate/${environment}`;
}

/** Stand for the bundles; the rehearsal runs the code itself. */
const bundleFolders = {
  hookBundleFolder: "hooks/handler.ts",
  watchmanBundleFolder: "hooks/watchman-handler.ts",
  reportBundleFolder: "reports/handler.ts",
};

const captures = new Map<string, Promise<Capture>>();
/** Far above what one rehearsal declares, and some megabytes at most. */
const mostCaptures = 200;

/**
 * What the program registers for these declarations; none may hold refusals.
 * @throws as `capture`, and pulumi.RunError as the program does
 */
export function captureEnvironment(
  config: EnvironmentConfig,
  declarations: readonly Declaration[],
  { cached = true, found = nothingAdopted }: { readonly cached?: boolean; readonly found?: ServiceSurvey } = {},
): Promise<Capture> {
  if (!cached) return captureNow(config, declarations, found);
  // Notices are for people, and the revision is the guard's alone, which is not cached; the verdict is told, and nothing is made of it.
  const relevant = declarations.map(
    ({ notices: _notices, revision: _revision, verdict: _verdict, ...declared }) => declared,
  );
  const key = stableJson([config, relevant, found]);
  let captured = captures.get(key);
  if (!captured) {
    captured = captureNow(config, declarations, found);
    if (captures.size >= mostCaptures) captures.clear();
    captures.set(key, captured);
    captured.catch(() => captures.delete(key));
  }
  return captured;
}

function captureNow(
  config: EnvironmentConfig,
  declarations: readonly Declaration[],
  found: ServiceSurvey,
): Promise<Capture> {
  const stack = config.environment;
  return capture({ organization: "rehearsal", project: "tidegate", stack, region: config.region }, (guards) =>
    program({
      config,
      decide: async () => declarations,
      survey: found,
      guards,
      workloads: declareProcesses,
      ...bundleFolders,
      stackId: rehearsalStackId(stack),
      accountId: rehearsalAccountId,
      isPreview: false,
      // The caller has the declarations, and tells people itself.
      log: { info() {}, warn() {} },
    }),
  );
}
