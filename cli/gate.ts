/**
 * `gate`: what an `up` would say of each service's next wave, or of its finish, finding by finding. Reads alone. Exit 0 is promote and
 * nothing else; 1 is any other answer, which the output names; 2 is that nobody could be asked.
 */
import { BadInputError } from "../core/bad-input.ts";
import { oneLine } from "../core/error-message.ts";
import { type FindingWord, findingWord } from "../core/gate/finding-words.ts";
import type { AskedVerdict, GateQuestion, GateRule, VerdictKind } from "../core/gate/verdict.ts";
import type { Surroundings } from "./command.ts";
import { beginDeciding, type DecidingParts } from "./deciding.ts";
import { CommandFailedError } from "./failures.ts";
import { belowByPulumi, type PulumiRunner } from "./gate-below.ts";
import { askGate, type GateAnswer, type GateOutcome, worstOutcome } from "./gate-decision.ts";
import { renderGate } from "./gate-text.ts";
import { jsonText } from "./json.ts";
import type { Operation, OperatorFlags } from "./operation.ts";

/** `--json`. Fields are never renamed or dropped, only added; what there is not is `null`. Printed with exit 0, 1 and an unreadable record's 2. */
interface GateJson {
  readonly stack: string;
  /** The worst of the services', those with `nothing` to ask aside. */
  readonly outcome: GateOutcome;
  readonly services: readonly {
    readonly service: string;
    readonly outcome: GateOutcome;
    /** What stands against it beside the gate, or why the gate was not asked. */
    readonly reasons: readonly string[];
    /** `null`: the gate was not asked. */
    readonly verdict: VerdictJson | null;
  }[];
}

interface VerdictJson {
  readonly kind: VerdictKind;
  readonly measured: "nothing" | "too-little" | null;
  readonly asked: GateQuestion;
  /** In the order of the rules; met ones included. */
  readonly findings: readonly {
    readonly rule: GateRule;
    readonly word: FindingWord;
    /** What it is, lifted or not. */
    readonly verdict: VerdictKind;
    readonly isLifted: boolean;
    readonly text: string;
  }[];
}

/** Parts that a test gives itself. */
export interface GateParts extends DecidingParts {
  /** @default runs `pulumi` */
  readonly runPulumi?: PulumiRunner;
}

export async function gateCommand(
  flags: OperatorFlags,
  surroundings: Surroundings,
  parts: GateParts = {},
): Promise<void> {
  const { operation, stack, service, config, surveyor } = await beginDeciding("gate", flags, surroundings, parts);
  const { ladderBelow, environment } = config;
  const below =
    ladderBelow === undefined
      ? {}
      : { below: belowByPulumi(ladderBelow, { stack, environment }, surroundings.directory, parts.runPulumi) };
  const answers = await askGate(config, { ...(await portsOf(operation)), ...below }, surveyor, service);
  const outcome = worstOutcome(answers);
  if (flags.json) {
    const json: GateJson = { stack, outcome, services: answers.map(answerJson) };
    operation.out(jsonText(json));
  } else {
    for (const line of renderGate(answers, surroundings)) operation.out(line);
    if (answers.length === 0) operation.out(`stack ${stack} has no service`);
  }
  if (outcome === "unreadable") {
    const unread = answers.filter((answer) => answer.outcome === "unreadable");
    throw new BadInputError(
      `tidegate gate: ${unread.length === 1 ? "1 service" : `${unread.length} services`} could not be asked about (stack ${stack}):`,
      unread.map((answer) => `${answer.service}: ${answer.reasons.join("; ")}. Restore access and ask again`),
    );
  }
  if (outcome !== "promote") {
    throw new CommandFailedError(`tidegate gate: ${outcomeWords[outcome]} (stack ${stack}); nothing was changed`);
  }
}

const outcomeWords: Readonly<Record<Exclude<GateOutcome, "promote" | "unreadable">, string>> = {
  nothing: "nothing is rolling out, so there is nothing to promote",
  refused: "not promoted, an up would be refused",
  monitor: "not promoted yet: monitor",
  "cannot-tell": "not promoted: cannot tell",
  "roll-back": "not promoted: roll back",
};

async function portsOf({ connection }: Operation) {
  try {
    return await connection.ports();
  } catch (error) {
    throw new BadInputError("tidegate gate: 1 problem, nothing was done:", [
      `AWS could not be reached: ${oneLine(error)}`,
    ]);
  }
}

function answerJson({ service, outcome, verdict, reasons }: GateAnswer): GateJson["services"][number] {
  return { service, outcome, reasons, verdict: verdict === undefined ? null : verdictJson(verdict) };
}

function verdictJson({ kind, measured, asked, findings }: AskedVerdict): VerdictJson {
  return {
    kind,
    measured: measured ?? null,
    asked,
    findings: findings.map((finding) => ({
      rule: finding.rule,
      word: findingWord(finding),
      verdict: finding.verdict,
      isLifted: findingWord(finding) === "lifted",
      text: finding.text,
    })),
  };
}
