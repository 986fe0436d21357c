/**
 * The gate over what sources answer when something is wrong with them: gaps, clocks that are off, counters that began anew, NaN, one side alone,
 * a year of minutes. Each goes the whole way, from the wire through adapter, windows and criteria to the verdict (C1, B8).
 *
 * The canary is bad for the middle third of an hour, and each damage lies where that shows: a verdict of `promote` is the failure.
 */
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nothingAdopted } from "../../../components/settings.ts";
import { judge } from "../../../core/gate/judge.ts";
import type { Verdict } from "../../../core/gate/verdict.ts";
import { releaseKey } from "../../../core/naming.ts";
import { completeWave } from "../../../core/plans.ts";
import type { RolloutRecord } from "../../../core/record.ts";
import { readEvidence } from "../../../stacks/decide/evidence.ts";
import { aService, v1, v2, World } from "../../helpers/world.ts";
import {
  type Breakage,
  bounds,
  type Damage,
  type Minute,
  portsOf,
  type Side,
  type Source,
  sources,
  type Truth,
  type What,
  type WirePoint,
} from "./wire.ts";

const minuteMs = 60_000;
const openedAt = Date.UTC(2026, 0, 5, 10);
const now = openedAt + 65 * minuteMs;
const year = 365 * 24 * 60;

const base = await new World().rolledOutTo(10);
const cloudPorts = base.cloud.ports("up");
const keys: Readonly<Record<Side, string>> = { canary: releaseKey(v2), beside: releaseKey(v1) };

function aRecord(source: Source): RolloutRecord {
  const { record } = base;
  const { canary, releases } = record;
  if (!canary) throw new Error("no canary");
  return {
    ...record,
    source,
    plan: {
      name: "an hour",
      watchAfterMinutes: 0,
      waves: [25, 100].map((exposurePercent) => completeWave({ exposurePercent, minimumSoakMinutes: 60 })),
    },
    // The load balancer's metrics are found by group, those of releases by key: both say who it is.
    releases: Object.fromEntries(
      Object.entries(releases).map(([digest, release]) => [
        digest,
        { ...release, targetGroupArnSuffix: `targetgroup/${releaseKey(release)}/1` },
      ]),
    ),
    canary: { ...canary, exposurePercent: 25, waveOpenedAt: openedAt, servedPercents: [] },
  };
}

const isBad = (at: number): boolean => at >= openedAt + 20 * minuteMs && at < openedAt + 40 * minuteMs;
const wobble = (minute: number): number => 1 + 0.02 * ([-1, 0.5, 1, -0.5][minute % 4] ?? 0);
const good = (requests: number, minute: number): Minute => ({
  requests,
  errors: 0,
  p95Milliseconds: 100 * wobble(minute),
});

/** What was so: how bad the canary was in its bad spell. */
const truth = (bad: Partial<Minute> = {}): Truth => ({
  from: openedAt,
  minutes: 64,
  of: (side, minute) => {
    if (side === "beside") return good(1_800, minute);
    const own = good(600, minute + 1);
    return isBad(openedAt + minute * minuteMs) ? { ...own, ...bad } : own;
  },
});
const failing = truth({ errors: 120 });
const slow = truth({ p95Milliseconds: 350 });

/** The whole way. */
async function verdictOf(source: Source, of: Truth, damage?: Damage, breakage?: Breakage): Promise<Verdict> {
  const record = aRecord(source);
  const ports = { ...cloudPorts, ...portsOf(source, of, keys, now, damage, breakage) };
  const service = { ...aService({ source, objectives: [] }), canary: v2, plan: record.plan };
  const evidence = await readEvidence("dev", service, record, "opening", nothingAdopted, ports);
  return judge(record, v2.digest, evidence, now);
}

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Damages the points of some series, in the bad spell unless told otherwise. */
function where(
  series: (side: Side, what: What) => boolean,
  change: (point: WirePoint) => readonly WirePoint[],
  when: (at: number) => boolean = isBad,
): Damage {
  return (points, { side, what }) =>
    series(side, what) ? points.flatMap((point) => (when(point.at) ? change(point) : [point])) : [...points];
}
const ofCanary =
  (...whats: string[]) =>
  (side: Side, what: What) =>
    side === "canary" && (whats.length === 0 || whats.some((each) => what.startsWith(each)));
