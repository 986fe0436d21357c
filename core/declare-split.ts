/**
 * What an `up` declares of the flag (A6), and why one is refused: the splitter, and the flag, are part of the experiment and stay while a
 * canary is exposed; a flag that finished with its release stays on for as long as anybody may read it.
 */
import type { Declaration, Intent } from "./declaration.ts";
import type { FlagPercents } from "./flag-document.ts";
import { recordedFlags } from "./flag-watch.ts";
import { versionOf } from "./outcome.ts";
import { committedPercent, type RolloutRecord } from "./record.ts";
import { flagPercentAt, type Split } from "./split.ts";

/** Reasons against a split that the config asks for, by what the record has. @param step what this `up` would do */
export function splitProblems(intent: Intent, record: RolloutRecord, step: Declaration["step"]): string[] {
  const place = `${intent.service}.split`;
  const { split: known, flagsOn = {} } = record;
  const asked = intent.split ?? { by: "weights" };
  const kept = Object.entries(flagsOn);
  const [first] = kept;
  if (asked.flag === undefined && first) {
    return [
      `${place}: got no flag, and ${first[0]} is on for everybody since ${versionOf(record, first[1])} finished; expected split with ` +
        `${first[0]} or a newer flag. Without its document every release that asks for it would have it off`,
    ];
  }
  const isNew = known?.flag !== asked.flag;
  const knownBy = known?.by ?? "weights";
  const exposed = committedPercent(record);
  if (exposed > 0 && (isNew || asked.by !== knownBy)) {
    return [
      `${place}: changed while a canary has ${exposed} %, got ${words(asked)} after ${words(known ?? { by: "weights" })}; expected the same ` +
        "until it has finished or is at 0",
    ];
  }
  const finishedWith = asked.flag === undefined ? undefined : flagsOn[asked.flag];
  if (asked.by === "flag" && step === "opening" && finishedWith !== undefined) {
    return [
      `${place}.flag: ${asked.flag} is on for everybody since ${versionOf(record, finishedWith)} finished, and splits nothing any more; ` +
        "expected another flag, or split: weights",
    ];
  }
  if (step === "opening" && asked.flag !== undefined && (isNew || asked.by !== knownBy)) {
    return [
      `${place}: ${words(asked)} is not made yet; expected it in place, off, before a wave opens. Run up with the wave that it has, then open`,
    ];
  }
  return [];
}

function words({ by, flag }: Split): string {
  return flag === undefined ? by : `${by} with ${flag}`;
}

/** What the declaration has of a split without a flag or of none: nothing. */
export function declaredFlags(
  split: Split | undefined,
  record: RolloutRecord | undefined,
  { step, exposurePercent }: Pick<Declaration, "step" | "exposurePercent">,
): Pick<Declaration, "split" | "flags"> {
  if (split?.flag === undefined) return {};
  const recorded: FlagPercents = record ? recordedFlags(record) : {};
  const kept = Object.fromEntries(Object.keys(record?.flagsOn ?? {}).map((flag) => [flag, recorded[flag] ?? 0]));
  // Finishing is no raise: it is at 100 already, and stays.
  const own = step === "finish" ? (recorded[split.flag] ?? 0) : flagPercentAt(split.by, exposurePercent);
  return { split, flags: { [split.flag]: own, ...kept } };
}
