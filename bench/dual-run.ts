/**
 * What a dual run costs besides the second implementation: a call that is not sampled beside a bare one, and the copy and the comparison of plain
 * data by size. `node --import tsx/esm bench/dual-run.ts` prints it.
 */
import { pathToFileURL } from "node:url";
import { dualRun } from "../client/dual-run.ts";
import { median } from "./machine.ts";

const metrics = { dualRun() {}, fallback() {}, warnOnce() {} };
const rounds = 7;

/** One basket of so many items, each four values. */
export function aBasket(items: number): object {
  return {
    id: "basket-1",
    items: Array.from({ length: items }, (_, index) => ({ sku: `sku-${index}`, count: index, price: 9.5 })),
  };
}

/**
 * Each loop in turn, so that a slow moment of the machine falls on all. Processor time, since the machine may do other things, too. Unit:
 * nanoseconds a call, medians.
 */
function nanosecondsOf(loops: readonly ((calls: number) => unknown)[], calls: number): number[] {
  for (const loop of loops) loop(calls);
  const taken = loops.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, loop] of loops.entries()) {
      const before = process.cpuUsage();
      loop(calls);
      const { user, system } = process.cpuUsage(before);
      taken[index]?.push((1_000 * (user + system)) / calls);
    }
  }
  return taken.map((values) => median(values));
}

/** What is answered is added up, so that no loop can be left out. */
function looped(call: (value: number) => number) {
  return (calls: number): number => {
    let sum = 0;
    for (let index = 0; index < calls; index += 1) sum = (sum + call(index)) | 0;
    return sum;
  };
}

export interface UnsampledCost {
  /** Unit of all: nanoseconds a call. */
  readonly bare: number;
  readonly off: number;
  readonly byChance: number;
  readonly newWithFallback: number;
}

/** A call of the smallest function there is, and through a dual run that does not sample it. */
export function unsampledCost(calls: number): UnsampledCost {
  const old = (value: number) => value + 1;
  const new_ = (value: number) => 1 + value;
  const shared = { name: "bench", old, new: new_, metrics } as const;
  const off = dualRun({ ...shared, returns: "old", sampleFraction: 0 });
  const byChance = dualRun({ ...shared, returns: "old", sampleFraction: 1e-9 });
  const newWithFallback = dualRun({ ...shared, returns: "new", sampleFraction: 0 });
  const loops = [old, off, byChance, newWithFallback].map((call) => looped((value) => call(value)));
  const [bareTaken = 0, offTaken = 0, byChanceTaken = 0, newTaken = 0] = nanosecondsOf(loops, calls);
  return { bare: bareTaken, off: offTaken, byChance: byChanceTaken, newWithFallback: newTaken };
}

/** A sampled call with plain data in and out, less two bare ones. Unit: microseconds a call. */
export function sampledCost(items: number, calls: number): number {
  const basket = aBasket(items);
  const [answer, other] = [aBasket(items), aBasket(items)];
  const pair = dualRun({
    name: "bench",
    old: (_basket: object) => answer,
    new: (_basket: object) => other,
    returns: "old",
    metrics,
  });
  const [taken = 0] = nanosecondsOf(
    [
      (count) => {
        for (let index = 0; index < count; index += 1) pair(basket);
      },
    ],
    calls,
  );
  const { agreed } = pair.status();
  if (agreed !== calls * (rounds + 1)) throw new Error(`${agreed} calls were compared; nothing was measured`);
  return taken / 1_000;
}

function print(): void {
  const { bare, off, byChance, newWithFallback } = unsampledCost(3_000_000);
  const row = (what: string, value: number, unit: string) =>
    process.stdout.write(`${what.padEnd(62)} ${value.toFixed(1).padStart(8)} ${unit}\n`);
  row("bare call", bare, "ns");
  row("not sampled: sampleFraction 0, old is returned", off, "ns");
  row("not sampled: by chance, old is returned", byChance, "ns");
  row("not sampled: sampleFraction 0, new is returned, with fallback", newWithFallback, "ns");
  for (const [items, calls] of [
    [1, 20_000],
    [10, 5_000],
    [100, 500],
    [1_000, 50],
  ] as const) {
    row(`sampled: copy of a basket of ${items}, comparison of two such`, sampledCost(items, calls), "µs");
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) print();
