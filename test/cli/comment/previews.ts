/** Previews written by hand, in the engine's events: what no recording of our own program would hold. */
import { releaseKey } from "../../../core/naming.ts";

const project = "urn:pulumi:dev::tidegate::";
const stackUrn = `${project}pulumi:pulumi:Stack::tidegate-dev`;

type Fields = Readonly<Record<string, unknown>>;
interface Written {
  readonly op: string;
  readonly type: string;
  readonly name: string;
  readonly under?: string;
  readonly isComponent?: boolean;
  readonly before?: { readonly inputs?: Fields; readonly outputs?: Fields };
  readonly after?: { readonly inputs?: Fields; readonly outputs?: Fields };
}

export const urnOf = (type: string, name: string): string => `${project}${type}::${name}`;

/** A whole stream of events with its end. */
export function events(resources: readonly Written[], others: readonly Fields[] = [], result = "succeeded"): string {
  const shown = resources.map(({ op, type, name, under = stackUrn, isComponent = false, before, after }) => ({
    resOutputsEvent: {
      metadata: {
        op,
        urn: urnOf(type, name),
        provider: isComponent ? "" : "aws",
        old: op === "create" ? null : { parent: under, ...before },
        new: op === "delete" ? null : { parent: under, ...after },
      },
    },
  }));
  const end = [
    { summaryEvent: { isPreview: true, result, maybeCorrupt: false, PolicyPacks: {} } },
    { cancelEvent: {} },
  ];
  return [...shown, ...others, ...end]
    .map((event, index) => JSON.stringify({ sequence: index, timestamp: 0, ...event }))
    .join("\n");
}

/** A service that opens a wave, of releases with any names. */
export function opening(service: string, [oldVersion, newVersion]: readonly [string, string]): Written[] {
  const type = "tidegate:rollout:ProgressiveService";
  const versions = { "sha256:a": oldVersion, "sha256:b": newVersion };
  const facts = {
    service,
    mode: "act",
    baseline: { version: oldVersion, releaseKey: keyOf(oldVersion, "sha256:a") },
    canary: { version: newVersion, releaseKey: keyOf(newVersion, "sha256:b"), attempt: 1 },
    exposurePercent: 25,
  };
  const routed = (canaryPercent: number) => ({
    inputs: { service, versions, shares: { "sha256:a": 100 - canaryPercent, "sha256:b": canaryPercent } },
  });
  return [
    {
      op: "update",
      type,
      name: service,
      isComponent: true,
      before: { inputs: facts },
      after: { inputs: facts, outputs: { step: "opening", fromPercent: 10 } },
    },
    {
      op: "update",
      type: "tidegate:traffic:WaveRouter",
      name: service,
      under: urnOf(type, service),
      isComponent: true,
      before: routed(10),
      after: routed(25),
    },
  ];
}

/** Of findings, the words of signers and of checks are other people's. */
const gateOfHostiles = [
  "checkout: the gate says promote (10 % to 25 %):",
  "  met: approvals: signed by @acme/sre </details> <img src=x onerror=alert(1)> | # 1 -->",
  "  lifted: checks: smoke: **ship it** [more](https://a.example) ``` gh-1 &lt;",
].join("\n");

/** What somebody calls a release to harm whoever reads the comment. */
export const hostile = (): string => {
  const service = urnOf("tidegate:rollout:ProgressiveService", "checkout");
  const say = (severity: string, message: string, urn?: string) => ({ diagnosticEvent: { severity, message, urn } });
  return events(
    [
      ...opening("checkout", ["| <img src=x onerror=alert(1)>", "@team `x` --> </details>"]),
      { op: "delete", type: "aws:s3/bucket:Bucket", name: "a|b @team" },
      { op: "create", type: "aws:s3/bucket:Bucket", name: "[secret]" },
    ],
    [
      say("info", "checkout: opens wave 25 for @team `x` --> </details> (from 10 %)", service),
      say("info", gateOfHostiles, service),
      say("warning", "checkout: **ship it** @acme/sre #1 https://a.example <script>\n# h", service),
      say("warning", "arn 04da6b54-80e4-46f7-96ec-b56ff0331ba9 is not known, password [secret]"),
    ],
  );
};

/** Another team's program. */
export const stranger = (): string => events([{ op: "create", type: "aws:s3/bucket:Bucket", name: "logs" }]);

/** Far more than a comment holds. */
export const huge = (): string =>
  events(
    Array.from({ length: 150 }, (_each, index) => opening(`service-${index}`, ["1.0.0", "2.0.0"])).flat(),
    Array.from({ length: 400 }, (_each, index) => ({
      diagnosticEvent: { severity: "warning", message: `${index} ${"long ".repeat(300)}` },
    })),
  );

function keyOf(version: string, digest: string): string {
  return releaseKey({ version, digest });
}
