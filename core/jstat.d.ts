/** What we use of `jstat`, which ships no types. */
declare module "jstat" {
  const jStat: {
    /** The regularised incomplete beta function I_x(a, b); its upper binomial and negative binomial tails need no subtraction. */
    readonly ibeta: (x: number, a: number, b: number) => number;
    /** Its inverse in x. */
    readonly ibetainv: (probability: number, a: number, b: number) => number;
    readonly normal: {
      readonly cdf: (x: number, mean: number, deviation: number) => number;
      readonly inv: (probability: number, mean: number, deviation: number) => number;
    };
    readonly studentt: {
      /** Exact in the lower tail too, where `1 - probability` would lose digits. */
      readonly inv: (probability: number, degreesOfFreedom: number) => number;
    };
  };
  export default jStat;
}
