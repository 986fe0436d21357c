/**
 * A load balancer in virtual time that behaves as Tidegate believes, unless told otherwise in one point: so each procedure is tried on a
 * world where its belief holds, and on one where it does not.
 */
import {
  type Answer,
  CallRefusedError,
  NotReachedError,
  type ProbeAction,
  type ProbeCloud,
  type ProbeGroup,
  type ProbeRule,
  probeGroups,
  ThrottledError,
} from "../../../scripts/probe/cloud.ts";

/** What may be otherwise. */
export interface Quirks {
  /** How long a write takes to reach requests. Unit: milliseconds. */
  readonly propagationMilliseconds: number;
  /** How long a new rule takes to be there. Unit: milliseconds. */
  readonly newRuleMilliseconds: number;
  readonly mergesWrites: boolean;
  readonly mixesConcurrentWrites: boolean;
  readonly refusesConcurrentWrites: boolean;
  readonly losesTags: boolean;
  /** Writes a run may make before it is throttled. */
  readonly writesBeforeThrottle: number;
  readonly servesWeightZero: boolean;
  readonly keepsZeroAsOne: boolean;
  readonly allZero: "refused" | "503" | "served";
  /** A cookie names its group even when that is not in the action any more. */
  readonly cookieOutlivesGroup: boolean;
  readonly weightZeroEvicts: boolean;
  readonly cookieOutlivesStickiness: boolean;
  readonly failsOver: boolean;
  readonly sickLooksHealthy: boolean;
  /** State of a target whose group hangs on no rule. */
  readonly unattachedState: string;
  readonly anchorState: string;
  readonly metricDelayMilliseconds: number;
  readonly unreachable: boolean;
  readonly givesCookies: boolean;
}

const asBelieved: Quirks = {
  propagationMilliseconds: 4_000,
  newRuleMilliseconds: 1_000,
  mergesWrites: false,
  mixesConcurrentWrites: false,
  refusesConcurrentWrites: false,
  losesTags: false,
  writesBeforeThrottle: Number.POSITIVE_INFINITY,
  servesWeightZero: false,
  keepsZeroAsOne: false,
  allZero: "503",
  cookieOutlivesGroup: false,
  weightZeroEvicts: false,
  cookieOutlivesStickiness: false,
  failsOver: false,
  sickLooksHealthy: false,
  unattachedState: "unused",
  anchorState: "healthy",
  metricDelayMilliseconds: 100_000,
  unreachable: false,
  givesCookies: true,
};

/** How long one request takes. Unit: milliseconds. */
const requestMilliseconds = 20;

interface Version {
  readonly from: number;
  readonly action: ProbeAction;
}

