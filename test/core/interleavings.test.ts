/**
 * Random interleavings of everything that can touch a service, cut short before or after any single port call.
 * The oracle reads raw weights, raw grants and time from the log; it shares no code with the state machine.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aRelease, aService, groupArn, mainRule, v1, v2, v3, World } from "../helpers/world.ts";

class Crash extends Error {}

/** End of the names of controls' groups; see `World`. */
const controlEnd = "-control";

const retagged = aRelease("2.0.0", "rebuilt");
const releases = [v1, v2, v3, retagged];

type Action =
  | { readonly kind: "up"; readonly branch: number; readonly crashAt: number }
  | {
      readonly kind: "alarm";
      readonly release: number;
      readonly severity: "critical" | "warning";
      readonly on: boolean;
    }
  | { readonly kind: "reconcile" | "event"; readonly crashAt: number }
  | { readonly kind: "acknowledge" | "pause" | "resume" | "kill"; readonly crashAt: number }
  | { readonly kind: "time"; readonly minutes: number }
  | { readonly kind: "advance"; readonly crashAt: number }
  | { readonly kind: "breach"; readonly severity: "critical" | "warning" }
  | { readonly kind: "control-hosts"; readonly healthyCount: number };

/** What different branches and people ask for; none of them is in step with the record. */
const branches = [
  {},
  { canary: v2, wavePercent: 0 },
  { canary: v2, wavePercent: 5 },
  { canary: v2, wavePercent: 25 },
  { canary: v2, wavePercent: 100 },
  { canary: v2, wavePercent: 5, attempt: 2 },
  { canary: v2, wavePercent: 25, attempt: 2 },
  { baseline: v2 },
  { canary: v3, wavePercent: 0 },
  { canary: v3, wavePercent: 5 },
  { baseline: v2, canary: v3, wavePercent: 5 },
  { canary: retagged, wavePercent: 5 },
  { canary: retagged, wavePercent: 25 },
  { baseline: v3, replaceBaselineReason: "we know better" },
  { canary: v2, wavePercent: 25, overrideReason: "in a hurry" },
] as const;

/** With a control, somebody also leaves it out. */
const branchesWithControl = [
  ...branches,
  { canary: v2, wavePercent: 5, control: undefined },
  { canary: v2, wavePercent: 25, control: undefined },
] as const;

const crashAt = fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 2, arbitrary: fc.nat(60) });
const actions: readonly fc.MaybeWeightedArbitrary<Action>[] = [
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("up" as const), branch: fc.nat(branches.length - 1), crashAt }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("alarm" as const),
      release: fc.nat(releases.length - 1),
      severity: fc.constantFrom("critical" as const, "warning" as const),
      on: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("reconcile" as const, "event" as const), crashAt }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("acknowledge" as const, "pause" as const, "resume" as const, "kill" as const),
      crashAt,
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("advance" as const), crashAt }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("breach" as const),
      severity: fc.constantFrom("critical" as const, "warning" as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("time" as const), minutes: fc.constantFrom(1, 3, 15, 35, 1_500) }),
  },
];
const actionsWithControl: readonly fc.MaybeWeightedArbitrary<Action>[] = [
  ...actions,
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("up" as const),
      branch: fc.integer({ min: branches.length, max: branchesWithControl.length - 1 }),
      crashAt,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("control-hosts" as const), healthyCount: fc.constantFrom(0, 4) }),
  },
];
/** One to three actions at once, then a stream of choices of who goes next. */
const roundsOf = (possible: readonly fc.MaybeWeightedArbitrary<Action>[]) =>
  fc.array(
    fc.tuple(fc.array(fc.oneof(...possible), { minLength: 1, maxLength: 3 }), fc.array(fc.nat(7), { maxLength: 60 })),
    {
      minLength: 12,
      maxLength: 40,
      size: "max",
    },
  );