const always = () => true;
const lost = () => [];
const value = (of: unknown) => (point: WirePoint) => [{ ...point, value: of }];
const at = (move: (at: number) => number) => (point: WirePoint) => [{ ...point, at: move(point.at) }];

/** The damages, whether errors or latency is what is bad, and the sources in which they can be told from what is sound. */
const table: readonly [what: string, of: Truth, damage: Damage, only?: readonly Source[]][] = [
  ["errors that are no numbers", failing, where(ofCanary("errors"), value(Number.NaN))],
  ["errors without end", failing, where(ofCanary("errors"), value(Number.POSITIVE_INFINITY))],
  ["errors below zero, as of a counter that began anew", failing, where(ofCanary("errors"), value(-600))],
  ["errors that are empty texts", failing, where(ofCanary("errors"), value("")), ["prometheus", "datadog"]],
  ["errors that are words", failing, where(ofCanary("errors"), value("many"))],
  ["errors told twice, once as none", failing, where(ofCanary("errors"), (point) => [point, { ...point, value: 0 }])],
  [
    "errors half a window late",
    failing,
    where(
      ofCanary("errors"),
      at((each) => each + minuteMs / 2),
    ),
  ],
  [
    "errors of a year ago",
    failing,
    where(
      ofCanary("errors"),
      at((each) => each - year * minuteMs),
    ),
  ],
  [
    "errors of next year",
    failing,
    where(
      ofCanary("errors"),
      at((each) => each + year * minuteMs),
    ),
  ],
  [
    "errors at no time",
    failing,
    where(
      ofCanary("errors"),
      at(() => Number.NaN),
    ),
    ["alb", "emf", "prometheus"],
  ],
  ["no word of errors where there were always some or none", failing, where(ofCanary("errors"), lost), ["emf"]],
  ["errors without requests", failing, where(ofCanary("requests"), lost)],
  ["requests of none beside errors", failing, where(ofCanary("requests"), value(0))],
  ["requests that are no numbers", failing, where(ofCanary("requests"), value(Number.NaN))],
  ["nothing of the canary in its bad spell", failing, where(ofCanary(), lost)],
  [
    "nothing of the canary in a few bad minutes",
    failing,
    where(ofCanary(), lost, (each) => isBad(each) && each % (3 * minuteMs) === 0),
  ],
  ["nothing of the canary", failing, where(ofCanary(), lost, always)],
  ["nothing of the baseline", failing, where((side) => side === "beside", lost, always)],
  ["nothing at all", failing, where(always, lost, always)],
  ["most of the soak missing", failing, where(always, lost, (each) => each < openedAt + 45 * minuteMs)],
  ["no latencies in the bad spell", slow, where(ofCanary("p", "bucket"), lost)],
  [
    "no latencies in half of the bad spell",
    slow,
    where(ofCanary("p", "bucket"), lost, (each) => isBad(each) && each % (2 * minuteMs) === 0),
  ],
  ["no latencies of the canary", slow, where(ofCanary("p", "bucket"), lost, always)],
  ["latencies that are no numbers", slow, where(ofCanary("p", "bucket"), value(Number.NaN))],
  ["latencies below zero", slow, where(ofCanary("p", "bucket"), value(-1))],
  [
    "latencies of a year ago",
    slow,
    where(
      ofCanary("p", "bucket"),
      at((each) => each - year * minuteMs),
    ),
  ],
  ["no last bucket", slow, where(ofCanary("bucket +Inf"), lost, always), ["prometheus"]],
  ["no last bucket in the bad spell", slow, where(ofCanary("bucket +Inf"), lost), ["prometheus"]],
  [
    "buckets of the baseline missing",
    slow,
    where((side, what) => side === "beside" && /bucket [12]00/.test(what), lost),
    ["prometheus"],
  ],
];

/** Whole answers of another shape. */
const breakages: readonly [what: string, breakage: Breakage][] = [
  ["an empty map", () => ({})],
  ["nothing", () => null],
  ["a list", () => []],
  ["no times", (answer) => without(answer, "Timestamps", "times", "values")],
  ["no values", (answer) => without(answer, "Values", "values")],
  ["no results", (answer) => without(answer, "MetricDataResults", "result", "series")],
  ["results that are none", (answer) => replaced(answer, { MetricDataResults: [], result: {}, series: {} })],
  [
    "part of an answer",
    (answer) => replaced(answer, { StatusCode: "PartialData", status: "partial", times: [openedAt] }),
  ],
  ["an answer that failed", (answer) => replaced(answer, { StatusCode: "InternalError", status: "error", data: null })],
];

