/**
 * The services in a preview: who has which share now and afterwards, what this `up` does, and what the program said about it. All of it
 * was decided by the program while it ran the preview; nothing is decided here.
 */
import { z } from "zod";
import { releaseKey } from "../../core/naming.ts";
import type { Preview, PreviewMessage, PreviewStep } from "../preview-json.ts";
import { type Judgement, judgementOf, readNotices, type ServiceNotices } from "./notices.ts";

export const serviceType = "tidegate:rollout:ProgressiveService";
const routerType = "tidegate:traffic:WaveRouter";

/** Share of one release. Unit: percent; `undefined`: nothing here says it. */
export interface ReleaseShare {
  readonly version: string;
  readonly role: "baseline" | "canary" | "previous or leaving";
  readonly nowPercent: number | undefined;
  readonly afterPercent: number | undefined;
}

export interface PreviewedService {
  readonly service: string;
  readonly urn: string;
  /** What happens to the service itself; `delete`: it leaves the stack. */
  readonly op: string;
  /** `first`, `none`, `opening`, `lowering`, `finish`, `replace-baseline`; `undefined`: this form of preview does not say. */
  readonly step: string | undefined;
  readonly mode: string | undefined;
  readonly canary: { readonly version: string; readonly attempt: number | undefined } | undefined;
  readonly baselineVersion: string | undefined;
  /** Of the canary: what it has, by the record the program read, and what this `up` declares. Unit: percent. */
  readonly fromPercent: number | undefined;
  readonly exposurePercent: number | undefined;
  readonly shares: readonly ReleaseShare[];
  /** Where `nowPercent` is from. */
  readonly nowFrom: "record" | "state";
  /** Its own resources that change, and what happens to them. */
  readonly changes: readonly PreviewStep[];
  readonly notices: ServiceNotices;
  readonly judgement: Judgement;
  /** Something about it has to be read: it changes, is refused, or is held. */
  readonly isNews: boolean;
}

const percent = z.number().min(0).max(100);
const release = z.looseObject({ version: z.string(), releaseKey: z.string() });
const facts = z.looseObject({
  service: z.string(),
  mode: z.string().optional(),
  baseline: release,
  canary: release.extend({ attempt: z.number().optional() }).optional(),
  exposurePercent: percent,
});
const outputs = z.looseObject({
  step: z.string().optional(),
  fromPercent: percent.optional(),
});
const router = z.looseObject({
  shares: z.record(z.string(), percent),
  versions: z.record(z.string(), z.string()),
});

/** Every service of ours in the preview, ascending by name; one whose facts cannot be read is named in `unreadable`. */
export function servicesIn(preview: Preview): {
  readonly services: readonly PreviewedService[];
  readonly unreadable: readonly string[];
} {
  const found: PreviewedService[] = [];
  const unreadable: string[] = [];
  for (const step of preview.steps.filter(({ type }) => type === serviceType)) {
    const service = serviceOf(step, preview);
    if (service) found.push(service);
    else unreadable.push(step.name);
  }
  return { services: found.sort((left, right) => (left.service < right.service ? -1 : 1)), unreadable };
}

function serviceOf(step: PreviewStep, preview: Preview): PreviewedService | undefined {
  const isLeaving = step.op === "delete";
  const said = facts.safeParse(isLeaving ? step.oldInputs : step.newInputs);
  if (!said.success) return undefined;
  const { service, mode, canary, baseline } = said.data;
  const told = outputs.safeParse(isLeaving ? {} : step.newOutputs).data ?? {};
  // A service that stays as it is has its last outputs in the preview; they tell of an earlier `up`.
  const { step: does, fromPercent } = step.op === "same" ? { step: "none", fromPercent: undefined } : told;
  const routing = preview.steps.find((each) => each.type === routerType && each.parent === step.urn);
  const notices = readNotices(preview.messages.filter((message) => message.urn === step.urn));
  const changes = preview.steps.filter(
    (each) => each.urn !== step.urn && each.isCustom && each.op !== "same" && isUnder(each, step.urn, preview),
  );
  const exposurePercent = isLeaving ? undefined : said.data.exposurePercent;
  const now = fromPercent ?? (step.op === "same" ? exposurePercent : undefined);
  const { shares, nowFrom } = sharesOf(routing, baseline, canary, now, isLeaving);
  return {
    service,
    urn: step.urn,
    op: step.op,
    step: does,
    mode,
    canary: canary && { version: canary.version, attempt: canary.attempt },
    baselineVersion: baseline.version,
    fromPercent: now,
    exposurePercent,
    shares,
    nowFrom,
    changes,
    notices,
    judgement: judgementOf(notices),
    isNews:
      step.op !== "same" ||
      (routing !== undefined && routing.op !== "same") ||
      changes.length > 0 ||
      notices.refusals.length > 0 ||
      notices.latch.length > 0,
  };
}

