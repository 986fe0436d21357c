/** The gate's answers as `tidegate gate` prints them: a line for each service, and a table of its findings below. */
import { styleText } from "node:util";
import Table from "cli-table3";
import { findingWord, kindWords, questionWords } from "../core/gate/finding-words.ts";
import type { Finding } from "../core/gate/verdict.ts";
import type { GateAnswer } from "./gate-decision.ts";
import { withoutBorders } from "./table-borders.ts";

export function renderGate(answers: readonly GateAnswer[], look: { readonly colours: boolean }): string[] {
  return answers.flatMap((answer, index) => [...(index === 0 ? [] : [""]), ...renderAnswer(answer, look.colours)]);
}

function renderAnswer(answer: GateAnswer, colours: boolean): string[] {
  const { verdict, outcome, reasons } = answer;
  const paint = (text: string) =>
    colours ? styleText(outcome === "promote" ? "green" : "red", text, { validateStream: false }) : text;
  const head = `${answer.service}: ${headWords(answer)}`;
  return [
    outcome === "nothing" ? head : paint(head),
    ...reasons.map((reason) => `  ${reason}`),
    ...(verdict === undefined ? [] : table(verdict.findings)),
  ];
}

function headWords({ verdict, outcome, reasons }: GateAnswer): string {
  if (verdict !== undefined) {
    const said = `${questionWords(verdict.asked)}: ${kindWords(verdict)}`;
    if (outcome === "refused") return `${said}, and the up would be refused all the same:`;
    return reasons.length > 0 ? `${said}; the up would be refused for more:` : said;
  }
  switch (outcome) {
    case "nothing":
      return "nothing to ask:";
    case "unreadable":
      return "nobody could be asked:";
    default:
      return "the gate was not asked:";
  }
}

function table(findings: readonly Finding[]): string[] {
  const rows = new Table({
    chars: { ...withoutBorders, left: "  " },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  for (const finding of findings) rows.push([findingWord(finding), finding.rule, finding.text.replace(/\s+/g, " ")]);
  return rows
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}
