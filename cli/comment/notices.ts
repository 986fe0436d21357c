/**
 * What the program said about a service in its preview, sorted by what it means. The texts are those of `core/declare.ts` and
 * `stacks/program.ts`, which a preview carries as messages and nothing else; a test declares each case and reads it back here.
 */
import type { PreviewMessage } from "../preview-json.ts";

/** One bound that takes traffic away, and how fast at worst. */
export interface DetectionTold {
  readonly objective: string;
  readonly response: string;
  readonly windows: readonly { readonly worstSeconds: number; readonly fromRatePerSecond: string | undefined }[];
}

export interface ServiceNotices {
  /** Why an `up` would be refused. */
  readonly refusals: readonly string[];
  /** Opens a wave, or finishes. */
  readonly raises: readonly string[];
  readonly lowers: readonly string[];
  /** Pinned, held, or the record could not be read. */
  readonly latch: readonly string[];
  readonly otherWarnings: readonly string[];
  readonly otherNotes: readonly string[];
  /** `undefined`: nothing is exposed, or the line has another form. */
  readonly detection: { readonly exposurePercent: number; readonly bounds: readonly DetectionTold[] } | undefined;
}

/** The gate's verdict as far as the preview tells it. */
export interface Judgement {
  /** `not-asked`: nothing is raised, or it was refused before the gate was asked. `refused`: asked, and the verdict was not told. */
  readonly verdict: "promote" | "monitor" | "roll-back" | "cannot-tell" | "refused" | "not-asked";
  readonly reasons: readonly string[];
}

const refusal = /^this up would be refused: /;

/** Why the `up` would be refused, of one service or of the whole stack. */
export function refusalsIn(messages: readonly PreviewMessage[]): string[] {
  return messages.filter(({ text }) => refusal.test(text)).map(({ text }) => text.replace(refusal, ""));
}

const gateRefusal =
  /^\S+\.wave: \d+ to \d+ refused, (monitor|roll-back|cannot tell \((?:nothing|too-little) measured\)): (.+)$/s;
const finishRefusal = /^\S+: finishing .+?: (.+)$/s;
const worstCase = /^\S+: worst case from breach to less traffic at (\d+) %: (.+)$/s;

export function readNotices(messages: readonly PreviewMessage[]): ServiceNotices {
  const sorted = {
    refusals: [] as string[],
    raises: [] as string[],
    lowers: [] as string[],
    latch: [] as string[],
    otherWarnings: [] as string[],
    otherNotes: [] as string[],
  };
  let detection: ServiceNotices["detection"];
  for (const { severity, text } of messages) {
    const worst = worstCase.exec(text);
    if (worst) detection = readDetection(Number(worst[1]), worst[2] ?? "");
    if (refusal.test(text)) sorted.refusals.push(text.replace(refusal, ""));
    else if (worst) sorted.otherNotes.push(...(detection ? [] : [text]));
    else if (/^\S+: (?:opens wave |finish, |the lowering to .+ opens wave )/s.test(text)) sorted.raises.push(text);
    else if (/^\S+: (?:LOWERS|ABANDONS) /.test(text)) sorted.lowers.push(text);
    else if (/^\S+: (?:pinned|hold )|; exposure stays at the live /s.test(text)) sorted.latch.push(text);
    else if (severity === "info") sorted.otherNotes.push(text);
    else sorted.otherWarnings.push(text);
  }
  return { ...sorted, detection };
}

export function judgementOf({ refusals, raises, latch }: ServiceNotices): Judgement {
  const judged = refusals.flatMap((text) => {
    const wave = gateRefusal.exec(text);
    if (wave) return [{ verdict: verdictOf(wave[1] ?? ""), reason: wave[2] ?? "" }];
    const finish = finishRefusal.exec(text);
    return finish ? [{ verdict: "refused" as const, reason: finish[1] ?? "" }] : [];
  });
  const [first] = judged;
  if (first) return { verdict: first.verdict, reasons: judged.map(({ reason }) => reason) };
  if (refusals.length > 0) return { verdict: "not-asked", reasons: ["it was refused before the gate was asked"] };
  if (latch.some((text) => / not yet: /.test(text)))
    return { verdict: "refused", reasons: latch.flatMap((text) => text.split(/ not yet: /).slice(1)) };
  if (raises.length > 0) return { verdict: "promote", reasons: [] };
  return { verdict: "not-asked", reasons: ["nothing is raised"] };
}

function verdictOf(told: string): Judgement["verdict"] {
  return told === "monitor" || told === "roll-back" ? told : "cannot-tell";
}

const boundShape = /^(.+), ([a-z-]+): (within .+)$/;
const windowShape = /within (\d+) s(?: from ([\d.]+) requests\/s of the service on)?/g;

/** `undefined` where any part has another form: half a table of bounds would hide the other half. */
function readDetection(exposurePercent: number, text: string): ServiceNotices["detection"] {
  const bounds: DetectionTold[] = [];
  for (const part of text.split("; ")) {
    const bound = boundShape.exec(part);
    if (!bound) return undefined;
    const [, objective = "", response = "", rest = ""] = bound;
    const windows = [...rest.matchAll(windowShape)].map(([, seconds, rate]) => ({
      worstSeconds: Number(seconds),
      fromRatePerSecond: rate,
    }));
    if (windows.length === 0) return undefined;
    bounds.push({ objective, response, windows });
  }
  return { exposurePercent, bounds };
}
