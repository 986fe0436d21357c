/**
 * Whole rollouts of one release: every wave with somebody beside it, every look up to four times its soak. Somebody asks at each look until
 * it promotes. Where it cannot tell to the end, a person goes on with a reason, so that later waves are asked, too: the most looks that a
 * rollout can have, and so the most chances to be wrong.
 */
import { comparisonFindings } from "../../core/gate/comparison.ts";
import { defaultGateSettings, type SoakMeasurement } from "../../core/gate/evidence.ts";
import { newestLook } from "../../core/gate/looks.ts";
import { type Finding, type VerdictKind, verdictOf } from "../../core/gate/verdict.ts";
import { windowSecondsFor } from "../../core/gate/window-length.ts";
import type { Plan } from "../../core/plans.ts";
import type { Instant } from "../../core/record.ts";
import { RandomStream } from "../../rehearsal/traffic/random.ts";
import { rateAt } from "../../rehearsal/traffic/traffic.ts";
import { type Badness, type Service, SoakTrace } from "./world.ts";

/** Asked for no longer than this many times the soak. */
const mostSoaks = 4;
/** Any instant at midnight; rollouts open at any hour after it. */
const epoch: Instant = Date.UTC(2026, 0, 5);
const hourMs = 3_600_000;

/** What the comparison said over one rollout. */
export interface RolloutCourse {
  /** By look of each wave, in order. */
  readonly waves: readonly { readonly exposurePercent: number; readonly looks: readonly VerdictKind[] }[];
  /** It was answered `roll-back` or `monitor`, by any comparison. */
  readonly isBlocked: boolean;
  /** It could not tell at the first look of some wave. */
  readonly isUndecidedAtFirst: boolean;
  /** It could not tell at the last look of some wave either. */
  readonly isUndecidedAtLast: boolean;
  /** Rules that blocked. */
  readonly blockedBy: readonly Finding["rule"][];
}

/** Findings of one look at a soak. */
export function findingsOf(measurement: SoakMeasurement, plan: Plan, exposurePercent: number): readonly Finding[] {
  return comparisonFindings(measurement, defaultGateSettings, { plan, exposurePercent });
}

/** One rollout; the seed is all that differs between two. */
export function rolloutCourse(plan: Plan, service: Service, seed: number, badness: Badness = {}): RolloutCourse {
  const stream = new RandomStream(`calibration/${seed}`);
  let now = epoch + Math.floor(24 * stream.uniform()) * hourMs;
  let fromPercent = 0;
  const waves: { exposurePercent: number; looks: VerdictKind[] }[] = [];
  const blockedBy: Finding["rule"][] = [];
  for (const wave of plan.waves) {
    if (wave.exposurePercent >= 100 || wave.minimumSoakMinutes === null) continue;
    const soakMinutes = wave.minimumSoakMinutes;
    // By the traffic of the soak's middle, where the hook takes what it counted up to the look.
    const middleRate = rateAt(now + soakMinutes * 30_000, service.ratePerSecond) * (wave.exposurePercent / 100);
    const windowSeconds = windowSecondsFor(soakMinutes, soakMinutes, middleRate);
    const soak = { openedAt: now, fromPercent, exposurePercent: wave.exposurePercent, windowSeconds };
    const trace = new SoakTrace(stream.fork(`wave-${wave.exposurePercent}`), service, soak, badness);
    const looks: VerdictKind[] = [];
    const asked = lookEnds(soak.openedAt, soakMinutes);
    for (const { index, endsAt } of asked) {
      trace.drawTo(endsAt);
      const findings = findingsOf(
        {
          windowSeconds,
          from: soak.openedAt,
          to: endsAt,
          lookIndex: index,
          canary: [...trace.canary],
          beside: { is: "baseline", windows: [...trace.baseline] },
        },
        plan,
        wave.exposurePercent,
      );
      const { kind } = verdictOf(findings);
      looks.push(kind);
      now = endsAt;
      if (kind === "roll-back" || kind === "monitor") {
        blockedBy.push(...findings.filter(({ verdict }) => verdict === kind).map(({ rule }) => rule));
      }
      if (kind !== "cannot-tell") break;
    }
    waves.push({ exposurePercent: wave.exposurePercent, looks });
    if (blockedBy.length > 0) break;
    // Windows begin with the soak, as those of a source do on whole minutes.
    now = Math.ceil(now / 300_000) * 300_000;
    fromPercent = wave.exposurePercent;
  }
  const isBlocked = blockedBy.length > 0;
  return {
    waves,
    isBlocked,
    isUndecidedAtFirst: waves.some(({ looks }) => looks[0] === "cannot-tell"),
    isUndecidedAtLast: !isBlocked && waves.some(({ looks }) => looks.at(-1) === "cannot-tell"),
    blockedBy,
  };
}

/** Ends of the looks at a soak, as the gate has them. */
export function lookEnds(openedAt: Instant, soakMinutes: number): { index: number; endsAt: Instant }[] {
  const ends: { index: number; endsAt: Instant }[] = [];
  const last = openedAt + mostSoaks * soakMinutes * 60_000;
  let now = openedAt + soakMinutes * 60_000;
  while (now <= last) {
    const look = newestLook(openedAt, soakMinutes, now);
    if (!look) break;
    if (ends.at(-1)?.index !== look.index) ends.push({ index: look.index, endsAt: look.endsAt });
    // The next look ends a quarter later; a thousandth of the soak is a step that meets none twice.
    now = look.endsAt + Math.ceil((look.endsAt - openedAt) / 4) + 1;
  }
  return ends;
}