/** Lets exactly one caller go at a time, in the order that the generated choices say. */
class Turns {
  private waiting: (() => void)[] = [];
  async wait(): Promise<void> {
    await new Promise<void>((go) => this.waiting.push(go));
  }
  async drain(actions: readonly Promise<unknown>[], choices: readonly number[]): Promise<void> {
    let settled = false;
    const all = Promise.allSettled(actions).then((results) => {
      settled = true;
      return results;
    });
    for (let turn = 0; !settled; turn += 1) {
      const chosen = this.waiting.splice(
        (choices[turn % Math.max(1, choices.length)] ?? 0) % Math.max(1, this.waiting.length),
        1,
      );
      chosen[0]?.();
      for (let i = 0; i < 12; i += 1) await Promise.resolve();
      if (this.waiting.length === 0) await new Promise((resume) => setImmediate(resume));
    }
    for (const result of await all) {
      if (result.status === "rejected" && !isExpected(result.reason)) throw result.reason;
    }
  }
}

const expectedErrors = new Set([
  "RevisionConflictError",
  "ReadBackError",
  "GuardRefusedError",
  "NotCommittedError",
  "CommandRefusedError",
]);
function isExpected(error: unknown): boolean {
  if (error instanceof Crash) return true;
  if (error instanceof AggregateError) return error.errors.every(isExpected);
  if (!(error instanceof Error)) return false;
  return expectedErrors.has(error.name) || (error.cause !== undefined && isExpected(error.cause));
}

function onCallOf(turns: Turns, crashAtCall: number) {
  let calls = 0;
  return async () => {
    await turns.wait();
    // Dead is dead: nothing that comes after gets through either.
    if (crashAtCall >= 0 && calls++ >= crashAtCall) throw new Crash();
  };
}

async function act(world: World, turns: Turns, what: Action): Promise<void> {
  switch (what.kind) {
    case "up":
      await world.up(branchesWithControl[what.branch] ?? {}, {
        who: `stack-${what.branch % 3}`,
        onCall: onCallOf(turns, what.crashAt),
      });
      return;
    case "alarm":
      world.alarm(releases[what.release] ?? v2, `error-rate/${what.severity}`, what.on ? "ALARM" : "OK");
      return;
    case "time":
      world.cloud.nowMs += what.minutes * 60_000;
      return;
    case "control-hosts":
      for (const arn of world.cloud.health.keys()) {
        if (arn.endsWith(controlEnd)) world.hosts(arn, what.healthyCount);
      }
      return;
    case "breach": {
      const exposed = releases.find((release) => release.digest === world.rawRecord()?.canary?.digest);
      world.alarm(exposed ?? v2, `error-rate/${what.severity}`, "ALARM");
      return;
    }
    case "advance":
      await advance(world, turns, what.crashAt);
      return;
    case "event":
      // Late, doubled or about a release long gone: an event is a wake-up, never an order.
      await world.eventWith(onCallOf(turns, what.crashAt));
      return;
    case "reconcile":
      await world.reconcileWith(onCallOf(turns, what.crashAt));
      return;
    default:
      await world.command(what.kind, onCallOf(turns, what.crashAt));
  }
}

/** A careful operator: the soak is served and measured, everything is quiet, and the next wave of whatever is the canary is asked for. */
async function advance(world: World, turns: Turns, crashAtCall: number): Promise<void> {
  for (const name of world.cloud.alarms.keys()) world.setAlarm(name, "OK");
  await world.reconcile();
  world.cloud.nowMs += 35 * 60_000;
  await world.reconcile();
  const record = world.rawRecord();
  const canary = releases.find((release) => release.digest === record?.canary?.digest) ?? v2;
  const baseline = releases.find((release) => release.digest === record?.baseline) ?? v1;
  const exposure = record?.canary?.exposurePercent ?? 0;
  const wavePercent = exposure < 5 ? 5 : exposure < 25 ? 25 : 100;
  const who = { who: "operator", onCall: onCallOf(turns, crashAtCall) };
  if (exposure === 100) await world.up({ baseline: canary }, who);
  else if (canary.digest !== baseline.digest)
    await world.up({ baseline, canary, wavePercent, attempt: record?.canary?.attempt ?? 1 }, who);
}

// ---- the oracle -------------------------------------------------------------------------------------------------------------

