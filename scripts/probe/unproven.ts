/** `docs/unproven.md`, written from the list of beliefs. */
import type { Belief } from "./belief.ts";

/** The whole file. */
export function unprovenText(beliefs: readonly Belief[]): string {
  const probed = beliefs.filter(({ procedure }) => "run" in procedure);
  const others = beliefs.filter(({ procedure }) => "notProbed" in procedure);
  return `${[
    "# Unproven: what Tidegate believes of the load balancer",
    "",
    "Nobody has seen these on AWS for this project. AWS does not say them, or they follow from what it says by inference. Each names what",
    "would be wrong without it. `npm run probe:aws` looks at them in an account of yours and says `seen`, `not seen` or `could not tell`,",
    "with what it measured. Written from the list in `scripts/probe/beliefs`: `npm run --silent probe:aws -- --docs > docs/unproven.md`.",
    "",
    "## What the probe looks at",
    "",
    ...probed.flatMap((belief) => entryOf(belief)),
    "## What nothing here can look at",
    "",
    ...others.flatMap((belief) => entryOf(belief)),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

function entryOf({ id, text, source, dependsOnIt, procedure }: Belief): string[] {
  return [
    `### ${id}`,
    "",
    text,
    "",
    `- From: ${source}`,
    `- Depends on it: ${dependsOnIt.join("; ")}.`,
    "run" in procedure
      ? `- Looked at: ${procedure.steps} About ${procedure.minutes} min.`
      : `- Not looked at: ${procedure.notProbed}`,
    "",
  ];
}
