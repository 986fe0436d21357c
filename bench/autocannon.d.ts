/** The part of autocannon that the bench uses; the package has no types. */
declare module "autocannon" {
  interface Options {
    readonly url: string;
    /** Open at the same time. */
    readonly connections: number;
    /** Requests in all. */
    readonly amount: number;
  }
  interface Result {
    readonly "2xx": number;
  }
  export default function autocannon(options: Options): Promise<Result>;
}
