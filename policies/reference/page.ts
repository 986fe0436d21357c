/** The reference page: every policy with its settings, and the message that a broken program really gets. */
import { isDeepStrictEqual } from "node:util";
import type { PolicyConfigJSONSchema } from "@pulumi/policy/schema.js";
import { markdownTable } from "markdown-table";
import { stringify } from "yaml";
import { type AnyPolicy, defaultLevel } from "../all.ts";
import { evaluatePolicies } from "../evaluate.ts";
import { rolloutPolicies } from "../rollout/index.ts";
import { shapePolicies } from "../shape/index.ts";
import { type Example, type ExampleResource, judged } from "./example.ts";
import { examples } from "./examples.ts";
import { soundFacts } from "./examples-rollout.ts";

const intro = `# Policies

Written by \`node --import tsx/esm policies/reference.ts\` out of \`policies/\`; change it there. A test keeps it true: every message below is
what the policy says of the program above it.

\`\`\`
pulumi preview --policy-pack policies
pulumi up --policy-pack policies --policy-pack-config docs/policy-config.example.json
\`\`\`

The folder is \`policies\` in a checkout of Tidegate. In a folder that \`npx tidegate init\` made it is \`node_modules/tidegate/policies\`, and the
settings to copy are \`node_modules/tidegate/docs/policy-config.example.json\`.

A **mandatory** policy ends the command, an **advisory** one is shown. Both, and every setting, are yours to change in the file that
\`--policy-pack-config\` names: a level (\`"log-retention": "mandatory"\`), settings, or both. \`docs/policy-config.example.json\` is one to copy.

Policies on **resources** are asked before the provider is called, in previews and in every \`up\`: what they refuse never happens. Policies on
the **stack** need the whole program and are asked at the end of a preview; \`pulumi up\` begins with one and ends there. \`pulumi up
--skip-preview\` has none: they then complain after everything was changed. **Do not use \`--skip-preview\` with this pack.**

A value that only the cloud knows is not known in a preview. No policy here turns advisory for it: each judges what is known, and a service's
own facts always are.
`;

/** The whole page. */
export async function referencePage(): Promise<string> {
  const families = [
    {
      title: "Shape policies",
      about:
        "They look at any program's plain `aws.*` resources: an application load balancer, what is behind it, and what watches it.",
      policies: shapePolicies,
    },
    {
      title: "Rollout policies",
      about:
        "They look at what Tidegate's components declare of a rollout; the one on secrets looks at every resource.",
      policies: rolloutPolicies,
    },
  ];
  const parts = [intro];
  for (const { title, about, policies } of families) {
    parts.push(`## ${title}\n\n${about}\n\n${overview(policies)}\n`);
    for (const policy of policies) parts.push(await section(policy));
  }
  return parts.join("\n");
}

/** Unaligned: one longer cell does not change every line. */
function table(rows: string[][]): string {
  return markdownTable(rows, { alignDelimiters: false });
}

function levelOf({ enforcementLevel }: AnyPolicy): string {
  return enforcementLevel ?? defaultLevel;
}

function looksAt(policy: AnyPolicy): "stack" | "resources" {
  return "validateStack" in policy ? "stack" : "resources";
}

function overview(policies: readonly AnyPolicy[]): string {
  return table([
    ["Policy", "Level", "Severity", "On", "What it is for"],
    ...policies.map((policy) => [
      `[${policy.name}](#${policy.name})`,
      levelOf(policy),
      policy.severity ?? "",
      looksAt(policy),
      policy.description,
    ]),
  ]);
}

async function section(policy: AnyPolicy): Promise<string> {
  const { name, description, severity, remediationSteps } = policy;
  const example = examples.find((candidate) => candidate.policy === name);
  return [
    `### ${name}\n`,
    `${description}\n`,
    `${capital(levelOf(policy))}, severity ${severity ?? "not stated"}, on ${looksAt(policy) === "stack" ? "the stack" : "resources"}.\n`,
    ...settingsTable(policy),
    `**What to do:** ${remediationSteps ?? "see the message"}\n`,
    ...(example ? await broken(policy, example) : []),
  ].join("\n");
}

function settingsTable({ configSchema }: AnyPolicy): string[] {
  if (!configSchema) return [];
  const rows = Object.entries(configSchema.properties).map(([name, schema]) => [
    `\`${name}\``,
    schema.default === undefined ? "none" : `\`${JSON.stringify(schema.default)}\``,
    rangeOf(schema),
    schema.description ?? "",
  ]);
  return [`${table([["Setting", "Default", "Range", "What it means"], ...rows])}\n`];
}

/** What a schema allows, in words. */
function rangeOf({ type, enum: allowed, minimum, maximum, minLength, items }: PolicyConfigJSONSchema): string {
  if (allowed) return allowed.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  const kind = String(type ?? "any");
  if (minimum !== undefined && maximum !== undefined) return `${kind}, ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${kind}, at least ${minimum}`;
  if (maximum !== undefined) return `${kind}, at most ${maximum}`;
  if (minLength !== undefined) return `${kind}, at least ${minLength} long`;
  if (kind === "array" && typeof items === "object" && !Array.isArray(items)) return `array of ${String(items.type)}s`;
  return kind;
}

async function broken(policy: AnyPolicy, example: Example): Promise<string[]> {
  const config = example.config ? { [policy.name]: example.config } : {};
  const violations = await evaluatePolicies(judged(example), config, [policy]);
  const program = example.resources
    .map((resource) => stringify(shown(resource, looksAt(policy)), { lineWidth: 140 }))
    .join("---\n");
  return [
    `A program that ${example.about}:\n`,
    `\`\`\`yaml\n${program}\`\`\`\n`,
    ...(example.config ? [`with the settings \`${JSON.stringify(example.config)}\`\n`] : []),
    "gets\n",
    `\`\`\`text\n${violations.map(({ message }) => message).join("\n")}\n\`\`\`\n`,
  ];
}

/** What is judged; of a service only what is not as it should be, as the rest of its facts is the same everywhere. */
function shown(
  { type, name, props = {}, outputs, parent, ignoreChanges }: ExampleResource,
  judgedOn: "stack" | "resources",
): object {
  const sound: Readonly<Record<string, unknown>> = type.startsWith("tidegate:rollout:") ? { ...soundFacts } : {};
  const own = Object.entries(props).filter(([key, value]) => !isDeepStrictEqual(value, sound[key]));
  return {
    type,
    name,
    ...(parent === undefined ? {} : { parent }),
    ...(own.length === 0 ? {} : { properties: Object.fromEntries(own) }),
    ...(ignoreChanges === undefined ? {} : { ignoreChanges }),
    ...(outputs === undefined || judgedOn === "resources" ? {} : { outputs }),
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
