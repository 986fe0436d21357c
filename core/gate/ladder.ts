/**
 * The ladder of environments (A8): a release comes here only after it finished below, and what it came to there is held against what the
 * baseline comes to here (C1). Asked once, before its first wave; lowering, rolling back and finishing never ask.
 *
 * An absolute ceiling says that the release is bad. A relative difference between two environments need not be the release's: hardware and
 * traffic differ too, so it waits for a person, who may say `overrideReason`. Where too little was measured to compare, that is said and
 * stops nothing: the finish below stands for itself, and the first wave is compared here, side by side and under watch. What should be
 * there and cannot be read stops.
 */
import { instantText } from "../instant-text.ts";
import {
  defaultGateSettings,
  type FinishedRelease,
  type GateSettings,
  type LadderEvidence,
  type Unreadable,
} from "./evidence.ts";
import { cannotTell, type Finding, met } from "./verdict.ts";

/** Fewer errors below are chance (B9). */
const leastErrors = 10;

/**
 * What the environment below says of a release that is to open its first wave.
 * @param ladder `undefined`: this environment stands on none, or it is no first wave
 */
export function ladderFindings(
  ladder: LadderEvidence | Unreadable | undefined,
  settings: GateSettings = defaultGateSettings,
): Finding[] {
  if (ladder === undefined) return [];
  if ("unreadable" in ladder) {
    return [
      cannotTell(
        "ladder",
        "nothing",
        `what finished in the environment below could not be read (${ladder.unreadable})`,
      ),
    ];
  }
  const { below, release, finished, baseline } = ladder;
  if (!finished || !isSame(finished, release)) {
    const text = `${release.version} has not finished in ${below}, or was rolled back there since; expected a finished rollout. Finish it there and run pulumi up in that stack, or say overrideReason`;
    return [{ rule: "ladder", verdict: "monitor", text }];
  }
  const matched =
    finished.digest === release.digest ? "" : ", matched by its version: target groups have other ARNs here";
  const text = `${release.version} finished in ${below} at ${instantText(finished.at)}${matched}`;
  return [met("ladder", text), ...comparisons(below, finished, baseline, settings)];
}

/** Whether two environments mean the same release. A digest that is the ARN of an adopted group is one environment's alone. */
export function isSame(
  finished: FinishedRelease,
  release: { readonly digest: string; readonly version: string },
): boolean {
  if (finished.digest === release.digest) return true;
  const isAdopted = finished.digest.startsWith("arn:") || release.digest.startsWith("arn:");
  return isAdopted && finished.version === release.version;
}

/** The newest finish of a release among those that an environment tells. */
export function finishOf(
  told: readonly FinishedRelease[],
  release: { readonly digest: string; readonly version: string },
): FinishedRelease | undefined {
  return told.filter((each) => isSame(each, release)).sort((left, right) => right.at - left.at)[0];
}

function comparisons(
  below: string,
  finished: FinishedRelease,
  baseline: LadderEvidence["baseline"],
  settings: GateSettings,
): Finding[] {
  const { errorCeilingPercent } = settings;
  const errorRate = finished.figures["error-rate"];
  if (errorRate !== undefined && errorRate > errorCeilingPercent) {
    const text = `its error rate in ${below} was ${round(errorRate)} %; expected at most ${errorCeilingPercent} %`;
    return [{ rule: "ladder", verdict: "roll-back", text }];
  }
  if (baseline !== undefined && "unreadable" in baseline) {
    const text = `what the baseline came to in the newest 15 minutes could not be read (${baseline.unreadable})`;
    return [cannotTell("ladder", "nothing", text)];
  }
  return [
    errorComparison(below, finished, baseline?.["error-rate"], settings),
    latencyComparison(below, finished.figures["latency-p95"], baseline?.["latency-p95"], settings),
  ];
}

function errorComparison(
  below: string,
  { figures, requests }: FinishedRelease,
  here: number | undefined,
  { errorAllowancePercent }: GateSettings,
): Finding {
  const there = figures["error-rate"];
  if (there === undefined || here === undefined) return notCompared("error rate", below, there);
  const allowedPercent = here * (1 + errorAllowancePercent / 100);
  const said = `error rate in ${below} ${round(there)} %, of the baseline here ${round(here)} %`;
  if (there <= allowedPercent) return met("ladder", said);
  const errors = requests === undefined ? undefined : Math.round((there * requests) / 100);
  if (errors === undefined || errors < leastErrors) {
    return met(
      "ladder",
      `${said}; not held against it: ${errors ?? "an unknown number of"} errors there, below ${leastErrors} is chance`,
    );
  }
  const text = `${said}; expected at most ${round(allowedPercent)} %. Look into it, or say overrideReason`;
  return { rule: "ladder", verdict: "monitor", text };
}

function latencyComparison(
  below: string,
  there: number | undefined,
  here: number | undefined,
  { latencyAllowancePercent }: GateSettings,
): Finding {
  if (there === undefined || here === undefined) return notCompared("p95", below, there);
  const allowedMilliseconds = here * (1 + latencyAllowancePercent / 100);
  const said = `p95 in ${below} ${round(there)} ms, of the baseline here ${round(here)} ms`;
  if (there <= allowedMilliseconds) return met("ladder", said);
  const text = `${said}; expected at most ${round(allowedMilliseconds)} ms. Look into it, or say overrideReason`;
  return { rule: "ladder", verdict: "monitor", text };
}

function notCompared(what: string, below: string, there: number | undefined): Finding {
  const missing =
    there === undefined ? `it was not measured in ${below}` : "too few requests here in the newest 15 minutes";
  return met("ladder", `${what} not compared with ${below}: ${missing}; the first wave is watched and compared here`);
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)));
}
