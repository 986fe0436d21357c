/** Every example, in the order of the pack. */
import { allPolicies } from "../all.ts";
import type { Example } from "./example.ts";
import { rolloutExamples } from "./examples-rollout.ts";
import { shapeExamples } from "./examples-shape.ts";

export const examples: readonly Example[] = allPolicies.flatMap(({ name }) =>
  [...shapeExamples, ...rolloutExamples].filter(({ policy }) => policy === name),
);
