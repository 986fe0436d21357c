/** What it comes to: may the `up` go through, as far as the preview tells? Whatever is not known counts against it. */
import type { PolicyFinding, Preview } from "../preview-json.ts";
import { refusalsIn } from "./notices.ts";
import { rollbackNewsIn } from "./rollback-news.ts";
import type { PreviewedService } from "./services.ts";

export interface Conclusion {
  /**
   * `goes-through`: nothing in the preview speaks against it. `refused`: the program or a policy would stop it. `failed`: the preview did not
   * get to its end. `drift`: there are changes where none were expected. `unreadable`: it is no preview of ours, or not whole.
   */
  readonly outcome: "goes-through" | "refused" | "failed" | "drift" | "unreadable";
  /** Why it does not go through; prose of others, to be escaped. */
  readonly reasons: readonly string[];
}

export interface Expectations {
  readonly stack: string;
  /** Packs that must have judged the preview. */
  readonly packs: readonly string[];
  /** How `pulumi` ended, where the caller says it. */
  readonly pulumiExitCode: number | undefined;
  /** Any change but a rollback's own is drift. */
  readonly noChanges: boolean;
}

/** Of the engine's words for what it does to a resource: those that change nothing anywhere. */
const changesNothing: ReadonlySet<string> = new Set(["same", "read"]);

/** Violations that stop an `up`: an advisory that stands for a mandatory policy which could not run is one of them. */
export function isBlocking(finding: PolicyFinding): boolean {
  return finding.level !== "advisory" || finding.couldNotRun;
}

export function conclude(
  preview: Preview,
  services: readonly PreviewedService[],
  unreadable: readonly string[],
  expected: Expectations,
): Conclusion {
  const wrong = notThisOne(preview, services, unreadable, expected.stack);
  if (wrong.length > 0) return { outcome: "unreadable", reasons: wrong };
  const refusals = refusalsIn(preview.messages);
  const policies = policyReasons(preview, expected.packs);
  const failures = failureReasons(preview, expected.pulumiExitCode, policies.length > 0);
  if (failures.length > 0) return { outcome: "failed", reasons: [...failures, ...refusals, ...policies] };
  if (refusals.length + policies.length > 0) return { outcome: "refused", reasons: [...refusals, ...policies] };
  const drift = expected.noChanges ? driftReasons(preview, services) : [];
  if (drift.length > 0) return { outcome: "drift", reasons: drift };
  return { outcome: "goes-through", reasons: [] };
}

function notThisOne(
  preview: Preview,
  services: readonly PreviewedService[],
  unreadable: readonly string[],
  stack: string,
): string[] {
  if (preview.stack !== undefined && preview.stack !== stack) {
    return [
      `the preview is of stack ${preview.stack}; expected ${stack}. Give the file of this stack, or --stack ${preview.stack}`,
    ];
  }
  const reasons = unreadable.map(
    (name) =>
      `service ${name}: the preview does not tell its releases and shares; was it written by another version of Tidegate?`,
  );
  const isOurs = preview.steps.some(({ type }) => type.startsWith("tidegate:"));
  // A preview that failed before the first resource has nothing of ours either, and says why.
  if (services.length + reasons.length === 0 && !isOurs && preview.result === "succeeded") {
    reasons.push(
      "nothing of Tidegate is in this preview: either it is another program's, or nothing changes and this form of preview leaves out what stays. " +
        "Set PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true for the whole",
    );
  }
  return reasons;
}

function policyReasons({ policies }: Preview, packs: readonly string[]): string[] {
  const missing = packs.filter((pack) => !policies?.packs.includes(pack));
  const reasons = [
    ...(policies?.findings ?? [])
      .filter(isBlocking)
      .map(({ policy, couldNotRun, text }) =>
        couldNotRun ? `policy ${policy} could not run, and may block the up: ${text}` : `policy ${policy}: ${text}`,
      ),
    ...missing.map((pack) =>
      policies
        ? `policy pack ${pack} did not judge this preview; expected it with --policy-pack`
        : `policy pack ${pack}: this form of preview does not tell what policies said. Set PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true`,
    ),
  ];
  // One policy often says the same of many resources; the comment lists them all further down.
  return [...new Set(reasons)];
}

function failureReasons(preview: Preview, exitCode: number | undefined, hasBlockingPolicy: boolean): string[] {
  const errors = preview.messages.filter(({ severity }) => severity === "error").map(({ text }) => text);
  // A blocked preview ends with this line and tells the reason by its policies.
  const told = errors.filter((text) => text !== "preview failed");
  if (preview.result === "unfinished") {
    return [
      ...told,
      ...preview.messages.filter(({ severity }) => severity === "warning").map(({ text }) => text),
      "the engine stopped before its summary, as when a policy pack or a plugin does not load; the job's log has its words",
    ];
  }
  if (preview.result === "failed" && (told.length > 0 || !hasBlockingPolicy)) {
    return told.length > 0
      ? told
      : [
          `the preview failed without a reason in it${preview.policies ? "" : ": a policy may have blocked it, which this form of preview does not tell"}; the job's log has the engine's words`,
        ];
  }
  if (preview.result === "succeeded" && exitCode !== undefined && exitCode !== 0) {
    return [...told, `pulumi ended with exit code ${exitCode}, whatever the preview says; the job's log has its words`];
  }
  return [];
}

function driftReasons(preview: Preview, services: readonly PreviewedService[]): string[] {
  const isNews = rollbackNewsIn(preview, services);
  const drifted = preview.drifted.filter(({ kind, step }) => kind === "gone" || !isNews(step, "found"));
  const seen = new Set(drifted.map(({ step }) => step.urn));
  const changes = preview.steps.filter(
    (step) => step.isCustom && !changesNothing.has(step.op) && !seen.has(step.urn) && !isNews(step, "planned"),
  );
  return [
    ...drifted.map(({ kind, step }) => `${step.name} (${step.type}) is ${kind} behind Pulumi's back`),
    ...changes.map((step) => `${step.name} (${step.type}) would be changed: ${step.op}`),
  ];
}
