/**
 * No order of `up`s, crashes, rollbacks and config changes takes from a rollback what it needs. The oracle counts processes itself when weights
 * leave a baseline, and reads weights, time and the raw record; it knows nothing of how floors are decided.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Declaration } from "../../core/declaration.ts";
import type { Release } from "../../core/releases.ts";
import type { ServiceConfig } from "../../stacks/config.ts";
import { aWorkload, ScalingWorld } from "../helpers/scaling-world.ts";
import { type DiesBefore, groupArn, mainRule, v1, v2, v3 } from "../helpers/world.ts";

const releases = [v1, v2, v3];

/** What branches and people ask for, in no order; some ask for fewer processes on the way. */
const branches: readonly Partial<ServiceConfig>[] = [
  {},
  { canary: v2, wavePercent: 0 },
  { canary: v2, wavePercent: 5 },
  { canary: v2, wavePercent: 25 },
  { canary: v2, wavePercent: 100 },
  { canary: v2, wavePercent: 5, attempt: 2 },
  { baseline: v2 },
  { baseline: v2, canary: v3, wavePercent: 5 },
  { canary: v3, wavePercent: 0 },
  { canary: v3, wavePercent: 5 },
  { baseline: v3, replaceBaselineReason: "we know better" },
  { canary: v2, wavePercent: 100, workload: aWorkload(1, 3) },
  { canary: v2, wavePercent: 0, workload: aWorkload(1, 3) },
  { baseline: v2, workload: aWorkload(1, 3) },
  { canary: v2, wavePercent: 25, workload: aWorkload(6, 40) },
];

type Action =
  | { readonly kind: "up"; readonly branch: number; readonly dies: DiesBefore | undefined }
  | { readonly kind: "advance"; readonly dies: DiesBefore | undefined }
  | { readonly kind: "breach" | "calm" | "acknowledge" | "kill" | "resume" }
  | { readonly kind: "time"; readonly minutes: number }
  | { readonly kind: "load"; readonly busy: number };

const dies = fc.constantFrom<(DiesBefore | undefined)[]>(undefined, undefined, undefined, undefined, "rule", "commit");
const actions = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("up" as const), branch: fc.nat(branches.length - 1), dies }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("advance" as const), dies }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("breach" as const, "calm" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("acknowledge" as const, "kill" as const, "resume" as const) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("time" as const), minutes: fc.constantFrom(1, 3, 20, 200, 1_500) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("load" as const), busy: fc.integer({ min: 1, max: 30 }) }) },
);

const expected = new Set(["CommandRefusedError", "RevisionConflictError", "NotCommittedError"]);

/** A world that remembers what each release had when an `up` began to write. */
class JudgedWorld extends ScalingWorld {
  counted = new Map<string, number>();
  /** What a rollback needs, by digest. */
  readonly needed = new Map<string, number>();
  exposed = 0;
  full = 0;

  protected override async apply(
    service: ServiceConfig,
    declaration: Declaration,
    ...rest: [string, never, never]
  ): Promise<void> {
    const before = this.rawShares();
    this.counted = new Map(releases.map((release) => [release.digest, this.countOf(release)]));
    const record = this.rawRecord();
    const baseline = record?.baseline;
    const gone = this.deleted.length;
    try {
      await super.apply(service, declaration, ...rest);
      for (const { digest } of this.deleted.slice(gone)) this.judgeDeletion(digest, record);
    } finally {
      const gave = baseline === undefined ? 0 : (before.get(baseline) ?? 0) - (this.rawShares().get(baseline) ?? 0);
      // Weights have left it in this very up: from now on it must be able to take everything back.
      if (baseline !== undefined && gave > 0 && (before.get(baseline) ?? 0) > 99) {
        this.needed.set(baseline, this.counted.get(baseline) ?? 0);
        this.exposed += 1;
      }
    }
  }

  rawShares(): Map<string, number> {
    const weights = this.cloud.rules.get(mainRule)?.weights ?? {};
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    return new Map(releases.map((release) => [release.digest, (100 * (weights[groupArn(release)] ?? 0)) / total]));
  }

