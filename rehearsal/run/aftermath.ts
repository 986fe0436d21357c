/**
 * What people do after the hook stepped in, to see that the latch holds: somebody asks for more, another change goes through,
 * the hold is acknowledged, and after a rollback the next attempt starts from the first wave.
 */

import { settlesAt } from "../../core/gate/cool-off.ts";
import type { Objective } from "../../core/objectives.ts";
import { nextWaveAbove, waveAt } from "../../core/plans.ts";
import { holdsOn } from "../../core/record.ts";
import { acknowledge, CommandRefusedError } from "../../hooks/commands.ts";
import type { ServiceConfig } from "../../stacks/config.ts";
import { engineer } from "./first-attempt.ts";
import type { Operator } from "./operator.ts";

const colleague = "a colleague";
/** Between two things that people do. Unit: seconds. */
const pauseSeconds = 120;
/** As long until the next attempt is tried whatever the alarms say. Unit: seconds. */
const mostRecoverySeconds = 3_600;

export async function aftermath(operator: Operator): Promise<void> {
  const { rehearsed } = operator.rehearsal;
  const { canary, plan } = rehearsed;
  const asked = operator.record?.lastIntent?.wave ?? plan.waves[0]?.exposurePercent ?? 100;
  const more = nextWaveAbove(plan, asked)?.exposurePercent;
  await operator.up({
    who: colleague,
    wants: more === undefined ? "sets attempt: 2 and wave: 100" : `sets wave: ${more} all the same`,
    change: more === undefined ? { wavePercent: 100, attempt: 2 } : { wavePercent: more },
  });
  await operator.waitSeconds(pauseSeconds);

  const changed = otherChange(rehearsed.objectives);
  const other: Partial<ServiceConfig> = changed ? { objectives: changed.objectives } : {};
  await operator.up({
    who: colleague,
    wants: changed
      ? `changes something else (${changed.text}), wave still ${asked}`
      : `changes nothing, wave still ${asked}`,
    change: { ...other, wavePercent: asked },
  });
  await operator.waitSeconds(pauseSeconds);

  if (!(await acknowledged(operator))) return;
  await operator.waitSeconds(pauseSeconds);
  const isRolledBack = operator.chronicle.exposurePercent === 0;
  if (!isRolledBack) {
    await goOn(operator, asked, more);
    return;
  }

  operator.clearFaults();
  operator.chronicle.tell(
    "fault-over",
    `the cause is mended outside ${canary.version}; the same release may try again`,
  );
  const first = plan.waves[0]?.exposurePercent ?? 100;
  await waitForRecovery(operator);
  const again = { ...other, wavePercent: first, attempt: 2 };
  const tried = await operator.up({ who: engineer, wants: `sets attempt: 2 and wave: ${first}`, change: again });
  // A week of waiting would show nothing more: the refusal is the cool-off, and a reason lifts it.
  if (tried.kind === "refused" && (plan.coolOffMinutes ?? 0) > 0) {
    await operator.waitSeconds(pauseSeconds);
    await operator.up({
      who: engineer,
      wants: "says overrideReason: the cause is mended",
      change: { ...again, overrideReason: "the cause is mended" },
    });
  }
  await operator.waitSeconds(pauseSeconds);
}

/** A freeze whose cause is over: the same attempt goes on, after a whole soak. */
async function goOn(operator: Operator, asked: number, more: number | undefined): Promise<void> {
  const { plan } = operator.rehearsal.rehearsed;
  const wasShared = Object.values(operator.record?.holds ?? {}).some((hold) => hold.cause === "dependency");
  if (!wasShared || more === undefined) return;
  await waitForRecovery(operator);
  const soakMinutes = waveAt(plan, asked)?.minimumSoakMinutes ?? 0;
  await operator.waitSeconds(soakMinutes * 60 + pauseSeconds);
  await operator.up({
    who: engineer,
    wants: `sets wave: ${more}, now that the dependency is back`,
    change: { wavePercent: more },
  });
  await operator.waitSeconds(pauseSeconds);
}

/** The alarms must have let go of the last bad points: no breach open, no alarm in ALARM, and none that could look back at them. */
async function waitForRecovery(operator: Operator): Promise<void> {
  const mostEnd = operator.cloud.now() + mostRecoverySeconds * 1_000;
  while (operator.cloud.now() < mostEnd) {
    const record = operator.record;
    const names = record?.alarms.map((alarm) => alarm.alarmName) ?? [];
    const states = await operator.cloud.ports.alarms.describe(names);
    const isQuiet = Object.keys(record?.breaches ?? {}).length === 0 && states.every(({ state }) => state !== "ALARM");
    const settledAt = (record && settlesAt(record, operator.canary)) ?? 0;
    if (isQuiet && operator.cloud.now() >= settledAt) return;
    await operator.waitSeconds(60);
  }
}

async function acknowledged(operator: Operator): Promise<boolean> {
  const { name } = operator.rehearsal.rehearsed;
  const record = operator.record;
  if (!record || holdsOn(record, operator.canary).length === 0) return false;
  const said = { by: engineer, reason: "cause found and understood" };
  try {
    await acknowledge(operator.cloud.ports, name, said);
    return true;
  } catch (error) {
    if (!(error instanceof CommandRefusedError)) throw error;
    operator.chronicle.tell("refused", error.message);
    return false;
  }
}

/** A change that has nothing to do with the rollout: the first warning bound that has room, a tenth wider. */
function otherChange(
  objectives: readonly Objective[],
): { readonly objectives: readonly Objective[]; readonly text: string } | undefined {
  for (const objective of objectives) {
    const { warning, critical } = objective;
    if (!warning || objective.indicator === "availability") continue;
    const value = Number((warning.value * 1.1).toPrecision(6));
    if (critical && value >= critical.value) continue;
    const wider: Objective = { ...objective, warning: { ...warning, value } };
    return {
      objectives: objectives.map((candidate) => (candidate === objective ? wider : candidate)),
      text: `warning bound of ${objective.name} from ${warning.value} to ${value}`,
    };
  }
  return undefined;
}