/** @param quirks where this world is not as believed */
export function fakeCloud(quirks: Partial<Quirks> = {}): ProbeCloud {
  const world = { ...asBelieved, ...quirks };
  // A whole minute would hide how a procedure waits for one.
  let nowMs = 10_000;
  let writes = 0;
  let turn = 0;
  const versions = new Map<string, Version[]>();
  const tags = new Map<string, Readonly<Record<string, string>>>();
  const asked: { readonly at: number; readonly group: ProbeGroup }[] = [];
  const anchored = new Set<ProbeGroup>();
  const pending = new Map<string, ProbeAction>();

  const current = (rule: ProbeRule): ProbeAction => versions.get(rule.arn)?.at(-1)?.action ?? { weights: {} };
  const live = (rule: ProbeRule): ProbeAction =>
    versions.get(rule.arn)?.findLast(({ from }) => from <= nowMs)?.action ?? { weights: {} };
  const total = ({ weights }: ProbeAction) => Object.values(weights).reduce((sum, weight) => sum + weight, 0);

  /** Weighted round robin, so that shares are exact and nothing is left to chance. */
  function byWeight(action: ProbeAction): ProbeGroup | undefined {
    const weights = Object.entries(action.weights).map(
      ([group, weight]) =>
        [group, world.servesWeightZero || world.allZero === "served" ? Math.max(weight, 1) : weight] as const,
    );
    const sum = weights.reduce((all, [, weight]) => all + weight, 0);
    if (sum === 0) return undefined;
    // 37 has no factor in common with the sums used here, so consecutive turns are spread out.
    let point = (turn++ * 37) % sum;
    for (const [group, weight] of weights) {
      if (point < weight) return probeGroups.find((known) => known === group);
      point -= weight;
    }
    return undefined;
  }

  function stuckTo(action: ProbeAction, cookie: string | undefined): ProbeGroup | undefined {
    const group = probeGroups.find((known) => cookie === `AWSALBTG=${known}`);
    if (group === undefined) return undefined;
    const weight = action.weights[group];
    if (weight === undefined) return world.cookieOutlivesGroup ? group : undefined;
    if (action.stickinessSeconds === undefined) return world.cookieOutlivesStickiness ? group : undefined;
    return weight === 0 && world.weightZeroEvicts ? undefined : group;
  }

  return {
    async makeRule(match, action, ruleTags = {}) {
      const arn = `rule-${versions.size + 1}`;
      versions.set(arn, [{ from: nowMs + world.newRuleMilliseconds, action }]);
      tags.set(arn, world.losesTags ? {} : ruleTags);
      if (match === "nothing") for (const group of probeGroups) if (group in action.weights) anchored.add(group);
      return { arn, path: `/${arn}` };
    },
    async writeRule(rule, action) {
      writes += 1;
      if (writes > world.writesBeforeThrottle) throw new ThrottledError("Rate exceeded");
      if (total(action) === 0 && world.allZero === "refused") throw new CallRefusedError("ValidationError: weights");
      const other = pending.get(rule.arn);
      if (other && world.refusesConcurrentWrites) throw new CallRefusedError("Conflict: another write");
      pending.set(rule.arn, action);
      const kept = world.mergesWrites
        ? { ...current(rule), ...action, weights: { ...current(rule).weights, ...action.weights } }
        : other && world.mixesConcurrentWrites
          ? { weights: { a: action.weights.a ?? 0, b: other.weights.b ?? 0 } }
          : action;
      versions.get(rule.arn)?.push({ from: nowMs + world.propagationMilliseconds, action: kept });
      nowMs += requestMilliseconds;
      await Promise.resolve();
      pending.delete(rule.arn);
    },
    async readRule(rule) {
      const action = current(rule);
      if (!world.keepsZeroAsOne) return action;
      const weights = Object.fromEntries(Object.entries(action.weights).map(([group, weight]) => [group, weight || 1]));
      return { ...action, weights };
    },
    tagsOf: async (rule) => tags.get(rule.arn) ?? {},
    async targetStates(group) {
      if (group === "empty") return [];
      if (group === "sick") return [world.sickLooksHealthy ? "healthy" : "unhealthy"];
      if (group === "lone") return [anchored.has(group) ? world.anchorState : world.unattachedState];
      return ["healthy"];
    },
    async requestSum(group, minuteStart) {
      if (nowMs < minuteStart + 60_000 + world.metricDelayMilliseconds) return undefined;
      return asked.filter((one) => one.group === group && one.at >= minuteStart && one.at < minuteStart + 60_000)
        .length;
    },
    async ask(rule, cookie): Promise<Answer> {
      if (world.unreachable) throw new NotReachedError("load balancer: not reached");
      const action = live(rule);
      nowMs += requestMilliseconds;
      if (Object.keys(action.weights).length === 0) return { status: 404, group: undefined, cookie: undefined };
      const chosen = stuckTo(action, cookie) ?? byWeight(action);
      const group = world.failsOver && (chosen === "sick" || chosen === "empty") ? "a" : chosen;
      if (group === undefined || group === "empty") return { status: 503, group: undefined, cookie: undefined };
      asked.push({ at: nowMs, group });
      const sticks = action.stickinessSeconds !== undefined && world.givesCookies;
      return { status: 200, group, cookie: sticks ? `AWSALBTG=${group}` : undefined };
    },
    now: () => nowMs,
    async sleep(milliseconds) {
      nowMs += Math.max(0, milliseconds);
    },
  };
}
