/**
 * `checklist`: a release's checklist as Markdown (C4), ticked by the record, the config and what the gate says of the next step. Reads alone.
 * Exit 0 whatever is ticked: it is a list, and no verdict; where a record cannot be read, what it would tell stays unticked and says so.
 */
import { type Checklist, type ChecklistItem, checklistOf } from "../core/checklist.ts";
import { oneLine } from "../core/error-message.ts";
import { findingWord, type ToldFinding } from "../core/gate/finding-words.ts";
import type { RolloutRecord } from "../core/record.ts";
import { checklistConfig } from "./checklist-facts.ts";
import { renderChecklist } from "./checklist-text.ts";
import type { Surroundings } from "./command.ts";
import { beginDeciding, type DecidingParts } from "./deciding.ts";
import { RefusedError } from "./failures.ts";
import { askGate, type GateAnswer } from "./gate-decision.ts";
import { jsonText } from "./json.ts";
import type { Operation, OperatorFlags } from "./operation.ts";

/** `--json`. Fields are never renamed or dropped, only added. */
interface ChecklistJson {
  readonly stack: string;
  readonly services: readonly {
    readonly service: string;
    readonly environment: string;
    readonly version: string;
    readonly attempt: number;
    readonly sections: readonly {
      readonly title: string;
      readonly items: readonly {
        readonly text: string;
        readonly state: ChecklistItem["state"];
        readonly note: string | null;
      }[];
    }[];
    readonly markdown: string;
  }[];
}

export async function checklistCommand(
  flags: OperatorFlags,
  surroundings: Surroundings,
  parts: DecidingParts = {},
): Promise<void> {
  const { operation, stack, service, config, surveyor } = await beginDeciding("checklist", flags, surroundings, parts);
  const ports = await portsOf(operation);
  const now = operation.outside.timers.now();
  const answers = await askGate(config, ports, surveyor, service);
  const checklists: Checklist[] = [];
  for (const each of config.services) {
    if (service === undefined ? each.canary === undefined : each.name !== service) continue;
    const record = await ports.records.read(each.name).catch((): RolloutRecord | undefined => undefined);
    const findings = findingsOf(answers.find((answer) => answer.service === each.name));
    checklists.push(
      checklistOf(checklistConfig(config, each), {
        now,
        ...(record === undefined ? {} : { record }),
        ...(findings === undefined ? {} : { findings }),
      }),
    );
  }
  if (flags.json) {
    const json: ChecklistJson = { stack, services: checklists.map(jsonOf) };
    operation.out(jsonText(json));
    return;
  }
  if (checklists.length === 0) operation.out(`stack ${stack} has no service with a canary; name one with --service`);
  for (const checklist of checklists) operation.out(renderChecklist(checklist));
}

function findingsOf(answer: GateAnswer | undefined): ToldFinding[] | undefined {
  return answer?.verdict?.findings.map((finding) => ({
    word: findingWord(finding),
    rule: finding.rule,
    text: finding.text,
  }));
}

async function portsOf({ connection }: Operation) {
  try {
    return await connection.ports();
  } catch (error) {
    throw new RefusedError(`tidegate checklist: AWS could not be reached: ${oneLine(error)}. Nothing was read`);
  }
}

function jsonOf(checklist: Checklist): ChecklistJson["services"][number] {
  const sections = checklist.sections.map(({ title, items }) => ({
    title,
    items: items.map(({ text, state, note }) => ({ text, state, note: note ?? null })),
  }));
  return { ...checklist, sections, markdown: renderChecklist(checklist) };
}
