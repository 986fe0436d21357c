/**
 * Smoke and load checks before a wave (E5). A result counts where it is of this release and not too old.
 *
 * One that is missing, garbled, of another release or too old says nothing about this one: `cannot-tell` and not `monitor`, since waiting
 * makes none of them better; somebody has to run the check. One that failed is `roll-back`: it was measured, and it is bad.
 */
import { instantText } from "../instant-text.ts";
import type { Instant } from "../record.ts";
import type { AskedCheck, CheckResult, SoakEvidence } from "./evidence.ts";
import { cannotTell, type Finding, met } from "./verdict.ts";

/** What the clocks of whoever ran the check and whoever asks may differ by. Unit: minutes. */
const clockSkewMinutes = 5;

/** One finding a check, in the order in which they are asked for. */
export function checkFindings(checks: SoakEvidence["checks"], now: Instant): Finding[] {
  if (checks === undefined) return [];
  const { asked, results, version } = checks;
  return asked.map((check) =>
    findingOf(
      check,
      results.filter(({ name }) => name === check.name),
      version,
      now,
    ),
  );
}

function findingOf(check: AskedCheck, results: readonly CheckResult[], version: string, now: Instant): Finding {
  const { name, maximumAgeMinutes } = check;
  const [result, ...more] = results;
  if (result === undefined || more.length > 0) {
    return cannotTell("checks", "nothing", `check ${name} has ${results.length} results; expected one. Run it`);
  }
  if ("unreadable" in result) {
    return cannotTell(
      "checks",
      "nothing",
      `the result of check ${name} cannot be used (${result.unreadable}). Run it again`,
    );
  }
  if (result.version !== version) {
    const text = `check ${name} was run against release ${result.version}; expected ${version}. Run it against that`;
    return cannotTell("checks", "nothing", text);
  }
  const ageMinutes = (now - result.endedAt) / 60_000;
  // Not a number is neither young enough nor in the past.
  if (!(ageMinutes >= -clockSkewMinutes)) {
    const text = `check ${name} says that it ended at ${instantText(result.endedAt)}, which is still to come. Set its clock, and run it again`;
    return cannotTell("checks", "nothing", text);
  }
  if (ageMinutes > maximumAgeMinutes) {
    const text = `check ${name} ended ${Math.floor(ageMinutes)} min ago; expected at most ${maximumAgeMinutes} min. Run it again`;
    return cannotTell("checks", "nothing", text);
  }
  const when = `against ${version}, ended at ${instantText(result.endedAt)}`;
  if (!result.isPassed) {
    const failed = result.failed.length === 0 ? "nothing in it passed" : `failed: ${result.failed.join(", ")}`;
    return { rule: "checks", verdict: "roll-back", text: `check ${name} did not pass (${when}); ${failed}` };
  }
  return met("checks", `check ${name} passed (${when})`);
}
