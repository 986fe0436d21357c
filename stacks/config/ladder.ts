/** `tidegate:ladder: { below: staging }`: the stack of the environment below, from which releases come (A8). */
import { z } from "zod";
import { isEmpty, stackNamePattern } from "./foundation.ts";
import { checkFields, leaf, type Path, type Problems } from "./problems.ts";

const fields = {
  below: leaf(z.string().regex(stackNamePattern), {
    wrong: "not the name of a stack",
    expected: "<stack> or <organisation>/<project>/<stack>",
    wayOut: "Leave ladder out where this is the lowest environment",
  }),
};

/** Reads the stack below, as it is written; `undefined`: none, or after a problem. */
export function readLadder(raw: unknown, path: Path, problems: Problems): string | undefined {
  if (isEmpty(raw)) return undefined;
  return checkFields(fields, raw, path, problems).below;
}
