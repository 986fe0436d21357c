/** The ten ways in which a step goes wrong, and what each means here. */

export const faultKinds = [
  "throttle",
  "timeout",
  "5xx",
  "access denied",
  "wrong answer",
  "duplicate",
  "out of order",
  "killed",
  "clock skew",
  "slow",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What each kind does to the calls of its step, in words for the docs. */
export const faultMeanings: Readonly<Record<FaultKind, string>> = {
  throttle: "the first three calls are refused without effect, then it works",
  timeout: "the first two calls take effect, if they are writes, but 3 s later the caller is told that no answer came",
  "5xx": "every call of ten minutes is refused without effect",
  "access denied": "every call is refused from now on, until somebody mends the permission half an hour later",
  "wrong answer": "reads of the first 90 s, and the first two writes, answer the lie that is written beside the step",
  duplicate: "the first call takes effect twice",
  "out of order":
    "reads of the first 90 s answer what was true a minute before; the first write is told to have failed, and lands 45 s later",
  killed: "the process dies in the first call, once before it takes effect and once after; the worse one counts",
  "clock skew":
    "the clock of the process that takes the step is 5 min fast, or slow, from that step on; the worse one counts",
  slow: "the first two calls take 30 s, and then work",
};

/** Kinds that are there in two variants, the worse of which counts. */
export const variantsOf: Readonly<Partial<Record<FaultKind, readonly string[]>>> = {
  killed: ["before", "after"],
  "clock skew": ["fast", "slow"],
};

/** Numbers behind the words above. */
export const faultFigures = {
  throttledCalls: 3,
  timedOutCalls: 2,
  timeoutSeconds: 3,
  outageSeconds: 600,
  lyingSeconds: 90,
  lyingWrites: 2,
  staleSeconds: 60,
  lateSeconds: 45,
  skewSeconds: 300,
  slowCalls: 2,
  slowSeconds: 30,
} as const;