/** Whether a resource hangs below a component, however deep. */
export function isUnder(step: PreviewStep, urn: string, preview: Preview): boolean {
  let parent = step.parent;
  // As deep as components nest, and never round in a circle.
  for (let depth = 0; parent !== undefined && depth < 20; depth += 1) {
    if (parent === urn) return true;
    const above: string = parent;
    parent = preview.steps.find((each) => each.urn === above)?.parent;
  }
  return false;
}

type NamedRelease = z.infer<typeof release>;

/**
 * Shares by release. "Now" is what the program read in the record where the preview tells it; Pulumi's own state says what the last `up`
 * declared, which a rollback since then has made untrue.
 */
function sharesOf(
  step: PreviewStep | undefined,
  baseline: NamedRelease,
  canary: NamedRelease | undefined,
  fromPercent: number | undefined,
  isLeaving: boolean,
): Pick<PreviewedService, "shares" | "nowFrom"> {
  const isNew = step?.op === "create";
  const before = isNew ? new Map<string, Share>() : byRelease(step?.oldInputs);
  const after = isLeaving ? new Map<string, Share>() : byRelease(step?.newInputs);
  const stateSays = [...before.values()].reduce(
    (sum, { version, sharePercent }) => (version === baseline.version ? sum : sum + sharePercent),
    0,
  );
  const now =
    canary === undefined || fromPercent === undefined || before.size === 0 || stateSays === fromPercent
      ? before
      : new Map<string, Share>([
          [baseline.releaseKey, { version: baseline.version, sharePercent: 100 - fromPercent }],
          [canary.releaseKey, { version: canary.version, sharePercent: fromPercent }],
        ]);
  const versions = new Map([
    [baseline.releaseKey, baseline.version],
    ...(canary ? [[canary.releaseKey, canary.version] as const] : []),
    ...[...now, ...after].map(([key, { version }]) => [key, version] as const),
  ]);
  const shareIn = (shares: ReadonlyMap<string, Share>, key: string) =>
    shares.size === 0 ? undefined : (shares.get(key)?.sharePercent ?? 0);
  const isTwice = (version: string) => [...versions.values()].filter((other) => other === version).length > 1;
  return {
    nowFrom: fromPercent === undefined ? "state" : "record",
    shares: [...versions].map(([key, version]) => ({
      version: isTwice(version) ? `${version} (${key.slice(-8)})` : version,
      role: key === canary?.releaseKey ? "canary" : key === baseline.releaseKey ? "baseline" : "previous or leaving",
      nowPercent: isNew ? 0 : shareIn(now, key),
      afterPercent: shareIn(after, key),
    })),
  };
}

interface Share {
  readonly version: string;
  readonly sharePercent: number;
}

/** By release key: two releases may have one version text. */
function byRelease(inputs: PreviewStep["newInputs"] | undefined): Map<string, Share> {
  const read = router.safeParse(inputs ?? {});
  const shares = new Map<string, Share>();
  if (!read.success) return shares;
  for (const [digest, version] of Object.entries(read.data.versions)) {
    shares.set(releaseKey({ version, digest }), { version, sharePercent: read.data.shares[digest] ?? 0 });
  }
  return shares;
}

/** Errors and warnings that are about no service of ours. */
export function otherMessages(preview: Preview, services: readonly PreviewedService[]): readonly PreviewMessage[] {
  const urns = new Set(services.map(({ urn }) => urn));
  return preview.messages.filter(({ severity, urn }) => severity !== "info" && (urn === undefined || !urns.has(urn)));
}
