/**
 * A recorded preview in a size that a repository can keep: of the engine's events what nobody reads here is taken out (its debug talk, the
 * states of cloud resources), and what is this machine's own. The engine test shows that a comment on the whole is the same comment.
 */
import { parse as parsePath } from "node:path";

interface State {
  readonly parent?: string;
  readonly inputs?: object;
  readonly outputs?: object;
}
interface Metadata {
  readonly op: string;
  readonly urn: string;
  readonly provider?: string;
  readonly diffs?: readonly string[];
  readonly old?: State | null;
  readonly new?: State | null;
}
type Event = Readonly<Record<string, unknown>>;

const kept = [
  "resourcePreEvent",
  "resOutputsEvent",
  "diagnosticEvent",
  "policyEvent",
  "policyAnalyzeSummaryEvent",
  "policyAnalyzeStackSummaryEvent",
  "summaryEvent",
  "cancelEvent",
];

/** One event a line; `sequence` and `timestamp` are counted anew. */
export function trimEvents(text: string): string {
  const events = text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => trimEvent(JSON.parse(line)))
    .filter((event) => event !== undefined);
  const lines = events.map((event, index) => ofDev(JSON.stringify({ sequence: index, timestamp: 0, ...event })));
  return `${lines.join("\n")}\n`;
}

/** The one object; the same states are emptied. */
export function trimDigest(text: string): string {
  const { steps, diagnostics, changeSummary, duration } = JSON.parse(text);
  // Refreshes too: they alone tell of what stays as it is, and that has a price.
  const small = steps.map(
    ({ op, urn, provider, oldState, newState }: Metadata & { oldState?: State; newState?: State }) => ({
      op,
      urn,
      ...(provider ? { provider: "aws" } : {}),
      ...(oldState ? { oldState: trimState(oldState, urn) } : {}),
      ...(newState ? { newState: trimState(newState, urn) } : {}),
    }),
  );
  return ofDev(
    `${JSON.stringify({ steps: small, diagnostics, changeSummary, duration: Math.min(duration, 1) }, null, 1)}\n`,
  );
}

function trimEvent(event: Event): Event | undefined {
  const name = kept.find((key) => key in event);
  if (name === undefined) return undefined;
  const body: unknown = event[name];
  if (name === "cancelEvent") return { cancelEvent: {} };
  const said = Object(body);
  if (name === "diagnosticEvent") {
    if (said.severity === "debug") return undefined;
    return { [name]: { urn: said.urn, message: withoutPaths(said.message), severity: said.severity } };
  }
  if (name === "summaryEvent") {
    const packs = Object.keys(said.PolicyPacks ?? {}).map((key) => [key.split("|")[0], "1.0.0"]);
    const { resourceChanges, isPreview, result, maybeCorrupt } = said;
    return { [name]: { resourceChanges, isPreview, result, maybeCorrupt, PolicyPacks: Object.fromEntries(packs) } };
  }
  if (name === "policyAnalyzeSummaryEvent") {
    // The same for each of many resources: those of the services say enough.
    if (!String(said.resourceUrn).includes("tidegate:rollout")) return undefined;
  }
  if (name !== "resourcePreEvent" && name !== "resOutputsEvent") return { [name]: said };
  const { op, urn, provider, diffs, old, new: after }: Metadata = said.metadata;
  const isCustom = Boolean(provider);
  if (isCustom && (op === "refresh" || (op === "same" && name === "resourcePreEvent"))) return undefined;
  const metadata = {
    op,
    urn,
    provider: isCustom ? "aws" : "",
    ...(diffs ? { diffs } : {}),
    old: old ? trimState(old, urn) : null,
    new: after ? trimState(after, urn) : null,
  };
  return { [name]: { metadata } };
}

function trimState({ parent, inputs, outputs }: State, urn: string): State {
  const isRead = /tidegate:(?:rollout:ProgressiveService|traffic:WaveRouter)::|listenerRule:ListenerRule::/.test(urn);
  if (isRead) return { ...(parent ? { parent } : {}), inputs: inputs ?? {}, outputs: outputs ?? {} };
  const priced = pricedInputs(inputs ?? {});
  return { ...(parent ? { parent } : {}), ...(Object.keys(priced).length > 0 ? { inputs: priced } : {}) };
}

/** Of other resources what they cost by. */
function pricedInputs(inputs: object): object {
  const fields = [
    "namespace",
    "metricName",
    "dimensions",
    "period",
    "metricQueries",
    "memorySize",
    "tracingConfig",
    "name",
    "tags",
  ];
  const entries = Object.entries(inputs).filter(([key]) => fields.includes(key));
  return Object.fromEntries(entries.map(([key, value]) => [key, key === "tags" ? serviceTag(value) : value]));
}

function serviceTag(tags: unknown): object {
  const service: unknown = Object(tags)["tidegate:service"];
  return service === undefined ? {} : { "tidegate:service": service };
}

/** The engine's stack is called `test` in every engine test; what is recorded is the dev stack's config. */
function ofDev(text: string): string {
  return text.replaceAll("urn:pulumi:test::", "urn:pulumi:dev::").replaceAll("tidegate-test", "tidegate-dev");
}

function withoutPaths(message: string): string {
  return message.replaceAll(parsePath(process.cwd()).dir, "…");
}
