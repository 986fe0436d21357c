/** Which recorded series is what: `latency-p95:seconds=TargetResponseTime`, or a series that is itself called `latency-p95:seconds`. */
import { type Quantity, readStated, type Stated } from "../core/backtest/quantities.ts";
import { type MeasuredSeries, measuredOf, type RawSeries } from "../core/backtest/recorded.ts";
import type { SeriesByQuantity } from "./replay.ts";

interface Mapped {
  readonly stated: Stated;
  readonly raw: RawSeries;
}

const fullName = ({ file, name }: RawSeries): string => `${file}/${name}`;

/** Series that a name means: its own, `file/name`, or its file's where that has but one. */
function named(name: string, all: readonly RawSeries[]): RawSeries[] {
  const full = all.filter((one) => fullName(one) === name);
  if (full.length > 0) return full;
  const own = all.filter((one) => one.name === name);
  return own.length > 0 ? own : all.filter(({ file }) => file === name);
}

function readMap(text: string, all: readonly RawSeries[], problems: string[]): Mapped | undefined {
  const cut = text.indexOf("=");
  if (cut === -1) {
    problems.push(
      `--map: no series named, got "${text}"; expected <quantity>:<unit>=<series>, such as requests:count=RequestCount`,
    );
    return undefined;
  }
  const stated = readStated(text.slice(0, cut));
  if (typeof stated === "string") {
    problems.push(`--map: ${stated}`);
    return undefined;
  }
  const name = text.slice(cut + 1);
  const [raw, ...others] = named(name, all);
  if (!raw || others.length > 0) {
    const wrong = raw ? "several series of that name" : "no such series";
    problems.push(`--map: ${wrong}, got "${name}"; expected one of ${listed(raw ? [raw, ...others] : all)}`);
    return undefined;
  }
  return { stated, raw };
}

const mostListed = 20;

function listed(all: readonly RawSeries[]): string {
  const names = all.slice(0, mostListed).map(fullName).join(", ");
  return all.length > mostListed ? `${names} and ${all.length - mostListed} more` : names || "none: there is no series";
}

/** @param periodSeconds how long a point counts, as stated. @returns what can be replayed; problems are added */
export function mappedSeries(
  maps: readonly string[],
  all: readonly RawSeries[],
  periodSeconds: number | undefined,
  problems: string[],
): SeriesByQuantity {
  const before = problems.length;
  const stated = maps.flatMap((text) => readMap(text, all, problems) ?? []);
  const speaking = all.flatMap((raw): Mapped[] => {
    const own = stated.some((one) => one.raw === raw) ? "stated" : readStated(raw.name);
    return typeof own === "string" ? [] : [{ stated: own, raw }];
  });
  const mapped = [...stated, ...speaking];
  refuseTwice(mapped, problems);
  if (mapped.length === 0 && problems.length === before && all.length > 0) {
    problems.push(
      `--map: missing; expected what the series are, such as requests:count=<series>. The files have ${listed(all)}`,
    );
  }
  return problems.length > before ? new Map() : measured(mapped, periodSeconds, problems);
}

function refuseTwice(mapped: readonly Mapped[], problems: string[]): void {
  mapped.forEach(({ stated, raw }, index) => {
    const earlier = mapped.slice(0, index);
    const same = earlier.find((other) => other.stated.quantity === stated.quantity);
    if (same) {
      problems.push(
        `--map: two series for ${stated.quantity}, got ${fullName(same.raw)} and ${fullName(raw)}; expected one. Put them together first`,
      );
    }
    const twice = earlier.find((other) => other.raw === raw);
    if (twice) {
      problems.push(
        `--map: one series for two quantities, got ${fullName(raw)} for ${twice.stated.quantity} and ${stated.quantity}; expected one of them`,
      );
    }
  });
}

/** Those that tell their own step first: the others have the finest of theirs. */
function measured(mapped: readonly Mapped[], periodSeconds: number | undefined, problems: string[]): SeriesByQuantity {
  const known = new Map<Quantity, MeasuredSeries>();
  const own = periodSeconds === undefined ? {} : { periodSeconds };
  const waiting: Mapped[] = [];
  for (const one of mapped) {
    const result = measuredOf(one.raw, one.stated, own);
    if (!("problem" in result)) known.set(one.stated.quantity, result);
    else if (result.isStepless) waiting.push(one);
    else problems.push(result.problem);
  }
  const finestMs = Math.min(...[...known.values()].map(({ stepMs }) => stepMs));
  for (const { raw, stated } of waiting) {
    // Only what is counted may be sparse: a level that is not there was not measured.
    const canBeSparse = stated.accounting === "sum" && Number.isFinite(finestMs);
    const result = measuredOf(raw, stated, canBeSparse ? { fallbackSeconds: finestMs / 1_000 } : {});
    if ("problem" in result) problems.push(result.problem);
    else known.set(stated.quantity, result);
  }
  return known;
}
