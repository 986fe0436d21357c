/** The one function we use of `jstat`, which ships no types. */
declare module "jstat" {
  const jStat: {
    /** The regularised incomplete beta function I_x(a, b); its upper binomial and negative binomial tails need no subtraction. */
    readonly ibeta: (x: number, a: number, b: number) => number;
  };
  export default jStat;
}
