/** What Tidegate believes of AWS without having seen it, and what looking at it comes to. */
import type { ProbeCloud } from "./cloud.ts";

/** Three answers and no fourth: what could not be measured is never taken for seen. */
export interface Finding {
  readonly verdict: "seen" | "not seen" | "could not tell";
  /** What was measured, with its unit; or why nothing was. */
  readonly measured: string;
}

export interface Belief {
  /** Never reused; printed, and the anchor in the docs. */
  readonly id: string;
  /** One sentence that is true or false. */
  readonly text: string;
  /** Where it comes from, and how sure that is. */
  readonly source: string;
  /** What of Tidegate would be wrong without it. */
  readonly dependsOnIt: readonly string[];
  /** How it is looked at; or why nothing here can. */
  readonly procedure:
    | {
        /** In words, for the docs. */
        readonly steps: string;
        /** About how long it takes. Unit: minutes. */
        readonly minutes: number;
        readonly run: (cloud: ProbeCloud) => Promise<Finding>;
      }
    | { readonly notProbed: string };
}

export const seen = (measured: string): Finding => ({ verdict: "seen", measured });
export const notSeen = (measured: string): Finding => ({ verdict: "not seen", measured });
export const couldNotTell = (measured: string): Finding => ({ verdict: "could not tell", measured });
/** Seen where it holds. */
export const judged = (holds: boolean, measured: string): Finding => (holds ? seen(measured) : notSeen(measured));
