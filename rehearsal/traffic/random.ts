/**
 * Seeded randomness: named independent streams and the few distributions that traffic needs.
 *
 * The generator is sfc32 (Chris Doty-Humphrey's small fast counter, PractRand), whole 32-bit arithmetic. The samplers use
 * Math.log, exp, sqrt and cos, which V8 computes in its own software the same way on every platform; another engine could
 * differ in the last bit. Nothing depends on locale, time zone or iteration order.
 */

const twoTo32 = 4_294_967_296;

/** Four words from a text (cyrb128, a public-domain mixing hash). */
function wordsOf(text: string): Uint32Array<ArrayBuffer> {
  let a = 1779033703;
  let b = 3144134277;
  let c = 1013904242;
  let d = 2773480762;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    a = b ^ Math.imul(a ^ code, 597399067);
    b = c ^ Math.imul(b ^ code, 2869860233);
    c = d ^ Math.imul(c ^ code, 951274213);
    d = a ^ Math.imul(d ^ code, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  return Uint32Array.of(a ^ b ^ c ^ d, b ^ a, c ^ a, d ^ a);
}

/** A stream of random numbers; the same path of names gives the same numbers, whatever other streams were drawn from. */
export class RandomStream {
  readonly #path: string;
  readonly #state: Uint32Array;
  #spareNormal = Number.NaN;

  /** @param seed any text or whole number; forks append their names */
  constructor(seed: number | string) {
    this.#path = String(seed);
    this.#state = wordsOf(this.#path);
    // The first words still resemble the seed; twelve rounds mix them (PractRand's own advice for sfc32).
    for (let round = 0; round < 12; round += 1) this.nextUint32();
  }

  /** An independent stream. It depends on the names alone, not on what was drawn before. */
  fork(name: string): RandomStream {
    return new RandomStream(`${this.#path}/${name.length}:${name}`);
  }

  /** Range: 0 to 2^32 - 1. */
  nextUint32(): number {
    const state = this.#state;
    const a = state[0] ?? 0;
    const b = state[1] ?? 0;
    const c = state[2] ?? 0;
    const counter = state[3] ?? 0;
    const result = (a + b + counter) | 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + result;
    return result >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  /** Standard normal (Box and Muller). */
  normal(): number {
    const spare = this.#spareNormal;
    if (!Number.isNaN(spare)) {
      this.#spareNormal = Number.NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = (2 * Math.PI * this.nextUint32()) / twoTo32;
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Exact by inversion up to a mean of 100; above that a rounded normal, off by under 0.1 standard deviations in skew. */
  poisson(mean: number): number {
    if (!(mean > 0)) return 0;
    if (mean > 100) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    // A sum of two Poissons is one, and exp(-mean) must not lose digits.
    if (mean > 30) return this.poisson(mean / 2) + this.poisson(mean / 2);
    let remaining = this.uniform();
    let probability = Math.exp(-mean);
    let count = 0;
    while (remaining >= probability && count < 1_000) {
      remaining -= probability;
      count += 1;
      probability *= mean / count;
    }
    return count;
  }

  /** Successes in `trials`, each with `probability`. Exact by inversion while 30 or fewer are expected, above that a rounded normal. */
  binomial(trials: number, probability: number): number {
    if (!(trials > 0) || !(probability > 0)) return 0;
    if (probability >= 1) return trials;
    if (probability > 0.5) return trials - this.binomial(trials, 1 - probability);
    const mean = trials * probability;
    if (mean > 30) {
      const drawn = Math.round(mean + Math.sqrt(mean * (1 - probability)) * this.normal());
      return Math.min(trials, Math.max(0, drawn));
    }
    const odds = probability / (1 - probability);
    let remaining = this.uniform();
    let chance = Math.exp(trials * Math.log1p(-probability));
    let count = 0;
    while (remaining >= chance && count < trials) {
      remaining -= chance;
      count += 1;
      chance *= (odds * (trials - count + 1)) / count;
    }
    return count;
  }

  /** Mean is `shape` times `scale` (Marsaglia and Tsang, 2000). */
  gamma(shape: number, scale: number): number {
    if (shape < 1) {
      const boost = Math.exp(Math.log(1 - this.uniform()) / shape);
      return this.gamma(shape + 1, scale) * boost;
    }
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const cubeRoot = 1 + c * x;
      if (cubeRoot <= 0) continue;
      const v = cubeRoot * cubeRoot * cubeRoot;
      if (Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v * scale;
    }
  }

  /** A Poisson whose mean is itself gamma-distributed: variance is mean + mean² / shape. */
  negativeBinomial(mean: number, shape: number): number {
    return mean > 0 ? this.poisson(this.gamma(shape, mean / shape)) : 0;
  }
}