  judge(): void {
    const record = this.rawRecord();
    if (!record) return;
    const shares = this.rawShares();
    const others = releases.filter(({ digest }) => digest !== record.baseline && (shares.get(digest) ?? 0) > 0);
    if (others.length > 0) this.expectFull(record.baseline);
    else if ((shares.get(record.baseline) ?? 0) > 99) this.needed.delete(record.baseline);
    if (record.previous && record.previous.until > this.cloud.nowMs) this.expectFull(record.previous.digest);
  }

  private expectFull(digest: string): void {
    const release = releases.find((each) => each.digest === digest);
    const count = release ? this.countOf(release) : 0;
    this.full += 1;
    expect(count, `${release?.version} has ${count}`).toBeGreaterThanOrEqual(Math.max(2, this.needed.get(digest) ?? 0));
  }

  /** Neither while a rollback may return to it, nor while the load balancer may still send it something. */
  private judgeDeletion(digest: string, before: ReturnType<JudgedWorld["rawRecord"]>): void {
    const now = this.cloud.nowMs;
    const release = releases.find((each) => each.digest === digest);
    const arn = release ? groupArn(release) : "";
    const writes = this.cloud.ruleWrites;
    expect(writes.at(-1)?.weights[arn] ?? 0).toBe(0);
    const lastWith = writes.findLastIndex(({ weights }) => (weights[arn] ?? 0) > 0);
    const left = lastWith < 0 ? undefined : writes[lastWith + 1]?.at;
    if (left !== undefined) expect(now - left).toBeGreaterThanOrEqual(120_000);
    if (before?.previous?.digest === digest) expect(before.previous.until).toBeLessThanOrEqual(now);
  }
}

async function act(world: JudgedWorld, what: Action): Promise<void> {
  switch (what.kind) {
    case "up":
      await world.up(branches[what.branch], what.dies ? { dies: what.dies } : {});
      return;
    case "advance":
      await advance(world, what.dies);
      return;
    case "time":
      await world.wait(what.minutes);
      return;
    case "load":
      world.busy = what.busy;
      world.scale();
      return;
    case "breach":
    case "calm": {
      const exposed = world.rawRecord()?.canary?.digest ?? world.rawRecord()?.baseline;
      const release = releases.find(({ digest }) => digest === exposed) ?? v2;
      world.alarm(release, "error-rate/critical", what.kind === "breach" ? "ALARM" : "OK");
      await world.reconcile();
      return;
    }
    default:
      await world.command(what.kind, async () => {});
  }
}

/** A careful operator: everything is quiet, the soak is served, and the next wave of whatever is the canary is asked for. */
async function advance(world: JudgedWorld, dies: DiesBefore | undefined): Promise<void> {
  for (const name of world.cloud.alarms.keys()) world.setAlarm(name, "OK");
  await world.wait(36);
  const record = world.rawRecord();
  const of = (digest: string | undefined): Release | undefined => releases.find((each) => each.digest === digest);
  const baseline = of(record?.baseline) ?? v1;
  const canary = of(record?.canary?.digest) ?? (baseline === v2 ? v3 : v2);
  const exposure = record?.canary?.exposurePercent ?? 0;
  const wavePercent = exposure < 5 ? 5 : exposure < 25 ? 25 : 100;
  const { attempt = 1 } = record?.canary ?? {};
  const options = dies ? { dies } : {};
  if (exposure === 100) await world.up({ baseline: canary }, options);
  else await world.up({ baseline, canary, wavePercent, attempt }, options);
}

describe("any order of ups", () => {
  it("keeps whatever a rollback needs at the size that it had, and deletes nothing too early [B12, E6]", async () => {
    let exposed = 0;
    let full = 0;
    let deleted = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(actions, { minLength: 10, maxLength: 35, size: "max" }), async (plan) => {
        const world = new JudgedWorld();
        await world.must(world.up({ canary: v2 }));
        await world.wait(1);
        for (const what of plan) {
          try {
            await act(world, what);
          } catch (error) {
            if (!(error instanceof Error && expected.has(error.name))) throw error;
          }
          world.judge();
          world.scale();
          world.judge();
        }
        exposed += world.exposed;
        full += world.full;
        deleted += world.deleted.length;
      }),
      { numRuns: 100 },
    );
    // The walk must really have gone there, or it proves nothing.
    expect(exposed).toBeGreaterThan(60);
    expect(full).toBeGreaterThan(600);
    expect(deleted).toBeGreaterThan(10);
  }, 120_000);
});
