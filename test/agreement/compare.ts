/** Whether a system speaks when the oracle does, within a stated tolerance. */
import type { Course } from "./reference.ts";

/** By how much a system may be off, to either side. Unit: seconds. @default 0 each */
export interface Tolerance {
  /** It begins to speak so much later than the rule is bad. */
  readonly startsLateSeconds?: number;
  readonly startsEarlySeconds?: number;
  /** It still speaks so long after the rule was last bad. */
  readonly endsLateSeconds?: number;
  readonly endsEarlySeconds?: number;
}

/** What one system said of one rule: whether it was speaking at each evaluation of the oracle's course. */
export type Spoken = readonly boolean[];

/** Every disagreement, in words; empty when they agree. What the oracle calls near counts as either. */
export function disagreements({ everySeconds, verdicts }: Course, spoken: Spoken, tolerance: Tolerance): string[] {
  const evaluations = (seconds = 0): number => Math.ceil(seconds / everySeconds);
  const startsLate = evaluations(tolerance.startsLateSeconds);
  const startsEarly = evaluations(tolerance.startsEarlySeconds);
  const endsLate = evaluations(tolerance.endsLateSeconds);
  const endsEarly = evaluations(tolerance.endsEarlySeconds);
  const told: string[] = [];
  verdicts.forEach((verdict, index) => {
    const at = `${(index + 1) * everySeconds} s`;
    if (verdict === "bad" && index + startsLate < spoken.length) {
      const due = spoken.slice(Math.max(0, index - endsEarly), index + startsLate + 1);
      if (!due.includes(true)) told.push(`quiet at ${at}, where the rule is bad`);
    }
    if (spoken[index] === true) {
      const around = verdicts.slice(Math.max(0, index - endsLate), index + startsEarly + 1);
      if (around.every((other) => other === "good")) told.push(`speaks at ${at}, where the rule is not bad`);
    }
  });
  return told;
}
