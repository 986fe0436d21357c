/** The figures of a rehearsal of the very configuration in the pull request: the release fails, once with the hook and once without. */
import { messageOf } from "../../core/error-message.ts";
import type { Timers } from "../outside.ts";
import { within } from "../within.ts";

/** The fault that is rehearsed, and with which dice: the same command prints the same figures. */
export const rehearsedScenario = "error-spike";
export const rehearsedSeed = 1;
/** Longest wait for one service; most take three seconds. Unit: milliseconds. */
const limitMilliseconds = 60_000;
/** More are named, not rehearsed: the comment is to be there within a minute or two. */
export const mostRehearsed = 3;

export interface RehearsalFigures {
  readonly kind: "rehearsed";
  readonly service: string;
  readonly outcome: string;
  /** Exposure when the fault began. Unit: percent; `null`: it never began. */
  readonly faultPercent: number | null;
  readonly secondsFaultToDecision: number | null;
  readonly secondsFaultToZero: number | null;
  readonly badRequests: number;
  readonly badRequestsWithoutHook: number | null;
  /** What the rehearsal leaves out of the service's own source; absent: nothing. */
  readonly notModelled?: string;
}

export type Rehearsed =
  | RehearsalFigures
  | { readonly kind: "not-rehearsed"; readonly service: string; readonly reason: string };

/** Rehearses one service of the stack's file. Never throws: a figure that is missing is said to be missing. */
export type Rehearser = (service: string) => Promise<Rehearsed>;

/** Rehearses in this process, on the model of AWS; nothing is sent anywhere. */
export function rehearser(stack: string, directory: string, timers: Timers): Rehearser {
  return async (service) => {
    try {
      return await within(timers, limitMilliseconds, "the rehearsal", () => rehearseService(stack, service, directory));
    } catch (error) {
      return { kind: "not-rehearsed", service, reason: messageOf(error) };
    }
  };
}

async function rehearseService(stack: string, service: string, directory: string): Promise<RehearsalFigures> {
  const [{ builtInScenarios, rehearse }, { readStack }] = await Promise.all([
    import("../../rehearsal/index.ts"),
    import("../rehearse.ts"),
  ]);
  const report = await rehearse({
    config: readStack(stack, directory),
    stack,
    service,
    scenario: builtInScenarios[rehearsedScenario],
    seed: rehearsedSeed,
    aftermath: false,
  });
  const seconds = (to: string | null) =>
    report.faultAt === null || to === null ? null : (Date.parse(to) - Date.parse(report.faultAt)) / 1_000;
  return {
    kind: "rehearsed",
    service,
    outcome: report.outcome,
    faultPercent: report.timeline.find(({ kind }) => kind === "fault")?.exposurePercent ?? null,
    secondsFaultToDecision: seconds(report.detectedAt),
    secondsFaultToZero: report.secondsFaultToZero,
    badRequests: report.badRequests,
    badRequestsWithoutHook: report.badRequestsWithoutHook,
    ...(report.notModelled === null ? {} : { notModelled: report.notModelled }),
  };
}
