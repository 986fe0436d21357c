/** What a probe needs of AWS, as one port: procedures are tested against fakes that believe or do not, and run against an account. */

/** The forward action of a probe's own rule. */
export interface ProbeAction {
  /** Weight by group, 0 to 999. */
  readonly weights: Readonly<Partial<Record<ProbeGroup, number>>>;
  /** Group stickiness; absent: off. Unit: seconds. */
  readonly stickinessSeconds?: number;
}

/**
 * The target groups that are made once for all beliefs. `a` and `b` answer with their name; `sick` answers too and fails its health
 * check; `empty` has no target; `lone` is healthy and hangs on no rule until a belief says so.
 */
export const probeGroups = ["a", "b", "sick", "empty", "lone"] as const;
export type ProbeGroup = (typeof probeGroups)[number];

/** What came back for one request, on a connection of its own. */
export interface Answer {
  readonly status: number;
  /** The group that answered; `undefined`: the load balancer did it itself. */
  readonly group: ProbeGroup | undefined;
  /** The group cookie that came with it, as the next request would send it. */
  readonly cookie: string | undefined;
}

/** A rule of one belief. */
export interface ProbeRule {
  readonly arn: string;
  /** What the rule matches; no other rule does. */
  readonly path: string;
}

/** AWS said that there were too many calls. */
export class ThrottledError extends Error {
  override readonly name = "ThrottledError";
}

/** AWS took the call for wrong; the message is its own. */
export class CallRefusedError extends Error {
  override readonly name = "CallRefusedError";
}

/** The load balancer could not be asked at all from here. */
export class NotReachedError extends Error {
  override readonly name = "NotReachedError";
}

export interface ProbeCloud {
  /**
   * A rule on the probe's listener.
   * @param match `path`: requests to a path of its own; `nothing`: a source address that no client has
   */
  makeRule(match: "path" | "nothing", action: ProbeAction, tags?: Readonly<Record<string, string>>): Promise<ProbeRule>;
  /**
   * Replaces the rule's actions; one try, nothing is retried.
   * @throws ThrottledError, CallRefusedError
   */
  writeRule(rule: ProbeRule, action: ProbeAction): Promise<void>;
  readRule(rule: ProbeRule): Promise<ProbeAction>;
  tagsOf(rule: ProbeRule): Promise<Readonly<Record<string, string>>>;
  /** ELBv2's own words: `healthy`, `unhealthy`, `initial`, `unused`… */
  targetStates(group: ProbeGroup): Promise<readonly string[]>;
  /** Requests of a group in one minute as CloudWatch has them now; `undefined`: no point yet. @param minuteStart ms since the epoch */
  requestSum(group: ProbeGroup, minuteStart: number): Promise<number | undefined>;
  /** @throws NotReachedError */
  ask(rule: ProbeRule, cookie?: string): Promise<Answer>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** @throws when the run was stopped */
  sleep(milliseconds: number): Promise<void>;
}
