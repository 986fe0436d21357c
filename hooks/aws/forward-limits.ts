/**
 * What ELBv2 accepts as a forward action, checked before sending: AWS names one fault at a time, and a rollback has no time
 * for a second try.
 */
import type { ForwardAction } from "../ports.ts";

/**
 * Limits of one forward action.
 * Source: ELBv2 API reference, TargetGroupTuple and TargetGroupStickinessConfig; quotas page of the ALB guide, read 2026-11.
 */
export const forwardLimits = {
  maximumWeight: 999,
  maximumTargetGroups: 5,
  minimumStickinessSeconds: 1,
  maximumStickinessSeconds: 604_800,
} as const;

/** A forward action that ELBv2 would refuse, or that would serve nobody. */
export class ForwardActionInvalidError extends Error {
  override readonly name = "ForwardActionInvalidError";
}

/**
 * Refuses an action outside the limits, every problem at once.
 * @throws ForwardActionInvalidError
 */
export function checkForwardAction(ruleArn: string, action: ForwardAction): void {
  const { maximumWeight, maximumTargetGroups, minimumStickinessSeconds, maximumStickinessSeconds } = forwardLimits;
  const weights = Object.entries(action.weights);
  const problems: string[] = [];
  if (weights.length === 0) problems.push(`no target group, got {}; expected 1 to ${maximumTargetGroups}`);
  if (weights.length > maximumTargetGroups) {
    problems.push(`too many target groups, got ${weights.length}; expected at most ${maximumTargetGroups}`);
  }
  for (const [arn, weight] of weights) {
    if (!Number.isInteger(weight) || weight < 0 || weight > maximumWeight) {
      problems.push(
        `weight of ${arn} is out of range, got ${weight}; expected a whole number from 0 to ${maximumWeight}`,
      );
    }
  }
  if (weights.length > 0 && weights.every(([, weight]) => weight === 0)) {
    problems.push("every weight is 0, so nobody would be served; expected at least one above 0");
  }
  const seconds = action.stickinessSeconds;
  if (
    seconds !== undefined &&
    !(Number.isInteger(seconds) && seconds >= minimumStickinessSeconds && seconds <= maximumStickinessSeconds)
  ) {
    problems.push(
      `stickiness is out of range, got ${seconds} s; expected a whole number from ${minimumStickinessSeconds} to ${maximumStickinessSeconds}, or none to turn it off`,
    );
  }
  if (problems.length === 0) return;
  throw new ForwardActionInvalidError(
    [`rule ${ruleArn}: ${problems.length} problem(s) in its forward action, nothing was written:`, ...problems].join(
      "\n  ",
    ),
  );
}
