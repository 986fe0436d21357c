/**
 * The guard's look before a flag document is deployed (A6). Where the flag splits, a wave changes no rule: the flag is what opens it, under the
 * very same lease. No flag is ever deployed above what is live unless an opening was decided, so that what AppConfig, the hook or a person
 * took away does not come back with an idle `up`.
 */
import type { GuardedWrite } from "../core/declaration.ts";
import { messageOf } from "../core/error-message.ts";
import type { FlagPercents } from "../core/flag-document.ts";
import { recordedFlags } from "../core/flag-watch.ts";
import { committedPercent, type RolloutRecord } from "../core/record.ts";
import { flagPercentAt } from "../core/split.ts";
import { type GuardOptions, refuse } from "./guard-refusal.ts";
import type { Ports } from "./ports.ts";

/** A raise that an opening has to grant. */
export interface Rise {
  readonly digest: string;
  readonly toPercent: number;
  /** The rule is not there yet. */
  readonly isNewRule: boolean;
  /** What the rule would give the control. */
  readonly controlPercent: number;
}

export interface LeaseTakers {
  readonly open: (rise: Rise) => Promise<void>;
  readonly lower: (fall: {
    readonly digest: string;
    readonly fromPercent: number;
    readonly toPercent: number;
  }) => Promise<void>;
}

/** @param record `undefined`: there is none */
export async function guardFlag(
  ports: Ports,
  record: RolloutRecord | undefined,
  { flag }: GuardedWrite,
  options: GuardOptions,
  leases: LeaseTakers,
): Promise<void> {
  const { declaration } = options;
  const { split, canary } = declaration;
  if (!flag || split?.flag === undefined) refuse(options, ["a flag document is written, and this up declares no flag"]);
  const declared = flag.percents;
  if (!record || record.retiredAt !== undefined) {
    const on = onFlags(declared);
    if (on.length > 0)
      refuse(options, [`there is no record, and ${on.join(", ")} would be on; expected every flag off`]);
    return;
  }
  const live = await livePercents(ports, flag.place, declared, options);
  const recorded = recordedFlags(record);
  const strangers = Object.entries(declared).filter(
    ([key, percent]) => key !== split.flag && percent > (recorded[key] ?? 0),
  );
  if (strangers.length > 0)
    refuse(options, [`${strangers.map(([key]) => key).join(", ")} would be on, which no finished release has`]);
  const own = declared[split.flag] ?? 0;
  const has = live[split.flag] ?? 0;
  const known = recorded[split.flag] ?? 0;
  const isFinished = record.flagsOn?.[split.flag] !== undefined;
  if (isFinished ? own > known : own > has + 1e-6) {
    if (has < known - 1e-6) {
      refuse(options, [
        `flag ${split.flag} is live at ${has} %, and the record says ${known} %: something took it away, and this up would bring it back. ` +
          "Wait a minute for the hook to hold it, then run up again",
      ]);
    }
    if (canary === undefined || flagPercentAt(split.by, declaration.exposurePercent) !== own)
      refuse(options, [`flag ${split.flag} would rise to ${own} %, which this up did not decide`]);
    return leases.open({
      digest: canary.digest,
      toPercent: declaration.exposurePercent,
      isNewRule: false,
      controlPercent: declaration.control?.sharePercent ?? 0,
    });
  }
  // What the record has lowered already needs no lease; a step down that the config asks for does.
  const digest = record.canary?.digest;
  const isLowering = declaration.step === "lowering" && own < has - 1e-6 && own < known - 1e-6;
  if (isLowering && digest !== undefined) {
    return leases.lower({ digest, fromPercent: committedPercent(record), toPercent: declaration.exposurePercent });
  }
}

/** The record cannot be read: flags that are off, or stay where they are, go through. */
export async function guardFlagUnread(
  ports: Ports,
  { flag }: GuardedWrite,
  options: GuardOptions,
  failure: string,
): Promise<void> {
  if (!flag) refuse(options, ["a flag document is written, and this up declares no flag"]);
  if (onFlags(flag.percents).length === 0) return;
  const live = await livePercents(ports, flag.place, flag.percents, options);
  const rising = Object.entries(flag.percents).filter(([key, percent]) => percent > (live[key] ?? 0) + 1e-6);
  if (rising.length > 0)
    refuse(options, [
      `the record cannot be read (${failure}), and ${rising.map(([key]) => key).join(", ")} would rise`,
    ]);
}

async function livePercents(
  ports: Ports,
  place: NonNullable<GuardedWrite["flag"]>["place"],
  declared: FlagPercents,
  options: GuardOptions,
): Promise<FlagPercents> {
  try {
    return (await ports.flags.read(place)).percents;
  } catch (error) {
    // Nothing is on: that is lower than whatever is live.
    if (onFlags(declared).length === 0) return {};
    return refuse(options, [`the live flags cannot be read (${messageOf(error)}), and this up would set some`]);
  }
}

function onFlags(percents: FlagPercents): string[] {
  return Object.entries(percents).flatMap(([key, percent]) => (percent > 0 ? [key] : []));
}
