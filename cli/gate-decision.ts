/**
 * What the gate would say of each service's next step. Nothing is judged here: an `up` is decided as it would be with the config as it
 * stands, else with the next wave, else with the finish, and what the gate said in it is handed on.
 */
import type { Declaration } from "../core/declaration.ts";
import { messageOf } from "../core/error-message.ts";
import type { AskedVerdict, VerdictKind } from "../core/gate/verdict.ts";
import { committedPercent, type RolloutRecord } from "../core/record.ts";
import type { Surveyor } from "../core/survey.ts";
import type { EnvironmentConfig, ServiceConfig } from "../stacks/config.ts";
import type { DecidePorts } from "../stacks/decide.ts";
import { type Decide, decideOne, recordMismatch, upDecision, whyNotOpening } from "./advance-decision.ts";

/** From the best to the worst; several services come to the worst of theirs. */
export const gateOutcomes = [
  "nothing",
  "promote",
  "refused",
  "monitor",
  "cannot-tell",
  "roll-back",
  "unreadable",
] as const;
/**
 * `nothing`: nothing is rolling out, so there is nothing to ask. `refused`: the gate promotes or was not asked, and an `up` would be refused
 * all the same. `unreadable`: nobody could be asked at all. Else the gate's verdict.
 */
export type GateOutcome = VerdictKind | "nothing" | "refused" | "unreadable";

export interface GateAnswer {
  readonly service: string;
  readonly outcome: GateOutcome;
  /** Absent: the gate was not asked. */
  readonly verdict?: AskedVerdict;
  /** What stands against it beside the gate; of `nothing`, why there is none; of `unreadable`, what could not be read. */
  readonly reasons: readonly string[];
}

/** Asks for each service alone, ascending by name as the config has them. @param only one service's name @default all */
export async function askGate(
  config: EnvironmentConfig,
  ports: DecidePorts,
  surveyor: Surveyor,
  only?: string,
): Promise<GateAnswer[]> {
  const decide = await upDecision(config, ports, surveyor);
  const asItStands = await decide(config);
  const answers: GateAnswer[] = [];
  for (const service of config.services) {
    if (only !== undefined && service.name !== only) continue;
    answers.push(await answerFor(config, service, asItStands, decide, ports));
  }
  return answers;
}

/** @returns the worst; services of which there is nothing to ask do not count beside others */
export function worstOutcome(answers: readonly GateAnswer[]): GateOutcome {
  return gateOutcomes[Math.max(0, ...answers.map(({ outcome }) => gateOutcomes.indexOf(outcome)))] ?? "unreadable";
}

async function answerFor(
  config: EnvironmentConfig,
  service: ServiceConfig,
  asItStands: readonly Declaration[],
  decide: Decide,
  { records }: DecidePorts,
): Promise<GateAnswer> {
  const { name } = service;
  let record: RolloutRecord | undefined;
  try {
    record = await records.read(name);
  } catch (error) {
    return { service: name, outcome: "unreadable", reasons: [`the record cannot be read (${messageOf(error)})`] };
  }
  // What the config asks for already: a wave, a finish, or the way back up after an acknowledged lowering.
  if (asItStands.some((each) => each.service === name && each.verdict !== undefined)) return answerOf(name, asItStands);
  const finishing = configOfFinish(config, service, record);
  if (finishing !== undefined) return answerOf(name, await decide(finishing));
  const { advance, declaration } = await decideOne(config, service, decide, records, { automaticOnly: false });
  switch (advance.kind) {
    case "nothing": {
      // A config that is ahead of the record has a next step, and it is to bring them together.
      const mismatch = service.canary ? recordMismatch(record, service) : undefined;
      if (mismatch !== undefined) return { service: name, outcome: "refused", reasons: [mismatch] };
      return { service: name, outcome: "nothing", reasons: [advance.reason] };
    }
    case "held":
      return heldBy(name, declaration, advance.reasons);
    default:
      return promoted(name, declaration);
  }
}

/** The config that a finish asks for: the release at 100 % as the baseline. */
function configOfFinish(
  config: EnvironmentConfig,
  service: ServiceConfig,
  record: RolloutRecord | undefined,
): EnvironmentConfig | undefined {
  const { canary, ...rest } = service;
  if (!canary || record?.canary?.digest !== canary.digest) return undefined;
  if (committedPercent(record) !== 100 || service.wavePercent !== 100) return undefined;
  const finished: ServiceConfig = { ...rest, baseline: canary, wavePercent: 0 };
  return { ...config, services: config.services.map((each) => (each.name === service.name ? finished : each)) };
}

function answerOf(service: string, declarations: readonly Declaration[]): GateAnswer {
  const mine = declarations.find((each) => each.service === service);
  const refusals = declarations.flatMap((each) => each.refusals);
  if (refusals.length > 0 || !mine) return heldBy(service, mine, refusals);
  if (mine.step !== "opening" && mine.step !== "finish") return heldBy(service, mine, whyNotOpening(mine));
  const others = mine.otherCanaries ?? [];
  if (mine.step === "opening" && others.length > 0) {
    const reason = `${others.join(", ")} of the same dependency group has a canary with traffic; one at a time`;
    return heldBy(service, mine, [reason]);
  }
  return promoted(service, mine);
}

function promoted(service: string, declaration: Declaration | undefined): GateAnswer {
  const verdict = declaration?.verdict;
  // The gate lets through what it was asked about, and nothing else.
  if (verdict?.kind !== "promote") return heldBy(service, declaration, ["the gate was not asked"]);
  return { service, outcome: "promote", verdict, reasons: [] };
}

function heldBy(service: string, declaration: Declaration | undefined, reasons: readonly string[]): GateAnswer {
  const verdict = declaration?.verdict;
  if (verdict === undefined) return { service, outcome: "refused", reasons };
  // The gate's own reasons are in its findings.
  const beside = reasons.filter((reason) => !verdict.reasons.some((own) => reason.endsWith(own)));
  const outcome = verdict.kind === "promote" ? "refused" : verdict.kind;
  return { service, outcome, verdict, reasons: beside };
}
