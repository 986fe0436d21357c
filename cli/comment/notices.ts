/**
 * What the program said about a service in its preview, sorted by what it means. The texts are those of `core/declare.ts` and
 * `stacks/program.ts`, which a preview carries as messages and nothing else; a test declares each case and reads it back here.
 */
import { readVerdictText, type ToldFinding, type ToldVerdict } from "../../core/gate/finding-words.ts";
import type { VerdictKind } from "../../core/gate/verdict.ts";
import type { PreviewMessage } from "../preview-json.ts";

/** What one window of a bound needs to speak. */
export interface WindowTold {
  readonly worstSeconds: number;
  /** Of the whole service, requests a second. */
  readonly fromRatePerSecond: string | undefined;
  /** How many times the bound the breach is that this is said of. @default 1 */
  readonly atFactor?: number;
}

/** One bound that takes traffic away, and how fast at worst. */
export interface DetectionTold {
  readonly objective: string;
  readonly response: string;
  readonly windows: readonly WindowTold[];
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
  /** The gate's word with every finding. `undefined`: it was not asked, or the text has another form. */
  readonly gate: ToldVerdict | undefined;
}

/** The gate's verdict as the preview tells it. */
export interface Judgement {
  /** `not-asked`: nothing is raised, it was refused before the gate was asked, or the preview does not tell it. */
  readonly verdict: VerdictKind | "not-asked";
  /** Of `not-asked`: why. */
  readonly reasons: readonly string[];
  /** Every finding, met ones included. */
  readonly findings: readonly ToldFinding[];
}

const refusal = /^this up would be refused: /;

/** Why the `up` would be refused, of one service or of the whole stack. */
export function refusalsIn(messages: readonly PreviewMessage[]): string[] {
  return messages.filter(({ text }) => refusal.test(text)).map(({ text }) => text.replace(refusal, ""));
}

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
  let gate: ToldVerdict | undefined;
  for (const { severity, text } of messages) {
    const worst = worstCase.exec(text);
    if (worst) detection = readDetection(Number(worst[1]), worst[2] ?? "");
    const verdict = readVerdictText(text);
    if (verdict) gate = verdict;
    else if (refusal.test(text)) sorted.refusals.push(text.replace(refusal, ""));
    else if (worst) sorted.otherNotes.push(...(detection ? [] : [text]));
    else if (/^\S+: (?:opens wave |finish, |the lowering to .+ opens wave )/s.test(text)) sorted.raises.push(text);
    else if (/^\S+: (?:LOWERS|ABANDONS) /.test(text)) sorted.lowers.push(text);
    else if (/^\S+: (?:pinned|hold )|; exposure stays at the live /s.test(text)) sorted.latch.push(text);
    else if (severity === "info") sorted.otherNotes.push(text);
    else sorted.otherWarnings.push(text);
  }
  return { ...sorted, detection, gate };
}

export function judgementOf({ refusals, raises, gate }: ServiceNotices): Judgement {
  if (gate) return { verdict: gate.kind, reasons: [], findings: gate.findings };
  const why =
    refusals.length > 0
      ? "it was refused before the gate was asked"
      : raises.length > 0
        ? "this preview does not tell its verdict"
        : "nothing is raised";
  return { verdict: "not-asked", reasons: [why], findings: [] };
}

const boundShape = /^(.+), ([a-z-]+): (within .+)$/;
const windowShape = /within (\d+) s(?: from ([\d.]+) requests\/s of the service on(?: at (\d+) × the bound)?)?/g;

/** `undefined` where any part has another form: half a table of bounds would hide the other half. */
function readDetection(exposurePercent: number, text: string): ServiceNotices["detection"] {
  const bounds: DetectionTold[] = [];
  for (const part of text.split("; ")) {
    const bound = boundShape.exec(part);
    if (!bound) return undefined;
    const [, objective = "", response = "", rest = ""] = bound;
    const windows = [...rest.matchAll(windowShape)].map(([, seconds, rate, factor]) => ({
      worstSeconds: Number(seconds),
      fromRatePerSecond: rate,
      ...(factor === undefined ? {} : { atFactor: Number(factor) }),
    }));
    if (windows.length === 0) return undefined;
    bounds.push({ objective, response, windows });
  }
  return { exposurePercent, bounds };
}
