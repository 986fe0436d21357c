/** Runs the beliefs one after another on one scene, and always cleans up. */
import { type Belief, couldNotTell, type Finding } from "./belief.ts";
import type { ProbeCloud } from "./cloud.ts";
import type { Ledger } from "./ledger.ts";

/** The run was stopped by a person. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}

/** Of what somebody else threw, where the kind of error tells as much as its message. */
export function namedMessageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

export interface ProbeRun {
  readonly beliefs: readonly Belief[];
  readonly ledger: Ledger;
  /** Makes everything that the beliefs need. */
  readonly prepare: () => Promise<ProbeCloud>;
  readonly say: (line: string) => void;
  /** True once somebody wants it to end. */
  readonly isStopped: () => boolean;
  /** For cleaning up: goes on when the run is stopped. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}

export interface ProbeOutcome {
  readonly findings: readonly { readonly belief: Belief; readonly finding: Finding }[];
  /** What could not be removed. Empty: the account is as before. */
  readonly leftovers: readonly string[];
  /** Why the run ended before its end. */
  readonly failure?: string;
}

/** @returns findings so far, whatever happened; nothing made by it is left, or it is named */
export async function runProbe({ beliefs, ledger, prepare, say, isStopped, sleep }: ProbeRun): Promise<ProbeOutcome> {
  const findings: { belief: Belief; finding: Finding }[] = [];
  let failure: string | undefined;
  try {
    const cloud = await prepare();
    for (const belief of beliefs) {
      if ("notProbed" in belief.procedure) continue;
      if (isStopped()) throw new StoppedError("stopped");
      say(`… ${belief.id}: ${belief.text} (about ${belief.procedure.minutes} min)`);
      const finding = await findingOf(belief.procedure.run, cloud);
      findings.push({ belief, finding });
      say(`${finding.verdict}: ${belief.id}: ${finding.measured}`);
    }
  } catch (error) {
    failure = namedMessageOf(error);
    say(`ended early, got ${failure}`);
  }
  const left = ledger.size === 0 ? [] : await ledger.clear(sleep, say);
  const leftovers = left.flatMap(({ entry, reason }) => [`${entry.what}: ${reason}`, `  ${entry.command}`]);
  if (leftovers.length > 0) say(["NOT REMOVED; it goes on costing. Remove by hand:", ...leftovers].join("\n  "));
  return { findings, leftovers, ...(failure === undefined ? {} : { failure }) };
}

/** A procedure that fails could not tell; a run that is stopped ends. */
async function findingOf(run: (cloud: ProbeCloud) => Promise<Finding>, cloud: ProbeCloud): Promise<Finding> {
  try {
    return await run(cloud);
  } catch (error) {
    if (error instanceof StoppedError) throw error;
    return couldNotTell(namedMessageOf(error));
  }
}
