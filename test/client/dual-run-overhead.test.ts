import { expect, it } from "vitest";
import { sampledCost, unsampledCost } from "../../bench/dual-run.ts";

/** Ten times what `bench/dual-run.ts` prints on a machine that does other things, too. Unit: nanoseconds. */
const generousNanoseconds = 400;

it("a call that is not sampled costs nanoseconds of processor time more than a bare one [A9]", () => {
  const { bare, off, byChance, newWithFallback } = unsampledCost(200_000);
  expect(Math.max(off, byChance, newWithFallback) - bare).toBeLessThan(generousNanoseconds);
});

it("copying and comparing plain data grows with it, not faster: microseconds a hundred values [A9]", () => {
  const [small, large] = [sampledCost(10, 500), sampledCost(1_000, 10)];
  expect(small).toBeLessThan(500);
  expect(large / small).toBeLessThan(400);
});
