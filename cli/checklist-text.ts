/** A release's checklist as Markdown: for a terminal, a file, an issue or a comment. */
import type { Checklist, ChecklistItem } from "../core/checklist.ts";
import { code, prose } from "./comment/markdown.ts";

/** The whole of it, with a heading of its own. */
export function renderChecklist(checklist: Checklist): string {
  const { service, environment, version, attempt } = checklist;
  const of = `${code(service)} ${code(version)} in ${code(environment)}, attempt ${attempt}`;
  return [`## Checklist: ${of}`, countWords(checklist), renderSections(checklist, "###")].join("\n\n");
}

/** The sections alone. @param heading of each, such as `####` */
export function renderSections({ sections }: Checklist, heading: string): string {
  return sections
    .map(({ title, items }) => [`${heading} ${title}`, items.map(lineOf).join("\n")].join("\n\n"))
    .join("\n\n");
}

/** `12 of 40 ticked by what is measured, 20 are a person's.` */
export function countWords({ sections }: Checklist): string {
  const items = sections.flatMap((section) => section.items);
  const count = (state: ChecklistItem["state"]) => items.filter((item) => item.state === state).length;
  return `${count("done")} of ${items.length} ticked by what is measured or written down, ${count("open")} not, ${count("person")} for a person to tick.`;
}

function lineOf({ text, state, note }: ChecklistItem): string {
  switch (state) {
    case "done":
      return `- [x] ${prose(text)}${note === undefined ? "" : ` (${prose(note)})`}`;
    case "open":
      return `- [ ] ${prose(text)}: ${prose(note ?? "not met")}`;
    case "person":
      return `- [ ] ${prose(text)} *(a person ticks this)*`;
  }
}
