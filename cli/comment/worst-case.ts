/**
 * How long a breach lasts at worst, in one sentence that is true at every traffic: a promise has several windows, and the faster one needs
 * more requests. The sentence names both ends, and from what traffic down a promise is not seen at all.
 */
import { prose } from "./markdown.ts";
import type { DetectionTold } from "./notices.ts";

/** @param bounds as the preview tells them; only those that take all traffic away count */
export function worstCaseWords(bounds: readonly DetectionTold[]): string {
  const promises = bounds
    .filter(({ response }) => response === "disable")
    .map(({ objective, windows }) => ({
      objective,
      windows: windows.map(({ worstSeconds, fromRatePerSecond, atFactor = 1 }) => {
        return { worstSeconds, fromRate: Number(fromRatePerSecond ?? 0), atFactor };
      }),
    }));
  if (promises.length === 0) return "no promise of the service takes all traffic away by itself";

  // Between two of these rates nothing changes.
  const rates = [...new Set(promises.flatMap(({ windows }) => windows.map(({ fromRate }) => fromRate)))];
  rates.sort((left, right) => right - left);
  const ends = rates.map((ratePerSecond) => ({ ratePerSecond, worstSeconds: worstSecondsAt(promises, ratePerSecond) }));
  const fastestSeconds = ends[0]?.worstSeconds ?? 0;
  const slowestSeconds = Math.max(...ends.map(({ worstSeconds }) => worstSeconds));
  const slower = ends.findIndex(({ worstSeconds }) => worstSeconds !== fastestSeconds);
  const fastest = ends.at(slower === -1 ? -1 : slower - 1);
  const slowest = ends.findLast(({ worstSeconds }) => worstSeconds === slowestSeconds);
  return [
    rangeWords(
      endAt(promises, fastestSeconds, fastest?.ratePerSecond ?? 0),
      endAt(promises, slowestSeconds, slowest?.ratePerSecond ?? 0),
    ),
    ...blindWords(promises),
  ].join("; ");
}

interface Promised {
  readonly objective: string;
  readonly windows: readonly { readonly worstSeconds: number; readonly fromRate: number; readonly atFactor: number }[];
}
interface End {
  readonly seconds: number;
  /** How many times its bound a breach is that is seen so fast. */
  readonly atFactor: number;
  /** Of the whole service, requests a second; 0: any. */
  readonly fromRate: number;
}

function endAt(promises: readonly Promised[], seconds: number, fromRate: number): End {
  const reached = promises.flatMap(({ windows }) => windows.filter((window) => window.fromRate <= fromRate));
  const faster = reached.filter(({ worstSeconds }) => worstSeconds <= seconds);
  return { seconds, fromRate, atFactor: Math.max(1, ...faster.map(({ atFactor }) => atFactor)) };
}

/** Of the promises that are seen at this traffic: each by its fastest window, the slowest of them counts. */
function worstSecondsAt(promises: readonly Promised[], ratePerSecond: number): number {
  return Math.max(
    ...promises.flatMap(({ windows }) => {
      const speaking = windows.filter(({ fromRate }) => fromRate <= ratePerSecond);
      return speaking.length === 0 ? [] : [Math.min(...speaking.map(({ worstSeconds }) => worstSeconds))];
    }),
  );
}

function rangeWords(fastest: End, slowest: End): string {
  const twice = fastest.atFactor === 1 ? "" : `, at ${fastest.atFactor} × the bound`;
  if (fastest.seconds === slowest.seconds) {
    const rate = fastest.fromRate === 0 ? "" : ` (with ${fastest.fromRate} requests/s of the whole service${twice})`;
    return `**${fastest.seconds} s** at worst to zero exposure${rate}`;
  }
  const least = slowest.fromRate === 0 ? "fewer" : String(slowest.fromRate);
  return (
    `at worst from **${fastest.seconds} s** (with ${fastest.fromRate} requests/s of the whole service${twice}) to ` +
    `**${slowest.seconds} s** (${least}) until zero exposure`
  );
}

/** From the most traffic down: what is blind below it. */
function blindWords(promises: readonly Promised[]): string[] {
  const byFloor = new Map<number, string[]>();
  for (const { objective, windows } of promises) {
    const floor = Math.min(...windows.map(({ fromRate }) => fromRate));
    if (floor > 0) byFloor.set(floor, [...(byFloor.get(floor) ?? []), prose(objective)]);
  }
  return [...byFloor]
    .sort(([left], [right]) => right - left)
    .map(
      ([floor, names]) => `below ${floor} requests/s ${names.join(", ")} ${names.length === 1 ? "is" : "are"} not seen`,
    );
}
