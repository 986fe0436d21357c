/** Objectives of every kind that a config can have, for properties. */
import fc from "fast-check";
import {
  type Bound,
  type BoundReference,
  type Indicator,
  indicators,
  type MetricSource,
  type Objective,
  responses,
} from "../../../core/objectives.ts";
import { readListed, withHosts, writtenObjective } from "../../../stacks/config/objective-list.ts";
import { Problems } from "../../../stacks/config/problems.ts";

const indicatorNames = Object.keys(indicators) as Indicator[];
const counts: readonly Indicator[] = indicatorNames.filter((name) => indicators[name].unit === "count");
const relatives: readonly Indicator[] = ["error-rate", "latency-p50", "latency-p95", "latency-p99", "memory", "cpu"];

/** Thousandths, so that every value can be written down. */
function value(indicator: Indicator): fc.Arbitrary<number> {
  if (counts.includes(indicator)) return fc.integer({ min: 1, max: 1_000_000 });
  const isShare = indicators[indicator].unit === "percent";
  return fc.integer({ min: 1_001, max: isShare ? 99_999 : 9_999_999 }).map((thousandths) => thousandths / 1_000);
}

function threshold(indicator: Indicator): fc.Arbitrary<Pick<Bound, "value" | "reference">> {
  const fixed = value(indicator).map((number) => ({ value: number }));
  if (!relatives.includes(indicator)) return fixed;
  const baseline = (form: "factor" | "points"): BoundReference => ({ kind: "baseline", form });
  const factor = fc.integer({ min: 101, max: 9_999 }).map((hundredths) => ({
    value: hundredths / 100,
    reference: baseline("factor"),
  }));
  if (indicator !== "error-rate") return fc.oneof(fixed, factor);
  return fc.oneof(
    fixed,
    factor,
    fc.integer({ min: 1, max: 99 }).map((points) => ({ value: points, reference: baseline("points") })),
  );
}

function bound(indicator: Indicator): fc.Arbitrary<Bound> {
  const hasWindow = indicator !== "healthy-hosts" && indicator !== "invariant-violations";
  const window = hasWindow
    ? fc.option(fc.integer({ min: 1, max: 84 * 60 }), { nil: undefined })
    : fc.constant(undefined);
  return fc.tuple(threshold(indicator), fc.constantFrom(...responses), window).map(([read, response, minutes]) => ({
    ...read,
    response,
    ...(minutes === undefined ? {} : { windowSeconds: minutes * 60 }),
  }));
}

function defined<T extends Record<string, unknown>>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined)) as T;
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });

const anyName = fc
  .tuple(fc.constantFrom("a", "errors", "slow", "p99"), fc.option(fc.nat({ max: 999 }), { nil: undefined }))
  .map(([word, number]) => (number === undefined ? word : `${word}-${number}`));

/** Made once for each indicator: making arbitraries takes longer than drawing from them. */
const anyObjective: fc.Arbitrary<Objective> = fc.oneof(
  ...indicatorNames.map((indicator) =>
    fc
      .record({
        name: anyName,
        target: maybe(value(indicator)),
        warning: maybe(bound(indicator)),
        critical: maybe(bound(indicator)),
        mode: maybe(fc.constantFrom("act" as const, "observe" as const)),
        minimumRequests: maybe(fc.integer({ min: 1, max: 10_000 })),
        minimumErrors: maybe(fc.integer({ min: 1, max: 100 })),
      })
      .map((fields) => defined({ indicator, ...fields }) as unknown as Objective)
      // It is the only one that lowers whatever the receiver looks like, unless it says otherwise.
      .map((objective) => (indicator === "invariant-violations" ? { ...objective, disableAnyway: true } : objective)),
  ),
);

/** Not yet checked: bounds may be reversed, and nothing may be promised. */
export const anyObjectives: fc.Arbitrary<readonly Objective[]> = fc.uniqueArray(anyObjective, {
  minLength: 1,
  maxLength: 6,
  selector: ({ name }) => name,
});

/** Those of them that a config may have, with the hosts that every service has. */
export function acceptable(objectives: readonly Objective[], source: MetricSource): readonly Objective[] {
  return withHosts(
    objectives.filter((objective) => {
      const problems = new Problems();
      readListed(writtenObjective(objective), [], { source, problems });
      return problems.texts.length === 0;
    }),
  );
}