function without(node: unknown, ...names: readonly string[]): unknown {
  if (Array.isArray(node)) return node.map((each) => without(each, ...names));
  if (typeof node !== "object" || node === null || node instanceof Date) return node;
  return Object.fromEntries(
    Object.entries(node).flatMap(([name, each]) => (names.includes(name) ? [] : [[name, without(each, ...names)]])),
  );
}

function replaced(node: unknown, by: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(node)) return node.map((each) => replaced(each, by));
  if (typeof node !== "object" || node === null || node instanceof Date) return node;
  return Object.fromEntries(
    Object.entries(node).map(([name, each]) => [name, name in by ? by[name] : replaced(each, by)]),
  );
}

describe.each(sources)("the gate over %s", (source) => {
  it("promotes what is sound, and stops what is bad, while nothing is damaged [C1]", async () => {
    const sound = await verdictOf(source, truth());
    expect([sound.kind, sound.reasons]).toEqual(["promote", []]);
    expect((await verdictOf(source, failing)).kind).toBe("roll-back");
    expect((await verdictOf(source, slow)).kind).toBe("roll-back");
  });

  it.each(table.filter(([, , , only = sources]) => only.includes(source)))(
    "does not promote a bad release for %s [B8, C1]",
    async (_what, of, damage) => {
      const verdict = await verdictOf(source, of, damage);
      expect(verdict.kind).not.toBe("promote");
      expect(verdict.reasons.join("; ")).toMatch(/\S/);
    },
  );

  it.each(breakages)("cannot tell from an answer with %s [B8]", async (_what, breakage) => {
    expect((await verdictOf(source, truth(), undefined, breakage)).kind).toBe("cannot-tell");
  });

  it("says the same whatever order points come in [B8]", async () => {
    const turned: Damage = (points) => points.toReversed();
    expect(await verdictOf(source, truth(), turned)).toEqual(await verdictOf(source, truth()));
    expect(await verdictOf(source, failing, turned)).toEqual(await verdictOf(source, failing));
  });

  it("cannot tell from a year of minutes where an hour was asked for [B8]", async () => {
    const minutes: WirePoint[] = Array.from({ length: 100_000 }, (_, minute) => ({
      at: openedAt + (minute - 50_000) * minuteMs,
      value: 1,
    }));
    expect((await verdictOf(source, truth(), () => minutes)).kind).toBe("cannot-tell");
  });

  it("never promotes a bad release, however its answers are damaged, and never throws [B8, C1]", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(failing, slow, truth({ errors: 600, p95Milliseconds: 790 })),
        fc.array(anyDamage(source), { minLength: 1, maxLength: 3 }),
        async (of, damages) => {
          const damage: Damage = (points, series) =>
            damages.reduce<readonly WirePoint[]>((left, each) => each(left, series), points).slice();
          const verdict = await verdictOf(source, of, damage);
          expect(verdict.kind).not.toBe("promote");
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** Any damage that shows: what CloudWatch, Prometheus or Datadog also answer when nothing is wrong is not among them (docs/gate.md). */
function anyDamage(source: Source): fc.Arbitrary<Damage> {
  const whats =
    source === "prometheus"
      ? ["requests", "errors", ...bounds.map((le) => `bucket ${le}`)]
      : ["requests", "errors", "p50", "p95", "p99"];
  const odd = fc.oneof(
    fc.constantFrom<unknown>(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -1e300, "x", "NaN"),
  );
  const side = fc.constantFrom<Side>("canary", "beside");
  const change = fc.oneof(
    odd.map((each) => value(each)),
    fc.constantFrom(
      (point: WirePoint) => [point, { ...point, value: 0 }],
      at((each) => each + minuteMs / 2),
      at((each) => each + year * minuteMs),
      at((each) => each - year * minuteMs),
    ),
  );
  return fc.oneof(
    fc
      .tuple(side, fc.constantFrom(...whats), change)
      .map(([who, what, how]) => where((each, name) => each === who && name === what, how)),
    // Of one side alone: a gap of both looks like nobody asking anything.
    fc.constant(where((each) => each === "canary", lost)),
    side.map((who) => where((each, name) => each === who && /^p|bucket/.test(name), lost)),
    fc.constant<Damage>((points) => points.toReversed()),
  );
}