interface RawRecord {
  readonly baseline: string;
  readonly revision: number;
  readonly paused?: object;
  readonly lease?: {
    readonly id: string;
    readonly kind: string;
    readonly digest: string;
    readonly fromPercent: number;
    readonly toPercent: number;
    readonly attempt: number;
  };
  readonly previous?: { readonly digest: string };
  readonly canary?: { readonly exposurePercent: number };
  readonly holds: Record<
    string,
    {
      readonly digest: string;
      readonly scope: string;
      readonly acknowledged?: object;
      readonly targetPercent: number;
      readonly attempt: number;
    }
  >;
}

function shareTable(weights: Readonly<Record<string, number>>): Map<string, number> {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return new Map(
    releases.map((release) => {
      const weight = (weights[groupArn(release)] ?? 0) + (weights[`${groupArn(release)}${controlEnd}`] ?? 0);
      return [release.digest, (100 * weight) / total];
    }),
  );
}

/** A control never has more than the canary beside it nor than the baseline as a whole, and the hook only takes from it. */
function judgeControls(world: World): number {
  let most = 0;
  let before: readonly [string | undefined, number] = [undefined, 0];
  for (const { by, weights } of world.cloud.ruleWrites) {
    const controls = Object.entries(weights).filter(([arn]) => arn.endsWith(controlEnd));
    expect(controls.length).toBeLessThanOrEqual(1);
    const [arn, share] = controls[0] ?? [undefined, 0];
    const own = releases.find((release) => arn === `${groupArn(release)}${controlEnd}`);
    const baseline = own ? (shareTable(weights).get(own.digest) ?? 0) : 100;
    expect(share).toBeLessThanOrEqual(Math.min(baseline, 100 - baseline));
    if (by === "hook" && share > 0) expect([arn, share <= before[1]]).toEqual([before[0], true]);
    before = [arn, share];
    most = Math.max(most, share);
  }
  return most;
}

