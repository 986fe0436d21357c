/** Examples as one program has them: each under names of its own. */
import { type Example, renamed } from "../../../policies/reference/example.ts";
import { examples } from "../../../policies/reference/examples.ts";

export function inOneProgram(policies: readonly string[]): Example[] {
  return examples.flatMap((example, index) =>
    policies.includes(example.policy) ? [renamed(example, `e${index}-`)] : [],
  );
}
