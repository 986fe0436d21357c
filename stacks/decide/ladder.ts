/** Gathers what a first wave above another environment needs: whether the release finished there, and what the baseline comes to here. */
import type { ServiceSurvey } from "../../components/settings.ts";
import type { Declaration } from "../../core/declaration.ts";
import { messageOf } from "../../core/error-message.ts";
import type { LadderEvidence, Unreadable } from "../../core/gate/evidence.ts";
import { finishOf } from "../../core/gate/ladder.ts";
import type { RolloutRecord } from "../../core/record.ts";
import type { EnvironmentConfig, ServiceConfig } from "../config.ts";
import { readNewestOfBaseline } from "./figures.ts";
import type { DecidePorts } from "./reality.ts";

/** @returns `undefined`: this environment stands on none, or this `up` opens no first wave */
export async function readLadder(
  { ladderBelow }: EnvironmentConfig,
  service: ServiceConfig,
  record: RolloutRecord,
  { step, fromPercent }: Pick<Declaration, "step" | "fromPercent">,
  found: ServiceSurvey,
  ports: DecidePorts,
): Promise<LadderEvidence | Unreadable | undefined> {
  const { canary } = service;
  if (ladderBelow === undefined || !canary || step !== "opening" || fromPercent > 0) return undefined;
  if (!ports.below)
    return { unreadable: `nothing here reads the outputs of stack ${ladderBelow}; pulumi preview does` };
  const told = await ports.below(service.name);
  if ("unreadable" in told) return told;
  const finished = finishOf(told, canary);
  const asked = { below: ladderBelow, release: { digest: canary.digest, version: canary.version } };
  if (!finished) return asked;
  return { ...asked, finished, baseline: await newestOfBaseline(service, record, found, ports) };
}

async function newestOfBaseline(
  service: ServiceConfig,
  record: RolloutRecord,
  found: ServiceSurvey,
  ports: DecidePorts,
): Promise<NonNullable<LadderEvidence["baseline"]>> {
  try {
    return await readNewestOfBaseline(service, record, found, ports);
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
}