/** A release that receives nobody's rollback rises only by an opening that the record granted, one wave at a time. */
function judgeRises(world: World): void {
  const records = world.cloud.recordWrites as unknown as { at: number; seq: number; by: string; record: RawRecord }[];
  let before = new Map<string, number>();
  for (const write of world.cloud.ruleWrites) {
    const now = shareTable(write.weights);
    expect([...now.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 6);
    for (const [digest, share] of now) {
      const was = before.get(digest) ?? 0;
      if (share <= was + 1e-9) continue;
      const past = records.filter((entry) => entry.seq < write.seq);
      const receivers = new Set(
        past.slice(-6).flatMap((entry) => [entry.record.baseline, entry.record.previous?.digest]),
      );
      if (past.length === 0) {
        expect([digest, share]).toEqual([v1.digest, 100]);
        continue;
      }
      if (receivers.has(digest)) continue;
      expect(write.by, `${digest} rose to ${share} by ${write.by}`).not.toBe("hook");
      const grant = past.findLast(
        (entry) =>
          entry.by === write.by && entry.record.lease?.digest === digest && entry.record.lease.toPercent === share,
      );
      expect(grant?.record.lease?.toPercent, `${digest} rose to ${share} without a grant`).toBe(share);
      expect(write.at - (grant?.at ?? 0)).toBeLessThanOrEqual(10 * 60_000);
    }
    before = now;
  }
  judgeGrants(records.map((entry) => entry.record));
}

/**
 * An opening grant is one wave up, and never against a standing hold, an ended attempt or a pause. A lowering that a deeper one
 * overtook may land late; it too was granted, and never above what was committed then.
 */
function judgeGrants(records: readonly RawRecord[]): void {
  const steps = new Map([
    [0, 5],
    [5, 25],
    [25, 100],
  ]);
  records.forEach((record, index) => {
    const before = records[index - 1];
    const lease = record.lease;
    if (lease?.kind === "lowering" && before?.lease?.id !== lease.id) {
      expect(lease.toPercent).toBeLessThanOrEqual(before?.canary?.exposurePercent ?? 0);
    }
    if (!before || lease?.kind !== "opening" || JSON.stringify(before.lease) === JSON.stringify(lease)) return;
    if (lease.digest !== v3.digest || lease.toPercent !== 100 || lease.fromPercent !== 0) {
      const next = [...steps].find(([from]) => lease.fromPercent >= from && lease.fromPercent < (steps.get(from) ?? 0));
      expect(lease.toPercent).toBe(next?.[1]);
    }
    expect(before.paused).toBeUndefined();
    for (const hold of Object.values(before.holds)) {
      if (!hold.acknowledged)
        expect([hold.scope, hold.digest]).not.toEqual([
          hold.scope === "service" ? "service" : "digest",
          hold.scope === "service" ? hold.digest : lease.digest,
        ]);
      if (hold.targetPercent === 0 && hold.digest === lease.digest) expect(lease.attempt).toBeGreaterThan(hold.attempt);
    }
  });
}

/** After two whole reconciles live is at or under every standing target, and a third one changes nothing. */
async function judgeRest(world: World): Promise<void> {
  if (!world.cloud.records.has("checkout")) return;
  for (const arn of world.cloud.health.keys()) world.cloud.health.set(arn, { healthyCount: 4, totalCount: 4 });
  world.cloud.nowMs += 11 * 60_000;
  await world.reconcile();
  await world.reconcile();
  const raw = JSON.parse(world.cloud.records.get("checkout") ?? "{}") as RawRecord;
  const live = shareTable(world.cloud.rules.get(mainRule)?.weights ?? {});
  for (const hold of Object.values(raw.holds)) {
    if (hold.acknowledged || hold.digest === raw.baseline) continue;
    expect(live.get(hold.digest) ?? 0).toBeLessThanOrEqual(hold.targetPercent);
  }
  for (const release of [v2, v3, retagged]) {
    const critical = [...world.cloud.alarms.values()].some(
      (alarm) =>
        alarm.state === "ALARM" &&
        alarm.alarmName.includes(groupArn(release).slice("arn:group/".length)) &&
        alarm.alarmName.includes("/error-rate/critical"),
    );
    if (critical && release.digest !== raw.baseline) expect(live.get(release.digest)).toBe(0);
  }
  const writes = world.cloud.ruleWrites.length;
  const pages = world.cloud.pages.length;
  await world.reconcile();
  expect([world.cloud.ruleWrites.length, world.cloud.pages.length]).toEqual([writes, pages]);
  expect((JSON.parse(world.cloud.records.get("checkout") ?? "{}") as RawRecord).revision).toBe(raw.revision);
}

describe("random interleavings", () => {
  it.each([
    { title: "", service: {}, possible: actions, numRuns: 350, leastControl: 0 },
    {
      title: ", with a control",
      service: { control: {} },
      possible: actionsWithControl,
      numRuns: 150,
      leastControl: 25,
    },
  ])(
    "raises only by granted openings, ends at or under the lowest target, and rests$title [B2, B5, A4, C1]",
    async ({ service, possible, numRuns, leastControl }) => {
      let raised = 0;
      let rolledBack = 0;
      let mostControl = 0;
      await fc.assert(
        fc.asyncProperty(roundsOf(possible), async (plan) => {
          const world = new World(aService(service, "rapid"));
          await world.must(world.up({ canary: v2 }));
          await world.reconcile();
          for (const [actions, choices] of plan) {
            const turns = new Turns();
            await turns.drain(
              actions.map((what) => act(world, turns, what)),
              choices,
            );
          }
          judgeRises(world);
          await judgeRest(world);
          judgeRises(world);
          mostControl = Math.max(mostControl, judgeControls(world));
          raised += world.cloud.ruleWrites.filter((write) => write.by !== "hook").length;
          rolledBack += world.cloud.ruleWrites.filter((write) => write.by === "hook").length;
        }),
        { numRuns },
      );
      // The walk must really have opened and lowered, or it proves nothing.
      expect(raised).toBeGreaterThan(2 * numRuns);
      expect(rolledBack).toBeGreaterThan(numRuns / 3);
      expect(mostControl).toBe(leastControl);
    },
    240_000,
  );
});
