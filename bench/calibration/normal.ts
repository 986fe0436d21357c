/** The standard normal, as exact as a simulation needs. */

/** Abramowitz and Stegun 7.1.26: off by at most 1.5e-7. */
export function normalCumulative(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const upper = 0.5 * series * Math.exp(-x * x);
  return z < 0 ? upper : 1 - upper;
}

/** Abramowitz and Stegun 26.2.23: off by at most 4.5e-4, which is 0.03 % of a latency here. Range: above 0, below 1. */
export function normalQuantile(fraction: number): number {
  if (fraction > 0.5) return -normalQuantile(1 - fraction);
  const t = Math.sqrt(-2 * Math.log(Math.max(fraction, 1e-300)));
  return -(
    t -
    (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3)
  );
}
