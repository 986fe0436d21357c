/** How many calls had to wait for one another: calls that ran side by side count once. */
import type { TracedCall } from "./fault-proxy.ts";

/** The calls in waves, each begun after every call of the wave before had been answered. */
export function wavesOf(calls: readonly TracedCall[]): TracedCall[][] {
  const waves: { readonly calls: TracedCall[]; endsAt: number }[] = [];
  for (const call of [...calls].sort((left, right) => left.startedAt - right.startedAt)) {
    const wave = waves.at(-1);
    if (wave && call.startedAt < wave.endsAt) {
      wave.calls.push(call);
      // The first answer of a wave is what a next one could have waited for.
      wave.endsAt = Math.min(wave.endsAt, call.endedAt);
    } else waves.push({ calls: [call], endsAt: call.endedAt });
  }
  return waves.map((wave) => wave.calls);
}
